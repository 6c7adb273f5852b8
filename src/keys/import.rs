//! Typed importers (RFC 7517, RFC 5280 §4.1, RFC 7468): each takes one format and none guesses.

use spki::{Document, ObjectIdentifier, SubjectPublicKeyInfoRef, der::Decode, der::asn1::UintRef};

use crate::{
    alg::{Alg, Family},
    engine::{
        KeyDefect, ed25519,
        hmac::{Hs256Key, Hs384Key, Hs512Key, check_secret},
        p256,
        rsa::RsaPublicKey,
    },
    policy_error::PolicyError,
};

/// A key that was checked when it was imported, with the one algorithm it may be used with.
///
/// The algorithm belongs to the key. A token can name another, and is then refused; it cannot change it.
pub struct VerificationKey {
    alg: Alg,
    material: Material,
}

/// Key material by family.
pub(crate) enum Material {
    Hs256(Hs256Key),
    Hs384(Hs384Key),
    Hs512(Hs512Key),
    P256(Box<p256::VerifyingKey>),
    Ed25519(Box<ed25519::VerifyingKey>),
    Rsa(RsaPublicKey),
}

impl VerificationKey {
    /// The algorithm this key belongs to.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// A secret for HMAC, as bytes.
    ///
    /// # Errors
    /// An algorithm other than HS256, HS384 or HS512 (`/alg`); a secret shorter than the hash, or all zero (`/secret`).
    pub fn from_secret(alg: Alg, secret: &[u8]) -> Result<Self, PolicyError> {
        Self::secret(alg, secret).map_err(|error| match error {
            Misfit::Alg(error) => error,
            Misfit::Key(defect) => PolicyError::at("secret", defect.reason),
        })
    }

    /// A SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    ///
    /// # Errors
    /// Bytes that are not one (`/spki`), a key of another family than the algorithm's (`/alg`), or a weak key (`/spki`).
    pub fn from_spki_der(alg: Alg, der: &[u8]) -> Result<Self, PolicyError> {
        Self::spki(alg, der).map_err(|error| match error {
            Misfit::Alg(error) => error,
            Misfit::Key(defect) => PolicyError::at("spki", defect.reason),
        })
    }

    /// A SubjectPublicKeyInfo in PEM, labelled `PUBLIC KEY` (RFC 7468 §13). Private keys and certificates are refused.
    ///
    /// # Errors
    /// As [`VerificationKey::from_spki_der`], at `/pem`.
    pub fn from_spki_pem(alg: Alg, pem: &str) -> Result<Self, PolicyError> {
        let (label, document) = Document::from_pem(pem).map_err(|_| PolicyError::at("pem", "is not PEM (RFC 7468)"))?;
        if label != "PUBLIC KEY" {
            return Err(PolicyError::at(
                "pem",
                "must be labelled PUBLIC KEY; certificates and private keys are refused",
            ));
        }
        Self::spki(alg, document.as_bytes()).map_err(|error| match error {
            Misfit::Alg(error) => error,
            Misfit::Key(defect) => PolicyError::at("pem", defect.reason),
        })
    }

    pub(crate) fn secret(alg: Alg, secret: &[u8]) -> Result<Self, Misfit> {
        let hash_bytes = match alg {
            Alg::Hs256 => 32,
            Alg::Hs384 => 48,
            Alg::Hs512 => 64,
            _ => return Err(Misfit::alg(alg, "a secret")),
        };
        check_secret(secret, hash_bytes)?;
        let material = match alg {
            Alg::Hs256 => Material::Hs256(Hs256Key::new(secret)),
            Alg::Hs384 => Material::Hs384(Hs384Key::new(secret)),
            _ => Material::Hs512(Hs512Key::new(secret)),
        };
        Ok(VerificationKey { alg, material })
    }

    pub(crate) fn p256(alg: Alg, x: &[u8], y: &[u8]) -> Result<Self, Misfit> {
        let material = Material::P256(Box::new(p256::key_from_coordinates(x, y)?));
        Self::public(alg, Family::P256, "an EC key on P-256", material)
    }

    pub(crate) fn ed25519(alg: Alg, x: &[u8]) -> Result<Self, Misfit> {
        let material = Material::Ed25519(Box::new(ed25519::key_from_bytes(x)?));
        Self::public(alg, Family::Ed25519, "an Ed25519 key", material)
    }

    pub(crate) fn rsa(alg: Alg, n: &[u8], e: &[u8]) -> Result<Self, Misfit> {
        let material = Material::Rsa(RsaPublicKey::from_components(n, e)?);
        Self::public(alg, Family::Rsa, "an RSA key", material)
    }

    fn public(alg: Alg, family: Family, name: &str, material: Material) -> Result<Self, Misfit> {
        if alg.family() != family {
            return Err(Misfit::alg(alg, name));
        }
        Ok(VerificationKey { alg, material })
    }

    fn spki(alg: Alg, der: &[u8]) -> Result<Self, Misfit> {
        const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
        const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

        let malformed = |reason: &str| Misfit::Key(KeyDefect::new("spki", reason));
        let spki = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|_| malformed("is not a SubjectPublicKeyInfo (RFC 5280 section 4.1)"))?;
        let bits =
            spki.subject_public_key.as_bytes().ok_or_else(|| malformed("has a key of a broken number of bits"))?;
        match spki.algorithm.oid {
            EC_PUBLIC_KEY => {
                if spki.algorithm.parameters_oid() != Ok(PRIME256V1) {
                    return Err(malformed("is on a curve other than P-256"));
                }
                let material = Material::P256(Box::new(p256::key_from_point(bits)?));
                Self::public(alg, Family::P256, "an EC key on P-256", material)
            }
            ED25519 => Self::ed25519(alg, bits),
            RSA_ENCRYPTION => {
                let numbers = <[UintRef<'_>; 2]>::from_der(bits)
                    .map_err(|_| malformed("does not hold an RSAPublicKey (RFC 8017 appendix A.1.1)"))?;
                let [n, e] = numbers;
                Self::rsa(alg, n.as_bytes(), e.as_bytes())
            }
            _ => Err(malformed("is of an algorithm that is not supported")),
        }
    }
}

impl core::fmt::Debug for VerificationKey {
    /// Names the algorithm and never the material: an HMAC key is a secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("VerificationKey").field("alg", &self.alg).finish_non_exhaustive()
    }
}

/// The algorithm does not fit the key, or the key is no good.
#[derive(Debug)]
pub(crate) enum Misfit {
    Alg(PolicyError),
    Key(KeyDefect),
}

impl Misfit {
    fn alg(alg: Alg, key: &str) -> Self {
        Misfit::Alg(PolicyError::at("alg", format!("{alg} does not work with {key}")))
    }
}

impl From<KeyDefect> for Misfit {
    fn from(defect: KeyDefect) -> Self {
        Misfit::Key(defect)
    }
}
