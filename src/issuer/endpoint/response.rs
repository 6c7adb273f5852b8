//! Answers.

use serde::Serialize;
use serde_json::Value;

/// An answer over HTTP. Names of headers are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: String,
}

impl Response {
    /// JSON that nobody may keep (RFC 6749 §5.1).
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Response { status, headers: Vec::new(), body: body.to_string() }
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
            .with("pragma", "no-cache")
    }

    /// Nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Response { status, headers: Vec::new(), body: String::new() }.with("cache-control", "no-store")
    }

    /// What anybody may keep for so many seconds, and any page may read.
    pub(super) fn public(kind: &str, body: String, max_age_seconds: u64) -> Self {
        Response { status: 200, headers: Vec::new(), body }
            .with("content-type", kind)
            .with("cache-control", &format!("public, max-age={max_age_seconds}"))
            .with("access-control-allow-origin", "*")
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}
