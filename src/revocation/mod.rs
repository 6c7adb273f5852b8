//! What an issuer has taken back before its time: the stage after the policy's.
//!
//! A list is pulled from elsewhere and handed over as a [signed document](snapshot). Tokens are
//! denied by (`iss`, `jti`) and (`iss`, `sid`) and never by their text, of which a signature may
//! have several; and by cutoffs. What the list says holds however old it is; that it does not name
//! a token says nothing once it is stale. Besides there are the [status
//! lists](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/) that a token refers to
//! itself.

#[cfg(any(feature = "revocation", feature = "issuer"))]
mod hash_key;
#[cfg(feature = "revocation")]
mod sorted_hashes;
#[cfg(feature = "revocation")]
mod cutoff;
#[cfg(feature = "revocation")]
mod update;
#[cfg(any(feature = "revocation", feature = "issuer"))]
pub(crate) mod snapshot;
#[cfg(feature = "revocation")]
mod document;
#[cfg(feature = "revocation")]
mod list;
#[cfg(feature = "revocation")]
mod status;
#[cfg(feature = "revocation")]
mod former_lists;
// one small type in two implementations
#[cfg(feature = "revocation")]
mod revocations;
#[cfg(not(feature = "revocation"))]
#[path = "none.rs"]
mod revocations;

#[cfg(feature = "issuer")]
pub(crate) use hash_key::HashKey;
#[cfg(all(feature = "revocation", feature = "js"))]
pub(crate) use revocations::{Incoming, Taken};
pub(crate) use revocations::{Revocations, is_stale};
#[cfg(feature = "revocation")]
pub use {
    status::StatusReport,
    update::{UpdateError, UpdateReport},
};
