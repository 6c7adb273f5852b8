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
mod policy_error;
mod alg;
mod limits;
mod time;
mod base64url;
mod json;
mod document;
mod rejection;
mod denial;

// rank 1: from bytes to an unverified token; and the arithmetic, which knows nothing of tokens
mod bearer;
mod jws;
mod engine;

// rank 2: whose keys
mod keys;

// rank 3: the only place that can make an `AuthenticToken`
mod signature;

// rank 4: what the issuer says
mod claims;

// rank 5: what we accept, and what proves that a token is its sender's
mod policy;
mod binding;

// rank 6: what was taken back
#[cfg(any(feature = "revocation", feature = "issuer"))]
mod revocation;

// rank 7: the pipeline, and from a request to a decision
mod verifier;
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

// what the tests look into
#[doc(hidden)]
pub mod internals;

// a token, and what is decided about it
pub use claims::Claims;
pub use jws::{
    compact::{UnverifiedToken, decode_unverified},
    header::Header,
};
pub use rejection::{Rejection, Segment, Stage};
pub use signature::AuthenticToken;
pub use verifier::{Accepted, KeyStats, Stats, Verdict, Verifier, verify_jws};

// what it is decided by
pub use alg::{Alg, Family};
pub use json::Scalar;
pub use keys::{
    VerificationKey,
    remote::{KeyReport, LeftOut, ReportedKey},
    set::KeyUsage,
    tables::TableBudget,
};
pub use limits::Limits;
pub use policy::{
    ClientAuthentication, Discovery, Introspection, IntrospectionSource, IssuerPolicy, Policy, Remote, RemoteSource,
};
#[cfg(feature = "revocation")]
pub use policy::{RevocationPolicy, RevocationSource, WhenStale};
pub use policy_error::PolicyError;
#[cfg(feature = "revocation")]
pub use revocation::{StatusReport, UpdateError, UpdateReport};
pub use time::{Leeway, UnixSeconds};

// a request, and what is decided about it; the rest is in `gate`
pub use denial::Denial;
pub use gate::Gate;
