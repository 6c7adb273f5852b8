//! The real issuer behind the model: rows, tokens and operations as the library has them, none of
//! them rewritten here.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use portcullis::UnixSeconds;
use portcullis::internals::sessions::{
    configuration::SessionRules,
    configuration::{Configuration, Settings},
    cutoff::{Cutoff, Party},
    operation::{Operation, StoreEntry, StoreResult, StoreStep},
    refresh_token::{IssuedRefreshToken, RefreshToken},
    root_keys::{RootKey, RootKeys},
    row::{Row, Salt, Status},
    session::RefreshRequest,
    start::{Seed, Start, start},
};

use crate::world::{Contents, Flight, Kept, Seconds, Seen, Session, What, Who};

/// Instants of the model count from here.
const EPOCH: u64 = 1_800_000_000;
/// The model begins here, so that its clock can be put back.
pub(crate) const BEGIN: Seconds = 10_000;
const GENERATIONS: u32 = 16;
/// The thumbprint of the key that a bound session is bound to.
const KEY: &str = "J";
pub(crate) const SCOPE: &str = "read write";

/// What kind of session is modelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of an unbound public client: it rotates.
    Public,
    /// Of a client that authenticates itself: one token lasts.
    Confidential,
    /// Bound to a key that the thief has not, and rotating all the same.
    Bound,
}

pub(crate) struct Issuer {
    pub(crate) kind: Kind,
    pub(crate) rules: SessionRules,
    pub(crate) settings: Settings,
    pub(crate) first: Row,
    tokens: Vec<(RefreshToken, String)>,
    forged: Vec<RefreshToken>,
    /// An operation is a function of its request and what it has seen, so each is carried out once.
    known: RwLock<HashMap<Path, Arc<Next>>>,
}

type Path = (Who, What, Vec<(Seen, Seconds)>);

/// An operation's next step, and the row that it would write.
pub(crate) struct Next {
    pub(crate) step: StoreStep,
    pub(crate) written: Option<Session>,
}

pub(crate) fn instant(seconds: Seconds) -> UnixSeconds {
    UnixSeconds::new(EPOCH + u64::from(seconds)).unwrap()
}

pub(crate) fn seconds(instant: UnixSeconds) -> Seconds {
    Seconds::try_from(instant.get() - EPOCH).unwrap()
}

impl Issuer {
    pub(crate) fn new(settings: Settings, kind: Kind) -> Self {
        let settings = Settings { rotate_all: kind == Kind::Bound, ..settings };
        let roots = RootKeys::new(RootKey::new([7; 32], UnixSeconds::new(0).unwrap()));
        let rules = SessionRules { configuration: Configuration::new(settings).unwrap(), roots };
        let alice = Start {
            subject: "alice".into(),
            client: "app".into(),
            confidential: kind == Kind::Confidential,
            scope: Some(SCOPE.into()),
            jkt: (kind == Kind::Bound).then(|| KEY.to_owned()),
            acr: None,
            amr: Vec::new(),
            claims: Default::default(),
            auth_time: None,
        };
        let first = start(&alice, &Seed::new([1; 16], [2; 32]), [Cutoff::NONE; 2], instant(BEGIN), &rules).0;
        let text = |generation, salt: &Salt| {
            IssuedRefreshToken::mint(first.sid, generation, salt, &rules.roots, instant(BEGIN)).as_str().to_owned()
        };
        let parse = |text: &str| RefreshToken::parse(text).unwrap();
        let tokens = (0..GENERATIONS).map(|generation| text(generation, &first.salt));
        let tokens = tokens.map(|text| (parse(&text), text)).collect();
        let forged = (0..GENERATIONS).map(|generation| parse(&text(generation, &Salt::from_bytes([9; 32])))).collect();
        Issuer { kind, rules, settings, tokens, forged, first, known: RwLock::default() }
    }

    /// The text of the one token of a generation.
    pub(crate) fn token(&self, generation: u8) -> &str {
        &self.tokens[usize::from(generation)].1
    }

    pub(crate) fn contents(&self) -> Contents {
        Contents { session: Some(Kept { version: 1, value: self.session(&self.first.to_json()) }), cutoff: None }
    }

    fn row(&self, session: &Session) -> Row {
        Row {
            generation: u32::from(session.generation),
            rotated_at: instant(session.rotated_at),
            mark: session.mark,
            streak: u32::from(session.streak),
            status: if session.revoked { Status::Revoked } else { Status::Active },
            ends_at: instant(session.ends_at),
            ..self.first.clone()
        }
    }

    /// What an operation writes, as the model keeps it.
    fn session(&self, value: &str) -> Session {
        let row = Row::from_json(value).unwrap();
        let session = Session {
            generation: row.generation.try_into().unwrap(),
            rotated_at: seconds(row.rotated_at),
            mark: row.mark,
            streak: row.streak.try_into().unwrap(),
            revoked: row.status == Status::Revoked,
            ends_at: seconds(row.ends_at),
        };
        // P7 in part: nothing else of a row is ever written.
        assert_eq!(self.row(&session), row);
        session
    }

    pub(crate) fn cutoff(value: &str) -> Seconds {
        seconds(Cutoff::from_json(value).unwrap().instant())
    }

    fn operation(&self, who: Who, what: What) -> Operation {
        let jkt = (self.kind == Kind::Bound && who != Who::Thief).then(|| KEY.to_owned());
        let request = |token, scope: Option<&str>| RefreshRequest {
            token,
            client: "app".into(),
            jkt: jkt.clone(),
            scope: scope.map(str::to_owned),
        };
        let token = |generation| self.tokens[usize::from(generation)].0;
        match what {
            What::Refresh(generation) => Operation::refresh(request(token(generation), None)),
            What::RefreshWider(generation) => Operation::refresh(request(token(generation), Some("read admin"))),
            What::RefreshForged(generation) => Operation::refresh(request(self.forged[usize::from(generation)], None)),
            What::SignOut(generation) => Operation::revoke_by_token(request(token(generation), None)),
            What::Revoke => Operation::revoke(self.first.sid),
            What::CutOff => Operation::cut_off(Party::Subject("alice".into())),
        }
    }

    fn result(&self, seen: &Seen) -> StoreResult {
        let versioned = |version: u8, value| StoreEntry { version: u64::from(version), value };
        let row = |kept: &Kept<Session>| versioned(kept.version, self.row(&kept.value).to_json());
        let cutoff = |kept: &Kept<Seconds>| {
            let instant = instant(kept.value).get() - 1;
            let cutoff = Cutoff::NONE.next(UnixSeconds::new(instant).unwrap()).unwrap();
            versioned(kept.version, cutoff.to_json())
        };
        match seen {
            Seen::Session(found) => StoreResult::Read(found.as_ref().map(row)),
            Seen::Cutoff(found) => StoreResult::Read(found.as_ref().map(cutoff)),
            Seen::Cutoffs(found) => StoreResult::Cutoffs([found.as_ref().map(cutoff), None]),
            Seen::Swapped(swapped) => StoreResult::Swapped(*swapped),
            Seen::Unavailable => StoreResult::Unavailable,
        }
    }

    /// The step that a flight is at.
    pub(crate) fn next(&self, flight: &Flight) -> Arc<Next> {
        let path = (flight.who, flight.what, flight.seen.clone());
        if let Some(next) = self.known.read().unwrap().get(&path) {
            return Arc::clone(next);
        }
        let step = self.step(flight);
        let written = match &step {
            StoreStep::Swap { key, value, .. } if key.starts_with("s/") => Some(self.session(value)),
            _ => None,
        };
        let next = Arc::new(Next { step, written });
        self.known.write().unwrap().insert(path, Arc::clone(&next));
        next
    }

    fn step(&self, flight: &Flight) -> StoreStep {
        let mut operation = self.operation(flight.who, flight.what);
        let mut step = operation.begin();
        for (seen, at) in &flight.seen {
            step = operation.resume(self.result(seen), instant(*at), &self.rules);
        }
        step
    }
}
