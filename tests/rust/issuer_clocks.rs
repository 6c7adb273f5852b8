//! A process of the issuer whose clock is a day ahead ends sessions; the others, whose clocks are
//! right, let their subjects in again.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{NOW, SECRET, World, claims, config, get, introspect, issuer_of, post, refresh, secrets, text};
use portcullis::{UnixSeconds, Verifier, issuer::Issuer};
use serde_json::{Value, json};

const DAY: u64 = 86_400;

fn issuer() -> Arc<Issuer> {
    let mut config = config();
    config["feedAccess"] = json!("public");
    issuer_of(&config, &secrets())
}

fn at(now: u64) -> UnixSeconds {
    UnixSeconds::new(now).unwrap()
}

fn edge(issuer: &Arc<Issuer>) -> Verifier {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let policy = json!({
        "issuers": [{
            "issuer": issuer_world::ISSUER, "audience": "https://api.example",
            "jwks": parse(&issuer.settings().jwks(at(NOW))),
        }],
        "revocation": { "jwks": parse(&issuer.settings().feed_jwks().unwrap()), "maxStalenessSeconds": 60 },
    });
    Verifier::from_json(&policy.to_string()).unwrap()
}

/// A process whose clock is a day ahead carries the command out.
fn by_fast_clock(world: &mut World, issuer: &Arc<Issuer>, command: &Value) {
    world.now += DAY;
    assert_eq!(world.run(issuer, command).status, 200);
    world.now -= DAY;
}

#[test]
fn a_subject_that_a_fast_clock_signed_out_signs_in_again_at_once() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let sign_in = json!({ "command": "startSession", "subject": "alice", "clientId": "app" });
    let before = world.run(&issuer, &sign_in).body;
    world.now += 10;
    by_fast_clock(&mut world, &issuer, &json!({ "command": "revoke", "sub": "alice" }));
    world.now += 10;
    // What began before is over.
    assert!(!world.is_active(&issuer, &before["access_token"]));
    assert_eq!(world.run(&issuer, &refresh(text(&before["refresh_token"]))).status, 400);
    for _ in 0..3 {
        let after = world.run(&issuer, &sign_in).body;
        let issued_at = claims(&after["access_token"])["iat"].as_u64().unwrap();
        assert!(issued_at <= world.now + 1, "{} s ahead", issued_at - world.now);
        assert!(world.is_active(&issuer, &after["access_token"]));
        assert_eq!(world.run(&issuer, &refresh(text(&after["refresh_token"]))).status, 200);
        world.now += 3600;
    }
    // By a right clock it is ended once more, for good.
    let last = world.run(&issuer, &sign_in).body;
    assert_eq!(world.run(&issuer, &json!({ "command": "revoke", "sub": "alice" })).status, 200);
    assert!(!world.is_active(&issuer, &last["access_token"]));
    let again = world.run(&issuer, &sign_in).body;
    assert!(world.is_active(&issuer, &again["access_token"]));
}

#[test]
fn an_edge_refuses_what_was_before_and_takes_what_comes_after() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let sign_in = json!({ "command": "startSession", "subject": "alice", "clientId": "app" });
    let before = text(&world.run(&issuer, &sign_in).body["access_token"]).to_owned();
    by_fast_clock(&mut world, &issuer, &json!({ "command": "revoke", "sub": "alice" }));
    world.now += 5;
    let mut edge = edge(&issuer);
    let list = world.run(&issuer, &get("/revocations", &[]));
    assert_eq!(list.status, 200);
    edge.apply_revocations(&list.text, at(world.now)).unwrap();
    assert_eq!(edge.verify(&before, at(world.now)).unwrap_err().code(), "issued-before-cutoff");
    world.now += 1;
    let after = text(&world.run(&issuer, &sign_in).body["access_token"]).to_owned();
    edge.verify(&after, at(world.now)).unwrap();
}

#[test]
fn a_client_that_a_fast_clock_cut_off_asks_again_at_once() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let own =
        post("/token", &[("grant_type", "client_credentials"), ("client_id", "service"), ("client_secret", SECRET)]);
    let before = world.run(&issuer, &own).body["access_token"].clone();
    world.now += 10;
    by_fast_clock(&mut world, &issuer, &json!({ "command": "revoke", "client_id": "service" }));
    world.now += 10;
    // A fault while the cutoff is settled is 503, and settles nothing twice.
    let steps = {
        let mut world = world.clone();
        let mut run = world.begin(&issuer, &own);
        assert_eq!(world.finish(&mut run).status, 200);
        run.asked
    };
    for fault in (0..steps).flat_map(|step| [issuer_world::Fault::Before(step), issuer_world::Fault::AfterCommit(step)])
    {
        let mut world = world.clone();
        world.faults = [fault].into();
        let first = world.run(&issuer, &own);
        world.faults.clear();
        assert!([200, 503].contains(&first.status), "{fault:?} {first:?}");
        let after = world.run(&issuer, &own).body["access_token"].clone();
        assert!(claims(&after)["iat"].as_u64().unwrap() <= world.now + 1, "{fault:?}");
        world.now += 100;
        assert!(world.is_active(&issuer, &after), "{fault:?}");
        assert_eq!(world.run(&issuer, &introspect(text(&before))).body, json!({ "active": false }), "{fault:?}");
    }
}
