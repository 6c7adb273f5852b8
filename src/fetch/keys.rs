//! The keys that an issuer publishes, by `fetch`.

use super::{
    Outside, Shared,
    exchange::{Question, ask},
};
use crate::driver::{Location, Published, World};

/// The JWK Set (RFC 7517 §5) at the place that the policy names, or that the issuer's metadata name
/// (OpenID Connect Discovery 1.0 §4, RFC 8414 §3) as far as the gate follows them.
pub(super) async fn published<O: Outside>(shared: &Shared<O>, location: &Location) -> Option<Published> {
    let outside = shared.outside();
    let question = |url| Question {
        url,
        fields: &[("accept", "application/jwk-set+json, application/json")],
        form: None,
        timeout_ms: location.timeout_ms,
        max_bytes: location.max_bytes,
    };
    let discovered = match (&location.jwks_uri, &location.discovery_url) {
        (None, Some(url)) => {
            let metadata = ask(outside, &question(url)).await?.text;
            Some(shared.read().jwks_uri(&location.issuer, &metadata).ok()?)
        }
        _ => None,
    };
    let answer = ask(outside, &question(location.jwks_uri.as_deref().or(discovered.as_deref())?)).await?;
    Some(Published { cache_control: answer.field("cache-control"), age: answer.field("age"), jwks: answer.text })
}
