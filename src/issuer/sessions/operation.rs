//! Read, decide, swap, look at the cutoffs: one request against a store that may fail, lag or be raced, without touching the store itself.
//!
//! Whoever holds the connection carries the steps out and resumes with what they came to. No grant leaves before a swap has held: one that
//! changes nothing swaps the row for itself, and so proves that what was read was still true. A revoked session then yields nothing
//! whatever was read, be it stale. After the swap the cutoffs of subject and client are read, since what ended all their sessions at once
//! did not touch the row; this read must not be stale.

use serde::Deserialize;

use super::{
    configuration::SessionRules,
    cutoff::{Cutoff, Party, Standing},
    event::{Event, EventKind},
    grant::Grant,
    grant_error::GrantError,
    row::{Row, Status},
    session::{self, Inspected, RefreshRequest, SessionDecision, SessionOutcome},
    session_id::SessionId,
    start::{self, Seed, Start},
};
use crate::{
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// How often a lost race is run again. Whoever wins makes progress, so more than a few mean a flood.
const ATTEMPTS: u32 = 8;

/// What a store keeps under a key, with the number that a swap must name: 1 when inserted, one more with every swap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct StoreEntry {
    /// The number.
    pub version: u64,
    /// The text.
    pub value: String,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreStep {
    /// Read what is under that key.
    Read {
        /// The key.
        key: String,
    },
    /// Read what is under those keys, the cutoff of the subject and that of the client, where swaps go: not from a copy that may lag.
    ReadCutoffs {
        /// The keys.
        keys: [String; 2],
    },
    /// Write the value if the version under that key is still the expected one.
    Swap {
        /// The key.
        key: String,
        /// The version that was read; 0 for a key that must not be there.
        expected: u64,
        /// What to write.
        value: String,
        /// From when on it may be swept.
        ends_at: UnixSeconds,
    },
    /// Nothing: this is the end.
    Done {
        /// What to answer.
        outcome: Outcome,
        /// What has happened, in that order.
        events: Vec<Event>,
    },
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StoreResult {
    /// What was under the key.
    Read(Option<StoreEntry>),
    /// What was under each of the keys.
    Cutoffs([Option<StoreEntry>; 2]),
    /// `false` when the version was another, so that nothing was written.
    Swapped(bool),
    /// The store gave no answer. What it did is not known.
    Unavailable,
}

/// What to answer. Everything in it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens.
    Granted(Box<Grant>),
    /// The session can be used; this is its row.
    Live(Box<Row>),
    /// The session is revoked, or there is none (RFC 7009 §2.2).
    Revoked,
    /// All sessions of the party that began before are over; its tokens are, where the revocation feed says so.
    CutOff(Cutoff),
    /// Nothing.
    Refused(GrantError),
    /// The store failed, or too many raced: 503, and the client may try again. It says nothing about the token.
    Unavailable,
}

#[derive(Clone, Debug)]
enum Task {
    Start(Start, Seed),
    Refresh(RefreshRequest),
    RevokeByToken(RefreshRequest),
    Revoke(SessionId),
    Inspect(Inspected),
    CutOff(Party),
}

/// What was asked of the store last.
#[derive(Clone, Debug)]
enum Asked {
    /// Nothing yet.
    Nothing,
    /// The row, or the cutoff that is to be moved.
    Value,
    /// The cutoffs that a session is to begin under.
    CutoffsBefore,
    /// To commit; with what is then true.
    Commit(Reported, Option<Session>),
    /// The cutoffs since; with what is true if there are none, and the session in question.
    CutoffsSince(Reported, Session),
    /// To revoke the session that a cutoff has ended.
    End(Vec<Event>, Row),
}

/// An outcome and the events to report with it.
pub type Reported = (Outcome, Vec<Event>);

/// A row under the version at which it is in the store.
type Session = (u64, Row);

/// One request under way.
#[derive(Clone, Debug)]
pub struct Operation {
    task: Task,
    asked: Asked,
    lost: u32,
    /// How long sessions may last that a cutoff ends.
    sessions: u64,
    /// How long the last attempt to move a cutoff took, in seconds, and when this one began.
    took: u64,
    began: u64,
}

impl Operation {
    /// The start of a session.
    ///
    /// # Errors
    /// An empty subject or client, or a malformed scope.
    pub fn start(request: Start, seed: Seed) -> Result<Self, PolicyError> {
        request.check()?;
        Ok(Self::new(Task::Start(request, seed)))
    }

    /// A refresh request.
    #[must_use]
    pub fn refresh(request: RefreshRequest) -> Self {
        Self::new(Task::Refresh(request))
    }

    /// A revocation by whoever holds a token (RFC 7009). Its scope is not looked at.
    #[must_use]
    pub fn revoke_by_token(request: RefreshRequest) -> Self {
        Self::new(Task::RevokeByToken(request))
    }

    /// A revocation by the application or an administrator.
    #[must_use]
    pub fn revoke(sid: SessionId) -> Self {
        Self::new(Task::Revoke(sid))
    }

    /// A look at a session, as introspection takes (RFC 7662). It writes nothing.
    #[must_use]
    pub fn inspect(inspected: Inspected) -> Self {
        Self::new(Task::Inspect(inspected))
    }

    /// The end of all sessions of a subject or a client that have begun.
    #[must_use]
    pub fn cut_off(party: Party) -> Self {
        Self::new(Task::CutOff(party))
    }

    /// The same, of sessions that last so many seconds by any configuration of this issuer: a cutoff is kept for longer.
    #[must_use]
    pub fn of_sessions_that_last(self, seconds: u64) -> Self {
        Operation { sessions: seconds, ..self }
    }

    fn new(task: Task) -> Self {
        Operation { task, asked: Asked::Nothing, lost: 0, sessions: 0, took: 0, began: 0 }
    }

    /// The first step.
    #[must_use]
    pub fn begin(&mut self) -> StoreStep {
        let (asked, step) = match &self.task {
            Task::Start(start, _) => (Asked::CutoffsBefore, read_cutoffs(&start.subject, &start.client)),
            Task::Refresh(request) | Task::RevokeByToken(request) => (Asked::Value, read(request.token.sid())),
            Task::Revoke(sid) => (Asked::Value, read(*sid)),
            Task::Inspect(inspected) => (Asked::Value, read(inspected.sid())),
            Task::CutOff(party) => (Asked::Value, StoreStep::Read { key: party.key() }),
        };
        self.asked = asked;
        step
    }

    /// The next step, after what the last one came to at `now`, by the clock that all processes of this issuer share.
    #[must_use]
    pub fn resume(&mut self, result: StoreResult, now: UnixSeconds, rules: &SessionRules) -> StoreStep {
        match (core::mem::replace(&mut self.asked, Asked::Nothing), result) {
            (Asked::Value, StoreResult::Read(found)) => self.decide(found, now, rules),
            (Asked::CutoffsBefore, StoreResult::Cutoffs(found)) => self.start_under(&found, now, rules),
            (Asked::Commit(reported, Some(session)), StoreResult::Swapped(true)) => self.look_since(reported, session),
            // It was reached before it was committed: what was issued meanwhile would pass for issued after it. The next is aimed at when
            // an attempt that takes as long has ended, so that a slow store delays it and does not refuse it.
            (Asked::Commit((Outcome::CutOff(cutoff), _), _), StoreResult::Swapped(true)) if cutoff.instant() <= now => {
                self.took = now.get().saturating_sub(self.began).min(Leeway::CAP);
                self.begin()
            }
            (Asked::Commit((outcome, events), None), StoreResult::Swapped(true)) => StoreStep::Done { outcome, events },
            (Asked::Commit(..), StoreResult::Swapped(false)) => self.again(),
            (Asked::CutoffsSince(reported, session), StoreResult::Cutoffs(found)) => {
                self.conclude(reported, session, &found, now)
            }
            // The cutoff refuses by itself; were the row not revoked, the next use would be refused in the same way.
            (Asked::End(mut events, row), result) => {
                if result == StoreResult::Swapped(true) {
                    events.push(Event::of(EventKind::Revoked, &row, None, now));
                }
                StoreStep::Done { outcome: Outcome::Refused(GrantError::SessionRevoked), events }
            }
            // An error may come after the commit. The client asks again and finds what is true.
            _ => unavailable(),
        }
    }

    /// What was read is unreadable: that is an error of storage, not a session that is missing.
    fn decide(&mut self, found: Option<StoreEntry>, now: UnixSeconds, rules: &SessionRules) -> StoreStep {
        let (version, value) = found.map(|found| (found.version, found.value)).unzip();
        if let Task::CutOff(party) = &self.task {
            let ends = UnixSeconds::new(now.get().saturating_add(self.took)).unwrap_or(UnixSeconds::MAX);
            let sessions = self.sessions.max(rules.configuration.absolute);
            let step = move_cutoff(party, version.unwrap_or(0), value.as_deref(), [now, ends], sessions);
            self.began = now.get();
            let Some((reported, step)) = step else { return unavailable() };
            self.asked = Asked::Commit(reported, None);
            return step;
        }
        let Ok(row) = value.as_deref().map(Row::from_json).transpose() else { return unavailable() };
        let SessionDecision { answer, write, event } = match &self.task {
            Task::Refresh(request) => session::refresh(row.as_ref(), request, now, rules),
            Task::RevokeByToken(request) => session::revoke_by_token(row.as_ref(), request, now, rules),
            // A copy that lags knows nothing of a session that has begun: only a swap shows that there is none. It is kept for as long as its
            // entry in the log, so that names which nobody was ever given cost no more.
            Task::Revoke(sid) if row.is_none() => {
                let ends = now.get().saturating_add(rules.configuration.access_token).saturating_add(Leeway::CAP);
                let (key, value) = (sid.key(), Row::ended(*sid, now).to_json());
                self.asked = Asked::Commit((Outcome::Revoked, Vec::new()), None);
                let ends_at = UnixSeconds::new(ends).unwrap_or(UnixSeconds::MAX);
                return StoreStep::Swap { key, expected: 0, value, ends_at };
            }
            Task::Revoke(_) => session::revoke(row.as_ref(), now),
            Task::Inspect(inspected) => session::inspect(row.as_ref(), inspected, now, rules),
            Task::Start(..) | Task::CutOff(_) => return unavailable(),
        };
        let events = Vec::from_iter(event);
        let (outcome, proof) = match answer {
            // A grant is proven by a swap, whether it changes the row or not.
            SessionOutcome::Granted(grant) => (Outcome::Granted(grant), write.or(row)),
            SessionOutcome::Live => match version.zip(row) {
                Some((version, row)) => {
                    return self.look_since((Outcome::Live(Box::new(row.clone())), events), (version, row));
                }
                None => return unavailable(),
            },
            SessionOutcome::Revoked => (Outcome::Revoked, write),
            SessionOutcome::Refused(refusal) => (Outcome::Refused(refusal), write),
        };
        match proof {
            None => StoreStep::Done { outcome, events },
            Some(row) => self.commit((outcome, events), version.unwrap_or(0), row),
        }
    }

    fn start_under(&mut self, found: &[Option<StoreEntry>; 2], now: UnixSeconds, rules: &SessionRules) -> StoreStep {
        let (Task::Start(request, seed), Some(cutoffs)) = (&self.task, cutoffs(found)) else { return unavailable() };
        let (row, grant) = start::start(request, seed, cutoffs, now, rules);
        self.commit((Outcome::Granted(Box::new(grant)), Vec::new()), 0, row)
    }

    fn commit(&mut self, reported: Reported, expected: u64, row: Row) -> StoreStep {
        let step = swap(expected, &row);
        let session = match (&reported.0, expected.checked_add(1)) {
            (Outcome::Granted(_), Some(version)) => Some((version, row)),
            (Outcome::Granted(_), None) => return unavailable(),
            _ => None,
        };
        self.asked = Asked::Commit(reported, session);
        step
    }

    fn look_since(&mut self, reported: Reported, session: Session) -> StoreStep {
        let step = read_cutoffs(&session.1.subject, &session.1.client);
        self.asked = Asked::CutoffsSince(reported, session);
        step
    }

    fn conclude(
        &mut self,
        (outcome, mut events): Reported,
        (version, row): Session,
        found: &[Option<StoreEntry>; 2],
        now: UnixSeconds,
    ) -> StoreStep {
        let Some(found) = cutoffs(found) else { return unavailable() };
        let standings = [row.subject_cutoff, row.client_cutoff]
            .into_iter()
            .zip(found)
            .map(|(seen, found)| seen.standing(found, now));
        match standings.max() {
            Some(Standing::Revoked) if matches!(outcome, Outcome::Granted(_)) => {
                // So that the session stays revoked when the cutoff has been swept.
                let revoked = Row { status: Status::Revoked, ..row };
                let step = swap(version, &revoked);
                self.asked = Asked::End(events, revoked);
                step
            }
            Some(Standing::Revoked) => {
                StoreStep::Done { outcome: Outcome::Refused(GrantError::SessionRevoked), events }
            }
            Some(Standing::Behind) => {
                events.push(Event::of(EventKind::StoreBehind, &row, None, now));
                StoreStep::Done { outcome: Outcome::Refused(GrantError::StoreBehind), events }
            }
            _ => StoreStep::Done { outcome, events },
        }
    }

    /// After a race that was lost. Contention delays a revocation and never refuses it: each such race is a step of somebody else's.
    fn again(&mut self) -> StoreStep {
        match self.task {
            Task::Revoke(_) | Task::RevokeByToken(_) | Task::CutOff(_) => self.begin(),
            // The identifier of a new session is taken: randomness has failed, and nobody's session is written over.
            Task::Start(..) => unavailable(),
            Task::Refresh(_) | Task::Inspect(_) => self.overtaken(),
        }
    }

    /// Once more, and only so often.
    fn overtaken(&mut self) -> StoreStep {
        self.lost = self.lost.saturating_add(1);
        if self.lost >= ATTEMPTS { unavailable() } else { self.begin() }
    }
}

fn read(sid: SessionId) -> StoreStep {
    StoreStep::Read { key: sid.key() }
}

fn read_cutoffs(subject: &str, client: &str) -> StoreStep {
    let keys = [Party::Subject(subject.to_owned()), Party::Client(client.to_owned())].map(|party| party.key());
    StoreStep::ReadCutoffs { keys }
}

/// The row is kept for as long as an access token of its session may live: until then it can be revoked at the edges.
fn swap(expected: u64, row: &Row) -> StoreStep {
    StoreStep::Swap { key: row.sid.key(), expected, value: row.to_json(), ends_at: row.kept_until() }
}

/// The cutoff to be written now by a swap that ends then. `None` for one that cannot be read, or that no later one can follow.
fn move_cutoff(
    party: &Party,
    expected: u64,
    value: Option<&str>,
    [now, ends]: [UnixSeconds; 2],
    sessions: u64,
) -> Option<(Reported, StoreStep)> {
    let next = Cutoff::stored(value).ok()?.next(ends)?;
    let step = StoreStep::Swap { key: party.key(), expected, value: next.to_json(), ends_at: next.ends_at(sessions) };
    Some(((Outcome::CutOff(next), vec![Event::cut_off(party, now)]), step))
}

/// `None` when one cannot be read.
fn cutoffs(found: &[Option<StoreEntry>; 2]) -> Option<[Cutoff; 2]> {
    let read = |found: &Option<StoreEntry>| Cutoff::stored(found.as_ref().map(|found| found.value.as_str())).ok();
    let [subject, client] = found;
    Some([read(subject)?, read(client)?])
}

fn unavailable() -> StoreStep {
    StoreStep::Done { outcome: Outcome::Unavailable, events: Vec::new() }
}
