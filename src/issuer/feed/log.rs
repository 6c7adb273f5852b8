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

/// What was read of the log. Segments never change, so that those of an earlier reading serve the
/// next.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The register, and the version and value that the store has of it.
    pub(super) register: Option<Arc<Register>>,
    stored: (u64, String),
    segments: BTreeMap<String, Arc<Vec<Batch>>>,
}

impl Log {
    /// The log that the store's register begins, with the version it was read with; what this
    /// process has read before serves again.
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

    /// The batches since a version, if there is a way from it: with the place in the chain where
    /// it stood.
    pub(super) fn since(&self, version: u64) -> Option<(Origin, Vec<&Batch>)> {
        let Place { version: last, head, .. } = self.place();
        if last == version {
            return Some((Origin { version, head }, Vec::new()));
        }
        // Only the run that the place is in is hashed, since each says where it begins.
        let runs: Vec<(&Origin, &[Batch])> = self.runs().collect();
        let first = runs.iter().rposition(|(origin, _)| origin.version <= version)?;
        let (origin, batches) = runs.get(first)?;
        let before = usize::try_from(version.checked_sub(origin.version)?).ok()?;
        let (before, rest) = batches.split_at_checked(before).filter(|(_, rest)| !rest.is_empty())?;
        let found = before.iter().fold((*origin).clone(), |at, batch| at.after(batch));
        let later = runs.iter().skip(first.saturating_add(1)).flat_map(|(_, batches)| *batches);
        Some((found, rest.iter().chain(later).collect()))
    }

    /// Does the log not lead to that place, at which it has been? Of one that is too far back
    /// nobody knows.
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
        // A signing key is taken back for good, and whoever missed its batch has to hear of it
        // however late.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::feed::batch::tests::hashed;

    fn batch(n: u64) -> Batch {
        Batch { expires: 9, tokens: vec![n], ..Batch::default() }
    }

    /// Segments of the versions 0 to 5 and, if it was read, 5 to 10, and a tail of 10 to 15.
    fn log(second: bool) -> (Log, Vec<Origin>) {
        let mut register = Register::new(1, HashKey::new([0; 16]), "kid");
        let mut places = vec![register.at.clone()];
        let mut segments = BTreeMap::new();
        for n in 0..15 {
            if n == 5 || n == 10 {
                let tail = core::mem::take(&mut register.tail);
                let id = n.to_string();
                register.segments.push(super::super::register::Segment {
                    id: id.clone(),
                    origin: register.origin.clone(),
                    expires: 9,
                });
                if n == 5 || second {
                    segments.insert(id, Arc::new(tail));
                }
                register.origin = register.at.clone();
            }
            register.at = register.at.after(&batch(n));
            register.tail.push(batch(n));
            places.push(register.at.clone());
        }
        (Log { register: Some(Arc::new(register)), stored: (1, String::new()), segments }, places)
    }

    #[test]
    fn a_way_leads_from_every_place_that_was_read_and_one_run_is_hashed_for_it() {
        for second in [true, false] {
            let (log, places) = log(second);
            for (version, place) in (0..).zip(&places) {
                let before = hashed();
                let found = log.since(version);
                assert!(hashed() - before < 5, "{} batches hashed for {version}", hashed() - before);
                if !second && (5..10).contains(&version) {
                    assert_eq!(found, None, "{version}");
                    continue;
                }
                let (at, batches) = found.unwrap();
                assert_eq!(&at, place);
                let listed: Vec<u64> = batches.iter().flat_map(|batch| batch.tokens.clone()).collect();
                let expected: Vec<u64> = (version..15).filter(|n| second || !(5..10).contains(n)).collect();
                assert_eq!(listed, expected, "{version}");
            }
            assert_eq!(log.since(16), None);
            let before = hashed();
            assert!(!log.has_lost(&log.place()));
            assert_eq!(hashed(), before, "its own place costs nothing");
        }
    }
}
