//! What a service behind the gate is told of a request.

use serde::de::DeserializeOwned;

use crate::{
    claims::{self, Claims},
    deviation::Deviations,
    gate::{Allowed, Binding},
    json::read_object,
    limits::Limits,
};

/// Whose a request is that passed with a token. In `tower` it is an extension of the request, and
/// beside it stands [`Claims`], when the token has them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    claims: String,
    header: Option<String>,
    issuer: String,
    alternative: Option<String>,
    binding: Option<Binding>,
}

impl Authorized {
    pub(super) fn new(allowed: Allowed) -> Self {
        let Allowed { claims, header, issuer, alternative, binding, .. } = allowed;
        Authorized { claims, header, issuer, alternative, binding }
    }

    /// All claims: the text of a JSON object.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.claims
    }

    /// The token's header: the text of a JSON object. `None` for an opaque token.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// The issuer's name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the alternative that the token fits, where the policy has its issuer's tokens
    /// in several.
    #[must_use]
    pub fn alternative(&self) -> Option<&str> {
        self.alternative.as_deref()
    }

    /// How the client proved to be the one the token was given to.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        self.binding
    }

    /// All claims as a type of the caller's own.
    ///
    /// # Errors
    /// The claims do not fit the type.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.claims)
    }

    /// The registered claims. An authorization server's answer about an opaque token need not have
    /// them (RFC 7662 §2.2).
    pub(crate) fn registered(&self) -> Option<Claims> {
        // The claims are in the normal form by now, whatever the issuer writes differently.
        let object = read_object(self.claims.as_bytes(), &Limits::DOCUMENT).ok()?;
        claims::of_token(object, "", Deviations::NONE).ok().map(|claims| claims.to_claims())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(claims: &str) -> Option<Claims> {
        let claims = claims.to_owned();
        Authorized { claims, header: None, issuer: String::new(), alternative: None, binding: None }.registered()
    }

    #[test]
    fn claims_are_typed_as_a_verifier_types_them() {
        let typed =
            registered(r#"{"iss":"i","exp":9.5,"iat":1.5,"nbf":2.5,"scope":["a","b c","","d"],"x":null}"#).unwrap();
        let seconds = |at: Option<crate::UnixSeconds>| at.map(crate::UnixSeconds::get);
        assert_eq!((typed.exp.get(), seconds(typed.iat), seconds(typed.nbf)), (10, Some(1), Some(3)));
        assert_eq!((typed.scope.as_deref(), typed.aud), (Some("a d"), Vec::new()));
        for claims in ["{}", r#"{"iss":"i"}"#, r#"{"exp":9}"#, r#"{"iss":"i","exp":9,"sub":1}"#] {
            assert_eq!(registered(claims), None, "{claims}");
        }
    }
}
