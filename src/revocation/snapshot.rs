//! The signed document: a JWS whose payload says what it is about, `~`, and the hashes themselves
//! in base64url.
//!
//! The signature covers the body by its SHA-256, so that eight megabytes are hashed once and
//! encoded once. Payload, times in seconds since 1970:
//!
//! | member | |
//! | --- | --- |
//! | `iss` | the issuer whose tokens are named; an edge takes the list of no other |
//! | `epoch` | which history this is. A store that was restored, or a new feed key, begins a later one, which a snapshot brings; it never goes back |
//! | `version` | how many batches of revocations there were until then, from 0 on; it never goes back within an epoch |
//! | `iat`, `not_after` | when it was made, and until when it may be taken and relied on |
//! | `key` | 16 bytes, the key of the hashes |
//! | `tokens`, `cutoffs` | how many of each there are in the body: 8 and 16 bytes each, ascending |
//! | `body` | SHA-256 of the body's bytes |
//! | `head` | of a snapshot or a delta: where in the chain of batches it stands, 32 bytes |
//! | `since`, `previous` | of a delta: the version and the head that it continues |
//! | `cursor` | by choice, up to 128 characters of base64url: what to ask the feed with, `?since=`, in place of the version |
//! | `current` | of a renewal, which says that nothing came anew and has an empty body: the head at which the chain still is |
//!
//! The head of version 0, where nothing was ever revoked, is 32 zero bytes.

/// The `typ` of such a document, which no token has.
pub(crate) const TYPE: &str = "portcullis-revocation+jwt";

/// A place in the chain of deltas.
pub(crate) type Head = [u8; 32];
