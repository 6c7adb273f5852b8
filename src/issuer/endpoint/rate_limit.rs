//! How often: per address, per session and per client.

use core::net::{IpAddr, Ipv6Addr};

use super::{channel::Channel, error_response::ErrorResponse, store_keys};
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
pub(super) async fn check(channel: &Channel, key: String, rate: Option<Rate>) -> Result<(), ErrorResponse> {
    match rate {
        Some(rate) if !channel.is_within(key, rate).await => Err(ErrorResponse::too_many(rate.seconds)),
        _ => Ok(()),
    }
}

/// The key under which a client's address is counted. An IPv6 network of 64 bits belongs to one
/// subscriber (RFC 6177 §2), who could use another address of it each time.
pub(super) fn address_key(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => format!("address/{address}"),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("address/{}", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        // A shell may count by what it likes.
        Err(_) => store_keys::once("address", &[address]),
    }
}

#[cfg(test)]
mod tests {
    use super::address_key;

    #[test]
    fn a_subscriber_is_counted_as_one() {
        assert_eq!(address_key("192.0.2.1"), address_key("::ffff:192.0.2.1"));
        assert_eq!(address_key("2001:db8::1"), address_key("2001:db8::ffff:1"));
        assert_ne!(address_key("2001:db8::1"), address_key("2001:db8:0:1::1"));
        assert_ne!(address_key("a"), address_key("b"));
    }
}
