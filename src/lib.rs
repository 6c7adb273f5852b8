//! Verifies JSON Web Tokens with the issuer's public keys at hand, and decides about whole
//! requests by them: which route asks for which scopes and claims, who sent the token, and whether
//! it was revoked.
//!
//! There is no clock, no network and no randomness in it. Time is an argument, and what a decision
//! needs from outside leaves as a value and comes back as one. So the same policy gives the same
//! verdict in a native service, in a worker and in the npm package `portcullis`, which is this
//! crate as WebAssembly.
//!
//! ```
//! use portcullis::{UnixSeconds, Verifier};
//!
//! let verifier = Verifier::from_json(r#"{ "issuers": [{
//!     "issuer": "https://issuer.example",
//!     "audience": "https://api.example",
//!     "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1",
//!                          "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
//! }] }"#)?; // a mistake in the policy is an error that names the member
//! let now = UnixSeconds::new(1_800_000_000).unwrap();
//! match verifier.verify_authorization(Some("Bearer abc"), now) {
//!     Ok(accepted) => println!("Hello, {:?}", accepted.claims().sub),
//!     Err(rejection) => assert_eq!(rejection.code(), "segment-count"),
//! }
//! # Ok::<(), portcullis::PolicyError>(())
//! ```
//!
//! # Where things are
//! | to | begin at |
//! | --- | --- |
//! | verify a token | [`Verifier`], by a [`Policy`]; what comes of it is a [`Verdict`] |
//! | guard a service of axum, hyper or tonic | [`tower::GateLayer`] |
//! | guard a worker | [`fetch::FetchGate`] |
//! | guard anything else | [`Gate`], which decides about [`gate::Facts`] |
//! | mint access tokens, or serve OAuth endpoints | [`issuer`] |
//! | check a signature and nothing else | [`verify_jws`] |
//! | look into a token, and believe nothing | [`decode_unverified`] |
//!
//! A policy is one JSON document, which means the same in every language: its members are described
//! in the README and by [`Policy::JSON_SCHEMA`]. Every refusal has a code that never changes
//! ([`Rejection::code`], [`Denial::code`]).
//!
//! # Features
//! | feature | | |
//! | --- | --- | --- |
//! | `revocation` | on by default | signed lists of what was revoked, and Token Status Lists |
//! | `issuer` | | signing keys, access tokens, sessions with rotating refresh tokens, and the endpoints over them |
//! | `tower` | | the gate as a layer for native services |
//! | `fetch` | | the gate for workers and pages written in Rust, on the types of web-sys |
//! | `ml-dsa` | | verification of ML-DSA-44, ML-DSA-65 and ML-DSA-87 (RFC 9964) |
//! | `js`, `gate-js` | | exports of the npm package; no crate needs them |
//!
//! A feature adds, and never changes what a build without it accepts.
// The README's Rust is run as well.
#![cfg_attr(doctest, doc = concat!("\n\n", include_str!("../README.md")))]
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

// The modules stand in the order in which a token's bytes flow; each uses only those above it, and
// tests/rust/architecture.rs reads this list.

// rank 0: strict leaf tools
mod text;
mod policy_error;
mod alg;
mod limits;
mod deviation;
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
pub use rejection::{NotBase64url, Rejection, Segment, Stage};
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
    TenantResolver,
};
pub use policy_error::PolicyError;
pub use time::{Leeway, UnixSeconds};
#[cfg(feature = "revocation")]
pub use {
    policy::{RevocationPolicy, RevocationSource, WhenStale},
    revocation::{StatusReport, UpdateError, UpdateReport},
};

// a request, and what is decided about it; the rest is in `gate`
pub use denial::Denial;
pub use deviation::Deviation;
pub use gate::Gate;

// Its examples are tests as those of the README are.
#[cfg(doctest)]
#[doc = include_str!("../www/docs/start/rust.md")]
struct StartInRust;
