//! Public keys and HMAC secrets: imported once, each with its one algorithm, and chosen by
//! (issuer, `kid`).

mod index;
mod spki;
mod import;
pub(crate) mod secret;
pub(crate) mod jwk;
pub(crate) mod tables;
pub(crate) mod remote;
#[cfg_attr(
    not(any(
        feature = "gate-js",
        all(feature = "js", feature = "issuer"),
        feature = "tower",
        feature = "fetch",
        test
    )),
    allow(dead_code, reason = "without a shell the gate asks for one of its constants")
)]
pub(crate) mod freshness;
pub(crate) mod set;
mod choice;

pub(crate) use import::Material;
pub use import::VerificationKey;
pub(crate) use index::{Hasher, Index, pair};
pub(crate) use spki::from_pem;
