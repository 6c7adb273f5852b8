//! The one place where a token becomes authentic (RFC 7515 §5.2).

use std::sync::Arc;

#[cfg(feature = "ml-dsa")]
use ::ml_dsa::{MlDsa44, MlDsa65, MlDsa87};

#[cfg(feature = "ml-dsa")]
use crate::engine::ml_dsa::{self, MlDsa};
use crate::{
    alg::Alg,
    engine::{
        self,
        hash::Hash,
        hmac::{Hs256, Hs384, Hs512},
        rsa::{Pkcs1v15, Pss},
    },
    jws::{compact::UnverifiedToken, header::Header},
    keys::{
        Material, VerificationKey,
        set::{Candidates, MOST_CANDIDATES},
    },
    rejection::{Rejection, Segment},
};

/// A token whose signature holds. Nothing outside this module can make one, so whatever asks for
/// one cannot be reached unchecked.
#[derive(Debug)]
pub struct AuthenticToken<'t> {
    token: UnverifiedToken<'t>,
    held: Held,
}

/// Under which keys a signature has held, and whose they are: at most one an issuer.
type Held = [Option<(usize, usize)>; MOST_CANDIDATES];

impl<'t> AuthenticToken<'t> {
    /// The header as it was signed.
    #[must_use]
    pub fn header(&self) -> &Arc<Header> {
        self.token.header()
    }

    /// The header as it was sent: its base64url text.
    pub(crate) fn header_segment(&self) -> &'t str {
        self.token.header_segment()
    }

    /// The payload as it was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.token.payload_unverified()
    }

    /// The first segment that has padding, which the limits allowed.
    pub(crate) fn padded(&self) -> Option<Segment> {
        self.token.padded()
    }

    /// The same token with that text in the payload's place: the normal form of its claims.
    pub(crate) fn with_payload(self, payload: Option<String>) -> Self {
        let Some(payload) = payload else { return self };
        AuthenticToken { token: self.token.with_payload(payload.into_bytes()), ..self }
    }

    /// The issuers (indices in the policy) that have a key under which the signature holds; the
    /// token speaks for no other.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = usize> + Clone {
        self.held.iter().flatten().map(|(issuer, _)| *issuer)
    }

    /// The keys (indices in the set) under which the signature holds.
    pub(crate) fn keys(&self) -> impl Iterator<Item = usize> {
        self.held.iter().flatten().map(|(_, place)| *place)
    }

    pub(crate) fn into_parts(self) -> (Arc<Header>, Vec<u8>) {
        self.token.into_header_and_payload()
    }
}

/// Checks a token's signature with the keys that fit it.
///
/// Keys of several issuers may fit. When one of the issuer holds that the token names, that is all
/// it can be accepted by; otherwise every issuer has to be decided, since two issuers can publish
/// the same key.
///
/// # Errors
/// `signature-length` when no key takes a signature of that length, else `signature-invalid`.
pub(crate) fn authenticate<'t>(
    token: UnverifiedToken<'t>,
    candidates: &Candidates<'_>,
) -> Result<AuthenticToken<'t>, Rejection> {
    let actual = token.signature().len();
    let mut lengths = candidates.iter().map(|candidate| signature_bytes(candidate.key));
    // The length comes before any arithmetic: an empty or truncated signature is never looked at
    // (CVE-2020-28042).
    if let Some(expected) = lengths.clone().next().filter(|_| lengths.all(|length| length != actual)) {
        return Err(Rejection::SignatureLength { expected, actual });
    }
    let message = token.signing_input().as_bytes();
    let mut held: Held = [None; MOST_CANDIDATES];
    for (index, candidate) in candidates.iter().enumerate() {
        let decided = held.iter().flatten().any(|(issuer, _)| *issuer == candidate.issuer);
        if !decided
            && holds(candidate.key, message, token.signature())
            && let Some(slot) = held.get_mut(index)
        {
            *slot = Some((candidate.issuer, candidate.place));
            if candidates.ends_with(candidate.issuer) {
                break;
            }
        }
    }
    if held.iter().all(Option::is_none) {
        return Err(Rejection::SignatureInvalid);
    }
    Ok(AuthenticToken { token, held })
}

/// The one length a signature under this key has, in bytes (RFC 7518 §3.2–3.5, RFC 8037 §3.1, FIPS
/// 204 table 2).
fn signature_bytes(key: &VerificationKey) -> usize {
    match key.material() {
        Material::Hs256(_) => 32,
        Material::Hs384(_) => 48,
        Material::Hs512(_) | Material::P256(_) | Material::Secp256k1(_) | Material::Ed25519(_) => 64,
        Material::P384(_) => 96,
        Material::P521(_) => 132,
        Material::Rsa(key) => key.signature_bytes(),
        #[cfg(feature = "ml-dsa")]
        Material::MlDsa44(_) => <MlDsa44 as ml_dsa::ParameterSet>::SIGNATURE_BYTES,
        #[cfg(feature = "ml-dsa")]
        Material::MlDsa65(_) => <MlDsa65 as ml_dsa::ParameterSet>::SIGNATURE_BYTES,
        #[cfg(feature = "ml-dsa")]
        Material::MlDsa87(_) => <MlDsa87 as ml_dsa::ParameterSet>::SIGNATURE_BYTES,
    }
}

/// The closed table of algorithm × key. What is not in it does not hold.
fn holds(key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool {
    match (key.alg(), key.material()) {
        (Alg::Hs256, Material::Hs256(key)) => engine::holds(&Hs256, key, message, signature),
        (Alg::Hs384, Material::Hs384(key)) => engine::holds(&Hs384, key, message, signature),
        (Alg::Hs512, Material::Hs512(key)) => engine::holds(&Hs512, key, message, signature),
        (Alg::Es256, Material::P256(key)) => key.holds(message, signature),
        (Alg::Es384, Material::P384(key)) => key.holds(message, signature),
        (Alg::Es512, Material::P521(key)) => key.holds(message, signature),
        (Alg::Es256k, Material::Secp256k1(key)) => key.holds(message, signature),
        (Alg::EdDsa, Material::Ed25519(key)) => key.holds(message, signature),
        (Alg::Rs256, Material::Rsa(key)) => engine::holds(&Pkcs1v15(Hash::Sha256), key, message, signature),
        (Alg::Rs384, Material::Rsa(key)) => engine::holds(&Pkcs1v15(Hash::Sha384), key, message, signature),
        (Alg::Rs512, Material::Rsa(key)) => engine::holds(&Pkcs1v15(Hash::Sha512), key, message, signature),
        (Alg::Ps256, Material::Rsa(key)) => engine::holds(&Pss(Hash::Sha256), key, message, signature),
        (Alg::Ps384, Material::Rsa(key)) => engine::holds(&Pss(Hash::Sha384), key, message, signature),
        (Alg::Ps512, Material::Rsa(key)) => engine::holds(&Pss(Hash::Sha512), key, message, signature),
        #[cfg(feature = "ml-dsa")]
        (Alg::MlDsa44, Material::MlDsa44(key)) => engine::holds(&MlDsa::<MlDsa44>::default(), key, message, signature),
        #[cfg(feature = "ml-dsa")]
        (Alg::MlDsa65, Material::MlDsa65(key)) => engine::holds(&MlDsa::<MlDsa65>::default(), key, message, signature),
        #[cfg(feature = "ml-dsa")]
        (Alg::MlDsa87, Material::MlDsa87(key)) => engine::holds(&MlDsa::<MlDsa87>::default(), key, message, signature),
        _ => false,
    }
}
