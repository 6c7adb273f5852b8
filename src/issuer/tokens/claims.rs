//! Claims of a session's own: what an application says of the subject, besides what the issuer
//! says itself.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mint::RESERVED;
use crate::issuer::bounds;
use crate::{json::Object, policy_error::PolicyError};

/// Claims that the issuer says of every session, or that change what an edge makes of a token.
const OF_SESSIONS: [&str; 9] = ["sid", "gen", "auth_time", "acr", "amr", "cnf", "act", "may_act", "status"];

/// The claims that go into each access token of a session.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the member `claims` of `object`, which is what `text` says; no member is no claims.
    ///
    /// # Errors
    /// No object, a claim that the issuer sets, or more than 3072 bytes as JSON, at the member.
    pub(in crate::issuer) fn of(text: &str, object: &Object<'_>) -> Result<Self, PolicyError> {
        let Some(claims) = object.object("claims")? else { return Ok(Claims::default()) };
        if let Some(name) = RESERVED.into_iter().chain(OF_SESSIONS).find(|name| claims.get(name).is_some()) {
            let reason = "is set by the issuer or by another member. Remove it from claims";
            return Err(PolicyError::at(name, reason).within("claims"));
        }
        // The strict reader keeps no fractions; serde_json reads the same text again for the values.
        let claims = match serde_json::from_str::<Map<String, Value>>(text).ok().and_then(|mut it| it.remove("claims"))
        {
            Some(Value::Object(claims)) => Claims(claims),
            _ => return Err(PolicyError::at("claims", "must be an object")),
        };
        let (found, most) = (claims.size(), bounds::CLAIMS);
        if found > most {
            return Err(PolicyError::at("claims", format!("must have at most {most} bytes as JSON; found {found}")));
        }
        Ok(claims)
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long they are as JSON, in bytes.
    pub(in crate::issuer) fn size(&self) -> usize {
        serde_json::to_string(&self.0).map_or(usize::MAX, |text| text.len())
    }

    pub(in crate::issuer) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Claims(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    fn claims(text: &str) -> Result<Claims, PolicyError> {
        let text = format!(r#"{{"claims":{text}}}"#);
        Claims::of(&text, &document::parse(&text).unwrap())
    }

    #[test]
    fn claims_keep_their_values_and_are_refused_by_name_and_by_size() {
        let kept = claims(r#"{"tenant":{"x":1.5}}"#).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), r#"{"tenant":{"x":1.5}}"#);
        for name in RESERVED.into_iter().chain(OF_SESSIONS) {
            assert_eq!(claims(&format!(r#"{{"{name}":1}}"#)).unwrap_err().pointer(), format!("/claims/{name}"));
        }
        assert_eq!(claims("[]").unwrap_err().pointer(), "/claims");
        let long = |length| claims(&format!(r#"{{"a":"{}"}}"#, "x".repeat(length)));
        assert!(long(bounds::CLAIMS - 8).is_ok());
        assert_eq!(long(bounds::CLAIMS - 7).unwrap_err().pointer(), "/claims");
        assert_eq!(format!("{kept:?}"), "Claims(…)");
    }
}
