//! What an issuer may do differently from RFC 7515 and RFC 7519, where a policy says that it does.

/// One way in which an issuer's tokens differ. None is accepted unless the policy names it for
/// that issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// A token without `iss` speaks for the issuer whose key has signed it. One with another `iss`
    /// is refused.
    MissingIss,
    /// A token without `aud` is accepted. One with another `aud` is refused.
    MissingAud,
    /// `sub`, `jti` and `client_id` may be whole numbers, and are read as their decimal text.
    NumericIds,
    /// A claim that is `null` counts as absent. STRICTER: but for `cnf`, since a token that lost
    /// its binding would pass for one that never had any.
    NullClaims,
    /// The three segments may have the padding of base64 (RFC 4648 §3.2).
    Base64urlPadding,
}

impl Deviation {
    /// The names they have in a policy.
    pub(crate) const NAMES: &'static [&'static str] =
        &["missing-iss", "missing-aud", "numeric-ids", "null-claims", "base64url-padding"];

    const ALL: [Deviation; 5] = [
        Deviation::MissingIss,
        Deviation::MissingAud,
        Deviation::NumericIds,
        Deviation::NullClaims,
        Deviation::Base64urlPadding,
    ];

    const fn bit(self) -> u8 {
        match self {
            Deviation::MissingIss => 1,
            Deviation::MissingAud => 2,
            Deviation::NumericIds => 4,
            Deviation::NullClaims => 8,
            Deviation::Base64urlPadding => 16,
        }
    }

    /// The deviation of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().zip(Self::ALL).find(|(own, _)| **own == name).map(|(_, deviation)| deviation)
    }
}

/// The claims that [`Deviation::NumericIds`] is about.
pub(crate) const NUMERIC_IDS: [&str; 3] = ["sub", "jti", "client_id"];

/// The deviations of one issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deviations(u8);

impl Deviations {
    /// None.
    pub(crate) const NONE: Deviations = Deviations(0);

    pub(crate) fn of(deviations: impl IntoIterator<Item = Deviation>) -> Self {
        Deviations(deviations.into_iter().fold(0, |bits, deviation| bits | deviation.bit()))
    }

    /// Is it among them?
    pub(crate) const fn has(self, deviation: Deviation) -> bool {
        self.0 & deviation.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_name() {
        let named = |name| Deviation::from_name(name).unwrap();
        assert_eq!(Deviation::NAMES.iter().map(|name| named(name)).collect::<Vec<_>>(), Deviation::ALL);
        assert_eq!(named("missing-aud"), Deviation::MissingAud);
        assert_eq!(Deviation::from_name("Missing-Aud"), None);
        let deviations = Deviations::of([Deviation::NullClaims]);
        assert!(deviations.has(Deviation::NullClaims) && !deviations.has(Deviation::MissingIss));
        assert!(!Deviations::NONE.has(Deviation::NullClaims));
    }
}
