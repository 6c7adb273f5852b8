//! What an issuer grants: never a token that its own verifier refuses, never more than what was
//! shown, and never at the cost of others.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{
    ISSUER, NOW, SECRET, TestResponse, World, claims, config, get, issuer_of, post, refresh, secrets, text,
};
use portcullis::issuer::{AccessTokenRequest, Broken, Issuer, SigningKey, StoreEntry, hash_client_secret};
use portcullis::{Alg, UnixSeconds, Verifier};
use proptest::prelude::*;
use serde_json::{Value, json};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn start(subject: &str, more: Value) -> Value {
    let mut command = json!({ "command": "startSession", "subject": subject, "clientId": "app" });
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    command
}

fn is_503(answer: &TestResponse) -> bool {
    answer.status == 503 && answer.headers.iter().any(|(name, _)| *name == "retry-after")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a command may ask for within its bounds becomes a token that introspection and a
    /// default verifier take.
    #[test]
    fn every_token_that_is_issued_is_accepted_by_its_own_verifier(
        subject in "[\"\\\\a\u{1F600}]{1,128}|[\"\\\\]{512}|\\PC{1,100}",
        acr in "[\"\\\\]{1,256}|\\PC{1,60}",
        long in any::<bool>(),
    ) {
        let long_text = |length: usize| if long { "\"".repeat(length) } else { "x".to_owned() };
        let scope = if long { vec!["s".repeat(50); 20].iter().enumerate().map(|(n, s)| format!("{n}{s}")[..50].to_owned()).collect::<Vec<_>>().join(" ") } else { "read".to_owned() };
        let issuer_id = if long { format!("{ISSUER}/{}", "i".repeat(480)) } else { ISSUER.to_owned() };
        let (client, audience) = (long_text(256), long_text(256));
        let mut config = config();
        config["issuer"] = json!(issuer_id);
        config["clients"][0] = json!({
            "clientId": client, "authentication": "none", "grants": ["refresh_token"], "scope": scope, "audience": audience,
        });
        let issuer = issuer_of(&config, &secrets());
        let mut world = World::at(NOW);
        let command = json!({
            "command": "startSession", "subject": subject, "clientId": client, "acr": acr, "authTimeSeconds": NOW,
            "jkt": "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA",
        });
        let started = world.run(&issuer, &command);
        prop_assert_eq!(started.status, 200, "{:?}", started);
        let token = text(&started.body["access_token"]);
        prop_assert!(token.len() <= 8192, "{} bytes", token.len());
        let policy = json!({ "issuers": [{
            "issuer": issuer_id, "audience": audience,
            "jwks": serde_json::from_str::<Value>(&issuer.settings().jwks(UnixSeconds::new(NOW).unwrap())).unwrap(),
        }] });
        let verifier = Verifier::from_json(&policy.to_string()).unwrap();
        let accepted = verifier.verify(token, UnixSeconds::new(NOW).unwrap());
        let accepted = accepted.map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
        prop_assert_eq!(accepted.claims().sub.as_deref(), Some(subject.as_str()));
    }

    /// And what is minted by itself is a token that verifies, or a mistake with a name.
    #[test]
    fn every_token_that_is_minted_is_accepted_or_its_member_is_named(
        texts in prop::collection::vec("\\PC{0,400}", 0..40),
        depth in 1_usize..40,
        subject in "\\PC{0,600}",
    ) {
        let key = SigningKey::generate(Alg::EdDsa).unwrap();
        let nested = (0..depth).fold(json!(1), |inner, _| json!({ "d": inner }));
        let further: serde_json::Map<String, Value> =
            texts.iter().enumerate().map(|(n, text)| (format!("c{n}"), json!(text))).chain([("n".to_owned(), nested)]).collect();
        let request = json!({
            "issuer": "https://i.example", "audience": "a", "subject": subject, "clientId": "c", "claims": further,
        });
        let now = UnixSeconds::new(NOW).unwrap();
        let policy = format!(r#"{{"issuers":[{{"issuer":"https://i.example","audience":"a","jwks":{}}}]}}"#, key.jwks());
        match AccessTokenRequest::from_json(&request.to_string()).map_err(Into::into).and_then(|request| request.sign(&key, now)) {
            Ok(token) => {
                let verdict = Verifier::from_json(&policy).unwrap().verify(&token, now);
                prop_assert!(verdict.is_ok(), "{:?}", verdict.err());
            }
            Err(portcullis::issuer::IssuerError::Invalid(error)) => {
                // The strict reader names no member of what is too deep.
                prop_assert!(["", "/claims", "/subject"].contains(&error.pointer()), "{}", error);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[test]
fn a_text_that_is_too_long_and_a_time_in_the_future_are_named_before_anything_is_written() {
    let (issuer, mut world) = (issuer_of(&config(), &secrets()), World::at(NOW));
    for (subject, more, pointer) in [
        ("a".repeat(513), json!({}), "/subject"),
        ("a".repeat(13_800), json!({}), "/subject"),
        ("a\u{0}b".to_owned(), json!({}), "/subject"),
        ("a\u{7f}".to_owned(), json!({}), "/subject"),
        ("a".to_owned(), json!({ "acr": "" }), "/acr"),
        ("a".to_owned(), json!({ "acr": "a".repeat(257) }), "/acr"),
        ("a".to_owned(), json!({ "acr": "a\n" }), "/acr"),
        ("a".to_owned(), json!({ "authTimeSeconds": NOW + 6 }), "/authTimeSeconds"),
        // Milliseconds.
        ("a".to_owned(), json!({ "authTimeSeconds": NOW * 1000 }), "/authTimeSeconds"),
        ("a".to_owned(), json!({ "authTimeSeconds": 253_402_300_799_u64 }), "/authTimeSeconds"),
        ("a".to_owned(), json!({ "role": "admin" }), "/role"),
    ] {
        assert_eq!(world.mistake(&issuer, &start(&subject, more.clone())).as_deref(), Some(pointer));
        let mut code = start(&subject, more);
        let members = json!({ "command": "mintCode", "redirectUri": "https://app.example/back",
            "codeChallenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" });
        code.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(world.mistake(&issuer, &code).as_deref(), Some(pointer));
    }
    assert!(world.entries.is_empty());
    assert_eq!(world.mistake(&issuer, &start(&"a".repeat(512), json!({ "authTimeSeconds": NOW + 5 }))), None);
}

#[test]
fn a_mistake_in_a_command_says_what_was_found() {
    let mut config = config();
    config["clients"][0]["dpopBound"] = json!(true);
    let (issuer, mut world) = (issuer_of(&config, &secrets()), World::at(NOW));
    let jkt = "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA";
    let code = |more: Value| {
        let mut command = start(
            "alice",
            json!({ "jkt": jkt, "redirectUri": "https://app.example/back",
            "codeChallenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" }),
        );
        command["command"] = json!("mintCode");
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    };
    for (command, found) in [
        (start("alice", json!({})), "dpopBound; found none"),
        (start("alice", json!({ "jkt": "x" })), "found 1 characters"),
        (start("al\nice", json!({ "jkt": jkt })), "found U+000A as character 3"),
        (
            start("alice", json!({ "jkt": jkt, "scope": "root" })),
            "within this client's scope, \"read write\"; found a scope beyond it",
        ),
        (start("alice", json!({ "jkt": jkt, "clientId": "nobody" })), "found \"nobody\""),
        (start("alice", json!({ "jkt": jkt, "authTimeSeconds": 253_402_300_800_u64 })), "found 253402300800"),
        (code(json!({ "redirectUri": "https://evil.example" })), "found \"https://evil.example\""),
        (code(json!({ "codeChallengeMethod": "plain" })), "found \"plain\""),
        (json!({ "command": "endSession", "sid": "x" }), "found 1 characters"),
        (json!({ "command": "revoke" }), "sid, client_id and kid; found none"),
        (json!({ "command": "revoke", "sub": "a", "kid": "b" }), "found sub and kid"),
        (json!({ "command": "dance" }), "found \"dance\""),
    ] {
        let reason = world.error(&issuer, &command).unwrap().reason().to_owned();
        assert!(reason.contains(found), "{command}: {reason}");
    }
}

#[test]
fn a_scope_that_is_asked_for_a_thousand_times_is_granted_once() {
    let (issuer, mut world) = (issuer_of(&config(), &secrets()), World::at(NOW));
    let token = world.run(&issuer, &start("alice", json!({}))).body["refresh_token"].clone();
    let asked = ["read"; 1500].join(" ");
    let mut request = refresh(text(&token));
    let body = format!("{}&scope={}", text(&request["body"]), asked.replace(' ', "+"));
    request["body"] = json!(body);
    let answer = world.run(&issuer, &request);
    assert_eq!((answer.status, &answer.body["scope"]), (200, &json!("read")));
    assert!(world.is_active(&issuer, &answer.body["access_token"]));
}

#[test]
fn a_client_whose_scope_was_narrowed_has_less_from_its_next_refresh_on() {
    let secrets = secrets();
    let (wide, mut world) = (issuer_of(&config(), &secrets), World::at(NOW));
    let first = world.run(&wide, &start("alice", json!({}))).body;
    assert_eq!(first["scope"], "read write");
    for (scope, expected) in [(json!("read"), json!("read")), (json!("other"), Value::Null), (Value::Null, Value::Null)]
    {
        let mut narrowed = config();
        match &scope {
            Value::Null => drop(narrowed["clients"][0].as_object_mut().unwrap().remove("scope")),
            scope => narrowed["clients"][0]["scope"] = scope.clone(),
        }
        let (narrow, mut world) = (issuer_of(&narrowed, &secrets), world.clone());
        let next = world.run(&narrow, &refresh(text(&first["refresh_token"])));
        assert_eq!(next.status, 200);
        assert_eq!((&next.body["scope"], &claims(&next.body["access_token"])["scope"]), (&expected, &expected));
        let mut asking = refresh(text(&first["refresh_token"]));
        asking["body"] = json!(format!("{}&scope=write", text(&asking["body"])));
        let refused = world.run(&narrow, &asking);
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_scope")));
        // What the operator takes back by mistake comes back with the configuration.
        let again = world.run(&wide, &refresh(text(&first["refresh_token"])));
        assert_eq!(again.body["scope"], "read write");
    }
}

/// An issuer that exchanges tokens of another, whose key is built in.
fn exchanging() -> (Arc<Issuer>, SigningKey, World) {
    let upstream = SigningKey::generate(Alg::EdDsa).unwrap();
    let mut config = config();
    config["clients"][1]["grants"] = json!([EXCHANGE]);
    config["clients"][1]["scope"] = json!("read write admin");
    let jwks: Value = serde_json::from_str(&upstream.jwks()).unwrap();
    config["upstream"] = json!([{ "issuer": "https://up.example", "audience": "us", "jwks": jwks }]);
    (issuer_of(&config, &secrets()), upstream, World::at(NOW))
}

fn subject_token(key: &SigningKey, members: &Value) -> String {
    let mut request = json!({ "issuer": "https://up.example", "audience": "us", "subject": "alice", "clientId": "up" });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    AccessTokenRequest::from_json(&request.to_string()).unwrap().sign(key, UnixSeconds::new(NOW).unwrap()).unwrap()
}

fn exchange(token: &str, more: &[(&str, &str)]) -> Value {
    let usual = [
        ("grant_type", EXCHANGE),
        ("client_id", "service"),
        ("client_secret", SECRET),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    post("/token", &[&usual, more].concat())
}

#[test]
fn an_exchange_grants_no_scope_that_the_subject_token_does_not_have() {
    let (issuer, key, mut world) = exchanging();
    for (held, asked, expected) in [
        (json!({ "scope": "read" }), None, Ok(Some("read"))),
        (json!({ "scope": "read write other" }), None, Ok(Some("read write"))),
        (json!({ "scope": "write read" }), Some("read"), Ok(Some("read"))),
        (json!({ "scope": "other" }), None, Ok(None)),
        (json!({}), None, Ok(None)),
        (json!({ "claims": { "scp": ["read", "other"] } }), None, Ok(Some("read"))),
        (json!({ "claims": { "scp": "write read" } }), None, Ok(Some("write read"))),
        (json!({ "claims": { "scp": ["admin"] }, "scope": "read" }), None, Ok(Some("read"))),
        (json!({ "claims": { "scp": [1, {}, "read write"] } }), None, Ok(None)),
        (json!({ "claims": { "scp": [1, {}, "write"] } }), None, Ok(Some("write"))),
        (json!({}), Some("read"), Err("scope: must be within the subject token's scope")),
        (json!({ "scope": "read" }), Some("read admin"), Err("scope: must be within the subject token's scope")),
        (json!({ "scope": "root" }), Some("root"), Err("scope: must be within this client's scope")),
    ] {
        let token = subject_token(&key, &held);
        let more: Vec<(&str, &str)> = asked.map(|asked| ("scope", asked)).into_iter().collect();
        let answer = world.run(&issuer, &exchange(&token, &more));
        match expected {
            Ok(scope) => {
                assert_eq!(answer.status, 200, "{held} {answer:?}");
                assert_eq!(answer.body["scope"].as_str(), scope, "{held}");
                assert_eq!(claims(&answer.body["access_token"])["scope"].as_str(), scope, "{held}");
            }
            Err(description) => {
                assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_scope")), "{held}");
                assert_eq!(answer.body["error_description"], description, "{held}");
            }
        }
    }
}

#[test]
fn an_exchange_keeps_to_whom_a_token_is_bound_and_who_may_act() {
    let (issuer, key, mut world) = exchanging();
    for (claims, expected) in [
        (
            json!({ "cnf": { "jkt": "J" } }),
            Some(("invalid_dpop_proof", "DPoP: is required: the subject token is bound to a key")),
        ),
        (
            json!({ "claims": { "cnf": { "x5t#S256": "X" } } }),
            Some(("invalid_request", "subject_token: is bound to a client certificate")),
        ),
        (
            json!({ "claims": { "cnf": { "jkt": "J", "x5t#S256": "X" } } }),
            Some(("invalid_request", "subject_token: is bound to a client certificate")),
        ),
        (json!({ "claims": { "cnf": { "jwk": {} } } }), Some(("invalid_request", "subject_token: has a cnf"))),
        (json!({ "claims": { "cnf": { "kid": "1" } } }), Some(("invalid_request", "subject_token: has a cnf"))),
        (json!({ "claims": { "cnf": {} } }), Some(("invalid_request", "subject_token: has a cnf"))),
        (json!({ "claims": { "cnf": null } }), Some(("invalid_request", "subject_token: claim-malformed"))),
        (json!({ "claims": { "may_act": { "sub": "service" } } }), None),
        (json!({ "claims": { "may_act": { "sub": "service", "iss": ISSUER } } }), None),
        (json!({ "claims": { "may_act": { "client_id": "service" } } }), None),
        (
            json!({ "claims": { "may_act": { "sub": "another" } } }),
            Some(("invalid_request", "subject_token: has a may_act claim")),
        ),
        (
            json!({ "claims": { "may_act": { "sub": "service", "iss": "https://up.example" } } }),
            Some(("invalid_request", "subject_token: has a may_act claim")),
        ),
        (
            json!({ "claims": { "may_act": { "sub": "service", "email": "x" } } }),
            Some(("invalid_request", "subject_token: has a may_act claim")),
        ),
        (
            json!({ "claims": { "may_act": { "iss": ISSUER } } }),
            Some(("invalid_request", "subject_token: has a may_act claim")),
        ),
        (json!({ "claims": { "may_act": {} } }), Some(("invalid_request", "subject_token: has a may_act claim"))),
        (
            json!({ "claims": { "may_act": "service" } }),
            Some(("invalid_request", "subject_token: has a may_act claim")),
        ),
        (json!({ "claims": { "may_act": null } }), Some(("invalid_request", "subject_token: has a may_act claim"))),
        (json!({ "claims": { "act": { "sub": "x" } } }), Some(("invalid_request", "subject_token: has an act claim"))),
    ] {
        let before = world.entries.len();
        let answer = world.run(&issuer, &exchange(&subject_token(&key, &claims), &[]));
        match expected {
            None => assert_eq!(answer.status, 200, "{claims} {answer:?}"),
            Some((error, description)) => {
                assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some(error)), "{claims}");
                let found = text(&answer.body["error_description"]);
                assert!(found.starts_with(description), "{claims}: {found}");
            }
        }
        assert_eq!(world.entries.len(), before, "nothing is written for it");
    }
    // A subject that would make a token too long is the subject token's fault.
    let long = subject_token(&key, &json!({ "subject": "a".repeat(500) }));
    let answer = world.run(&issuer, &exchange(&long, &[]));
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_request")));
    for (parameter, error) in [
        ("actor_token", "invalid_request"),
        ("actor_token_type", "invalid_request"),
        ("audience", "invalid_target"),
        ("resource", "invalid_target"),
    ] {
        let token = subject_token(&key, &json!({ "scope": "read" }));
        let answer = world.run(&issuer, &exchange(&token, &[(parameter, "https://other.example")]));
        assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some(error)), "{parameter}");
        assert!(text(&answer.body["error_description"]).starts_with(parameter));
    }
}

#[test]
fn a_stranger_uses_up_nothing_of_a_public_clients_limit() {
    let (issuer, mut world) = (issuer_of(&limited(), &secrets()), World::at(NOW));
    let started = world.run(&issuer, &start("alice", json!({}))).body;
    let (token, access) = (text(&started["refresh_token"]).to_owned(), text(&started["access_token"]).to_owned());
    world.address = Some("192.0.2.1".to_owned());
    let forged = format!("{}{}", &token[..40], "A".repeat(token.len() - 40));
    let strange_code = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", "x"),
        ("redirect_uri", "https://app.example/back"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    for request in [
        refresh("x"),
        refresh(&forged),
        post("/token", &[("grant_type", "password"), ("client_id", "app")]),
        post("/token", &strange_code),
        post("/revoke", &[("client_id", "app"), ("token", &forged)]),
        post("/revoke", &[("client_id", "app"), ("token", "x")]),
        post("/introspect", &[("client_id", "app"), ("token", "x")]),
    ] {
        world.counted.clear();
        world.run(&issuer, &request);
        assert_eq!(world.counted, ["address/192.0.2.1"], "{request}");
    }
    // The address, the grant, the client: in that order, and once.
    let order = |world: &mut World, request: &Value| {
        world.counted.clear();
        let answer = world.run(&issuer, request);
        let kinds = world.counted.iter().map(|key| key.split('/').next().unwrap().to_owned());
        (answer.status, kinds.collect::<Vec<_>>())
    };
    assert_eq!(order(&mut world, &refresh(&token)), (200, ["address", "session", "client"].map(str::to_owned).into()));
    let revoke = post("/revoke", &[("client_id", "app"), ("token", &access)]);
    assert_eq!(order(&mut world, &revoke), (200, ["address", "client"].map(str::to_owned).into()));
    let (status, kinds) = order(
        &mut world,
        &post("/token", &[("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", SECRET)]),
    );
    assert_eq!((status, kinds), (200, ["address", "client"].map(str::to_owned).into()));
    // Whoever has used up an address gets no further, and nobody else is the worse for it.
    world.spent = vec!["address/192.0.2.1".to_owned()];
    assert_eq!(order(&mut world, &refresh(&token)), (429, vec!["address".to_owned()]));
    let jwks = get("/jwks", &[]);
    assert_eq!(order(&mut world, &jwks), (200, vec![]), "keys are no matter of limits");
    world.address = Some("192.0.2.2".to_owned());
    assert_eq!(order(&mut world, &refresh(&token)).0, 200);
}

fn limited() -> Value {
    let mut config = config();
    let rate = json!({ "requests": 10, "seconds": 60 });
    config["limits"] = json!({ "address": rate, "session": rate, "client": rate });
    config
}

#[test]
fn the_feed_is_for_clients_that_may_read_it_unless_it_is_public_by_name() {
    let basic = |id: &str, secret: &str| format!("Basic {}", base64(&format!("{id}:{secret}")));
    let mut config = config();
    let hash = hash_client_secret(SECRET).unwrap();
    config["clients"].as_array_mut().unwrap().extend([
        json!({ "clientId": "edge", "authentication": "client_secret_basic", "secretHash": hash, "feed": true }),
        json!({ "clientId": "other", "authentication": "client_secret_basic", "secretHash": hash, "administers": true }),
    ]);
    let secrets = secrets();
    let (issuer, mut world) = (issuer_of(&config, &secrets), World::at(NOW));
    for path in ["/revocations", "/revocations?since=0", "/revocations?since=x"] {
        let mut ask = |authorization: Option<String>| {
            let headers: Vec<(&str, &str)> =
                authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            let answer = world.run(&issuer, &get(path, &headers));
            (answer.status, answer.headers.iter().any(|(name, _)| *name == "www-authenticate"))
        };
        assert_eq!(ask(None), (401, true));
        assert_eq!(ask(Some(basic("edge", "wrong"))), (401, true));
        assert_eq!(ask(Some(basic("nobody", SECRET))), (401, true));
        assert_eq!(ask(Some(basic("app", ""))), (401, true));
        assert_eq!(ask(Some("Bearer x".to_owned())), (401, true));
        assert_eq!(ask(Some(basic("other", SECRET))).0, 403);
        let granted = if path.ends_with('x') { 400 } else { 200 };
        assert_eq!(ask(Some(basic("edge", SECRET))).0, granted);
    }
    config["feedAccess"] = json!("public");
    let public = issuer_of(&config, &secrets);
    assert_eq!(world.run(&public, &get("/revocations", &[])).status, 200);
    for (member, value, pointer) in [
        ("feedAccess", json!("anybody"), "/feedAccess"),
        ("feedAccess", json!(true), "/feedAccess"),
        ("clients", json!([{ "clientId": "a", "authentication": "none", "feed": true }]), "/clients/0/feed"),
        (
            "clients",
            json!([{ "clientId": "a", "authentication": "client_secret_post", "secretHash": hash, "feed": true }]),
            "/clients/0/feed",
        ),
        (
            "clients",
            json!([{ "clientId": "a", "authentication": "none", "redirectUris": ["https://a.example/", "javascript:alert(1)"] }]),
            "/clients/0/redirectUris/1",
        ),
        ("clients", json!([{ "clientId": "a".repeat(257), "authentication": "none" }]), "/clients/0/clientId"),
        (
            "clients",
            json!([{ "clientId": "a", "authentication": "none", "scope": "a".repeat(1025) }]),
            "/clients/0/scope",
        ),
        ("audience", json!("a".repeat(257)), "/audience"),
        ("health", json!("yes"), "/health"),
    ] {
        let mut config = config.clone();
        config[member] = value;
        let error = Issuer::from_json(&config.to_string(), &secrets.to_string()).unwrap_err();
        assert_eq!(error.pointer(), pointer);
    }
}

fn base64(text: &str) -> String {
    let url = portcullis::internals::base64url::encode(text.as_bytes()).replace('-', "+").replace('_', "/");
    let padding = (4 - url.len() % 4) % 4;
    format!("{url}{}", "=".repeat(padding))
}

#[test]
fn a_body_is_asked_for_when_it_is_needed_and_may_break_off() {
    let (issuer, mut world) = (issuer_of(&config(), &secrets()), World::at(NOW));
    let without = |mut request: Value| {
        request.as_object_mut().unwrap().remove("body");
        request
    };
    // The world panics when somebody asks for the body.
    for (request, status) in [
        (without(post("/jwks", &[])), 405),
        (without(post("/nowhere", &[])), 404),
        (without(post("/health", &[])), 404),
        (json!({ "method": "PUT", "url": format!("{ISSUER}/token"), "headers": [] }), 405),
        (json!({ "method": "POST", "url": "http://issuer.example/token", "headers": [] }), 400),
        (
            json!({ "method": "POST", "url": format!("{ISSUER}/token"), "headers": [["content-type", "application/json"]] }),
            400,
        ),
    ] {
        assert_eq!(world.run(&issuer, &request).status, status, "{request}");
    }
    let token = without(post("/token", &[]));
    for (body, status, description) in [
        (Err(Broken::Aborted), 400, "body: ended early. Send the request again"),
        (Err(Broken::Late), 408, "body: did not arrive in time. Send the request again"),
        (Ok(None), 400, "body: must be UTF-8"),
        (Ok(Some("x".repeat(16 * 1024 + 1))), 400, "body: must have at most 16384 bytes"),
        (
            Ok(Some("grant_type=refresh_token&client_id=app&refresh_token=x".to_owned())),
            400,
            "refresh_token: refresh-token-invalid",
        ),
    ] {
        world.body = Some(body);
        let answer = world.run(&issuer, &token);
        assert_eq!((answer.status, answer.body["error_description"].as_str()), (status, Some(description)));
    }
}

#[test]
fn what_fails_inside_is_an_event_and_no_word_of_it_is_in_an_answer() {
    let secrets = secrets();
    let (issuer, mut world) = (issuer_of(&config(), &secrets), World::at(NOW));
    let started = world.run(&issuer, &start("alice", json!({}))).body;
    let key = world.entries.keys().find(|key| key.starts_with("s/")).unwrap().clone();
    let request = refresh(text(&started["refresh_token"]));
    let torn = |world: &mut World, key: &str| {
        world.entries.insert(key.to_owned(), StoreEntry { version: 1, value: "{\"v\":2,\"torn\":".to_owned() });
    };
    let told = |world: &mut World, request: &Value| {
        let answer = world.run(&issuer, request);
        assert!(is_503(&answer), "{answer:?}");
        assert_eq!(answer.body["error_description"], "the store gave no answer");
        assert!(!answer.text.contains("decoded") && !answer.text.contains("torn"));
        answer.events
    };
    let mut broken = world.clone();
    torn(&mut broken, &key);
    for request in [&request, &json!({ "command": "endSession", "sid": started["sid"] })] {
        let events = told(&mut broken, request);
        assert_eq!(
            (&events[0]["kind"], &events[0]["operation"]),
            (&json!("store_failed"), &json!("read")),
            "{events:?}"
        );
        assert!(text(&events[0]["cause"]).starts_with("the store returned a session that cannot be decoded: "));
        assert_eq!((&events[0]["at"], &events[0]["durationMs"]), (&json!(NOW), &json!(0)));
    }
    let mut broken = world.clone();
    torn(&mut broken, "c/sub/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA"); // that of alice
    let held = broken.entries.keys().any(|key| key.starts_with("c/sub/"));
    assert!(held);
    let events = told(&mut broken, &start("alice", json!({})));
    assert!(text(&events[0]["cause"]).contains("a cutoff that cannot be decoded"), "{events:?}");
    // What the shell knows already is not told twice.
    world.faults = [issuer_world::Fault::Before(0)].into();
    let answer = world.run(&issuer, &request);
    assert!(is_503(&answer) && answer.events.is_empty(), "{answer:?}");
}

#[test]
fn health_tries_the_store_where_the_configuration_asks_for_it() {
    let mut config = config();
    let secrets = secrets();
    let mut world = World::at(NOW);
    assert_eq!(world.run(&issuer_of(&config, &secrets), &get("/health", &[])).status, 404);
    config["health"] = json!(true);
    let issuer = issuer_of(&config, &secrets);
    let answer = world.run(&issuer, &get("/health", &[]));
    assert_eq!((answer.status, answer.body), (200, json!({ "status": "ok" })));
    assert_eq!(world.run(&issuer, &json!({ "command": "health" })).status, 200);
    world.faults = [issuer_world::Fault::Before(0)].into();
    assert!(is_503(&world.run(&issuer, &get("/health", &[]))));
    assert!(is_503(&world.run(&issuer, &json!({ "command": "health" }))));
    assert!(world.entries.is_empty(), "it writes nothing");
}

#[test]
fn plain_http_rests_on_the_configured_issuer_or_on_the_peer_and_never_on_what_stands_in_host() {
    let mut config = config();
    let public = issuer_of(&config, &secrets());
    config["issuer"] = json!("http://localhost:8080");
    let local = issuer_of(&config, &secrets());
    let status = |issuer, url: &str, address: Option<&str>| {
        let mut world = World::at(NOW);
        world.address = address.map(str::to_owned);
        let request = json!({ "method": "GET", "url": format!("{url}/jwks"), "headers": [], "body": null });
        let answer = world.run(issuer, &request);
        if answer.status != 200 {
            let said = answer.body["error_description"].as_str().unwrap();
            assert!(said.starts_with("url: must be https.") && said.contains("clientAddress"), "{said}");
        }
        answer.status
    };
    for address in [None, Some("192.0.2.1"), Some("::ffff:192.0.2.1"), Some("localhost"), Some("")] {
        for host in ["localhost", "a.localhost", "127.0.0.1:80", "[::1]", "issuer.example"] {
            assert_eq!(status(&public, &format!("http://{host}"), address), 400, "{host} from {address:?}");
        }
        assert_eq!(status(&public, ISSUER, address), 200, "{address:?}");
        assert_eq!(status(&local, "http://127.0.0.1:8080", address), 200, "{address:?}");
        assert_eq!(status(&local, "http://issuer.example", address), 400, "{address:?}");
    }
    for near in ["127.0.0.1", "::1", "::ffff:127.0.0.2", "[::1]:4711"] {
        assert_eq!(status(&public, "http://localhost", Some(near)), 200, "{near}");
        assert_eq!(status(&public, "http://issuer.example", Some(near)), 400, "{near}");
    }
    // Who says https://localhost serves https.
    config["issuer"] = json!("https://localhost:8443");
    assert_eq!(status(&issuer_of(&config, &secrets()), "http://localhost", None), 400);
}
