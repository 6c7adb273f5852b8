//! What came of a document: taken, or why not.

use core::fmt;

use serde::Serialize;

use crate::time::UnixSeconds;

/// A document was good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateReport {
    /// Whether tokens may be judged otherwise than before. What was remembered then counts no more.
    pub changed: bool,
    /// The version that is held now.
    pub version: u64,
    /// How many tokens and sessions are revoked one by one.
    pub tokens: usize,
    /// How many cutoffs there are.
    pub cutoffs: usize,
    /// From when on the list is stale unless another comes, in seconds since 1970.
    pub stale_at: u64,
    /// What it takes, in bytes.
    pub bytes: usize,
}

/// A document was not taken; what is held stays. Every variant has one permanent
/// [`code`](UpdateError::code).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are explained by their variant")]
pub enum UpdateError {
    /// The policy has no `revocation`.
    #[serde(rename = "update-unexpected")]
    Unexpected,
    /// It is no such document: which part or member is at fault.
    #[serde(rename = "update-malformed")]
    Malformed { what: &'static str },
    /// None of the keys of `revocation` has signed it.
    #[serde(rename = "update-foreign")]
    Foreign,
    /// It is the list of another issuer than the policy's, or than the one whose list is held: of
    /// `expected`.
    #[serde(rename = "update-issuer")]
    Issuer { expected: String },
    /// Its `typ` is another: a token, or a list of another kind.
    #[serde(rename = "update-type")]
    Type,
    /// It says that it was made in the future, and could seem fresh for as long as it likes.
    #[serde(rename = "update-from-future")]
    FromFuture { now: UnixSeconds, issued_at: UnixSeconds },
    /// Its `not_after` is over.
    #[serde(rename = "update-over")]
    Over { now: UnixSeconds, not_after: UnixSeconds },
    /// A later epoch is held, a later version of this one, or the same version made later.
    #[serde(rename = "update-older")]
    Older { held: u64, offered: u64 },
    /// It continues another chain than the one that is held: somebody signs two histories.
    #[serde(rename = "update-forked")]
    Forked { held: u64 },
    /// It is a delta to what is not held: a snapshot is needed.
    #[serde(rename = "update-gap")]
    Gap { held: Option<u64>, offered: u64 },
}

impl UpdateError {
    /// The permanent name of the reason, in kebab-case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            UpdateError::Unexpected => "update-unexpected",
            UpdateError::Malformed { .. } => "update-malformed",
            UpdateError::Foreign => "update-foreign",
            UpdateError::Issuer { .. } => "update-issuer",
            UpdateError::Type => "update-type",
            UpdateError::FromFuture { .. } => "update-from-future",
            UpdateError::Over { .. } => "update-over",
            UpdateError::Older { .. } => "update-older",
            UpdateError::Forked { .. } => "update-forked",
            UpdateError::Gap { .. } => "update-gap",
        }
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl core::error::Error for UpdateError {}
