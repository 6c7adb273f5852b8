//! Who may ask, how they show who they are, and for what.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{super::bounds, rate_limit::Rate, redirect_uri, settings::Settings};
use crate::{
    alg::Alg, base64url, json::Object, policy::IssuerPolicy, policy::Policy, policy_error::PolicyError,
    verifier::Verifier,
};

/// The shortest secret that is hashed: 32 characters of base64url are 192 bits.
const SHORTEST_SECRET: usize = 32;

/// The grants there are, by their names at the token endpoint.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(super) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const GRANTS: [&str; 4] = [REFRESH_TOKEN, CLIENT_CREDENTIALS, AUTHORIZATION_CODE, TOKEN_EXCHANGE];

const MEMBERS: [&str; 14] = [
    "clientId",
    "authentication",
    "secretHash",
    "jwks",
    "grants",
    "scope",
    "redirectUris",
    "audience",
    "rateLimit",
    "introspects",
    "administers",
    "feed",
    "dpopBound",
    "requirePushedAuthorizationRequests",
];

/// A client (RFC 6749 §2).
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) authentication: Authentication,
    grants: Vec<&'static str>,
    /// All it may be granted.
    pub(super) scope: Option<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) rate: Option<Rate>,
    /// It may ask about the tokens of others (RFC 7662 §2.1).
    pub(super) introspects: bool,
    /// It may revoke what is not its own.
    pub(super) administers: bool,
    /// It may read the revocation feed.
    pub(super) reads_feed: bool,
    /// It gets nothing without a proof (RFC 9449 §5.2).
    pub(super) dpop_bound: bool,
    /// It pushes its authorization requests (RFC 9126 §6).
    pub(super) pushes: bool,
}

/// How a client shows who it is (RFC 6749 §2.3, RFC 7523 §2.2).
#[derive(Debug)]
pub(super) enum Authentication {
    /// It cannot: it is public (RFC 6749 §2.1).
    None,
    /// By a secret in the Authorization header.
    Basic(Vec<[u8; 32]>),
    /// By a secret in the body.
    Post(Vec<[u8; 32]>),
    /// By a signature.
    PrivateKeyJwt(Box<Verifier>),
}

impl Client {
    /// Reads a client. `raw` is the same object, for what is handed on as text.
    pub(super) fn read(object: &Object<'_>, raw: &Value, settings: &Settings) -> Result<Self, PolicyError> {
        object.only(&MEMBERS)?;
        let id = object.required_string("clientId")?.to_owned();
        bounds::check_text("clientId", &id, bounds::CLIENT_ID)?;
        let authentication = match object.required_string("authentication")? {
            "none" => Authentication::None,
            "client_secret_basic" => Authentication::Basic(hashes(object)?),
            "client_secret_post" => Authentication::Post(hashes(object)?),
            "private_key_jwt" => Authentication::PrivateKeyJwt(Box::new(verifier(&id, raw, settings)?)),
            _ => {
                let known = "must be none, client_secret_basic, client_secret_post or private_key_jwt";
                return Err(PolicyError::at("authentication", known));
            }
        };
        let stray = |member: &str| Err(PolicyError::at(member, "is not used by this authentication method. Remove it"));
        let by_secret = matches!(authentication, Authentication::Basic(_) | Authentication::Post(_));
        if !by_secret && object.get("secretHash").is_some() {
            return stray("secretHash");
        }
        if !matches!(authentication, Authentication::PrivateKeyJwt(_)) && object.get("jwks").is_some() {
            return stray("jwks");
        }
        let grants = grants(object, &authentication, settings)?;
        let scope = object.string("scope")?.map(str::to_owned);
        scope.as_deref().map_or(Ok(()), |text| bounds::check_scope("scope", text))?;
        let audience = object.string("audience")?.map(str::to_owned);
        audience.as_deref().map_or(Ok(()), |text| bounds::check_text("audience", text, bounds::AUDIENCE))?;
        let redirect_uris = object.strings("redirectUris")?.unwrap_or_default();
        for (index, uri) in redirect_uris.iter().enumerate() {
            let at = |reason| PolicyError::at(&index.to_string(), reason).within("redirectUris");
            redirect_uri::check(uri).map_err(at)?;
        }
        if grants.contains(&AUTHORIZATION_CODE) && redirect_uris.is_empty() {
            return Err(PolicyError::at("redirectUris", "is required for the grant authorization_code"));
        }
        let rate = match object.object("rateLimit")? {
            None => settings.client_rate,
            Some(rate) => Some(Rate::read(rate).map_err(|error| error.within("rateLimit"))?),
        };
        let flag = |member: &str| match object.boolean(member)? {
            Some(true) if matches!(authentication, Authentication::None) => {
                Err(PolicyError::at(member, "requires a confidential client"))
            }
            set => Ok(set.unwrap_or_default()),
        };
        Ok(Client {
            introspects: flag("introspects")?,
            administers: flag("administers")?,
            reads_feed: reads_feed(object, &authentication)?,
            audience,
            dpop_bound: object.boolean("dpopBound")?.unwrap_or_default(),
            pushes: object.boolean("requirePushedAuthorizationRequests")?.unwrap_or(settings.pushes),
            id,
            authentication,
            grants,
            scope,
            redirect_uris,
            rate,
        })
    }

    /// May it use that grant?
    pub(super) fn may(&self, grant: &str) -> bool {
        self.grants.contains(&grant)
    }

    /// Does it authenticate itself (RFC 6749 §2.1)?
    pub(super) fn is_confidential(&self) -> bool {
        !matches!(self.authentication, Authentication::None)
    }
}

/// A feed is read with GET, which has no body for a secret or an assertion.
fn reads_feed(object: &Object<'_>, authentication: &Authentication) -> Result<bool, PolicyError> {
    match object.boolean("feed")? {
        Some(true) if !matches!(authentication, Authentication::Basic(_)) => {
            let reason =
                "requires a client whose authentication is client_secret_basic: an edge pulls the feed with GET";
            Err(PolicyError::at("feed", reason))
        }
        set => Ok(set.unwrap_or_default()),
    }
}

/// What is kept of a client's secret: its SHA-256 in base64url.
///
/// It is no password hash. A secret that a machine drew has more bits than anybody can try, and
/// hashing it slowly would protect nothing but cost every request; a secret that a person thought
/// of is refused by its length, and has no place here.
///
/// # Errors
/// Fewer than 32 characters (`/secret`).
pub fn hash_client_secret(secret: &str) -> Result<String, PolicyError> {
    if secret.len() < SHORTEST_SECRET {
        let reason = format!("must have at least {SHORTEST_SECRET} characters, generated at random");
        return Err(PolicyError::at("secret", reason));
    }
    Ok(base64url::encode(&Sha256::digest(secret)))
}

/// The hashes, several while a secret is being replaced.
fn hashes(object: &Object<'_>) -> Result<Vec<[u8; 32]>, PolicyError> {
    let texts = object.string_or_strings("secretHash")?.unwrap_or_default();
    let decode = |text: &String| base64url::decode(text).and_then(|bytes| bytes.try_into().ok());
    let hashes: Option<Vec<[u8; 32]>> = texts.iter().map(decode).collect();
    hashes.filter(|hashes| !hashes.is_empty()).ok_or_else(|| {
        PolicyError::at(
            "secretHash",
            "must be a hash from hashClientSecret (32 bytes in base64url), or an array of them",
        )
    })
}

/// What reads a client's assertions: itself the issuer and the subject, ourselves the audience
/// (RFC 7523 §3).
fn verifier(id: &str, raw: &Value, settings: &Settings) -> Result<Verifier, PolicyError> {
    let jwks = raw.get("jwks").ok_or_else(|| PolicyError::at("jwks", "is required for private_key_jwt"))?;
    // RFC 9126 §2: the endpoint's own URL as well.
    let audience = [settings.issuer.clone(), settings.endpoint("/token"), settings.endpoint("/par")];
    // A key that both sides know is a secret, and has its own two ways.
    let asymmetric = Alg::ALL.into_iter().filter(|alg| !alg.name().starts_with("HS"));
    let policy = IssuerPolicy::new(id, audience)?
        .with_algorithms(asymmetric)
        .with_any_type()
        .with_required_claims(["sub", "jti"])
        .with_claims([("sub", id)])
        .with_jwks(&jwks.to_string())
        .map_err(|error| error.within("jwks"))?;
    Ok(Verifier::new(Policy::new([policy]).map_err(|error| PolicyError::at("jwks", error.reason()))?))
}

fn grants(
    object: &Object<'_>,
    authentication: &Authentication,
    settings: &Settings,
) -> Result<Vec<&'static str>, PolicyError> {
    let mut grants = Vec::new();
    for (index, name) in object.strings("grants")?.unwrap_or_default().iter().enumerate() {
        let at = |reason: String| PolicyError::at(&index.to_string(), reason).within("grants");
        let found = GRANTS.into_iter().find(|known| known == name);
        let grant = found.ok_or_else(|| at(format!("must be one of {}", GRANTS.join(", "))))?;
        let public = matches!(authentication, Authentication::None);
        if public && (grant == CLIENT_CREDENTIALS || grant == TOKEN_EXCHANGE) {
            // RFC 6749 §4.4: confidential clients alone. RFC 8693 §2.1 leaves it open; whoever
            // finds a token could trade it here.
            return Err(at("requires a confidential client".to_owned()));
        }
        if grant == TOKEN_EXCHANGE && settings.upstream.is_none() {
            return Err(at("requires \"upstream\" in the configuration".to_owned()));
        }
        grants.push(grant);
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_not_hashed() {
        assert_eq!(hash_client_secret(&"a".repeat(31)).unwrap_err().pointer(), "/secret");
        // echo -n aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | sha256sum
        let hash = base64url::decode(&hash_client_secret(&"a".repeat(32)).unwrap()).unwrap();
        assert_eq!(hash[..4], [0x3b, 0xa3, 0xf5, 0xf4]);
    }
}
