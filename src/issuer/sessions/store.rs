//! What a store must offer, and the loop over it for one that answers at once.

use std::collections::BTreeMap;

use super::{
    configuration::SessionRules,
    operation::{Operation, Reported, StoreEntry, StoreResult, StoreStep},
};
use crate::time::UnixSeconds;

/// The store gave no answer. What it did is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError;

/// A place for texts under keys, shared by all processes of an issuer.
///
/// Compare-and-swap must be one step of the engine itself. A store without it cannot be made safe
/// from outside, which is why an eventually consistent one does not fit this trait. A stale row
/// gains nobody anything, since nothing is granted before a swap; but a stale cutoff, and the
/// absence of a row that has just begun, are believed: reads must go where the swaps go. When the
/// store fails over to a copy that lacks writes, it must fail what is under way: versions are
/// counted on from the copy and would otherwise be met twice.
pub trait Store {
    /// What is under that key, with its version.
    ///
    /// # Errors
    /// No answer. It is not a missing key.
    fn read(&mut self, key: &str) -> Result<Option<StoreEntry>, StoreError>;

    /// In one step: if the version under that key is `expected`, writes the value with the next
    /// version and says `true`. A key that is not there has version 0. From `ends_at` on the value
    /// may be swept.
    ///
    /// # Errors
    /// No answer; what was done is then not known.
    fn swap(&mut self, key: &str, expected: u64, value: &str, ends_at: UnixSeconds) -> Result<bool, StoreError>;

    /// Removes at most `limit` values that end at `now` or earlier, and says how many.
    ///
    /// # Errors
    /// No answer.
    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError>;
}

/// Carries out an operation. It ends: an operation loses only so many races.
pub fn run(store: &mut impl Store, mut operation: Operation, now: UnixSeconds, rules: &SessionRules) -> Reported {
    let mut step = operation.begin();
    loop {
        let result = match step {
            StoreStep::Read { key } => store.read(&key).map(StoreResult::Read),
            StoreStep::ReadCutoffs { keys: [subject, client] } => {
                store.read(&subject).and_then(|subject| Ok(StoreResult::Cutoffs([subject, store.read(&client)?])))
            }
            StoreStep::Swap { key, expected, value, ends_at } => {
                store.swap(&key, expected, &value, ends_at).map(StoreResult::Swapped)
            }
            StoreStep::Done { outcome, events } => return (outcome, events),
        };
        step = operation.resume(result.unwrap_or(StoreResult::Unavailable), now, rules);
    }
}

/// Values in memory: for tests, and for one process whose sessions may end with it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    values: BTreeMap<String, (StoreEntry, UnixSeconds)>,
}

impl Store for MemoryStore {
    fn read(&mut self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        Ok(self.values.get(key).map(|(found, _)| found.clone()))
    }

    fn swap(&mut self, key: &str, expected: u64, value: &str, ends_at: UnixSeconds) -> Result<bool, StoreError> {
        if self.values.get(key).map_or(0, |(found, _)| found.version) != expected {
            return Ok(false);
        }
        let version = expected.checked_add(1).ok_or(StoreError)?;
        self.values.insert(key.to_owned(), (StoreEntry { version, value: value.to_owned() }, ends_at));
        Ok(true)
    }

    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        let ended = self.values.iter().filter(|(_, (_, ends_at))| *ends_at <= now).take(limit);
        let ended: Vec<String> = ended.map(|(key, _)| key.clone()).collect();
        for key in &ended {
            self.values.remove(key);
        }
        Ok(ended.len())
    }
}
