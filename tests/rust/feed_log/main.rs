//! The log of revocations, through the issuer's own exchanges: many at once, cut off anywhere,
//! over a store that fails, lags and is restored.

mod clocks;
mod epochs;
mod interleavings;
mod support;

use portcullis::issuer::Exchange;
use serde_json::{Value, json};

use crate::support::*;

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
    let all = json!({ "command": "revoke", "sub": "victim" });
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
    let all = json!({ "command": "revoke", "sub": "alice" });
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
        let command = json!({ "command": "revoke", "sub": format!("u{n}") });
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
        world.run(&issuer, &json!({ "command": "revoke", "sub": format!("u{n}") }));
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
