//! Instants and leeway, in whole seconds, checked.

use crate::policy_error::PolicyError;

/// An instant in whole seconds since 1970-01-01T00:00:00Z, from 0 to the end of the year 9999.
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
    /// RFC 7519 §4.1.4: the current time must be *before* the expiry, so the instant itself is
    /// over.
    #[must_use]
    pub const fn is_over(self, now: UnixSeconds, leeway: Leeway) -> bool {
        now.0 >= self.0.saturating_add(leeway.0)
    }
}

/// A NumericDate (RFC 7519 §2): seconds since 1970, which may have a fraction or an exponent.
///
/// Clocks and leeways are whole seconds. Compared with those, the two whole seconds around an
/// instant say all there is to say: it has been reached when `ceil` has, and lies before a whole
/// second when `floor` does. No float is involved, so that nothing is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    /// The last whole second that is not after it.
    pub(crate) floor: UnixSeconds,
    /// The first whole second that is not before it.
    pub(crate) ceil: UnixSeconds,
}

impl NumericDate {
    /// An instant that is a whole second.
    pub(crate) const fn whole(at: UnixSeconds) -> Self {
        NumericDate { floor: at, ceil: at }
    }

    /// Reads a JSON number (RFC 8259 §6). STRICTER: one with a minus sign is none, `-0` included.
    pub(crate) fn of_number(text: &str) -> Option<Self> {
        if text.starts_with('-') {
            return None;
        }
        let mut parts = text.as_bytes().splitn(2, |byte| matches!(byte, b'e' | b'E'));
        let mut digits = parts.next().unwrap_or_default().splitn(2, |byte| *byte == b'.');
        let (integer, fraction) = (digits.next().unwrap_or_default(), digits.next().unwrap_or_default());
        let exponent = exponent(parts.next().unwrap_or_default());
        // How many of the digits stand before the point.
        let mut left = i64::try_from(integer.len()).ok()?.saturating_add(exponent);
        let (mut seconds, mut has_fraction) = (0_u64, false);
        for &digit in [integer, fraction].into_iter().flatten() {
            if left > 0 {
                seconds = appended(seconds, digit)?;
            } else {
                has_fraction |= digit != b'0';
            }
            left = left.saturating_sub(1);
        }
        // Zero stays zero, and anything else leaves the range within a dozen digits.
        while left > 0 && seconds > 0 {
            seconds = appended(seconds, b'0')?;
            left = left.saturating_sub(1);
        }
        let ceil = UnixSeconds::new(seconds.saturating_add(u64::from(has_fraction)))?;
        Some(NumericDate { floor: UnixSeconds(seconds), ceil })
    }
}

/// The exponent of a number; one that is too large is as good as the largest. A loop, which is
/// smaller than `parse`.
#[inline(never)]
pub(crate) fn exponent(text: &[u8]) -> i64 {
    let mut value = 0_i64;
    for digit in text.iter().filter(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(digit.saturating_sub(b'0'));
        value = value.saturating_mul(10).saturating_add(digit).min(i64::from(i32::MAX));
    }
    if text.first() == Some(&b'-') { value.saturating_neg() } else { value }
}

/// The number with one more digit, within the range of instants.
fn appended(seconds: u64, digit: u8) -> Option<u64> {
    let seconds = seconds.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0')));
    UnixSeconds::new(seconds).map(UnixSeconds::get)
}

/// The instants at which an accepted token would be accepted again by the same policy: from the
/// first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The first of them.
    pub from: UnixSeconds,
    /// The first after them, in seconds since the epoch; it may lie a leeway past the last
    /// representable instant.
    pub until: u64,
    /// Whether no list could tell if it was revoked, and it is accepted all the same.
    pub stale: bool,
    /// Which of its issuer's alternatives it is.
    pub alternative: Option<usize>,
}

impl Validity {
    /// What `exp`, `nbf` and `iat` allow.
    #[must_use]
    pub(crate) fn new(exp: UnixSeconds, nbf: Option<UnixSeconds>, iat: Option<UnixSeconds>, leeway: Leeway) -> Self {
        let begins = nbf.max(iat).map_or(0, UnixSeconds::get);
        Validity {
            from: UnixSeconds(begins.saturating_sub(leeway.0)),
            until: exp.0.saturating_add(leeway.0),
            stale: false,
            alternative: None,
        }
    }
}

/// How far two clocks may be apart, in whole seconds: 5 by default, at most 300 ("no more than a
/// few minutes", RFC 7519 §4.1.4).
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

    #[test]
    fn a_numeric_date_is_read_to_the_last_digit() {
        let max = UnixSeconds::MAX.0;
        for (text, expected) in [
            ("1700000290.5", Some((1_700_000_290, 1_700_000_291))),
            ("1700000290.0", Some((1_700_000_290, 1_700_000_290))),
            ("1.7E9", Some((1_700_000_000, 1_700_000_000))),
            ("17e8", Some((1_700_000_000, 1_700_000_000))),
            ("1.7000002905e+9", Some((1_700_000_290, 1_700_000_291))),
            ("17000002905e-1", Some((1_700_000_290, 1_700_000_291))),
            ("1700000290.0000000000000000000000000001", Some((1_700_000_290, 1_700_000_291))),
            ("1700000289.9999999999999999999999999999", Some((1_700_000_289, 1_700_000_290))),
            ("1e-999999999999", Some((0, 1))),
            ("0e999999999999", Some((0, 0))),
            ("0.0", Some((0, 0))),
            ("0.00017e13", Some((1_700_000_000, 1_700_000_000))),
            ("253402300799.0", Some((max, max))),
            ("2.53402300799e11", Some((max, max))),
            ("253402300798.5", Some((max - 1, max))),
            ("253402300799.5", None),
            ("253402300800.0", None),
            ("1e12", None),
            ("1e300", None),
            ("18446744073709551616", None),
            ("-0", None),
            ("-0.0", None),
            ("-1e-9", None),
            ("-1", None),
        ] {
            let read = NumericDate::of_number(text).map(|date| (date.floor.0, date.ceil.0));
            assert_eq!(read, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_numeric_date_agrees_with_wide_integers(tenths in 0..=2_600_000_000_000_u64, zeros in 0..30_usize, by in 0..12_i32) {
            // The same instant in every notation: digits moved over the point and back by the
            // exponent.
            let padding = "0".repeat(zeros);
            let expected = (tenths.div_ceil(10) <= UnixSeconds::MAX.0).then_some((tenths / 10, tenths.div_ceil(10)));
            let (whole, tenth) = (tenths / 10, tenths % 10);
            for text in [format!("{whole}.{tenth}{padding}"), format!("{tenths}.{padding}0e-1"), format!("{tenths}{}E-{}", "0".repeat(usize::try_from(by).unwrap()), by + 1)] {
                prop_assert_eq!(NumericDate::of_number(&text).map(|date| (date.floor.0, date.ceil.0)), expected, "{}", text);
            }
        }

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
