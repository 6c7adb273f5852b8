//! What happened to a session, for logs and alarms. Never a token.

use serde::Serialize;

use super::{cutoff::Party, row::Row, session_id::SessionId};
use crate::time::UnixSeconds;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A new generation began.
    Rotated,
    /// The generation before was presented again within the window, as by a retry or a second tab.
    Replayed,
    /// The same after the window, and forgiven.
    ReplayedLate,
    /// An old token was used by somebody who cannot be told from a thief; the session is revoked.
    ReuseDetected,
    /// A token of a generation that the store knows nothing of: the store has lost writes.
    StoreBehind,
    /// The session was ended, or all sessions of a subject or a client.
    Revoked,
}

/// An event, once it is committed. The end of all sessions of a subject or a client names that one
/// alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Its client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The generation that is current now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The generation of the token that was presented, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presented: Option<u32>,
    /// When it was decided.
    pub at: UnixSeconds,
}

impl Event {
    pub(in crate::issuer) fn of(kind: EventKind, row: &Row, presented: Option<u32>, at: UnixSeconds) -> Self {
        let (client, subject) = (Some(row.client.clone()), Some(row.subject.clone()));
        Event { kind, sid: Some(row.sid), client, subject, generation: Some(row.generation), presented, at }
    }

    pub(in crate::issuer) fn cut_off(party: &Party, at: UnixSeconds) -> Self {
        let (client, subject) = match party {
            Party::Subject(subject) => (None, Some(subject.clone())),
            Party::Client(client) => (Some(client.clone()), None),
        };
        Event { kind: EventKind::Revoked, sid: None, client, subject, generation: None, presented: None, at }
    }

    /// The event as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::sessions::row::tests::row;

    #[test]
    fn an_event_names_the_session_and_holds_no_secret() {
        let event = Event::of(EventKind::ReplayedLate, &row(), Some(2), row().rotated_at);
        let text = concat!(
            r#"{"kind":"replayed_late","sid":"AQEBAQEBAQEBAQEBAQEBAQ","client":"app","subject":"alice","generation":3,"#,
            r#""presented":2,"at":1800000000}"#,
        );
        assert_eq!(event.to_json(), text);
        let event = Event::cut_off(&Party::Subject("alice".into()), row().rotated_at);
        assert_eq!(event.to_json(), r#"{"kind":"revoked","subject":"alice","at":1800000000}"#);
    }
}
