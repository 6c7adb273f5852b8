//! Intents: revocations that were decided, in a row that a later process finds, until they are
//! known to be in the log.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Revoked;
use crate::time::UnixSeconds;

/// Rows of intents. A process keeps to one of them, so that few write the same.
pub const SLOTS: u8 = 8;

/// How old an intent is, in seconds, when its process is taken to have stopped.
const LOST_SECONDS: u64 = 15;

/// As many as a row holds, and as long as a name in it may be; beyond that there is no insurance,
/// and the revocation goes on without.
const MOST: usize = 1000;
const LONGEST_NAME: usize = 200;

/// The version of the JSON form.
const VERSION: u64 = 1;

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// A session, by its `sid`.
    Session(String),
    /// One token, by its `jti`.
    Token(String),
    /// All of a subject.
    Subject(String),
    /// All of a client.
    Client(String),
    /// A signing key, by its `kid`.
    Key(String),
}

impl Wanted {
    /// The same for the log; `before` is the cutoff of a subject or a client.
    #[must_use]
    pub fn revoked(&self, before: UnixSeconds) -> Revoked<'_> {
        match self {
            Wanted::Session(sid) => Revoked::Session(sid),
            Wanted::Token(jti) => Revoked::Token(jti),
            Wanted::Subject(subject) => Revoked::SubjectBefore(subject, before),
            Wanted::Client(client) => Revoked::ClientBefore(client, before),
            Wanted::Key(kid) => Revoked::Key(kid),
        }
    }

    fn length(&self) -> usize {
        match self {
            Wanted::Session(name)
            | Wanted::Token(name)
            | Wanted::Subject(name)
            | Wanted::Client(name)
            | Wanted::Key(name) => name.len(),
        }
    }
}

/// An intent: what, and when it was decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Intent {
    /// When.
    pub at: u64,
    /// For a subject or a client: the cutoff that there was before. It is done when there is a
    /// later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub wanted: Wanted,
}

impl Intent {
    /// Does that cutoff show that it is done? What it was to end began before it was decided, and
    /// so under the cutoff that was seen then.
    #[must_use]
    pub fn is_done(&self, cutoff: UnixSeconds) -> bool {
        cutoff.get() > self.seen.unwrap_or(self.at.saturating_add(1))
    }

    /// Is its process taken to have stopped? One that is dated in the future is of a process whose
    /// clock is ahead, and of nobody knows when: what is carried out twice does no harm, and what
    /// waits for that instant does.
    #[must_use]
    pub fn is_lost(&self, now: UnixSeconds) -> bool {
        now.get().abs_diff(self.at) >= LOST_SECONDS
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u64,
    open: Vec<Intent>,
}

/// The key of such a row.
#[must_use]
pub fn key(slot: u8) -> String {
    format!("f/intent/{}", slot.checked_rem(SLOTS).unwrap_or_default())
}

/// What a row holds. One that cannot be read holds nothing: it is an insurance, and must not stop
/// what it insures.
#[must_use]
pub fn read(value: Option<&str>) -> Vec<Intent> {
    let written = value.and_then(|text| serde_json::from_str::<Written>(text).ok());
    written.filter(|written| written.v == VERSION).map(|written| written.open).unwrap_or_default()
}

/// The row with those intents more and these less, or `None` when it is as it was.
#[must_use]
pub fn changed(value: Option<&str>, opened: &[Intent], closed: &[Intent]) -> Option<String> {
    let before = read(value);
    let (known, closed) = (BTreeSet::from_iter(&before), BTreeSet::from_iter(closed));
    let mut open: Vec<Intent> = before.iter().filter(|intent| !closed.contains(intent)).cloned().collect();
    let room = MOST.saturating_sub(open.len());
    let fits = |intent: &&Intent| intent.wanted.length() <= LONGEST_NAME && !known.contains(intent);
    open.extend(opened.iter().filter(fits).take(room).cloned());
    // Nothing in it can fail to be written.
    (open != before).then(|| serde_json::to_string(&Written { v: VERSION, open }).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_what_others_have_written_and_stays_within_its_bounds() {
        let intent = |name: &str| Intent { at: 5, seen: None, wanted: Wanted::Session(name.to_owned()) };
        let one = changed(None, &[intent("a"), intent("b")], &[]).unwrap();
        assert_eq!(one, r#"{"v":1,"open":[{"at":5,"session":"a"},{"at":5,"session":"b"}]}"#);
        let two = changed(Some(&one), &[intent("c")], &[intent("a")]).unwrap();
        assert_eq!(read(Some(&two)), [intent("b"), intent("c")]);
        assert_eq!(changed(Some(&two), &[intent("c")], &[intent("z")]), None);
        let many: Vec<Intent> = (0..2 * MOST).map(|n| intent(&n.to_string())).collect();
        assert_eq!(read(changed(Some(&two), &many, &[]).as_deref()).len(), MOST);
        assert_eq!(changed(None, &[intent(&"x".repeat(LONGEST_NAME + 1))], &[]), None);
        assert_eq!((read(None), read(Some("?")), read(Some(r#"{"v":2,"open":[]}"#))), (vec![], vec![], vec![]));
        let at = |seconds| UnixSeconds::new(seconds).unwrap();
        assert!(!intent("a").is_lost(at(19)) && intent("a").is_lost(at(20)));
        let ahead = Intent { at: 86_400, seen: None, wanted: Wanted::Session("a".to_owned()) };
        assert!(ahead.is_lost(at(0)) && !ahead.is_lost(at(86_390)));
    }
}
