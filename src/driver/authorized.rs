//! What a service behind the gate is told of a request.

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    claims::Claims,
    gate::{Allowed, Binding},
    time::UnixSeconds,
};

/// Whose a request is that passed with a token. In `tower` it is an extension of the request, and
/// beside it stands [`Claims`], when the token has them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    claims: String,
    header: Option<String>,
    issuer: String,
    alternative: Option<String>,
    binding: Option<Binding>,
}

impl Authorized {
    pub(super) fn new(allowed: Allowed) -> Self {
        let Allowed { claims, header, issuer, alternative, binding, .. } = allowed;
        Authorized { claims, header, issuer, alternative, binding }
    }

    /// All claims: the text of a JSON object.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.claims
    }

    /// The token's header: the text of a JSON object. `None` for an opaque token.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// The issuer's name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the alternative that the token fits, where the policy has its issuer's tokens in several.
    #[must_use]
    pub fn alternative(&self) -> Option<&str> {
        self.alternative.as_deref()
    }

    /// How the client proved to be the one the token was given to.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        self.binding
    }

    /// All claims as a type of the caller's own.
    ///
    /// # Errors
    /// The claims do not fit the type.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.claims)
    }

    /// The registered claims. An authorization server's answer about an opaque token need not have them (RFC 7662 §2.2).
    pub(crate) fn registered(&self) -> Option<Claims> {
        let Registered { iss, aud, exp, sub, nbf, iat, jti, client_id, scope } = self.deserialize().ok()?;
        let aud = match aud {
            None => Vec::new(),
            Some(Audience::One(one)) => vec![one],
            Some(Audience::Many(many)) => many,
        };
        let (nbf, iat) = (nbf.and_then(UnixSeconds::new), iat.and_then(UnixSeconds::new));
        Some(Claims { iss, aud, exp: UnixSeconds::new(exp)?, sub, nbf, iat, jti, client_id, scope })
    }
}

#[derive(Deserialize)]
struct Registered {
    iss: String,
    aud: Option<Audience>,
    exp: u64,
    sub: Option<String>,
    nbf: Option<u64>,
    iat: Option<u64>,
    jti: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}
