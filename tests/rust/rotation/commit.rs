//! The way to the store: what is committed before an answer, and what a failing one is answered
//! with.

use portcullis::UnixSeconds;
use portcullis::internals::sessions::{
    event::EventKind,
    grant_error::GrantError,
    operation::{Operation, Outcome, StoreEntry, StoreResult, StoreStep},
    refresh_token::RefreshToken,
    row::{Row, Status},
    session::{Inspected, RefreshRequest, refresh},
    start::{Seed, start},
    store::{MemoryStore, Store, run},
};

use crate::support::*;

/// How much longer than its session a row is kept: the longest life of an access token by any
/// configuration, and the leeway of verifiers.
const KEPT: u64 = 86_400 + 300;

fn unavailable() -> StoreStep {
    StoreStep::Done { outcome: Outcome::Unavailable, events: Vec::new() }
}

fn done(outcome: Outcome) -> StoreStep {
    StoreStep::Done { outcome, events: Vec::new() }
}

fn read(row: &Row) -> StoreResult {
    StoreResult::Read(Some(versioned(9, row)))
}

fn asked(generation: u32) -> (Operation, RefreshRequest) {
    let request = request(token(&row(3), generation, &rules()));
    (Operation::refresh(request.clone()), request)
}

#[test]
fn whatever_call_fails_the_answer_is_try_again_and_trying_again_converges() {
    for (nth, after) in (1..=20).flat_map(|nth| [(nth, false), (nth, true)]) {
        let mut store = Faulty { after, ..Faulty::new() };
        let mut token = held(&begin_with(&mut store, 5, 0));
        store.nth = store.calls + nth;
        for seconds in (0..4).map(|round| round * (INTERVAL + 1)) {
            // At most one call fails, so the second try is the last.
            let mut tries = (0..2).map(|_| refresh_with(&mut store, token, seconds).0);
            let granted = tries.find(|outcome| match outcome {
                Outcome::Granted(_) => true,
                Outcome::Unavailable => false,
                other => panic!("call {nth}, after {after}: {other:?}"),
            });
            token = held(&granted.unwrap());
        }
        assert_eq!(token.generation(), 4);
        assert!(store.calls >= 16);
    }
}

#[test]
fn a_start_or_a_revocation_that_fails_is_answered_so_and_can_be_tried_again() {
    for (nth, after) in (1..=5).flat_map(|nth| [(nth, false), (nth, true)]) {
        let mut store = Faulty { after, nth, ..Faulty::new() };
        assert_eq!(begin_with(&mut store, 5, 0), Outcome::Unavailable);
        let first = match begin_with(&mut store, 5, 0) {
            // The row was inserted by the one that failed. Its seed serves once; another is drawn.
            Outcome::Unavailable => begin_with(&mut store, 6, 0),
            outcome => outcome,
        };
        let sid = held(&first).sid();
        let revoke = |store: &mut Faulty| run(store, Operation::revoke(sid), at(1), &rules()).0;
        store.nth = store.calls + 1 + nth % 2;
        assert_eq!((revoke(&mut store), revoke(&mut store)), (Outcome::Unavailable, Outcome::Revoked));
        assert_eq!(kept(&mut store, sid).unwrap().status, Status::Revoked);
    }
}

#[test]
fn nothing_is_granted_without_a_swap_and_a_lost_one_is_judged_again() {
    let (rules, key) = (rules(), row(3).sid.key());
    let (mut operation, _) = asked(3);
    assert_eq!(operation.begin(), StoreStep::Read { key: key.clone() });
    // An access token alone changes nothing; the row is swapped for itself.
    let ends_at = UnixSeconds::new(row(3).ends_at.get() + KEPT).unwrap();
    let swap = StoreStep::Swap { key: key.clone(), expected: 9, value: row(3).to_json(), ends_at };
    assert_eq!(operation.resume(read(&row(3)), at(9), &rules), swap);
    assert_eq!(operation.resume(StoreResult::Swapped(false), at(9), &rules), StoreStep::Read { key });
    let revoked = Row { status: Status::Revoked, ..row(3) };
    let refused = done(Outcome::Refused(GrantError::SessionRevoked));
    assert_eq!(operation.resume(read(&revoked), at(9), &rules), refused);
}

#[test]
fn races_are_bounded() {
    let (mut operation, _) = asked(3);
    let (mut rounds, mut step) = (0, operation.begin());
    while let StoreStep::Read { .. } = step {
        rounds += 1;
        // It names what was read now, however often it has lost.
        assert!(matches!(operation.resume(read(&row(3)), at(9), &rules()), StoreStep::Swap { expected: 9, .. }));
        step = operation.resume(StoreResult::Swapped(false), at(9), &rules());
    }
    assert_eq!((rounds, step), (8, unavailable()));
}

#[test]
fn a_revocation_loses_any_number_of_races_and_is_then_committed() {
    for mut operation in [Operation::revoke(row(3).sid), Operation::revoke_by_token(asked(3).1)] {
        let mut step = operation.begin();
        for _ in 0..1000 {
            assert!(matches!(step, StoreStep::Read { .. }));
            assert!(matches!(operation.resume(read(&row(3)), at(9), &rules()), StoreStep::Swap { expected: 9, .. }));
            step = operation.resume(StoreResult::Swapped(false), at(9), &rules());
        }
        let _ = operation.resume(read(&row(3)), at(9), &rules());
        let done = operation.resume(StoreResult::Swapped(true), at(9), &rules());
        assert!(matches!(done, StoreStep::Done { outcome: Outcome::Revoked, .. }), "{done:?}");
    }
}

#[test]
fn an_answer_to_no_question_grants_nothing() {
    let answers = || {
        [
            read(&row(3)),
            StoreResult::Read(None),
            StoreResult::Cutoffs([None, None]),
            StoreResult::Swapped(true),
            StoreResult::Swapped(false),
        ]
    };
    for wrong in answers() {
        let (mut operation, _) = asked(3);
        assert_eq!(operation.resume(wrong.clone(), at(9), &rules()), unavailable(), "before it began: {wrong:?}");
        let _ = operation.begin();
        if !matches!(wrong, StoreResult::Read(_)) {
            assert_eq!(operation.resume(wrong.clone(), at(9), &rules()), unavailable(), "for a row: {wrong:?}");
        }
        if !matches!(wrong, StoreResult::Swapped(_)) {
            let (mut operation, _) = asked(3);
            let _ = (operation.begin(), operation.resume(read(&row(3)), at(9), &rules()));
            assert_eq!(operation.resume(wrong.clone(), at(9), &rules()), unavailable(), "for a swap: {wrong:?}");
        }
    }
}

#[test]
fn a_value_that_cannot_be_read_is_an_error_of_storage_and_no_missing_session() {
    let sid = row(3).sid;
    let (refreshing, request) = asked(3);
    let inspecting = Operation::inspect(Inspected::Session(sid));
    for value in ["", "{}", "null", &row(3).to_json().replace(r#""v":1"#, r#""v":2"#)] {
        for mut operation in [
            refreshing.clone(),
            Operation::revoke(sid),
            Operation::revoke_by_token(request.clone()),
            inspecting.clone(),
        ] {
            let found = Some(StoreEntry { version: 9, value: value.to_owned() });
            let _ = operation.begin();
            assert_eq!(operation.resume(StoreResult::Read(found), at(9), &rules()), unavailable(), "{value}");
        }
    }
}

#[test]
fn the_event_is_reported_only_once_it_is_committed() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let token = held(&begin_with(&mut store, 5, 0));
    let events = |(outcome, events): (Outcome, Vec<portcullis::internals::sessions::event::Event>)| {
        (matches!(outcome, Outcome::Granted(_)), events.iter().map(|event| event.kind).collect::<Vec<_>>())
    };
    assert_eq!(events(refresh_with(&mut store, token, 0)), (true, vec![EventKind::Rotated]));
    assert_eq!(events(refresh_with(&mut store, token, 9)), (true, vec![EventKind::Replayed]));
    assert_eq!(events(refresh_with(&mut store, token, WINDOW + 1)), (true, vec![EventKind::ReplayedLate]));
    let revoked = run(&mut store, Operation::revoke(token.sid()), at(70), &rules);
    assert_eq!(revoked.1.iter().map(|event| event.kind).collect::<Vec<_>>(), [EventKind::Revoked]);
    assert_eq!(run(&mut store, Operation::revoke(token.sid()), at(70), &rules), (Outcome::Revoked, Vec::new()));
    for failing in 1..=2 {
        let mut store = Faulty::new();
        let token = held(&begin_with(&mut store, 5, 0));
        store.nth = store.calls + failing;
        assert_eq!(events(refresh_with(&mut store, token, 0)), (false, Vec::new()));
    }
}

#[test]
fn randomness_that_repeats_writes_over_nobody() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let sid = held(&begin_with(&mut store, 5, 0)).sid();
    assert_eq!(run(&mut store, Operation::revoke(sid), at(1), &rules).0, Outcome::Revoked);
    assert_eq!(begin_with(&mut store, 5, 0), Outcome::Unavailable);
    assert_eq!(kept(&mut store, sid).unwrap().status, Status::Revoked);
}

#[test]
fn ended_rows_are_swept_in_bounded_batches_and_never_come_back() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let tokens: Vec<RefreshToken> = (0..5).map(|byte| held(&begin_with(&mut store, byte, 0))).collect();
    // It can be revoked while one of its access tokens may be good.
    assert_eq!(store.sweep(at(IDLE + KEPT - 1), 9).unwrap(), 0);
    assert_eq!([3, 3, 3].map(|limit| store.sweep(at(IDLE + KEPT), limit).unwrap()), [3, 2, 0]);
    for token in tokens {
        assert_eq!(refresh_with(&mut store, token, 1).0, Outcome::Refused(GrantError::SessionMissing));
        let revoked = run(&mut store, Operation::revoke_by_token(request(token)), at(1), &rules).0;
        assert_eq!(revoked, Outcome::Refused(GrantError::SessionMissing));
        assert_eq!(kept(&mut store, token.sid()), None);
        assert!(!store.swap(&token.sid().key(), 1, &row(1).to_json(), at(IDLE)).unwrap());
    }
}

#[test]
fn no_text_of_the_machine_holds_a_token() {
    let rules = rules();
    let seed = Seed::new([1; 16], [0xca; 32]);
    let (row, grant) = start(&alice(), &seed, NO_CUTOFFS, at(0), &rules);
    let text = grant.refresh_token.as_ref().unwrap().as_str().to_owned();
    let token = RefreshToken::parse(&text).unwrap();
    let decision = refresh(Some(&row), &request(token), at(0), &rules);
    let next = granted(&decision).refresh_token.as_ref().unwrap().as_str().to_owned();
    let mut operation = Operation::refresh(request(token));
    let mut shown = format!("{operation:?} {:?}", operation.begin());
    // The step and its result carry the row to the store, salt and all: they are shown to nobody.
    let _ = operation.resume(StoreResult::Read(Some(versioned(1, &row))), at(0), &rules);
    shown += &format!(
        "{row:?} {grant:?} {decision:?} {operation:?} {rules:?} {}",
        decision.event.clone().unwrap().to_json()
    );
    // The first 33 characters name version, key and session; what follows is secret.
    for secret in [&text[33..], &next[33..], "202, 202", "7, 7, 7", "ysrKys"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
