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
    /// Audience: one string is read as a list of one.
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

/// The claims with the whole object they stand in, for rules about other claims.
#[derive(Debug)]
pub(crate) struct ParsedClaims<'t> {
    pub(crate) registered: Claims,
    pub(crate) object: Object<'t>,
}

/// Parses an authentic token's payload, once.
///
/// # Errors
/// The `json-…` codes, `claim-missing`, `claim-malformed`.
pub(crate) fn read<'t>(token: &'t AuthenticToken, limits: &Limits) -> Result<ParsedClaims<'t>, Rejection> {
    let object = read_part(Segment::Payload, token.payload(), limits)?;
    let registered = Claims {
        iss: string(&object, "iss")?.ok_or_else(|| missing("iss"))?,
        aud: audience(&object)?.ok_or_else(|| missing("aud"))?,
        exp: instant(&object, "exp")?.ok_or_else(|| missing("exp"))?,
        sub: string(&object, "sub")?,
        nbf: instant(&object, "nbf")?,
        iat: instant(&object, "iat")?,
        jti: string(&object, "jti")?,
        client_id: string(&object, "client_id")?,
        scope: string(&object, "scope")?,
    };
    Ok(ParsedClaims { registered, object })
}

pub(crate) fn missing(claim: &str) -> Rejection {
    Rejection::ClaimMissing { claim: claim.to_owned() }
}

fn string(object: &Object<'_>, claim: &'static str) -> Result<Option<String>, Rejection> {
    match object.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone().into_owned())),
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

fn audience(object: &Object<'_>) -> Result<Option<Vec<String>>, Rejection> {
    let audiences = match object.get("aud") {
        None => return Ok(None),
        Some(Value::String(text)) => vec![text.as_ref()],
        Some(value) => value.as_strings().unwrap_or_default(),
    };
    if audiences.is_empty() || audiences.contains(&"") {
        let expected = "a non-empty string, or a non-empty array of them";
        return Err(Rejection::ClaimMalformed { claim: "aud", expected });
    }
    Ok(Some(audiences.into_iter().map(str::to_owned).collect()))
}
