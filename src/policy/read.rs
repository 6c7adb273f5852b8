//! The policy as a JSON document. Its shape is checked by the tables of `shapes`; what is left here cannot be said by a table.

use crate::{
    alg::Alg,
    base64url, document,
    json::{Object, Scalar, Value},
    keys::{VerificationKey, jwk::NamedKey, tables::TableBudget},
    limits::Limits,
    policy::{
        IssuerPolicy, Policy, presets,
        shapes::POLICY,
        sources::{ClientAuthentication, Discovery, Introspection, Location, Remote},
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
        let document = presets::expand(document::parse(text)?)?;
        POLICY.check(&document)?;
        let mut issuers = Vec::new();
        document.objects("issuers", &mut |object| {
            issuers.push(issuer(object)?);
            Ok(())
        })?;
        let leeway = document.integer("leewaySeconds")?.map_or(Ok(Leeway::default()), Leeway::new)?;
        let limits = match document.object("limits")? {
            None => Limits::default(),
            Some(object) => limits(object).map_err(|error| error.within("limits"))?,
        };
        let tables = tables(&document)?;
        Ok(Policy::new(issuers)?.with_leeway(leeway).with_limits(limits).with_tables(tables))
    }

    /// The JSON Schema (draft 2020-12) of a policy document, `gate` included.
    pub const JSON_SCHEMA: &'static str = include_str!("policy.schema.json");
}

fn tables(document: &Object<'_>) -> Result<TableBudget, PolicyError> {
    let budget = match document.integer("tableBytes")? {
        None => TableBudget::default(),
        Some(bytes) => TableBudget::default().with_bytes(usize::try_from(bytes).unwrap_or(usize::MAX))?,
    };
    Ok(if document.boolean("precompute")?.unwrap_or_default() { budget.at_import() } else { budget })
}

fn limits(object: &Object<'_>) -> Result<Limits, PolicyError> {
    let set =
        |limits: Limits, name, apply: fn(Limits, usize) -> Result<Limits, PolicyError>| match object.integer(name)? {
            None => Ok(limits),
            Some(value) => apply(limits, usize::try_from(value).unwrap_or(usize::MAX)),
        };
    let limits = set(Limits::default(), "tokenBytes", Limits::with_token_bytes)?;
    let limits = set(limits, "headerBytes", Limits::with_header_bytes)?;
    let limits = set(limits, "depth", Limits::with_depth)?;
    set(limits, "members", Limits::with_members)
}

fn issuer(object: &Object<'_>) -> Result<IssuerPolicy, PolicyError> {
    let audience = object.string_or_strings("audience")?.unwrap_or_default();
    let mut policy = IssuerPolicy::new(object.required_string("issuer")?, audience)?;
    if let Some(claim) = object.string("audienceClaim")? {
        policy = policy.with_audience_claim(claim)?;
    }
    if let Some(names) = object.strings("algorithms")? {
        policy = policy.with_algorithms(names.iter().filter_map(|name| Alg::from_name(name)));
    }
    if let Some(types) = object.string_or_strings("types")? {
        // As a string it can only be "any".
        let any = matches!(object.get("types"), Some(Value::String(_)));
        policy = if any { policy.with_any_type() } else { policy.with_types(types) };
    }
    if let Some(claims) = object.strings("requiredClaims")? {
        policy = policy.with_required_claims(claims);
    }
    if let Some(claims) = object.object("claims")? {
        policy = policy.with_claims(claims.members().filter_map(|(name, value)| Some((name, Scalar::of(value)?))));
    }
    if let Some(jwks) = object.object("jwks")? {
        policy.push_jwks(jwks).map_err(|error| error.within("jwks"))?;
    }
    object.objects("keys", &mut |entry| {
        let named = key(entry)?;
        if policy.rules.algorithms.as_ref().is_some_and(|accepted| !accepted.contains(&named.key.alg())) {
            return Err(PolicyError::at("alg", "is not among the issuer's algorithms"));
        }
        policy.push(named)
    })?;
    if let Some(object) = object.object("remote")? {
        policy = policy.with_remote(remote(object).map_err(|error| error.within("remote"))?)?;
    }
    if let Some(object) = object.object("introspection")? {
        policy = policy.with_introspection(introspection(object).map_err(|error| error.within("introspection"))?);
    }
    Ok(policy)
}

fn remote(object: &Object<'_>) -> Result<Remote, PolicyError> {
    let location = match (object.string("jwksUri")?, object.string("discovery")?) {
        (Some(url), _) => Location::JwksUri(url.to_owned()),
        (None, Some("oauth")) => Location::Discovery(Discovery::Oauth),
        (None, _) => Location::Discovery(Discovery::Oidc),
    };
    let or = |name, default| object.integer(name).map(|value| value.unwrap_or(default));
    Remote {
        stale_seconds: or("staleSeconds", Remote::STALE)?,
        timeout_ms: or("timeoutMs", Remote::TIMEOUT_MS)?,
        max_bytes: or("maxBytes", Remote::MAX_BYTES)?,
        ..Remote::at(location)
    }
    .with_ttl_seconds(or("minTtlSeconds", Remote::MIN_TTL)?, or("maxTtlSeconds", Remote::MAX_TTL)?)
}

fn introspection(object: &Object<'_>) -> Result<Introspection, PolicyError> {
    let authentication = match object.string("authentication")? {
        Some("client_secret_post") => ClientAuthentication::ClientSecretPost,
        Some("private_key_jwt") => ClientAuthentication::PrivateKeyJwt,
        _ => ClientAuthentication::ClientSecretBasic,
    };
    let or = |name, default| object.integer(name).map(|value| value.unwrap_or(default));
    Ok(Introspection {
        endpoint: object.required_string("endpoint")?.to_owned(),
        client_id: object.required_string("clientId")?.to_owned(),
        authentication,
        cache_seconds: or("cacheSeconds", Introspection::CACHE)?,
        negative_cache_seconds: or("negativeCacheSeconds", Introspection::NEGATIVE_CACHE)?,
        timeout_ms: or("timeoutMs", Introspection::TIMEOUT_MS)?,
        concurrency: or("concurrency", Introspection::CONCURRENCY)?,
    })
}

/// One key in the format that its member names: `pem`, `spki` or `secret`.
fn key(object: &Object<'_>) -> Result<NamedKey, PolicyError> {
    let kid = object.string("kid")?.map(str::to_owned);
    let alg = Alg::from_name(object.required_string("alg")?)
        .ok_or_else(|| PolicyError::at("alg", "is not a supported algorithm"))?;
    let bytes = |member: &str, text: &str| {
        base64url::decode(text).ok_or_else(|| PolicyError::at(member, "must be base64url without padding"))
    };
    let key = match (object.string("pem")?, object.string("spki")?, object.string("secret")?) {
        (Some(pem), ..) => VerificationKey::from_spki_pem(alg, pem)?,
        (None, Some(spki), _) => VerificationKey::from_spki_der(alg, &bytes("spki", spki)?)?,
        (None, None, secret) => VerificationKey::from_secret(alg, &bytes("secret", secret.unwrap_or_default())?)?,
    };
    Ok(NamedKey { kid, key })
}
