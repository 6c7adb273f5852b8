//! Signing: keys, their public sets, access tokens, and the sessions they are refreshed in. Nothing that verifies may name this module.

pub mod signing_key;
pub mod key_ring;
mod scope;
mod bounds;
pub mod mint;

// sessions: what they are judged by, what is kept of them, the state machine, and its way to a store
pub mod session_id;
pub mod configuration;
pub mod root_keys;
pub mod refresh_token;
pub mod cutoff;
pub mod row;
pub mod event;
pub mod grant;
pub mod refusal;
pub mod session;
pub mod start;
pub mod operation;
pub mod store;

// what the processes of an issuer know of each other
mod clocks;
mod fleet;

// the revocation feed, and the endpoints over all of it
pub mod feed;
pub mod endpoint;

use core::fmt;

use crate::policy_error::PolicyError;

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerError {
    /// The platform gave no random bytes, or the same twice. The call fails; nothing weaker is used in their place.
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

/// Random bytes. A generator that gives the same twice gives nothing that could be a secret or a name (RUSTSEC-2026-0075): of 16 bytes and
/// more that happens to a good one never.
fn random<const N: usize>() -> Result<[u8; N], IssuerError> {
    let bytes: [u8; N] = draw()?;
    if bytes == draw()? { Err(IssuerError::Randomness) } else { Ok(bytes) }
}

fn draw<const N: usize>() -> Result<[u8; N], IssuerError> {
    const { assert!(N >= 16) }
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).map_err(|_| IssuerError::Randomness)?;
    Ok(bytes)
}
