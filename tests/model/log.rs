//! The log of revocations, model-checked through the issuer's own exchanges: ends of sessions,
//! pulls and two sweepers in every order, over a store that fails before or after its work,
//! answers late or from a copy that lags, and is restored; processes that die at any step, and one
//! whose clock is a day ahead. A pull that reads from a copy that lags may tell too little: reads
//! go where the swaps go. What it tells takes nothing back.
//!
//! Every request runs in a process of its own that has read nothing before. What it does next is a
//! function of what it has seen, and is made again from that.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use portcullis::internals::feed::{Feed, Known, Log, REGISTER, Revoked};
use portcullis::issuer::{Issuer, IssuerStep, SigningKey, StepResult, StoreEntry};
use portcullis::{Alg, UnixSeconds, Verifier};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const SESSIONS: u8 = 2;
pub(crate) const LIFETIME: u64 = 300;
pub(crate) const FULL: u32 = 1532;

/// A text of the store or the wire: equal texts have equal numbers.
pub(crate) type Text = usize;
pub(crate) type Contents = BTreeMap<String, (u64, Text)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum What {
    End(u8),
    /// By a process whose clock is a day ahead.
    Ahead(u8),
    Tend,
    /// With the cursor of an edge, or for the whole.
    Pull(Option<Text>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Seen {
    Found(Option<(u64, Text)>),
    Many(Vec<Option<(u64, Text)>>),
    Held(bool),
    Unavailable,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flight {
    pub(crate) what: What,
    pub(crate) seen: Vec<Seen>,
    /// The sessions whose end was answered before it began.
    pub(crate) answered: BTreeSet<u8>,
    /// It has read from a copy that lags, and tells what was true once.
    pub(crate) stale: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) ends: u8,
    pub(crate) ahead: u8,
    pub(crate) tends: u8,
    pub(crate) pulls: u8,
    pub(crate) errors: u8,
    pub(crate) deaths: u8,
    pub(crate) stale: u8,
    pub(crate) restores: u8,
    /// One request at a time.
    pub(crate) alone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) store: Contents,
    /// What the store was: what a copy that lags still answers, and what is restored.
    pub(crate) former: Option<Contents>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) answered: BTreeSet<u8>,
    /// Ended without an answer while nothing was wrong with their store but once.
    pub(crate) left_undone: BTreeSet<u8>,
    /// The documents that the edge has taken.
    pub(crate) edge: Vec<Text>,
    /// The edge was told to pull the whole.
    pub(crate) gone: bool,
    pub(crate) left: Budget,
    pub(crate) broken: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Send(What),
    Step(usize),
    Stale(usize),
    Fail { flight: usize, after: bool },
    Die(usize),
    BackUp,
    Restore,
}

pub(crate) const RULES: [&str; 5] = [
    "(a) what was answered is in the log, and its session is dead",
    "(a) what was left undone is found by who tends",
    "(d) no older state over a newer one",
    "(e) an edge never goes back, and hears of what was answered",
    "(e) an edge that is sent for the whole takes it",
];

#[derive(Default)]
struct Texts {
    all: Vec<Arc<str>>,
    known: HashMap<Arc<str>, Text>,
}

pub(crate) struct LogModel {
    pub(crate) name: &'static str,
    pub(crate) config: String,
    pub(crate) secrets: String,
    pub(crate) feed: Feed,
    pub(crate) policy: String,
    pub(crate) sids: Vec<String>,
    pub(crate) access: Vec<String>,
    pub(crate) start: Contents,
    pub(crate) budget: Budget,
    texts: Mutex<Texts>,
    next: Mutex<HashMap<(What, Vec<Seen>), IssuerStep>>,
}

pub(crate) fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

impl LogModel {
    /// With `FULL` revocations in the tail before, the next append writes a segment.
    pub(crate) fn new(name: &'static str, budget: Budget, revoked: u32) -> Self {
        let keys = [1, 2].map(|_| SigningKey::generate(Alg::EdDsa).unwrap());
        let jwk = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let config = json!({
            "issuer": ISSUER, "audience": "api", "feedAccess": "public",
            "clients": [{ "clientId": "app", "authentication": "none", "grants": ["refresh_token"] }],
        });
        let secrets = json!({
            "signingKeys": [{ "jwk": jwk(keys[0].private_jwk()) }], "feedKey": jwk(keys[1].private_jwk()),
            "rootKeys": [{ "secret": { "base64url": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } }],
        });
        let policy = json!({
            "issuers": [{ "issuer": ISSUER, "audience": "api", "jwks": { "keys": [jwk(keys[0].public_jwk())] } }],
            "revocation": { "jwks": { "keys": [jwk(keys[1].public_jwk())] }, "maxStalenessSeconds": 60 },
        });
        let [token_key, feed_key] = keys;
        let feed = Feed::new(feed_key, ISSUER, LIFETIME, &[token_key.kid()]).unwrap();
        let mut model = LogModel {
            name,
            config: config.to_string(),
            secrets: secrets.to_string(),
            feed,
            policy: policy.to_string(),
            sids: Vec::new(),
            access: Vec::new(),
            start: Contents::new(),
            budget,
            texts: Mutex::default(),
            next: Mutex::default(),
        };
        let mut store = Contents::new();
        for n in 0..SESSIONS {
            let command = json!({ "command": "startSession", "subject": format!("u{n}"), "clientId": "app" });
            let started: Value = serde_json::from_str(&model.run(&mut store, &command)).unwrap();
            model.sids.push(started["sid"].as_str().unwrap().to_owned());
            model.access.push(started["access_token"].as_str().unwrap().to_owned());
        }
        model.run(&mut store, &json!({ "command": "revoke", "client_id": "another" }));
        let names: Vec<String> = (0..revoked).map(|n| n.to_string()).collect();
        for part in names.chunks(1000) {
            let log = model.log(&store);
            let revoked: Vec<_> = part.iter().map(|name| Revoked::SubjectBefore(name, at(NOW))).collect();
            let write = model.feed.append(&log, &Known::default(), &revoked, [7; 16], at(NOW)).unwrap();
            assert_eq!(write.segment, None, "only what is explored writes segments");
            let write = write.register;
            store.insert(write.key, (write.expected + 1, model.text(&write.value)));
        }
        model.start = store;
        model
    }

    pub(crate) fn text(&self, text: &str) -> Text {
        let mut texts = self.texts.lock().unwrap();
        if let Some(known) = texts.known.get(text) {
            return *known;
        }
        let (number, shared) = (texts.all.len(), Arc::<str>::from(text));
        texts.all.push(Arc::clone(&shared));
        texts.known.insert(shared, number);
        number
    }

    pub(crate) fn of(&self, text: Text) -> Arc<str> {
        Arc::clone(&self.texts.lock().unwrap().all[text])
    }

    pub(crate) fn result(&self, seen: &Seen) -> StepResult {
        let entry = |(version, value): (u64, Text)| StoreEntry { version, value: self.of(value).to_string() };
        match seen {
            Seen::Found(found) => StepResult::Found(found.map(entry)),
            Seen::Many(found) => StepResult::FoundMany(found.iter().map(|found| found.map(entry)).collect()),
            Seen::Held(held) => StepResult::Held(*held),
            Seen::Unavailable => StepResult::Unavailable,
        }
    }

    /// What a request does that has seen so much. Waiting and counting are nothing, and nobody
    /// leaves anything in the row of the processes.
    pub(crate) fn replay(&self, request: &Value, now: u64, seen: &[Seen]) -> IssuerStep {
        let issuer = Arc::new(Issuer::from_json(&self.config, &self.secrets).unwrap());
        let mut exchange = issuer.begin(&request.to_string(), at(now));
        let mut seen = seen.iter();
        loop {
            let result = match exchange.step() {
                IssuerStep::Wait { .. } | IssuerStep::Count { .. } => StepResult::Held(true),
                IssuerStep::Read { key } if key == "p/fleet" => StepResult::Found(None),
                step => match seen.next() {
                    Some(seen) => self.result(seen),
                    None => return step.clone(),
                },
            };
            exchange.resume(result, at(now));
        }
    }

    pub(crate) fn next(&self, flight: &Flight) -> IssuerStep {
        let key = (flight.what.clone(), flight.seen.clone());
        if let Some(step) = self.next.lock().unwrap().get(&key) {
            return step.clone();
        }
        // Who tends comes when intents are old, and pulls come after that.
        let (request, now) = match &flight.what {
            What::End(session) => (json!({ "command": "endSession", "sid": self.sids[usize::from(*session)] }), NOW),
            What::Ahead(session) => {
                (json!({ "command": "endSession", "sid": self.sids[usize::from(*session)] }), NOW + 86_400)
            }
            What::Tend => (json!({ "command": "tend" }), NOW + 20),
            What::Pull(cursor) => {
                let query = cursor.map(|cursor| format!("?since={}", self.of(cursor))).unwrap_or_default();
                let url = format!("{ISSUER}/revocations{query}");
                (json!({ "method": "GET", "url": url, "headers": [], "body": null }), NOW + 30)
            }
        };
        let step = self.replay(&request, now, &flight.seen);
        self.next.lock().unwrap().insert(key, step.clone());
        step
    }

    pub(crate) fn run(&self, store: &mut Contents, request: &Value) -> String {
        let issuer = Arc::new(Issuer::from_json(&self.config, &self.secrets).unwrap());
        let mut exchange = issuer.begin(&request.to_string(), at(NOW));
        loop {
            let result = match exchange.step().clone() {
                IssuerStep::Done { response, .. } => return response.body,
                IssuerStep::Wait { .. } | IssuerStep::Count { .. } => StepResult::Held(true),
                step => self.result(&self.carry_out(store, &step)),
            };
            exchange.resume(result, at(NOW));
        }
    }

    /// Rows of intents are one: which of them a process keeps to is drawn at random.
    pub(crate) fn carry_out(&self, store: &mut Contents, step: &IssuerStep) -> Seen {
        let row = |key: &str| if key.starts_with("f/intent/") { "f/intent/0".to_owned() } else { key.to_owned() };
        match step {
            IssuerStep::Read { key } => Seen::Found(store.get(&row(key)).copied()),
            IssuerStep::ReadMany { keys } => Seen::Many(keys.iter().map(|key| store.get(key).copied()).collect()),
            IssuerStep::Swap { key, expected, value, .. } => {
                let held = store.get(&row(key)).map_or(0, |(version, _)| *version) == *expected;
                if held {
                    store.insert(row(key), (expected + 1, self.text(value)));
                }
                Seen::Held(held)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn log(&self, store: &Contents) -> Log {
        let found = store.get(REGISTER).map(|(version, value)| (*version, self.of(*value)));
        let mut log = Log::read(found.as_ref().map(|(version, value)| (*version, &**value)), None).unwrap();
        for key in log.missing(at(NOW)) {
            let value = store.get(&key).map(|(_, value)| self.of(*value));
            log.take(&key, value.as_deref()).expect("a segment is there before the register names it");
        }
        log
    }

    pub(crate) fn is_listed(&self, log: &Log, session: u8) -> bool {
        self.feed.lists(log, Revoked::Session(&self.sids[usize::from(session)]), at(NOW))
    }

    pub(crate) fn is_dead(&self, store: &Contents, session: u8) -> bool {
        let row = store.get(&format!("s/{}", self.sids[usize::from(session)]));
        row.is_some_and(|(_, value)| self.of(*value).contains(r#""status":"revoked""#))
    }

    pub(crate) fn edge(&self, documents: &[Text]) -> Verifier {
        let mut edge = Verifier::from_json(&self.policy).unwrap();
        for document in documents {
            edge.apply_revocations(&self.of(*document), at(NOW + 30)).unwrap();
        }
        edge
    }
}
