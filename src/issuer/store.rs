//! What a store must offer, and the loops over it for stores that answer at once.

use std::collections::BTreeMap;

use super::{
    event::Event,
    grant::Grant,
    operation::{Operation, Outcome, Step, StoreError, Versioned},
    row::Row,
    session::{RefreshRequest, Rules},
    session_id::SessionId,
    start::{self, Seed, Start},
};
use crate::{policy_error::PolicyError, time::UnixSeconds};

/// A place for the rows of sessions, shared by all processes of an issuer.
///
/// Compare-and-swap must be one step of the engine itself. A store without it cannot be made safe from outside, which is why an eventually
/// consistent one does not fit this trait. What it reads may be stale, since nothing is granted before a swap; refusals are then early, so
/// reads should go where the swaps go. When it fails over to a copy that lacks writes, it must fail what is under way: versions are counted
/// on from the copy and would otherwise be met twice.
pub trait Store {
    /// The row of that session, with its version.
    ///
    /// # Errors
    /// No answer. A row that cannot be read is none either: it is not a missing row.
    fn read(&mut self, sid: SessionId) -> Result<Option<Versioned>, StoreError>;

    /// In one step: if the version of that session is `expected`, writes the row with the next version and says `true`. A session that is
    /// not there has version 0, and only a row that is to begin may name it.
    ///
    /// # Errors
    /// No answer; what was done is then not known.
    fn swap(&mut self, expected: u64, row: &Row) -> Result<bool, StoreError>;

    /// Removes at most `limit` rows that end at `now` or earlier, and says how many.
    ///
    /// # Errors
    /// No answer.
    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError>;
}

/// An outcome and the event to report with it.
pub type Reported = (Outcome, Option<Event>);

/// Why no session was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The request is wrong.
    Invalid(PolicyError),
    /// The store failed, or the seed's identifier is taken: randomness has failed, and nobody's session is written over.
    Unavailable,
}

/// Starts a session; its grant is there once its row is.
///
/// # Errors
/// As [`StartError`] says.
pub fn start_with(
    store: &mut impl Store,
    request: &Start,
    seed: &Seed,
    now: UnixSeconds,
    rules: &Rules,
) -> Result<Grant, StartError> {
    let (row, grant) = start::start(request, seed, now, rules).map_err(StartError::Invalid)?;
    match store.swap(0, &row) {
        Ok(true) => Ok(grant),
        Ok(false) | Err(StoreError) => Err(StartError::Unavailable),
    }
}

/// Refreshes a session.
pub fn refresh_with(store: &mut impl Store, request: RefreshRequest, now: UnixSeconds, rules: &Rules) -> Reported {
    run(store, Operation::refresh(request), now, rules)
}

/// Revokes a session.
pub fn revoke_with(store: &mut impl Store, sid: SessionId, now: UnixSeconds, rules: &Rules) -> Reported {
    run(store, Operation::revoke(sid), now, rules)
}

/// Carries out an operation. It ends: an operation loses only so many races.
pub fn run(store: &mut impl Store, mut operation: Operation, now: UnixSeconds, rules: &Rules) -> Reported {
    let mut step = Step::Read;
    loop {
        step = match step {
            Step::Read => {
                let found = store.read(operation.sid());
                operation.read(found, now, rules)
            }
            Step::Swap { expected, row } => operation.swapped(store.swap(expected, &row)),
            Step::Done { outcome, event } => return (outcome, event),
        }
    }
}

/// Rows in memory: for tests, and for one process whose sessions may end with it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: BTreeMap<SessionId, Versioned>,
}

impl Store for MemoryStore {
    fn read(&mut self, sid: SessionId) -> Result<Option<Versioned>, StoreError> {
        Ok(self.rows.get(&sid).cloned())
    }

    fn swap(&mut self, expected: u64, row: &Row) -> Result<bool, StoreError> {
        let version = self.rows.get(&row.sid).map_or(0, |found| found.version);
        if version != expected {
            return Ok(false);
        }
        let version = version.checked_add(1).ok_or(StoreError)?;
        self.rows.insert(row.sid, Versioned { version, row: row.clone() });
        Ok(true)
    }

    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        let ended = self.rows.values().filter(|found| found.row.ends_at <= now).take(limit);
        let ended: Vec<SessionId> = ended.map(|found| found.row.sid).collect();
        for sid in &ended {
            self.rows.remove(sid);
        }
        Ok(ended.len())
    }
}
