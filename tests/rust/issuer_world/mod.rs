//! A world for the issuer's endpoints: a store in memory that can fail at any step, and requests
//! that can stand still between two steps.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portcullis::{
    Alg, PolicyError, UnixSeconds,
    issuer::{Broken, Exchange, Issuer, IssuerStep, SigningKey, StepResult, StoreEntry, hash_client_secret},
};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const SECRET: &str = "a-secret-that-a-machine-has-drawn-0123456789";
pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) fn key(alg: Alg) -> Value {
    serde_json::from_str(&SigningKey::generate(alg).unwrap().private_jwk()).unwrap()
}

pub(crate) fn secrets() -> Value {
    json!({
        "signingKeys": [{ "jwk": key(Alg::EdDsa) }],
        "rootKeys": [{ "secret": { "base64url": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } }],
        "feedKey": key(Alg::EdDsa),
    })
}

/// A page that redeems codes, and a service that may do most things.
pub(crate) fn config() -> Value {
    json!({
        "issuer": ISSUER,
        "audience": "https://api.example",
        "clients": [
            { "clientId": "app", "authentication": "none", "grants": ["refresh_token", "authorization_code"],
              "scope": "read write", "redirectUris": ["https://app.example/back"] },
            { "clientId": "service", "authentication": "client_secret_post",
              "secretHash": hash_client_secret(SECRET).unwrap(),
              "grants": ["client_credentials"], "scope": "read", "introspects": true, "administers": true },
        ],
    })
}

pub(crate) fn issuer_of(config: &Value, secrets: &Value) -> Arc<Issuer> {
    Arc::new(Issuer::from_json(&config.to_string(), &secrets.to_string()).unwrap())
}

/// When a store fails, and whether it has done what was asked before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Before(usize),
    AfterCommit(usize),
}

#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) entries: BTreeMap<String, StoreEntry>,
    pub(crate) now: u64,
    pub(crate) faults: BTreeSet<Fault>,
    /// Keys of counters that are over their limit.
    pub(crate) spent: Vec<String>,
    pub(crate) counted: Vec<String>,
    pub(crate) address: Option<String>,
    pub(crate) body: Option<Result<Option<String>, Broken>>,
}

#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) events: Vec<Value>,
}

/// A request under way.
pub(crate) struct Run {
    exchange: Exchange,
    pub(crate) asked: usize,
}

impl World {
    pub(crate) fn at(now: u64) -> Self {
        World { now, ..World::default() }
    }

    pub(crate) fn begin(&self, issuer: &Arc<Issuer>, request: &Value) -> Run {
        let mut request = request.clone();
        if let (Some(address), Some(object)) = (&self.address, request.as_object_mut()) {
            object.insert("address".to_owned(), json!(address));
        }
        Run { exchange: issuer.begin(&request.to_string(), UnixSeconds::new(self.now).unwrap()), asked: 0 }
    }

    /// One step; the answer, once there is one.
    pub(crate) fn step(&mut self, run: &mut Run) -> Option<TestResponse> {
        let fails = |world: &World, fault: Fault| world.faults.contains(&fault).then_some(StepResult::Unavailable);
        let before = fails(self, Fault::Before(run.asked));
        let result = match run.exchange.step().clone() {
            IssuerStep::Done { response, events, .. } => {
                let body = serde_json::from_str(&response.body).unwrap_or(Value::Null);
                let (status, headers, text) = (response.status, response.headers, response.body);
                return Some(TestResponse { status, headers, body, text, events });
            }
            IssuerStep::Mistake { error } => panic!("{error}"),
            IssuerStep::Count { key, .. } => {
                let held = !self.spent.iter().any(|spent| key.starts_with(spent));
                self.counted.push(key);
                before.unwrap_or(StepResult::Held(held))
            }
            IssuerStep::Body => match self.body.clone().expect("a body is asked for") {
                Ok(body) => StepResult::Body(body),
                Err(broken) => StepResult::Broken(broken),
            },
            IssuerStep::Keys { .. } => StepResult::Held(false),
            IssuerStep::Wait { .. } => StepResult::Held(true),
            IssuerStep::ReadMany { keys } => before.unwrap_or_else(|| {
                StepResult::FoundMany(keys.iter().map(|key| self.entries.get(key).cloned()).collect())
            }),
            IssuerStep::Read { key } => before.unwrap_or_else(|| StepResult::Found(self.entries.get(&key).cloned())),
            IssuerStep::Swap { key, expected, value, .. } => {
                let held = self.entries.get(&key).map_or(0, |entry| entry.version) == expected;
                if held && before.is_none() {
                    self.entries.insert(key, StoreEntry { version: expected + 1, value });
                }
                before.or_else(|| fails(self, Fault::AfterCommit(run.asked))).unwrap_or(StepResult::Held(held))
            }
        };
        run.asked += 1;
        assert!(run.asked < 200, "no end");
        run.exchange.resume(result, UnixSeconds::new(self.now).unwrap());
        None
    }

    pub(crate) fn finish(&mut self, run: &mut Run) -> TestResponse {
        loop {
            if let Some(answer) = self.step(run) {
                return answer;
            }
        }
    }

    pub(crate) fn run(&mut self, issuer: &Arc<Issuer>, request: &Value) -> TestResponse {
        let mut run = self.begin(issuer, request);
        self.finish(&mut run)
    }

    /// The member at fault of a command that is the caller's own mistake.
    pub(crate) fn mistake(&mut self, issuer: &Arc<Issuer>, command: &Value) -> Option<String> {
        self.error(issuer, command).map(|error| error.pointer().to_owned())
    }

    /// What is wrong with such a command.
    pub(crate) fn error(&mut self, issuer: &Arc<Issuer>, command: &Value) -> Option<PolicyError> {
        let mut run = self.begin(issuer, command);
        loop {
            match run.exchange.step() {
                IssuerStep::Mistake { error } => return Some(error.clone()),
                IssuerStep::Done { .. } => return None,
                _ => drop(self.step(&mut run)),
            }
        }
    }

    pub(crate) fn is_active(&mut self, issuer: &Arc<Issuer>, token: &Value) -> bool {
        let told = self.run(issuer, &introspect(text(token)));
        assert_eq!(told.status, 200, "{told:?}");
        told.body["active"] == true
    }
}

pub(crate) fn post(path: &str, parameters: &[(&str, &str)]) -> Value {
    let encode = |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
    let body: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    json!({
        "method": "POST",
        "url": format!("{ISSUER}{path}"),
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "body": body.join("&"),
    })
}

pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Value {
    json!({ "method": "GET", "url": format!("{ISSUER}{path}"), "headers": headers, "body": null })
}

pub(crate) fn refresh(token: &str) -> Value {
    post("/token", &[("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)])
}

pub(crate) fn introspect(token: &str) -> Value {
    post("/introspect", &[("client_id", "service"), ("client_secret", SECRET), ("token", token)])
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    let payload = text(token).split('.').nth(1).unwrap();
    serde_json::from_slice(&portcullis::internals::base64url::decode(payload).unwrap()).unwrap()
}
