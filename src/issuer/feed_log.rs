//! The log behind the feed: what its records and its checkpoint hold, and what they come to together.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    base64url,
    revocation::{HashKey, snapshot::Head},
    time::UnixSeconds,
};

/// Under which key the store has the log's beginning: everything up to some version in one value.
pub const CHECKPOINT: &str = "f/0";

/// What a record is replaced by when a checkpoint has it.
pub const RETIRED: &str = "";

/// `endsAt` of what is never to be swept: a record that was lost would have two histories signed.
pub const NEVER: u64 = UnixSeconds::MAX.get();

/// Records after which a checkpoint is worth writing. As many deltas are served at least.
const CHECKPOINT_AFTER: u64 = 64;

/// How long a retired record can still be found to be one, in seconds; a log is kept in memory for less.
const RETIRED_SECONDS: u64 = 86_400;
const OUTDATED_SECONDS: u64 = 3600;

/// The log as far as it was read.
#[derive(Clone, Debug)]
pub struct Log {
    version: u64,
    head: Head,
    hash_key: Option<HashKey>,
    batches: Vec<Batch>,
    /// Those since the checkpoint, the next version's first.
    deltas: Vec<Delta>,
    checkpoint: u64,
    read_at: UnixSeconds,
}

#[derive(Clone, Debug)]
struct Delta {
    expires: u64,
    document: String,
}

/// What was revoked at once, and until when it has to be known.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) expires: u64,
    pub(super) tokens: Vec<u64>,
    pub(super) cutoffs: BTreeMap<u64, u64>,
}

/// A record to be written, where there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The store's key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The store's `endsAt`, in seconds since 1970.
    pub ends_at: u64,
}

/// A checkpoint to be written in place of the one that was read, and the records that are then retired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The value of [`CHECKPOINT`].
    pub value: String,
    /// The keys whose values become [`RETIRED`], from version 1 of the store.
    pub retired: Vec<String>,
    /// Their `endsAt`, in seconds since 1970.
    pub retired_until: u64,
}

/// Why a log cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogError {
    /// Another has moved the record into the checkpoint meanwhile: read that again.
    Retired,
    /// The store gave what was never written.
    Malformed,
}

impl fmt::Display for LogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            LogError::Retired => "the record is in the checkpoint by now",
            LogError::Malformed => "the log holds what was never written",
        })
    }
}

impl core::error::Error for LogError {}

/// A batch and its delta, as the store has them.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u64,
    key: String,
    batch: WrittenBatch,
    document: String,
}

/// Everything up to a version, as the store has it.
#[derive(Serialize, Deserialize)]
struct WrittenLog {
    version: u64,
    head: String,
    key: String,
    batches: Vec<WrittenBatch>,
}

#[derive(Serialize, Deserialize)]
struct WrittenBatch {
    expires: u64,
    tokens: String,
    cutoffs: BTreeMap<u64, u64>,
}

impl Record {
    pub(super) fn new(version: u64, batch: &Batch, key: &HashKey, document: &str) -> Self {
        let written = Written {
            version,
            key: base64url::encode(key.bytes()),
            batch: batch.write(),
            document: document.to_owned(),
        };
        // Nothing in it can fail to be written.
        let value = serde_json::to_string(&written).unwrap_or_default();
        Record { key: record_key(version), value, ends_at: NEVER }
    }
}

impl Log {
    /// A log that begins with what the store has under [`CHECKPOINT`], if it has anything.
    ///
    /// # Errors
    /// A value that was never written.
    pub fn read(checkpoint: Option<&str>, now: UnixSeconds) -> Result<Self, LogError> {
        let empty = Log {
            version: 0,
            head: [0; 32],
            hash_key: None,
            batches: Vec::new(),
            deltas: Vec::new(),
            checkpoint: 0,
            read_at: now,
        };
        let Some(text) = checkpoint else { return Ok(empty) };
        let written: WrittenLog = serde_json::from_str(text).map_err(|_| LogError::Malformed)?;
        let batches = written.batches.into_iter().map(Batch::read).collect::<Option<_>>();
        Ok(Log {
            version: written.version,
            checkpoint: written.version,
            head: bytes(&written.head)?,
            hash_key: Some(HashKey::new(bytes(&written.key)?)),
            batches: batches.ok_or(LogError::Malformed)?,
            ..empty
        })
    }

    /// The key of the next record to read, or to write when there is none.
    #[must_use]
    pub fn next_key(&self) -> String {
        record_key(self.version.saturating_add(1))
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// A record that was retired, or that is none. The log is then as it was.
    pub fn push(&mut self, value: &str) -> Result<(), LogError> {
        if value == RETIRED {
            return Err(LogError::Retired);
        }
        let Written { version, key, batch, document } = serde_json::from_str(value).map_err(|_| LogError::Malformed)?;
        let key = HashKey::new(bytes(&key)?);
        let jws = document.split_once('~').map(|(jws, _)| jws).ok_or(LogError::Malformed)?;
        if version != self.version.saturating_add(1) || self.hash_key.is_some_and(|own| own != key) {
            return Err(LogError::Malformed);
        }
        let batch = Batch::read(batch).ok_or(LogError::Malformed)?;
        (self.version, self.head, self.hash_key) = (version, Sha256::digest(jws).into(), Some(key));
        self.deltas.push(Delta { expires: batch.expires, document });
        self.batches.push(batch);
        Ok(())
    }

    /// Whether it was begun so long ago that records after it may have been retired and swept: it is then to be read anew.
    #[must_use]
    pub fn is_outdated(&self, now: UnixSeconds) -> bool {
        !(self.read_at.get()..self.read_at.get().saturating_add(OUTDATED_SECONDS)).contains(&now.get())
    }

    /// The checkpoint, once there are records enough.
    #[must_use]
    pub fn checkpoint(&self, now: UnixSeconds) -> Option<Checkpoint> {
        let key = self.hash_key.filter(|_| self.version.saturating_sub(self.checkpoint) >= CHECKPOINT_AFTER)?;
        let written = WrittenLog {
            version: self.version,
            head: base64url::encode(&self.head),
            key: base64url::encode(key.bytes()),
            batches: self.live(now).map(Batch::write).collect(),
        };
        Some(Checkpoint {
            value: serde_json::to_string(&written).unwrap_or_default(),
            retired: (self.checkpoint.saturating_add(1)..=self.version).map(record_key).collect(),
            retired_until: now.get().saturating_add(RETIRED_SECONDS),
        })
    }

    /// The version: how many records there ever were.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn hash_key(&self) -> Option<&HashKey> {
        self.hash_key.as_ref()
    }

    /// What is revoked at that time, each once: of two cutoffs the later.
    pub(super) fn fold(&self, now: UnixSeconds) -> (Vec<u64>, BTreeMap<u64, u64>) {
        let tokens: BTreeSet<u64> = self.live(now).flat_map(|batch| batch.tokens.iter().copied()).collect();
        let mut cutoffs = BTreeMap::new();
        for (name, before) in self.live(now).flat_map(|batch| &batch.cutoffs) {
            let known = cutoffs.entry(*name).or_insert(0);
            *known = (*before).max(*known);
        }
        (tokens.into_iter().collect(), cutoffs)
    }

    /// The deltas after that version; `None` when one of them is gone or nobody takes it any more, or the version is none of ours.
    pub(super) fn deltas(&self, since: u64, now: UnixSeconds) -> Option<Vec<&str>> {
        let place = usize::try_from(since.checked_sub(self.checkpoint)?).ok()?;
        let deltas = self.deltas.get(place..)?;
        if deltas.iter().any(|delta| delta.expires <= now.get()) {
            return None;
        }
        Some(deltas.iter().map(|delta| delta.document.as_str()).collect())
    }

    fn live(&self, now: UnixSeconds) -> impl Iterator<Item = &Batch> {
        self.batches.iter().filter(move |batch| batch.expires > now.get())
    }
}

impl Batch {
    fn write(&self) -> WrittenBatch {
        let tokens: Vec<u8> = self.tokens.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        WrittenBatch { expires: self.expires, tokens: base64url::encode(&tokens), cutoffs: self.cutoffs.clone() }
    }

    fn read(written: WrittenBatch) -> Option<Self> {
        let bytes = base64url::decode(&written.tokens)?;
        let (tokens, []) = bytes.as_chunks::<8>() else { return None };
        let tokens = tokens.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        Some(Batch { expires: written.expires, tokens, cutoffs: written.cutoffs })
    }
}

fn record_key(version: u64) -> String {
    format!("f/{version}")
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], LogError> {
    base64url::decode(text).and_then(|bytes| bytes.try_into().ok()).ok_or(LogError::Malformed)
}
