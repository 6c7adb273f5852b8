//! The policy as a JSON document. Its shape is checked by the tables of `shapes`; what is left
//! here cannot be said by a table.

use crate::{
    alg::Alg,
    base64url,
    deviation::{Deviation, Deviations},
    document::{self, checked::Checked},
    json::{Object, Scalar, Value},
    keys::{VerificationKey, jwk::NamedKey, secret, tables::TableBudget},
    limits::Limits,
    policy::{
        IssuerPolicy, Policy,
        issuer_rules::{AUD, IssuerRules, Types},
        presets,
        shapes::POLICY,
        sources::{ClientAuthentication, Discovery, Introspection, Location, Remote},
        tenants::Tenants,
    },
    policy_error::PolicyError,
    time::Leeway,
};

impl Policy {
    /// Reads a policy from its JSON text. It means the same in Rust and in every JavaScript
    /// runtime; its published JSON Schema is [`Policy::JSON_SCHEMA`]. What it says about requests
    /// (`gate`) is skipped.
    ///
    /// # Errors
    /// Anything that is not a policy, by JSON pointer: an unknown member, a missing one, a wrong
    /// type, a weak key.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        let presets = presets::fields(&document)?;
        let document = presets::expand(document, &presets)?;
        let hosts = document.get("plainHttpHosts").and_then(Value::as_strings).unwrap_or_default();
        let document = POLICY.check_among(&document, &hosts)?;
        let mut issuers = Vec::new();
        document.each("issuers", &mut |object| {
            issuers.push(issuer(object, &hosts)?);
            Ok(())
        })?;
        let bytes = size(document, "tableBytes", TableBudget::default().bytes());
        let tables = TableBudget::checked(bytes, document.flag("precompute"));
        let mut policy = Policy::new(issuers)?;
        policy.leeway = document.number("leewaySeconds").map_or(policy.leeway, Leeway::checked);
        let limits = document.section("limits").map_or_else(Limits::default, limits);
        policy = policy.with_limits(limits);
        policy.keys.budget_tables(tables);
        policy.read_revocation(document)?;
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

fn issuer(object: Checked<'_, '_>, hosts: &[&str]) -> Result<IssuerPolicy, PolicyError> {
    let name = object.text("issuer").unwrap_or_default().to_owned();
    let mut policy = IssuerPolicy::of(IssuerRules::new(name, object.strings("audience")));
    policy.tenants = tenants(object);
    let algorithms: Vec<Alg> = object.texts("algorithms").into_iter().filter_map(Alg::from_name).collect();
    policy.rules.algorithms = Some(algorithms).filter(|algorithms| !algorithms.is_empty());
    policy.rules.deviations = Deviations::of(object.texts("deviations").into_iter().filter_map(Deviation::from_name));
    asked(object, &mut policy.rules);
    if policy.rules.deviations.has(Deviation::MissingAud) && policy.rules.audience_claim != AUD {
        return Err(PolicyError::at(
            "audienceClaim",
            "must not be set where deviations have missing-aud: that claim must be there",
        ));
    }
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
        let remote = remote(object, hosts).map_err(|error| error.within("remote"))?;
        remote.check(&policy.rules.issuer, hosts)?;
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
    let value = object.value("tenants");
    let values = match value {
        // As a string it can only be "resolver".
        None | Some(Value::String(_)) => Vec::new(),
        Some(Value::Object(holes)) => holes.members().map(|(name, values)| (name.to_owned(), listed(values))).collect(),
        Some(values) => vec![(String::new(), listed(values))],
    };
    Tenants {
        values,
        is_resolved: matches!(value, Some(Value::String(_))),
        unclaimed: object.strings("holesWithoutClaim"),
    }
}

/// The keys that are built in.
pub(super) fn keys(object: Checked<'_, '_>, policy: &mut IssuerPolicy) -> Result<(), PolicyError> {
    if let Some(jwks) = object.object("jwks") {
        policy.push_jwks(jwks).map_err(|error| error.within("jwks"))?;
    }
    object.each("keys", &mut |entry| {
        let named = key(entry).map_err(|error| error.about(entry.text("kid")))?;
        if policy.rules.algorithms.as_ref().is_some_and(|accepted| !accepted.contains(&named.key.alg())) {
            return Err(PolicyError::at("alg", "is not among the issuer's algorithms"));
        }
        policy.push(named)
    })
}

fn remote(object: Checked<'_, '_>, hosts: &[&str]) -> Result<Remote, PolicyError> {
    let location = match (object.text("jwksUri"), object.text("discovery")) {
        (Some(url), _) => Remote::jwks_uri_among(url, hosts)?.location,
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

/// One key in the format that its member names: `pem`, `spki`, `certificate` or `secret`.
fn key(object: Checked<'_, '_>) -> Result<NamedKey, PolicyError> {
    let alg = object.text("alg").and_then(Alg::from_name);
    let alg = alg.ok_or_else(|| PolicyError::at("alg", "is not a supported algorithm"))?;
    let key = match (object.text("pem"), object.text("spki"), object.text("certificate")) {
        (Some(pem), ..) => VerificationKey::from_pem(alg, pem)?,
        (_, Some(spki), ..) => {
            let der = base64url::decode(spki);
            let der = der.ok_or_else(|| PolicyError::at("spki", "must be base64url without padding"))?;
            VerificationKey::from_spki_der(alg, &der)?
        }
        (.., Some(certificate)) => VerificationKey::from_certificate(alg, certificate)?,
        (None, None, None) => VerificationKey::from_secret(alg, &secret::of(object.value("secret"))?)?,
    };
    Ok(NamedKey { kid: object.text("kid").map(str::to_owned), key })
}
