//! One issuer of a policy, as it is put together.

use crate::{
    alg::Alg,
    deviation::{Deviation, Deviations},
    document,
    json::{Object, Scalar, Value},
    keys::{
        VerificationKey,
        jwk::{self, NamedKey},
    },
    policy::{
        issuer_rules::{IssuerRules, Types},
        sources::{Introspection, Remote},
        tenants::Tenants,
    },
    policy_error::PolicyError,
};

/// One issuer: its exact name, the audiences we answer to, its keys, and what else is asked of its
/// tokens.
///
/// ```
/// use portcullis::{Alg, Discovery, IssuerPolicy, Policy, Remote};
///
/// let issuer = IssuerPolicy::new("https://issuer.example", ["https://api.example"])?
///     .with_remote(Remote::discovery(Discovery::Oidc))? // or `with_jwks`, to build the keys in
///     .with_algorithms([Alg::Es256, Alg::EdDsa])
///     .with_required_claims(["client_id"])
///     .with_claims([("tenant", "acme")]);
/// let policy = Policy::new([issuer])?;
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct IssuerPolicy {
    pub(super) rules: IssuerRules,
    pub(super) keys: Vec<NamedKey>,
    pub(super) tenants: Tenants,
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
        Ok(IssuerPolicy::of(IssuerRules::new(issuer, audience)))
    }

    pub(super) fn of(rules: IssuerRules) -> Self {
        IssuerPolicy { rules, keys: Vec::new(), tenants: Tenants::default() }
    }

    /// The tenants of an issuer whose name has one hole: `https://login.example/{tid}/v2.0` with
    /// `["a", "b"]` stands for two issuers. Each publishes keys of its own, and its tokens have to
    /// say the same tenant in the claim of the hole's name.
    #[must_use]
    pub fn with_tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        self.tenants.values = vec![(String::new(), tenants.into_iter().map(Into::into).collect())];
        self
    }

    /// Says of which holes tokens have no claim: the issuer's name alone tells the tenant then.
    #[must_use]
    pub fn with_holes_without_claim<H: Into<String>>(mut self, holes: impl IntoIterator<Item = H>) -> Self {
        self.tenants.unclaimed = holes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds one key. Without a `kid` it fits every token of its algorithm.
    ///
    /// # Errors
    /// The issuer has a key of that `kid` and algorithm already.
    pub fn with_key(mut self, kid: Option<&str>, key: VerificationKey) -> Result<Self, PolicyError> {
        self.push(NamedKey { kid: kid.map(str::to_owned), key })?;
        Ok(self)
    }

    /// Adds the keys of a JWK Set (RFC 7517 §5) from its JSON text. Keys of kinds, uses or
    /// algorithms that are not supported are left out.
    ///
    /// # Errors
    /// Text that is no JWK Set, a private or defective key, or a set without any usable key.
    pub fn with_jwks(mut self, jwks: &str) -> Result<Self, PolicyError> {
        self.push_jwks(&document::parse(jwks)?)?;
        Ok(self)
    }

    /// Takes keys that the issuer publishes besides those that are built in:
    /// [`set_remote_keys`](crate::Verifier::set_remote_keys) hands them over.
    ///
    /// # Errors
    /// Keys are discovered and the issuer is no URL (`/issuer`).
    pub fn with_remote(mut self, remote: Remote) -> Result<Self, PolicyError> {
        remote.check(&self.rules.issuer, &[])?;
        self.rules.remote = Some(remote);
        Ok(self)
    }

    /// Has opaque tokens of this issuer asked about. The verifier itself takes none.
    #[must_use]
    pub fn with_introspection(mut self, introspection: Introspection) -> Self {
        self.rules.introspection = Some(introspection);
        self
    }

    /// Narrows the algorithms, and settles that of a JWK without `alg`. It concerns the keys that
    /// are added afterwards.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: impl IntoIterator<Item = Alg>) -> Self {
        self.rules.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Sets the kinds of token (`typ`, RFC 7515 §4.1.9), compared byte for byte, with or without
    /// `application/` in front.
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

    /// Compares another claim than `aud` with the audience, for issuers whose tokens have none.
    /// That claim must then be there.
    ///
    /// # Errors
    /// An empty name (`/audienceClaim`).
    pub fn with_audience_claim(mut self, claim: impl Into<String>) -> Result<Self, PolicyError> {
        self.rules.audience_claim = claim.into();
        if self.rules.audience_claim.is_empty() {
            return Err(PolicyError::at("audienceClaim", "must not be empty"));
        }
        Ok(self)
    }

    /// Accepts what the issuer does differently from RFC 7515 and RFC 7519. It concerns this
    /// issuer's tokens alone.
    #[must_use]
    pub fn with_deviations(mut self, deviations: impl IntoIterator<Item = Deviation>) -> Self {
        self.rules.deviations = Deviations::of(deviations);
        self
    }

    /// Asks for further claims to be there; `iss`, `aud` and `exp` always must.
    #[must_use]
    pub fn with_required_claims<C: Into<String>>(mut self, claims: impl IntoIterator<Item = C>) -> Self {
        self.rules.required_claims = claims.into_iter().map(Into::into).collect();
        self
    }

    /// Asks for claims with exactly these values.
    #[must_use]
    pub fn with_claims<C: Into<String>, V: Into<Scalar>>(mut self, claims: impl IntoIterator<Item = (C, V)>) -> Self {
        self.rules.claims = claims.into_iter().map(|(claim, value)| (claim.into(), value.into())).collect();
        self
    }

    pub(super) fn push(&mut self, named: NamedKey) -> Result<(), PolicyError> {
        let twin = |other: &NamedKey| other.kid == named.kid && other.key.alg() == named.key.alg();
        if named.kid.is_some() && self.keys.iter().any(twin) {
            return Err(PolicyError::at("kid", "is not unique among the keys of this algorithm"));
        }
        self.keys.push(named);
        Ok(())
    }

    pub(super) fn push_jwks(&mut self, jwks: &Object<'_>) -> Result<(), PolicyError> {
        let before = self.keys.len();
        let mut left_out = Vec::new();
        let algorithms = self.rules.algorithms.take();
        let read = |key: &Object<'_>, accepted: Option<&[Alg]>| {
            jwk::read(key, accepted).map_err(|error| error.about(key.get("kid").and_then(Value::as_str)))
        };
        let read = jwks.objects("keys", &mut |key| match read(key, algorithms.as_deref())? {
            Ok(named) => self.push(named),
            Err(jwk::Unusable(reason)) => {
                left_out.push(reason.text());
                Ok(())
            }
        });
        self.rules.algorithms = algorithms;
        if !read? {
            return Err(PolicyError::at("keys", "is required"));
        }
        if self.keys.len() == before {
            let why = if left_out.is_empty() { "" } else { "; left out were " };
            return Err(PolicyError::here(["has no usable key", why, &crate::text::joined(&left_out, ", ")].concat()));
        }
        Ok(())
    }
}
