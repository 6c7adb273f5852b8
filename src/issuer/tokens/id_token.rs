//! ID tokens (OpenID Connect Core §2): they tell a client who has signed in, and open no API.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::{key_ring::KeyRing, signing_key::SigningKey};
use crate::issuer::error::IssuerError;
use crate::{alg::Alg, base64url, policy_error::PolicyError, time::UnixSeconds};

/// What an ID token shall say. Its texts were checked where they came in.
pub(in crate::issuer) struct IdToken<'t> {
    pub(in crate::issuer) issuer: &'t str,
    pub(in crate::issuer) subject: &'t str,
    /// The client, which is the audience.
    pub(in crate::issuer) client: &'t str,
    pub(in crate::issuer) sid: &'t str,
    pub(in crate::issuer) auth_time: UnixSeconds,
    pub(in crate::issuer) acr: Option<&'t str>,
    /// RFC 8176; none is none.
    pub(in crate::issuer) amr: &'t [String],
    /// As the client has sent it with its authorization request.
    pub(in crate::issuer) nonce: Option<&'t str>,
    /// The access token beside it.
    pub(in crate::issuer) access_token: &'t str,
    /// As long as the access token's: its key stays published until then.
    pub(in crate::issuer) lifetime_seconds: u64,
}

impl IdToken<'_> {
    /// Signs it with the key whose turn it is, with `typ` `JWT`: a verifier of access tokens, which
    /// asks for `at+jwt` (RFC 9068 §4), refuses it.
    pub(in crate::issuer) fn sign(&self, ring: &KeyRing, now: UnixSeconds) -> Result<String, IssuerError> {
        let key = ring
            .signing(now)
            .ok_or_else(|| PolicyError::at("now", "is before signsFromSeconds of the first signing key"))?;
        let mut claims = Map::new();
        let own = [
            ("iss", json!(self.issuer)),
            ("sub", json!(self.subject)),
            ("aud", json!(self.client)),
            ("iat", json!(now)),
            ("exp", json!(now.get().saturating_add(self.lifetime_seconds))),
            ("auth_time", json!(self.auth_time)),
            ("at_hash", json!(access_token_hash(key, self.access_token))),
            ("sid", json!(self.sid)),
        ];
        let asked = [("acr", self.acr), ("nonce", self.nonce)];
        let asked = asked.into_iter().filter_map(|(name, text)| Some((name, Value::from(text?))));
        let amr = (!self.amr.is_empty()).then(|| ("amr", json!(self.amr)));
        claims.extend(own.into_iter().chain(asked).chain(amr).map(|(name, value)| (name.to_owned(), value)));
        Ok(key.sign("JWT", claims)?)
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the key's algorithm uses, which is
/// SHA-512 for Ed25519 (RFC 8032 §5.1).
fn access_token_hash(key: &SigningKey, access_token: &str) -> String {
    let hash = match key.alg() {
        Alg::EdDsa => Sha512::digest(access_token).to_vec(),
        _ => Sha256::digest(access_token).to_vec(),
    };
    let half = hash.len() / 2;
    base64url::encode(hash.get(..half).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_the_left_half_of_the_algorithms() {
        // The access token of OpenID Connect Core appendix A.3, whose example hashes with SHA-256.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let half = |alg| access_token_hash(&SigningKey::generate(alg).unwrap(), token);
        assert_eq!(half(Alg::Es256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(base64url::decode(&half(Alg::EdDsa)).unwrap(), Sha512::digest(token)[..32]);
    }
}
