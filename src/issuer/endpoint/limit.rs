//! How often: per client and per session.

use super::{channel::Channel, failure::Failure};
use crate::{json::Object, policy_error::PolicyError};

/// So many requests within so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// How many.
    pub(super) requests: u64,
    /// Within what time.
    pub(super) seconds: u64,
}

impl Rate {
    /// A session refreshes once per access token; this leaves room for tabs, retries and restarts.
    pub(super) const SESSION: Rate = Rate { requests: 60, seconds: 60 };

    /// Reads `{ requests, seconds }`.
    pub(super) fn read(section: &Object<'_>) -> Result<Self, PolicyError> {
        section.only(&["requests", "seconds"])?;
        let number = |member: &str| match section.integer(member)? {
            Some(number) if (1..=1_000_000).contains(&number) => Ok(number),
            _ => Err(PolicyError::at(member, "must be an integer from 1 to 1000000")),
        };
        Ok(Rate { requests: number("requests")?, seconds: number("seconds")? })
    }
}

/// Counts a request and refuses one too many.
pub(super) async fn check(channel: &Channel, key: String, rate: Option<Rate>) -> Result<(), Failure> {
    match rate {
        Some(rate) if !channel.is_within(key, rate).await => Err(Failure::too_many(rate.seconds)),
        _ => Ok(()),
    }
}
