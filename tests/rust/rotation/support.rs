//! A session of alice's at the client app, and how its tests speak of it.

use portcullis::UnixSeconds;
use portcullis::internals::sessions::{
    configuration::SessionRules,
    configuration::{Configuration, Settings},
    cutoff::Cutoff,
    event::EventKind,
    grant::Grant,
    grant_error::GrantError,
    operation::{Operation, Outcome, Reported, StoreEntry},
    refresh_token::{IssuedRefreshToken, RefreshToken},
    root_keys::{RootKey, RootKeys},
    row::Row,
    session::{RefreshRequest, SessionDecision, SessionOutcome, refresh},
    session_id::SessionId,
    start::{Seed, Start, start},
    store::{MemoryStore, Store, StoreError, run},
};

pub(crate) const START: u64 = 1_800_000_000;
/// Wr, D, Wc = Wr + 2·D, R, idle and absolute, in seconds.
pub(crate) const WINDOW: u64 = 60;
pub(crate) const DELAY: u64 = 15;
pub(crate) const INTERVAL: u64 = 90;
pub(crate) const LATE: u32 = 2;
pub(crate) const IDLE: u64 = 1000;
pub(crate) const ABSOLUTE: u64 = 5000;

pub(crate) const NO_CUTOFFS: [Cutoff; 2] = [Cutoff::NONE; 2];

pub(crate) fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(START + seconds).unwrap()
}

pub(crate) fn rules_with(rotate_all: bool) -> SessionRules {
    let settings = Settings {
        replay_window_seconds: WINDOW,
        worst_delay_seconds: DELAY,
        late_replays: LATE,
        idle_seconds: IDLE,
        absolute_seconds: ABSOLUTE,
        rotate_all,
        ..Settings::default()
    };
    let roots = RootKeys::new(RootKey::new([7; 32], UnixSeconds::new(0).unwrap()));
    SessionRules { configuration: Configuration::new(settings).unwrap(), roots }
}

pub(crate) fn rules() -> SessionRules {
    rules_with(false)
}

pub(crate) fn alice() -> Start {
    Start {
        subject: "alice".into(),
        client: "app".into(),
        confidential: false,
        scope: Some("read write".into()),
        jkt: None,
        acr: Some("urn:mfa".into()),
        amr: Vec::new(),
        claims: Default::default(),
        auth_time: None,
    }
}

pub(crate) fn begun(request: &Start, rules: &SessionRules) -> Row {
    start(request, &Seed::new([5; 16], [5; 32]), NO_CUTOFFS, at(0), rules).0
}

/// A session of an unbound public client at that generation, which began at second 0.
pub(crate) fn row(generation: u32) -> Row {
    Row { generation, ..begun(&alice(), &rules()) }
}

/// The token of a generation.
pub(crate) fn token(row: &Row, generation: u32, rules: &SessionRules) -> RefreshToken {
    RefreshToken::parse(&text(row, generation, rules)).unwrap()
}

pub(crate) fn text(row: &Row, generation: u32, rules: &SessionRules) -> String {
    IssuedRefreshToken::mint(row.sid, generation, &row.salt, &rules.roots, at(0)).as_str().to_owned()
}

pub(crate) fn request(token: RefreshToken) -> RefreshRequest {
    RefreshRequest { token, client: "app".into(), jkt: None, scope: None }
}

pub(crate) fn granted(decision: &SessionDecision) -> &Grant {
    match &decision.answer {
        SessionOutcome::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn generation_of(grant: &Grant) -> Option<u32> {
    grant.refresh_token.as_ref().map(|token| RefreshToken::parse(token.as_str()).unwrap().generation())
}

pub(crate) fn refused(decision: &SessionDecision) -> GrantError {
    match &decision.answer {
        SessionOutcome::Refused(refusal) => *refusal,
        other => panic!("{other:?}"),
    }
}

/// Judges the token of `presented` against a row at `seconds`.
pub(crate) fn judged(row: &Row, presented: u32, seconds: u64) -> SessionDecision {
    refresh(Some(row), &request(token(row, presented, &rules())), at(seconds), &rules())
}

pub(crate) fn kind(decision: &SessionDecision) -> Option<EventKind> {
    decision.event.as_ref().map(|event| event.kind)
}

/// A store whose `nth` call fails: before anything is done, or after.
pub(crate) struct Faulty {
    pub(crate) store: MemoryStore,
    pub(crate) calls: u32,
    pub(crate) nth: u32,
    pub(crate) after: bool,
}

impl Faulty {
    fn call<T>(&mut self, call: impl FnOnce(&mut MemoryStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.calls += 1;
        if self.calls != self.nth {
            return call(&mut self.store);
        }
        if self.after {
            let _ = call(&mut self.store);
        }
        Err(StoreError)
    }
}

impl Store for Faulty {
    fn read(&mut self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        self.call(|store| store.read(key))
    }

    fn swap(&mut self, key: &str, expected: u64, value: &str, ends_at: UnixSeconds) -> Result<bool, StoreError> {
        self.call(|store| store.swap(key, expected, value, ends_at))
    }

    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        self.call(|store| store.sweep(now, limit))
    }
}

impl Faulty {
    /// A store that fails only when it is told to.
    pub(crate) fn new() -> Self {
        Faulty { store: MemoryStore::default(), calls: 0, nth: 0, after: false }
    }
}

/// The row that the store keeps of a session.
pub(crate) fn kept(store: &mut impl Store, sid: SessionId) -> Option<Row> {
    store.read(&sid.key()).unwrap().map(|found| Row::from_json(&found.value).unwrap())
}

pub(crate) fn versioned(version: u64, row: &Row) -> StoreEntry {
    StoreEntry { version, value: row.to_json() }
}

pub(crate) fn begin_with(store: &mut impl Store, byte: u8, seconds: u64) -> Outcome {
    let seed = Seed::new([byte; 16], [byte; 32]);
    run(store, Operation::start(alice(), seed).unwrap(), at(seconds), &rules()).0
}

pub(crate) fn refresh_with(store: &mut impl Store, token: RefreshToken, seconds: u64) -> Reported {
    run(store, Operation::refresh(request(token)), at(seconds), &rules())
}

/// The token of a grant that was made.
pub(crate) fn held(outcome: &Outcome) -> RefreshToken {
    match outcome {
        Outcome::Granted(grant) => RefreshToken::parse(grant.refresh_token.as_ref().unwrap().as_str()).unwrap(),
        other => panic!("{other:?}"),
    }
}
