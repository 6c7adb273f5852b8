//! Signing: keys, their public sets, access tokens, and the endpoints of an OAuth issuer (feature
//! `issuer`).
//!
//! A [`SigningKey`] signs an [`AccessTokenRequest`], and a [`KeyRing`] says which key signs when.
//! An [`Issuer`] answers requests at `/token`, `/revoke`, `/introspect`, `/jwks` and the others,
//! by an [`Exchange`] each. Nothing that verifies names this module.

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

pub use endpoint::{
    Broken, Exchange, Issuer, IssuerStep, Request, Response, Settings, StepResult, StoreEntry, hash_client_secret,
};
pub use error::IssuerError;
pub use tokens::{
    claims::Claims,
    key_ring::{KeyRing, KeyState, Schedule},
    mint::AccessTokenRequest,
    signing_key::SigningKey,
};
