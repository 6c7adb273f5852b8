//! The registered claims (RFC 7519 §4.1, RFC 9068 §2.2): present means well-formed, or the token
//! is refused.

use std::borrow::Cow;

use crate::{
    deviation::{Deviation, Deviations, NUMERIC_IDS},
    json::{Object, Value},
    jws::compact::read_part,
    limits::Limits,
    rejection::{Rejection, Segment},
    signature::AuthenticToken,
    time::{NumericDate, UnixSeconds},
};

/// The registered claims of an authentic token, typed.
///
/// A claim that is there with the wrong type is refused and never skipped (CVE-2026-25537), so
/// `None` means absent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Issuer. Of a token without `iss`, which a policy can accept, the issuer whose key has
    /// signed it.
    pub iss: String,
    /// Audience: one string is read as a list of one. Empty only where the policy reads another
    /// claim in its place, or accepts tokens without one.
    pub aud: Vec<String>,
    /// Expiry: the first whole second at which the token is over.
    pub exp: UnixSeconds,
    /// Subject.
    pub sub: Option<String>,
    /// Not before: the first whole second at which the token is valid.
    pub nbf: Option<UnixSeconds>,
    /// Issued at: the whole second in which the token was issued.
    pub iat: Option<UnixSeconds>,
    /// Identifier of the token.
    pub jti: Option<String>,
    /// OAuth 2.0 client (RFC 8693 §4.3).
    pub client_id: Option<String>,
    /// Scopes, separated by spaces (RFC 8693 §4.2). Of an array, those of its strings that are
    /// scopes (RFC 6749 §3.3).
    pub scope: Option<String>,
}

/// The registered claims as they stand in the payload, with the whole object for rules about other
/// claims.
#[derive(Debug)]
pub(crate) struct ParsedClaims<'t> {
    pub(crate) object: Object<'t>,
    pub(crate) exp: UnixSeconds,
    pub(crate) nbf: Option<UnixSeconds>,
    pub(crate) iat: Option<NumericDate>,
    /// Whether the object differs from what was signed, by a deviation that the policy accepts.
    changed: bool,
}

/// Parses an authentic token's payload, once.
///
/// # Errors
/// The `json-…` codes.
pub(crate) fn parse<'t>(token: &'t AuthenticToken<'_>, limits: &Limits) -> Result<Object<'t>, Rejection> {
    read_part(Segment::Payload, token.payload(), limits)
}

/// The claims of a token that can speak for that issuer, whose tokens deviate so.
///
/// # Errors
/// `claim-missing`, `claim-malformed`.
pub(crate) fn of_token<'t>(
    mut object: Object<'t>,
    issuer: &str,
    deviations: Deviations,
) -> Result<ParsedClaims<'t>, Rejection> {
    let mut changed = normalize(&mut object, deviations);
    if deviations.has(Deviation::MissingIss) && object.get("iss").is_none() {
        object.push(Cow::Borrowed("iss"), Value::String(Cow::Owned(issuer.to_owned())));
        changed = true;
    }
    string(&object, "iss")?.ok_or_else(|| missing("iss"))?;
    let exp = date(&object, "exp")?.ok_or_else(|| missing("exp"))?;
    typed(object, exp.ceil, changed)
}

/// The claims of an answer about an opaque token (RFC 7662 §2.2), where neither `iss` nor `exp`
/// has to be.
///
/// # Errors
/// `claim-malformed`.
pub(crate) fn of_response<'t>(mut object: Object<'t>, deviations: Deviations) -> Result<ParsedClaims<'t>, Rejection> {
    let changed = normalize(&mut object, deviations);
    string(&object, "iss")?;
    let exp = date(&object, "exp")?.map_or(UnixSeconds::MAX, |exp| exp.ceil);
    typed(object, exp, changed)
}

/// Brings what an issuer writes differently into the one form that all rules read; whether there
/// was anything.
pub(crate) fn normalize(object: &mut Object<'_>, deviations: Deviations) -> bool {
    let mut changed = false;
    if deviations.has(Deviation::NullClaims) {
        let before = object.members().count();
        object.retain(&|name, value| name == "cnf" || *value != Value::Null);
        changed = object.members().count() != before;
    }
    if deviations.has(Deviation::NumericIds) {
        for claim in NUMERIC_IDS {
            if let Some(value) = object.get_mut(claim)
                && let Value::Integer(number) = value
            {
                // Of a number, not of a reference to one: that would bring all of core::fmt into
                // the validator.
                let number: u64 = *number;
                *value = Value::String(Cow::Owned(number.to_string()));
                changed = true;
            }
        }
    }
    changed
}

fn typed(object: Object<'_>, exp: UnixSeconds, changed: bool) -> Result<ParsedClaims<'_>, Rejection> {
    // Which claim names the audience, the policy says; it asks for it.
    audience(&object)?;
    string(&object, "sub")?;
    let nbf = date(&object, "nbf")?.map(|nbf| nbf.ceil);
    let iat = date(&object, "iat")?;
    for claim in ["jti", "client_id"] {
        string(&object, claim)?;
    }
    if let Some(value) = object.get("scope").filter(|value| value.as_str().is_none() && value.as_strings().is_none()) {
        return Err(malformed("scope", "a string, or an array of strings", value));
    }
    // RFC 7800 §3.1. One that is none would be no binding to whoever asks for its members.
    match object.get("cnf") {
        None | Some(Value::Object(_)) => Ok(ParsedClaims { object, exp, nbf, iat, changed }),
        Some(value) => Err(malformed("cnf", "an object of strings", value)),
    }
}

impl ParsedClaims<'_> {
    /// Issuer.
    pub(crate) fn iss(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// Audience: one string is a list of one.
    pub(crate) fn aud(&self) -> Vec<&str> {
        audience(&self.object).ok().flatten().unwrap_or_default()
    }

    /// The strings of a claim that may be one or an array of them; empty for anything else.
    pub(crate) fn texts(&self, claim: &str) -> Vec<&str> {
        match self.object.get(claim) {
            Some(Value::String(text)) => vec![text.as_ref()],
            other => other.and_then(Value::as_strings).unwrap_or_default(),
        }
    }

    /// A claim that was found to be a string, or to be absent.
    fn text(&self, claim: &str) -> Option<&str> {
        self.object.get(claim).and_then(Value::as_str)
    }

    /// The claims as JSON, where they are not as they were signed: whoever is handed claims sees
    /// what was decided by.
    pub(crate) fn normal_form(&self) -> Option<String> {
        self.changed.then(|| self.object.to_json())
    }

    /// The claims on their own.
    pub(crate) fn to_claims(&self) -> Claims {
        let owned = |claim| self.text(claim).map(str::to_owned);
        Claims {
            iss: self.iss().to_owned(),
            aud: self.aud().into_iter().map(str::to_owned).collect(),
            exp: self.exp,
            sub: owned("sub"),
            nbf: self.nbf,
            iat: self.iat.map(|iat| iat.floor),
            jti: owned("jti"),
            client_id: owned("client_id"),
            scope: self.scope(),
        }
    }

    /// A string with a space would be two scopes once it stands beside others.
    fn scope(&self) -> Option<String> {
        match self.object.get("scope")? {
            Value::String(text) => Some(text.as_ref().to_owned()),
            value => {
                let mut scopes = value.as_strings()?;
                scopes.retain(|scope| !scope.is_empty() && !scope.contains(' '));
                Some(scopes.join(" "))
            }
        }
    }
}

pub(crate) fn missing(claim: &str) -> Rejection {
    Rejection::ClaimMissing { claim: claim.to_owned() }
}

pub(crate) fn malformed(claim: &'static str, expected: &'static str, found: &Value<'_>) -> Rejection {
    Rejection::ClaimMalformed { claim, expected, found: found.kind() }
}

fn string<'o>(object: &'o Object<'_>, claim: &'static str) -> Result<Option<&'o str>, Rejection> {
    match object.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value) => Err(malformed(claim, "a string", value)),
    }
}

fn date(object: &Object<'_>, claim: &'static str) -> Result<Option<NumericDate>, Rejection> {
    let Some(value) = object.get(claim) else { return Ok(None) };
    let expected = "a number of seconds since 1970, from 0 to 253402300799";
    value.as_date().map(Some).ok_or_else(|| malformed(claim, expected, value))
}

fn audience<'o>(object: &'o Object<'_>) -> Result<Option<Vec<&'o str>>, Rejection> {
    let Some(value) = object.get("aud") else { return Ok(None) };
    let audiences = match value {
        Value::String(text) => vec![text.as_ref()],
        value => value.as_strings().unwrap_or_default(),
    };
    if audiences.is_empty() || audiences.contains(&"") {
        return Err(malformed("aud", "a non-empty string, or a non-empty array of them", value));
    }
    Ok(Some(audiences))
}
