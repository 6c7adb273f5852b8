//! Signing: keys, their public sets, access tokens, and the sessions they are refreshed in. Nothing that verifies may name this module.

mod scope;
mod bounds;
mod error;
mod random;
pub mod tokens;
pub mod sessions;

// what the processes of an issuer know of each other
mod clocks;
mod fleet;

// the revocation feed, and the endpoints over all of it
pub mod feed;
pub mod endpoint;

pub use error::IssuerError;
use random::random;
