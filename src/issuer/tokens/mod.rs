//! Signing keys, their public sets, and the tokens they sign.

pub(crate) mod signing_key;
pub(crate) mod claims;
pub(crate) mod mint;
pub(crate) mod key_ring;
pub(crate) mod id_token;
