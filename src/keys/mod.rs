//! Public keys and HMAC secrets: imported once, each with its one algorithm, and chosen by (issuer, `kid`).

mod spki;
mod import;
pub mod jwk;
pub mod tables;
pub mod remote;
pub mod freshness;
pub mod set;

pub(crate) use import::Material;
pub use import::VerificationKey;
pub(crate) use spki::from_pem;
