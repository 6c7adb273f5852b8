//! The shape of the issuer's comparisons with what is secret: however much of a guess is right, a
//! whole request takes as many instructions.
//!
//! Client secrets, the tag of a refresh token, and the challenge of a code (RFC 7636 §4.6). No
//! clock is asked.
#![cfg(target_os = "linux")]

mod callgrind;
mod issuer_world;

use callgrind::{case, flip, instructions, measured, stops_early};
use issuer_world::{NOW, SECRET, World, config, issuer_of, post, refresh, secrets, text};
use portcullis::{internals::base64url, issuer::hash_client_secret};
use serde_json::{Value, json};

// RFC 7636 appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "https://app.example/back";

/// The text of the same bytes but one.
fn wrong_at(text: &str, place: usize) -> String {
    let mut bytes = base64url::decode(text).unwrap();
    flip(&mut bytes, place);
    base64url::encode(&bytes)
}

fn by_secret(grant: &str) -> Value {
    post("/token", &[("grant_type", grant), ("client_id", "service"), ("client_secret", SECRET)])
}

/// The child: one request whose secret is wrong in one byte.
#[test]
fn child() {
    let Some((what, place)) = case() else { return };
    let mut config = config();
    let hash = hash_client_secret(SECRET).unwrap();
    match what.as_str() {
        "secret" | "early" => config["clients"][1]["secretHash"] = json!(wrong_at(&hash, place)),
        // Which of two it is, and nothing else of the request is right.
        "which" => {
            let mut hashes = [wrong_at(&hash, 0), wrong_at(&hash, 0)];
            hashes[place].clone_from(&hash);
            config["clients"][1]["secretHash"] = json!(hashes);
        }
        _ => {}
    }
    let issuer = issuer_of(&config, &secrets());
    let mut world = World::at(NOW);
    let request = match what.as_str() {
        "which" => by_secret("password"),
        "refresh" => {
            let begun =
                world.run(&issuer, &json!({ "command": "startSession", "subject": "alice", "clientId": "app" }));
            // Version, root key, session and generation come before the tag.
            refresh(&wrong_at(text(&begun.body["refresh_token"]), 25 + place))
        }
        "challenge" => {
            let command = json!({ "command": "mintCode", "subject": "alice", "clientId": "app", "redirectUri": BACK,
                "codeChallenge": wrong_at(CHALLENGE, place) });
            let code = world.run(&issuer, &command).body["code"].clone();
            let redeem = [("grant_type", "authorization_code"), ("client_id", "app"), ("code", text(&code))];
            post("/token", &[&redeem[..], &[("redirect_uri", BACK), ("code_verifier", VERIFIER)]].concat())
        }
        _ => by_secret("client_credentials"),
    };
    let mut guess = [7; 32];
    flip(&mut guess, place);
    let answer = measured(|| {
        if what == "early" {
            assert!(!stops_early(&[7; 32], &guess));
        }
        world.run(&issuer, &request)
    });
    let expected = match what.as_str() {
        "which" => "unsupported_grant_type",
        "refresh" | "challenge" => "invalid_grant",
        _ => "invalid_client",
    };
    assert_eq!(answer.body["error"], expected, "{answer:?}");
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_wrong_secret_takes_as_many_instructions_wherever_it_is_wrong() {
    for (what, places) in
        [("secret", [0, 16, 31]), ("which", [0, 1, 0]), ("refresh", [0, 16, 31]), ("challenge", [0, 16, 31])]
    {
        let counted = places.map(|place| instructions(what, place));
        assert!(counted[0] > 1000, "{what}: only {} instructions were counted", counted[0]);
        assert_eq!([counted[0]; 3], counted, "{what}");
    }
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_comparison_that_stops_early_is_found_out_within_a_whole_request() {
    let [first, last] = [0, 31].map(|place| instructions("early", place));
    assert!(last > first, "{first} and {last} instructions");
}
