//! What proves that a token is its sender's: possession of a key (RFC 9449, RFC 8705), and the
//! network it comes from.

pub(crate) mod uri;
pub(crate) mod network;
pub(crate) mod thumbprint;
pub(crate) mod mtls;
pub(crate) mod nonce;
pub(crate) mod dpop;

use crate::{
    denial::Denial,
    json::{Object, Value},
    rejection::Rejection,
};

/// May whoever sends these claims' token as a bearer token be taken for the one it was issued to?
/// A token that is bound to a key must not be weakened to one (RFC 9449 §7.2), nor be taken
/// without a look at the certificate (RFC 8705 §3). What the binding is does not matter here:
/// nothing of it can be checked without the request.
///
/// # Errors
/// `binding-unsupported`.
pub(crate) fn check_bearer(claims: &Object<'_>) -> Result<(), Rejection> {
    claims.get("cnf").map_or(Ok(()), |_| Err(Rejection::BindingUnsupported))
}

/// What a token is bound to (`cnf`, RFC 7800 §3.1). At least one of the two is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation<'c> {
    /// Thumbprint of a DPoP key (RFC 9449 §6.1).
    pub jkt: Option<&'c str>,
    /// Thumbprint of a certificate (RFC 8705 §3.1).
    pub x5t: Option<&'c str>,
}

impl<'c> Confirmation<'c> {
    /// The claim `cnf`, if there is one. Every method in it that is known has to be proven, and
    /// one has to be; what stands beside it is ignored (RFC 7800 §3.1).
    ///
    /// # Errors
    /// `claim-malformed`, `binding-unsupported`.
    pub(crate) fn of(claims: &'c Object<'_>) -> Result<Option<Self>, Denial> {
        let malformed = |found: &Value<'_>| {
            let (expected, found) = ("an object of strings", found.kind());
            Denial::Token(Rejection::ClaimMalformed { claim: "cnf", expected, found })
        };
        let confirmation = match claims.get("cnf") {
            None => return Ok(None),
            Some(Value::Object(object)) => object,
            Some(value) => return Err(malformed(value)),
        };
        let member = |name: &str| match confirmation.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(value) => Err(malformed(value)),
        };
        match (member("jkt")?, member("x5t#S256")?) {
            (None, None) => Err(Rejection::BindingUnsupported.into()),
            (jkt, x5t) => Ok(Some(Confirmation { jkt, x5t })),
        }
    }

    /// What two statements about one token bind it to. Each has to be proven.
    ///
    /// # Errors
    /// `dpop-key-mismatch`, `certificate-mismatch`: one request cannot prove two of a kind.
    pub(crate) fn and(self, other: Self) -> Result<Self, Denial> {
        let differ = |one: Option<&str>, other: Option<&str>| one.zip(other).is_some_and(|(one, other)| one != other);
        match () {
            () if differ(self.jkt, other.jkt) => Err(Denial::DpopKeyMismatch),
            () if differ(self.x5t, other.x5t) => Err(Denial::CertificateMismatch),
            () => Ok(Confirmation { jkt: self.jkt.or(other.jkt), x5t: self.x5t.or(other.x5t) }),
        }
    }

    /// Is the token the client's, whose connection has that certificate? `Ok` when it is not bound
    /// to one.
    ///
    /// # Errors
    /// `certificate-missing`, `certificate-mismatch`.
    pub(crate) fn check_certificate(&self, certificate: Option<&str>) -> Result<(), Denial> {
        let Some(expected) = self.x5t else { return Ok(()) };
        let thumbprint = certificate.and_then(mtls::thumbprint).ok_or(Denial::CertificateMissing)?;
        if thumbprint == expected { Ok(()) } else { Err(Denial::CertificateMismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    fn of(text: &str) -> Result<(Option<String>, Option<String>), Denial> {
        let claims = document::parse(text).unwrap();
        let confirmation = Confirmation::of(&claims)?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(confirmation.map_or((None, None), |found| (owned(found.jkt), owned(found.x5t))))
    }

    #[test]
    fn reads_what_it_can_check_and_refuses_the_rest() {
        assert_eq!(of("{}"), Ok((None, None)));
        assert_eq!(of(r#"{"cnf":{"jkt":"a"}}"#), Ok((Some("a".into()), None)));
        assert_eq!(of(r#"{"cnf":{"jkt":"a","x5t#S256":"b"}}"#), Ok((Some("a".into()), Some("b".into()))));
        // Keycloak writes such members.
        assert_eq!(of(r#"{"cnf":{"kc-jkt-type":"x","jkt":"a","jwk":{}}}"#), Ok((Some("a".into()), None)));
        for text in [r#"{"cnf":{}}"#, r#"{"cnf":{"kid":"a"}}"#, r#"{"cnf":{"JKT":"a","x5t":"b","jwk":{}}}"#] {
            assert_eq!(of(text), Err(Denial::Token(Rejection::BindingUnsupported)), "{text}");
        }
        for text in
            [r#"{"cnf":"a"}"#, r#"{"cnf":null}"#, r#"{"cnf":{"jkt":1}}"#, r#"{"cnf":{"jkt":"a","x5t#S256":[]}}"#]
        {
            assert!(matches!(of(text), Err(Denial::Token(Rejection::ClaimMalformed { claim: "cnf", .. }))), "{text}");
        }
    }
}
