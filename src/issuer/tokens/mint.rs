//! JWT access tokens (RFC 9068).

use serde_json::{Map, Value, json};

use super::{
    claims::{Claims, RESERVED, further},
    signing_key::SigningKey,
};
use crate::issuer::{bounds, error::IssuerError, random::random};
use crate::{
    base64url, document, json::Object, jws::compact::decode_unverified, limits::Limits, policy_error::PolicyError,
    time::UnixSeconds,
};

/// How long an access token lives when nothing is said: five minutes.
const LIFETIME_SECONDS: u64 = 300;
/// The longest life that can be asked for as usual: an hour. What is stolen stays good for that
/// long.
pub(in crate::issuer) const LONGEST_LIFETIME_SECONDS: u64 = 3600;
/// The longest life that can be asked for by the member that says so: a day.
pub(in crate::issuer) const LONGEST_LONG_LIFETIME_SECONDS: u64 = 86_400;

/// What an access token shall say (RFC 9068 §2.2).
///
/// ```
/// use portcullis::{Alg, IssuerPolicy, Policy, UnixSeconds, Verifier};
/// use portcullis::issuer::{AccessTokenRequest, SigningKey};
///
/// let now = UnixSeconds::new(1_800_000_000).unwrap();
/// let key = SigningKey::generate(Alg::Es256)?;
/// let request = AccessTokenRequest::new("https://issuer.example", "https://api.example", "alice", "app")?;
/// let token = request.with_scope("notes:read").with_lifetime(600)?.sign(&key, now)?;
///
/// let issuer = IssuerPolicy::new("https://issuer.example", ["https://api.example"])?.with_jwks(&key.jwks())?;
/// let accepted = Verifier::new(Policy::new([issuer])?).verify(&token, now).unwrap();
/// assert_eq!(accepted.claims().sub.as_deref(), Some("alice"));
/// # Ok::<(), portcullis::issuer::IssuerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRequest {
    issuer: String,
    audience: Vec<String>,
    subject: String,
    client_id: String,
    lifetime_seconds: u64,
    scope: Option<String>,
    jti: Option<String>,
    claims: Map<String, Value>,
}

impl AccessTokenRequest {
    /// A token of five minutes for that subject and client.
    ///
    /// # Errors
    /// A member that is empty, too long, or has control characters.
    pub fn new(issuer: &str, audience: &str, subject: &str, client_id: &str) -> Result<Self, PolicyError> {
        bounds::check_text("issuer", issuer, bounds::ISSUER)?;
        bounds::check_text("audience", audience, bounds::AUDIENCE)?;
        bounds::check_text("subject", subject, bounds::SUBJECT)?;
        bounds::check_text("clientId", client_id, bounds::CLIENT_ID)?;
        Ok(AccessTokenRequest {
            issuer: issuer.to_owned(),
            audience: vec![audience.to_owned()],
            subject: subject.to_owned(),
            client_id: client_id.to_owned(),
            lifetime_seconds: LIFETIME_SECONDS,
            scope: None,
            jti: None,
            claims: Map::new(),
        })
    }

    /// Sets the scopes, separated by spaces (RFC 8693 §4.2).
    #[must_use]
    pub fn with_scope(self, scope: &str) -> Self {
        AccessTokenRequest { scope: Some(scope.to_owned()), ..self }
    }

    /// Sets the lifetime in seconds, at most 3600.
    ///
    /// # Errors
    /// Zero, or more than an hour.
    pub fn with_lifetime(self, lifetime_seconds: u64) -> Result<Self, PolicyError> {
        Ok(AccessTokenRequest { lifetime_seconds: lifetime(lifetime_seconds)?, ..self })
    }

    /// Sets a lifetime of more than an hour, in seconds, at most a day: what is stolen stays good
    /// for that long.
    ///
    /// # Errors
    /// An hour or less, or more than a day.
    pub fn with_long_lifetime(self, lifetime_seconds: u64) -> Result<Self, PolicyError> {
        Ok(AccessTokenRequest { lifetime_seconds: long_lifetime(lifetime_seconds)?, ..self })
    }

    /// Sets what is checked elsewhere, as it is: the lifetime, the scope, and the key the token is
    /// bound to (RFC 9449 §6.1).
    pub(in crate::issuer) fn granted(self, lifetime_seconds: u64, scope: Option<&str>, jkt: Option<&str>) -> Self {
        let mut claims = self.claims;
        claims.extend(jkt.map(|jkt| ("cnf".to_owned(), json!({ "jkt": jkt }))));
        AccessTokenRequest { lifetime_seconds, scope: scope.map(str::to_owned), claims, ..self }
    }

    /// Adds claims that are checked elsewhere.
    pub(in crate::issuer) fn with_claims(self, more: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let mut claims = self.claims;
        claims.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        AccessTokenRequest { claims, ..self }
    }

    /// Adds a session's own claims, which take nothing from the issuer's.
    pub(in crate::issuer) fn with_own(self, own: &Claims) -> Self {
        let mut claims = self.claims;
        for (name, value) in own.iter() {
            claims.entry(name.clone()).or_insert_with(|| value.clone());
        }
        AccessTokenRequest { claims, ..self }
    }

    /// How long the token will live, in seconds.
    #[must_use]
    pub fn lifetime_seconds(&self) -> u64 {
        self.lifetime_seconds
    }

    /// Reads a request from JSON: `issuer`, `audience` (one or several), `subject`, `clientId`,
    /// and by choice `lifetimeSeconds` or `longLifetimeSeconds`, `scope`, `jti`, `sid`, `gen`,
    /// `authTime`, `acr`, `cnf` (`{"jkt": …}`) and further `claims`.
    ///
    /// # Errors
    /// An unknown or malformed member, or a claim that has a member of its own.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let request = document::parse(text)?;
        request.only(&[
            "issuer",
            "audience",
            "subject",
            "clientId",
            "lifetimeSeconds",
            "longLifetimeSeconds",
            "scope",
            "jti",
            "sid",
            "gen",
            "authTime",
            "acr",
            "cnf",
            "claims",
        ])?;
        let audience = request.string_or_strings("audience")?;
        let audience = audience.ok_or_else(|| PolicyError::at("audience", "is required"))?;
        let (issuer, subject) = (request.required_string("issuer")?, request.required_string("subject")?);
        let token = AccessTokenRequest::new(issuer, "-", subject, request.required_string("clientId")?)?;
        Ok(AccessTokenRequest {
            audience,
            lifetime_seconds: match (request.integer("lifetimeSeconds")?, request.integer("longLifetimeSeconds")?) {
                (seconds, None) => seconds.map_or(Ok(LIFETIME_SECONDS), lifetime)?,
                (None, Some(seconds)) => long_lifetime(seconds)?,
                _ => {
                    return Err(PolicyError::at(
                        "longLifetimeSeconds",
                        "must not be combined with lifetimeSeconds. Remove one of them",
                    ));
                }
            },
            scope: match request.string("scope")? {
                None => None,
                Some(scope) => bounds::check_scope("scope", scope).map(|()| Some(scope.to_owned()))?,
            },
            jti: request.string("jti")?.map(str::to_owned),
            claims: session_claims(further(text, &request, RESERVED)?, &request)?,
            ..token
        })
    }

    /// Signs the token, with `typ` `at+jwt`, issued at `now`.
    ///
    /// # Errors
    /// No randomness for a `jti`, an expiry past the year 9999, an authentication in the future
    /// (`/authTime`), or a token that the default limits of a verifier refuse (`/claims`).
    pub fn sign(self, key: &SigningKey, now: UnixSeconds) -> Result<String, IssuerError> {
        let jti = self.jti.map_or_else(|| random::<16>().map(|bytes| base64url::encode(&bytes)), Ok)?;
        let expires = now.get().checked_add(self.lifetime_seconds).and_then(UnixSeconds::new);
        let expires = expires.ok_or_else(|| PolicyError::at("lifetimeSeconds", "must end before the year 10000"))?;
        let audience = match self.audience.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        let mut claims = self.claims;
        if let Some(auth_time) = claims.get("auth_time").and_then(Value::as_u64).and_then(UnixSeconds::new) {
            bounds::check_auth_time("authTime", auth_time, now)?;
        }
        let own = [
            ("iss", json!(self.issuer)),
            ("aud", audience),
            ("sub", json!(self.subject)),
            ("client_id", json!(self.client_id)),
            ("iat", json!(now)),
            ("exp", json!(expires)),
            ("jti", json!(jti)),
        ];
        claims.extend(own.map(|(name, value)| (name.to_owned(), value)));
        claims.extend(self.scope.map(|scope| ("scope".to_owned(), json!(scope))));
        let token = key.sign("at+jwt", claims)?;
        // What its own verifier would refuse, it does not hand out.
        match decode_unverified(&token, &Limits::default()) {
            Ok(_) => Ok(token),
            Err(rejection) => {
                let code = rejection.code();
                let reason = format!(
                    "must make a token within the default limits of verifiers; found {code}. Leave some claims out"
                );
                Err(PolicyError::at("claims", reason).into())
            }
        }
    }
}

fn lifetime(seconds: u64) -> Result<u64, PolicyError> {
    if (1..=LONGEST_LIFETIME_SECONDS).contains(&seconds) {
        return Ok(seconds);
    }
    Err(PolicyError::at("lifetimeSeconds", format!("must be an integer from 1 to {LONGEST_LIFETIME_SECONDS}")))
}

fn long_lifetime(seconds: u64) -> Result<u64, PolicyError> {
    if seconds > LONGEST_LIFETIME_SECONDS && seconds <= LONGEST_LONG_LIFETIME_SECONDS {
        return Ok(seconds);
    }
    let reason =
        format!("must be an integer above {LONGEST_LIFETIME_SECONDS}, at most {LONGEST_LONG_LIFETIME_SECONDS}");
    Err(PolicyError::at("longLifetimeSeconds", reason))
}

/// Adds the claims of a session and of an authentication. Each may also be written among the
/// further claims, but not in both places.
fn session_claims(mut claims: Map<String, Value>, request: &Object<'_>) -> Result<Map<String, Value>, PolicyError> {
    let auth_time = request.instant("authTime")?;
    let cnf = match request.object("cnf")? {
        None => None,
        Some(cnf) => {
            let jkt = cnf.only(&["jkt"]).and_then(|()| cnf.required_string("jkt"));
            Some(json!({ "jkt": jkt.map_err(|error| error.within("cnf"))? }))
        }
    };
    let own = [
        ("sid", request.string("sid")?.map(|sid| json!(sid))),
        ("gen", request.integer("gen")?.map(|generation| json!(generation))),
        ("auth_time", auth_time.map(|instant| json!(instant))),
        ("acr", request.string("acr")?.map(|acr| json!(acr))),
        ("cnf", cnf),
    ];
    for (name, value) in own {
        let Some(value) = value else { continue };
        if claims.insert(name.to_owned(), value).is_some() {
            return Err(PolicyError::at(name, "is set by its own member of this request. Remove it from claims")
                .within("claims"));
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Verifier, alg::Alg};

    const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000).unwrap();

    #[test]
    fn what_is_minted_is_accepted_by_the_default_policy_until_it_expires() {
        for alg in [Alg::Es256, Alg::EdDsa] {
            let key = SigningKey::generate(alg).unwrap();
            let request = r#"{"issuer":"https://i","audience":["a","b"],"subject":"s","clientId":"c","scope":"r w","claims":{"tenant":{"x":1.5}}}"#;
            let token = AccessTokenRequest::from_json(request).unwrap().sign(&key, NOW).unwrap();
            let policy = format!(r#"{{"issuers":[{{"issuer":"https://i","audience":"b","jwks":{}}}]}}"#, key.jwks());
            let verifier = Verifier::from_json(&policy).unwrap();
            let accepted = verifier.verify(&token, NOW).unwrap();
            assert_eq!(accepted.header().typ(), Some("at+jwt"));
            assert_eq!(accepted.header().kid(), Some(key.kid()));
            let claims = accepted.claims();
            assert_eq!((claims.sub.as_deref(), claims.client_id.as_deref()), (Some("s"), Some("c")));
            assert_eq!((claims.iat, claims.exp.get()), (Some(NOW), NOW.get() + 300));
            assert_eq!(accepted.deserialize::<Value>().unwrap()["tenant"]["x"], 1.5);
            let late = UnixSeconds::new(NOW.get() + 305).unwrap();
            assert_eq!(verifier.verify(&token, late).unwrap_err().code(), "expired");
        }
    }

    #[test]
    fn the_claims_of_a_session_have_the_names_of_their_rfcs() {
        let request = r#"{"issuer":"i","audience":"a","subject":"s","clientId":"c","longLifetimeSeconds":7200,"sid":"S","gen":7,"authTime":9,"acr":"urn:x","cnf":{"jkt":"J"},"claims":{"tenant":1}}"#;
        let token =
            AccessTokenRequest::from_json(request).unwrap().sign(&SigningKey::generate(Alg::EdDsa).unwrap(), NOW);
        let payload = base64url::decode(token.unwrap().split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&claims["sid"], &claims["gen"], &claims["tenant"]), (&json!("S"), &json!(7), &json!(1)));
        assert_eq!(
            (&claims["auth_time"], &claims["acr"], &claims["cnf"]),
            (&json!(9), &json!("urn:x"), &json!({"jkt":"J"}))
        );
        assert_eq!(claims["exp"], NOW.get() + 7200);
    }

    #[test]
    fn a_request_is_checked_by_member() {
        let pointer = |extra: &str| {
            let text = format!(r#"{{"issuer":"i","audience":"a","subject":"s","clientId":"c",{extra}}}"#);
            AccessTokenRequest::from_json(&text).unwrap_err().pointer().to_owned()
        };
        assert_eq!(pointer(r#""lifetimeSeconds":3601"#), "/lifetimeSeconds");
        assert_eq!(pointer(r#""longLifetimeSeconds":3600"#), "/longLifetimeSeconds");
        assert_eq!(pointer(r#""longLifetimeSeconds":86401"#), "/longLifetimeSeconds");
        assert_eq!(pointer(r#""longLifetimeSeconds":7200,"lifetimeSeconds":60"#), "/longLifetimeSeconds");
        assert_eq!(pointer(r#""claims":{"exp":1}"#), "/claims/exp");
        assert_eq!(pointer(r#""claims":{"acr":"1"},"acr":"2""#), "/claims/acr");
        assert_eq!(pointer(r#""cnf":{"jwk":{}}"#), "/cnf/jwk");
        assert_eq!(pointer(r#""cnf":{}"#), "/cnf/jkt");
        assert_eq!(pointer(r#""authTime":253402300800"#), "/authTime");
        assert_eq!(pointer(r#""typ":"JWT""#), "/typ");
        assert_eq!(AccessTokenRequest::new("i", "a", "", "c").unwrap_err().pointer(), "/subject");
    }
}
