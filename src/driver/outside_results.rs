//! What can come of a question to the world outside.

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

/// A JWK Set with the fields of its response that say how long it is fresh (RFC 9111 §4.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The set, as JSON.
    pub jwks: String,
    /// `Cache-Control`; of several fields the values, with a comma between them.
    pub cache_control: Option<String>,
    /// `Age`.
    pub age: Option<String>,
    /// The issuer's metadata that named the set (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), as
    /// JSON. A policy that would not follow them ([`Gate::jwks_uri`](crate::Gate::jwks_uri)) does
    /// not take the set, nor take it over. Without them, whoever found the set answers for its
    /// place.
    pub metadata: Option<String>,
}

impl From<String> for Published {
    fn from(jwks: String) -> Self {
        Published { jwks, ..Published::default() }
    }
}
