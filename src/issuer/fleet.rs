//! What the processes of an issuer leave for each other in one row: their clocks, and how long
//! what they issue lives.
//!
//! Processes of an older configuration, or of another one while it is being replaced, issue what
//! lives longer than this one knows. What is taken back has to be remembered for as long as that,
//! and so each process leaves its lifetimes here for as long as they matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    clocks::Clocks,
    sessions::configuration::{self, Configuration},
    tokens::mint::LONGEST_LONG_LIFETIME_SECONDS,
};
use crate::time::{Leeway, UnixSeconds};

/// Under which key a store has it.
pub(super) const FLEET: &str = "p/fleet";

/// The version of the JSON form.
const VERSION: u64 = 1;

/// How long what is swept matters at least, in seconds: names of proofs and assertions that were
/// used.
const LEAST_HOLD_SECONDS: u64 = 3600;

/// What may be issued after a process has left its lifetimes and before it does so again, in
/// seconds.
const SLACK_SECONDS: u64 = 120;

/// As many different lifetimes as are remembered, the longest.
const MOST: usize = 8;

/// The longest lives of what any process has issued that is not over, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetimes {
    pub(super) token: u64,
    pub(super) session: u64,
}

impl Lifetimes {
    /// The longest that can be configured: where nobody can tell.
    pub(super) const LONGEST: Lifetimes =
        Lifetimes { token: LONGEST_LONG_LIFETIME_SECONDS, session: configuration::LONGEST_SECONDS };

    /// Those of a configuration.
    pub(super) fn of(configuration: &Configuration) -> Self {
        Lifetimes { token: configuration.access_token, session: configuration.absolute }
    }

    /// How long a swept row may matter.
    fn hold(self) -> u64 {
        self.token.saturating_add(Leeway::CAP).max(LEAST_HOLD_SECONDS)
    }
}

/// The row. What a later version adds to it is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fleet {
    v: u64,
    clocks: Clocks,
    /// Lifetimes of access tokens, and until when each matters.
    tokens: BTreeMap<u64, u64>,
    /// The same of sessions.
    sessions: BTreeMap<u64, u64>,
}

impl Fleet {
    /// A row that nobody has left anything in.
    pub(super) fn new() -> Self {
        Fleet { v: VERSION, ..Fleet::default() }
    }

    /// Reads the row; `None` for one that cannot be decoded.
    pub(super) fn read(value: Option<&str>) -> Option<Self> {
        let Some(value) = value else { return Some(Fleet::new()) };
        serde_json::from_str::<Fleet>(value).ok().filter(|fleet| fleet.v == VERSION)
    }

    pub(super) fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The longest lifetimes, a process's own among them.
    pub(super) fn lifetimes(&self, own: Lifetimes) -> Lifetimes {
        let longest = |of: &BTreeMap<u64, u64>, own: u64| of.keys().next_back().copied().unwrap_or_default().max(own);
        Lifetimes { token: longest(&self.tokens, own.token), session: longest(&self.sessions, own.session) }
    }

    /// The row after a visit at `now` by a process with these lifetimes, and until when the store
    /// may be swept.
    pub(super) fn visited(&self, own: Lifetimes, now: UnixSeconds) -> (Fleet, u64) {
        let hold = self.lifetimes(own).hold();
        let clocks = self.clocks.after(now.get(), hold);
        let (past, present) = (clocks.past(hold), clocks.present());
        let remember = |of: &BTreeMap<u64, u64>, own: u64| {
            let mut of: BTreeMap<u64, u64> =
                of.iter().filter(|(_, until)| **until > past).map(|(of, until)| (*of, *until)).collect();
            let until = present.saturating_add(own).saturating_add(Leeway::CAP).saturating_add(SLACK_SECONDS);
            let known = of.entry(own).or_insert(0);
            *known = until.max(*known);
            while of.len() > MOST {
                of.pop_first();
            }
            of
        };
        let tokens = remember(&self.tokens, own.token);
        let sessions = remember(&self.sessions, own.session);
        (Fleet { v: VERSION, clocks, tokens, sessions }, past)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;

    fn configured(text: &str) -> Lifetimes {
        Lifetimes::of(&Configuration::from_json(text).unwrap())
    }

    fn visit(fleet: &Fleet, by: Lifetimes, now: u64) -> (Fleet, u64) {
        fleet.visited(by, UnixSeconds::new(now).unwrap())
    }

    #[test]
    fn longer_lifetimes_are_remembered_until_what_was_issued_with_them_is_over_and_no_longer() {
        let long = configured(r#"{"accessTokenSeconds":3600,"absoluteSeconds":7776000}"#);
        let short = configured(r#"{"accessTokenSeconds":300,"idleSeconds":600,"absoluteSeconds":86400}"#);
        let (mut fleet, _) = visit(&Fleet::new(), long, NOW);
        for (after, token, session) in [
            (1, 3600, 7_776_000),
            (3600 + 360, 3600, 7_776_000),
            (3600 + 480, 300, 7_776_000),
            (7_776_000 + 360, 300, 7_776_000),
            (7_776_000 + 480, 300, 86_400),
        ] {
            // Several visits of clocks that differ, so that every one has passed it.
            for clock in [9, 8, 7, 6, 5, 4] {
                fleet = visit(&fleet, short, NOW + after + clock).0;
            }
            let lifetimes = fleet.lifetimes(short);
            assert_eq!(lifetimes, Lifetimes { token, session }, "after {after}");
        }
        assert_eq!(Fleet::read(Some(&fleet.to_json())), Some(fleet));
    }

    #[test]
    fn a_clock_that_is_ahead_forgets_no_lifetime_and_sweeps_nothing_that_has_not_ended() {
        let long = configured(r#"{"accessTokenSeconds":3600}"#);
        let short = configured("{}");
        let (fleet, _) = visit(&Fleet::new(), long, NOW);
        let (fleet, until) = visit(&fleet, short, NOW + DAY);
        assert_eq!((fleet.lifetimes(short).token, until), (3600, NOW));
        let (_, until) = visit(&fleet, short, NOW + 5);
        assert_eq!(until, NOW);
    }

    #[test]
    fn as_many_lifetimes_as_there_are_fit_a_row_and_the_longest_stay() {
        let mut fleet = Fleet::new();
        for seconds in 1..100 {
            fleet = visit(&fleet, configured(&format!(r#"{{"accessTokenSeconds":{}}}"#, 100 - seconds)), NOW).0;
        }
        assert_eq!(fleet.tokens.len(), MOST);
        assert_eq!(fleet.lifetimes(configured(r#"{"accessTokenSeconds":1}"#)).token, 99);
        let later = fleet.to_json().replace("{\"v\":1", "{\"more\":[],\"v\":1");
        assert_eq!(Fleet::read(Some(&later)).as_ref(), Some(&fleet), "a member that a later version has added");
        for damaged in ["", "{}", r#"{"v":2}"#, &fleet.to_json().replace("\"v\":1", "\"v\":2")] {
            assert_eq!(Fleet::read(Some(damaged)), None, "{damaged}");
        }
    }
}
