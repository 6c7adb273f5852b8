//! Claims of a session's own: what an application says of the subject, besides what the issuer
//! says itself.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::issuer::bounds;
use crate::{document, json::Object, limits::Limits, policy_error::PolicyError};

/// Claims that have a member of their own in a request, or that the issuer alone sets.
pub(super) const RESERVED: [&str; 9] = ["iss", "aud", "exp", "sub", "client_id", "iat", "jti", "scope", "nbf"];
/// Claims that the issuer says of every session, that change what an edge makes of a token, or
/// that make it look like an ID token.
const OF_SESSIONS: [&str; 12] =
    ["sid", "gen", "auth_time", "acr", "amr", "cnf", "act", "may_act", "status", "nonce", "at_hash", "azp"];

/// The claims that go into each access token of a session.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the member `claims` of a command, which is what `text` says; no member is no claims.
    ///
    /// # Errors
    /// No object, a claim that the issuer sets, or claims that are too long, too deep or too many,
    /// at the member.
    pub(in crate::issuer) fn of(text: &str, command: &Object<'_>) -> Result<Self, PolicyError> {
        let claims = Claims(further(text, command, RESERVED.into_iter().chain(OF_SESSIONS))?);
        claims.check().map(|()| claims)
    }

    /// Reads those of a row, which were checked before they came there: a name that is reserved
    /// later makes no session unreadable. None takes the place of the issuer's.
    pub(in crate::issuer) fn kept(text: &str, row: &Object<'_>) -> Result<Self, PolicyError> {
        further(text, row, []).map(Claims)
    }

    /// A token with them is within the default limits of verifiers.
    fn check(&self) -> Result<(), PolicyError> {
        let text = self.text();
        let (found, most) = (text.len(), bounds::CLAIMS);
        if found > most {
            return Err(PolicyError::at("claims", format!("must have at most {most} bytes as JSON; found {found}")));
        }
        let (depth, members) = (bounds::CLAIMS_DEPTH, bounds::CLAIMS_MEMBERS);
        let limits = Limits::default().with_depth(depth)?.with_members(members)?;
        document::parse_within(&text, &limits).map(drop).map_err(|_| {
            let reason = format!("must have at most {depth} levels and {members} members, all levels together");
            PolicyError::at("claims", reason)
        })
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long they are as JSON, in bytes.
    pub(in crate::issuer) fn size(&self) -> usize {
        self.text().len()
    }

    pub(in crate::issuer) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    fn text(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Claims(…)")
    }
}

/// The member `claims` of `object`, which is what `text` says, without the names that it may not
/// have.
pub(super) fn further(
    text: &str,
    object: &Object<'_>,
    refused: impl IntoIterator<Item = &'static str>,
) -> Result<Map<String, Value>, PolicyError> {
    let Some(claims) = object.object("claims")? else { return Ok(Map::new()) };
    if let Some(name) = refused.into_iter().find(|name| claims.get(name).is_some()) {
        let reason = "is set by the issuer or by another member. Remove it from claims";
        return Err(PolicyError::at(name, reason).within("claims"));
    }
    // The strict reader keeps no fractions; serde_json reads the same text again for the values.
    match serde_json::from_str::<Map<String, Value>>(text).ok().and_then(|mut object| object.remove("claims")) {
        Some(Value::Object(claims)) => Ok(claims),
        _ => Err(PolicyError::at("claims", "must be an object")),
    }
}

/// The member `amr` of a command or a row: by which methods the subject was authenticated.
pub(in crate::issuer) fn amr(object: &Object<'_>) -> Result<Vec<String>, PolicyError> {
    let Some(value) = object.get("amr") else { return Ok(Vec::new()) };
    let found = value.as_strings().ok_or_else(|| {
        let kind = value.kind();
        PolicyError::at("amr", format!("must be an array of strings (RFC 8176); found {kind}. Write [\"pwd\"]"))
    })?;
    Ok(found.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Result<Claims, PolicyError> {
        let text = format!(r#"{{"claims":{text}}}"#);
        Claims::of(&text, &document::parse(&text).unwrap())
    }

    #[test]
    fn claims_keep_their_values_and_are_refused_by_name() {
        let kept = claims(r#"{"tenant":{"x":1.5}}"#).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), r#"{"tenant":{"x":1.5}}"#);
        for name in RESERVED.into_iter().chain(OF_SESSIONS) {
            assert_eq!(claims(&format!(r#"{{"{name}":1}}"#)).unwrap_err().pointer(), format!("/claims/{name}"));
        }
        assert!(claims(r#"{"x":{"sub":1}}"#).is_ok());
        assert_eq!(claims("[]").unwrap_err().pointer(), "/claims");
        assert_eq!(format!("{kept:?}"), "Claims(…)");
    }

    #[test]
    fn claims_have_a_longest_a_deepest_and_a_most() {
        let long = |length| claims(&format!(r#"{{"a":"{}"}}"#, "x".repeat(length)));
        assert!(long(bounds::CLAIMS - 8).is_ok());
        assert_eq!(long(bounds::CLAIMS - 7).unwrap_err().pointer(), "/claims");
        let deep = |depth: usize| claims(&format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1)));
        assert!(deep(bounds::CLAIMS_DEPTH).is_ok());
        assert_eq!(deep(bounds::CLAIMS_DEPTH + 1).unwrap_err().pointer(), "/claims");
        let many = |count: usize| {
            let members: Vec<String> = (1..count).map(|at| format!("\"m{at}\":1")).collect();
            claims(&format!("{{\"all\":{{{}}}}}", members.join(",")))
        };
        assert!(many(bounds::CLAIMS_MEMBERS).is_ok());
        assert_eq!(many(bounds::CLAIMS_MEMBERS + 1).unwrap_err().pointer(), "/claims");
    }

    #[test]
    fn the_values_of_a_row_are_the_same_however_often_it_is_written() {
        // Floats of every size that the strict reader takes, by a generator of Marsaglia's.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..10_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let float = f64::from_bits(state);
            if !float.is_finite() || float.abs() >= 1e308 {
                continue;
            }
            let first = claims(&format!("{{\"x\":{float:e}}}")).unwrap();
            let text = format!("{{\"claims\":{}}}", first.text());
            assert_eq!(Claims::kept(&text, &document::parse(&text).unwrap()).unwrap(), first);
        }
    }
}
