//! Reading a signed document of revocations, piece by piece: of eight megabytes of hashes there is
//! one copy, where they stay.

use sha2::{Digest, Sha256};

use crate::{
    base64url,
    json::{Object, Value, read_object},
    jws::compact::UnverifiedToken,
    keys::set::KeySet,
    limits::Limits,
    revocation::{
        cutoff::Cutoffs,
        hash_key::HashKey,
        snapshot::{Head, TYPE},
        sorted_hashes::{Ascending, SortedHashes},
        update::UpdateError,
    },
    signature,
    time::UnixSeconds,
};

/// A longer body is no list of revocations, in bytes: about three million entries.
const LONGEST_BODY: u64 = 24 * 1024 * 1024;

/// In characters.
const LONGEST_CURSOR: usize = 128;

/// A document whose signature and form are good. Whether it is to be taken, the list that is held
/// decides.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) issuer: String,
    pub(crate) epoch: u64,
    pub(crate) version: u64,
    pub(crate) issued_at: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
    pub(crate) key: HashKey,
    pub(crate) link: Link,
    /// Where the chain is after it.
    pub(crate) head: Head,
    /// What the feed wants to be asked with.
    pub(crate) cursor: Option<String>,
    pub(crate) tokens: SortedHashes,
    pub(crate) cutoffs: Cutoffs,
}

/// Whether a document says everything, what came anew, or that nothing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Snapshot,
    Delta { since: u64, previous: Head },
    Renewal,
}

/// A document of which not all has come yet.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    jws: String,
    body: Option<Body>,
}

/// What follows the signed part.
#[derive(Debug)]
struct Body {
    /// All but the lists.
    document: Document,
    expected: Head,
    digest: Sha256,
    /// Digits that do not make whole bytes yet.
    digits: String,
    tokens: Ascending,
    /// Cutoffs, and before them bytes that do not make a whole hash yet.
    rest: Vec<u8>,
    /// How many hashes and bytes of cutoffs there are to be.
    counts: (u64, u64),
}

fn malformed(what: &'static str) -> UpdateError {
    UpdateError::Malformed { what }
}

impl Reader {
    /// Takes the next piece of a document that one of these keys has signed.
    pub(crate) fn push(&mut self, piece: &str, keys: &KeySet) -> Result<(), UpdateError> {
        if let Some(body) = &mut self.body {
            return body.push(piece);
        }
        let (head, rest) = piece.split_once('~').map_or((piece, None), |(head, rest)| (head, Some(rest)));
        self.jws.push_str(head);
        // Nothing is gathered that could not be good.
        if self.jws.len() > Limits::default().token_bytes() {
            return Err(malformed("jws"));
        }
        let Some(rest) = rest else { return Ok(()) };
        self.body.insert(Body::of(&self.jws, keys)?).push(rest)
    }

    /// The document, when that was all of it.
    pub(crate) fn finish(self) -> Result<Document, UpdateError> {
        self.body.ok_or(malformed("body"))?.finish()
    }
}

impl Body {
    /// Reads the signed part.
    fn of(jws: &str, keys: &KeySet) -> Result<Self, UpdateError> {
        let token = UnverifiedToken::parse(jws, &Limits::default()).map_err(|_| malformed("jws"))?;
        let candidates = keys.candidates(token.header(), &|| None).map_err(|_| UpdateError::Foreign)?;
        let authentic = signature::authenticate(token, &candidates).map_err(|_| UpdateError::Foreign)?;
        if authentic.header().typ() != Some(TYPE) {
            return Err(UpdateError::Type);
        }
        let claims = read_object(authentic.payload(), &Limits::default()).map_err(|_| malformed("payload"))?;
        let number = |name| claims.get(name).and_then(Value::as_integer).ok_or(malformed(name));
        let instant = |name| number(name).and_then(|seconds| UnixSeconds::new(seconds).ok_or(malformed(name)));
        let head = |name| claims.get(name).map(|_| bytes(&claims, name));
        let (link, head) = match ["head", "previous", "current"].map(head) {
            [Some(Some(head)), None, None] => (Link::Snapshot, head),
            [Some(Some(head)), Some(Some(previous)), None] => (Link::Delta { since: number("since")?, previous }, head),
            [None, None, Some(Some(head))] => (Link::Renewal, head),
            _ => return Err(malformed("head")),
        };
        let (tokens, cutoffs) = (number("tokens")?, number("cutoffs")?);
        let total =
            tokens.checked_mul(8).zip(cutoffs.checked_mul(16)).and_then(|(first, rest)| first.checked_add(rest));
        // Room is made for what the signed part says, and it is signed.
        if total.is_none_or(|total| total > LONGEST_BODY || (link == Link::Renewal && total > 0)) {
            return Err(malformed("body"));
        }
        Ok(Body {
            document: Document {
                issuer: claims.get("iss").and_then(Value::as_str).ok_or(malformed("iss"))?.to_owned(),
                epoch: number("epoch")?,
                version: number("version")?,
                issued_at: instant("iat")?,
                not_after: instant("not_after")?,
                key: HashKey::new(bytes(&claims, "key").ok_or(malformed("key"))?),
                link,
                head,
                cursor: cursor(&claims)?,
                tokens: SortedHashes::default(),
                cutoffs: Cutoffs::default(),
            },
            expected: bytes(&claims, "body").ok_or(malformed("body"))?,
            digest: Sha256::new(),
            digits: String::new(),
            tokens: Ascending::with_room(usize::try_from(tokens).unwrap_or_default()),
            rest: Vec::new(),
            counts: (tokens, cutoffs.saturating_mul(16)),
        })
    }

    fn push(&mut self, piece: &str) -> Result<(), UpdateError> {
        self.digits.push_str(piece);
        let whole = self.digits.len() & !3;
        let decoded = self.digits.get(..whole).and_then(base64url::decode).ok_or(malformed("body"))?;
        self.digits.drain(..whole);
        self.take(&decoded)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), UpdateError> {
        self.digest.update(bytes);
        self.rest.extend_from_slice(bytes);
        let missing = self.counts.0.saturating_sub(u64::try_from(self.tokens.len()).unwrap_or(u64::MAX));
        let (words, _) = self.rest.as_chunks::<8>();
        let now = words.len().min(usize::try_from(missing).unwrap_or(usize::MAX));
        for word in words.iter().take(now) {
            if !self.tokens.push(u64::from_be_bytes(*word)) {
                return Err(malformed("body"));
            }
        }
        self.rest.drain(..now.saturating_mul(8));
        // More than was counted is not gathered; while hashes are missing, what is left over is
        // less than one.
        if u64::try_from(self.rest.len()).unwrap_or(u64::MAX) > self.counts.1.max(7) {
            return Err(malformed("body"));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Document, UpdateError> {
        let last = base64url::decode(&self.digits).ok_or(malformed("body"))?;
        self.take(&last)?;
        let (pairs, []) = self.rest.as_chunks::<16>() else { return Err(malformed("body")) };
        let counted = (u64::try_from(self.tokens.len()), u64::try_from(self.rest.len()));
        let digest: Head = self.digest.finalize().into();
        if counted != (Ok(self.counts.0), Ok(self.counts.1)) || digest != self.expected {
            return Err(malformed("body"));
        }
        let cutoffs = Cutoffs::read(pairs).ok_or(malformed("body"))?;
        Ok(Document { tokens: self.tokens.into(), cutoffs, ..self.document })
    }
}

/// What the feed wants to be asked with. It becomes a part of a URL.
fn cursor(claims: &Object<'_>) -> Result<Option<String>, UpdateError> {
    match claims.get("cursor").and_then(Value::as_str) {
        None if claims.get("cursor").is_none() => Ok(None),
        Some(text) if text.len() <= LONGEST_CURSOR && text.bytes().all(is_url_safe) => Ok(Some(text.to_owned())),
        _ => Err(malformed("cursor")),
    }
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A member that is exactly so many bytes in base64url.
fn bytes<const N: usize>(claims: &Object<'_>, name: &str) -> Option<[u8; N]> {
    claims.get(name).and_then(Value::as_str).and_then(base64url::decode)?.try_into().ok()
}
