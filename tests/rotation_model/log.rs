//! The log of revocations, model-checked through the issuer's own exchanges: ends of sessions, pulls and two sweepers in every order, over a
//! store that fails before or after its work, answers late or from a copy that lags, and is restored; and processes that die at any step.
//! A pull that reads from a copy that lags may tell too little: reads go where the swaps go. What it tells takes nothing back.
//!
//! Every request runs in a process of its own that has read nothing before. What it does next is a function of what it has seen, and is made
//! again from that.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use portcullis::{
    Alg, UnixSeconds, Verifier, base64url,
    issuer::{
        endpoint::{Entry, Evidence, Issuer, Step},
        feed::{Feed, Log, REGISTER, Revoked},
        signing_key::SigningKey,
    },
};
use serde_json::{Value, json};
use stateright::{Model, Property};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";
const SESSIONS: u8 = 2;
const LIFETIME: u64 = 300;

/// A text of the store or the wire: equal texts have equal numbers.
type Text = usize;
pub(crate) type Contents = BTreeMap<String, (u64, Text)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum What {
    End(u8),
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
    what: What,
    seen: Vec<Seen>,
    /// The sessions whose end was answered before it began.
    answered: BTreeSet<u8>,
    /// It has read from a copy that lags, and tells what was true once.
    stale: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) ends: u8,
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
    store: Contents,
    /// What the store was: what a copy that lags still answers, and what is restored.
    former: Option<Contents>,
    flights: Vec<Flight>,
    answered: BTreeSet<u8>,
    /// Ended without an answer while nothing was wrong with their store but once.
    left_undone: BTreeSet<u8>,
    /// The documents that the edge has taken.
    edge: Vec<Text>,
    /// The edge was told to pull the whole.
    gone: bool,
    left: Budget,
    broken: Option<&'static str>,
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
    config: String,
    secrets: String,
    feed: Feed,
    policy: String,
    sids: Vec<String>,
    access: Vec<String>,
    start: Contents,
    budget: Budget,
    texts: Mutex<Texts>,
    next: Mutex<HashMap<(What, Vec<Seen>), Step>>,
}

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

impl LogModel {
    /// With `full`, the next append writes a segment.
    pub(crate) fn new(name: &'static str, budget: Budget, full: bool) -> Self {
        let keys = [1, 2].map(|_| SigningKey::generate(Alg::EdDsa).unwrap());
        let jwk = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let config = json!({
            "issuer": ISSUER, "audience": "api",
            "clients": [{ "clientId": "app", "authentication": "none", "grants": ["refresh_token"] }],
        });
        let secrets = json!({
            "signingKeys": [{ "jwk": jwk(keys[0].private_jwk()) }], "feedKey": jwk(keys[1].private_jwk()),
            "rootKeys": [{ "secret": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" }],
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
        model.run(&mut store, &json!({ "command": "revoke", "clientId": "another" }));
        if full {
            let names: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
            for part in names.chunks(1000) {
                let log = model.log(&store);
                let revoked: Vec<_> = part.iter().map(|name| Revoked::SubjectBefore(name, at(NOW))).collect();
                let write = model.feed.append(&log, None, &revoked, [7; 16], at(NOW)).unwrap().register;
                store.insert(write.key, (write.expected + 1, model.text(&write.value)));
            }
        }
        model.start = store;
        model
    }

    fn text(&self, text: &str) -> Text {
        let mut texts = self.texts.lock().unwrap();
        if let Some(known) = texts.known.get(text) {
            return *known;
        }
        let (number, shared) = (texts.all.len(), Arc::<str>::from(text));
        texts.all.push(Arc::clone(&shared));
        texts.known.insert(shared, number);
        number
    }

    fn of(&self, text: Text) -> Arc<str> {
        Arc::clone(&self.texts.lock().unwrap().all[text])
    }

    fn evidence(&self, seen: &Seen) -> Evidence {
        let entry = |(version, value): (u64, Text)| Entry { version, value: self.of(value).to_string() };
        match seen {
            Seen::Found(found) => Evidence::Found(found.map(entry)),
            Seen::Many(found) => Evidence::FoundMany(found.iter().map(|found| found.map(entry)).collect()),
            Seen::Held(held) => Evidence::Held(*held),
            Seen::Unavailable => Evidence::Unavailable,
        }
    }

    /// What a request does that has seen so much. Waiting and counting are nothing.
    fn replay(&self, request: &Value, now: u64, seen: &[Seen]) -> Step {
        let issuer = Arc::new(Issuer::from_json(&self.config, &self.secrets).unwrap());
        let mut exchange = issuer.begin(&request.to_string(), at(now));
        let mut seen = seen.iter();
        loop {
            let evidence = match exchange.step() {
                Step::Wait { .. } | Step::Count { .. } => Evidence::Held(true),
                step => match seen.next() {
                    Some(seen) => self.evidence(seen),
                    None => return step.clone(),
                },
            };
            exchange.resume(evidence, at(now));
        }
    }

    fn next(&self, flight: &Flight) -> Step {
        let key = (flight.what.clone(), flight.seen.clone());
        if let Some(step) = self.next.lock().unwrap().get(&key) {
            return step.clone();
        }
        // Who tends comes when intents are old, and pulls come after that.
        let (request, now) = match &flight.what {
            What::End(session) => (json!({ "command": "endSession", "sid": self.sids[usize::from(*session)] }), NOW),
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

    fn run(&self, store: &mut Contents, request: &Value) -> String {
        let issuer = Arc::new(Issuer::from_json(&self.config, &self.secrets).unwrap());
        let mut exchange = issuer.begin(&request.to_string(), at(NOW));
        loop {
            let evidence = match exchange.step().clone() {
                Step::Done { response, .. } => return response.body,
                Step::Wait { .. } | Step::Count { .. } => Evidence::Held(true),
                step => self.evidence(&self.carry_out(store, &step)),
            };
            exchange.resume(evidence, at(NOW));
        }
    }

    /// Rows of intents are one: which of them a process keeps to is drawn at random.
    fn carry_out(&self, store: &mut Contents, step: &Step) -> Seen {
        let row = |key: &str| if key.starts_with("f/intent/") { "f/intent/0".to_owned() } else { key.to_owned() };
        match step {
            Step::Read { key } => Seen::Found(store.get(&row(key)).copied()),
            Step::ReadMany { keys } => Seen::Many(keys.iter().map(|key| store.get(key).copied()).collect()),
            Step::Swap { key, expected, value, .. } => {
                let held = store.get(&row(key)).map_or(0, |(version, _)| *version) == *expected;
                if held {
                    store.insert(row(key), (expected + 1, self.text(value)));
                }
                Seen::Held(held)
            }
            other => panic!("{other:?}"),
        }
    }

    fn log(&self, store: &Contents) -> Log {
        let found = store.get(REGISTER).map(|(version, value)| (*version, self.of(*value)));
        let mut log = Log::read(found.as_ref().map(|(version, value)| (*version, &**value)), None).unwrap();
        for key in log.missing(at(NOW)) {
            let value = store.get(&key).map(|(_, value)| self.of(*value));
            log.take(&key, value.as_deref()).expect("a segment is there before the register names it");
        }
        log
    }

    fn is_listed(&self, log: &Log, session: u8) -> bool {
        self.feed.lists(log, Revoked::Session(&self.sids[usize::from(session)]), at(NOW))
    }

    fn is_dead(&self, store: &Contents, session: u8) -> bool {
        let row = store.get(&format!("s/{}", self.sids[usize::from(session)]));
        row.is_some_and(|(_, value)| self.of(*value).contains(r#""status":"revoked""#))
    }

    fn edge(&self, documents: &[Text]) -> Verifier {
        let mut edge = Verifier::from_json(&self.policy).unwrap();
        for document in documents {
            edge.apply_revocations(&self.of(*document), at(NOW + 30)).unwrap();
        }
        edge
    }

    fn step(&self, world: &mut World, mut flight: Flight, seen: Seen) {
        flight.seen.push(seen);
        match self.next(&flight) {
            Step::Done { response, .. } => self.done(world, &flight, response.status, &response.body),
            Step::Mistake { error } => panic!("{error}"),
            _ => world.flights.push(flight),
        }
    }

    fn done(&self, world: &mut World, flight: &Flight, status: u16, body: &str) {
        let log = self.log(&world.store);
        match &flight.what {
            What::End(session) if status == 200 => {
                world.answered.insert(*session);
                world.left_undone.remove(session);
                if !self.is_listed(&log, *session) || !self.is_dead(&world.store, *session) {
                    world.broken = Some(RULES[0]);
                }
            }
            What::End(session) => self.undone(world, *session, flight),
            What::Tend if status == 200 => {
                // What began before it and has ended.
                let open = |session: &u8| flight.answered.contains(&(session + 100)) && !self.is_listed(&log, *session);
                if world.left_undone.iter().any(open) {
                    world.broken = Some(RULES[1]);
                }
            }
            What::Tend => {}
            What::Pull(cursor) => match status {
                200 => self.taken(world, flight, cursor.is_none(), body),
                410 => world.gone = true,
                _ => {}
            },
        }
    }

    /// Of a row that was revoked, and of one that was to be, where nothing but one thing went wrong.
    fn undone(&self, world: &mut World, session: u8, flight: &Flight) {
        let insured = flight.seen.len() > 2 && matches!(flight.seen.get(2), Some(Seen::Held(true)));
        if insured && !world.answered.contains(&session) {
            world.left_undone.insert(session);
        }
    }

    fn taken(&self, world: &mut World, flight: &Flight, whole: bool, body: &str) {
        let place = |document: &Text| {
            let text = self.of(*document);
            let claims = base64url::decode(text.split('.').nth(1).unwrap()).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            (claims["epoch"].as_u64(), claims["version"].as_u64())
        };
        let document = self.text(body);
        let mut edge = self.edge(&world.edge);
        if edge.apply_revocations(body, at(NOW + 30)).is_err() {
            // A document that came late is refused; one that was sent for after everything else is not.
            if whole && world.gone && world.flights.iter().all(|it| !matches!(it.what, What::Pull(_))) {
                world.broken = Some(RULES[4]);
            }
            return;
        }
        if world.edge.last().is_some_and(|last| place(last) > place(&document)) {
            world.broken = Some(RULES[3]);
        }
        let refused = |session: &u8| edge.verify(&self.access[usize::from(*session)], at(NOW + 30)).is_err();
        if !flight.stale && !flight.answered.iter().filter(|session| **session < 100).all(refused) {
            world.broken = Some(RULES[3]);
        }
        world.gone = world.gone && !whole;
        world.edge.push(document);
    }

    /// The register may only grow, or begin an epoch.
    fn check_write(&self, world: &mut World, before: &Contents) {
        let (old, new) = (self.log(before), self.log(&world.store));
        let forgotten = (0..SESSIONS).any(|it| self.is_listed(&old, it) && !self.is_listed(&new, it));
        if forgotten || (new.epoch(), new.version()) <= (old.epoch(), old.version()) {
            world.broken = Some(RULES[2]);
        }
    }

    fn commit(&self, world: &mut World, step: &Step) -> Seen {
        let before = world.store.clone();
        let seen = self.carry_out(&mut world.store, step);
        if before.get(REGISTER) != world.store.get(REGISTER) {
            self.check_write(world, &before);
        }
        seen
    }
}

impl Model for LogModel {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            store: self.start.clone(),
            former: None,
            flights: Vec::new(),
            answered: BTreeSet::new(),
            left_undone: BTreeSet::new(),
            edge: Vec::new(),
            gone: false,
            left: self.budget,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let left = world.left;
        if world.broken.is_some() {
            return;
        }
        let sends = !left.alone || world.flights.is_empty();
        if left.ends > 0 && sends {
            // The first end is of the first session; both are alike until then.
            let sessions = if left.ends == self.budget.ends { 1 } else { SESSIONS };
            acts.extend((0..sessions).map(|session| Act::Send(What::End(session))));
        }
        if left.tends > 0 && sends {
            acts.push(Act::Send(What::Tend));
        }
        if left.pulls > 0 && sends {
            let cursor = self.edge(&world.edge).revocations_cursor().map(|cursor| self.text(cursor));
            acts.push(Act::Send(What::Pull(cursor.filter(|_| !world.gone))));
        }
        for (index, flight) in world.flights.iter().enumerate() {
            if index > 0 && world.flights[index - 1] == *flight {
                continue;
            }
            acts.push(Act::Step(index));
            let step = self.next(flight);
            let is_register = matches!(&step, Step::Read { key } if key == REGISTER);
            if left.stale > 0 && is_register && world.former.is_some() {
                acts.push(Act::Stale(index));
            }
            if left.errors > 0 {
                acts.push(Act::Fail { flight: index, after: false });
                if matches!(step, Step::Swap { .. }) {
                    acts.push(Act::Fail { flight: index, after: true });
                }
            }
            if left.deaths > 0 && matches!(flight.what, What::End(_)) {
                acts.push(Act::Die(index));
            }
        }
        if world.former.is_none() && left.stale + left.restores > 0 {
            acts.push(Act::BackUp);
        }
        if world.former.is_some() && left.restores > 0 {
            acts.push(Act::Restore);
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut world = world.clone();
        match act {
            Act::Send(what) => {
                match what {
                    What::End(_) => world.left.ends -= 1,
                    What::Tend => world.left.tends -= 1,
                    What::Pull(_) => world.left.pulls -= 1,
                }
                // Of what has ended undone by now, who tends is to know: those have 100 added.
                let undone = world.left_undone.iter().map(|session| session + 100);
                let answered = world.answered.iter().copied().chain(undone).collect();
                world.flights.push(Flight { what, seen: Vec::new(), answered, stale: false });
            }
            Act::Step(index) => {
                let flight = world.flights.remove(index);
                let seen = self.commit(&mut world, &self.next(&flight));
                self.step(&mut world, flight, seen);
            }
            Act::Stale(index) => {
                world.left.stale -= 1;
                let mut flight = world.flights.remove(index);
                flight.stale = true;
                let found = world.former.as_ref().and_then(|former| former.get(REGISTER)).copied();
                self.step(&mut world, flight, Seen::Found(found));
            }
            Act::Fail { flight, after } => {
                world.left.errors -= 1;
                let flight = world.flights.remove(flight);
                if after {
                    let _ = self.commit(&mut world, &self.next(&flight));
                }
                self.step(&mut world, flight, Seen::Unavailable);
            }
            Act::Die(index) => {
                world.left.deaths -= 1;
                let flight = world.flights.remove(index);
                if let What::End(session) = flight.what {
                    self.undone(&mut world, session, &flight);
                }
            }
            Act::BackUp => world.former = Some(world.store.clone()),
            Act::Restore => {
                // It fails what is under way, and what it forgets was answered by the store that is no more.
                world.left.restores -= 1;
                world.store = world.former.take()?;
                world.flights.clear();
                let log = self.log(&world.store);
                world.answered.retain(|session| self.is_listed(&log, *session));
                world.left_undone.clear();
            }
        }
        world.flights.sort();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn holds<const RULE: usize>(_: &LogModel, world: &World) -> bool {
            world.broken != Some(RULES[RULE])
        }
        vec![
            Property::always(RULES[0], |model: &LogModel, world: &World| {
                let log = model.log(&world.store);
                let holds = |session: &u8| model.is_listed(&log, *session) && model.is_dead(&world.store, *session);
                world.broken != Some(RULES[0]) && world.answered.iter().all(holds)
            }),
            Property::always(RULES[1], holds::<1>),
            Property::always(RULES[2], holds::<2>),
            Property::always(RULES[3], holds::<3>),
            Property::always(RULES[4], holds::<4>),
        ]
    }
}
