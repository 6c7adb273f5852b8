//! What a gate may have to know from outside while it decides.

use core::future::Future;

/// What came of asking the authorization server about a token (RFC 7662).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Its response: JSON.
    Response(String),
    /// It could not be reached, or refused us.
    Unavailable,
    /// Too many questions are under way.
    Busy,
}

/// Does the I/O that a gate's policy asks for. What is left out is not to be had, and requests that depend on it are refused with 503.
pub trait Outside: Send + Sync + 'static {
    /// The JWK Set that the issuer publishes at this moment, as JSON. It is asked for once in 30 seconds at most, and should be given up on
    /// after a few.
    fn keys(&self, issuer: &str) -> impl Future<Output = Option<String>> + Send {
        let _ = issuer;
        core::future::ready(None)
    }

    /// What the issuer's authorization server says of a token.
    fn introspect(&self, issuer: &str, token: &str) -> impl Future<Output = Introspection> + Send {
        let _ = (issuer, token);
        core::future::ready(Introspection::Unavailable)
    }

    /// Notes a DPoP proof until an instant in seconds since 1970, and says whether it is the first use of it. `None` when that cannot be
    /// known. One call must see what another has noted.
    fn first_use(&self, key: &str, until: u64) -> impl Future<Output = Option<bool>> + Send {
        let _ = (key, until);
        core::future::ready(None)
    }
}

/// Nothing is to be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Outside for Nothing {}
