//! Signing keys, their public sets, and access tokens.

pub mod signing_key;
pub mod mint;
pub mod key_ring;
