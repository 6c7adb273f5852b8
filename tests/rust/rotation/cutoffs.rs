//! The end of all sessions of a subject or a client at once.

use portcullis::internals::sessions::{
    cutoff::{Cutoff, Party},
    event::{Event, EventKind},
    grant_error::GrantError,
    operation::{Operation, Outcome, StoreEntry, StoreResult, StoreStep},
    row::Status,
    session::Inspected,
    start::Seed,
    store::{MemoryStore, Store, run},
};

use crate::support::*;

const REVOKED: Outcome = Outcome::Refused(GrantError::SessionRevoked);

fn parties() -> [Party; 2] {
    [Party::Subject("alice".into()), Party::Client("app".into())]
}

fn cut_off(store: &mut impl Store, party: &Party, seconds: u64) -> Outcome {
    run(store, Operation::cut_off(party.clone()), at(seconds), &rules()).0
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn a_cutoff_ends_the_sessions_that_began_before_and_no_other() {
    for party in parties() {
        let mut store = MemoryStore::default();
        let old = held(&begin_with(&mut store, 1, 0));
        let Outcome::CutOff(cutoff) = cut_off(&mut store, &party, 5) else { panic!("no cutoff") };
        assert_eq!(cutoff.instant(), at(6));
        // The same second: whoever signs in again after it is let in, with a token that the edge
        // lets in.
        let outcome = begin_with(&mut store, 2, 5);
        let Outcome::Granted(grant) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(grant.issued_at, at(6));
        let new = held(&outcome);
        let (outcome, events) = refresh_with(&mut store, old, 5);
        assert_eq!((outcome, kinds(&events)), (REVOKED, vec![EventKind::Rotated, EventKind::Revoked]));
        assert_eq!(kept(&mut store, old.sid()).unwrap().status, Status::Revoked);
        assert_eq!(refresh_with(&mut store, old, 5), (REVOKED, Vec::new()));
        assert!(matches!(refresh_with(&mut store, new, 5).0, Outcome::Granted(_)));
    }
}

#[test]
fn the_cutoff_of_another_ends_nothing() {
    let mut store = MemoryStore::default();
    let token = held(&begin_with(&mut store, 1, 0));
    for party in [Party::Subject("app".into()), Party::Client("alice".into()), Party::Subject("Alice".into())] {
        assert!(matches!(cut_off(&mut store, &party, 5), Outcome::CutOff(_)));
    }
    assert!(matches!(refresh_with(&mut store, token, 5).0, Outcome::Granted(_)));
}

#[test]
fn a_clock_that_was_put_back_brings_no_session_to_life() {
    let mut store = MemoryStore::default();
    let [subject, _] = parties();
    let first = held(&begin_with(&mut store, 1, 3600));
    assert!(matches!(cut_off(&mut store, &subject, 0), Outcome::CutOff(_)));
    assert_eq!(refresh_with(&mut store, first, 0).0, REVOKED);
    // Begun under a cutoff that lies ahead, and ended by the next although the clock has not
    // reached the first.
    assert!(matches!(cut_off(&mut store, &subject, 3600), Outcome::CutOff(_)));
    let second = held(&begin_with(&mut store, 2, 0));
    assert!(matches!(refresh_with(&mut store, second, 0).0, Outcome::Granted(_)));
    assert!(matches!(cut_off(&mut store, &subject, 0), Outcome::CutOff(_)));
    assert_eq!(refresh_with(&mut store, second, 0).0, REVOKED);
}

/// Runs an operation whose subject is cut off just before the step that `until` finds.
fn cut_off_before(mut operation: Operation, store: &mut MemoryStore, until: fn(&StoreStep) -> bool) -> Outcome {
    let mut step = operation.begin();
    let mut cut = false;
    loop {
        if !cut && until(&step) {
            cut = true;
            assert!(matches!(cut_off(store, &parties()[0], 0), Outcome::CutOff(_)));
        }
        let result = match step {
            StoreStep::Read { key } => StoreResult::Read(store.read(&key).unwrap()),
            StoreStep::ReadCutoffs { keys } => StoreResult::Cutoffs(keys.map(|key| store.read(&key).unwrap())),
            StoreStep::Swap { key, expected, value, ends_at } => {
                StoreResult::Swapped(store.swap(&key, expected, &value, ends_at).unwrap())
            }
            StoreStep::Done { outcome, .. } => {
                assert!(cut);
                return outcome;
            }
        };
        step = operation.resume(result, at(0), &rules());
    }
}

#[test]
fn nothing_is_granted_after_a_cutoff_wherever_it_falls() {
    let steps: [fn(&StoreStep) -> bool; 3] = [
        |step| matches!(step, StoreStep::Read { .. }),
        |step| matches!(step, StoreStep::Swap { .. }),
        |step| matches!(step, StoreStep::ReadCutoffs { .. }),
    ];
    for until in steps {
        let mut store = MemoryStore::default();
        let token = held(&begin_with(&mut store, 1, 0));
        assert_eq!(cut_off_before(Operation::refresh(request(token)), &mut store, until), REVOKED);
    }
    // A session that begins meanwhile: before its cutoffs are read it begins under the new one,
    // after that it is over.
    let start = || Operation::start(alice(), Seed::new([1; 16], [1; 32])).unwrap();
    let mut store = MemoryStore::default();
    assert!(matches!(cut_off_before(start(), &mut store, steps[2]), Outcome::Granted(_)));
    let mut store = MemoryStore::default();
    assert_eq!(cut_off_before(start(), &mut store, steps[1]), REVOKED);
    assert_eq!(kept(&mut store, row(0).sid).map(|row| row.status), None);
}

#[test]
fn cutoffs_that_are_missing_or_unreadable_grant_nothing() {
    let mut store = MemoryStore::default();
    let [subject, client] = parties();
    let before = store.clone();
    assert!(matches!(cut_off(&mut store, &subject, 0), Outcome::CutOff(_)));
    let token = held(&begin_with(&mut store, 1, 0));
    let row = kept(&mut store, token.sid()).unwrap();
    // The store has lost the cutoff that this session began under, and who knows which others.
    let mut behind = before;
    assert!(behind.swap(&token.sid().key(), 0, &row.to_json(), row.ends_at).unwrap());
    let (outcome, events) = refresh_with(&mut behind, token, 0);
    assert_eq!(
        (outcome, kinds(&events)),
        (Outcome::Refused(GrantError::StoreBehind), vec![EventKind::Rotated, EventKind::StoreBehind])
    );
    assert_eq!(kept(&mut behind, token.sid()).unwrap().status, Status::Active);

    assert!(store.swap(&client.key(), 0, r#"{"v":2,"cutoff":1}"#, at(0)).unwrap());
    assert_eq!(refresh_with(&mut store, token, 0).0, Outcome::Unavailable);
    assert_eq!(begin_with(&mut store, 2, 0), Outcome::Unavailable);
    assert_eq!(cut_off(&mut store, &client, 0), Outcome::Unavailable);
}

#[test]
fn a_cutoff_is_moved_on_by_whoever_wins_and_then_by_the_other() {
    let (rules, party) = (rules(), Party::Subject("alice".into()));
    let mut operation = Operation::cut_off(party.clone());
    assert_eq!(operation.begin(), StoreStep::Read { key: party.key() });
    let StoreStep::Swap { expected, value, ends_at, .. } = operation.resume(StoreResult::Read(None), at(0), &rules)
    else {
        panic!("no swap")
    };
    let first = Cutoff::NONE.next(at(0)).unwrap();
    assert_eq!((expected, &value), (0, &first.to_json()));
    assert!(ends_at > at(ABSOLUTE + 3600));
    assert_eq!(operation.resume(StoreResult::Swapped(false), at(0), &rules), StoreStep::Read { key: party.key() });
    let found = StoreResult::Read(Some(StoreEntry { version: 1, value }));
    assert!(matches!(operation.resume(found, at(0), &rules), StoreStep::Swap { expected: 1, .. }));
    let step = operation.resume(StoreResult::Swapped(true), at(0), &rules);
    let StoreStep::Done { outcome, events } = step else { panic!("{step:?}") };
    assert_eq!((outcome, kinds(&events)), (Outcome::CutOff(first.next(at(0)).unwrap()), vec![EventKind::Revoked]));
}

#[test]
fn a_cutoff_that_was_reached_before_it_was_committed_is_moved_on() {
    let mut operation = Operation::cut_off(Party::Subject("alice".into()));
    let (mut step, mut rounds) = (operation.begin(), 0);
    // Begun at 0 and committed at 1, so that a token of second 1 may have been issued meanwhile.
    // The next allows for as long.
    while let StoreStep::Read { .. } = step {
        let StoreStep::Swap { value, .. } = operation.resume(StoreResult::Read(None), at(rounds), &rules()) else {
            panic!("no swap")
        };
        assert_eq!(Cutoff::from_json(&value).unwrap().instant(), at(2 * rounds + 1));
        step = operation.resume(StoreResult::Swapped(true), at(rounds + 1), &rules());
        rounds += 1;
    }
    let StoreStep::Done { outcome: Outcome::CutOff(cutoff), .. } = step else { panic!("{step:?}") };
    assert_eq!((rounds, cutoff.instant()), (2, at(3)));
}

#[test]
fn the_refusal_stands_when_the_session_could_not_be_revoked_for_it() {
    for failing in [false, true] {
        let mut store = Faulty { after: true, ..Faulty::new() };
        let token = held(&begin_with(&mut store, 1, 0));
        assert!(matches!(cut_off(&mut store, &parties()[1], 0), Outcome::CutOff(_)));
        // Row, swap, two cutoffs; the fifth call revokes.
        store.nth = if failing { store.calls + 5 } else { 0 };
        let (outcome, events) = refresh_with(&mut store, token, 0);
        assert_eq!((outcome, events.len()), (REVOKED, if failing { 1 } else { 2 }));
    }
}

#[test]
fn what_is_inspected_is_live_until_its_session_or_its_party_is_ended() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let token = held(&begin_with(&mut store, 1, 0));
    let look = |store: &mut MemoryStore| {
        [Inspected::Session(token.sid()), Inspected::Token(request(token))]
            .map(|inspected| run(store, Operation::inspect(inspected), at(1), &rules))
    };
    let before = store.clone();
    let row = kept(&mut store, token.sid()).unwrap();
    let live = (Outcome::Live(Box::new(row)), Vec::new());
    assert_eq!(look(&mut store), [live.clone(), live]);
    assert_eq!(format!("{store:?}"), format!("{before:?}"), "nothing is written");
    assert!(matches!(cut_off(&mut store, &parties()[0], 1), Outcome::CutOff(_)));
    assert_eq!(look(&mut store).map(|(outcome, _)| outcome), [REVOKED, REVOKED]);
}

#[test]
fn a_cutoff_stands_however_long_each_swap_takes() {
    for seconds in [1, 3, 14] {
        let mut store = MemoryStore::default();
        let mut operation = Operation::cut_off(Party::Subject("alice".into()));
        let (mut now, mut step, mut swaps) = (100, operation.begin(), 0);
        let cutoff = loop {
            let result = match step {
                StoreStep::Read { key } => StoreResult::Read(store.read(&key).unwrap()),
                StoreStep::Swap { key, expected, value, ends_at } => {
                    (now, swaps) = (now + seconds, swaps + 1);
                    StoreResult::Swapped(store.swap(&key, expected, &value, ends_at).unwrap())
                }
                StoreStep::Done { outcome: Outcome::CutOff(cutoff), .. } => break cutoff,
                other => panic!("{other:?}"),
            };
            step = operation.resume(result, at(now), &rules());
        };
        assert_eq!(swaps, 2, "{seconds}");
        assert_eq!(cutoff.instant(), at(now + 1), "as soon as it can be");
    }
}
