//! Typed importers (RFC 7517, RFC 5280 §4.1, RFC 7468): each takes one format and none guesses.

#[cfg(feature = "ml-dsa")]
use ::ml_dsa::{MlDsa44, MlDsa65, MlDsa87};

#[cfg(feature = "ml-dsa")]
use crate::engine::ml_dsa;
use crate::{
    alg::{Alg, Family},
    engine::{
        KeyDefect,
        ecdsa::{
            EcdsaKey,
            curves::{Curve, P256, P384, P521, Secp256k1},
        },
        ed25519,
        hmac::{Hs256Key, Hs384Key, Hs512Key},
        precompute::Precomputable,
        rsa::RsaPublicKey,
    },
    keys::spki::{self, PublicKey},
    policy_error::PolicyError,
};
use fingerprint::Fingerprint;

/// A key that was checked when it was imported, with the one algorithm it may be used with.
///
/// The algorithm belongs to the key. A token can name another, and is then refused; it cannot
/// change it.
pub struct VerificationKey {
    alg: Alg,
    material: Material,
    #[allow(dead_code, reason = "it is empty where there is no revocation")]
    fingerprint: Fingerprint,
}

/// Key material by family.
pub(crate) enum Material {
    Hs256(Hs256Key),
    Hs384(Hs384Key),
    Hs512(Hs512Key),
    P256(Box<EcdsaKey<P256, 9>>),
    P384(Box<EcdsaKey<P384, 14>>),
    P521(Box<EcdsaKey<P521, 18>>),
    Secp256k1(Box<EcdsaKey<Secp256k1, 9>>),
    Ed25519(Box<ed25519::VerifyingKey>),
    Rsa(RsaPublicKey),
    #[cfg(feature = "ml-dsa")]
    MlDsa44(ml_dsa::VerifyingKey<MlDsa44>),
    #[cfg(feature = "ml-dsa")]
    MlDsa65(ml_dsa::VerifyingKey<MlDsa65>),
    #[cfg(feature = "ml-dsa")]
    MlDsa87(ml_dsa::VerifyingKey<MlDsa87>),
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

    /// The key as one that can have a table; `None` for those that gain nothing by one.
    pub(crate) fn precomputable(&self) -> Option<&dyn Precomputable> {
        match &self.material {
            Material::P256(key) => Some(key.as_ref()),
            Material::P384(key) => Some(key.as_ref()),
            Material::P521(key) => Some(key.as_ref()),
            Material::Secp256k1(key) => Some(key.as_ref()),
            Material::Ed25519(key) => Some(key.as_ref()),
            Material::Hs256(_) | Material::Hs384(_) | Material::Hs512(_) | Material::Rsa(_) => None,
            #[cfg(feature = "ml-dsa")]
            Material::MlDsa44(_) | Material::MlDsa65(_) | Material::MlDsa87(_) => None,
        }
    }

    /// A secret for HMAC, as bytes.
    ///
    /// # Errors
    /// An algorithm other than HS256, HS384 or HS512 (`/alg`); a secret shorter than the hash, or
    /// all zero (`/secret`).
    pub fn from_secret(alg: Alg, secret: &[u8]) -> Result<Self, PolicyError> {
        Self::secret(alg, secret).map_err(|misfit| misfit.at("secret"))
    }

    /// A SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    ///
    /// # Errors
    /// Bytes that are not one (`/spki`), a key of another family than the algorithm's (`/alg`), or
    /// a weak key (`/spki`).
    pub fn from_spki_der(alg: Alg, der: &[u8]) -> Result<Self, PolicyError> {
        Self::spki(alg, der).map_err(|misfit| misfit.at("spki"))
    }

    /// A public key in PEM, labelled `PUBLIC KEY` (RFC 7468 §13) or `RSA PUBLIC KEY` (RFC 8017
    /// appendix A.1.1), or the base64 between its lines alone. Private keys and certificates are
    /// refused.
    ///
    /// # Errors
    /// As [`VerificationKey::from_spki_der`], at `/pem`.
    pub fn from_pem(alg: Alg, pem: &str) -> Result<Self, PolicyError> {
        let at = |reason: &'static str| PolicyError::at("pem", reason);
        let pem = spki::from_pem(pem).ok_or_else(|| at("is not PEM (RFC 7468)"))?;
        let key = spki::of_pem(&pem).map_err(at)?;
        Self::of(alg, key).map_err(|misfit| misfit.at("pem"))
    }

    /// The public key of an X.509 certificate in PEM, or of the base64 between its lines. The key
    /// is taken and nothing else is judged: who signed the certificate, whose it is and when it
    /// ends is for the caller to know.
    ///
    /// # Errors
    /// As [`VerificationKey::from_spki_der`], at `/certificate`.
    pub fn from_certificate(alg: Alg, certificate: &str) -> Result<Self, PolicyError> {
        let at = |reason: &'static str| PolicyError::at("certificate", reason);
        let pem = spki::from_pem(certificate).filter(|pem| matches!(pem.label.as_str(), "CERTIFICATE" | ""));
        let pem = pem.ok_or_else(|| at("must be one certificate in PEM, labelled CERTIFICATE (RFC 7468 section 5)"))?;
        let key =
            spki::of_certificate(&pem.der).ok_or_else(|| at("is not an X.509 certificate (RFC 5280 section 4.1)"))?;
        Self::spki(alg, key).map_err(|misfit| misfit.at("certificate"))
    }

    pub(crate) fn secret(alg: Alg, secret: &[u8]) -> Result<Self, Misfit> {
        let material = match alg {
            Alg::Hs256 => Material::Hs256(Hs256Key::new(secret)?),
            Alg::Hs384 => Material::Hs384(Hs384Key::new(secret)?),
            Alg::Hs512 => Material::Hs512(Hs512Key::new(secret)?),
            _ => return Err(Misfit::alg(alg, "a secret")),
        };
        Ok(VerificationKey { alg, material, fingerprint: Fingerprint::of(&[secret]) })
    }

    /// An EC key on the curve that its family names.
    pub(crate) fn ec(alg: Alg, curve: Family, point: EcPoint<'_>) -> Result<Self, Misfit> {
        let material = match curve {
            Family::P256 => Material::P256(point.key()?),
            Family::P384 => Material::P384(point.key()?),
            Family::P521 => Material::P521(point.key()?),
            Family::Secp256k1 => Material::Secp256k1(point.key()?),
            _ => return Err(Misfit::alg(alg, "an EC key")),
        };
        Self::public(alg, curve, "an EC key on this curve", material, point.fingerprint())
    }

    pub(crate) fn ed25519(alg: Alg, x: &[u8]) -> Result<Self, Misfit> {
        let material = Material::Ed25519(Box::new(ed25519::VerifyingKey::from_bytes(x)?));
        Self::public(alg, Family::Ed25519, "an Ed25519 key", material, Fingerprint::of(&[x]))
    }

    pub(crate) fn rsa(alg: Alg, n: &[u8], e: &[u8]) -> Result<Self, Misfit> {
        // RFC 7518 §6.3.1.1 has no zero octets in front, and some libraries write them all the
        // same. The number is the same one.
        let begin = n.iter().position(|byte| *byte != 0).unwrap_or_default();
        let n = n.get(begin..).unwrap_or_default();
        let material = Material::Rsa(RsaPublicKey::from_components(n, e)?);
        Self::public(alg, Family::Rsa, "an RSA key", material, Fingerprint::of(&[n]))
    }

    #[cfg(feature = "ml-dsa")]
    pub(crate) fn ml_dsa(alg: Alg, key: &[u8]) -> Result<Self, Misfit> {
        let material = match alg {
            Alg::MlDsa44 => Material::MlDsa44(ml_dsa::VerifyingKey::from_bytes(key)?),
            Alg::MlDsa65 => Material::MlDsa65(ml_dsa::VerifyingKey::from_bytes(key)?),
            Alg::MlDsa87 => Material::MlDsa87(ml_dsa::VerifyingKey::from_bytes(key)?),
            _ => return Err(Misfit::alg(alg, "an ML-DSA key")),
        };
        Ok(VerificationKey { alg, material, fingerprint: Fingerprint::of(&[key]) })
    }

    fn public(
        alg: Alg,
        family: Family,
        name: &str,
        material: Material,
        fingerprint: Fingerprint,
    ) -> Result<Self, Misfit> {
        if alg.family() != family {
            return Err(Misfit::alg(alg, name));
        }
        Ok(VerificationKey { alg, material, fingerprint })
    }

    fn spki(alg: Alg, der: &[u8]) -> Result<Self, Misfit> {
        Self::of(alg, spki::read(der).map_err(|reason| KeyDefect::new("x5c", reason))?)
    }

    pub(crate) fn of(alg: Alg, key: PublicKey<'_>) -> Result<Self, Misfit> {
        match key {
            PublicKey::Ec(curve, point) => Self::ec(alg, curve, EcPoint::Uncompressed(point)),
            PublicKey::Ed25519(x) => Self::ed25519(alg, x),
            PublicKey::Rsa(n, e) => Self::rsa(alg, n, e),
            #[cfg(feature = "ml-dsa")]
            PublicKey::MlDsa(named, key) if named == alg => Self::ml_dsa(alg, key),
            #[cfg(feature = "ml-dsa")]
            PublicKey::MlDsa(named, _) => Err(Misfit::alg(alg, &format!("an {named} key"))),
        }
    }
}

impl core::fmt::Debug for VerificationKey {
    /// Names the algorithm and never the material: an HMAC key is a secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("VerificationKey").field("alg", &self.alg).finish_non_exhaustive()
    }
}

/// The two ways in which a point comes.
pub(crate) enum EcPoint<'k> {
    /// Both coordinates (RFC 7518 §6.2.1).
    Coordinates(&'k [u8], &'k [u8]),
    /// The byte 4 and both coordinates (SEC 1 §2.3.3).
    Uncompressed(&'k [u8]),
}

/// What is asked of keys where there are lists of revocations.
#[cfg(feature = "revocation")]
impl VerificationKey {
    /// Is it the same key, whatever algorithm each is for?
    pub(crate) fn is(&self, other: &VerificationKey) -> bool {
        self.fingerprint == other.fingerprint
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.alg.family() == Family::Secret
    }
}

#[cfg(feature = "revocation")]
mod fingerprint {
    use crate::engine::hash::Hash;

    /// Tells a key from every other, in whatever form it came.
    #[derive(PartialEq, Eq)]
    pub(super) struct Fingerprint([u8; 64]);

    impl Fingerprint {
        pub(super) fn of(parts: &[&[u8]]) -> Self {
            Fingerprint(*Hash::Sha256.of(parts).padded())
        }
    }
}

#[cfg(not(feature = "revocation"))]
mod fingerprint {
    /// Nothing: nobody compares keys.
    pub(super) struct Fingerprint;

    impl Fingerprint {
        pub(super) fn of(_: &[&[u8]]) -> Self {
            Fingerprint
        }
    }
}

impl EcPoint<'_> {
    /// The same for both forms.
    fn fingerprint(&self) -> Fingerprint {
        match self {
            EcPoint::Coordinates(x, y) => Fingerprint::of(&[&[4], x, y]),
            EcPoint::Uncompressed(point) => Fingerprint::of(&[point]),
        }
    }

    fn key<C: Curve<L>, const L: usize>(&self) -> Result<Box<EcdsaKey<C, L>>, KeyDefect> {
        let key = match self {
            EcPoint::Coordinates(x, y) => EcdsaKey::from_coordinates(x, y),
            EcPoint::Uncompressed(point) => EcdsaKey::from_point(point),
        };
        key.map(Box::new)
    }
}

/// The algorithm does not fit the key, or the key is no good.
#[derive(Debug)]
pub(crate) enum Misfit {
    Alg(PolicyError),
    Key(KeyDefect),
}

impl Misfit {
    /// The mistake, where the key stands as one member.
    fn at(self, member: &str) -> PolicyError {
        match self {
            Misfit::Alg(error) => error,
            Misfit::Key(defect) => PolicyError::at(member, defect.reason),
        }
    }

    pub(super) fn alg(alg: Alg, key: &str) -> Self {
        Misfit::Alg(PolicyError::at("alg", [alg.name(), " does not work with ", key].concat()))
    }
}

impl From<KeyDefect> for Misfit {
    fn from(defect: KeyDefect) -> Self {
        Misfit::Key(defect)
    }
}
