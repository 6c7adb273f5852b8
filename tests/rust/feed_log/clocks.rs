//! Clocks that are wrong by a day, and configurations that follow one another: what was taken back
//! stays so.

use portcullis::issuer::{IssuerStep, StepResult};
use serde_json::{Value, json};

use crate::support::*;

const DAY: u64 = 86_400;

/// One after another, each a batch of its own.
fn revoke(world: &mut World, issuer: &std::sync::Arc<portcullis::issuer::Issuer>, names: &str, times: u32) {
    for n in 0..times {
        let command = json!({ "command": "revoke", "sub": format!("{names} {n}") });
        assert_eq!(world.run(issuer, &command).status, 200);
    }
}

/// A process whose clock is so far ahead does something.
fn ahead<T>(world: &mut World, seconds: u64, act: impl FnOnce(&mut World) -> T) -> T {
    world.now += seconds;
    let made = act(world);
    world.now -= seconds;
    made
}

fn past(world: &mut World, issuer: &std::sync::Arc<portcullis::issuer::Issuer>) -> u64 {
    let told = world.run(issuer, &json!({ "command": "visit" }));
    serde_json::from_str::<Value>(&told.body).unwrap()["past"].as_u64().unwrap()
}

fn segments(world: &World) -> Vec<String> {
    let is_segment = |key: &&String| key.starts_with("f/") && *key != "f/log" && !key.starts_with("f/intent/");
    world.entries.keys().filter(is_segment).cloned().collect()
}

fn is_refused_by_a_new_edge(parts: &Parts, world: &mut World, session: &Value) -> bool {
    let mut edge = parts.edge(&[&parts.feed]);
    world.pull(&parts.process(), &mut edge).unwrap();
    is_refused(&edge, session, world.now)
}

#[test]
fn a_process_whose_clock_is_a_day_ahead_takes_nothing_out_of_the_feed() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (right, fast) = (parts.process(), parts.process());
    let sessions: Vec<Value> = (0..2).map(|n| world.start(&right, &format!("u{n}"))).collect();
    assert_eq!(world.run(&right, &end(&sessions[0])).status, 200);
    revoke(&mut world, &right, "first", 880);
    assert_eq!(segments(&world).len(), 1, "the first end is in a segment");
    assert_eq!(world.run(&right, &end(&sessions[1])).status, 200);
    revoke(&mut world, &right, "second", 800);
    for round in 0..2 {
        // Alone for a while, until the tail becomes a segment, and in turns with right ones.
        ahead(&mut world, DAY, |world| revoke(world, &fast, &format!("fast {round}"), 130));
        world.now += 60;
        for session in &sessions {
            assert!(is_refused_by_a_new_edge(&parts, &mut world, session), "round {round}");
        }
        revoke(&mut world, &right, &format!("right {round}"), 2);
    }
    // Nothing that has ended is kept for that.
    world.now += 3 * DAY;
    for _ in 0..4 {
        world.now += 400;
        revoke(&mut world, &parts.process(), "last", 1);
    }
    let register = world.entries["f/log"].value.clone();
    assert!(register.contains(r#""segments":[]"#), "{}", &register[..200]);
}

#[test]
fn a_process_whose_clock_is_a_day_ahead_sweeps_nothing_that_another_needs() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (right, fast) = (parts.process(), parts.process());
    past(&mut world, &right);
    for _ in 0..3 {
        assert_eq!(ahead(&mut world, DAY, |world| past(world, &fast)), NOW);
    }
    world.now += 30;
    assert_eq!(past(&mut world, &right), NOW);
    assert_eq!(ahead(&mut world, DAY, |world| past(world, &fast)), NOW);
    // Who is alone sweeps by its own clock, as soon as nothing matters that others have left.
    for _ in 0..3 {
        world.now += 3600;
        past(&mut world, &right);
    }
    assert_eq!(past(&mut world, &right), world.now);
}

#[test]
fn requests_that_visit_at_once_by_one_clock_are_one_run() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    past(&mut world, &parts.process());
    let visit = json!({ "command": "visit" });
    for _ in 0..4 {
        world.now += 3600;
        let mut both: Vec<_> = (0..2).map(|_| world.begin(&issuer, &visit)).collect();
        together(&mut world, &mut both);
    }
    assert_eq!(past(&mut world, &issuer), world.now, "no other clock has been there for hours");
}

#[test]
fn what_a_process_whose_clock_is_a_day_ahead_has_left_undone_is_finished_at_once() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (right, fast) = (parts.process(), parts.process());
    let session = world.start(&right, "alice");
    ahead(&mut world, DAY, |world| {
        let mut dies = world.begin(&fast, &end(&session));
        while !matches!(dies.step(), IssuerStep::Swap { key, .. } if key.starts_with("s/")) {
            assert!(!world.step(&mut dies));
        }
    });
    assert_eq!(world.run(&right, &json!({ "command": "tend" })).status, 200);
    assert_eq!(world.refresh(&right, &session["refresh_token"]), 400);
    assert!(is_refused_by_a_new_edge(&parts, &mut world, &session));
}

#[test]
fn what_a_process_whose_clock_is_a_day_behind_takes_back_stays_in_the_feed_for_as_long() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (right, slow) = (parts.process(), parts.process());
    let session = world.start(&right, "alice");
    revoke(&mut world, &right, "before", 1);
    world.now -= DAY;
    assert_eq!(world.run(&slow, &end(&session)).status, 200);
    world.now += DAY + 250;
    assert!(is_refused_by_a_new_edge(&parts, &mut world, &session));
}

#[test]
fn a_segment_that_was_lost_before_its_time_begins_an_epoch_and_stops_no_reading() {
    for damaged in [None, Some("AAAA")] {
        let (parts, mut world) = (Parts::new(), World::new());
        let issuer = parts.process();
        let session = world.start(&issuer, "alice");
        assert_eq!(world.run(&issuer, &end(&session)).status, 200);
        let mut edge = parts.edge(&[&parts.feed]);
        world.pull(&issuer, &mut edge).unwrap();
        revoke(&mut world, &issuer, "u", 900);
        let before = claims(&world.run(&issuer, &get("")).body);
        let [segment] = segments(&world).try_into().unwrap();
        match damaged {
            None => drop(world.entries.remove(&segment)),
            Some(value) => world.entries.get_mut(&segment).unwrap().value = value.to_owned(),
        }
        let cold = parts.process();
        let mut exchange = world.begin(&cold, &get(""));
        while !world.step(&mut exchange) {}
        let IssuerStep::Done { response, events, .. } = exchange.step().clone() else { panic!() };
        assert_eq!(response.status, 200, "{damaged:?}");
        assert_eq!(events.iter().filter(|event| event["kind"] == "store_behind").count(), 1, "{events:?}");
        assert!(claims(&response.body)["epoch"].as_u64() > before["epoch"].as_u64());
        // An edge that holds it keeps it, and nobody begins another epoch.
        world.pull(&parts.process(), &mut edge).unwrap();
        assert!(is_refused(&edge, &session, NOW), "{damaged:?}");
        let again = claims(&world.run(&parts.process(), &get("")).body);
        assert_eq!(again["epoch"], claims(&response.body)["epoch"]);
        // The process that had read it before goes on.
        assert_eq!(world.run(&issuer, &get("")).status, 200);
        revoke(&mut world, &issuer, "after", 1);
    }
}

#[test]
fn a_segment_that_a_copy_that_lags_does_not_have_begins_no_epoch() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    revoke(&mut world, &issuer, "u", 900);
    let before = claims(&world.run(&issuer, &get("")).body);
    let mut exchange = world.begin(&parts.process(), &get(""));
    let [segment] = segments(&world).try_into().unwrap();
    let mut lagging = 5;
    while !matches!(exchange.step(), IssuerStep::Done { .. }) {
        match exchange.step().clone() {
            IssuerStep::ReadMany { keys } if lagging > 0 => {
                lagging -= 1;
                exchange.resume(StepResult::FoundMany(vec![None; keys.len()]), at(world.now));
            }
            IssuerStep::Read { key } if key == segment && lagging > 0 => {
                lagging -= 1;
                exchange.resume(StepResult::Found(None), at(world.now));
            }
            _ => drop(world.step(&mut exchange)),
        }
    }
    assert_eq!((lagging, answer(&exchange).status), (0, 200));
    let after = claims(&answer(&exchange).body);
    assert_eq!((&after["epoch"], &after["cutoffs"]), (&before["epoch"], &json!(900)));
}

#[test]
fn what_another_configuration_has_issued_is_taken_back_for_as_long_as_it_lives() {
    let old = Parts { sessions: json!({ "accessTokenSeconds": 3600 }), ..Parts::new() };
    let new = Parts { sessions: json!({ "accessTokenSeconds": 60 }), ..Parts::new() };
    let new = Parts { signing: old.signing.clone(), feed: old.feed.clone(), ..new };
    for warm in [true, false] {
        let mut world = World::new();
        let (before, after) = (old.process(), new.process());
        let session = world.start(&before, "alice");
        past(&mut world, &before);
        world.now += 30;
        if warm {
            past(&mut world, &after);
        }
        assert_eq!(world.run(&after, &end(&session)).status, 200);
        revoke(&mut world, &after, "u", 1000);
        world.now += 3500;
        revoke(&mut world, &after, "v", 1000);
        world.sweep();
        assert!(is_refused_by_a_new_edge(&new, &mut world, &session), "its token has 70 seconds to go; warm: {warm}");
        // Its row is remembered for as long, and what was is forgotten when it is over.
        assert_eq!(world.run(&after, &end(&session)).status, 200);
        for _ in 0..5 {
            world.now += 3600;
            past(&mut world, &new.process());
        }
        let last = world.start(&after, "bob");
        past(&mut world, &after);
        assert_eq!(world.run(&after, &end(&last)).status, 200);
        world.now += 60 + 300 + 1;
        assert_eq!(claims(&world.run(&after, &get("")).body)["tokens"], 0, "warm: {warm}");
    }
}

#[test]
fn a_configuration_that_lives_longer_is_heard_of_by_processes_that_have_visited_before() {
    let short = json!({ "accessTokenSeconds": 60, "idleSeconds": 3600, "absoluteSeconds": 3600 });
    let short = Parts { sessions: short, ..Parts::new() };
    let long = Parts { sessions: json!({ "accessTokenSeconds": 3600 }), ..Parts::new() };
    let long = Parts { signing: short.signing.clone(), feed: short.feed.clone(), ..long };
    let mut world = World::new();
    let (before, after) = (short.process(), long.process());
    // It has looked, revoked and visited before the longer lifetimes are deployed, and only then
    // ends what they have issued.
    revoke(&mut world, &before, "first", 1);
    past(&mut world, &before);
    world.now += 30;
    past(&mut world, &after);
    let [ended, cut] = ["alice", "bob"].map(|subject| world.start(&after, subject));
    assert_eq!(world.run(&before, &end(&ended)).status, 200);
    assert_eq!(world.run(&before, &json!({ "command": "revoke", "sub": "bob" })).status, 200);
    revoke(&mut world, &before, "u", 1000);
    world.now += 3500;
    revoke(&mut world, &after, "v", 1000);
    world.sweep();
    for session in [&ended, &cut] {
        assert!(is_refused_by_a_new_edge(&long, &mut world, session), "its token has 100 seconds to go");
    }
    world.now += 7 * DAY;
    world.sweep();
    assert_eq!(world.refresh(&long.process(), &cut["refresh_token"]), 400);
}

#[test]
fn lifetimes_that_the_store_does_not_tell_are_the_longest_and_are_asked_for_once_in_a_request() {
    let (parts, mut world) = (Parts::new(), World::new());
    let issuer = parts.process();
    let session = world.start(&issuer, "alice");
    for command in [end(&session), json!({ "command": "revoke", "sub": "bob" })] {
        let (mut exchange, mut asked) = (world.begin(&issuer, &command), 0);
        while !matches!(exchange.step(), IssuerStep::Done { .. }) {
            let is_fleet = match exchange.step() {
                IssuerStep::Read { key } => key == "p/fleet",
                IssuerStep::ReadMany { keys } => keys.iter().any(|key| key == "p/fleet"),
                _ => false,
            };
            if is_fleet {
                asked += 1;
                exchange.resume(StepResult::Unavailable, at(world.now));
            } else {
                world.step(&mut exchange);
            }
        }
        assert_eq!((answer(&exchange).status, asked), (200, 1), "{command}");
    }
    // The longest token that there is may be one of it.
    world.now += DAY;
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["tokens"], 1);
}

#[test]
fn a_row_of_the_processes_that_cannot_be_decoded_stops_sweeping_for_a_while_only() {
    let (parts, mut world) = (Parts { sessions: json!({ "accessTokenSeconds": 60 }), ..Parts::new() }, World::new());
    let issuer = parts.process();
    past(&mut world, &issuer);
    let fleet = world.entries.get_mut("p/fleet").unwrap();
    fleet.value = fleet.value.replace("\"v\":1", "\"v\":2");
    assert_eq!(past(&mut world, &issuer), 0);
    // Nobody knows what has been issued: what is taken back now is kept for the longest.
    let session = world.start(&issuer, "alice");
    assert_eq!(world.run(&issuer, &end(&session)).status, 200);
    world.now += DAY;
    assert_eq!(claims(&world.run(&issuer, &get("")).body)["tokens"], 1);
    for _ in 0..60 {
        world.now += 3600;
        past(&mut world, &issuer);
    }
    assert_eq!(past(&mut world, &issuer), world.now);
}

#[test]
fn the_log_is_read_although_a_later_version_has_written_more_into_its_register() {
    let (parts, mut world) = (Parts::new(), World::new());
    let session = world.start(&parts.process(), "alice");
    assert_eq!(world.run(&parts.process(), &end(&session)).status, 200);
    let register = world.entries.get_mut("f/log").unwrap();
    register.value = register.value.replace("{\"v\":1", "{\"more\":[],\"v\":1");
    assert!(is_refused_by_a_new_edge(&parts, &mut world, &session));
    revoke(&mut world, &parts.process(), "u", 1);
}

#[test]
fn workers_and_restarts_on_a_host_whose_clock_is_a_day_ahead_are_one_clock() {
    let (parts, mut world) = (Parts::new(), World::new());
    past(&mut world, &parts.process());
    for worker in 0..8 {
        let fast = parts.process();
        assert!(ahead(&mut world, DAY, |world| past(world, &fast)) <= world.now, "worker {worker}");
        world.now += 1;
    }
    let ends = ahead(&mut world, DAY, |world| {
        (0..8).for_each(|_| revoke(world, &parts.process(), "u", 1));
        world.entries["f/log"].value.clone()
    });
    assert!(ends.contains(&format!("\"others\":[],\"since\":{}", world.now + DAY)), "{ends}");
}

#[test]
fn the_first_clock_that_a_row_hears_of_is_not_believed() {
    let (parts, mut world) = (Parts::new(), World::new());
    assert_eq!(ahead(&mut world, DAY, |world| past(world, &parts.process())), 0);
    assert!(past(&mut world, &parts.process()) <= world.now);
}

#[test]
fn a_clock_that_has_stopped_stops_no_sweeping() {
    let (parts, mut world) = (Parts::new(), World::new());
    let (right, stopped) = (parts.process(), parts.process());
    let mut last = 0;
    for _ in 0..20 * 24 {
        world.now += 3600;
        last = past(&mut world, &right);
        let now = core::mem::replace(&mut world.now, NOW);
        assert!(past(&mut world, &stopped) <= now);
        world.now = now;
    }
    assert!((world.now - 3 * DAY..world.now).contains(&last), "{} seconds ago", world.now - last);
}

#[test]
fn a_cutoff_outlives_the_sessions_of_a_configuration_under_which_they_lasted_longer() {
    let old = Parts::new();
    let new = Parts { sessions: json!({ "idleSeconds": 3600, "absoluteSeconds": 3600 }), ..Parts::new() };
    let new = Parts { signing: old.signing.clone(), feed: old.feed.clone(), ..new };
    for warm in [true, false] {
        let mut world = World::new();
        let (before, after) = (old.process(), new.process());
        let session = world.start(&before, "alice");
        past(&mut world, &before);
        if warm {
            past(&mut world, &after);
        }
        assert_eq!(world.run(&after, &json!({ "command": "revoke", "sub": "alice" })).status, 200);
        // A week later the deployment is taken back.
        world.now += 7 * DAY;
        world.sweep();
        assert_eq!(world.refresh(&old.process(), &session["refresh_token"]), 400, "warm: {warm}");
    }
}
