//! The signed document: a JWS whose payload says what it is about, `~`, and the hashes themselves in base64url.
//!
//! The signature covers the body by its SHA-256, so that eight megabytes are hashed once and encoded once. Payload, times in seconds since 1970:
//!
//! | member | |
//! | --- | --- |
//! | `version` | how many deltas there were until then, from 0 on; it never goes back |
//! | `iat`, `not_after` | when it was made, and until when it may be taken and relied on |
//! | `key` | 16 bytes, the key of the hashes |
//! | `tokens`, `cutoffs` | how many of each there are in the body: 8 and 16 bytes each, ascending |
//! | `body` | SHA-256 of the body's bytes |
//! | `head` | of a snapshot: where in the chain of deltas it stands |
//! | `previous` | of a delta: the head that it continues. Its own head is the SHA-256 of its JWS |
//! | `current` | of a renewal, which says that nothing came anew and has an empty body: the head at which the chain still is |
//!
//! The head of version 0, where nothing was ever revoked, is 32 zero bytes.

/// The `typ` of such a document, which no token has.
pub const TYPE: &str = "portcullis-revocation+jwt";

/// A place in the chain of deltas.
pub(crate) type Head = [u8; 32];
