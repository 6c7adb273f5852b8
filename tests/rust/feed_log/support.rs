//! A store in memory, an issuer's processes over it, and an edge.

use std::{collections::BTreeMap, sync::Arc};

use portcullis::issuer::{Exchange, Issuer, IssuerStep, SigningKey, StepResult, StoreEntry};
use portcullis::{Alg, UnixSeconds, Verifier, internals::base64url};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

pub(crate) fn new_key() -> Value {
    serde_json::from_str(&SigningKey::generate(Alg::EdDsa).unwrap().private_jwk()).unwrap()
}

/// An issuer's configuration and secrets: each `process` of it is an issuer of its own over one
/// store.
pub(crate) struct Parts {
    pub(crate) issuer: String,
    pub(crate) sessions: Value,
    pub(crate) signing: Value,
    pub(crate) feed: Value,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Parts { issuer: ISSUER.to_owned(), sessions: json!({}), signing: new_key(), feed: new_key() }
    }

    pub(crate) fn process(&self) -> Arc<Issuer> {
        let config = json!({
            "issuer": self.issuer, "audience": "api", "feedAccess": "public", "sessions": self.sessions,
            "limits": { "session": { "requests": 1_000_000, "seconds": 1 } },
            "clients": [{ "clientId": "app", "authentication": "none", "grants": ["refresh_token"] }],
        });
        let secrets = json!({
            "signingKeys": [{ "jwk": self.signing }], "feedKey": self.feed,
            "rootKeys": [{ "secret": { "base64url": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } }],
        });
        Arc::new(Issuer::from_json(&config.to_string(), &secrets.to_string()).unwrap())
    }

    /// An edge that trusts these feed keys.
    pub(crate) fn edge(&self, feeds: &[&Value]) -> Verifier {
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
pub(crate) struct World {
    pub(crate) entries: BTreeMap<String, StoreEntry>,
    pub(crate) ends: BTreeMap<String, u64>,
    pub(crate) now: u64,
    /// Keys whose swaps fail, by how they begin.
    pub(crate) broken: Option<&'static str>,
    pub(crate) calls: usize,
}

#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl World {
    pub(crate) fn new() -> Self {
        World { now: NOW, ..World::default() }
    }

    pub(crate) fn carry_out(&mut self, step: &IssuerStep) -> StepResult {
        self.calls += usize::from(matches!(
            step,
            IssuerStep::Read { .. } | IssuerStep::ReadMany { .. } | IssuerStep::Swap { .. }
        ));
        match step {
            IssuerStep::Read { key } => StepResult::Found(self.entries.get(key).cloned()),
            IssuerStep::ReadMany { keys } => {
                StepResult::FoundMany(keys.iter().map(|key| self.entries.get(key).cloned()).collect())
            }
            IssuerStep::Swap { key, .. } if self.broken.is_some_and(|prefix| key.starts_with(prefix)) => {
                StepResult::Unavailable
            }
            IssuerStep::Swap { key, expected, value, ends_at } => {
                let held = self.entries.get(key).map_or(0, |entry| entry.version) == *expected;
                if held {
                    self.entries.insert(key.clone(), StoreEntry { version: expected + 1, value: value.clone() });
                    self.ends.insert(key.clone(), *ends_at);
                }
                StepResult::Held(held)
            }
            _ => StepResult::Held(true),
        }
    }

    /// One step of an exchange; `true` when it has ended.
    pub(crate) fn step(&mut self, exchange: &mut Exchange) -> bool {
        let step = exchange.step().clone();
        if matches!(step, IssuerStep::Done { .. } | IssuerStep::Mistake { .. }) {
            return true;
        }
        let result = self.carry_out(&step);
        exchange.resume(result, at(self.now));
        false
    }

    pub(crate) fn begin(&self, issuer: &Arc<Issuer>, request: &Value) -> Exchange {
        issuer.begin(&request.to_string(), at(self.now))
    }

    pub(crate) fn run(&mut self, issuer: &Arc<Issuer>, request: &Value) -> TestResponse {
        let mut exchange = self.begin(issuer, request);
        while !self.step(&mut exchange) {}
        answer(&exchange)
    }

    pub(crate) fn start(&mut self, issuer: &Arc<Issuer>, subject: &str) -> Value {
        let command = json!({ "command": "startSession", "subject": subject, "clientId": "app" });
        serde_json::from_str(&self.run(issuer, &command).body).unwrap()
    }

    pub(crate) fn refresh(&mut self, issuer: &Arc<Issuer>, token: &Value) -> u16 {
        self.run(issuer, &refresh(token)).status
    }

    pub(crate) fn sweep(&mut self) {
        let ended: Vec<String> =
            self.ends.iter().filter(|(_, end)| **end <= self.now).map(|(key, _)| key.clone()).collect();
        for key in ended {
            self.ends.remove(&key);
            self.entries.remove(&key);
        }
    }

    /// As the gate of this package pulls: what came since its cursor, and the snapshot where there
    /// is no way.
    pub(crate) fn pull(&mut self, issuer: &Arc<Issuer>, edge: &mut Verifier) -> Result<u64, &'static str> {
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

pub(crate) fn taken(edge: &mut Verifier, documents: &str, now: u64) -> Result<u64, &'static str> {
    edge.apply_revocations(documents, at(now)).map(|report| report.version).map_err(|error| error.code())
}

pub(crate) fn answer(exchange: &Exchange) -> TestResponse {
    match exchange.step() {
        IssuerStep::Done { response, .. } => TestResponse { status: response.status, body: response.body.clone() },
        other => panic!("{other:?}"),
    }
}

pub(crate) fn get(query: &str) -> Value {
    json!({ "method": "GET", "url": format!("{ISSUER}/revocations{query}"), "headers": [], "body": null })
}

pub(crate) fn refresh(token: &Value) -> Value {
    let body = format!("grant_type=refresh_token&client_id=app&refresh_token={}", token.as_str().unwrap());
    json!({
        "method": "POST", "url": format!("{ISSUER}/token"), "body": body,
        "headers": [["content-type", "application/x-www-form-urlencoded"]],
    })
}

pub(crate) fn end(session: &Value) -> Value {
    json!({ "command": "endSession", "sid": session["sid"] })
}

pub(crate) fn is_refused(edge: &Verifier, session: &Value, now: u64) -> bool {
    edge.verify(session["access_token"].as_str().unwrap(), at(now)).is_err()
}

pub(crate) fn claims(document: &str) -> Value {
    serde_json::from_slice(&base64url::decode(document.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Steps through all of them in turns until each has ended.
pub(crate) fn together(world: &mut World, exchanges: &mut [Exchange]) -> Vec<TestResponse> {
    let mut left: Vec<usize> = (0..exchanges.len()).collect();
    let mut rounds = 0;
    while !left.is_empty() {
        left.retain(|index| !world.step(&mut exchanges[*index]));
        rounds += 1;
        assert!(rounds < 10_000, "no end");
    }
    exchanges.iter().map(answer).collect()
}
