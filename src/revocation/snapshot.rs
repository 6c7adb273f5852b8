//! The signed document: a JWS whose payload says what it is about, `~`, and the hashes themselves in base64url.
//!
//! The signature covers the body by its SHA-256, so that eight megabytes are hashed once and encoded once. Payload, times in seconds since 1970:
//!
//! | member | |
//! | --- | --- |
//! | `version` | from 1 on; it never goes back |
//! | `iat`, `not_after` | when it was made, and until when it may be taken and relied on |
//! | `key` | 16 bytes, the key of the hashes |
//! | `tokens`, `cutoffs` | how many of each there are in the body: 8 and 16 bytes each, ascending |
//! | `body` | SHA-256 of the body's bytes |
//! | `head` | of a snapshot: where in the chain of deltas it stands |
//! | `previous` | of a delta: the head that it continues. Its own head is the SHA-256 of its JWS |

use crate::{
    base64url,
    engine::hash::Hash,
    json::{Object, read_object},
    jws::compact::UnverifiedToken,
    keys::set::KeySet,
    limits::Limits,
    revocation::{cutoff::Cutoffs, exact::Exact, name::HashKey, update::UpdateError},
    signature,
    time::UnixSeconds,
};

/// The `typ` of such a document, which no token has.
pub const TYPE: &str = "portcullis-revocation+jwt";

/// A longer body is no list of revocations, in characters: about three million entries.
const LONGEST_BODY: usize = 32 * 1024 * 1024;

/// A place in the chain of deltas.
pub(crate) type Head = [u8; 32];

/// A document whose signature and form are good. Whether it is to be taken, the list that is held decides.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) version: u64,
    pub(crate) issued_at: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
    pub(crate) key: HashKey,
    pub(crate) link: Link,
    /// Where the chain is after it.
    pub(crate) head: Head,
    pub(crate) tokens: Exact,
    pub(crate) cutoffs: Cutoffs,
}

/// Whether a document says everything, or what came anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Snapshot,
    Delta { previous: Head },
}

impl Document {
    /// Reads a document that one of these keys has signed.
    pub(crate) fn read(text: &str, keys: &KeySet) -> Result<Self, UpdateError> {
        let malformed = |what| UpdateError::Malformed { what };
        let (jws, body) = text.split_once('~').ok_or(malformed("body"))?;
        let token = UnverifiedToken::parse(jws, &Limits::default()).map_err(|_| malformed("jws"))?;
        let candidates = keys.candidates(token.header()).map_err(|_| UpdateError::Foreign)?;
        let authentic = signature::authenticate(token, &candidates).map_err(|_| UpdateError::Foreign)?;
        if authentic.header().typ() != Some(TYPE) {
            return Err(UpdateError::Type);
        }
        let claims = read_object(authentic.payload(), &Limits::default()).map_err(|_| malformed("payload"))?;
        let number = |name| claims.number(name).ok_or(malformed(name));
        let instant = |name| number(name).and_then(|seconds| UnixSeconds::new(seconds).ok_or(malformed(name)));
        let (link, head) = match (bytes(&claims, "head"), bytes(&claims, "previous")) {
            (Some(head), None) if claims.get("previous").is_none() => (Link::Snapshot, head),
            (None, Some(previous)) if claims.get("head").is_none() => {
                (Link::Delta { previous }, digest(jws.as_bytes()))
            }
            _ => return Err(malformed("head")),
        };
        // Nothing is decoded before its length is known to be sane.
        if body.len() > LONGEST_BODY {
            return Err(malformed("body"));
        }
        let body = base64url::decode(body).ok_or(malformed("body"))?;
        if bytes(&claims, "body") != Some(digest(&body)) {
            return Err(malformed("body"));
        }
        let (tokens, cutoffs) = lists(&body, number("tokens")?, number("cutoffs")?).ok_or(malformed("body"))?;
        Ok(Document {
            version: number("version")?,
            issued_at: instant("iat")?,
            not_after: instant("not_after")?,
            key: HashKey::new(bytes(&claims, "key").ok_or(malformed("key"))?),
            link,
            head,
            tokens,
            cutoffs,
        })
    }
}

/// The lists of so many entries that fill the body.
fn lists(body: &[u8], tokens: u64, cutoffs: u64) -> Option<(Exact, Cutoffs)> {
    let middle = usize::try_from(tokens).ok()?.checked_mul(8)?;
    let (tokens, pairs) = body.split_at_checked(middle)?;
    let (pairs, []) = pairs.as_chunks::<16>() else { return None };
    if u64::try_from(pairs.len()) != Ok(cutoffs) {
        return None;
    }
    Some((Exact::read(tokens.as_chunks::<8>().0)?, Cutoffs::read(pairs)?))
}

/// A member that is exactly so many bytes in base64url.
fn bytes<const N: usize>(claims: &Object<'_>, name: &str) -> Option<[u8; N]> {
    claims.text(name).and_then(base64url::decode)?.try_into().ok()
}

fn digest(bytes: &[u8]) -> Head {
    Hash::Sha256.of(&[bytes]).padded().first_chunk().copied().unwrap_or_default()
}
