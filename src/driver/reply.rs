//! A ready response as plain data: status, header fields and body.

use crate::gate::{PreflightAnswer, Refusal};

/// What a client is told in place of the service's own response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Header fields in lower case; a name may come more than once.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Reply {
    /// A refusal: challenges (RFC 6750 §3, RFC 9449 §7.1) and a problem (RFC 9457).
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        // RFC 6750 §5.3, RFC 9111 §3.5: the answer is about this request's credentials alone.
        let mut fields = vec![field("content-type", "application/problem+json"), field("cache-control", "no-store")];
        fields.extend(refusal.challenges.iter().map(|challenge| field("www-authenticate", challenge)));
        fields.extend(refusal.retry_after.map(|seconds| field("retry-after", &seconds.to_string())));
        fields.extend(refusal.nonce.as_deref().map(|nonce| field(DPOP_NONCE, nonce)));
        fields.extend(refusal.cors.iter().cloned());
        Reply { status: refusal.status, fields, body: Some(refusal.problem()) }
    }

    /// The answer to a CORS preflight, which has no body.
    pub(crate) fn of_preflight(answer: &PreflightAnswer) -> Self {
        Reply { status: answer.status, fields: answer.headers.clone(), body: None }
    }

    /// That nothing can be said at the moment.
    pub(crate) fn unavailable() -> Self {
        Reply { status: 503, fields: Vec::new(), body: None }
    }
}

/// The field with a nonce for the client's next proof (RFC 9449 §8).
pub(crate) const DPOP_NONCE: &str = "dpop-nonce";
