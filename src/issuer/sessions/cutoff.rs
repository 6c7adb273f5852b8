//! Cutoffs: all sessions of a subject or a client end at once, without a list of them.
//!
//! A session remembers the cutoffs that it began under. Any later one ends it. The two are
//! compared with each other and never with a clock, so that a clock that was put back brings no
//! session to life; only the edges compare a cutoff with the `iat` of a token.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    base64url, document,
    json::Object,
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// The version of the JSON form.
const VERSION: u64 = 1;
/// How much longer a cutoff is kept than any session that began before it: more than clocks are
/// put back, and than a row outlives its session.
const SLACK_SECONDS: u64 = 2 * 86_400;

/// What the keys of cutoffs begin with.
pub(in crate::issuer) const CUTOFFS: &str = "c/";

/// Whose sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// A subject's.
    Subject(String),
    /// A client's.
    Client(String),
}

impl Party {
    /// The key under which a store keeps its cutoff. It holds a digest, since engines bound the
    /// length and the characters of keys.
    #[must_use]
    pub fn key(&self) -> String {
        let (kind, name) = match self {
            Party::Subject(subject) => ("sub", subject),
            Party::Client(client) => ("client", client),
        };
        format!("{CUTOFFS}{kind}/{}", base64url::encode(&Sha256::digest(name)))
    }
}

/// What began or was issued before that instant is revoked; [`Cutoff::NONE`] revokes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Cutoff(u64);

#[derive(Serialize)]
struct Stored {
    v: u64,
    cutoff: Cutoff,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<UnixSeconds>,
}

impl Cutoff {
    /// No cutoff.
    pub const NONE: Cutoff = Cutoff(0);

    /// The cutoff as JSON, in the form of version 1.
    #[must_use]
    pub fn to_json(self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(&Stored { v: VERSION, cutoff: self, at: None }).unwrap_or_default()
    }

    /// Reads a cutoff that a store kept.
    ///
    /// # Errors
    /// Anything but a cutoff of this version, at the member at fault.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        Settled::from_json(text).map(|settled| settled.cutoff)
    }

    fn read(stored: &Object<'_>) -> Result<Self, PolicyError> {
        if stored.integer("v")? != Some(VERSION) {
            return Err(PolicyError::at("v", format!("must be {VERSION}")));
        }
        let cutoff = stored.instant("cutoff")?.ok_or_else(|| PolicyError::at("cutoff", "is required"))?;
        Ok(Cutoff::of(cutoff))
    }

    /// The cutoff under a key of a store. What was never written is none; what cannot be read is
    /// not the same.
    pub(in crate::issuer) fn stored(value: Option<&str>) -> Result<Self, PolicyError> {
        value.map_or(Ok(Cutoff::NONE), Cutoff::from_json)
    }

    pub(in crate::issuer) const fn of(instant: UnixSeconds) -> Self {
        Cutoff(instant.get())
    }

    pub(in crate::issuer) fn from_seconds(seconds: u64) -> Option<Self> {
        UnixSeconds::new(seconds).map(|_| Cutoff(seconds))
    }

    /// The cutoff that follows this one at `now`: later than it, and than whatever was issued
    /// within this second.
    ///
    /// `None` after the year 9999.
    #[must_use]
    pub fn next(self, now: UnixSeconds) -> Option<Self> {
        Cutoff::from_seconds(self.0.max(now.get()).checked_add(1)?)
    }

    /// The instant, for the revocation feed.
    #[must_use]
    pub fn instant(self) -> UnixSeconds {
        UnixSeconds::new(self.0).unwrap_or(UnixSeconds::MAX)
    }

    /// The `iat` of what is issued at `now` by those who have seen this cutoff: not before it. A
    /// subject who signs in again in the second in which its sessions were ended would otherwise
    /// be refused at the edge.
    ///
    /// A cutoff that is further ahead than clocks may differ was written by one that was fast. It
    /// ends what began before it all the same, since cutoffs are compared with each other; but
    /// nobody is locked out until its instant.
    #[must_use]
    pub fn issued_at(self, now: UnixSeconds) -> UnixSeconds {
        if self.is_ahead(now) { after(now) } else { now.max(self.instant()) }
    }

    /// Was it written by a clock that was fast?
    pub(in crate::issuer) fn is_ahead(self, now: UnixSeconds) -> bool {
        self.0 > now.get().saturating_add(Leeway::CAP)
    }

    /// Until when a store keeps it: longer than any session that began before, of those that last
    /// so many seconds.
    pub(in crate::issuer) fn ends_at(self, sessions: u64) -> UnixSeconds {
        let seconds = self.0.saturating_add(sessions).saturating_add(SLACK_SECONDS);
        UnixSeconds::new(seconds).unwrap_or(UnixSeconds::MAX)
    }

    /// What the cutoff that is found says of a session that began under this one.
    pub(in crate::issuer) fn standing(self, found: Cutoff, now: UnixSeconds) -> Standing {
        // By every configuration, also one under which sessions were shorter when it was written.
        let kept_until = self.0.saturating_add(SLACK_SECONDS);
        match found {
            found if found > self => Standing::Revoked,
            found if found < self && now.get() < kept_until => Standing::Behind,
            _ => Standing::Stands,
        }
    }
}

/// The second after `now`: later than whatever was issued within this one.
fn after(now: UnixSeconds) -> UnixSeconds {
    UnixSeconds::new(now.get().saturating_add(1)).unwrap_or(UnixSeconds::MAX)
}

/// A cutoff as a store keeps it, with the instant at which one that a fast clock wrote was first
/// seen for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::issuer) struct Settled {
    pub(in crate::issuer) cutoff: Cutoff,
    at: Option<UnixSeconds>,
}

impl Settled {
    pub(in crate::issuer) fn from_json(text: &str) -> Result<Self, PolicyError> {
        let stored = document::parse(text)?;
        stored.only(&["v", "cutoff", "at"])?;
        let cutoff = Cutoff::read(&stored)?;
        let at = stored.integer("at")?.and_then(UnixSeconds::new);
        Ok(Settled { cutoff, at })
    }

    /// The same, settled at `now`, if it was written by a fast clock and nobody has seen that yet.
    pub(in crate::issuer) fn settled(self, now: UnixSeconds) -> Option<Self> {
        (self.at.is_none() && self.cutoff.is_ahead(now)).then(|| Settled { at: Some(after(now)), ..self })
    }

    /// From when on what was issued counts.
    pub(in crate::issuer) fn instant(self) -> UnixSeconds {
        self.at.unwrap_or(self.cutoff.instant())
    }

    pub(in crate::issuer) fn to_json(self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(&Stored { v: VERSION, cutoff: self.cutoff, at: self.at }).unwrap_or_default()
    }
}

/// How a session stands to a cutoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::issuer) enum Standing {
    /// It began after it.
    Stands,
    /// It began under a later one, which the store must still have: the store has lost writes, or
    /// reads what is old.
    Behind,
    /// It began before it.
    Revoked,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::sessions::{
        row::{Row, tests::row},
        session::tests::rules,
    };

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn a_cutoff_only_moves_on_whatever_the_clock_says() {
        let first = Cutoff::NONE.next(at(100)).unwrap();
        assert_eq!(first.instant(), at(101));
        let second = first.next(at(50)).unwrap();
        assert_eq!((second.instant(), second.next(at(101)).unwrap().instant()), (at(102), at(103)));
        assert_eq!(Cutoff::NONE.next(UnixSeconds::MAX), None);
        assert_eq!(
            (Cutoff::NONE.issued_at(at(7)), second.issued_at(at(50)), second.issued_at(at(200))),
            (at(7), at(102), at(200))
        );
    }

    #[test]
    fn a_cutoff_of_a_fast_clock_dates_nothing_into_the_future() {
        let ahead = Cutoff::NONE.next(at(86_500)).unwrap();
        let issued = [100, 86_200, 86_201, 86_501, 90_000].map(|now| ahead.issued_at(at(now)));
        assert_eq!(issued, [at(101), at(86_201), at(86_501), at(86_501), at(90_000)]);
        let kept = Settled::from_json(&ahead.to_json()).unwrap();
        assert_eq!(kept.instant(), at(86_501));
        assert_eq!(kept.settled(at(86_400)), None);
        let settled = kept.settled(at(100)).unwrap();
        assert_eq!((settled.instant(), settled.cutoff), (at(101), ahead));
        assert_eq!(Settled::from_json(&settled.to_json()), Ok(settled));
        assert_eq!(settled.settled(at(200)), None, "the first who sees it says when");
        assert_eq!(Cutoff::from_json(&settled.to_json()), Ok(ahead));
    }

    #[test]
    fn a_session_stands_under_the_cutoffs_it_has_seen_and_falls_by_any_other() {
        let rules = rules();
        let [none, first, second] = [0, 101, 102].map(|seconds| Cutoff::from_seconds(seconds).unwrap());
        let standing = |seen: Cutoff, found, now| seen.standing(found, at(now));
        assert_eq!(standing(none, none, 0), Standing::Stands);
        assert_eq!(standing(first, first, 0), Standing::Stands);
        assert_eq!([standing(none, first, 0), standing(first, second, 1_000_000_000)], [Standing::Revoked; 2]);
        assert_eq!(standing(second, first, 102), Standing::Behind);
        // Once it may have been swept, by whatever configuration, its absence says nothing.
        let absolute = rules.configuration.absolute;
        assert_eq!(standing(first, none, 100 + 2 * 86_400), Standing::Behind);
        assert_eq!(standing(first, none, 101 + 2 * 86_400), Standing::Stands);
        assert!([1, absolute].iter().all(|sessions| first.ends_at(*sessions).get() > 101 + 2 * 86_400));
    }

    #[test]
    fn a_cutoff_outlives_the_row_of_every_session_that_it_has_ended() {
        let cutoff = Cutoff::NONE.next(row().auth_time).unwrap();
        let last = Row { expires_at: row().expires_at, ends_at: row().expires_at, ..row() };
        let absolute = last.expires_at.get() - row().auth_time.get();
        assert!(cutoff.ends_at(absolute) > last.kept_until());
    }

    #[test]
    fn the_json_form_and_the_keys_of_version_1_never_change() {
        let cutoff = Cutoff::from_seconds(1_800_000_001).unwrap();
        assert_eq!(cutoff.to_json(), r#"{"v":1,"cutoff":1800000001}"#);
        assert_eq!(Cutoff::from_json(&cutoff.to_json()), Ok(cutoff));
        let pointer = |text| Cutoff::from_json(text).unwrap_err().pointer().to_owned();
        assert_eq!(pointer(r#"{"v":2,"cutoff":1}"#), "/v");
        assert_eq!(pointer(r#"{"v":1}"#), "/cutoff");
        assert_eq!(pointer(r#"{"v":1,"cutoff":253402300800}"#), "/cutoff");
        assert_eq!(pointer(r#"{"v":1,"cutoff":1,"more":1}"#), "/more");
        let keys = [Party::Subject("alice".into()), Party::Client("alice".into())].map(|party| party.key());
        assert_eq!(keys[0], "c/sub/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA");
        assert_eq!(keys[1], "c/client/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA");
    }
}
