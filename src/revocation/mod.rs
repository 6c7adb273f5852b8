//! What an issuer has taken back before its time: the stage after the policy's.
//!
//! A list is pulled from elsewhere and handed over as a [signed document](snapshot). Tokens are denied by (`iss`, `jti`) and (`iss`, `sid`) and never
//! by their text, of which a signature may have several; and by cutoffs. What the list says holds however old it is; that it does not
//! name a token says nothing once it is stale. Besides there are the [status lists](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)
//! that a token refers to itself.

mod hash_key;
#[cfg(feature = "revocation")]
mod sorted_hashes;
#[cfg(feature = "revocation")]
mod cutoff;
#[cfg(feature = "revocation")]
mod update;
pub mod snapshot;
#[cfg(feature = "revocation")]
mod document;
#[cfg(feature = "revocation")]
mod list;
#[cfg(feature = "revocation")]
mod status;
#[cfg(feature = "revocation")]
mod former_lists;
#[cfg(feature = "revocation")]
mod revocations;

pub use hash_key::HashKey;
#[cfg(feature = "revocation")]
pub(crate) use revocations::Revocations;
#[cfg(all(feature = "revocation", feature = "js"))]
pub(crate) use revocations::{Incoming, Taken};
#[cfg(feature = "revocation")]
pub use status::StatusReport;
#[cfg(feature = "revocation")]
pub use update::{UpdateError, UpdateReport};
