//! The compact serialization of a JSON Web Signature (RFC 7515), read strictly and not yet believed.

pub mod header;
pub(crate) mod header_memo;
pub mod compact;
