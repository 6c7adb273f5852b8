//! Why nothing is issued.

use core::fmt;

use crate::policy_error::PolicyError;

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerError {
    /// The platform gave no random bytes, or the same twice. The call fails; nothing weaker is
    /// used in their place.
    Randomness,
    /// The key or the request is wrong.
    Invalid(PolicyError),
}

impl fmt::Display for IssuerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IssuerError::Randomness => formatter.write_str("the platform gave no random bytes"),
            IssuerError::Invalid(error) => error.fmt(formatter),
        }
    }
}

impl core::error::Error for IssuerError {}

impl From<PolicyError> for IssuerError {
    fn from(error: PolicyError) -> Self {
        IssuerError::Invalid(error)
    }
}
