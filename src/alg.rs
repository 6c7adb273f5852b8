//! The signature algorithms, as a closed table.

use core::fmt;

/// A JWS `alg` that this crate can verify (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9964).
///
/// There is no variant for `none`: what cannot be written cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alg {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// ECDSA on secp256k1 with SHA-256 (RFC 8812 §3.2).
    Es256k,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    Ps512,
    /// ML-DSA-44 (FIPS 204).
    #[cfg(feature = "ml-dsa")]
    MlDsa44,
    /// ML-DSA-65.
    #[cfg(feature = "ml-dsa")]
    MlDsa65,
    /// ML-DSA-87.
    #[cfg(feature = "ml-dsa")]
    MlDsa87,
}

impl Alg {
    /// Every algorithm, in the order of the JOSE registry.
    pub const ALL: [Alg; if cfg!(feature = "ml-dsa") { 17 } else { 14 }] = [
        Alg::Hs256,
        Alg::Hs384,
        Alg::Hs512,
        Alg::Es256,
        Alg::Es384,
        Alg::Es512,
        Alg::Es256k,
        Alg::EdDsa,
        Alg::Rs256,
        Alg::Rs384,
        Alg::Rs512,
        Alg::Ps256,
        Alg::Ps384,
        Alg::Ps512,
        #[cfg(feature = "ml-dsa")]
        Alg::MlDsa44,
        #[cfg(feature = "ml-dsa")]
        Alg::MlDsa65,
        #[cfg(feature = "ml-dsa")]
        Alg::MlDsa87,
    ];

    /// The registered name, byte for byte.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Alg::Hs256 => "HS256",
            Alg::Hs384 => "HS384",
            Alg::Hs512 => "HS512",
            Alg::Es256 => "ES256",
            Alg::Es384 => "ES384",
            Alg::Es512 => "ES512",
            Alg::Es256k => "ES256K",
            Alg::EdDsa => "EdDSA",
            Alg::Rs256 => "RS256",
            Alg::Rs384 => "RS384",
            Alg::Rs512 => "RS512",
            Alg::Ps256 => "PS256",
            Alg::Ps384 => "PS384",
            Alg::Ps512 => "PS512",
            #[cfg(feature = "ml-dsa")]
            Alg::MlDsa44 => "ML-DSA-44",
            #[cfg(feature = "ml-dsa")]
            Alg::MlDsa65 => "ML-DSA-65",
            #[cfg(feature = "ml-dsa")]
            Alg::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The algorithm of that name; names are case-sensitive (RFC 7515 §4.1.1).
    ///
    /// `Ed25519` is the fully specified name of the same algorithm (RFC 9864 §2.2).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Alg> {
        match name {
            "Ed25519" => Some(Alg::EdDsa),
            _ => Alg::ALL.into_iter().find(|alg| alg.name() == name),
        }
    }

    /// The family of keys the algorithm works with, which is what keeps an RSA key from ever
    /// serving as an HMAC secret.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => Family::Secret,
            Alg::Es256 => Family::P256,
            Alg::Es384 => Family::P384,
            Alg::Es512 => Family::P521,
            Alg::Es256k => Family::Secp256k1,
            Alg::EdDsa => Family::Ed25519,
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => Family::Rsa,
            #[cfg(feature = "ml-dsa")]
            Alg::MlDsa44 | Alg::MlDsa65 | Alg::MlDsa87 => Family::MlDsa,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl serde::Serialize for Alg {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A family of keys: the `kty`, and the `crv` where it has one (RFC 7518 §6.1, RFC 8037 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `oct`: bytes for HMAC.
    Secret,
    /// `EC` with `crv` `P-256`.
    P256,
    /// `EC` with `crv` `P-384`.
    P384,
    /// `EC` with `crv` `P-521`.
    P521,
    /// `EC` with `crv` `secp256k1` (RFC 8812 §3.1).
    Secp256k1,
    /// `OKP` with `crv` `Ed25519`.
    Ed25519,
    /// `RSA`.
    Rsa,
    /// `AKP`, whose `alg` says the rest (RFC 9964).
    #[cfg(feature = "ml-dsa")]
    MlDsa,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_case_sensitive() {
        for alg in Alg::ALL {
            assert_eq!(Alg::from_name(alg.name()), Some(alg));
            assert_eq!(Alg::from_name(&alg.name().to_ascii_lowercase()), None);
        }
        assert_eq!(Alg::from_name("Ed25519"), Some(Alg::EdDsa));
    }

    #[test]
    fn none_has_no_representation() {
        for name in ["none", "None", "NONE", "nOnE", ""] {
            assert_eq!(Alg::from_name(name), None);
        }
    }
}
