//! Reading a signed document of revocations.

use crate::{
    base64url,
    engine::hash::Hash,
    json::{Object, read_object},
    jws::compact::UnverifiedToken,
    keys::set::KeySet,
    limits::Limits,
    revocation::{
        cutoff::Cutoffs,
        exact::Exact,
        name::HashKey,
        snapshot::{Head, TYPE},
        update::UpdateError,
    },
    signature,
    time::UnixSeconds,
};

/// A longer body is no list of revocations, in characters: about three million entries.
const LONGEST_BODY: usize = 32 * 1024 * 1024;

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

/// Whether a document says everything, what came anew, or that nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Snapshot,
    Delta { previous: Head },
    Renewal,
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
        let (link, head) =
            match ["head", "previous", "current"].map(|name| claims.get(name).map(|_| bytes(&claims, name))) {
                [Some(Some(head)), None, None] => (Link::Snapshot, head),
                [None, Some(Some(previous)), None] => (Link::Delta { previous }, digest(jws.as_bytes())),
                [None, None, Some(Some(head))] if body.is_empty() => (Link::Renewal, head),
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
