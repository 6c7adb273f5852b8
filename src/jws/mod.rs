//! The compact serialization of a JSON Web Signature (RFC 7515), read strictly and not yet
//! believed.

pub(crate) mod header;
pub(crate) mod header_memo;
pub(crate) mod compact;
