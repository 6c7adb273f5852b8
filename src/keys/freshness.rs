//! How long published keys are believed, and when they are asked for again. Times are seconds
//! since 1970.
//!
//! The rule is here once: the JavaScript face asks it through the gate's module, and the layer for
//! `tower` directly. It holds nothing and fetches nothing; whoever fetches keeps the [`Times`] and
//! does what the [`Plan`] says.

use serde::{Deserialize, Serialize};

/// How long an issuer's keys are not asked for again, in seconds, whatever is asked for: a flood
/// of tokens with random `kid`s may cost one fetch.
pub(crate) const BETWEEN_FETCHES: u64 = 30;

/// How long a response stays fresh that says nothing about it.
const UNSTATED: u64 = 600;

/// The largest time that a response may state (RFC 9111 §1.2.2).
const LONGEST: u64 = 1 << 31;

/// Within which part of its time a document is fetched anew, in millionths; spread, so that
/// machines do not come all at once.
const REFRESH_FROM: u64 = 750_000;
const REFRESH_SPREAD: u64 = 150_000;

/// The largest [`Held::spread`].
pub(crate) const MOST_SPREAD: u64 = 1_000_000;

/// What a policy allows: the members of `remote`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bounds {
    /// The least time for which a document is fresh.
    pub min_ttl_seconds: u64,
    /// The longest.
    pub max_ttl_seconds: u64,
    /// How long keys outlive their freshness while they cannot be fetched.
    pub stale_seconds: u64,
}

/// What is known of an issuer's keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Times {
    /// The document that is held, if any is.
    pub held: Option<Held>,
    /// When its origin was asked last.
    pub asked_at: Option<u64>,
    /// How often in a row it failed to give keys, the last time then.
    #[serde(default)]
    pub failures: u32,
    /// Its keys were let go after that, to make room for those of others.
    #[serde(default)]
    pub let_go: bool,
}

/// A document that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// When the origin was asked for it.
    pub fetched_at: u64,
    /// For how long it is fresh by its response, whatever a policy allows: [`lifetime`].
    pub ttl_seconds: u64,
    /// Somewhere from 0 to [`MOST_SPREAD`], another in each process: how early the document is
    /// fetched anew.
    pub spread: u64,
}

/// What is to be done about an issuer's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    /// The keys are too old to be used: they are to be forgotten.
    pub forget: bool,
    /// Whether they are to be fetched anew.
    pub fetch: Fetch,
    /// Whether the origin may be asked at all, for a key that is unknown.
    pub may_ask: bool,
    /// From when it may be; `None` for at once.
    pub may_ask_from: Option<u64>,
    /// When there is something to do next, if nobody asks for an unknown key before. `None` for
    /// never.
    pub again_at: Option<u64>,
    /// Until when the keys are fresh, and until when they are used at the longest. `None` without
    /// keys.
    pub fresh_until: Option<u64>,
    /// See `fresh_until`.
    pub stale_until: Option<u64>,
}

/// How keys are to be fetched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fetch {
    /// Not now.
    No,
    /// While the present ones serve on.
    Ahead,
    /// Before they are used once more: their time is over, and the origin may have withdrawn one.
    /// When that fails they serve on, within the policy's bound.
    First,
}

impl Times {
    /// How long the origin is not asked again. While there are no keys every request is refused,
    /// and an origin that failed may be back a second later: 1, 2, 4 … seconds, and never less
    /// often than [`BETWEEN_FETCHES`]. Keys that made room were there: who names many tenants in
    /// turn must not have each of them fetched once a second.
    fn pause(&self) -> u64 {
        match self.held {
            Some(_) => BETWEEN_FETCHES,
            None if self.let_go => BETWEEN_FETCHES,
            None => (1 << self.failures.saturating_sub(1).min(6)).min(BETWEEN_FETCHES),
        }
    }
}

impl Bounds {
    /// What is to be done as of now.
    #[must_use]
    pub(crate) fn plan(&self, times: &Times, now: u64) -> Plan {
        // A clock that was set back must not silence us until it has caught up.
        let allowed_at = times.asked_at.map(|asked| asked.saturating_add(times.pause()));
        let may_ask = times.asked_at.is_none_or(|asked| now < asked) || allowed_at.is_none_or(|allowed| now >= allowed);
        let may_ask_from = allowed_at.filter(|_| !may_ask);
        let Some(held) = times.held else {
            return Plan {
                forget: false,
                fetch: Fetch::No,
                may_ask,
                may_ask_from,
                again_at: None,
                fresh_until: None,
                stale_until: None,
            };
        };
        // A policy's least time is not more than its longest.
        let lifetime = held.ttl_seconds.min(self.max_ttl_seconds).max(self.min_ttl_seconds);
        let fresh_until = held.fetched_at.saturating_add(lifetime);
        let stale_until = fresh_until.saturating_add(self.stale_seconds);
        let spread = REFRESH_SPREAD.saturating_mul(held.spread.min(MOST_SPREAD)) / MOST_SPREAD;
        let part = lifetime.saturating_mul(REFRESH_FROM.saturating_add(spread)).div_ceil(1_000_000);
        let refresh_at = held.fetched_at.saturating_add(part);
        let forget = now >= stale_until;
        let fetch = match () {
            () if forget || now < refresh_at || !may_ask => Fetch::No,
            () if now >= fresh_until => Fetch::First,
            () => Fetch::Ahead,
        };
        Plan {
            forget,
            fetch,
            may_ask,
            may_ask_from,
            again_at: Some(refresh_at.max(allowed_at.unwrap_or_default()).min(stale_until)),
            fresh_until: Some(fresh_until),
            stale_until: Some(stale_until),
        }
    }
}

/// For how many seconds a response is fresh (RFC 9111 §4.2.1), by its `Cache-Control` and `Age`;
/// ten minutes when it says nothing.
///
/// `s-maxage` goes before `max-age`, since keys are shared. `Age` is time that has passed
/// elsewhere. What forbids keeping, or cannot be read, is fresh for no time, and so for the
/// policy's least: no origin can make every request a fetch.
#[must_use]
pub(crate) fn lifetime(cache_control: Option<&str>, age: Option<&str>) -> u64 {
    let directive = |name: &str| directive(cache_control.unwrap_or_default(), name);
    if directive("no-store").or(directive("no-cache")).is_some() {
        return 0;
    }
    let Some(stated) = directive("s-maxage").or_else(|| directive("max-age")) else { return UNSTATED };
    let age = age.and_then(seconds).unwrap_or_default();
    seconds(stated).unwrap_or_default().saturating_sub(age)
}

/// The argument of a directive, which may be none; of one that is said twice the first counts.
fn directive<'v>(value: &'v str, wanted: &str) -> Option<&'v str> {
    value.split(',').find_map(|part| {
        let (name, argument) = part.split_once('=').unwrap_or((part, ""));
        let argument = argument.split('=').next().unwrap_or_default().trim();
        let bare = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        name.trim().eq_ignore_ascii_case(wanted).then(|| bare.unwrap_or(argument))
    })
}

/// RFC 9111 §1.2.2: digits, and what is too large counts as 2³¹.
fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min_ttl_seconds: 60, max_ttl_seconds: 3600, stale_seconds: 1000 };

    fn times(fetched_at: u64, stated: u64, asked_at: u64) -> Times {
        let held = Held { fetched_at, ttl_seconds: stated, spread: 0 };
        Times { held: Some(held), asked_at: Some(asked_at), ..Times::default() }
    }

    #[test]
    fn a_response_says_how_long_it_is_fresh() {
        for (cache_control, age, expected) in [
            (None, None, UNSTATED),
            (Some("public"), None, UNSTATED),
            (Some("max-age=300"), None, 300),
            (Some("MAX-AGE=\"300\", max-age=7"), Some("100"), 200),
            (Some("max-age=300, s-maxage=60"), None, 60),
            (Some("s-maxage=60"), Some("61"), 0),
            (Some("max-age=300, no-store"), None, 0),
            (Some("no-cache=\"set-cookie\""), None, 0),
            (Some("max-age=-1"), None, 0),
            (Some("max-age"), None, 0),
            (Some("max-age=99999999999999999999999"), None, LONGEST),
            (Some("max-age=300"), Some("x"), 300),
        ] {
            assert_eq!(lifetime(cache_control, age), expected, "{cache_control:?} {age:?}");
        }
    }

    #[test]
    fn keys_are_fetched_ahead_then_first_and_then_forgotten() {
        let plan = |now| BOUNDS.plan(&times(1000, 100, 1000), now);
        for (now, fetch, forget) in [
            (1000, Fetch::No, false),
            (1074, Fetch::No, false),
            (1075, Fetch::Ahead, false),
            (1099, Fetch::Ahead, false),
            (1100, Fetch::First, false),
            (2099, Fetch::First, false),
            (2100, Fetch::No, true),
        ] {
            assert_eq!((plan(now).fetch, plan(now).forget), (fetch, forget), "{now}");
        }
        let first = plan(1000);
        assert_eq!((first.again_at, first.fresh_until, first.stale_until), (Some(1075), Some(1100), Some(2100)));
        let fresh_until = |ttl| BOUNDS.plan(&times(1000, ttl, 1000), 1000).fresh_until;
        assert_eq!((fresh_until(0), fresh_until(LONGEST)), (Some(1060), Some(4600)));
    }

    #[test]
    fn an_origin_is_asked_twice_a_minute_and_a_clock_that_was_set_back_silences_nobody() {
        let asked = |asked_at, now| BOUNDS.plan(&times(1000, 100, asked_at), now);
        assert_eq!((asked(1080, 1109).fetch, asked(1080, 1109).again_at), (Fetch::No, Some(1110)));
        assert_eq!(asked(1080, 1110).fetch, Fetch::First);
        assert!(asked(5000, 1090).may_ask && !asked(1090, 1090).may_ask);
        assert!(BOUNDS.plan(&Times::default(), 0).may_ask);
    }

    #[test]
    fn an_origin_that_fails_before_there_are_keys_is_asked_after_1_2_4_seconds_up_to_30() {
        for (failures, pause) in [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (u32::MAX, 30)] {
            let times = Times { asked_at: Some(1000), failures, ..Times::default() };
            let plan = |now| BOUNDS.plan(&times, now);
            assert!(!plan(1000 + pause - 1).may_ask && plan(1000 + pause).may_ask, "{failures}");
            assert_eq!(plan(1000).may_ask_from, Some(1000 + pause));
            assert_eq!(plan(1000 + pause).may_ask_from, None);
            // With keys it is no hurry.
            let held = Times { failures, ..super::tests::times(1000, 100, 1000) };
            assert!(!BOUNDS.plan(&held, 1029).may_ask && BOUNDS.plan(&held, 1030).may_ask);
        }
    }

    #[test]
    fn keys_that_made_room_for_others_are_not_asked_for_sooner_than_if_they_were_held() {
        let plan = |let_go, now| BOUNDS.plan(&Times { asked_at: Some(1000), let_go, ..Times::default() }, now);
        assert!(plan(false, 1001).may_ask);
        assert!(!plan(true, 1029).may_ask && plan(true, 1030).may_ask);
        assert_eq!(plan(true, 1001).may_ask_from, Some(1030));
    }

    #[test]
    fn no_times_overflow() {
        let held = Held { fetched_at: u64::MAX, ttl_seconds: u64::MAX, spread: u64::MAX };
        let bounds = Bounds { min_ttl_seconds: 0, max_ttl_seconds: u64::MAX, stale_seconds: u64::MAX };
        let plan = bounds
            .plan(&Times { held: Some(held), asked_at: Some(u64::MAX), failures: u32::MAX, let_go: false }, u64::MAX);
        assert!(plan.forget && plan.fetch == Fetch::No);
    }
}
