//! The compact serialization of a JSON Web Signature (RFC 7515), read strictly and not yet believed.

pub mod header;
pub(crate) mod memo;
pub mod compact;
