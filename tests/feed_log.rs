//! The log of revocations, through the issuer's own exchanges: many at once, cut off anywhere, over a store that fails, lags and is restored.

use std::{collections::BTreeMap, sync::Arc};

use portcullis::{
    Alg, UnixSeconds, Verifier, base64url,
    issuer::{
        endpoint::{Entry, Evidence, Exchange, Issuer, Step},
        signing_key::SigningKey,
    },
};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

fn new_key() -> Value {
    serde_json::from_str(&SigningKey::generate(Alg::EdDsa).unwrap().private_jwk()).unwrap()
}

/// An issuer's configuration and secrets: each `process` of it is an issuer of its own over one store.
struct Parts {
    issuer: String,
    sessions: Value,
    signing: Value,
    feed: Value,
}

impl Parts {
    fn new() -> Self {
        Parts { issuer: ISSUER.to_owned(), sessions: json!({}), signing: new_key(), feed: new_key() }
    }

    fn process(&self) -> Arc<Issuer> {
        let config = json!({
            "issuer": self.issuer, "audience": "api", "feedAccess": "public", "sessions": self.sessions,
            "limits": { "session": { "requests": 1_000_000, "seconds": 1 } },
            "clients": [{ "clientId": "app", "authentication": "none", "grants": ["refresh_token"] }],
        });
        let secrets = json!({
            "signingKeys": [{ "jwk": self.signing }], "feedKey": self.feed,
            "rootKeys": [{ "secret": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" }],
        });
        Arc::new(Issuer::from_json(&config.to_string(), &secrets.to_string()).unwrap())
    }

    /// An edge that trusts these feed keys.
    fn edge(&self, feeds: &[&Value]) -> Verifier {
        let public = |key: &Value| {
            let key = SigningKey::from_private_jwk(&key.to_string()).unwrap();
            serde_json::from_str::<Value>(&key.public_jwk()).unwrap()
        };
        let policy = json!({
            "issuers": [{ "issuer": ISSUER, "audience": "api", "jwks": { "keys": [public(&self.signing)] } }],
            "revocation": { "jwks": { "keys": feeds.iter().map(|key| public(key)).collect::<Vec<_>>() }, "maxStalenessSeconds": 60 },
        });
        Verifier::from_json(&policy.to_string()).unwrap()
    }
}

#[derive(Clone, Default)]
struct World {
    entries: BTreeMap<String, Entry>,
    ends: BTreeMap<String, u64>,
    now: u64,
    /// Keys whose swaps fail, by how they begin.
    broken: Option<&'static str>,
    calls: usize,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    body: String,
}

impl World {
    fn new() -> Self {
        World { now: NOW, ..World::default() }
    }

    fn carry_out(&mut self, step: &Step) -> Evidence {
        self.calls += usize::from(matches!(step, Step::Read { .. } | Step::ReadMany { .. } | Step::Swap { .. }));
        match step {
            Step::Read { key } => Evidence::Found(self.entries.get(key).cloned()),
            Step::ReadMany { keys } => {
                Evidence::FoundMany(keys.iter().map(|key| self.entries.get(key).cloned()).collect())
            }
            Step::Swap { key, .. } if self.broken.is_some_and(|prefix| key.starts_with(prefix)) => {
                Evidence::Unavailable
            }
            Step::Swap { key, expected, value, ends_at } => {
                let held = self.entries.get(key).map_or(0, |entry| entry.version) == *expected;
                if held {
                    self.entries.insert(key.clone(), Entry { version: expected + 1, value: value.clone() });
                    self.ends.insert(key.clone(), *ends_at);
                }
                Evidence::Held(held)
            }
            _ => Evidence::Held(true),
        }
    }

    /// One step of an exchange; `true` when it has ended.
    fn step(&mut self, exchange: &mut Exchange) -> bool {
        let step = exchange.step().clone();
        if matches!(step, Step::Done { .. } | Step::Mistake { .. }) {
            return true;
        }
        let evidence = self.carry_out(&step);
        exchange.resume(evidence, at(self.now));
        false
    }

    fn begin(&self, issuer: &Arc<Issuer>, request: &Value) -> Exchange {
        issuer.begin(&request.to_string(), at(self.now))
    }

    fn run(&mut self, issuer: &Arc<Issuer>, request: &Value) -> Answer {
        let mut exchange = self.begin(issuer, request);
        while !self.step(&mut exchange) {}
        answer(&exchange)
    }

    fn start(&mut self, issuer: &Arc<Issuer>, subject: &str) -> Value {
        let command = json!({ "command": "startSession", "subject": subject, "clientId": "app" });
        serde_json::from_str(&self.run(issuer, &command).body).unwrap()
    }

    fn refresh(&mut self, issuer: &Arc<Issuer>, token: &Value) -> u16 {
        self.run(issuer, &refresh(token)).status
    }

    fn sweep(&mut self) {
        let ended: Vec<String> =
            self.ends.iter().filter(|(_, end)| **end <= self.now).map(|(key, _)| key.clone()).collect();
        for key in ended {
            self.ends.remove(&key);
            self.entries.remove(&key);
        }
    }

    /// As the gate of this package pulls: what came since its cursor, and the snapshot where there is no way.
    fn pull(&mut self, issuer: &Arc<Issuer>, edge: &mut Verifier) -> Result<u64, &'static str> {
        if let Some(cursor) = edge.revocations_cursor().map(str::to_owned) {
            let told = self.run(issuer, &get(&format!("?since={cursor}")));
            if told.status == 200 {
                return taken(edge, &told.body, self.now);
            }
            assert_eq!(told.status, 410, "{}", told.body);
        }
        let told = self.run(issuer, &get(""));
        assert_eq!(told.status, 200, "{}", told.body);
        taken(edge, &told.body, self.now)
    }
}

fn taken(edge: &mut Verifier, documents: &str, now: u64) -> Result<u64, &'static str> {
    edge.apply_revocations(documents, at(now)).map(|report| report.version).map_err(|error| error.code())
}

fn answer(exchange: &Exchange) -> Answer {
    match exchange.step() {
        Step::Done { response, .. } => Answer { status: response.status, body: response.body.clone() },
        other => panic!("{other:?}"),
    }
}

fn get(query: &str) -> Value {
    json!({ "method": "GET", "url": format!("{ISSUER}/revocations{query}"), "headers": [], "body": null })
}

fn refresh(token: &Value) -> Value {
    let body = format!("grant_type=refresh_token&client_id=app&refresh_token={}", token.as_str().unwrap());
    json!({
        "method": "POST", "url": format!("{ISSUER}/token"), "body": body,
        "headers": [["content-type", "application/x-www-form-urlencoded"]],
    })
}

fn end(session: &Value) -> Value {
    json!({ "command": "endSession", "sid": session["sid"] })
}

fn is_refused(edge: &Verifier, session: &Value, now: u64) -> bool {
    edge.verify(session["access_token"].as_str().unwrap(), at(now)).is_err()
}

fn claims(document: &str) -> Value {
    serde_json::from_slice(&base64url::decode(document.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Steps through all of them in turns until each has ended.
fn together(world: &mut World, exchanges: &mut [Exchange]) -> Vec<Answer> {
    let mut left: Vec<usize> = (0..exchanges.len()).collect();
    let mut rounds = 0;
    while !left.is_empty() {
        left.retain(|index| !world.step(&mut exchanges[*index]));
        rounds += 1;
        assert!(rounds < 10_000, "no end");
    }
    exchanges.iter().map(answer).collect()
}

#[test]
fn a_hundred_sessions_that_end_at_once_in_three_processes_all_end_and_are_in_the_feed() {
    let (parts, mut world) = (Parts::new(), World::new());
    let processes = [parts.process(), parts.process(), parts.process()];
    let sessions: Vec<Value> = (0..100).map(|n| world.start(&processes[n % 3], &format!("u{n}"))).collect();
    let mut exchanges: Vec<Exchange> =
        sessions.iter().enumerate().map(|(n, session)| world.begin(&processes[n % 3], &end(session))).collect();
    for answer in together(&mut world, &mut exchanges) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let mut edge = parts.edge(&[&parts.feed]);
    let version = world.pull(&processes[0], &mut edge).unwrap();
    assert!(version <= 40, "{version} batches for 100 revocations are none");
    for session in &sessions {
        assert_eq!(world.refresh(&processes[1], &session["refresh_token"]), 400);
        assert!(is_refused(&edge, session, NOW));
    }
}

#[test]
fn stolen_tokens_that_are_replayed_at_once_end_every_session() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let mut stolen = Vec::new();
    for n in 0..60 {
        let first = world.start(&issuer, &format!("u{n}"));
        let mut token = first["refresh_token"].clone();
        for _ in 0..2 {
            world.now += 100;
            let told = world.run(&issuer, &refresh(&token));
            token = serde_json::from_str::<Value>(&told.body).unwrap()["refresh_token"].clone();
        }
        stolen.push((first, token));
    }
    let mut replays: Vec<Exchange> =
        stolen.iter().map(|(first, _)| world.begin(&issuer, &refresh(&first["refresh_token"]))).collect();
    for answer in together(&mut world, &mut replays) {
        assert_eq!((answer.status, answer.body.contains("reuse-detected")), (400, true), "{answer:?}");
    }
    for (_, last) in &stolen {
        assert_eq!(world.refresh(&issuer, last), 400);
    }
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["tokens"], 60);
}

#[test]
fn one_users_flood_of_revocations_delays_the_end_of_anothers_sessions_and_does_not_refuse_it() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (one, two) = (parts.process(), parts.process());
    let flood: Vec<Value> = (0..108).map(|_| world.start(&one, "flooder")).collect();
    let victim = world.start(&one, "victim");
    let mut exchanges: Vec<Exchange> = flood.iter().map(|session| world.begin(&one, &end(session))).collect();
    let all = json!({ "command": "revoke", "subject": "victim" });
    exchanges.extend((0..6).map(|_| world.begin(&two, &all)));
    for answer in together(&mut world, &mut exchanges) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&two, &mut edge).unwrap();
    assert!(is_refused(&edge, &victim, NOW));
}

#[test]
fn a_session_is_dead_when_the_log_cannot_be_written_and_comes_to_the_feed_by_a_retry_or_by_itself() {
    for (prefix, retried) in [("f/log", true), ("f/log", false), ("f/", true), ("f/", false)] {
        let (parts, mut world) = (Parts::new(), World::new());
        let (issuer, other) = (parts.process(), parts.process());
        let session = world.start(&issuer, "alice");
        let warm = world.start(&issuer, "bob");
        assert_eq!(world.run(&issuer, &end(&warm)).status, 200);
        world.broken = Some(prefix);
        assert_eq!(world.run(&issuer, &end(&session)).status, 503);
        world.broken = None;
        assert_eq!(world.refresh(&issuer, &session["refresh_token"]), 400, "it is dead by its row");
        let mut edge = parts.edge(&[&parts.feed]);
        if retried {
            assert_eq!(world.run(&other, &end(&session)).status, 200);
        } else {
            // Where intents could be written any process finds it; else the one that knows.
            world.now += 15;
            let finder = if prefix == "f/log" { &other } else { &issuer };
            assert_eq!(world.run(finder, &json!({ "command": "tend" })).status, 200);
        }
        world.pull(&other, &mut edge).unwrap();
        assert!(is_refused(&edge, &session, world.now), "{prefix}, retried: {retried}");
    }
}

#[test]
fn a_process_that_dies_at_any_step_leaves_nothing_that_the_next_does_not_finish() {
    let all = json!({ "command": "revoke", "subject": "alice" });
    for (name, request) in [("session", None), ("subject", Some(all))] {
        for steps in 0.. {
            let (parts, mut world) = (Parts::new(), World::new());
            let session = world.start(&parts.process(), "alice");
            let request = request.clone().unwrap_or_else(|| end(&session));
            let mut exchange = world.begin(&parts.process(), &request);
            let ended = (0..steps).any(|_| world.step(&mut exchange));
            drop(exchange);
            let decided = world.entries.keys().any(|key| key.starts_with("f/intent/"));
            world.now += 15;
            let other = parts.process();
            assert_eq!(world.run(&other, &json!({ "command": "tend" })).status, 200);
            let mut edge = parts.edge(&[&parts.feed]);
            world.pull(&other, &mut edge).unwrap();
            assert_eq!(is_refused(&edge, &session, world.now), decided, "{name}, {steps} steps");
            let refreshed = world.refresh(&other, &session["refresh_token"]);
            assert_eq!(refreshed, if decided { 400 } else { 200 }, "{name}, {steps} steps");
            // Once more there is nothing to do.
            let before = world.entries.clone();
            assert_eq!(world.run(&other, &json!({ "command": "tend" })).status, 200);
            assert_eq!(world.entries, before, "{name}, {steps} steps");
            if ended {
                break;
            }
        }
    }
}

#[test]
fn a_request_that_stops_while_it_leads_keeps_nobody_waiting() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..2).map(|_| world.start(&issuer, "alice")).collect();
    for steps in 0..8 {
        let mut stopped = world.begin(&issuer, &end(&sessions[0]));
        for _ in 0..steps {
            world.step(&mut stopped);
        }
        // Its runtime says nothing of it: it is neither ended nor dropped.
        let other = world.start(&issuer, "bob");
        assert_eq!(world.run(&issuer, &end(&other)).status, 200, "{steps} steps");
        std::mem::forget(stopped);
    }
}

#[test]
fn whoever_read_late_never_puts_an_older_state_over_a_newer_one() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..40).map(|n| world.start(&issuer, &format!("u{n}"))).collect();
    // Held before each of its steps in turn, while others append and fold.
    for steps in 0..9 {
        let mut late = world.begin(&parts.process(), &end(&sessions[steps]));
        for _ in 0..steps {
            world.step(&mut late);
        }
        for n in 0..3 {
            assert_eq!(world.run(&parts.process(), &end(&sessions[10 + steps * 3 + n])).status, 200);
        }
        while !world.step(&mut late) {}
        assert_eq!(answer(&late).status, 200);
    }
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&parts.process(), &mut edge).unwrap();
    for (n, session) in sessions.iter().enumerate() {
        let ended = n < 9 || (10..37).contains(&n);
        assert_eq!(is_refused(&edge, session, NOW), ended, "{n}");
    }
}

#[test]
fn thousands_of_revocations_are_few_rows_few_calls_and_values_below_64_kib() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    for n in 0..3000 {
        let command = json!({ "command": "revoke", "subject": format!("u{n}") });
        assert_eq!(world.run(&issuer, &command).status, 200);
    }
    let (longest, rows) = {
        let rows: Vec<_> = world.entries.iter().filter(|(key, _)| key.starts_with("f/")).collect();
        (rows.iter().map(|(_, entry)| entry.value.len()).max().unwrap(), rows.len())
    };
    assert!(longest < 60_000, "{longest} bytes in one value");
    assert!(rows < 20, "{rows} rows");
    let cold = parts.process();
    world.calls = 0;
    let whole = world.run(&cold, &get(""));
    assert_eq!((whole.status, &claims(&whole.body)["cutoffs"]), (200, &json!(3000)));
    assert!(world.calls <= 3, "{} calls", world.calls);
    // Since the beginning it is no more than the whole.
    let since = world.run(&cold, &get("?since=0"));
    assert_eq!((since.status, since.body.lines().count()), (200, 1));
    assert!(since.body.len() < whole.body.len() + 200, "{} bytes", since.body.len());
    // When all has expired the log is empty, whoever appends.
    world.now += 2000 + 3600;
    world.sweep();
    let session = world.start(&cold, "last");
    assert_eq!(world.run(&cold, &end(&session)).status, 200);
    let whole = world.run(&parts.process(), &get(""));
    assert_eq!((&claims(&whole.body)["cutoffs"], &claims(&whole.body)["tokens"]), (&json!(0), &json!(1)));
    world.sweep();
    let left: Vec<_> = world.entries.keys().filter(|key| key.starts_with("f/") && !key.contains("intent")).collect();
    assert_eq!(left, ["f/log"]);
}

#[test]
fn what_was_read_of_a_log_stays_when_something_fails_on_the_way() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    for n in 0..4200 {
        world.run(&issuer, &json!({ "command": "revoke", "subject": format!("u{n}") }));
    }
    let cold = parts.process();
    let mut exchange = world.begin(&cold, &get(""));
    world.step(&mut exchange);
    world.step(&mut exchange);
    drop(exchange);
    // Segments are there; what is asked for next is the register alone.
    world.calls = 0;
    assert_eq!(world.run(&cold, &get("")).status, 200);
    assert_eq!(world.calls, 1);
}

#[test]
fn a_restored_store_begins_an_epoch_that_edges_take_over_once() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..6).map(|n| world.start(&issuer, &format!("u{n}"))).collect();
    let mut edge = parts.edge(&[&parts.feed]);
    for session in &sessions[..2] {
        world.run(&issuer, &end(session));
    }
    world.pull(&issuer, &mut edge).unwrap();
    let backup = world.clone();
    for session in &sessions[2..5] {
        world.run(&issuer, &end(session));
    }
    let old = world.run(&issuer, &get(""));
    assert_eq!(world.pull(&issuer, &mut edge), Ok(5));
    for further in 0..5 {
        // Restored by a process that knows nothing, which goes on by so many versions before the edge asks.
        let (mut world, mut edge, restored) = (backup.clone(), edge_like(&parts, &old.body), parts.process());
        for n in 0..further {
            let command = json!({ "command": "revoke", "subject": format!("restored {n}") });
            assert_eq!(world.run(&restored, &command).status, 200);
        }
        assert_eq!(world.run(&restored, &json!({ "command": "revoke", "clientId": "app" })).status, 200);
        assert_eq!(world.pull(&restored, &mut edge), Ok(3 + further), "{further}");
        for session in &sessions {
            assert!(is_refused(&edge, session, NOW), "all that the client had, and what the store has forgotten");
        }
        assert_eq!(taken(&mut edge, &old.body, NOW), Err("update-older"), "never backwards");
        let epoch = claims(&world.run(&restored, &get("")).body)["epoch"].clone();
        assert!(epoch.as_u64() > claims(&old.body)["epoch"].as_u64());
        // Once: nobody who asks with the old cursor begins another.
        let mut other = edge_like(&parts, &old.body);
        assert_eq!(world.pull(&restored, &mut other), Ok(3 + further));
        assert_eq!(claims(&world.run(&restored, &get("")).body)["epoch"], epoch);
        assert_eq!(world.pull(&restored, &mut edge), Ok(3 + further));
    }
}

/// An edge that holds that document.
fn edge_like(parts: &Parts, document: &str) -> Verifier {
    let mut edge = parts.edge(&[&parts.feed]);
    edge.apply_revocations(document, at(NOW)).unwrap();
    edge
}

#[test]
fn a_process_that_finds_less_than_it_has_read_begins_an_epoch_and_a_stale_read_does_not() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..3).map(|n| world.start(&issuer, &format!("u{n}"))).collect();
    world.run(&issuer, &end(&sessions[0]));
    let backup = world.clone();
    world.run(&issuer, &end(&sessions[1]));
    let before = claims(&world.run(&issuer, &get("")).body);
    // One read comes from a copy that lags.
    let mut exchange = world.begin(&issuer, &get(""));
    let Step::Read { key } = exchange.step().clone() else { panic!() };
    exchange.resume(Evidence::Found(backup.entries.get(&key).cloned()), at(NOW));
    while !world.step(&mut exchange) {}
    assert_eq!(claims(&answer(&exchange).body)["epoch"], before["epoch"]);
    assert_eq!(claims(&answer(&exchange).body)["version"], before["version"]);
    // And here the store itself has gone back.
    let mut world = backup;
    let after = claims(&world.run(&issuer, &get("")).body);
    assert!(after["epoch"].as_u64() > before["epoch"].as_u64(), "{after}");
}

#[test]
fn a_new_feed_key_begins_one_epoch_however_often_old_and_new_processes_take_turns() {
    let (mut parts, mut world) = (Parts::new(), World::new());
    let old = parts.process();
    let sessions: Vec<Value> = (0..4).map(|n| world.start(&old, &format!("u{n}"))).collect();
    world.run(&old, &end(&sessions[0]));
    let former = parts.feed.clone();
    parts.feed = new_key();
    let new = parts.process();
    let mut edge = parts.edge(&[&former, &parts.feed]);
    world.pull(&old, &mut edge).unwrap();
    let epoch = |world: &mut World, issuer| claims(&world.run(issuer, &get("")).body)["epoch"].as_u64().unwrap();
    let first = epoch(&mut world, &old);
    let second = epoch(&mut world, &new);
    assert!(second > first);
    for session in &sessions[1..] {
        for issuer in [&old, &new] {
            assert_eq!(epoch(&mut world, issuer), second);
            world.run(issuer, &end(session));
            world.pull(issuer, &mut edge).unwrap();
        }
        assert!(is_refused(&edge, session, NOW));
    }
}

#[test]
fn strangers_begin_no_epoch() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let session = world.start(&issuer, "alice");
    world.run(&issuer, &end(&session));
    let epoch = claims(&world.run(&issuer, &get("")).body)["epoch"].clone();
    let foreign = Parts { feed: new_key(), ..Parts::new() };
    let mut elsewhere = World::new();
    let their = foreign.process();
    for _ in 0..5 {
        let session = elsewhere.start(&their, "alice");
        elsewhere.run(&their, &end(&session));
    }
    let cursor = claims(&elsewhere.run(&their, &get("")).body)["cursor"].as_str().unwrap().to_owned();
    for since in ["99", "18446744073709551615", &cursor, &("B".repeat(85) + "A")] {
        assert_eq!(world.run(&issuer, &get(&format!("?since={since}"))).status, 410, "{since}");
    }
    assert_eq!(world.run(&issuer, &get("?since=x")).status, 400);
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["epoch"], epoch);
}

#[test]
fn another_issuers_list_under_the_same_key_is_refused() {
    let parts = Parts::new();
    let other = Parts { issuer: "https://other.example".to_owned(), ..Parts::new() };
    let other = Parts { feed: parts.feed.clone(), ..other };
    let (mut world, mut theirs) = (World::new(), World::new());
    let mut edge = parts.edge(&[&parts.feed]);
    let pull = json!({ "method": "GET", "url": "https://other.example/revocations", "headers": [], "body": null });
    let list = theirs.run(&other.process(), &pull).body;
    assert_eq!(taken(&mut edge, &list, NOW), Err("update-issuer"));
    world.pull(&parts.process(), &mut edge).unwrap();
    assert_eq!(taken(&mut edge, &list, NOW), Err("update-issuer"));
}

#[test]
fn a_session_that_has_ended_reaches_the_edges_until_its_last_access_token_has() {
    let (parts, mut world) = (Parts { sessions: json!({ "idleSeconds": 91 }), ..Parts::new() }, World::new());
    let issuer = parts.process();
    let session = world.start(&issuer, "alice");
    // Too long idle, and its access token has more than three minutes to go.
    world.now += 100;
    world.sweep();
    assert_eq!(world.run(&issuer, &end(&session)).status, 200);
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&issuer, &mut edge).unwrap();
    assert!(is_refused(&edge, &session, world.now));
    // Afterwards nothing is kept of it.
    world.now += 300 + 300 + 91;
    world.sweep();
    assert!(!world.entries.keys().any(|key| key.starts_with("s/")));
}

#[test]
fn the_issuer_asks_to_be_tended_by_time_and_by_number_and_not_at_every_answer() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let mut due = |world: &mut World, request: &Value| {
        let mut exchange = world.begin(&issuer, request);
        while !world.step(&mut exchange) {}
        match exchange.step() {
            Step::Done { tend, .. } => *tend,
            other => panic!("{other:?}"),
        }
    };
    assert!(!due(&mut world, &get("")) && !due(&mut world, &get("")));
    world.now += 30;
    assert!(due(&mut world, &get("")));
    assert!(!due(&mut world, &get("")));
    let times = (0..5001).filter(|n| due(&mut world, &json!({ "command": "revoke", "subject": n.to_string() })));
    assert_eq!(times.count(), 1);
}
