//! Where what is not built in comes from: an issuer's keys and its answers about opaque tokens.
//! Others do the fetching.

use serde::Serialize;

use crate::{document::url, policy::tenants, policy_error::PolicyError, text};

/// Where an issuer publishes its keys, and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    pub(crate) location: Location,
    pub(crate) min_ttl_seconds: u64,
    pub(crate) max_ttl_seconds: u64,
    pub(crate) stale_seconds: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) max_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    JwksUri(String),
    Discovery(Discovery),
}

/// A document in which an issuer names its `jwks_uri`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// OpenID Connect Discovery 1.0 §4.
    Oidc,
    /// OAuth 2.0 Authorization Server Metadata (RFC 8414 §3).
    Oauth,
}

impl Remote {
    pub(crate) const MIN_TTL: u64 = 60;
    pub(crate) const MAX_TTL: u64 = 86_400;
    pub(crate) const STALE: u64 = 86_400;
    pub(crate) const TIMEOUT_MS: u64 = 3_000;
    pub(crate) const MAX_BYTES: u64 = 262_144;

    /// A JWK Set at that URL: kept for 60 seconds to a day as its response says, and a day more
    /// when it cannot be fetched again.
    ///
    /// # Errors
    /// A URL that is not https, nor http on a loopback name (`/jwksUri`).
    pub fn jwks_uri(url: impl Into<String>) -> Result<Self, PolicyError> {
        Self::jwks_uri_among(url, &[])
    }

    /// The same, where the URL may be http on these hosts.
    pub(crate) fn jwks_uri_among(url: impl Into<String>, hosts: &[&str]) -> Result<Self, PolicyError> {
        let url = url.into();
        tenants::check_url(&url, hosts).map_err(|reason| PolicyError::at("jwksUri", reason))?;
        Ok(Remote::at(Location::JwksUri(url)))
    }

    /// The JWK Set that the issuer's own metadata names, which are found under the issuer's name.
    #[must_use]
    pub fn discovery(kind: Discovery) -> Self {
        Remote::at(Location::Discovery(kind))
    }

    pub(crate) fn at(location: Location) -> Self {
        Remote {
            location,
            min_ttl_seconds: Self::MIN_TTL,
            max_ttl_seconds: Self::MAX_TTL,
            stale_seconds: Self::STALE,
            timeout_ms: Self::TIMEOUT_MS,
            max_bytes: Self::MAX_BYTES,
        }
    }

    /// Sets the shortest and the longest time for which keys are kept without asking again,
    /// whatever their response says.
    ///
    /// # Errors
    /// The shortest is the longer of the two (`/minTtlSeconds`).
    pub fn with_ttl_seconds(self, least: u64, most: u64) -> Result<Self, PolicyError> {
        if least > most {
            return Err(PolicyError::at("minTtlSeconds", "must not be more than maxTtlSeconds"));
        }
        Ok(Remote { min_ttl_seconds: least, max_ttl_seconds: most, ..self })
    }

    /// The URL that the policy names, if it does.
    pub(crate) fn url(&self) -> &str {
        match &self.location {
            Location::JwksUri(url) => url,
            Location::Discovery(_) => "",
        }
    }

    /// What can be told only once the issuer's name is known.
    pub(crate) fn check(&self, issuer: &str, hosts: &[&str]) -> Result<(), PolicyError> {
        if let Location::Discovery(_) = self.location {
            tenants::check_url(issuer, hosts).map_err(|reason| PolicyError::at("issuer", reason))?;
            // RFC 8414 §2: an issuer has no query.
            if text::cut(issuer, b'?').is_some() {
                return Err(PolicyError::at("issuer", "must have no query"));
            }
        }
        Ok(())
    }
}

/// Where to fetch an issuer's keys, everything filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are those of the policy")]
pub struct RemoteSource<'p> {
    pub issuer: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
    /// Where the metadata is that name the `jwks_uri`, when the policy does not. Its `issuer` has
    /// to be this one, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery_url: Option<String>,
    pub min_ttl_seconds: u64,
    pub max_ttl_seconds: u64,
    pub stale_seconds: u64,
    pub timeout_ms: u64,
    pub max_bytes: u64,
}

impl<'p> RemoteSource<'p> {
    pub(crate) fn new(issuer: &'p str, remote: &'p Remote) -> Self {
        let (jwks_uri, discovery) = match &remote.location {
            Location::JwksUri(url) => (Some(url.as_str()), None),
            Location::Discovery(kind) => (None, Some(*kind)),
        };
        RemoteSource {
            issuer,
            jwks_uri,
            discovery,
            discovery_url: discovery.map(|kind| kind.url(issuer)),
            min_ttl_seconds: remote.min_ttl_seconds,
            max_ttl_seconds: remote.max_ttl_seconds,
            stale_seconds: remote.stale_seconds,
            timeout_ms: remote.timeout_ms,
            max_bytes: remote.max_bytes,
        }
    }
}

impl Discovery {
    /// Where that document of an issuer is.
    fn url(self, issuer: &str) -> String {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        match self {
            // OpenID Connect Discovery §4.1: behind the path.
            Discovery::Oidc => [issuer, "/.well-known/openid-configuration"].concat(),
            // RFC 8414 §3.1: between host and path.
            Discovery::Oauth => {
                let (scheme, rest) = url::split_scheme(issuer).unwrap_or(("https", issuer));
                let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
                [scheme, "://", host, "/.well-known/oauth-authorization-server", path].concat()
            }
        }
    }
}

/// An issuer's introspection endpoint (RFC 7662) and how we show who we are. The secret itself is
/// never part of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    pub(crate) endpoint: String,
    pub(crate) client_id: String,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) cache_seconds: u64,
    pub(crate) negative_cache_seconds: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) concurrency: u64,
}

/// How a client shows who it is (RFC 6749 §2.3.1, OpenID Connect Core §9, RFC 7523 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of the registry (RFC 7591 §4.2)")]
pub enum ClientAuthentication {
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

impl Introspection {
    pub(crate) const CACHE: u64 = 60;
    pub(crate) const NEGATIVE_CACHE: u64 = 10;
    pub(crate) const TIMEOUT_MS: u64 = 2_000;
    pub(crate) const CONCURRENCY: u64 = 16;

    /// An endpoint and the name by which it knows us: answers are kept a minute, refusals ten
    /// seconds, and 16 are asked for at a time.
    ///
    /// # Errors
    /// A URL that is not https, nor http on a loopback name (`/endpoint`); an empty name
    /// (`/clientId`).
    pub fn new(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        authentication: ClientAuthentication,
    ) -> Result<Self, PolicyError> {
        let (endpoint, client_id) = (endpoint.into(), client_id.into());
        url::check(&endpoint).map_err(|reason| PolicyError::at("endpoint", reason))?;
        if client_id.is_empty() {
            return Err(PolicyError::at("clientId", "must not be empty"));
        }
        Ok(Introspection {
            endpoint,
            client_id,
            authentication,
            cache_seconds: Self::CACHE,
            negative_cache_seconds: Self::NEGATIVE_CACHE,
            timeout_ms: Self::TIMEOUT_MS,
            concurrency: Self::CONCURRENCY,
        })
    }
}

/// Whom to ask about an issuer's opaque tokens, everything filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are those of the policy")]
pub struct IntrospectionSource<'p> {
    pub issuer: &'p str,
    pub endpoint: &'p str,
    pub client_id: &'p str,
    pub authentication: ClientAuthentication,
    pub cache_seconds: u64,
    pub negative_cache_seconds: u64,
    pub timeout_ms: u64,
    pub concurrency: u64,
}

impl<'p> IntrospectionSource<'p> {
    pub(crate) fn new(issuer: &'p str, introspection: &'p Introspection) -> Self {
        IntrospectionSource {
            issuer,
            endpoint: &introspection.endpoint,
            client_id: &introspection.client_id,
            authentication: introspection.authentication,
            cache_seconds: introspection.cache_seconds,
            negative_cache_seconds: introspection.negative_cache_seconds,
            timeout_ms: introspection.timeout_ms,
            concurrency: introspection.concurrency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_found_where_their_specifications_put_them() {
        let url = |kind: Discovery, issuer| kind.url(issuer);
        assert_eq!(url(Discovery::Oidc, "https://a.example"), "https://a.example/.well-known/openid-configuration");
        assert_eq!(
            url(Discovery::Oidc, "https://a.example/t/"),
            "https://a.example/t/.well-known/openid-configuration"
        );
        let oauth = "https://a.example/.well-known/oauth-authorization-server";
        assert_eq!(url(Discovery::Oauth, "https://a.example/"), oauth);
        assert_eq!(url(Discovery::Oauth, "https://a.example/t/u"), format!("{oauth}/t/u"));
    }

    #[test]
    fn an_issuer_whose_keys_are_discovered_is_a_url() {
        let remote = Remote::discovery(Discovery::Oidc);
        assert_eq!(remote.check("https://a.example/t", &[]), Ok(()));
        for issuer in ["a", "http://a.example", "https://a.example?b"] {
            assert_eq!(remote.check(issuer, &[]).unwrap_err().pointer(), "/issuer", "{issuer}");
        }
        assert_eq!(Remote::jwks_uri("https://a.example/k").unwrap().check("accounts", &[]), Ok(()));
        assert_eq!(remote.with_ttl_seconds(2, 1).unwrap_err().pointer(), "/minTtlSeconds");
    }
}
