//! The one place where a token becomes authentic (RFC 7515 §5.2).

use sha2::{Sha256, Sha384, Sha512};

use crate::{
    alg::Alg,
    engine::{
        self,
        ed25519::StrictEd25519,
        hmac::{Hs256, Hs384, Hs512},
        p256::Es256,
        rsa::{Pkcs1v15, Pss},
    },
    jws::{compact::UnverifiedToken, header::Header},
    keys::{Material, VerificationKey, set::Candidate},
    rejection::Rejection,
};

/// A token whose signature holds. Nothing outside this module can make one, so whatever asks for one cannot be reached unchecked.
#[derive(Debug)]
pub struct AuthenticToken {
    header: Header,
    payload: Vec<u8>,
    issuers: Vec<usize>,
}

impl AuthenticToken {
    /// The header as it was signed.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload as it was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The issuers (indices in the policy) that have a key under which the signature holds; the token speaks for no other.
    pub(crate) fn issuers(&self) -> &[usize] {
        &self.issuers
    }

    pub(crate) fn into_parts(self) -> (Header, Vec<u8>) {
        (self.header, self.payload)
    }
}

/// Checks a token's signature with the keys that fit it.
///
/// Keys of several issuers may fit; the signature has to be tried with each until every issuer is decided, since two issuers
/// can publish the same key.
///
/// # Errors
/// `signature-length` when no key takes a signature of that length, else `signature-invalid`.
pub fn authenticate(token: UnverifiedToken<'_>, candidates: &[Candidate<'_>]) -> Result<AuthenticToken, Rejection> {
    let actual = token.signature().len();
    let expected: Vec<usize> = candidates.iter().map(|candidate| signature_bytes(candidate.key)).collect();
    // The length comes before any arithmetic: an empty or truncated signature is never looked at (CVE-2020-28042).
    if let Some(expected) = expected.first().copied().filter(|_| !expected.contains(&actual)) {
        return Err(Rejection::SignatureLength { expected, actual });
    }
    let message = token.signing_input().as_bytes();
    let mut issuers = Vec::new();
    for candidate in candidates {
        if !issuers.contains(&candidate.issuer) && holds(candidate.key, message, token.signature()) {
            issuers.push(candidate.issuer);
        }
    }
    if issuers.is_empty() {
        return Err(Rejection::SignatureInvalid);
    }
    let (header, payload) = token.into_header_and_payload();
    Ok(AuthenticToken { header, payload, issuers })
}

/// The one length a signature under this key has, in bytes (RFC 7518 §3.2–3.5, RFC 8037 §3.1).
fn signature_bytes(key: &VerificationKey) -> usize {
    match key.material() {
        Material::Hs256(_) => 32,
        Material::Hs384(_) => 48,
        Material::Hs512(_) | Material::P256(_) | Material::Ed25519(_) => 64,
        Material::Rsa(key) => key.signature_bytes(),
    }
}

/// The closed table of algorithm × key. What is not in it does not hold.
fn holds(key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool {
    match (key.alg(), key.material()) {
        (Alg::Hs256, Material::Hs256(key)) => engine::holds(&Hs256, key, message, signature),
        (Alg::Hs384, Material::Hs384(key)) => engine::holds(&Hs384, key, message, signature),
        (Alg::Hs512, Material::Hs512(key)) => engine::holds(&Hs512, key, message, signature),
        (Alg::Es256, Material::P256(key)) => engine::holds(&Es256, key, message, signature),
        (Alg::EdDsa, Material::Ed25519(key)) => engine::holds(&StrictEd25519, key, message, signature),
        (Alg::Rs256, Material::Rsa(key)) => engine::holds(&Pkcs1v15::<Sha256>::default(), key, message, signature),
        (Alg::Rs384, Material::Rsa(key)) => engine::holds(&Pkcs1v15::<Sha384>::default(), key, message, signature),
        (Alg::Rs512, Material::Rsa(key)) => engine::holds(&Pkcs1v15::<Sha512>::default(), key, message, signature),
        (Alg::Ps256, Material::Rsa(key)) => engine::holds(&Pss::<Sha256>::default(), key, message, signature),
        (Alg::Ps384, Material::Rsa(key)) => engine::holds(&Pss::<Sha384>::default(), key, message, signature),
        (Alg::Ps512, Material::Rsa(key)) => engine::holds(&Pss::<Sha512>::default(), key, message, signature),
        _ => false,
    }
}
