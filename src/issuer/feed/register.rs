//! The one row that says where the log is: what the newest batches are, and in which segments the
//! older ones lie.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    LogError,
    batch::{self, Batch},
};
use crate::{
    base64url,
    issuer::clocks::Clocks,
    revocation::{HashKey, snapshot::Head},
    time::UnixSeconds,
};

/// Under which key the store has it.
pub const REGISTER: &str = "f/log";

/// `endsAt` of what is never swept: without its register a log would be told twice.
pub const NEVER: u64 = UnixSeconds::MAX.get();

/// The version of the JSON form.
const VERSION: u64 = 1;

/// How much the tail may hold, in bytes before base64url: with the list of segments it stays below
/// the 64 KiB of Deno KV.
const TAIL_BYTES: usize = 24 * 1024;

/// How much longer than its entries a segment is kept, in seconds: whoever read the register
/// before may yet look for it.
const SLACK_SECONDS: u64 = 3600;

/// As many names of feed keys, and of signing keys that were taken back, as the register holds
/// itself.
const MOST_SIGNERS: usize = 8;
const MOST_KEYS: usize = 500;

/// Something to be written if the key's version is still the expected one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The store's key.
    pub key: String,
    /// The version that the contents were read with; 0 for what is not to be there.
    pub expected: u64,
    /// The value.
    pub value: String,
    /// The store's `endsAt`, in seconds since 1970.
    pub ends_at: u64,
}

/// Where batches begin: after which version, and at which place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) version: u64,
    pub(super) head: Head,
}

/// Older batches in a row of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Segment {
    pub(super) id: String,
    pub(super) origin: Origin,
    pub(super) expires: u64,
}

/// The register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Register {
    pub(super) epoch: u64,
    pub(super) key: HashKey,
    /// The feed keys that have signed in this epoch, by name, the newest last.
    pub(super) signers: Vec<String>,
    /// Signing keys that were taken back for good, as hashes.
    pub(super) keys: Vec<u64>,
    pub(super) segments: Vec<Segment>,
    pub(super) origin: Origin,
    pub(super) tail: Vec<Batch>,
    /// Whose clocks have passed what is to be retired.
    pub(super) clocks: Clocks,
    /// Where the chain is after the tail.
    pub(super) at: Origin,
}

/// What a later version adds is ignored; what cannot be ignored takes another `v`.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u64,
    epoch: u64,
    key: String,
    signers: Vec<String>,
    keys: Vec<u64>,
    segments: Vec<(String, u64, String, u64)>,
    version: u64,
    head: String,
    tail: String,
    /// Not there before the first write of a version that knows them.
    #[serde(default)]
    clocks: Clocks,
}

impl Register {
    /// The beginning of a log.
    pub(super) fn new(epoch: u64, key: HashKey, signer: &str) -> Self {
        let origin = Origin { version: 0, head: [0; 32] };
        let signers = vec![signer.to_owned()];
        let (keys, segments, tail) = (Vec::new(), Vec::new(), Vec::new());
        let clocks = Clocks::default();
        Register { epoch, key, signers, keys, segments, at: origin.clone(), origin, tail, clocks }
    }

    pub(super) fn from_json(text: &str) -> Result<Self, LogError> {
        let written: Written = serde_json::from_str(text).map_err(|_| LogError)?;
        if written.v != VERSION {
            return Err(LogError);
        }
        let origin = |version, head: &str| Ok(Origin { version, head: bytes(head)? });
        let segments = written
            .segments
            .into_iter()
            .map(|(id, version, head, expires)| Ok(Segment { id, origin: origin(version, &head)?, expires }));
        let mut register = Register {
            epoch: written.epoch,
            key: HashKey::new(bytes(&written.key)?),
            signers: written.signers,
            keys: written.keys,
            segments: segments.collect::<Result<_, LogError>>()?,
            origin: origin(written.version, &written.head)?,
            tail: batch::read_all(&written.tail).ok_or(LogError)?,
            clocks: written.clocks,
            at: Origin { version: 0, head: [0; 32] },
        };
        register.at = register.tail.iter().fold(register.origin.clone(), |at, batch| at.after(batch));
        Ok(register)
    }

    /// The write that puts it in place of the one that had that version.
    pub(super) fn write(&self, expected: u64) -> Write {
        let written = Written {
            v: VERSION,
            epoch: self.epoch,
            key: base64url::encode(self.key.bytes()),
            signers: self.signers.clone(),
            keys: self.keys.clone(),
            segments: self
                .segments
                .iter()
                .map(|it| (it.id.clone(), it.origin.version, base64url::encode(&it.origin.head), it.expires))
                .collect(),
            version: self.origin.version,
            head: base64url::encode(&self.origin.head),
            tail: batch::write_all(&self.tail),
            clocks: self.clocks.clone(),
        };
        // Nothing in it can fail to be written.
        let value = serde_json::to_string(&written).unwrap_or_default();
        Write { key: REGISTER.to_owned(), expected, value, ends_at: NEVER }
    }

    /// The register with one batch more, and the segment to be written before it. What has expired
    /// before `past` is retired.
    pub(super) fn with(&self, batch: Batch, past: u64) -> (Register, Option<Write>) {
        let mut next = self.clone();
        next.segments.retain(|segment| segment.expires > past);
        let size: usize = next.tail.iter().map(Batch::size).sum();
        let mut segment = None;
        if !next.tail.is_empty() && size.saturating_add(batch.size()) > TAIL_BYTES {
            let tail = core::mem::take(&mut next.tail);
            let expires = tail.iter().map(|batch| batch.expires).max().unwrap_or_default();
            // What has expired already needs no row.
            if expires > past {
                let value = batch::write_all(&tail);
                let id = base64url::encode(&Sha256::digest(&value));
                let ends_at = expires.saturating_add(SLACK_SECONDS).min(NEVER);
                segment = Some(Write { key: segment_key(&id), expected: 0, value, ends_at });
                next.segments.push(Segment { id, origin: next.origin.clone(), expires });
            }
            next.origin = next.at.clone();
        }
        next.at = next.at.after(&batch);
        next.tail.push(batch);
        (next, segment)
    }

    /// Names a signing key that is taken back for good; `false` when there are too many, and it
    /// has to be in a batch for ever.
    pub(super) fn keep_key(&mut self, name: u64) -> bool {
        let known = self.keys.contains(&name);
        if !known && self.keys.len() < MOST_KEYS {
            self.keys.push(name);
        }
        known || self.keys.contains(&name)
    }

    /// Names a feed key that signs now.
    pub(super) fn sign_with(&mut self, signer: &str) {
        if !self.signers.iter().any(|known| known == signer) {
            self.signers.push(signer.to_owned());
            let surplus = self.signers.len().saturating_sub(MOST_SIGNERS);
            self.signers.drain(..surplus);
        }
    }
}

impl Origin {
    pub(super) fn after(&self, batch: &Batch) -> Origin {
        Origin { version: self.version.saturating_add(1), head: batch.head_after(&self.head) }
    }
}

pub(super) fn segment_key(id: &str) -> String {
    format!("f/{id}")
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], LogError> {
    base64url::decode(text).and_then(|bytes| bytes.try_into().ok()).ok_or(LogError)
}
