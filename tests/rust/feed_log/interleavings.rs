//! What happens between two steps: others act, a request's time ends, a store call takes long,
//! something cannot be carried out.

use std::collections::BTreeMap;

use portcullis::Alg;
use portcullis::internals::feed::{Feed, Known, Log, REGISTER, Revoked, Write};
use portcullis::issuer::{Exchange, IssuerStep, SigningKey, StepResult};
use serde_json::{Value, json};

use crate::support::*;

fn tend() -> Value {
    json!({ "command": "tend" })
}

fn all_of(subject: &str) -> Value {
    json!({ "command": "revoke", "sub": subject })
}

/// Steps until it asks for something of that kind.
fn until(world: &mut World, exchange: &mut Exchange, asks: impl Fn(&IssuerStep) -> bool) {
    while !asks(exchange.step()) {
        assert!(!world.step(exchange), "it has ended before");
    }
}

fn appends(step: &IssuerStep) -> bool {
    matches!(step, IssuerStep::Swap { key, .. } if key == REGISTER)
}

fn waits(step: &IssuerStep) -> bool {
    matches!(step, IssuerStep::Wait { .. })
}

#[test]
fn what_has_ended_all_sessions_ends_none_that_began_afterwards() {
    for command in [all_of("alice"), json!({ "command": "revoke", "client_id": "app" })] {
        let (parts, mut world) = (Parts::new(), World::new());
        let (one, two) = (parts.process(), parts.process());
        let old = world.start(&one, "alice");
        assert_eq!(world.run(&one, &command).status, 200);
        world.now += 5;
        let new = world.start(&one, "alice");
        world.now += 10;
        assert_eq!(world.run(&two, &tend()).status, 200);
        assert_eq!(world.refresh(&two, &old["refresh_token"]), 400, "{command}");
        assert_eq!(world.refresh(&two, &new["refresh_token"]), 200, "{command}");
        let mut edge = parts.edge(&[&parts.feed]);
        world.pull(&two, &mut edge).unwrap();
        assert!(is_refused(&edge, &old, world.now) && !is_refused(&edge, &new, world.now), "{command}");
    }
}

#[test]
fn a_session_that_a_copy_that_lags_knows_nothing_of_ends_all_the_same() {
    for lagging_reads in [1, 2, 5] {
        let (parts, mut world) = (Parts::new(), World::new());
        let issuer = parts.process();
        let session = world.start(&issuer, "alice");
        let mut exchange = world.begin(&issuer, &end(&session));
        let mut lagging = lagging_reads;
        while !matches!(exchange.step(), IssuerStep::Done { .. }) {
            let is_row = matches!(exchange.step(), IssuerStep::Read { key } if key.starts_with("s/"));
            if is_row && lagging > 0 {
                lagging -= 1;
                exchange.resume(StepResult::Found(None), at(world.now));
            } else {
                world.step(&mut exchange);
            }
        }
        assert_eq!(answer(&exchange).status, 200);
        assert_eq!(world.refresh(&issuer, &session["refresh_token"]), 400, "{lagging_reads}");
        let mut edge = parts.edge(&[&parts.feed]);
        world.pull(&issuer, &mut edge).unwrap();
        assert!(is_refused(&edge, &session, world.now), "{lagging_reads}");
        assert_eq!(lagging, 0, "no answer is believed that says there is no such session");
    }
}

#[test]
fn a_session_that_the_store_has_lost_ends_at_the_edges_and_never_begins_again() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let session = world.start(&issuer, "alice");
    let row = format!("s/{}", session["sid"].as_str().unwrap());
    world.entries.remove(&row);
    assert_eq!(world.run(&issuer, &end(&session)).status, 200);
    assert_eq!(world.refresh(&issuer, &session["refresh_token"]), 400);
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&issuer, &mut edge).unwrap();
    assert!(is_refused(&edge, &session, world.now));
    // Whoever restores the row from a copy without comparing its version is not stopped; a swap
    // from nothing is.
    assert_eq!(world.entries[&row].version, 1);
    world.now += 86_400 + 600;
    world.sweep();
    assert!(!world.entries.contains_key(&row), "it is kept for no longer than its access tokens");
}

#[test]
fn an_intent_that_cannot_be_carried_out_keeps_no_other_from_it() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions = ["alice", "bob"].map(|name| world.start(&issuer, name));
    let is_row_of_intents =
        |step: &IssuerStep| matches!(step, IssuerStep::Swap { key, .. } if key.starts_with("f/intent/"));
    for name in ["alice", "bob"] {
        let mut dies = world.begin(&issuer, &all_of(name));
        until(&mut world, &mut dies, is_row_of_intents);
        world.step(&mut dies);
    }
    let cutoff = "c/sub/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA".to_owned();
    world.entries.insert(cutoff.clone(), portcullis::issuer::StoreEntry { version: 1, value: "?".to_owned() });
    world.now += 15;
    let other = parts.process();
    assert_ne!(world.run(&other, &tend()).status, 200, "the operator hears of it");
    assert_eq!(world.refresh(&other, &sessions[1]["refresh_token"]), 400);
    world.entries.remove(&cutoff);
    assert_eq!(world.run(&other, &tend()).status, 200);
    assert_eq!(world.refresh(&other, &sessions[0]["refresh_token"]), 400);
}

#[test]
fn what_is_done_is_taken_out_of_its_row_after_a_tend_that_failed() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let session = world.start(&issuer, "alice");
    assert_eq!(world.run(&issuer, &end(&session)).status, 200);
    let is_open = |world: &World| {
        world.entries.iter().any(|(key, entry)| key.starts_with("f/intent/") && !entry.value.contains(r#""open":[]"#))
    };
    assert!(is_open(&world));
    world.broken = Some("f/intent/");
    assert_ne!(world.run(&issuer, &tend()).status, 200);
    world.broken = None;
    assert_eq!(world.run(&issuer, &tend()).status, 200);
    assert!(!is_open(&world));
}

#[test]
fn a_leader_whose_time_ends_fails_itself_and_nobody_who_waits_for_it() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..5).map(|n| world.start(&issuer, &format!("u{n}"))).collect();
    let mut leader = world.begin(&issuer, &end(&sessions[0]));
    until(&mut world, &mut leader, appends);
    let mut others: Vec<Exchange> = sessions[1..].iter().map(|session| world.begin(&issuer, &end(session))).collect();
    for other in &mut others {
        until(&mut world, other, waits);
    }
    // Those who wait are written with the lead of one of them, which ends too.
    let mut second = others.remove(0);
    for exchange in [&mut leader, &mut second] {
        until(&mut world, exchange, appends_or_waits);
        while !matches!(exchange.step(), IssuerStep::Done { .. }) {
            exchange.resume(StepResult::Unavailable, at(world.now));
        }
        assert_eq!(answer(exchange).status, 503);
    }
    for answer in together(&mut world, &mut others) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(world.run(&issuer, &tend()).status, 200);
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&issuer, &mut edge).unwrap();
    assert!(sessions.iter().all(|session| is_refused(&edge, session, NOW)), "also those that were answered 503");
}

fn appends_or_waits(step: &IssuerStep) -> bool {
    appends(step) || waits(step)
}

#[test]
fn whoever_cannot_wait_any_longer_takes_no_lead_from_one_at_work() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions: Vec<Value> = (0..3).map(|n| world.start(&issuer, &format!("u{n}"))).collect();
    let mut exchanges: Vec<Exchange> = sessions.iter().map(|session| world.begin(&issuer, &end(session))).collect();
    until(&mut world, &mut exchanges[0], appends);
    for exchange in &mut exchanges[1..] {
        until(&mut world, exchange, waits);
    }
    let mut late = exchanges.pop().unwrap();
    for steps in 0.. {
        if matches!(late.step(), IssuerStep::Done { .. }) {
            break;
        }
        assert!(steps < 20, "its time is over");
        late.resume(StepResult::Unavailable, at(world.now));
    }
    assert_eq!(answer(&late).status, 503);
    for answer in together(&mut world, &mut exchanges) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn a_list_is_as_old_as_its_reading() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let sessions = ["alice", "bob"].map(|name| world.start(&issuer, name));
    world.run(&issuer, &end(&sessions[0]));
    let mut pull = world.begin(&issuer, &get(""));
    let read = world.carry_out(pull.step());
    world.now += 1;
    assert_eq!(world.run(&issuer, &end(&sessions[1])).status, 200);
    world.now += 9;
    pull.resume(read, at(world.now));
    while !world.step(&mut pull) {}
    let list = claims(&answer(&pull).body);
    assert_eq!((&list["tokens"], &list["iat"]), (&json!(1), &json!(NOW)));
}

#[test]
fn a_delta_over_what_has_expired_names_the_signing_keys_that_were_taken_back() {
    let key = SigningKey::generate(Alg::EdDsa).unwrap();
    let feed = Feed::new(key, ISSUER, 300, &[]).unwrap();
    let mut rows: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let swap = |rows: &mut BTreeMap<String, (u64, String)>, write: Write| {
        rows.insert(write.key, (write.expected + 1, write.value));
    };
    let register = |rows: &BTreeMap<String, (u64, String)>| {
        Log::read(rows.get(REGISTER).map(|(version, value)| (*version, value.as_str())), None).unwrap()
    };
    for n in 0..8 {
        let names: Vec<String> = (0..990).map(|m| format!("{n}/{m}")).collect();
        let mut revoked: Vec<Revoked<'_>> = names.iter().map(|name| Revoked::Token(name)).collect();
        // The first segment outlives the second, which says that a key was taken back.
        match n {
            0 => revoked.push(Revoked::SubjectBefore("fast clock", at(NOW + 5000))),
            4 => revoked.push(Revoked::Key("stolen")),
            _ => {}
        }
        let now = at(if n == 7 { NOW + 700 } else { NOW });
        let append = feed.append(&register(&rows), &Known::default(), &revoked, [7; 16], now).unwrap();
        append.segment.into_iter().for_each(|segment| swap(&mut rows, segment));
        swap(&mut rows, append.register);
    }
    let (mut log, now) = (register(&rows), at(NOW + 700));
    let missing = log.missing(now);
    assert_eq!(missing.len(), 1, "one of two segments is left");
    for key in missing {
        log.take(&key, rows.get(&key).map(|(_, value)| value.as_str())).unwrap();
    }
    for since in ["1", "7"] {
        let delta = feed.answer(&log, feed.since(since).as_ref(), now).unwrap();
        assert_eq!((delta.status, &claims(&delta.body)["cutoffs"]), (200, &json!(1)), "since {since}");
    }
}
