//! Public keys and HMAC secrets: imported once, each with its one algorithm, and chosen by (issuer, `kid`).

mod index;
mod spki;
mod import;
pub mod jwk;
pub mod tables;
pub mod remote;
pub mod freshness;
pub mod set;
mod choice;

pub(crate) use import::Material;
pub use import::VerificationKey;
pub(crate) use index::{Hasher, Index, pair};
pub(crate) use spki::from_pem;
