//! The session's state machine: its table a row a test, and its invariants over sequences that nobody wrote on purpose.

use portcullis::{
    UnixSeconds,
    issuer::{
        configuration::{Configuration, Settings},
        event::EventKind,
        grant::Grant,
        operation::{Operation, Outcome, Step, StoreError, Versioned},
        refresh_token::{IssuedRefreshToken, RefreshToken},
        refusal::Refusal,
        root_keys::{RootKey, RootKeys},
        row::{Row, Salt, Status},
        session::{Answer, Decision, RefreshRequest, Rules, refresh, revoke, revoke_by_token},
        start::{Seed, Start, start},
        store::{MemoryStore, StartError, Store, refresh_with, revoke_with, run, start_with},
    },
};
use proptest::prelude::*;

const START: u64 = 1_800_000_000;
/// Wr, D, Wc = Wr + 2·D, R, idle and absolute, in seconds.
const WINDOW: u64 = 60;
const DELAY: u64 = 15;
const INTERVAL: u64 = 90;
const LATE: u32 = 2;
const IDLE: u64 = 1000;
const ABSOLUTE: u64 = 5000;

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(START + seconds).unwrap()
}

fn rules_with(rotate_all: bool) -> Rules {
    let settings = Settings {
        replay_window_seconds: WINDOW,
        worst_delay_seconds: DELAY,
        late_replays: LATE,
        idle_seconds: IDLE,
        absolute_seconds: ABSOLUTE,
        rotate_all,
        ..Settings::default()
    };
    let roots = RootKeys::new(RootKey::new([7; 32], UnixSeconds::new(0).unwrap()));
    Rules { configuration: Configuration::new(settings).unwrap(), roots }
}

fn rules() -> Rules {
    rules_with(false)
}

fn alice() -> Start {
    Start {
        subject: "alice".into(),
        client: "app".into(),
        confidential: false,
        scope: Some("read write".into()),
        jkt: None,
        acr: Some("urn:mfa".into()),
        auth_time: None,
    }
}

fn begun(request: &Start, rules: &Rules) -> Row {
    start(request, &Seed::from_bytes([5; 48]), at(0), rules).unwrap().0
}

/// A session of an unbound public client at that generation, which began at second 0.
fn row(generation: u32) -> Row {
    Row { generation, ..begun(&alice(), &rules()) }
}

/// The token of a generation.
fn token(row: &Row, generation: u32, rules: &Rules) -> RefreshToken {
    RefreshToken::parse(&text(row, generation, rules)).unwrap()
}

fn text(row: &Row, generation: u32, rules: &Rules) -> String {
    IssuedRefreshToken::mint(row.sid, generation, &row.salt, &rules.roots, at(0)).as_str().to_owned()
}

fn request(token: RefreshToken) -> RefreshRequest {
    RefreshRequest { token, client: "app".into(), jkt: None, scope: None }
}

fn granted(decision: &Decision) -> &Grant {
    match &decision.answer {
        Answer::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

fn generation_of(grant: &Grant) -> Option<u32> {
    grant.refresh_token.as_ref().map(|token| RefreshToken::parse(token.as_str()).unwrap().generation())
}

fn refused(decision: &Decision) -> Refusal {
    match &decision.answer {
        Answer::Refused(refusal) => *refusal,
        other => panic!("{other:?}"),
    }
}

/// Judges the token of `presented` against a row at `seconds`.
fn judged(row: &Row, presented: u32, seconds: u64) -> Decision {
    refresh(Some(row), &request(token(row, presented, &rules())), at(seconds), &rules())
}

fn kind(decision: &Decision) -> Option<EventKind> {
    decision.event.as_ref().map(|event| event.kind)
}

// The table.

#[test]
fn no_row_or_one_that_was_revoked_or_has_ended_is_refused_and_stays_as_it_is() {
    let held = token(&row(3), 3, &rules());
    let missing = refresh(None, &request(held), at(100), &rules());
    assert_eq!((refused(&missing), missing.write), (Refusal::SessionMissing, None));
    let revoked = Row { status: Status::Revoked, ..row(3) };
    for presented in [0, 1, 2, 3, 4] {
        let decision = judged(&revoked, presented, 100);
        assert_eq!((refused(&decision), decision.write), (Refusal::SessionRevoked, None));
        let decision = judged(&row(3), presented, IDLE);
        assert_eq!((refused(&decision), decision.write), (Refusal::SessionEnded, None));
    }
    assert!(matches!(judged(&row(3), 3, IDLE - 1).answer, Answer::Granted(_)));
}

#[test]
fn a_token_ahead_of_the_store_is_refused_with_an_alarm_and_is_no_theft() {
    let decision = judged(&row(3), 4, 100);
    assert_eq!((refused(&decision), decision.write.as_ref()), (Refusal::StoreBehind, None));
    assert_eq!(kind(&decision), Some(EventKind::StoreBehind));
}

#[test]
fn the_current_token_rotates_after_the_interval() {
    let decision = judged(&row(3), 3, INTERVAL + 1);
    assert_eq!(generation_of(granted(&decision)), Some(4));
    assert_eq!(granted(&decision).generation, 4);
    let written = decision.write.clone().unwrap();
    assert_eq!((written.generation, written.rotated_at, written.mark), (4, at(INTERVAL + 1), false));
    assert_eq!(written.ends_at, at(INTERVAL + 1 + IDLE));
    assert_eq!(kind(&decision), Some(EventKind::Rotated));
}

#[test]
fn the_first_token_rotates_at_once() {
    assert_eq!(generation_of(granted(&judged(&row(0), 0, 0))), Some(1));
}

#[test]
fn a_rotation_keeps_the_streak_of_a_generation_that_was_replayed_and_clears_it_after_a_clean_one() {
    let streak = |mark| judged(&Row { mark, streak: 2, ..row(3) }, 3, INTERVAL + 1).write.unwrap().streak;
    assert_eq!((streak(true), streak(false)), (2, 0));
}

#[test]
fn the_current_token_yields_an_access_token_alone_within_the_interval() {
    for seconds in [0, INTERVAL] {
        let decision = judged(&row(3), 3, seconds);
        assert_eq!((generation_of(granted(&decision)), &decision.write, kind(&decision)), (None, &None, None));
    }
}

#[test]
fn a_replay_within_the_window_gets_the_current_token_again_and_is_marked_once() {
    for seconds in [0, WINDOW] {
        let decision = judged(&row(3), 2, seconds);
        assert_eq!((generation_of(granted(&decision)), kind(&decision)), (Some(3), Some(EventKind::Replayed)));
        assert_eq!(decision.write, Some(Row { mark: true, ..row(3) }));
        let again = judged(&decision.write.unwrap(), 2, seconds);
        assert_eq!((generation_of(granted(&again)), &again.write), (Some(3), &None));
    }
}

#[test]
fn a_late_replay_is_forgiven_as_often_as_configured_and_then_is_reuse() {
    for streak in 0..LATE {
        let decision = judged(&Row { streak, ..row(3) }, 2, WINDOW + 1);
        assert_eq!((generation_of(granted(&decision)), kind(&decision)), (Some(3), Some(EventKind::ReplayedLate)));
        let written = decision.write.unwrap();
        assert_eq!((written.streak, written.mark, written.rotated_at), (streak + 1, true, at(WINDOW + 1)));
    }
    let decision = judged(&Row { streak: LATE, ..row(3) }, 2, WINDOW + 1);
    assert_eq!((refused(&decision), kind(&decision)), (Refusal::ReuseDetected, Some(EventKind::ReuseDetected)));
    assert_eq!(decision.write.unwrap().status, Status::Revoked);
}

#[test]
fn a_sender_bound_session_is_forgiven_any_number_of_late_replays() {
    let rules = rules_with(true);
    let bound = Row { jkt: Some("J".into()), streak: LATE, ..row(3) };
    let request = RefreshRequest { jkt: Some("J".into()), ..request(token(&row(3), 2, &rules)) };
    let mut row = bound;
    for _ in 0..10 {
        let seconds = row.rotated_at.get() - START + WINDOW + 1;
        let decision = refresh(Some(&row), &request, at(seconds), &rules);
        assert_eq!(generation_of(granted(&decision)), Some(3));
        assert_eq!(granted(&decision).jkt.as_deref(), Some("J"));
        row = decision.write.unwrap();
    }
    // Two generations behind is reuse all the same.
    let old = RefreshRequest { token: token(&row, 1, &rules), ..request };
    assert_eq!(refused(&refresh(Some(&row), &old, row.rotated_at, &rules)), Refusal::ReuseDetected);
}

#[test]
fn an_older_token_revokes_the_session_at_any_age() {
    for (presented, seconds) in [(1, 0), (1, WINDOW), (0, INTERVAL + 1)] {
        let decision = judged(&row(3), presented, seconds);
        assert_eq!((refused(&decision), kind(&decision)), (Refusal::ReuseDetected, Some(EventKind::ReuseDetected)));
        assert_eq!(decision.write, Some(Row { status: Status::Revoked, ..row(3) }));
    }
}

// Who may present a token, and for what.

#[test]
fn another_client_or_key_is_refused_without_a_write_even_with_an_old_token() {
    for presented in [0, 2, 3] {
        let held = token(&row(3), presented, &rules());
        let elsewhere = RefreshRequest { client: "other".into(), ..request(held) };
        let decision = refresh(Some(&row(3)), &elsewhere, at(100), &rules());
        assert_eq!((refused(&decision), decision.write), (Refusal::ClientMismatch, None));
        let bound = Row { jkt: Some("J".into()), ..row(3) };
        for jkt in [None, Some("K".to_owned())] {
            let decision = refresh(Some(&bound), &RefreshRequest { jkt, ..request(held) }, at(100), &rules());
            assert_eq!((refused(&decision), decision.write), (Refusal::BindingMismatch, None));
        }
    }
}

#[test]
fn a_scope_narrows_the_access_token_and_leaves_the_session_as_it_was() {
    let scoped = |scope: &str, presented| {
        let asked = RefreshRequest { scope: Some(scope.into()), ..request(token(&row(3), presented, &rules())) };
        refresh(Some(&row(3)), &asked, at(INTERVAL + 1), &rules())
    };
    let decision = scoped("write", 3);
    assert_eq!(granted(&decision).scope.as_deref(), Some("write"));
    assert_eq!(decision.write.unwrap().scope.as_deref(), Some("read write"));
    for scope in ["admin", "read admin", "", "read  write"] {
        let decision = scoped(scope, 3);
        assert_eq!((refused(&decision), decision.write), (Refusal::ScopeInvalid, None));
    }
    // What is asked for does not hide a reuse.
    assert_eq!(refused(&scoped("admin", 1)), Refusal::ReuseDetected);
}

#[test]
fn a_session_that_does_not_rotate_keeps_its_token_and_its_idle_time_begins_again() {
    let rules = rules();
    let lasting = Start { confidential: true, ..alice() };
    let row = begun(&lasting, &rules);
    let held = token(&row, 0, &rules);
    let within = refresh(Some(&row), &request(held), at(INTERVAL), &rules);
    assert_eq!((generation_of(granted(&within)), within.write), (None, None));
    let after = refresh(Some(&row), &request(held), at(INTERVAL + 1), &rules);
    assert_eq!(generation_of(granted(&after)), None);
    let written = after.write.unwrap();
    assert_eq!(
        (written.generation, written.rotated_at, written.ends_at),
        (0, at(INTERVAL + 1), at(INTERVAL + 1 + IDLE))
    );
}

#[test]
fn a_token_is_minted_anew_under_the_newest_root_key() {
    let next = RootKey::new([8; 32], at(50));
    let kid = next.kid();
    let rules = Rules { roots: rules().roots.with_next(next).unwrap(), ..rules() };
    let held = token(&row(3), 3, &self::rules());
    let minted = |decision: &Decision| {
        let token = granted(decision).refresh_token.clone().unwrap();
        RefreshToken::parse(token.as_str()).unwrap().kid()
    };
    assert_ne!(held.kid(), kid);
    assert_eq!(minted(&refresh(Some(&row(3)), &request(held), at(INTERVAL + 1), &rules)), kid);
    let lasting = Row { rotates: false, generation: 0, ..row(0) };
    let held = token(&row(0), 0, &self::rules());
    assert_eq!(minted(&refresh(Some(&lasting), &request(held), at(60), &rules)), kid);
}

#[test]
fn an_access_token_never_outlives_its_session() {
    let old = Row { rotated_at: at(ABSOLUTE - 200), ends_at: at(ABSOLUTE), ..row(3) };
    assert_eq!(granted(&judged(&old, 3, ABSOLUTE - 100)).lifetime_seconds, 100);
    assert_eq!(judged(&old, 3, ABSOLUTE - 100).write.unwrap().ends_at, at(ABSOLUTE));
    assert_eq!(granted(&judged(&row(3), 3, 0)).lifetime_seconds, 300);
}

#[test]
fn revoking_is_absorbing_and_any_generation_of_its_own_client_may() {
    let decision = revoke(Some(&row(3)), at(9));
    assert_eq!((decision.answer.clone(), kind(&decision)), (Answer::Revoked, Some(EventKind::Revoked)));
    let revoked = decision.write.unwrap();
    assert_eq!(revoked, Row { status: Status::Revoked, ..row(3) });
    for nothing in [revoke(Some(&revoked), at(9)), revoke(None, at(9))] {
        assert_eq!((nothing.answer, nothing.write, nothing.event), (Answer::Revoked, None, None));
    }
    let by = |generation, client: &str| {
        let asked = RefreshRequest { client: client.into(), ..request(token(&row(3), generation, &rules())) };
        revoke_by_token(Some(&row(3)), &asked, at(9), &rules())
    };
    assert_eq!(by(0, "app").write, Some(revoked));
    assert_eq!((refused(&by(3, "other")), by(3, "other").write), (Refusal::ClientMismatch, None));
}

// The way to the store.

/// A store whose `nth` call fails: before anything is done, or after.
struct Faulty {
    store: MemoryStore,
    calls: u32,
    nth: u32,
    after: bool,
}

impl Faulty {
    fn call<T>(&mut self, call: impl FnOnce(&mut MemoryStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.calls += 1;
        if self.calls != self.nth {
            return call(&mut self.store);
        }
        if self.after {
            let _ = call(&mut self.store);
        }
        Err(StoreError)
    }
}

impl Store for Faulty {
    fn read(&mut self, sid: portcullis::issuer::session_id::SessionId) -> Result<Option<Versioned>, StoreError> {
        self.call(|store| store.read(sid))
    }

    fn swap(&mut self, expected: u64, row: &Row) -> Result<bool, StoreError> {
        self.call(|store| store.swap(expected, row))
    }

    fn sweep(&mut self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        self.call(|store| store.sweep(now, limit))
    }
}

fn first_token(grant: &Grant) -> RefreshToken {
    RefreshToken::parse(grant.refresh_token.as_ref().unwrap().as_str()).unwrap()
}

#[test]
fn whatever_call_fails_the_answer_is_try_again_and_trying_again_converges() {
    let rules = rules();
    for (nth, after) in (1..=8).flat_map(|nth| [(nth, false), (nth, true)]) {
        let mut store = Faulty { store: MemoryStore::default(), calls: 0, nth: 0, after };
        let mut held =
            first_token(&start_with(&mut store, &alice(), &Seed::from_bytes([5; 48]), at(0), &rules).unwrap());
        store.nth = store.calls + nth;
        for seconds in (0..4).map(|round| round * (INTERVAL + 1)) {
            // At most one call fails, so the second try is the last.
            let tries = (0..2).map(|_| refresh_with(&mut store, request(held), at(seconds), &rules).0);
            let grant = tries.filter_map(|outcome| match outcome {
                Outcome::Granted(grant) => Some(grant),
                Outcome::Unavailable => None,
                other => panic!("call {nth}, after {after}: {other:?}"),
            });
            held = first_token(&grant.take(1).next().unwrap());
        }
        assert_eq!(held.generation(), 4);
    }
}

#[test]
fn nothing_is_granted_without_a_swap_and_a_lost_one_is_judged_again() {
    let rules = rules();
    let mut operation = Operation::refresh(request(token(&row(3), 3, &rules)));
    let read = |row: Row| Ok(Some(Versioned { version: 9, row }));
    // An access token alone changes nothing; the row is swapped for itself.
    assert_eq!(operation.read(read(row(3)), at(9), &rules), Step::Swap { expected: 9, row: row(3) });
    assert_eq!(operation.swapped(Ok(false)), Step::Read);
    let revoked = Row { status: Status::Revoked, ..row(3) };
    let refused = Step::Done { outcome: Outcome::Refused(Refusal::SessionRevoked), event: None };
    assert_eq!(operation.read(read(revoked), at(9), &rules), refused);
}

#[test]
fn races_are_bounded_and_an_answer_to_no_question_grants_nothing() {
    let rules = rules();
    let mut operation = Operation::refresh(request(token(&row(3), 3, &rules)));
    let unavailable = Step::Done { outcome: Outcome::Unavailable, event: None };
    let mut rounds = 0;
    loop {
        rounds += 1;
        let step = operation.read(Ok(Some(Versioned { version: 1, row: row(3) })), at(9), &rules);
        assert!(matches!(step, Step::Swap { .. }));
        match operation.swapped(Ok(false)) {
            Step::Read => {}
            step => break assert_eq!(step, unavailable),
        }
    }
    assert_eq!(rounds, 8);
    for answer in [Ok(true), Ok(false), Err(StoreError)] {
        assert_eq!(Operation::refresh(request(token(&row(3), 3, &rules))).swapped(answer), unavailable);
    }
}

#[test]
fn randomness_that_repeats_writes_over_nobody() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let begin = |store: &mut MemoryStore| start_with(store, &alice(), &Seed::from_bytes([5; 48]), at(0), &rules);
    assert!(begin(&mut store).is_ok());
    let sid = row(0).sid;
    assert_eq!(revoke_with(&mut store, sid, at(1), &rules).0, Outcome::Revoked);
    assert_eq!(begin(&mut store), Err(StartError::Unavailable));
    assert_eq!(store.read(sid).unwrap().unwrap().row.status, Status::Revoked);
}

#[test]
fn ended_rows_are_swept_in_bounded_batches_and_never_come_back() {
    let (mut store, rules) = (MemoryStore::default(), rules());
    let mut held = Vec::new();
    for byte in 0..5 {
        let grant = start_with(&mut store, &alice(), &Seed::from_bytes([byte; 48]), at(0), &rules).unwrap();
        held.push(first_token(&grant));
    }
    assert_eq!(store.sweep(at(IDLE - 1), 9).unwrap(), 0);
    assert_eq!([3, 3, 3].map(|limit| store.sweep(at(IDLE), limit).unwrap()), [3, 2, 0]);
    for token in held {
        let outcome = refresh_with(&mut store, request(token), at(1), &rules).0;
        assert_eq!(outcome, Outcome::Refused(Refusal::SessionMissing));
        assert_eq!(
            run(&mut store, Operation::revoke_by_token(request(token)), at(1), &rules).0,
            Outcome::Refused(Refusal::SessionMissing)
        );
        assert_eq!(store.read(token.sid()).unwrap(), None);
        assert!(!store.swap(1, &Row { sid: token.sid(), ..row(1) }).unwrap());
    }
}

#[test]
fn no_text_of_the_machine_holds_a_token() {
    let rules = rules();
    // The first 16 bytes are the identifier, which is no secret; the others are the salt.
    let seed = Seed::from_bytes(core::array::from_fn(|index| if index < 16 { 1 } else { 0xca }));
    let (row, grant) = start(&alice(), &seed, at(0), &rules).unwrap();
    let text = grant.refresh_token.as_ref().unwrap().as_str().to_owned();
    let token = RefreshToken::parse(&text).unwrap();
    let decision = refresh(Some(&row), &request(token), at(0), &rules);
    let next = granted(&decision).refresh_token.as_ref().unwrap().as_str().to_owned();
    let mut operation = Operation::refresh(request(token));
    let step = operation.read(Ok(Some(Versioned { version: 1, row: row.clone() })), at(0), &rules);
    let shown = format!(
        "{row:?} {grant:?} {decision:?} {operation:?} {step:?} {rules:?} {}",
        decision.event.clone().unwrap().to_json()
    );
    // The first 33 characters name version, key and session; what follows is secret.
    for secret in [&text[33..], &next[33..], "202, 202", "7, 7, 7", "ysrKys"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

// P1 to P9 over sequences of anything.

/// What happens next to a session.
#[derive(Clone, Debug)]
enum Act {
    /// Somebody presents the token `behind` generations back (or ahead).
    Present {
        behind: i64,
        scope: Option<&'static str>,
        client: bool,
    },
    /// The same with a tag that was never made.
    Forge {
        generation: u32,
    },
    Wait(u64),
    SetBack(u64),
    Revoke,
    FailNext(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let scope = prop_oneof![4 => Just(None), 1 => Just(Some("read")), 1 => Just(Some("admin"))];
    prop_oneof![
        12 => (prop_oneof![5 => Just(0i64), 4 => Just(1), 1 => -1i64..4], scope, prop::bool::weighted(0.95))
            .prop_map(|(behind, scope, client)| Act::Present { behind, scope, client }),
        1 => (0..6u32).prop_map(|generation| Act::Forge { generation }),
        6 => prop_oneof![0..3u64, 55..65u64, 85..95u64, 0..400u64].prop_map(Act::Wait),
        1 => prop_oneof![1..100u64, Just(3600)].prop_map(Act::SetBack),
        1 => prop::bool::weighted(0.1).prop_filter_map("rarely", |revoke| revoke.then_some(Act::Revoke)),
        1 => any::<bool>().prop_map(Act::FailNext),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_invariants_hold_over_any_sequence(acts in prop::collection::vec(act(), 1..60)) {
        let rules = rules();
        let mut store = Faulty { store: MemoryStore::default(), calls: 0, nth: 0, after: false };
        let first = row(0);
        let tokens: Vec<RefreshToken> = (0..70).map(|generation| token(&first, generation, &rules)).collect();
        // Not at the beginning of time, so that the clock can be set back.
        let mut now = 4000;
        let begun = Row { expires_at: at(4000 + ABSOLUTE), ends_at: at(4000 + IDLE), rotated_at: at(4000), ..first.clone() };
        store.store.swap(0, &begun).unwrap();
        let (mut late, mut clean) = (0, true);
        for act in acts {
            let before = store.store.read(first.sid).unwrap().unwrap().row;
            let (outcome, presented) = match act {
                Act::Wait(seconds) => { now += seconds; continue }
                Act::SetBack(seconds) => { now = now.saturating_sub(seconds); continue }
                Act::FailNext(after) => { (store.nth, store.after) = (store.calls + 1 + u32::from(after), after); continue }
                Act::Revoke => (run(&mut store, Operation::revoke(first.sid), at(now), &rules).0, None),
                Act::Forge { generation } => {
                    let forged = token(&Row { salt: Salt::from_bytes([1; 32]), ..first.clone() }, generation, &rules);
                    (refresh_with(&mut store, request(forged), at(now), &rules).0, None)
                }
                Act::Present { behind, scope, client } => {
                    let generation = i64::from(before.generation) - behind;
                    let Some(token) = usize::try_from(generation).ok().and_then(|index| tokens.get(index)) else { continue };
                    let client = if client { "app" } else { "other" };
                    let asked = RefreshRequest { client: client.into(), scope: scope.map(str::to_owned), ..request(*token) };
                    (refresh_with(&mut store, asked, at(now), &rules).0, (client == "app").then_some(behind))
                }
            };
            let after = store.store.read(first.sid).unwrap().unwrap().row;
            let age = at(now).get().saturating_sub(before.rotated_at.get());
            let alive = before.status == Status::Active && before.ends_at > at(now);

            // P1: gen never falls and never skips.
            prop_assert!(after.generation == before.generation || after.generation == before.generation + 1);
            // P2: what does not authenticate, or is another client's, changes nothing.
            if presented.is_none() && outcome != Outcome::Revoked && outcome != Outcome::Unavailable {
                prop_assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
                prop_assert_eq!(&after, &before);
            }
            // P3: two generations behind is reuse; and the next use of a revoked session is refused.
            if alive && presented.is_some_and(|behind| behind >= 2) {
                prop_assert!(outcome == Outcome::Unavailable || outcome == Outcome::Refused(Refusal::ReuseDetected));
                prop_assert!(after.status == Status::Revoked || outcome == Outcome::Unavailable);
            }
            // P4: nothing after a revocation, and it is final.
            if before.status == Status::Revoked {
                prop_assert!(!matches!(outcome, Outcome::Granted(_)));
                prop_assert_eq!(&after, &before);
            }
            // P5: at most R late replays until a generation passes without a replay.
            if after.generation > before.generation {
                if clean { late = 0 }
                clean = true;
            } else if presented == Some(1) && after != before && after.status == Status::Active {
                clean = false;
                late += u32::from(age > WINDOW);
                prop_assert!(late <= LATE);
            }
            // P6: a replay within the window moves nothing.
            if presented == Some(1) && age <= WINDOW {
                prop_assert_eq!(after.rotated_at, before.rotated_at);
            }
            // P7: no end is put off past the absolute bound, no scope widens, and nobody else gets the session.
            prop_assert!(after.ends_at <= after.expires_at);
            let fixed = |row: &Row| Row { generation: 0, rotated_at: at(0), ends_at: at(0), mark: false, streak: 0, status: Status::Active, ..row.clone() };
            prop_assert_eq!(fixed(&after), fixed(&before));
            if let Outcome::Granted(grant) = &outcome {
                prop_assert!(alive);
                prop_assert!(grant.scope.as_deref() == Some("read") || grant.scope.as_deref() == Some("read write"));
                prop_assert!(at(now).get() + grant.lifetime_seconds <= after.expires_at.get());
                prop_assert_eq!(grant.generation, after.generation);
                // P1: the one token of its generation.
                if let Some(token) = &grant.refresh_token {
                    prop_assert_eq!(token.as_str(), text(&first, after.generation, &rules));
                }
            }
            // P8: a retry within the window converges.
            if alive && presented == Some(1) && age <= WINDOW {
                match &outcome {
                    Outcome::Granted(grant) => prop_assert_eq!(generation_of(grant), Some(before.generation)),
                    other => prop_assert!(matches!(other, Outcome::Unavailable | Outcome::Refused(Refusal::ScopeInvalid)), "{other:?}"),
                }
            }
            // P9: a failing store never makes a theft of what is none.
            if outcome == Outcome::Unavailable && presented.is_some_and(|behind| behind <= 0 || (behind == 1 && age <= WINDOW)) {
                prop_assert_eq!(after.status, before.status);
            }
        }
    }
}
