//! A session's own claims and `amr`: in each of its access tokens, from its sign-in to its last
//! refresh, and never in the place of what the issuer says.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{Fault, ISSUER, NOW, World, claims, config, introspect, issuer_of, post, refresh, secrets, text};
use portcullis::issuer::Issuer;
use serde_json::{Value, json};

// RFC 7636 appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "https://app.example/back";

fn issuer() -> Arc<Issuer> {
    let mut config = config();
    config["clients"][0]["scope"] = json!("openid read write");
    issuer_of(&config, &secrets())
}

/// Claims of each kind that JSON has.
fn own() -> Value {
    json!({ "tenant": { "id": 7, "share": 0.1, "big": 1.7e300 }, "roles": ["a", "ü\"\n"], "vip": true, "none": null })
}

fn start(more: &Value) -> Value {
    with(json!({ "command": "startSession", "subject": "alice", "clientId": "app" }), more)
}

fn mint(more: &Value) -> Value {
    let code = json!({
        "command": "mintCode", "subject": "alice", "clientId": "app", "redirectUri": BACK, "codeChallenge": CHALLENGE,
    });
    with(code, more)
}

fn with(mut command: Value, more: &Value) -> Value {
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    command
}

/// A request that is asked for and not yet completed.
fn complete(world: &mut World, issuer: &Arc<Issuer>, more: &Value) -> Value {
    let url = format!(
        "{ISSUER}/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fback\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&scope=openid%20read"
    );
    let request = json!({ "method": "GET", "url": url, "headers": [] });
    let ask = world.run(issuer, &json!({ "command": "authorize", "request": request })).body;
    let command =
        json!({ "command": "complete", "sealed": ask["sealed"], "cookie": ask["cookie"], "subject": "alice" });
    with(command, more)
}

fn redeem(code: &str) -> Value {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    post("/token", &parameters)
}

/// What a token says of the subject, without what the issuer says itself.
fn said(token: &Value) -> Value {
    let mut said = claims(token);
    for name in ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope", "sid", "gen", "auth_time"] {
        assert!(said.as_object_mut().unwrap().remove(name).is_some(), "{name}");
    }
    said
}

fn expected() -> Value {
    with(own(), &json!({ "amr": ["pwd", "otp"] }))
}

#[test]
fn claims_and_amr_are_in_every_access_token_of_a_session() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let begun = world.run(&issuer, &start(&json!({ "claims": own(), "amr": ["pwd", "otp"] })));
    assert_eq!((begun.status, said(&begun.body["access_token"])), (200, expected()), "{begun:?}");
    let mut last = begun.body;
    for _ in 0..3 {
        world.now += 600;
        let refreshed = world.run(&issuer, &refresh(text(&last["refresh_token"])));
        assert_eq!((refreshed.status, said(&refreshed.body["access_token"])), (200, expected()), "{refreshed:?}");
        // Within the window the same is granted once more.
        world.now += 1;
        let replayed = world.run(&issuer, &refresh(text(&last["refresh_token"])));
        assert_eq!(replayed.body["refresh_token"], refreshed.body["refresh_token"]);
        assert_eq!(said(&replayed.body["access_token"]), expected());
        last = refreshed.body;
    }
    // RFC 7662 §2.2: how the subject was authenticated is told, an application's claims are not.
    let told = world.run(&issuer, &introspect(text(&last["access_token"]))).body;
    assert_eq!((&told["active"], &told["amr"], told.get("tenant")), (&json!(true), &json!(["pwd", "otp"]), None));
}

#[test]
fn a_code_carries_them_by_either_way_in_whatever_fails() {
    let (issuer, empty) = (issuer(), World::at(NOW));
    let more = json!({ "claims": own(), "amr": ["pwd", "otp"], "scope": "openid read" });
    for way in ["mintCode", "complete"] {
        let mut world = empty.clone();
        let code = match way {
            "mintCode" => text(&world.run(&issuer, &mint(&more)).body["code"]).to_owned(),
            _ => {
                let command = complete(&mut world, &issuer, &more);
                let told = world.run(&issuer, &command);
                // Once more, as after an answer that was lost: the same code.
                let again = world.run(&issuer, &command);
                assert_eq!(told.body, again.body);
                let headers = told.body["response"]["headers"].as_array().unwrap();
                let location = headers.iter().find(|pair| pair[0] == "location").unwrap();
                text(&location[1]).split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
            }
        };
        for step in 0..20 {
            for fault in [Fault::Before(step), Fault::AfterCommit(step)] {
                let mut world = world.clone();
                world.faults = [fault].into();
                let mut answer = world.run(&issuer, &redeem(&code));
                world.faults.clear();
                if answer.status == 503 {
                    answer = world.run(&issuer, &redeem(&code));
                }
                let title = format!("{way}, {fault:?}: {answer:?}");
                assert_eq!(answer.status, 200, "{title}");
                assert_eq!(said(&answer.body["access_token"]), expected(), "{title}");
                let id_token = claims(&answer.body["id_token"]);
                assert_eq!((&id_token["amr"], id_token.get("tenant")), (&json!(["pwd", "otp"]), None), "{title}");
            }
        }
    }
}

#[test]
fn what_the_issuer_says_is_refused_by_name_before_anything_is_written() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let names = [
        "iss",
        "aud",
        "exp",
        "sub",
        "client_id",
        "iat",
        "jti",
        "scope",
        "nbf",
        "sid",
        "gen",
        "auth_time",
        "acr",
        "amr",
        "cnf",
        "act",
        "may_act",
        "status",
        "nonce",
        "at_hash",
        "azp",
    ];
    for name in names {
        let more = json!({ "claims": { "tenant": 1, name: "x" } });
        let pointer = format!("/claims/{name}");
        for command in [start(&more), mint(&more), complete(&mut world, &issuer, &more)] {
            assert_eq!(world.mistake(&issuer, &command), Some(pointer.clone()));
        }
    }
    assert!(world.entries.is_empty());
}

#[test]
fn claims_and_amr_have_bounds_and_what_is_within_them_is_accepted() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    let many = |count: usize| (0..count).map(|at| (format!("m{at}"), json!(1))).collect::<Value>();
    let long = |length: usize| json!({ "a": "x".repeat(length - 8) });
    for (more, pointer) in [
        (json!({ "claims": 1 }), "/claims"),
        (json!({ "claims": long(3073) }), "/claims"),
        (json!({ "claims": nested(17) }), "/claims"),
        (json!({ "claims": many(97) }), "/claims"),
        (json!({ "amr": "pwd" }), "/amr"),
        (json!({ "amr": [1] }), "/amr"),
        (json!({ "amr": [""] }), "/amr"),
        (json!({ "amr": ["a\nb"] }), "/amr"),
        (json!({ "amr": ["x".repeat(253)] }), "/amr"),
        (
            json!({ "amr": ["x".repeat(252)], "claims": long(3072), "acr": "y".repeat(256), "subject": "z".repeat(256) }),
            "/claims",
        ),
    ] {
        for command in [start(&more), mint(&more), complete(&mut world, &issuer, &more)] {
            assert_eq!(world.mistake(&issuer, &command).as_deref(), Some(pointer), "{more}");
        }
    }
    assert!(world.entries.is_empty());
    for more in [
        json!({ "claims": long(3072) }),
        json!({ "claims": nested(16) }),
        json!({ "claims": many(96), "amr": ["pwd"], "acr": "a" }),
        json!({ "amr": ["x".repeat(252)], "scope": "read" }),
        json!({ "claims": {}, "amr": [] }),
    ] {
        let begun = world.run(&issuer, &start(&more));
        assert_eq!(begun.status, 200, "{begun:?}");
        assert!(world.is_active(&issuer, &begun.body["access_token"]), "{more}");
        world.now += 1;
        let refreshed = world.run(&issuer, &refresh(text(&begun.body["refresh_token"])));
        assert_eq!(said(&refreshed.body["access_token"]), said(&begun.body["access_token"]));
    }
}

#[test]
fn the_longest_texts_beside_the_longest_claims_make_a_token_that_is_accepted() {
    // Each text is of characters that JSON escapes; the issuer is the longest.
    let mut config = config();
    config["audience"] = json!("\"".repeat(256));
    let prefix = "https://issuer.example/";
    config["issuer"] = json!(format!("{prefix}{}", "i".repeat(512 - prefix.len())));
    let issuer = issuer_of(&config, &secrets());
    let mut world = World::at(NOW);
    let jkt = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let texts = json!({ "subject": "\"".repeat(255), "acr": "\"".repeat(128), "jkt": jkt });
    let asked = |length: usize| start(&with(texts.clone(), &json!({ "claims": { "a": "x".repeat(length) } })));
    let longest = (0..6000).rev().find(|length| world.error(&issuer, &asked(*length)).is_none()).unwrap();
    assert!(longest > 2800 && longest < 3064, "the other texts leave less than claims may have alone: {longest}");
    let begun = world.run(&issuer, &asked(longest));
    assert_eq!(begun.status, 200, "{begun:?}");
    assert!(text(&begun.body["access_token"]).len() <= 8192);
}

#[test]
fn a_row_of_before_there_were_claims_is_read_and_has_none() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let begun = world.run(&issuer, &start(&json!({})));
    let row = world.entries.values().map(|entry| entry.value.clone()).find(|value| value.contains("\"salt\"")).unwrap();
    assert!(!row.contains("claims") && !row.contains("amr"), "what is not there is not written: {row}");
    let refreshed = world.run(&issuer, &refresh(text(&begun.body["refresh_token"])));
    assert_eq!((refreshed.status, said(&refreshed.body["access_token"])), (200, json!({})));
}

#[test]
fn a_claim_in_a_row_takes_nothing_from_what_the_issuer_says() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let begun = world.run(&issuer, &start(&json!({ "claims": { "tenant": 1 }, "acr": "urn:one" })));
    for entry in world.entries.values_mut() {
        entry.value =
            entry.value.replace(r#"{"tenant":1}"#, r#"{"tenant":1,"sub":"mallory","acr":"urn:two","jti":"j"}"#);
    }
    let refreshed = world.run(&issuer, &refresh(text(&begun.body["refresh_token"])));
    let said = claims(&refreshed.body["access_token"]);
    assert_eq!((&said["tenant"], &said["sub"], &said["acr"]), (&json!(1), &json!("alice"), &json!("urn:one")));
    assert_ne!(said["jti"], "j");
}
