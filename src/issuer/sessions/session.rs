//! The state machine of a session: what a presented token gets, and what is to be written. Pure;
//! [`operation`](super::operation) commits.
//!
//! | token of generation gen − d, age = now − rotated_at | answer | written |
//! | --- | --- | --- |
//! | no row, revoked, ended | refused | – |
//! | d < 0: the store has lost writes | refused, with an alarm | – |
//! | d = 0, age > Wc or gen = 0 | the next generation | gen + 1; streak kept if marked, else 0; no mark |
//! | d = 0, age ≤ Wc | an access token alone | – |
//! | d = 1, age ≤ Wr | the current token again | the mark, once |
//! | d = 1, age > Wr, fewer than R such before | the current token again | streak + 1, the mark, rotated_at |
//! | d = 1, age > Wr, after R | refused: reuse | revoked |
//! | d ≥ 2 | refused: reuse | revoked |
//!
//! Sender-bound sessions are forgiven any number of late replays: nobody else can make them.
//! Sessions that do not rotate stay at gen = 0.

use super::{
    configuration::{Configuration, SessionRules},
    event::{Event, EventKind},
    grant::Grant,
    grant_error::GrantError,
    refresh_token::{IssuedRefreshToken, RefreshToken},
    row::{Row, Status},
    session_id::SessionId,
};
use crate::issuer::scope;
use crate::time::UnixSeconds;

/// A refresh request (RFC 6749 §6), its client authenticated and its DPoP proof checked.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// The token presented.
    pub token: RefreshToken,
    /// The client that presents it.
    pub client: String,
    /// The thumbprint of the key it has proven (RFC 9449).
    pub jkt: Option<String>,
    /// The scopes asked for; all that were granted when absent.
    pub scope: Option<String>,
}

/// What introspection asks about (RFC 7662).
#[derive(Clone, Debug)]
pub enum Inspected {
    /// A session, as an access token names it.
    Session(SessionId),
    /// A refresh token. It is active while it would be answered with a grant.
    Token(RefreshRequest),
}

impl Inspected {
    pub(in crate::issuer) fn sid(&self) -> SessionId {
        match self {
            Inspected::Session(sid) => *sid,
            Inspected::Token(request) => request.token.sid(),
        }
    }
}

/// What a request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutcome {
    /// Tokens, once the write is committed.
    Granted(Box<Grant>),
    /// The session can be used.
    Live,
    /// The session is revoked, once the write is committed; or it was before.
    Revoked,
    /// Nothing.
    Refused(GrantError),
}

/// An answer and what must be committed before it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDecision {
    /// What the request gets.
    pub answer: SessionOutcome,
    /// The row to write, if it changes.
    pub write: Option<Row>,
    /// What has then happened.
    pub event: Option<Event>,
}

impl From<GrantError> for SessionDecision {
    fn from(refusal: GrantError) -> Self {
        SessionDecision { answer: SessionOutcome::Refused(refusal), write: None, event: None }
    }
}

/// Judges a refresh request by the row of its session.
#[must_use]
pub fn refresh(row: Option<&Row>, request: &RefreshRequest, now: UnixSeconds, rules: &SessionRules) -> SessionDecision {
    let row = match held_by(row, request, now, rules) {
        Ok(row) => row,
        Err(refusal) => return refusal.into(),
    };
    if let Err(refusal) = usable(row, now) {
        return refusal.into();
    }
    let presented = Some(request.token.generation());
    let happened = |kind, row: &Row| Some(Event::of(kind, row, presented, now));
    let Some(behind) = row.generation.checked_sub(request.token.generation()) else {
        return SessionDecision { event: happened(EventKind::StoreBehind, row), ..GrantError::StoreBehind.into() };
    };
    // A clock that was put back makes no age negative: the windows then last longer, and nobody is
    // signed out for it.
    let age = now.get().saturating_sub(row.rotated_at.get());
    let Configuration { replay_window, rotation_interval, late_replays, .. } = rules.configuration;

    let (kind, next) = match behind {
        0 if !row.rotates && age > rotation_interval => (None, used(row, now, rules)),
        0 if row.rotates && (row.generation == 0 || age > rotation_interval) => {
            let Some(next) = rotated(row, now, rules) else { return GrantError::SessionEnded.into() };
            (Some(EventKind::Rotated), next)
        }
        0 => (None, row.clone()),
        1 if age <= replay_window => (Some(EventKind::Replayed), Row { mark: true, ..row.clone() }),
        1 if row.jkt.is_some() => (Some(EventKind::ReplayedLate), Row { mark: true, ..used(row, now, rules) }),
        1 if row.streak < late_replays => {
            // With the mark, which keeps the streak over the next rotation: victim and thief who
            // take turns are caught.
            let late = Row { mark: true, streak: row.streak.saturating_add(1), ..used(row, now, rules) };
            (Some(EventKind::ReplayedLate), late)
        }
        _ => {
            let revoked = Row { status: Status::Revoked, ..row.clone() };
            let event = happened(EventKind::ReuseDetected, &revoked);
            return SessionDecision {
                answer: SessionOutcome::Refused(GrantError::ReuseDetected),
                write: Some(revoked),
                event,
            };
        }
    };
    let Some(scope) = scope::narrowed(row.scope.as_deref(), request.scope.as_deref()) else {
        return GrantError::ScopeInvalid.into();
    };
    let mut grant = Grant::of(&next, scope, request.jkt.clone(), now, rules);
    // A token that lasts is given anew when its root key is on its way out.
    let outdated = !row.rotates && request.token.kid() != rules.roots.minting(now).kid();
    if kind.is_some() || outdated {
        grant = grant.with_refresh_token(current_token(&next, now, rules));
    }
    let event = kind.and_then(|kind| happened(kind, &next));
    SessionDecision { answer: SessionOutcome::Granted(Box::new(grant)), write: (next != *row).then_some(next), event }
}

/// Revokes a session. One that is missing, ended or revoked already stays so.
#[must_use]
pub fn revoke(row: Option<&Row>, now: UnixSeconds) -> SessionDecision {
    let write =
        row.filter(|row| row.status == Status::Active).map(|row| Row { status: Status::Revoked, ..row.clone() });
    let event = write.as_ref().map(|row| Event::of(EventKind::Revoked, row, None, now));
    SessionDecision { answer: SessionOutcome::Revoked, write, event }
}

/// Revokes a session at the request of whoever holds one of its tokens, of any generation (RFC
/// 7009 §2.1).
#[must_use]
pub fn revoke_by_token(
    row: Option<&Row>,
    request: &RefreshRequest,
    now: UnixSeconds,
    rules: &SessionRules,
) -> SessionDecision {
    match held_by(row, request, now, rules) {
        Ok(row) => revoke(Some(row), now),
        Err(refusal) => refusal.into(),
    }
}

/// Looks at a session and changes nothing.
#[must_use]
pub fn inspect(row: Option<&Row>, inspected: &Inspected, now: UnixSeconds, rules: &SessionRules) -> SessionDecision {
    let answer = match inspected {
        Inspected::Token(request) => match refresh(row, request, now, rules).answer {
            SessionOutcome::Granted(_) => SessionOutcome::Live,
            answer => answer,
        },
        Inspected::Session(_) => match row.ok_or(GrantError::SessionMissing).and_then(|row| usable(row, now)) {
            Ok(()) => SessionOutcome::Live,
            Err(refusal) => SessionOutcome::Refused(refusal),
        },
    };
    SessionDecision { answer, write: None, event: None }
}

fn usable(row: &Row, now: UnixSeconds) -> Result<(), GrantError> {
    match row.status {
        Status::Revoked => Err(GrantError::SessionRevoked),
        Status::Active if row.ends_at <= now => Err(GrantError::SessionEnded),
        Status::Active => Ok(()),
    }
}

/// The row, if the token is one of its session and the one who presents it may. Nothing is written
/// for one who may not.
fn held_by<'r>(
    row: Option<&'r Row>,
    request: &RefreshRequest,
    now: UnixSeconds,
    rules: &SessionRules,
) -> Result<&'r Row, GrantError> {
    let row = row.ok_or(GrantError::SessionMissing)?;
    let authentic = request.token.is_authentic(&row.salt, &rules.roots, now, rules.configuration.idle);
    if row.sid != request.token.sid() || !authentic {
        return Err(GrantError::TokenInvalid);
    }
    if row.client != request.client {
        return Err(GrantError::ClientMismatch);
    }
    if row.jkt.is_some() && row.jkt != request.jkt {
        return Err(GrantError::BindingMismatch);
    }
    Ok(row)
}

/// The row at its next generation, if there is one.
fn rotated(row: &Row, now: UnixSeconds, rules: &SessionRules) -> Option<Row> {
    let generation = row.generation.checked_add(1)?;
    let streak = if row.mark { row.streak } else { 0 };
    Some(Row { generation, streak, mark: false, ..used(row, now, rules) })
}

/// The row, used at `now`: its windows and its idle time begin again.
fn used(row: &Row, now: UnixSeconds, rules: &SessionRules) -> Row {
    Row { rotated_at: now, ends_at: ends_at(row.expires_at, now, rules), ..row.clone() }
}

/// The end of a session that is used at `now`: idle for too long, or over.
pub(in crate::issuer) fn ends_at(expires_at: UnixSeconds, now: UnixSeconds, rules: &SessionRules) -> UnixSeconds {
    UnixSeconds::new(now.get().saturating_add(rules.configuration.idle)).map_or(expires_at, |idle| idle.min(expires_at))
}

/// The token of the current generation.
pub(in crate::issuer) fn current_token(row: &Row, now: UnixSeconds, rules: &SessionRules) -> IssuedRefreshToken {
    IssuedRefreshToken::mint(row.sid, row.generation, &row.salt, &rules.roots, now)
}

#[cfg(test)]
pub(in crate::issuer) mod tests {
    use super::*;
    use crate::issuer::sessions::{
        root_keys::{RootKey, RootKeys},
        row::tests::row,
    };

    pub(crate) fn rules() -> SessionRules {
        let roots = RootKeys::new(RootKey::new([7; 32], UnixSeconds::new(0).unwrap()));
        SessionRules { configuration: Configuration::from_json("{}").unwrap(), roots }
    }

    fn token(generation: u32) -> Inspected {
        let (row, rules) = (row(), rules());
        let text = IssuedRefreshToken::mint(row.sid, generation, &row.salt, &rules.roots, row.rotated_at);
        let token = RefreshToken::parse(text.as_str()).unwrap();
        Inspected::Token(RefreshRequest { token, client: "app".into(), jkt: None, scope: None })
    }

    #[test]
    fn what_is_inspected_is_active_while_it_would_be_answered_and_nothing_is_written() {
        let (row, rules) = (row(), rules());
        let later = |seconds| UnixSeconds::new(row.rotated_at.get() + seconds).unwrap();
        let answer = |row: Option<&Row>, inspected: &Inspected, seconds| {
            let decision = inspect(row, inspected, later(seconds), &rules);
            assert_eq!((decision.write, decision.event), (None, None));
            decision.answer
        };
        let session = Inspected::Session(row.sid);
        let revoked = Row { status: Status::Revoked, ..row.clone() };
        for inspected in [&session, &token(3), &token(2)] {
            assert_eq!(answer(Some(&row), inspected, 0), SessionOutcome::Live);
            assert_eq!(answer(Some(&revoked), inspected, 0), SessionOutcome::Refused(GrantError::SessionRevoked));
            assert_eq!(answer(Some(&row), inspected, 2_592_000), SessionOutcome::Refused(GrantError::SessionEnded));
            assert_eq!(answer(None, inspected, 0), SessionOutcome::Refused(GrantError::SessionMissing));
            assert_eq!(inspected.sid(), row.sid);
        }
        assert_eq!(answer(Some(&row), &token(1), 0), SessionOutcome::Refused(GrantError::ReuseDetected));
        assert_eq!(answer(Some(&row), &token(4), 0), SessionOutcome::Refused(GrantError::StoreBehind));
    }
}
