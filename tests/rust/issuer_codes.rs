//! Authorization codes: one redemption is answered, a second use ends what came of the first, and
//! an error of the store is none of the client's. Redemptions are stopped between any two steps,
//! overlap in any order, fail at any step, and are never heard of again.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{Fault, NOW, Run, TestResponse, World, config, issuer_of, post, refresh, secrets, text};
use portcullis::issuer::Issuer;
use serde_json::{Value, json};

// RFC 7636 appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A world with a code in it, and the request that redeems it.
fn minted() -> (Arc<Issuer>, World, Value) {
    let issuer = issuer_of(&config(), &secrets());
    let mut world = World::at(NOW);
    let command = json!({
        "command": "mintCode", "subject": "alice", "clientId": "app", "redirectUri": "https://app.example/back",
        "codeChallenge": CHALLENGE,
    });
    let code = world.run(&issuer, &command).body["code"].clone();
    let redeem = post(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", text(&code)),
            ("redirect_uri", "https://app.example/back"),
            ("code_verifier", VERIFIER),
        ],
    );
    (issuer, world, redeem)
}

fn is_used(answer: &TestResponse) -> bool {
    answer.status == 400 && answer.body["error"] == "invalid_grant"
}

/// What was granted is over: its access token is not active, and its refresh token yields nothing.
fn assert_dead(world: &World, issuer: &Arc<Issuer>, granted: &TestResponse, title: &str) {
    let mut world = world.clone();
    assert!(!world.is_active(issuer, &granted.body["access_token"]), "{title}: the access token lives");
    let again = world.run(issuer, &refresh(text(&granted.body["refresh_token"])));
    assert_eq!((again.status, &again.body["error"]), (400, &json!("invalid_grant")), "{title}: it refreshes");
}

fn assert_alive(world: &World, issuer: &Arc<Issuer>, granted: &TestResponse, title: &str) {
    let mut world = world.clone();
    assert!(world.is_active(issuer, &granted.body["access_token"]), "{title}: the access token is dead");
    assert_eq!(world.run(issuer, &refresh(text(&granted.body["refresh_token"]))).status, 200, "{title}");
}

/// Sends a request again while it is told to.
fn until_answered(world: &mut World, issuer: &Arc<Issuer>, redeem: &Value, first: TestResponse) -> TestResponse {
    let mut answer = first;
    for _ in 0..4 {
        if answer.status != 503 {
            return answer;
        }
        assert!(answer.headers.iter().any(|(name, _)| *name == "retry-after"));
        answer = world.run(issuer, redeem);
    }
    answer
}

fn steps(issuer: &Arc<Issuer>, world: &World, redeem: &Value) -> usize {
    let mut world = world.clone();
    let mut run = world.begin(issuer, redeem);
    assert_eq!(world.finish(&mut run).status, 200);
    run.asked
}

#[test]
fn a_second_use_ends_the_session_and_a_third_finds_it_ended() {
    let (issuer, mut world, redeem) = minted();
    let granted = world.run(&issuer, &redeem);
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_alive(&world, &issuer, &granted, "the first");
    for _ in 0..2 {
        let second = world.run(&issuer, &redeem);
        assert!(is_used(&second), "{second:?}");
        assert_dead(&world, &issuer, &granted, "after the second");
    }
    // Long after the code itself has expired it is still the same code.
    let (issuer, mut world, redeem) = minted();
    let granted = world.run(&issuer, &redeem);
    world.now += 3600;
    assert!(is_used(&world.run(&issuer, &redeem)));
    assert_dead(&world, &issuer, &granted, "an hour later");
}

#[test]
fn of_two_redemptions_in_any_order_of_their_steps_one_is_answered_and_the_other_ends_its_session() {
    let (issuer, before, redeem) = minted();
    let most = steps(&issuer, &before, &redeem) + 1;
    let mut ended = 0;
    for (first, second, third) in
        (0..=most).flat_map(|a| (0..=most).flat_map(move |b| [1, 2, 4, most].map(|c| (a, b, c))))
    {
        let title = format!("A {first}, B {second}, A {third}, then B, then A");
        let mut world = before.clone();
        let mut runs = [world.begin(&issuer, &redeem), world.begin(&issuer, &redeem)];
        let mut answers: [Option<TestResponse>; 2] = [None, None];
        let mut go = |world: &mut World, who: usize, steps: usize| {
            for _ in 0..steps {
                if answers[who].is_none() {
                    answers[who] = world.step(&mut runs[who]);
                }
            }
        };
        go(&mut world, 0, first);
        go(&mut world, 1, second);
        go(&mut world, 0, third);
        go(&mut world, 1, 200);
        go(&mut world, 0, 200);
        let [a, b] = answers.map(Option::unwrap);
        let (a, b) = (until_answered(&mut world, &issuer, &redeem, a), until_answered(&mut world, &issuer, &redeem, b));
        let granted: Vec<&TestResponse> = [&a, &b].into_iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(granted.len(), 1, "{title}: {a:?} {b:?}");
        assert!(is_used(&a) || is_used(&b), "{title}: {a:?} {b:?}");
        assert_dead(&world, &issuer, granted[0], &title);
        ended += 1;
    }
    assert!(ended > 200, "{ended}");
}

#[test]
fn a_redemption_that_is_never_heard_of_again_leaves_the_code_to_its_retry_or_a_session_that_is_dead() {
    let (issuer, before, redeem) = minted();
    let most = steps(&issuer, &before, &redeem);
    let (mut resumed, mut refused) = (0, 0);
    for stopped in 0..=most {
        // It may have been answered, or its answer lost: nobody can tell which.
        let mut world = before.clone();
        let mut run: Run = world.begin(&issuer, &redeem);
        for _ in 0..stopped {
            assert!(world.step(&mut run).is_none());
        }
        drop(run);
        let answer = world.run(&issuer, &redeem);
        if answer.status == 200 {
            assert_alive(&world, &issuer, &answer, &format!("stopped at {stopped}"));
            let again = world.run(&issuer, &redeem);
            assert!(is_used(&again), "stopped at {stopped}: {again:?}");
            assert_dead(&world, &issuer, &answer, &format!("stopped at {stopped}"));
            resumed += 1;
        } else {
            assert!(is_used(&answer), "stopped at {stopped}: {answer:?}");
            let rows: Vec<&str> = rows(&world);
            assert!(rows.iter().all(|row| row.contains(r#""status":"revoked""#)), "stopped at {stopped}: {rows:?}");
            refused += 1;
        }
    }
    assert_eq!((resumed, refused), (most, 1), "only what may have been answered is over");
}

fn rows(world: &World) -> Vec<&str> {
    let sessions = world.entries.iter().filter(|(key, _)| key.starts_with("s/"));
    sessions.map(|(_, entry)| entry.value.as_str()).collect()
}

#[test]
fn a_store_that_fails_at_any_step_of_a_redemption_is_503_and_the_retry_gets_the_session() {
    let (issuer, before, redeem) = minted();
    let most = steps(&issuer, &before, &redeem);
    let mut denied = 0;
    for fault in (0..most).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
        let mut world = before.clone();
        world.faults = [fault].into();
        let first = world.run(&issuer, &redeem);
        world.faults.clear();
        assert!([200, 503].contains(&first.status), "{fault:?}: {first:?}");
        denied += usize::from(first.status == 503);
        let answer = until_answered(&mut world, &issuer, &redeem, first);
        assert_eq!(answer.status, 200, "{fault:?}: {answer:?}");
        assert_alive(&world, &issuer, &answer, &format!("{fault:?}"));
        assert_eq!(rows(&world).len(), 1, "{fault:?}: one code, one session");
        assert!(is_used(&world.run(&issuer, &redeem)), "{fault:?}");
        assert_dead(&world, &issuer, &answer, &format!("{fault:?}"));
    }
    assert!(denied >= most / 2, "{denied}");
}

#[test]
fn two_faults_never_make_two_answers_of_one_code() {
    let (issuer, before, redeem) = minted();
    let most = steps(&issuer, &before, &redeem) + 2;
    let faults: Vec<Fault> = (0..most).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]).collect();
    let mut over = Vec::new();
    for (index, one) in faults.iter().enumerate() {
        for other in &faults[index..] {
            let mut world = before.clone();
            world.faults = [*one, *other].into();
            let first = world.run(&issuer, &redeem);
            world.faults.clear();
            let answer = until_answered(&mut world, &issuer, &redeem, first);
            if answer.status == 200 {
                assert_alive(&world, &issuer, &answer, &format!("{one:?} {other:?}"));
                continue;
            }
            assert!(is_used(&answer), "{one:?} {other:?}: {answer:?}");
            assert!(rows(&world).iter().all(|row| row.contains("revoked")), "{one:?} {other:?}");
            over.push((*one, *other));
        }
    }
    // The mark of the answer was written, that was not told, and neither was it when it was looked
    // for.
    assert!(over.len() <= 1, "{over:?}");
}

#[test]
fn a_second_use_that_fails_at_any_step_can_be_sent_again_and_ends_the_session() {
    let (issuer, mut before, redeem) = minted();
    let granted = before.run(&issuer, &redeem);
    let most = {
        let mut world = before.clone();
        let mut run = world.begin(&issuer, &redeem);
        assert!(is_used(&world.finish(&mut run)));
        run.asked
    };
    for fault in (0..most).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
        let mut world = before.clone();
        world.faults = [fault].into();
        let first = world.run(&issuer, &redeem);
        world.faults.clear();
        let answer = until_answered(&mut world, &issuer, &redeem, first);
        assert!(is_used(&answer), "{fault:?}: {answer:?}");
        assert_dead(&world, &issuer, &granted, &format!("{fault:?}"));
    }
}
