//! Histories: stores that are restored, feed keys that change, other issuers; and what is kept for
//! how long.

use std::sync::Arc;

use portcullis::{
    Verifier,
    issuer::{Issuer, IssuerStep, StepResult},
};
use serde_json::{Value, json};

use crate::support::*;

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
        // Restored by a process that knows nothing, which goes on by so many versions before the
        // edge asks.
        let (mut world, mut edge, restored) = (backup.clone(), edge_like(&parts, &old.body), parts.process());
        for n in 0..further {
            let command = json!({ "command": "revoke", "sub": format!("restored {n}") });
            assert_eq!(world.run(&restored, &command).status, 200);
        }
        assert_eq!(world.run(&restored, &json!({ "command": "revoke", "client_id": "app" })).status, 200);
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
    let IssuerStep::Read { key } = exchange.step().clone() else { panic!() };
    exchange.resume(StepResult::Found(backup.entries.get(&key).cloned()), at(NOW));
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
fn another_issuers_cursor_under_the_same_key_begins_no_epoch() {
    let parts = Parts::new();
    let other = Parts { issuer: "https://other.example".to_owned(), ..Parts::new() };
    let other = Parts { feed: parts.feed.clone(), ..other };
    let (mut world, mut theirs) = (World::new(), World::new());
    let (issuer, their) = (parts.process(), other.process());
    for (world, issuer, times) in [(&mut world, &issuer, 1), (&mut theirs, &their, 5)] {
        for n in 0..times {
            world.run(issuer, &json!({ "command": "revoke", "sub": n.to_string() }));
        }
    }
    let epoch = claims(&world.run(&issuer, &get("")).body)["epoch"].clone();
    let pull = json!({ "method": "GET", "url": "https://other.example/revocations", "headers": [], "body": null });
    let cursor = claims(&theirs.run(&their, &pull).body)["cursor"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&issuer, &get(&format!("?since={cursor}"))).status, 410);
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
    // Afterwards nothing is kept of it. It may have had the longest token that there is.
    world.now += 86_400 + 300 + 91;
    world.sweep();
    assert!(!world.entries.keys().any(|key| key.starts_with("s/")));
}

#[test]
fn what_shows_that_there_is_no_such_session_is_kept_for_as_long_as_its_entry() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let unknown = json!({ "sid": "AQEBAQEBAQEBAQEBAQEBAQ" });
    for _ in 0..2 {
        assert_eq!(world.run(&issuer, &end(&unknown)).status, 200);
    }
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["tokens"], 1);
    world.now += 300 + 300;
    world.sweep();
    assert!(!world.entries.keys().any(|key| key.starts_with("s/")));
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["tokens"], 0);
}

fn is_due(world: &mut World, issuer: &Arc<Issuer>, request: &Value) -> bool {
    let mut exchange = world.begin(issuer, request);
    while !world.step(&mut exchange) {}
    match exchange.step() {
        IssuerStep::Done { tend, .. } => *tend,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_issuer_asks_to_be_tended_by_time_and_by_number_and_not_at_every_answer() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let due = |world: &mut World, request: &Value| is_due(world, &issuer, request);
    for command in ["tend", "visit"] {
        assert!(!is_due(&mut world, &parts.process(), &json!({ "command": command })), "{command} asks for itself");
    }
    // A process that nobody has heard of leaves its lifetimes beside its first answer.
    assert!(due(&mut world, &get("")) && !due(&mut world, &get("")));
    world.now += 29;
    assert!(!due(&mut world, &get("")));
    world.now += 1;
    assert!(due(&mut world, &get("")));
    assert!(!due(&mut world, &get("")));
    let times = (0..5001).filter(|n| due(&mut world, &json!({ "command": "revoke", "sub": n.to_string() })));
    assert_eq!(times.count(), 1);
}
