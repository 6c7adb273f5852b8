//! Signing keys, their public sets, and access tokens.

pub(crate) mod signing_key;
pub(crate) mod mint;
pub(crate) mod claims;
pub(crate) mod key_ring;
