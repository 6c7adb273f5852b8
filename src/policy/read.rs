//! The policy as a JSON document.

use crate::{
    alg::Alg,
    base64url, document,
    json::{Object, Value},
    keys::{VerificationKey, jwk::NamedKey, tables::TableBudget},
    limits::Limits,
    policy::{IssuerPolicy, Policy},
    policy_error::PolicyError,
    time::Leeway,
};

impl Policy {
    /// Reads a policy from its JSON text. It means the same in Rust and in every JavaScript runtime.
    ///
    /// # Errors
    /// Anything that is not a policy, by JSON pointer: an unknown member, a missing one, a wrong type, a weak key.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        document.only(&["issuers", "leewaySeconds", "limits", "precompute", "tableBytes"])?;
        let issuers = document.objects("issuers", issuer)?;
        let issuers = issuers.ok_or_else(|| PolicyError::at("issuers", "is required"))?;
        let leeway = document.integer("leewaySeconds")?.map_or(Ok(Leeway::default()), Leeway::new)?;
        let limits = match document.object("limits")? {
            None => Limits::default(),
            Some(object) => limits(object).map_err(|error| error.within("limits"))?,
        };
        let tables = tables(&document)?;
        Ok(Policy::new(issuers)?.with_leeway(leeway).with_limits(limits).with_tables(tables))
    }
}

fn tables(document: &Object<'_>) -> Result<TableBudget, PolicyError> {
    let budget = match document.integer("tableBytes")? {
        None => TableBudget::default(),
        Some(bytes) => TableBudget::default().with_bytes(usize::try_from(bytes).unwrap_or(usize::MAX))?,
    };
    Ok(if document.boolean("precompute")?.unwrap_or_default() { budget.at_import() } else { budget })
}

fn limits(object: &Object<'_>) -> Result<Limits, PolicyError> {
    object.only(&["tokenBytes", "headerBytes", "depth", "members"])?;
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
    object.only(&["issuer", "audience", "jwks", "keys", "algorithms", "types", "requiredClaims"])?;
    let issuer = object.required_string("issuer")?;
    let audience = object.string_or_strings("audience")?.ok_or_else(|| PolicyError::at("audience", "is required"))?;
    let mut policy = IssuerPolicy::new(issuer, audience)?;
    if let Some(names) = object.strings("algorithms")? {
        policy = policy.with_algorithms(algorithms(&names)?);
    }
    match object.get("types") {
        Some(Value::String(any)) if any == "any" => policy = policy.with_any_type(),
        Some(Value::String(_)) => return Err(PolicyError::at("types", "must be an array of strings, or \"any\"")),
        _ => {
            if let Some(types) = object.strings("types")? {
                policy = policy.with_types(types);
            }
        }
    }
    if let Some(claims) = object.strings("requiredClaims")? {
        policy = policy.with_required_claims(claims);
    }
    if let Some(jwks) = object.object("jwks")? {
        policy.push_jwks(jwks).map_err(|error| error.within("jwks"))?;
    }
    let keys = object.objects("keys", |entry| {
        let named = key(entry)?;
        if policy.algorithms.as_ref().is_some_and(|accepted| !accepted.contains(&named.key.alg())) {
            return Err(PolicyError::at("alg", "is not among the issuer's algorithms"));
        }
        policy.push(named)
    })?;
    if keys.is_some_and(|keys| keys.is_empty()) {
        return Err(PolicyError::at("keys", "must have at least one key"));
    }
    Ok(policy)
}

fn algorithms(names: &[String]) -> Result<Vec<Alg>, PolicyError> {
    let read = |(index, name): (usize, &String)| {
        Alg::from_name(name).ok_or_else(|| {
            let known = Alg::ALL.map(Alg::name).join(", ");
            PolicyError::at(&index.to_string(), format!("is not a supported algorithm; known are {known}"))
                .within("algorithms")
        })
    };
    names.iter().enumerate().map(read).collect()
}

/// One key in the format that its member names: `pem`, `spki` or `secret`.
fn key(object: &Object<'_>) -> Result<NamedKey, PolicyError> {
    object.only(&["kid", "alg", "pem", "spki", "secret"])?;
    let kid = object.string("kid")?.map(str::to_owned);
    let alg = Alg::from_name(object.required_string("alg")?)
        .ok_or_else(|| PolicyError::at("alg", "is not a supported algorithm"))?;
    let bytes = |member: &str, text: &str| {
        base64url::decode(text).ok_or_else(|| PolicyError::at(member, "must be base64url without padding"))
    };
    let key = match (object.string("pem")?, object.string("spki")?, object.string("secret")?) {
        (Some(pem), None, None) => VerificationKey::from_spki_pem(alg, pem)?,
        (None, Some(spki), None) => VerificationKey::from_spki_der(alg, &bytes("spki", spki)?)?,
        (None, None, Some(secret)) => VerificationKey::from_secret(alg, &bytes("secret", secret)?)?,
        _ => return Err(PolicyError::here("must have exactly one of \"pem\", \"spki\" and \"secret\"")),
    };
    Ok(NamedKey { kid, key })
}
