//! Instants and leeway, in whole seconds, checked.

use crate::policy_error::PolicyError;

/// A NumericDate (RFC 7519 §2) in whole seconds since 1970-01-01T00:00:00Z, from 0 to the end of the year 9999.
///
/// STRICTER: RFC 7519 lets a NumericDate have a fraction. Fractions and exponents are how two parsers come to disagree
/// about an instant, and no issuer needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// The first: 1970-01-01T00:00:00Z.
    pub const EPOCH: UnixSeconds = UnixSeconds(0);

    /// The last representable instant: 9999-12-31T23:59:59Z.
    pub const MAX: UnixSeconds = UnixSeconds(253_402_300_799);

    /// The instant that many seconds after the epoch, unless it lies outside the range.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<UnixSeconds> {
        if seconds <= Self::MAX.0 { Some(UnixSeconds(seconds)) } else { None }
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Has `self` been reached at `now`, judged by a clock that may be slow by `leeway`?
    #[must_use]
    pub const fn is_reached(self, now: UnixSeconds, leeway: Leeway) -> bool {
        now.0.saturating_add(leeway.0) >= self.0
    }

    /// Is `self` over at `now`, judged by a clock that may be fast by `leeway`?
    ///
    /// RFC 7519 §4.1.4: the current time must be *before* the expiry, so the instant itself is over.
    #[must_use]
    pub const fn is_over(self, now: UnixSeconds, leeway: Leeway) -> bool {
        now.0 >= self.0.saturating_add(leeway.0)
    }
}

/// The instants at which an accepted token would be accepted again by the same policy: from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first of them.
    pub from: UnixSeconds,
    /// The first after them, in seconds since the epoch; it may lie a leeway past the last representable instant.
    pub until: u64,
    /// Whether no list could tell if it was revoked, and it is accepted all the same.
    pub stale: bool,
    /// Which of its issuer's alternatives it is.
    pub alternative: Option<usize>,
}

impl Validity {
    /// What `exp`, `nbf` and `iat` allow.
    #[must_use]
    pub fn new(exp: UnixSeconds, nbf: Option<UnixSeconds>, iat: Option<UnixSeconds>, leeway: Leeway) -> Self {
        let begins = nbf.max(iat).map_or(0, UnixSeconds::get);
        Validity {
            from: UnixSeconds(begins.saturating_sub(leeway.0)),
            until: exp.0.saturating_add(leeway.0),
            stale: false,
            alternative: None,
        }
    }
}

/// How far two clocks may be apart, in whole seconds: 5 by default, at most 300 ("no more than a few minutes", RFC 7519 §4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Leeway(u64);

impl Default for Leeway {
    fn default() -> Self {
        Leeway(5)
    }
}

impl Leeway {
    /// The most that a policy can ask for, in seconds.
    pub const CAP: u64 = 300;

    /// A leeway of that many seconds.
    ///
    /// # Errors
    /// More than [`Leeway::CAP`].
    pub fn new(seconds: u64) -> Result<Leeway, PolicyError> {
        if seconds > Self::CAP {
            return Err(PolicyError::at("leewaySeconds", format!("must be an integer from 0 to {}", Self::CAP)));
        }
        Ok(Leeway(seconds))
    }

    /// A leeway that a policy's shape has found to be within its cap.
    pub(crate) const fn checked(seconds: u64) -> Leeway {
        Leeway(seconds)
    }

    /// Whole seconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn the_year_10000_cannot_be_expressed() {
        assert_eq!(UnixSeconds::new(253_402_300_799), Some(UnixSeconds::MAX));
        assert_eq!(UnixSeconds::new(253_402_300_800), None);
        assert_eq!(UnixSeconds::new(u64::MAX), None);
    }

    #[test]
    fn leeway_has_a_cap() {
        assert_eq!(Leeway::new(300).unwrap().get(), 300);
        assert_eq!(Leeway::new(301).unwrap_err().pointer(), "/leewaySeconds");
    }

    proptest! {
        #[test]
        fn comparisons_agree_with_wide_integers(now in 0..=UnixSeconds::MAX.0, instant in 0..=UnixSeconds::MAX.0, near in 0..=700u64, leeway in 0..=300u64) {
            let slack = Leeway::new(leeway).unwrap();
            for instant in [instant, now.saturating_sub(near), (now + near).min(UnixSeconds::MAX.0)] {
                let (wide_now, wide, wide_leeway) = (i128::from(now), i128::from(instant), i128::from(leeway));
                prop_assert_eq!(at(instant).is_over(at(now), slack), wide_now - wide_leeway >= wide);
                prop_assert_eq!(at(instant).is_reached(at(now), slack), wide_now + wide_leeway >= wide);
            }
        }

        #[test]
        fn a_validity_is_what_the_comparisons_say(
            now in 1_000..2_000u64, exp in 1_000..2_000u64, nbf in proptest::option::of(1_000..2_000u64), iat in proptest::option::of(1_000..2_000u64), leeway in 0..=300u64,
        ) {
            let slack = Leeway::new(leeway).unwrap();
            let (nbf, iat) = (nbf.map(at), iat.map(at));
            let validity = Validity::new(at(exp), nbf, iat, slack);
            let holds = !at(exp).is_over(at(now), slack) && [nbf, iat].into_iter().flatten().all(|begin| begin.is_reached(at(now), slack));
            prop_assert_eq!((validity.from.get()..validity.until).contains(&now), holds);
        }
    }
}
