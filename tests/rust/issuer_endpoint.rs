//! The issuer's endpoints against a store that fails at every step in turn, and its tokens in the
//! hands of a verifier that is not ours.

use std::{collections::BTreeMap, sync::Arc};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
use portcullis::issuer::{Issuer, IssuerStep, SigningKey, StepResult, StoreEntry, hash_client_secret};
use portcullis::{Alg, UnixSeconds};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a-secret-that-a-machine-has-drawn-0123456789";

/// A configuration and its secrets.
type Parts = (String, String);

fn parts(alg: Alg) -> Parts {
    let hash = hash_client_secret(SECRET).unwrap();
    let config = json!({
        "issuer": "https://issuer.example",
        "audience": "https://api.example",
        "feedAccess": "public",
        "clients": [
            { "clientId": "app", "authentication": "none", "grants": ["refresh_token", "authorization_code"],
              "scope": "read write", "redirectUris": ["https://app.example/back"] },
            { "clientId": "service", "authentication": "client_secret_post", "secretHash": hash,
              "grants": ["client_credentials", "refresh_token"], "scope": "read", "introspects": true, "administers": true },
        ],
    });
    let key = |alg| serde_json::from_str::<Value>(&SigningKey::generate(alg).unwrap().private_jwk()).unwrap();
    let secrets = json!({
        "signingKeys": [{ "jwk": key(alg) }],
        "rootKeys": [{ "secret": { "base64url": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc" } }],
        "feedKey": key(Alg::EdDsa),
    });
    (config.to_string(), secrets.to_string())
}

/// A process of that issuer, which has read no log yet.
fn process(parts: &Parts) -> Arc<Issuer> {
    Arc::new(Issuer::from_json(&parts.0, &parts.1).unwrap())
}

fn issuer() -> Arc<Issuer> {
    process(&parts(Alg::Es256))
}

/// When a store fails, and whether it has done what was asked before it does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Before(usize),
    AfterCommit(usize),
}

#[derive(Clone, Default)]
struct World {
    entries: BTreeMap<String, StoreEntry>,
    now: u64,
    fault: Option<Fault>,
    asked: usize,
    counted: Vec<usize>,
}

#[derive(Debug)]
struct TestResponse {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
    events: Vec<Value>,
}

impl World {
    fn at(now: u64) -> Self {
        World { now, ..World::default() }
    }

    fn run(&mut self, issuer: &Arc<Issuer>, request: &Value) -> TestResponse {
        let now = || UnixSeconds::new(self.now).unwrap();
        let mut exchange = issuer.begin(&request.to_string(), now());
        (self.asked, self.counted) = (0, Vec::new());
        loop {
            let step = exchange.step().clone();
            let result = match step {
                IssuerStep::Done { response, events, .. } => {
                    let body = serde_json::from_str(&response.body).unwrap_or(Value::Null);
                    return TestResponse { status: response.status, headers: response.headers, body, events };
                }
                IssuerStep::Mistake { error } => panic!("{error}"),
                IssuerStep::Count { .. } => {
                    self.counted.push(self.asked);
                    self.faulty(false).unwrap_or(StepResult::Held(true))
                }
                IssuerStep::Keys { .. } | IssuerStep::Body => StepResult::Held(false),
                IssuerStep::Wait { .. } => StepResult::Held(true),
                IssuerStep::ReadMany { keys } => self.faulty(false).unwrap_or_else(|| {
                    StepResult::FoundMany(keys.iter().map(|key| self.entries.get(key).cloned()).collect())
                }),
                IssuerStep::Read { key } => {
                    self.faulty(false).unwrap_or_else(|| StepResult::Found(self.entries.get(&key).cloned()))
                }
                IssuerStep::Swap { key, expected, value, .. } => {
                    let before = self.faulty(false);
                    let held = self.entries.get(&key).map_or(0, |entry| entry.version) == expected;
                    if held && before.is_none() {
                        self.entries.insert(key, StoreEntry { version: expected + 1, value });
                    }
                    before.or_else(|| self.faulty(true)).unwrap_or(StepResult::Held(held))
                }
            };
            self.asked += 1;
            exchange.resume(result, UnixSeconds::new(self.now).unwrap());
            assert!(self.asked < 100, "no end");
        }
    }

    fn faulty(&self, after: bool) -> Option<StepResult> {
        let due = match self.fault {
            Some(Fault::Before(step)) => !after && step == self.asked,
            Some(Fault::AfterCommit(step)) => after && step == self.asked,
            None => false,
        };
        due.then_some(StepResult::Unavailable)
    }
}

fn post(path: &str, parameters: &[(&str, &str)]) -> Value {
    let encode = |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
    let body: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    json!({
        "method": "POST",
        "url": format!("https://issuer.example{path}"),
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "body": body.join("&"),
    })
}

fn start(world: &mut World, issuer: &Arc<Issuer>) -> Value {
    world.run(issuer, &json!({ "command": "startSession", "subject": "alice", "clientId": "app" })).body
}

fn refresh(token: &str) -> Value {
    post("/token", &[("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)])
}

fn introspect(token: &str) -> Value {
    post("/introspect", &[("client_id", "service"), ("client_secret", SECRET), ("token", token)])
}

/// What the snapshot of the feed says about itself.
fn pulled(world: &mut World, issuer: &Arc<Issuer>) -> Value {
    let pull = json!({ "method": "GET", "url": "https://issuer.example/revocations", "headers": [], "body": null });
    let mut exchange = issuer.begin(&pull.to_string(), UnixSeconds::new(world.now).unwrap());
    let body = loop {
        let result = match exchange.step().clone() {
            IssuerStep::Done { response, .. } => break response.body,
            IssuerStep::Read { key } => StepResult::Found(world.entries.get(&key).cloned()),
            IssuerStep::ReadMany { keys } => {
                StepResult::FoundMany(keys.iter().map(|key| world.entries.get(key).cloned()).collect())
            }
            other => panic!("{other:?}"),
        };
        exchange.resume(result, UnixSeconds::new(world.now).unwrap());
    };
    serde_json::from_slice(&portcullis::internals::base64url::decode(body.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_minted_token_verifies_in_the_crate_jsonwebtoken() {
    for (alg, theirs) in [(Alg::Es256, Algorithm::ES256), (Alg::EdDsa, Algorithm::EdDSA)] {
        let (issuer, mut world) = (process(&parts(alg)), World::at(NOW));
        let jwks = json!({ "method": "GET", "url": "https://issuer.example/jwks", "headers": [], "body": null });
        let jwks: JwkSet = serde_json::from_value(world.run(&issuer, &jwks).body).unwrap();
        let token = start(&mut world, &issuer)["access_token"].clone();
        let header = jsonwebtoken::decode_header(text(&token)).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = Validation::new(theirs);
        rules.set_issuer(&["https://issuer.example"]);
        rules.set_audience(&["https://api.example"]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The tokens of this test are of one instant.
        rules.validate_exp = false;
        let claims = decode::<Value>(text(&token), &key, &rules).unwrap().claims;
        assert_eq!((&claims["sub"], &claims["client_id"], &claims["gen"]), (&json!("alice"), &json!("app"), &json!(0)));
        rules.set_audience(&["https://other.example"]);
        assert!(decode::<Value>(text(&token), &key, &rules).is_err());
    }
}

#[test]
fn a_store_that_fails_at_any_step_is_answered_with_503_and_never_signs_anybody_out() {
    let issuer = issuer();
    let mut before = World::at(NOW);
    let started = start(&mut before, &issuer);
    let first = text(&started["refresh_token"]).to_owned();
    before.now += 100;
    let steps = {
        let mut world = before.clone();
        assert_eq!(world.run(&issuer, &refresh(&first)).status, 200);
        world.asked
    };
    assert!(steps >= 4, "row, swap, and two cutoffs");
    for fault in (0..steps).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
        let mut world = before.clone();
        world.fault = Some(fault);
        let answer = world.run(&issuer, &refresh(&first));
        if answer.status == 200 {
            // A read has no commit to fail after, and a counter that cannot tell limits nothing.
            let counted = |step| world.counted.contains(&step);
            assert!(matches!(fault, Fault::AfterCommit(_)) || matches!(fault, Fault::Before(step) if counted(step)));
            continue;
        }
        assert_eq!((answer.status, &answer.body["error"]), (503, &json!("temporarily_unavailable")), "{fault:?}");
        assert!(answer.headers.contains(&("retry-after", "1".to_owned())));
        // The client sends the same token again, and gets what it would have got.
        world.fault = None;
        let again = world.run(&issuer, &refresh(&first));
        assert_eq!(again.status, 200, "{fault:?}: {again:?}");
        let next = text(&again.body["refresh_token"]).to_owned();
        world.now += 100;
        assert_eq!(world.run(&issuer, &refresh(&next)).status, 200, "{fault:?}");
    }
}

#[test]
fn a_revoke_that_fails_at_any_step_can_be_sent_again_and_is_then_in_the_feed() {
    let parts = parts(Alg::Es256);
    let issuer = process(&parts);
    let mut before = World::at(NOW);
    let started = start(&mut before, &issuer);
    let (token, access) = (text(&started["refresh_token"]), text(&started["access_token"]));
    for revoked in [token, access] {
        let revoke = post("/revoke", &[("client_id", "app"), ("token", revoked)]);
        let steps = {
            let mut world = before.clone();
            assert_eq!(world.run(&process(&parts), &revoke).status, 200);
            world.asked
        };
        for fault in (0..steps).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
            let (mut world, issuer) = (before.clone(), process(&parts));
            world.fault = Some(fault);
            let answer = world.run(&issuer, &revoke);
            world.fault = None;
            if answer.status == 503 {
                assert_eq!(world.run(&issuer, &revoke).status, 200, "{fault:?}");
            }
            let listed = pulled(&mut world, &issuer);
            assert_eq!(listed["tokens"], 1, "{fault:?}: the feed knows nothing of it");
            let told = world.run(&issuer, &introspect(access));
            assert_eq!(told.body, json!({ "active": false }), "{fault:?}");
            assert_eq!(world.run(&issuer, &revoke).status, 200);
            let after = pulled(&mut world, &issuer);
            assert_eq!(after["version"], listed["version"], "{fault:?}: what is revoked already fills the feed");
        }
    }
}

#[test]
fn nothing_is_granted_after_the_end_of_all_sessions_wherever_it_comes_in_between() {
    let issuer = issuer();
    let mut before = World::at(NOW);
    let first = text(&start(&mut before, &issuer)["refresh_token"]).to_owned();
    before.now += 100;
    let end_all = json!({ "command": "revoke", "sub": "alice" });
    let (mut refused, mut granted) = (0, 0);
    for at in 0..8 {
        // The refresh stands still before its step `at`, and everything is ended meanwhile.
        let mut world = before.clone();
        let mut exchange = issuer.begin(&refresh(&first).to_string(), UnixSeconds::new(world.now).unwrap());
        let (mut asked, mut ended) = (0, false);
        let response = loop {
            if asked == at {
                assert_eq!(world.run(&issuer, &end_all).status, 200);
                ended = true;
            }
            let result = match exchange.step().clone() {
                IssuerStep::Done { response, .. } => break response,
                IssuerStep::Read { key } => StepResult::Found(world.entries.get(&key).cloned()),
                IssuerStep::Swap { key, expected, value, .. } => {
                    let held = world.entries.get(&key).map_or(0, |entry| entry.version) == expected;
                    if held {
                        world.entries.insert(key, StoreEntry { version: expected + 1, value });
                    }
                    StepResult::Held(held)
                }
                _ => StepResult::Held(true),
            };
            asked += 1;
            exchange.resume(result, UnixSeconds::new(world.now).unwrap());
        };
        if !ended {
            assert_eq!(world.run(&issuer, &end_all).status, 200);
        }
        let body: Value = serde_json::from_str(&response.body).unwrap();
        if response.status == 200 {
            // The subject's cutoff was read before it was made: this was granted first, and its
            // token is dated before the cutoff.
            let told = world.run(&issuer, &introspect(text(&body["access_token"])));
            assert_eq!(told.body, json!({ "active": false }), "step {at}");
            granted += 1;
        } else {
            assert_eq!((response.status, &body["error"]), (400, &json!("invalid_grant")), "step {at}");
            refused += 1;
        }
        assert_eq!(start(&mut world, &issuer)["token_type"], "Bearer", "a new sign-in works at once");
    }
    assert!(refused >= 4 && granted >= 1, "{refused} refused, {granted} granted");
}

#[test]
fn events_name_what_happened_and_never_hold_a_token() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let first = text(&start(&mut world, &issuer)["refresh_token"]).to_owned();
    let mut seen = Vec::new();
    let mut use_token = |world: &mut World, token: &str| {
        let answer = world.run(&issuer, &refresh(token));
        for event in answer.events {
            let line = event.to_string();
            assert!(!line.contains(&token[..30]) && !line.contains("eyJ"), "{line}");
            seen.push(text(&event["kind"]).to_owned());
        }
        answer.body["refresh_token"].as_str().unwrap_or_default().to_owned()
    };
    let second = use_token(&mut world, &first);
    world.now += 10;
    assert_eq!(use_token(&mut world, &first), second, "a retry gets the same token");
    world.now += 100;
    let third = use_token(&mut world, &second);
    assert_eq!(use_token(&mut world, &first), "");
    assert_eq!(use_token(&mut world, &third), "");
    assert_eq!(seen, ["rotated", "replayed", "rotated", "reuse_detected"]);
}

#[test]
fn a_mistake_in_the_configuration_is_named_and_no_secret_shown() {
    let key: Value = serde_json::from_str(&SigningKey::generate(Alg::Es256).unwrap().private_jwk()).unwrap();
    let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let client = json!({ "clientId": "a", "authentication": "none", "grants": ["refresh_token"] });
    let config = json!({ "issuer": "https://i.example", "audience": "a", "clients": [client] });
    let secrets = json!({ "signingKeys": [{ "jwk": key }], "rootKeys": [{ "secret": { "base64url": root } }] });
    assert!(Issuer::from_json(&config.to_string(), &secrets.to_string()).is_ok());
    let pointer = |at: &str, value: Value| {
        let (mut config, mut secrets) = (config.clone(), secrets.clone());
        let of_secrets = at.starts_with("/signingKeys") || at.starts_with("/rootKeys");
        let document = if of_secrets { &mut secrets } else { &mut config };
        let (parent, member) = at.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(member.to_owned(), value);
        let error = Issuer::from_json(&config.to_string(), &secrets.to_string()).unwrap_err();
        assert!(!error.to_string().contains(root), "{error}");
        error.pointer().to_owned()
    };
    for (at, value, expected) in [
        ("/issuer", json!("http://i.example"), "/issuer"),
        ("/issuer", json!("https://i.example/"), "/issuer"),
        ("/issuer", json!("https://i.example?a"), "/issuer"),
        ("/audience", json!(""), "/audience"),
        ("/clients", json!([]), "/clients"),
        ("/clients/0/authentication", json!("mtls"), "/clients/0/authentication"),
        ("/clients/0/grants", json!(["refresh_token", "password"]), "/clients/0/grants/1"),
        ("/clients/0/grants", json!(["client_credentials"]), "/clients/0/grants/0"),
        ("/clients/0/grants", json!(["authorization_code"]), "/clients/0/redirectUris"),
        ("/clients/0/secretHash", json!("x"), "/clients/0/secretHash"),
        ("/clients/0/introspects", json!(true), "/clients/0/introspects"),
        ("/clients/0/scope", json!("a  b"), "/clients/0/scope"),
        ("/clients/0/rateLimit", json!({ "requests": 0, "seconds": 1 }), "/clients/0/rateLimit/requests"),
        ("/sessions", json!({ "rotationIntervalSeconds": 1 }), "/sessions/rotationIntervalSeconds"),
        ("/cors", json!({ "origins": ["*"] }), "/cors/origins/0"),
        ("/cors", json!({ "origins": ["https://a.example/x"] }), "/cors/origins/0"),
        ("/upstream", json!([{ "issuer": "https://u.example", "audience": "a" }]), "/upstream/0"),
        ("/limits", json!({ "sesion": {} }), "/limits/sesion"),
        ("/codeSeconds", json!(601), "/codeSeconds"),
        ("/unknown", json!(1), "/unknown"),
        ("/signingKeys/0/jwk/crv", json!("P-384"), "/signingKeys/0/jwk/crv"),
        ("/rootKeys/0/secret", json!(root), "/rootKeys/0/secret"),
        ("/rootKeys/0/secret", json!({ "hex": "07" }), "/rootKeys/0/secret"),
        ("/rootKeys/0/secret/base64url", json!([root]), "/rootKeys/0/secret/base64url"),
    ] {
        assert_eq!(pointer(at, value), expected, "{at}");
    }
}
