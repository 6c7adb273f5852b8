//! The compact serialization of a JSON Web Signature (RFC 7515), read strictly and not yet believed.

pub mod compact;
pub mod header;
