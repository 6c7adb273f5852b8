//! Signing: keys, their public sets, access tokens, and the sessions they are refreshed in. Nothing that verifies may name this module.

mod scope;
mod bounds;
mod error;
mod random;
mod tokens;
pub(crate) mod sessions;

// what the processes of an issuer know of each other
mod clocks;
mod fleet;

// the revocation feed, and the endpoints over all of it
pub(crate) mod feed;
mod endpoint;

pub use endpoint::{Broken, Entry, Evidence, Exchange, Issuer, Request, Response, Settings, Step, hash_client_secret};
pub use error::IssuerError;
pub use tokens::{
    key_ring::{KeyRing, KeyState, Schedule},
    mint::AccessTokenRequest,
    signing_key::SigningKey,
};
