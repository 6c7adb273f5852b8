//! What is accepted: issuers, audiences, kinds of token, and time.

mod read;

use crate::{
    alg::Alg,
    claims::{ParsedClaims, missing},
    document,
    keys::{
        VerificationKey,
        jwk::{self, NamedKey},
        set::KeySet,
        tables::TableBudget,
    },
    limits::Limits,
    policy_error::PolicyError,
    rejection::{Rejection, excerpt},
    signature::AuthenticToken,
    time::{Leeway, UnixSeconds, Validity},
};

/// The kind of token that is accepted when a policy names none: an OAuth 2.0 access token (RFC 9068 §2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// Whom a verifier trusts, and for what.
///
/// ```
/// # use portcullis::{IssuerPolicy, Policy, Leeway};
/// # let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let issuer = IssuerPolicy::new("https://issuer.example", ["https://api.example"])?.with_jwks(jwks)?;
/// let policy = Policy::new([issuer])?.with_leeway(Leeway::new(30)?);
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    rules: Vec<Rules>,
    keys: KeySet,
    limits: Limits,
    leeway: Leeway,
}

/// One issuer: its exact name, the audiences we answer to, its keys, and what else is asked of its tokens.
#[derive(Debug)]
pub struct IssuerPolicy {
    rules: Rules,
    algorithms: Option<Vec<Alg>>,
    keys: Vec<NamedKey>,
}

#[derive(Debug)]
struct Rules {
    issuer: String,
    audience: Vec<String>,
    types: Types,
    required_claims: Vec<String>,
}

#[derive(Debug)]
enum Types {
    Any,
    OneOf(Vec<String>),
}

impl IssuerPolicy {
    /// An issuer by its exact name, and the audiences of which a token must name one.
    ///
    /// # Errors
    /// An empty issuer, no audience, or an empty one.
    pub fn new<A: Into<String>>(
        issuer: impl Into<String>,
        audience: impl IntoIterator<Item = A>,
    ) -> Result<Self, PolicyError> {
        let issuer = issuer.into();
        let audience: Vec<String> = audience.into_iter().map(Into::into).collect();
        if issuer.is_empty() {
            return Err(PolicyError::at("issuer", "must not be empty"));
        }
        if audience.is_empty() || audience.iter().any(String::is_empty) {
            return Err(PolicyError::at("audience", "must be one or more non-empty strings"));
        }
        let types = Types::OneOf(vec![ACCESS_TOKEN.to_owned()]);
        let rules = Rules { issuer, audience, types, required_claims: Vec::new() };
        Ok(IssuerPolicy { rules, algorithms: None, keys: Vec::new() })
    }

    /// Adds one key. Without a `kid` it fits every token of its algorithm.
    ///
    /// # Errors
    /// The issuer has a key of that `kid` and algorithm already.
    pub fn with_key(mut self, kid: Option<&str>, key: VerificationKey) -> Result<Self, PolicyError> {
        self.push(NamedKey { kid: kid.map(str::to_owned), key })?;
        Ok(self)
    }

    /// Adds the keys of a JWK Set (RFC 7517 §5) from its JSON text. Keys of kinds, uses or algorithms that are not supported are left out.
    ///
    /// # Errors
    /// Text that is no JWK Set, a private or defective key, or a set without any usable key.
    pub fn with_jwks(mut self, jwks: &str) -> Result<Self, PolicyError> {
        self.push_jwks(&document::parse(jwks)?)?;
        Ok(self)
    }

    /// Narrows the algorithms, and settles that of a JWK without `alg`. It concerns the keys that are added afterwards.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Alg>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Sets the kinds of token (`typ`, RFC 7515 §4.1.9), compared byte for byte, with or without `application/` in front.
    #[must_use]
    pub fn with_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.rules.types = Types::OneOf(types.into_iter().map(Into::into).collect());
        self
    }

    /// Takes any `typ` and none. An ID token then passes for an access token if its audience fits.
    #[must_use]
    pub fn with_any_type(mut self) -> Self {
        self.rules.types = Types::Any;
        self
    }

    /// Asks for further claims to be there; `iss`, `aud` and `exp` always must.
    #[must_use]
    pub fn with_required_claims<C: Into<String>>(mut self, claims: impl IntoIterator<Item = C>) -> Self {
        self.rules.required_claims = claims.into_iter().map(Into::into).collect();
        self
    }

    fn push(&mut self, named: NamedKey) -> Result<(), PolicyError> {
        let twin = |other: &NamedKey| other.kid == named.kid && other.key.alg() == named.key.alg();
        if named.kid.is_some() && self.keys.iter().any(twin) {
            return Err(PolicyError::at("kid", "names two keys of one issuer and algorithm"));
        }
        self.keys.push(named);
        Ok(())
    }

    fn push_jwks(&mut self, jwks: &crate::json::Object<'_>) -> Result<(), PolicyError> {
        let before = self.keys.len();
        let mut left_out = Vec::new();
        let algorithms = self.algorithms.take();
        let read = jwks.objects("keys", |key| match jwk::read(key, algorithms.as_deref())? {
            Ok(named) => self.push(named),
            Err(jwk::Unusable(reason)) => {
                left_out.push(reason.to_string());
                Ok(())
            }
        });
        self.algorithms = algorithms;
        read?.ok_or_else(|| PolicyError::at("keys", "is required"))?;
        if self.keys.len() == before {
            let why =
                if left_out.is_empty() { String::new() } else { format!("; left out were {}", left_out.join(", ")) };
            return Err(PolicyError::here(format!("has no usable key{why}")));
        }
        Ok(())
    }
}

impl Policy {
    /// A policy that trusts these issuers.
    ///
    /// # Errors
    /// No issuer, one named twice, one without keys, or a `kid` that too many share.
    pub fn new(issuers: impl IntoIterator<Item = IssuerPolicy>) -> Result<Self, PolicyError> {
        let mut policy =
            Policy { rules: Vec::new(), keys: KeySet::default(), limits: Limits::default(), leeway: Leeway::default() };
        for (index, issuer) in issuers.into_iter().enumerate() {
            policy.push(index, issuer).map_err(|error| error.within(&index.to_string()).within("issuers"))?;
        }
        if policy.rules.is_empty() {
            return Err(PolicyError::at("issuers", "must name at least one issuer"));
        }
        policy.keys.budget_tables(TableBudget::default());
        Ok(policy)
    }

    /// Sets how much memory the tables may take that make verification fast, and when they are built.
    #[must_use]
    pub fn with_tables(mut self, budget: TableBudget) -> Self {
        self.keys.budget_tables(budget);
        self
    }

    /// Sets how far clocks may be apart.
    #[must_use]
    pub fn with_leeway(self, leeway: Leeway) -> Self {
        Policy { leeway, ..self }
    }

    /// Sets how large a token may be.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Policy { limits, ..self }
    }

    /// The keys of every issuer.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The exact name of the issuer with that index.
    #[must_use]
    pub fn issuer_name(&self, index: usize) -> Option<&str> {
        self.rules.get(index).map(|rules| rules.issuer.as_str())
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn push(&mut self, index: usize, issuer: IssuerPolicy) -> Result<(), PolicyError> {
        if self.rules.iter().any(|rules| rules.issuer == issuer.rules.issuer) {
            return Err(PolicyError::at("issuer", "is named twice"));
        }
        if issuer.keys.is_empty() {
            return Err(PolicyError::here("must have \"jwks\" or \"keys\""));
        }
        for named in issuer.keys {
            self.keys.insert(index, named)?;
        }
        self.rules.push(issuer.rules);
        Ok(())
    }

    /// The rules in the order in which they are checked: issuer, kind, audience, further claims, time.
    ///
    /// A token may speak only for an issuer under whose key its signature holds (CVE-2026-49998).
    pub(crate) fn check(
        &self,
        token: &AuthenticToken<'_>,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
    ) -> Result<Validity, Rejection> {
        let rules = self.issuer(token.issuers(), claims.iss())?;
        rules.check_type(token.header().typ())?;
        rules.check_audience(&claims.aud())?;
        if let Some(name) = rules.required_claims.iter().find(|name| claims.object.get(name).is_none()) {
            return Err(missing(name));
        }
        self.check_time(claims, now)
    }

    fn issuer(&self, issuers: impl Iterator<Item = usize> + Clone, iss: &str) -> Result<&Rules, Rejection> {
        let mut trusted = issuers.filter_map(|index| self.rules.get(index));
        trusted.clone().find(|rules| rules.issuer == iss).ok_or_else(|| Rejection::IssuerMismatch {
            expected: trusted.by_ref().map(|rules| rules.issuer.clone()).collect(),
            actual: excerpt(iss),
        })
    }

    fn check_time(&self, claims: &ParsedClaims<'_>, now: UnixSeconds) -> Result<Validity, Rejection> {
        let leeway = self.leeway;
        if claims.exp.is_over(now, leeway) {
            return Err(Rejection::Expired { now, expires: claims.exp, leeway });
        }
        if let Some(not_before) = claims.nbf.filter(|nbf| !nbf.is_reached(now, leeway)) {
            return Err(Rejection::NotYetValid { now, not_before, leeway });
        }
        if let Some(issued_at) = claims.iat.filter(|iat| !iat.is_reached(now, leeway)) {
            return Err(Rejection::IssuedInFuture { now, issued_at, leeway });
        }
        Ok(Validity::new(claims.exp, claims.nbf, claims.iat, leeway))
    }
}

impl Rules {
    fn check_type(&self, typ: Option<&str>) -> Result<(), Rejection> {
        let Types::OneOf(types) = &self.types else { return Ok(()) };
        // RFC 7515 §4.1.9: "application/" may be left out of a media type that has no other slash.
        fn short(name: &str) -> &str {
            name.strip_prefix("application/").unwrap_or(name)
        }
        if typ.is_some_and(|typ| types.iter().any(|accepted| short(accepted) == short(typ))) {
            return Ok(());
        }
        Err(Rejection::TypeMismatch { expected: types.clone(), actual: typ.map(excerpt) })
    }

    fn check_audience(&self, aud: &[&str]) -> Result<(), Rejection> {
        if aud.iter().any(|audience| self.audience.iter().any(|ours| ours == audience)) {
            return Ok(());
        }
        let actual = aud.iter().take(8).map(|audience| excerpt(audience)).collect();
        Err(Rejection::AudienceMismatch { expected: self.audience.clone(), actual })
    }
}
