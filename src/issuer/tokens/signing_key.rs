//! A private key with its public half (RFC 7517, RFC 7638), signing through jwt-compact.

use base64ct::{Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use jwt_compact::{
    AlgorithmExt, Claims, Header,
    alg::{Ed25519, Es256},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::issuer::{error::IssuerError, random::random};
use crate::{alg::Alg, base64url, document, policy_error::PolicyError};

/// A key that signs. Its `kid` is the thumbprint of its public half (RFC 7638), so it cannot
/// collide with another's.
///
/// ```
/// use portcullis::{Alg, issuer::SigningKey};
///
/// let key = SigningKey::generate(Alg::EdDsa)?;
/// let kept = SigningKey::from_private_jwk(&key.private_jwk())?; // keep that text secret
/// assert_eq!(kept.jwks(), key.jwks()); // publish this one
/// # Ok::<(), portcullis::issuer::IssuerError>(())
/// ```
pub struct SigningKey {
    secret: Secret,
    kid: String,
}

enum Secret {
    Es256(Box<p256::ecdsa::SigningKey>),
    EdDsa(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// A new key for ES256 or EdDSA, from the platform's randomness.
    ///
    /// # Errors
    /// Another algorithm (`/alg`), or no randomness.
    pub fn generate(alg: Alg) -> Result<Self, IssuerError> {
        loop {
            match Self::from_secret(alg, &random::<32>()?) {
                // Of 2²⁵⁶ numbers, about 2²²⁴ are no private key of P-256; another is drawn.
                Err(error) if error.pointer() == "/d" => {}
                result => return result.map_err(IssuerError::Invalid),
            }
        }
    }

    /// A key from its private JWK (RFC 7518 §6.2, RFC 8037 §2). The public half is computed from
    /// the private one and must agree with what the JWK says (RUSTSEC-2022-0093).
    ///
    /// # Errors
    /// Anything that is not a private key of P-256 or Ed25519, at the member at fault.
    pub fn from_private_jwk(jwk: &str) -> Result<Self, PolicyError> {
        let jwk = document::parse(jwk)?;
        let alg = match (jwk.required_string("kty")?, jwk.required_string("crv")?) {
            ("EC", "P-256") => Alg::Es256,
            ("OKP", "Ed25519") => Alg::EdDsa,
            _ => return Err(PolicyError::at("crv", "must be P-256 or Ed25519")),
        };
        if jwk.string("alg")?.is_some_and(|name| Alg::from_name(name) != Some(alg)) {
            return Err(PolicyError::at("alg", format!("must be {alg} for this curve")));
        }
        // In constant time, unlike what is public.
        let secret = Base64UrlUnpadded::decode_vec(jwk.required_string("d")?).ok();
        let secret: [u8; 32] = secret
            .and_then(|secret| secret.try_into().ok())
            .ok_or_else(|| PolicyError::at("d", "must be 32 bytes in base64url without padding"))?;
        let key = Self::from_secret(alg, &secret)?;
        for (member, value) in key.public_members() {
            if jwk.required_string(member)? != value {
                return Err(PolicyError::at(member, "is not the public half of d"));
            }
        }
        Ok(key)
    }

    fn from_secret(alg: Alg, secret: &[u8; 32]) -> Result<Self, PolicyError> {
        let secret = match alg {
            Alg::Es256 => p256::ecdsa::SigningKey::from_slice(secret)
                .map(|key| Secret::Es256(Box::new(key)))
                .map_err(|_| PolicyError::at("d", "is not a private key of P-256"))?,
            Alg::EdDsa => Secret::EdDsa(Box::new(ed25519_dalek::SigningKey::from_bytes(secret))),
            _ => return Err(PolicyError::at("alg", "must be ES256 or EdDSA; this issuer signs with no other")),
        };
        let mut key = SigningKey { secret, kid: String::new() };
        key.kid = key.thumbprint();
        Ok(key)
    }

    /// A key of its own for another purpose (RFC 5869).
    pub(in crate::issuer) fn derived(&self, purpose: &[u8]) -> [u8; 32] {
        let mut derived = [0; 32];
        let extracted = match &self.secret {
            Secret::Es256(key) => Hkdf::<Sha256>::new(None, &key.to_bytes()),
            Secret::EdDsa(key) => Hkdf::<Sha256>::new(None, key.as_bytes()),
        };
        // It cannot fail: 32 bytes are less than 255 hashes (RFC 5869 §2.3).
        let _ = extracted.expand(purpose, &mut derived);
        derived
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn alg(&self) -> Alg {
        match self.secret {
            Secret::Es256(_) => Alg::Es256,
            Secret::EdDsa(_) => Alg::EdDsa,
        }
    }

    /// The JWK thumbprint of the public half: SHA-256, base64url (RFC 7638 §3).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JWK in JSON, with `kid`, `alg` and `use`.
    #[must_use]
    pub fn public_jwk(&self) -> String {
        Value::Object(self.jwk()).to_string()
    }

    /// A JWK Set (RFC 7517 §5) in JSON that holds the public half alone.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// The private key as a JWK in JSON, to be kept as the secret it is.
    #[must_use]
    pub fn private_jwk(&self) -> String {
        let secret = match &self.secret {
            Secret::Es256(key) => base64url::encode(&key.to_bytes()),
            Secret::EdDsa(key) => base64url::encode(key.as_bytes()),
        };
        let mut jwk = self.jwk();
        jwk.insert("d".to_owned(), secret.into());
        Value::Object(jwk).to_string()
    }

    /// Signs claims under a header with `typ` and `kid`.
    pub(in crate::issuer) fn sign(&self, typ: &str, claims: Map<String, Value>) -> Result<String, PolicyError> {
        let header = Header::empty().with_key_id(&self.kid).with_token_type(typ);
        let claims = Claims::new(claims);
        match &self.secret {
            Secret::Es256(key) => Es256.token(&header, &claims, key),
            Secret::EdDsa(key) => Ed25519.token(&header, &claims, key),
        }
        .map_err(|_| PolicyError::at("claims", "cannot be written as JSON"))
    }

    pub(in crate::issuer) fn jwk(&self) -> Map<String, Value> {
        let mut jwk: Map<String, Value> =
            self.public_members().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        for (name, value) in [("kid", self.kid.as_str()), ("alg", self.alg().name()), ("use", "sig")] {
            jwk.insert(name.to_owned(), value.into());
        }
        jwk
    }

    /// The members that a thumbprint covers, in the order of their names (RFC 7638 §3.2, RFC 8037
    /// §2).
    fn public_members(&self) -> Vec<(&'static str, String)> {
        match &self.secret {
            Secret::Es256(key) => {
                // SEC 1 §2.3.3: 4, x, y
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = point.as_bytes().get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
                let (crv, kty) = ("P-256".to_owned(), "EC".to_owned());
                vec![("crv", crv), ("kty", kty), ("x", base64url::encode(x)), ("y", base64url::encode(y))]
            }
            Secret::EdDsa(key) => {
                let x = base64url::encode(key.verifying_key().as_bytes());
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", x)]
            }
        }
    }

    fn thumbprint(&self) -> String {
        let members: Vec<String> =
            self.public_members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        base64url::encode(&Sha256::digest(format!("{{{}}}", members.join(","))))
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037 appendix A.1 and A.3
        let key = SigningKey::from_private_jwk(
            r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        )
        .unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_key_survives_its_jwk_and_a_foreign_half_is_refused() {
        for alg in [Alg::Es256, Alg::EdDsa] {
            let key = SigningKey::generate(alg).unwrap();
            let again = SigningKey::from_private_jwk(&key.private_jwk()).unwrap();
            assert_eq!((key.kid(), key.jwks()), (again.kid(), again.jwks()));
            assert!(!key.jwks().contains("\"d\""));

            let mut mixed: Map<String, Value> = serde_json::from_str(&key.private_jwk()).unwrap();
            let other: Map<String, Value> =
                serde_json::from_str(&SigningKey::generate(alg).unwrap().public_jwk()).unwrap();
            mixed.insert("x".to_owned(), other["x"].clone());
            let error = SigningKey::from_private_jwk(&Value::Object(mixed).to_string()).unwrap_err();
            assert_eq!(error.pointer(), "/x");
        }
        assert!(SigningKey::generate(Alg::Rs256).is_err());
    }
}
