#![doc = include_str!("../README.md")]
//!
//! # Where things are
//! The modules below stand in the order in which a token's bytes flow through them; a module uses only those above it.
// Untrusted bytes never panic: what could is kept out of the library altogether. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

// rank 0: strict leaf tools
pub mod policy_error;
pub mod alg;
pub mod limits;
pub mod time;
pub mod base64url;
pub mod json;
pub mod document;
pub mod rejection;
pub mod denial;

// rank 1: from bytes to an unverified token; and the arithmetic, which knows nothing of tokens
pub mod bearer;
pub mod jws;
pub mod engine;

// rank 2: whose keys
pub mod keys;

// rank 3: the only place that can make an `AuthenticToken`
pub mod signature;

// rank 4: what the issuer says
pub mod claims;

// rank 5: what we accept, and what proves that a token is its sender's
pub mod policy;
pub mod binding;

// rank 6: what was taken back
#[cfg(any(feature = "revocation", feature = "issuer"))]
pub mod revocation;

// rank 7: the pipeline, and from a request to a decision
pub mod verifier;
pub mod gate;

// rank 8: signing, and the gate in native services and in workers
#[cfg(feature = "issuer")]
pub mod issuer;
#[cfg(any(feature = "tower", feature = "fetch", test))]
#[cfg_attr(
    not(any(feature = "tower", feature = "fetch")),
    allow(dead_code, unused_imports, unreachable_pub, reason = "its unit tests need no shell")
)]
mod driver;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "fetch")]
pub mod fetch;

// rank 9: the thin shell for JavaScript
#[cfg(feature = "js")]
mod wasm;

pub use alg::Alg;
pub use claims::Claims;
pub use denial::Denial;
pub use gate::Gate;
pub use jws::compact::UnverifiedToken;
pub use keys::remote::KeyReport;
pub use limits::Limits;
#[cfg(feature = "revocation")]
pub use policy::RevocationPolicy;
pub use policy::{IssuerPolicy, Policy};
pub use policy_error::PolicyError;
pub use rejection::{Rejection, Stage};
#[cfg(feature = "revocation")]
pub use revocation::{StatusReport, UpdateError, UpdateReport};
pub use signature::AuthenticToken;
pub use time::{Leeway, UnixSeconds};
pub use verifier::{Accepted, Verdict, Verifier};

// Its examples are tests as those of the README are.
#[cfg(doctest)]
#[doc = include_str!("../www/docs/start/rust.md")]
struct StartInRust;
