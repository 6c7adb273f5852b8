//! What a gate may have to know from outside while it decides.

use core::future::Future;

use crate::driver::{Introspection, Published};

/// Does the I/O that a gate's policy asks for. What is left out is not to be had, and requests
/// that depend on it are refused with 503.
pub trait Outside: Send + Sync + 'static {
    /// The JWK Set that the issuer publishes at this moment, as JSON, where nothing is known of
    /// how long it is fresh: it counts as ten minutes, within the policy's bounds. It is asked for
    /// once in 30 seconds at most, and should be given up on after a few.
    fn keys(&self, issuer: &str) -> impl Future<Output = Option<String>> + Send {
        let _ = issuer;
        core::future::ready(None)
    }

    /// The same with what the response says of how long it is fresh, and with the issuer's metadata
    /// where they named the set: another policy may not follow them.
    fn published(&self, issuer: &str) -> impl Future<Output = Option<Published>> + Send {
        async move { self.keys(issuer).await.map(Published::from) }
    }

    /// What the issuer's authorization server says of a token. An answer may be kept for a while
    /// and given again.
    fn introspect(&self, issuer: &str, token: &str) -> impl Future<Output = Introspection> + Send {
        let _ = (issuer, token);
        core::future::ready(Introspection::Unavailable)
    }

    /// What it says at this moment, as a policy with `whenStale: "introspect"` asks while lists of
    /// revocations are stale. Whoever keeps answers in [`introspect`](Self::introspect) has to
    /// write this one too, and to ask.
    fn introspect_now(&self, issuer: &str, token: &str) -> impl Future<Output = Introspection> + Send {
        self.introspect(issuer, token)
    }

    /// Notes a DPoP proof until an instant in seconds since 1970, and says whether it is the first
    /// use of it. `None` when that cannot be known. One call must see what another has noted. A
    /// store that several policies use with different `iatWindowSeconds` remembers proofs for 300
    /// seconds longer, as long as any of them may accept one.
    fn first_use(&self, key: &str, until: u64) -> impl Future<Output = Option<bool>> + Send {
        let _ = (key, until);
        core::future::ready(None)
    }
}

/// Nothing is to be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Outside for Nothing {}
