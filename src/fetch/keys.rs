//! The keys that an issuer publishes, by `fetch`.

use super::{
    Outside, Shared,
    exchange::{OutsideRequest, ask},
};
use crate::driver::{Location, Published, World};

/// The JWK Set (RFC 7517 §5) at the place that the policy names, or that the issuer's metadata name
/// (OpenID Connect Discovery 1.0 §4, RFC 8414 §3) as far as the gate follows them.
pub(super) async fn published<O: Outside>(shared: &Shared<O>, location: &Location) -> Option<Published> {
    let outside = shared.outside();
    let question = |url| OutsideRequest {
        url,
        fields: &[("accept", "application/jwk-set+json, application/json")],
        form: None,
        timeout_ms: location.timeout_ms,
        max_bytes: location.max_bytes,
    };
    let (jwks_uri, metadata) = match (&location.jwks_uri, &location.discovery_url) {
        (Some(url), _) => (url.clone(), None),
        (None, Some(url)) => {
            let metadata = ask(outside, &question(url)).await?.text;
            (shared.read().jwks_uri(&location.issuer, &metadata).ok()?, Some(metadata))
        }
        (None, None) => return None,
    };
    let answer = ask(outside, &question(&jwks_uri)).await?;
    let (cache_control, age) = (answer.field("cache-control"), answer.field("age"));
    Some(Published { jwks: answer.text, cache_control, age, metadata })
}
