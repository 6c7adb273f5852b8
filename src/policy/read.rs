//! The policy as a JSON document. Its shape is checked by the tables of `shapes`; what is left here cannot be said by a table.

#[cfg(feature = "revocation")]
use crate::policy::{RevocationPolicy, WhenStale};
use crate::{
    alg::Alg,
    base64url,
    document::{self, checked::Checked},
    json::{Object, Scalar, Value},
    keys::{VerificationKey, jwk::NamedKey, tables::TableBudget},
    limits::Limits,
    policy::{
        IssuerPolicy, Policy,
        issuer_rules::{IssuerRules, Types},
        presets,
        shapes::POLICY,
        sources::{ClientAuthentication, Discovery, Introspection, Location, Remote},
        tenants::Tenants,
    },
    policy_error::PolicyError,
    time::Leeway,
};

impl Policy {
    /// Reads a policy from its JSON text. It means the same in Rust and in every JavaScript runtime; its published JSON Schema is
    /// [`Policy::JSON_SCHEMA`]. What it says about requests (`gate`) is skipped.
    ///
    /// # Errors
    /// Anything that is not a policy, by JSON pointer: an unknown member, a missing one, a wrong type, a weak key.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        let presets = presets::fields(&document)?;
        let document = presets::expand(document, &presets)?;
        let document = POLICY.check(&document)?;
        let mut issuers = Vec::new();
        document.each("issuers", &mut |object| {
            issuers.push(issuer(object)?);
            Ok(())
        })?;
        let bytes = size(document, "tableBytes", TableBudget::default().bytes());
        let tables = TableBudget::checked(bytes, document.flag("precompute"));
        let mut policy = Policy::new(issuers)?;
        policy.leeway = document.number("leewaySeconds").map_or(policy.leeway, Leeway::checked);
        policy.limits = document.section("limits").map_or_else(Limits::default, limits);
        policy.keys.budget_tables(tables);
        #[cfg(feature = "revocation")]
        if let Some(object) = document.section("revocation") {
            policy = policy.with_revocation(revocation(object).map_err(|error| error.within("revocation"))?)?;
        }
        #[cfg(not(feature = "revocation"))]
        if document.has("revocation") {
            return Err(PolicyError::at("revocation", "requires createGate or createVerifier from portcullis/gate"));
        }
        Ok(policy)
    }

    /// The JSON Schema (draft 2020-12) of a policy document, `gate` included.
    pub const JSON_SCHEMA: &'static str = include_str!("policy.schema.json");
}

fn size(object: Checked<'_, '_>, name: &str, default: usize) -> usize {
    object.number(name).map_or(default, |value| usize::try_from(value).unwrap_or(usize::MAX))
}

fn limits(object: Checked<'_, '_>) -> Limits {
    let default = Limits::default();
    Limits::checked(
        size(object, "tokenBytes", default.token_bytes()),
        size(object, "headerBytes", default.header_bytes()),
        size(object, "depth", default.depth()),
        size(object, "members", default.members()),
    )
}

fn issuer(object: Checked<'_, '_>) -> Result<IssuerPolicy, PolicyError> {
    let name = object.text("issuer").unwrap_or_default().to_owned();
    let mut policy = IssuerPolicy::of(IssuerRules::new(name, object.strings("audience")));
    policy.tenants = tenants(object);
    let algorithms: Vec<Alg> = object.texts("algorithms").into_iter().filter_map(Alg::from_name).collect();
    policy.rules.algorithms = Some(algorithms).filter(|algorithms| !algorithms.is_empty());
    asked(object, &mut policy.rules);
    let mut alternatives: Vec<(String, IssuerRules)> = Vec::new();
    object.each("alternatives", &mut |object| {
        let name = object.text("name").unwrap_or_default();
        if alternatives.iter().any(|(other, _)| other == name) {
            return Err(PolicyError::found("name", "must be another than that of any alternative before it", name));
        }
        let mut rules = policy.rules.clone();
        if object.has("audience") {
            rules.audience = object.strings("audience");
        }
        asked(object, &mut rules);
        alternatives.push((name.to_owned(), rules));
        Ok(())
    })?;
    policy.rules.alternatives = alternatives;
    keys(object, &mut policy)?;
    if let Some(object) = object.section("remote") {
        let remote = remote(object).map_err(|error| error.within("remote"))?;
        remote.check(&policy.rules.issuer)?;
        policy.rules.remote = Some(remote);
    }
    policy.rules.introspection = object.section("introspection").map(introspection);
    Ok(policy)
}

/// What is asked of tokens: of an issuer's, and besides of those of one alternative.
fn asked(object: Checked<'_, '_>, rules: &mut IssuerRules) {
    if let Some(claim) = object.text("audienceClaim") {
        rules.audience_claim = claim.to_owned();
    }
    match object.value("types") {
        None => {}
        // As a string it can only be "any".
        Some(Value::String(_)) => rules.types = Types::Any,
        Some(_) => rules.types = Types::OneOf(object.strings("types")),
    }
    rules.required_claims.extend(object.strings("requiredClaims"));
    for (name, value) in object.object("claims").into_iter().flat_map(Object::members) {
        rules.claims.extend(Scalar::of(value).map(|value| (name.to_owned(), value)));
    }
}

/// The values that the holes of an issuer's name may have.
fn tenants(object: Checked<'_, '_>) -> Tenants {
    let listed = |value: &Value<'_>| value.as_strings().unwrap_or_default().into_iter().map(str::to_owned).collect();
    let values = match object.value("tenants") {
        None => Vec::new(),
        Some(Value::Object(holes)) => holes.members().map(|(name, values)| (name.to_owned(), listed(values))).collect(),
        Some(values) => vec![(String::new(), listed(values))],
    };
    Tenants { values, unclaimed: object.strings("holesWithoutClaim") }
}

/// The keys that are built in.
fn keys(object: Checked<'_, '_>, policy: &mut IssuerPolicy) -> Result<(), PolicyError> {
    if let Some(jwks) = object.object("jwks") {
        policy.push_jwks(jwks).map_err(|error| error.within("jwks"))?;
    }
    object.each("keys", &mut |entry| {
        let named = key(entry)?;
        if policy.rules.algorithms.as_ref().is_some_and(|accepted| !accepted.contains(&named.key.alg())) {
            return Err(PolicyError::at("alg", "is not among the issuer's algorithms"));
        }
        policy.push(named)
    })
}

#[cfg(feature = "revocation")]
fn revocation(object: Checked<'_, '_>) -> Result<RevocationPolicy, PolicyError> {
    let when_stale = match object.text("whenStale") {
        Some("introspect") => WhenStale::Introspect,
        Some("allow") => WhenStale::Allow,
        _ => WhenStale::Deny,
    };
    let seconds = object.number("maxStalenessSeconds").unwrap_or_default();
    let mut policy = RevocationPolicy::of_keys(own_keys(object)?, seconds, when_stale)?;
    if let Some(issuer) = object.text("issuer") {
        policy = policy.of_issuer(issuer);
    }
    let pull = &mut policy.pull;
    pull.feed = object.text("feed").map(str::to_owned);
    pull.client_id = object.text("clientId").map(str::to_owned);
    if pull.client_id.is_some() && pull.feed.is_none() {
        return Err(PolicyError::at("clientId", "needs \"feed\": it is the client that pulls it"));
    }
    let or = |name, default| object.number(name).unwrap_or(default);
    pull.pull_seconds = or("pullSeconds", pull.pull_seconds);
    pull.timeout_ms = or("timeoutMs", pull.timeout_ms);
    pull.max_bytes = or("maxBytes", pull.max_bytes);
    if pull.pull_seconds > seconds {
        return Err(PolicyError::at("pullSeconds", "must not be more than maxStalenessSeconds"));
    }
    if pull.feed.is_some() && !policy.wants_list() {
        return Err(PolicyError::at("feed", "requires \"jwks\" or \"keys\" to verify the lists"));
    }
    let mut policy = Some(policy);
    object.each("statusLists", &mut |list| {
        let own = list.number("maxStalenessSeconds").unwrap_or(seconds);
        let uri = list.text("uri").unwrap_or_default();
        let keys = own_keys(list)?;
        policy = policy.take().map(|policy| policy.and_status_list(uri, keys, own)).transpose()?;
        Ok(())
    })?;
    policy.ok_or_else(|| PolicyError::here("must be an object"))
}

/// Keys that belong to no issuer.
#[cfg(feature = "revocation")]
fn own_keys(object: Checked<'_, '_>) -> Result<Vec<NamedKey>, PolicyError> {
    let mut holder = IssuerPolicy::of(IssuerRules::new(String::new(), Vec::new()));
    keys(object, &mut holder)?;
    Ok(holder.keys)
}

fn remote(object: Checked<'_, '_>) -> Result<Remote, PolicyError> {
    let location = match (object.text("jwksUri"), object.text("discovery")) {
        (Some(url), _) => Remote::jwks_uri(url)?.location,
        (None, Some("oauth")) => Location::Discovery(Discovery::Oauth),
        (None, _) => Location::Discovery(Discovery::Oidc),
    };
    let or = |name, default| object.number(name).unwrap_or(default);
    Remote {
        stale_seconds: or("staleSeconds", Remote::STALE),
        timeout_ms: or("timeoutMs", Remote::TIMEOUT_MS),
        max_bytes: or("maxBytes", Remote::MAX_BYTES),
        ..Remote::at(location)
    }
    .with_ttl_seconds(or("minTtlSeconds", Remote::MIN_TTL), or("maxTtlSeconds", Remote::MAX_TTL))
}

fn introspection(object: Checked<'_, '_>) -> Introspection {
    let text = |name| object.text(name).unwrap_or_default().to_owned();
    let or = |name, default| object.number(name).unwrap_or(default);
    Introspection {
        endpoint: text("endpoint"),
        client_id: text("clientId"),
        authentication: match object.text("authentication") {
            Some("client_secret_post") => ClientAuthentication::ClientSecretPost,
            Some("private_key_jwt") => ClientAuthentication::PrivateKeyJwt,
            _ => ClientAuthentication::ClientSecretBasic,
        },
        cache_seconds: or("cacheSeconds", Introspection::CACHE),
        negative_cache_seconds: or("negativeCacheSeconds", Introspection::NEGATIVE_CACHE),
        timeout_ms: or("timeoutMs", Introspection::TIMEOUT_MS),
        concurrency: or("concurrency", Introspection::CONCURRENCY),
    }
}

/// One key in the format that its member names: `pem`, `spki` or `secret`.
fn key(object: Checked<'_, '_>) -> Result<NamedKey, PolicyError> {
    let alg = object.text("alg").and_then(Alg::from_name);
    let alg = alg.ok_or_else(|| PolicyError::at("alg", "is not a supported algorithm"))?;
    let bytes = |member: &str| {
        let bytes = object.text(member).and_then(base64url::decode);
        bytes.ok_or_else(|| PolicyError::at(member, "must be base64url without padding"))
    };
    let key = match (object.text("pem"), object.text("spki")) {
        (Some(pem), _) => VerificationKey::from_spki_pem(alg, pem)?,
        (None, Some(_)) => VerificationKey::from_spki_der(alg, &bytes("spki")?)?,
        (None, None) => VerificationKey::from_secret(alg, &bytes("secret")?)?,
    };
    Ok(NamedKey { kid: object.text("kid").map(str::to_owned), key })
}
