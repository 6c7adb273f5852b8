//! Read, decide, swap: one request against a store that may fail, lag or be raced, without touching the store itself.
//!
//! Whoever holds the connection carries the steps out. No grant leaves before a swap has held: one that changes nothing swaps the row
//! for itself, and so proves that what was read was still true. A revoked session then yields nothing whatever was read, be it stale.

use super::{
    event::Event,
    grant::Grant,
    refusal::Refusal,
    row::Row,
    session::{self, Answer, Decision, RefreshRequest, Rules},
    session_id::SessionId,
};
use crate::time::UnixSeconds;

/// How often a lost race is run again. Whoever wins makes progress, so more than a few mean a flood.
const ATTEMPTS: u32 = 8;

/// A row with the number that a swap must name: 1 when inserted, one more with every swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The number.
    pub version: u64,
    /// The row.
    pub row: Row,
}

/// The store gave no answer, or none that could be read. What it did is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read the session's row.
    Read,
    /// Write the row if its version is still the expected one.
    Swap {
        /// The version that was read.
        expected: u64,
        /// The row.
        row: Row,
    },
    /// Nothing: this is the end.
    Done {
        /// What to answer.
        outcome: Outcome,
        /// What has happened.
        event: Option<Event>,
    },
}

/// What to answer. Everything in it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens.
    Granted(Grant),
    /// The session is revoked, or there is none (RFC 7009 §2.2).
    Revoked,
    /// Nothing.
    Refused(Refusal),
    /// The store failed, or too many raced: 503, and the client may try again. It says nothing about the token.
    Unavailable,
}

#[derive(Clone, Debug)]
enum Task {
    Refresh(RefreshRequest),
    RevokeByToken(RefreshRequest),
    Revoke(SessionId),
}

/// One request under way.
#[derive(Clone, Debug)]
pub struct Operation {
    task: Task,
    lost: u32,
    /// What is true once the swap has held.
    pending: Option<(Outcome, Option<Event>)>,
}

impl Operation {
    /// A refresh request.
    #[must_use]
    pub fn refresh(request: RefreshRequest) -> Self {
        Operation { task: Task::Refresh(request), lost: 0, pending: None }
    }

    /// A revocation by whoever holds a token (RFC 7009). Its scope is not looked at.
    #[must_use]
    pub fn revoke_by_token(request: RefreshRequest) -> Self {
        Operation { task: Task::RevokeByToken(request), lost: 0, pending: None }
    }

    /// A revocation by the application or an administrator.
    #[must_use]
    pub fn revoke(sid: SessionId) -> Self {
        Operation { task: Task::Revoke(sid), lost: 0, pending: None }
    }

    /// The session whose row is to be read first.
    #[must_use]
    pub fn sid(&self) -> SessionId {
        match &self.task {
            Task::Refresh(request) | Task::RevokeByToken(request) => request.token.sid(),
            Task::Revoke(sid) => *sid,
        }
    }

    /// Takes what was read at `now`, by the clock that all processes of this issuer share.
    #[must_use]
    pub fn read(&mut self, found: Result<Option<Versioned>, StoreError>, now: UnixSeconds, rules: &Rules) -> Step {
        let Ok(found) = found else { return unavailable() };
        let (version, row) = found.map(|found| (found.version, found.row)).unzip();
        let Decision { answer, write, event } = self.decide(row.as_ref(), now, rules);
        let (outcome, proof) = match answer {
            Answer::Granted(grant) => (Outcome::Granted(grant), write.or(row)),
            Answer::Revoked => (Outcome::Revoked, write),
            Answer::Refused(refusal) => (Outcome::Refused(refusal), write),
        };
        match version.zip(proof) {
            None => Step::Done { outcome, event },
            Some((expected, row)) => {
                self.pending = Some((outcome, event));
                Step::Swap { expected, row }
            }
        }
    }

    /// Takes what the swap came to: `false` when the version was another, so that nothing was written.
    #[must_use]
    pub fn swapped(&mut self, swapped: Result<bool, StoreError>) -> Step {
        let pending = self.pending.take();
        match (swapped, pending) {
            (Ok(true), Some((outcome, event))) => Step::Done { outcome, event },
            (Ok(false), Some(_)) => {
                self.lost = self.lost.saturating_add(1);
                if self.lost < ATTEMPTS { Step::Read } else { unavailable() }
            }
            // An error may come after the commit. The client asks again and finds what is true.
            _ => unavailable(),
        }
    }

    fn decide(&self, row: Option<&Row>, now: UnixSeconds, rules: &Rules) -> Decision {
        match &self.task {
            Task::Refresh(request) => session::refresh(row, request, now, rules),
            Task::RevokeByToken(request) => session::revoke_by_token(row, request, now, rules),
            Task::Revoke(_) => session::revoke(row, now),
        }
    }
}

fn unavailable() -> Step {
    Step::Done { outcome: Outcome::Unavailable, event: None }
}
