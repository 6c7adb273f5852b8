//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2) and sets of them.

use crate::{
    alg::{Alg, Family},
    base64url, document,
    json::{Object, Value},
    keys::{
        import::{EcPoint, Misfit, VerificationKey},
        spki::{self, PublicKey},
    },
    policy_error::PolicyError,
    text::joined,
};

/// Members that only a private key has (RFC 7518 §6.2.2 and §6.3.2, RFC 9964; `seed` in its
/// drafts). A verifier that is handed one has been handed a secret by mistake.
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", "seed"];

/// Members that a public key consists of, or a secret.
const MATERIAL: [&str; 4] = ["n", "x", "k", "pub"];

/// A key out of a JWK, with the `kid` it goes by.
#[derive(Debug)]
pub struct NamedKey {
    /// The key's identifier, when it has one.
    pub kid: Option<String>,
    /// The key.
    pub key: VerificationKey,
}

/// Reads one JWK from its JSON text.
///
/// A JWK without `alg` gets the one algorithm its curve has; an RSA key or a secret without `alg`
/// could serve several, and is refused.
///
/// # Errors
/// Anything that is not a usable public key or HMAC secret, at the member at fault.
pub fn parse(text: &str) -> Result<NamedKey, PolicyError> {
    read(&document::parse(text)?, None)?.map_err(|Unusable(reason)| reason)
}

/// Why a well-formed JWK is of no use here: its kind, use or algorithm is not supported. A set
/// leaves such keys out (RFC 7517 §5).
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) PolicyError);

/// Reads one JWK. `accepted` are the algorithms of its issuer, if the policy names them; they
/// settle the algorithm of a JWK without `alg`.
pub(crate) fn read(jwk: &Object<'_>, accepted: Option<&[Alg]>) -> Result<Result<NamedKey, Unusable>, PolicyError> {
    let kty = jwk.required_string("kty")?;
    refuse_private(jwk, kty)?;
    let kid = jwk.string("kid")?.map(str::to_owned);
    let unusable = |member: &str, reason: String| Ok(Err(Unusable(PolicyError::at(member, reason))));

    if let Some(used_for) = jwk.string("use")?.filter(|used_for| *used_for != "sig") {
        return unusable("use", ["must be \"sig\" and is \"", used_for, "\""].concat());
    }
    if let Some(operations) = jwk.strings("key_ops")?.filter(|operations| !operations.iter().any(|op| op == "verify")) {
        return unusable("key_ops", ["must have \"verify\" and has ", &joined(&operations, ", ")].concat());
    }
    let certified = certified(jwk)?;
    let public = certified.as_deref().map(spki::read).transpose().map_err(|reason| PolicyError::at("x5c", reason))?;
    let family = match (kty, jwk.string("crv")?) {
        ("EC" | "RSA" | "OKP", None) if let Some(public) = &public => match (kty, public) {
            ("EC", PublicKey::Ec(family, _)) => *family,
            ("RSA", PublicKey::Rsa(..)) => Family::Rsa,
            ("OKP", PublicKey::Ed25519(_)) => Family::Ed25519,
            _ => return Err(PolicyError::at("x5c", "holds a key of another type than kty says")),
        },
        ("oct", _) => Family::Secret,
        ("RSA", _) => Family::Rsa,
        ("EC", Some("P-256")) => Family::P256,
        ("EC", Some("P-384")) => Family::P384,
        ("EC", Some("P-521")) => Family::P521,
        ("EC", Some("secp256k1")) => Family::Secp256k1,
        ("OKP", Some("Ed25519")) => Family::Ed25519,
        #[cfg(feature = "ml-dsa")]
        ("AKP", _) if jwk.get("alg").is_none() => {
            return Err(PolicyError::at("alg", "is required in a key of this type (RFC 9964)"));
        }
        #[cfg(feature = "ml-dsa")]
        ("AKP", _) => Family::MlDsa,
        ("EC" | "OKP", None) => return Err(PolicyError::at("crv", "is required")),
        ("EC" | "OKP", Some(crv)) => return unusable("crv", unsupported(crv)),
        _ => return unusable("kty", unsupported(kty)),
    };
    let alg = match jwk.string("alg")? {
        Some(name) => match Alg::from_name(name) {
            Some(alg) => alg,
            None => return unusable("alg", unsupported(name)),
        },
        None => match fitting(family, accepted).as_slice() {
            [alg] => *alg,
            [] => return unusable("kty", "fits none of the issuer's algorithms".to_owned()),
            _ => {
                return Err(PolicyError::at(
                    "alg",
                    "is required: several algorithms fit this key. Name one here or in the issuer's \"algorithms\"",
                ));
            }
        },
    };
    if accepted.is_some_and(|accepted| !accepted.contains(&alg)) {
        return unusable("alg", [alg.name(), " is not among the issuer's algorithms"].concat());
    }
    let key = match public {
        None => import(jwk, family, alg),
        Some(public) => VerificationKey::of(alg, public),
    };
    let key = key.map_err(|misfit| match misfit {
        Misfit::Alg(error) => error,
        Misfit::Key(defect) => PolicyError::at(defect.component, defect.reason),
    })?;
    Ok(Ok(NamedKey { kid, key }))
}

/// The SubjectPublicKeyInfo of the certificate (RFC 7517 §4.7) that a JWK has in place of the
/// members of a key. Nothing else of it is judged: that it stands in the set is what makes it the
/// issuer's.
fn certified(jwk: &Object<'_>) -> Result<Option<Vec<u8>>, PolicyError> {
    let Some(text) = certificate_of_key(jwk) else { return Ok(None) };
    let der = base64url::decode_standard(text);
    let key = der.as_deref().and_then(spki::of_certificate).map(<[u8]>::to_vec);
    key.map(Some)
        .ok_or_else(|| PolicyError::at("x5c", "must begin with a certificate in base64 (RFC 7517 section 4.7)"))
}

/// The certificate that a JWK's key is taken from, the first of `x5c`, where the key is not
/// written out beside it.
pub(crate) fn certificate_of_key<'o>(jwk: &'o Object<'_>) -> Option<&'o str> {
    match jwk.get("x5c") {
        Some(Value::Array(chain)) if MATERIAL.iter().all(|member| jwk.get(member).is_none()) => {
            chain.first().and_then(Value::as_str)
        }
        _ => None,
    }
}

fn unsupported(name: &str) -> String {
    ["\"", name, "\" is not supported"].concat()
}

fn refuse_private(jwk: &Object<'_>, kty: &str) -> Result<(), PolicyError> {
    let private = PRIVATE.into_iter().find(|member| jwk.get(member).is_some());
    match private.or_else(|| (kty != "oct" && jwk.get("k").is_some()).then_some("k")) {
        None => Ok(()),
        Some(member) => Err(PolicyError::at(member, "is private key material; write the public key only")),
    }
}

fn fitting(family: Family, accepted: Option<&[Alg]>) -> Vec<Alg> {
    accepted.unwrap_or(&Alg::ALL).iter().copied().filter(|alg| alg.family() == family).collect()
}

fn import(jwk: &Object<'_>, family: Family, alg: Alg) -> Result<VerificationKey, Misfit> {
    let bytes = |member: &str| -> Result<Vec<u8>, Misfit> {
        let text = jwk.string(member).map_err(Misfit::Alg)?;
        let text = text.ok_or_else(|| Misfit::Alg(PolicyError::at(member, "is required")))?;
        base64url::decode(text).ok_or_else(|| Misfit::Alg(PolicyError::at(member, "must be base64url without padding")))
    };
    if alg.family() != family {
        return Err(Misfit::alg(alg, "this kind of key"));
    }
    match family {
        Family::Secret => VerificationKey::secret(alg, &bytes("k")?),
        Family::P256 | Family::P384 | Family::P521 | Family::Secp256k1 => {
            VerificationKey::ec(alg, family, EcPoint::Coordinates(&bytes("x")?, &bytes("y")?))
        }
        Family::Ed25519 => VerificationKey::ed25519(alg, &bytes("x")?),
        Family::Rsa => VerificationKey::rsa(alg, &bytes("n")?, &bytes("e")?),
        #[cfg(feature = "ml-dsa")]
        Family::MlDsa => VerificationKey::ml_dsa(alg, &bytes("pub")?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#; // RFC 8037 appendix A.2

    fn pointer(jwk: &str) -> String {
        parse(jwk).unwrap_err().pointer().to_owned()
    }

    #[test]
    fn the_curve_settles_the_algorithm() {
        let named = parse(&format!("{{{ED25519},\"kid\":\"a\"}}")).unwrap();
        assert_eq!((named.key.alg(), named.kid.as_deref()), (Alg::EdDsa, Some("a")));
    }

    #[test]
    fn private_members_are_refused_by_name() {
        for member in PRIVATE.into_iter().chain(["k"]) {
            assert_eq!(pointer(&format!("{{{ED25519},\"{member}\":\"AA\"}}")), format!("/{member}"));
        }
    }

    #[test]
    fn an_error_names_the_member_at_fault() {
        assert_eq!(pointer("{}"), "/kty");
        assert_eq!(pointer(r#"{"kty":"oct","k":"AA"}"#), "/alg");
        assert_eq!(pointer(r#"{"kty":"oct","k":"AA","alg":"HS256"}"#), "/k");
        assert_eq!(pointer(r#"{"kty":"RSA","n":"AA","e":"AQAB","alg":"HS256"}"#), "/alg");
        assert_eq!(pointer(r#"{"kty":"RSA","n":"AA","e":"AQ","alg":"RS256"}"#), "/e");
        assert_eq!(pointer(r#"{"kty":"EC","crv":"P-224","x":"AA","y":"AA"}"#), "/crv");
        assert_eq!(pointer(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"A="}"#), "/y");
        assert_eq!(pointer(&format!("{{{ED25519},\"use\":\"enc\"}}")), "/use");
        assert_eq!(pointer(&format!("{{{ED25519},\"key_ops\":[\"sign\"]}}")), "/key_ops");
        assert_eq!(pointer(&format!("{{{ED25519},\"alg\":\"ES256\"}}")), "/alg");
    }
}
