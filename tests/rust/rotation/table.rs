//! The table, a row a test; and who may present a token, and for what.

use portcullis::issuer::sessions::{
    configuration::SessionRules,
    event::EventKind,
    grant_error::GrantError,
    refresh_token::RefreshToken,
    root_keys::RootKey,
    row::{Row, Status},
    session::{RefreshRequest, SessionDecision, SessionOutcome, refresh, revoke, revoke_by_token},
    start::Start,
};

use crate::support::*;

#[test]
fn no_row_or_one_that_was_revoked_or_has_ended_is_refused_and_stays_as_it_is() {
    let held = token(&row(3), 3, &rules());
    let missing = refresh(None, &request(held), at(100), &rules());
    assert_eq!((refused(&missing), missing.write), (GrantError::SessionMissing, None));
    let revoked = Row { status: Status::Revoked, ..row(3) };
    for presented in [0, 1, 2, 3, 4] {
        let decision = judged(&revoked, presented, 100);
        assert_eq!((refused(&decision), decision.write), (GrantError::SessionRevoked, None));
        let decision = judged(&row(3), presented, IDLE);
        assert_eq!((refused(&decision), decision.write), (GrantError::SessionEnded, None));
    }
    assert!(matches!(judged(&row(3), 3, IDLE - 1).answer, SessionOutcome::Granted(_)));
}

#[test]
fn a_token_ahead_of_the_store_is_refused_with_an_alarm_and_is_no_theft() {
    let decision = judged(&row(3), 4, 100);
    assert_eq!((refused(&decision), decision.write.as_ref()), (GrantError::StoreBehind, None));
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
    assert_eq!((refused(&decision), kind(&decision)), (GrantError::ReuseDetected, Some(EventKind::ReuseDetected)));
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
    assert_eq!(refused(&refresh(Some(&row), &old, row.rotated_at, &rules)), GrantError::ReuseDetected);
}

#[test]
fn an_older_token_revokes_the_session_at_any_age() {
    for (presented, seconds) in [(1, 0), (1, WINDOW), (0, INTERVAL + 1)] {
        let decision = judged(&row(3), presented, seconds);
        assert_eq!((refused(&decision), kind(&decision)), (GrantError::ReuseDetected, Some(EventKind::ReuseDetected)));
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
        assert_eq!((refused(&decision), decision.write), (GrantError::ClientMismatch, None));
        let bound = Row { jkt: Some("J".into()), ..row(3) };
        for jkt in [None, Some("K".to_owned())] {
            let decision = refresh(Some(&bound), &RefreshRequest { jkt, ..request(held) }, at(100), &rules());
            assert_eq!((refused(&decision), decision.write), (GrantError::BindingMismatch, None));
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
        assert_eq!((refused(&decision), decision.write), (GrantError::ScopeInvalid, None));
    }
    // What is asked for does not hide a reuse.
    assert_eq!(refused(&scoped("admin", 1)), GrantError::ReuseDetected);
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
    let rules = SessionRules { roots: rules().roots.with_next(next).unwrap(), ..rules() };
    let held = token(&row(3), 3, &self::rules());
    let minted = |decision: &SessionDecision| {
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
    assert_eq!((decision.answer.clone(), kind(&decision)), (SessionOutcome::Revoked, Some(EventKind::Revoked)));
    let revoked = decision.write.unwrap();
    assert_eq!(revoked, Row { status: Status::Revoked, ..row(3) });
    for nothing in [revoke(Some(&revoked), at(9)), revoke(None, at(9))] {
        assert_eq!((nothing.answer, nothing.write, nothing.event), (SessionOutcome::Revoked, None, None));
    }
    let by = |generation, client: &str| {
        let asked = RefreshRequest { client: client.into(), ..request(token(&row(3), generation, &rules())) };
        revoke_by_token(Some(&row(3)), &asked, at(9), &rules())
    };
    assert_eq!(by(0, "app").write, Some(revoked));
    assert_eq!((refused(&by(3, "other")), by(3, "other").write), (GrantError::ClientMismatch, None));
}
