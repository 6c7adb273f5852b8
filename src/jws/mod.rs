//! The compact serialization of a JSON Web Signature (RFC 7515), read strictly and not yet believed.

pub(crate) mod header;
pub(crate) mod memo;
pub(crate) mod compact;
