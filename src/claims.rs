//! The registered claims (RFC 7519 §4.1, RFC 9068 §2.2): present means well-formed, or the token is refused.

use crate::{
    json::{Object, Value},
    jws::compact::read_part,
    limits::Limits,
    rejection::{Rejection, Segment},
    signature::AuthenticToken,
    time::UnixSeconds,
};

/// The registered claims of an authentic token, typed.
///
/// A claim that is there with the wrong type is refused and never skipped (CVE-2026-25537), so `None` means absent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience: one string is read as a list of one. Empty only where the policy reads another claim in its place.
    pub aud: Vec<String>,
    /// Expiry.
    pub exp: UnixSeconds,
    /// Subject.
    pub sub: Option<String>,
    /// Not before.
    pub nbf: Option<UnixSeconds>,
    /// Issued at.
    pub iat: Option<UnixSeconds>,
    /// Identifier of the token.
    pub jti: Option<String>,
    /// OAuth 2.0 client (RFC 8693 §4.3).
    pub client_id: Option<String>,
    /// Scopes, separated by spaces (RFC 8693 §4.2).
    pub scope: Option<String>,
}

/// The registered claims as they stand in the payload, with the whole object for rules about other claims.
#[derive(Debug)]
pub(crate) struct ParsedClaims<'t> {
    pub(crate) object: Object<'t>,
    pub(crate) exp: UnixSeconds,
    pub(crate) nbf: Option<UnixSeconds>,
    pub(crate) iat: Option<UnixSeconds>,
}

/// Parses an authentic token's payload, once.
///
/// # Errors
/// The `json-…` codes, `claim-missing`, `claim-malformed`.
pub(crate) fn read<'t>(token: &'t AuthenticToken<'_>, limits: &Limits) -> Result<ParsedClaims<'t>, Rejection> {
    let object = read_part(Segment::Payload, token.payload(), limits)?;
    string(&object, "iss")?.ok_or_else(|| missing("iss"))?;
    let exp = instant(&object, "exp")?.ok_or_else(|| missing("exp"))?;
    parse(object, exp)
}

/// The claims of an answer about an opaque token (RFC 7662 §2.2), where neither `iss` nor `exp` has to be.
///
/// # Errors
/// `claim-malformed`.
pub(crate) fn of_response(object: Object<'_>) -> Result<ParsedClaims<'_>, Rejection> {
    string(&object, "iss")?;
    let exp = instant(&object, "exp")?.unwrap_or(UnixSeconds::MAX);
    parse(object, exp)
}

fn parse(object: Object<'_>, exp: UnixSeconds) -> Result<ParsedClaims<'_>, Rejection> {
    // Which claim names the audience, the policy says; it asks for it.
    audience(&object)?;
    string(&object, "sub")?;
    let nbf = instant(&object, "nbf")?;
    let iat = instant(&object, "iat")?;
    for claim in ["jti", "client_id", "scope"] {
        string(&object, claim)?;
    }
    // RFC 7800 §3.1. One that is none would be no binding to whoever asks for its members.
    if !matches!(object.get("cnf"), None | Some(Value::Object(_))) {
        return Err(Rejection::ClaimMalformed { claim: "cnf", expected: "an object of strings" });
    }
    Ok(ParsedClaims { object, exp, nbf, iat })
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

    /// The claims on their own.
    pub(crate) fn to_claims(&self) -> Claims {
        let owned = |claim| self.text(claim).map(str::to_owned);
        Claims {
            iss: self.iss().to_owned(),
            aud: self.aud().into_iter().map(str::to_owned).collect(),
            exp: self.exp,
            sub: owned("sub"),
            nbf: self.nbf,
            iat: self.iat,
            jti: owned("jti"),
            client_id: owned("client_id"),
            scope: owned("scope"),
        }
    }
}

pub(crate) fn missing(claim: &str) -> Rejection {
    Rejection::ClaimMissing { claim: claim.to_owned() }
}

fn string<'o>(object: &'o Object<'_>, claim: &'static str) -> Result<Option<&'o str>, Rejection> {
    match object.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Rejection::ClaimMalformed { claim, expected: "a string" }),
    }
}

fn instant(object: &Object<'_>, claim: &'static str) -> Result<Option<UnixSeconds>, Rejection> {
    let seconds = match object.get(claim) {
        None => return Ok(None),
        Some(Value::Integer(seconds)) => UnixSeconds::new(*seconds),
        Some(_) => None,
    };
    let expected = "whole seconds since 1970, from 0 to 253402300799";
    seconds.map(Some).ok_or(Rejection::ClaimMalformed { claim, expected })
}

fn audience<'o>(object: &'o Object<'_>) -> Result<Option<Vec<&'o str>>, Rejection> {
    let audiences = match object.get("aud") {
        None => return Ok(None),
        Some(Value::String(text)) => vec![text.as_ref()],
        Some(value) => value.as_strings().unwrap_or_default(),
    };
    if audiences.is_empty() || audiences.contains(&"") {
        let expected = "a non-empty string, or a non-empty array of them";
        return Err(Rejection::ClaimMalformed { claim: "aud", expected });
    }
    Ok(Some(audiences))
}
