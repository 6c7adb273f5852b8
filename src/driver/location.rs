//! Where an issuer publishes its keys.

use crate::{keys::freshness::Bounds, policy::RemoteSource};

/// An issuer, and where its keys are: those of another place are other keys.
pub(super) type Name = (String, String);

/// Where an issuer's keys are, how they are fetched, and how long they are believed.
#[derive(Debug)]
#[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "in `tower` others fetch, by the issuer's name"))]
pub(crate) struct Location {
    pub(crate) issuer: String,
    /// The JWK Set, where the policy names it.
    pub(crate) jwks_uri: Option<String>,
    /// The metadata that name it, where the policy does not.
    pub(crate) discovery_url: Option<String>,
    pub(crate) timeout_ms: u64,
    pub(crate) max_bytes: u64,
    pub(super) name: Name,
    pub(super) bounds: Bounds,
    /// How long a fetch may take in all, in seconds.
    pub(super) patience: u64,
}

impl Location {
    /// How long a fetch may take in all, in milliseconds.
    #[cfg(feature = "fetch")]
    pub(crate) fn patience_ms(&self) -> u64 {
        self.patience.saturating_mul(1000)
    }

    pub(super) fn of(source: &RemoteSource<'_>) -> Self {
        let exchanges = if source.jwks_uri.is_some() { 1 } else { 2 };
        let patience = source.timeout_ms.saturating_mul(exchanges).div_ceil(1000).saturating_add(1);
        let bounds = Bounds {
            min_ttl_seconds: source.min_ttl_seconds,
            max_ttl_seconds: source.max_ttl_seconds,
            stale_seconds: source.stale_seconds,
        };
        Location {
            issuer: source.issuer.to_owned(),
            jwks_uri: source.jwks_uri.map(str::to_owned),
            discovery_url: source.discovery_url.clone(),
            timeout_ms: source.timeout_ms,
            max_bytes: source.max_bytes,
            name: name_of(source),
            bounds,
            patience,
        }
    }
}

/// Names the place that a source is at.
pub(super) fn name_of(source: &RemoteSource<'_>) -> Name {
    let place = source.jwks_uri.or(source.discovery_url.as_deref()).unwrap_or_default();
    (source.issuer.to_owned(), place.to_owned())
}
