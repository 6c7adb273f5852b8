//! P1 to P9 over sequences of anything.

use portcullis::internals::sessions::{
    cutoff::Party,
    grant_error::GrantError,
    operation::{Operation, Outcome},
    refresh_token::RefreshToken,
    row::{Row, Salt, Status},
    session::RefreshRequest,
    store::{Store, run},
};
use proptest::prelude::*;

use crate::support::*;

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
    CutOff,
    /// The store fails at one of its next calls: before it has done anything, or after.
    Fail {
        call: u32,
        after: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let scope = prop_oneof![4 => Just(None), 1 => Just(Some("read")), 1 => Just(Some("admin"))];
    prop_oneof![
        12 => (prop_oneof![5 => Just(0i64), 4 => Just(1), 1 => -1i64..4], scope, prop::bool::weighted(0.95))
            .prop_map(|(behind, scope, client)| Act::Present { behind, scope, client }),
        1 => (0..6u32).prop_map(|generation| Act::Forge { generation }),
        6 => prop_oneof![0..3u64, 55..65u64, 85..95u64, 0..400u64].prop_map(Act::Wait),
        1 => prop_oneof![1..100u64, Just(3600)].prop_map(Act::SetBack),
        1 => prop_oneof![18 => Just(Act::Wait(1)), 1 => Just(Act::Revoke), 1 => Just(Act::CutOff)],
        1 => (1..6u32, any::<bool>()).prop_map(|(call, after)| Act::Fail { call, after }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_invariants_hold_over_any_sequence(acts in prop::collection::vec(act(), 1..60), bound in prop::bool::weighted(0.2)) {
        let rules = rules_with(bound);
        let jkt = bound.then(|| "J".to_owned());
        let mut store = Faulty::new();
        let first = Row { jkt: jkt.clone(), ..row(0) };
        let tokens: Vec<RefreshToken> = (0..70).map(|generation| token(&first, generation, &rules)).collect();
        // Not at the beginning of time, so that the clock can be set back.
        let mut now = 4000;
        let begun = Row { expires_at: at(4000 + ABSOLUTE), ends_at: at(4000 + IDLE), rotated_at: at(4000), ..first.clone() };
        store.store.swap(&begun.sid.key(), 0, &begun.to_json(), begun.ends_at).unwrap();
        let (mut late, mut clean) = (0, true);
        // Were all sessions of the subject ended: surely, perhaps?
        let (mut ended, mut perhaps) = (false, false);
        for act in acts {
            let before = kept(&mut store.store, first.sid).unwrap();
            let (outcome, presented) = match act {
                Act::Wait(seconds) => { now += seconds; continue }
                Act::SetBack(seconds) => { now = now.saturating_sub(seconds); continue }
                Act::Fail { call, after } => { (store.nth, store.after) = (store.calls + call, after); continue }
                Act::CutOff => {
                    let outcome = run(&mut store, Operation::cut_off(Party::Subject("alice".into())), at(now), &rules).0;
                    ended |= matches!(outcome, Outcome::CutOff(_));
                    perhaps = true;
                    prop_assert!(ended || outcome == Outcome::Unavailable);
                    continue
                }
                Act::Revoke => (run(&mut store, Operation::revoke(first.sid), at(now), &rules).0, None),
                Act::Forge { generation } => {
                    let forged = token(&Row { salt: Salt::from_bytes([1; 32]), ..first.clone() }, generation, &rules);
                    (run(&mut store, Operation::refresh(request(forged)), at(now), &rules).0, None)
                }
                Act::Present { behind, scope, client } => {
                    let generation = i64::from(before.generation) - behind;
                    let Some(token) = usize::try_from(generation).ok().and_then(|index| tokens.get(index)) else { continue };
                    let client = if client { "app" } else { "other" };
                    let asked = RefreshRequest { client: client.into(), scope: scope.map(str::to_owned), jkt: jkt.clone(), ..request(*token) };
                    (run(&mut store, Operation::refresh(asked), at(now), &rules).0, (client == "app").then_some(behind))
                }
            };
            let after = kept(&mut store.store, first.sid).unwrap();
            let age = at(now).get().saturating_sub(before.rotated_at.get());
            let alive = before.status == Status::Active && before.ends_at > at(now);

            // P1: gen never falls and never skips.
            prop_assert!(after.generation == before.generation || after.generation == before.generation + 1);
            // P2: what does not authenticate, or is another client's, changes nothing.
            if presented.is_none() && outcome != Outcome::Revoked && outcome != Outcome::Unavailable {
                prop_assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
                prop_assert_eq!(&after, &before);
            }
            // P3: two generations behind is reuse; and the next use of a revoked session is
            // refused.
            if alive && presented.is_some_and(|behind| behind >= 2) {
                prop_assert!(outcome == Outcome::Unavailable || outcome == Outcome::Refused(GrantError::ReuseDetected));
                prop_assert!(after.status == Status::Revoked || outcome == Outcome::Unavailable);
            }
            // P4: nothing after a revocation, and it is final.
            prop_assert!(!(ended && matches!(outcome, Outcome::Granted(_))));
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
                prop_assert!(bound || late <= LATE);
            }
            // P6: a replay within the window moves nothing.
            if presented == Some(1) && age <= WINDOW {
                prop_assert_eq!(after.rotated_at, before.rotated_at);
            }
            // P7: no end is put off past the absolute bound, no scope widens, and nobody else gets
            // the session.
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
            if alive && !perhaps && presented == Some(1) && age <= WINDOW {
                match &outcome {
                    Outcome::Granted(grant) => prop_assert_eq!(generation_of(grant), Some(before.generation)),
                    other => prop_assert!(matches!(other, Outcome::Unavailable | Outcome::Refused(GrantError::ScopeInvalid)), "{other:?}"),
                }
            }
            // P9: a failing store never makes a theft of what is none.
            if outcome == Outcome::Unavailable && presented.is_some_and(|behind| behind <= 0 || (behind == 1 && age <= WINDOW)) {
                prop_assert_eq!(after.status, before.status);
            }
        }
    }
}
