//! Crate of the RSA and Ed25519 engines, before they are merged.
pub mod engine;
