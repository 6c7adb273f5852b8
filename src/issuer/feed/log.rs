//! The log as far as a process has read it: the register, and the segments that it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    LogError,
    batch::{self, Batch},
    cursor::Place,
    register::{Origin, Register, segment_key},
};
use crate::{base64url, revocation::HashKey, time::UnixSeconds};
use sha2::{Digest, Sha256};

/// What was read of the log. Segments never change, so that those of an earlier reading serve the next.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The register, and the version and value that the store has of it.
    pub(super) register: Option<Arc<Register>>,
    stored: (u64, String),
    segments: BTreeMap<String, Arc<Vec<Batch>>>,
}

impl Log {
    /// The log that the store's register begins, with the version it was read with; what this process has read before serves again.
    ///
    /// # Errors
    /// A value that was never written.
    pub fn read(found: Option<(u64, &str)>, before: Option<&Log>) -> Result<Self, LogError> {
        let Some((version, value)) = found else { return Ok(Log::default()) };
        let known = before.filter(|log| log.stored.1 == value).and_then(|log| log.register.clone());
        let register = known.map_or_else(|| Register::from_json(value).map(Arc::new), Ok)?;
        let mut segments = BTreeMap::new();
        for segment in &register.segments {
            if let Some(batches) = before.and_then(|log| log.segments.get(&segment.id)) {
                segments.insert(segment.id.clone(), Arc::clone(batches));
            }
        }
        Ok(Log { register: Some(register), stored: (version, value.to_owned()), segments })
    }

    /// The keys of the segments that are still to be read.
    #[must_use]
    pub fn missing(&self, now: UnixSeconds) -> Vec<String> {
        let named = self.register.iter().flat_map(|register| &register.segments);
        let missing = named.filter(|it| it.expires > now.get() && !self.segments.contains_key(&it.id));
        missing.map(|segment| segment_key(&segment.id)).collect()
    }

    /// Takes a segment that was read.
    ///
    /// # Errors
    /// One that is not there, or is another: a segment is named by its own hash.
    pub fn take(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        let value = value.ok_or(LogError)?;
        let id = base64url::encode(&Sha256::digest(value));
        if key != segment_key(&id) {
            return Err(LogError);
        }
        self.segments.insert(id, Arc::new(batch::read_all(value).ok_or(LogError)?));
        Ok(())
    }

    /// The version: how many batches there ever were.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.register.as_ref().map_or(0, |register| register.at.version)
    }

    /// The epoch; 0 before anything was revoked.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.register.as_ref().map_or(0, |register| register.epoch)
    }

    pub(super) fn stored_version(&self) -> u64 {
        self.stored.0
    }

    pub(super) fn hash_key(&self) -> HashKey {
        self.register.as_ref().map_or(HashKey::new([0; 16]), |register| register.key)
    }

    /// Where the chain is.
    #[must_use]
    pub fn place(&self) -> Place {
        let at = self.register.as_ref().map_or(Origin { version: 0, head: [0; 32] }, |register| register.at.clone());
        Place { epoch: self.epoch(), version: at.version, head: at.head }
    }

    /// What is revoked at that time, each once: of two cutoffs the later.
    pub(super) fn fold(&self, now: UnixSeconds) -> (Vec<u64>, BTreeMap<u64, u64>) {
        let (tokens, mut cutoffs) = fold(self.runs().flat_map(|(_, batches)| batches), now);
        self.name_keys(&mut cutoffs);
        (tokens, cutoffs)
    }

    /// Adds the signing keys that were taken back.
    pub(super) fn name_keys(&self, cutoffs: &mut BTreeMap<u64, u64>) {
        for key in self.register.iter().flat_map(|register| &register.keys) {
            cutoffs.insert(*key, UnixSeconds::MAX.get());
        }
    }

    /// Is that hash among what is revoked one by one?
    pub(super) fn names(&self, hash: u64, now: UnixSeconds) -> bool {
        let batches = self.runs().flat_map(|(_, batches)| batches);
        batches.filter(|batch| batch.expires > now.get()).any(|batch| batch.tokens.binary_search(&hash).is_ok())
    }

    /// The batches since a version, if there is a way from it: with the place in the chain where it stood.
    pub(super) fn since(&self, version: u64) -> Option<(Origin, Vec<&Batch>)> {
        let (mut found, mut since) = (None, Vec::new());
        for (origin, batches) in self.runs() {
            let mut at = origin.clone();
            for batch in batches {
                if at.version == version {
                    found = Some(at.clone());
                }
                if found.is_some() {
                    since.push(batch);
                } else {
                    at = at.after(batch);
                }
            }
        }
        let Place { version: last, head, .. } = self.place();
        let found = found.or_else(|| (last == version).then_some(Origin { version, head }))?;
        Some((found, since))
    }

    /// Does the log not lead to that place, at which it has been? Of one that is too far back nobody knows.
    pub(super) fn has_lost(&self, place: &Place) -> bool {
        if place.epoch != self.epoch() {
            return place.epoch > self.epoch();
        }
        if place.version > self.version() {
            return true;
        }
        self.since(place.version).is_some_and(|(at, _)| at.head != place.head)
    }

    /// Segments that were read, and the tail, in their order.
    fn runs(&self) -> impl Iterator<Item = (&Origin, &[Batch])> {
        let segments = self.register.iter().flat_map(|register| &register.segments);
        let segments = segments.filter_map(|it| Some((&it.origin, self.segments.get(&it.id)?.as_slice())));
        segments.chain(self.register.iter().map(|register| (&register.origin, register.tail.as_slice())))
    }
}

/// What batches come to at that time.
pub(super) fn fold<'b>(batches: impl Iterator<Item = &'b Batch>, now: UnixSeconds) -> (Vec<u64>, BTreeMap<u64, u64>) {
    let (mut tokens, mut cutoffs) = (Vec::new(), BTreeMap::new());
    for batch in batches {
        let live = batch.expires > now.get();
        tokens.extend(batch.tokens.iter().filter(|_| live));
        // A signing key is taken back for good, and whoever missed its batch has to hear of it however late.
        for (name, before) in batch.cutoffs.iter().filter(|(_, before)| live || **before == UnixSeconds::MAX.get()) {
            let known = cutoffs.entry(*name).or_insert(0);
            *known = (*before).max(*known);
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    (tokens, cutoffs)
}

/// Hashes, ascending and each once.
pub(super) fn ascending(hashes: Vec<u64>) -> Vec<u64> {
    BTreeSet::from_iter(hashes).into_iter().collect()
}
