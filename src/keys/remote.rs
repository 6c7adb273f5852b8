//! Keys that an issuer publishes (RFC 7517 §5): one that is no good is left out and does not take
//! the others with it.

use crate::{
    alg::{Alg, Family},
    document,
    engine::hash::Hash,
    json::{Object, Value},
    keys::jwk::{self, NamedKey, Unusable},
    limits::Limits,
    policy_error::PolicyError,
    rejection::excerpt,
};

/// More keys than this, usable or not, are no set of one issuer's: every token is looked up among
/// them.
pub(crate) const MOST_KEYS: usize = 256;

/// How many keys of one algorithm may have no `kid`: the old and the new one. They fit tokens of
/// other issuers as well, which one issuer must not be able to drown in candidates.
const MOST_UNNAMED: usize = 2;

/// What came of a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReport {
    /// Whether other keys are used than before. An answer that was given by the former keys then
    /// counts no more.
    pub changed: bool,
    /// The keys of the set that are used.
    pub keys: Vec<ReportedKey>,
    /// The keys of the set that are not, and why.
    pub left_out: Vec<LeftOut>,
}

/// A key that is used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ReportedKey {
    /// Its identifier.
    pub kid: Option<String>,
    /// Its algorithm.
    pub alg: Alg,
}

/// A key that is not used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Its identifier, cut at 200 characters.
    pub kid: Option<String>,
    /// Why, by the member at fault.
    pub reason: String,
}

impl LeftOut {
    pub(crate) fn new(kid: Option<&str>, reason: &PolicyError) -> Self {
        LeftOut { kid: kid.map(excerpt), reason: excerpt(&reason.text()) }
    }
}

/// A key out of a published set.
#[derive(Debug)]
pub(crate) struct RemoteKey {
    pub(crate) named: NamedKey,
    pub(crate) fingerprint: Fingerprint,
}

/// What tells a key from every other (not its `kid`, which the issuer may give to another).
pub(crate) type Fingerprint = [u8; 64];

/// Reads a JWK Set that was fetched. `accepted` as for [`jwk::read`].
///
/// # Errors
/// Text that is no JWK Set, or has more than [`MOST_KEYS`] keys. That no key of it is usable is
/// for the caller to judge.
pub(crate) fn read(text: &str, accepted: Option<&[Alg]>) -> Result<(Vec<RemoteKey>, Vec<LeftOut>), PolicyError> {
    let document =
        document::parse_within(text, &Limits::FETCHED).map_err(|error| match text.trim_start().as_bytes() {
            [0xef, 0xbb, 0xbf, ..] => {
                PolicyError::here("begins with a byte order mark, which JSON must not have (RFC 8259)")
            }
            [b'<', ..] => {
                PolicyError::here("is HTML or XML, and not a JWK Set; use the jwks_uri of the issuer's metadata")
            }
            _ => error,
        })?;
    let items = match document.get("keys") {
        Some(Value::Array(items)) => items,
        Some(_) => return Err(PolicyError::at("keys", "must be an array")),
        None => return Err(PolicyError::at("keys", "is required")),
    };
    if items.len() > MOST_KEYS {
        return Err(PolicyError::at("keys", "has too many keys"));
    }
    let mut keys: Vec<RemoteKey> = Vec::new();
    let mut left_out = Vec::new();
    for item in items {
        let (kid, key) = match item {
            Value::Object(jwk) => (jwk.get("kid").and_then(Value::as_str), one(jwk, accepted, &keys)),
            _ => (None, Err(PolicyError::here("must be an object"))),
        };
        match key {
            Ok(key) => keys.push(key),
            Err(reason) => left_out.push(LeftOut::new(kid, &reason)),
        }
    }
    Ok((keys, left_out))
}

fn one(jwk: &Object<'_>, accepted: Option<&[Alg]>, before: &[RemoteKey]) -> Result<RemoteKey, PolicyError> {
    let named = jwk::read(jwk, accepted)?.map_err(|Unusable(reason)| reason)?;
    let alg = named.key.alg();
    // A secret that is published is none.
    if alg.family() == Family::Secret {
        return Err(PolicyError::at("kty", "must not be oct: published keys must be public"));
    }
    let alike = before.iter().filter(|other| other.named.kid == named.kid && other.named.key.alg() == alg).count();
    if named.kid.is_some() && alike > 0 {
        return Err(PolicyError::at("kid", "is not unique among the keys of this algorithm"));
    }
    if alike >= MOST_UNNAMED {
        return Err(PolicyError::at("kid", "is required: two keys of this algorithm have none"));
    }
    Ok(RemoteKey { named, fingerprint: fingerprint(jwk, alg) })
}

/// The members of which a public key consists (RFC 7638 §3.2), with its algorithm.
fn fingerprint(jwk: &Object<'_>, alg: Alg) -> Fingerprint {
    // base64url has no NUL, so that none of these runs into the next.
    let mut parts = [b"\0".as_slice(); 15];
    let texts =
        ["crv", "x", "y", "n", "e", "pub"].map(|member| jwk.get(member).and_then(Value::as_str).unwrap_or_default());
    // Where the key is taken from a certificate, that is what tells it from another, whatever
    // stands beside it.
    let texts = texts.into_iter().chain(jwk::certificate_of_key(jwk));
    for (part, text) in parts.iter_mut().step_by(2).zip([alg.name()].into_iter().chain(texts)) {
        *part = text.as_bytes();
    }
    *Hash::Sha256.of(&parts).padded()
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037 appendix A.2

    #[test]
    fn a_certificate_tells_keys_apart_whatever_stands_beside_it() {
        let of = |text: &str| {
            let jwk = crate::json::read_object(text.as_bytes(), &Limits::DOCUMENT).unwrap();
            fingerprint(&jwk, Alg::Es256)
        };
        for beside in ["", r#""crv":"P-256","#, r#""e":"AQAB","#, r#""y":"","#] {
            let [one, other] = ["QQ==", "Qg=="].map(|x5c| of(&format!(r#"{{{beside}"x5c":["{x5c}"]}}"#)));
            assert_ne!(one, other, "{beside}");
        }
        // Where the key is written out, its certificate may be renewed.
        let [one, other] = ["QQ==", "Qg=="].map(|x5c| of(&format!(r#"{{"x":"{X}","x5c":["{x5c}"]}}"#)));
        assert_eq!(one, other);
    }

    fn key(more: &str) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"{more}}}"#)
    }

    fn reasons(keys: &[String], accepted: Option<&[Alg]>) -> (usize, Vec<String>) {
        let (keys, left_out) = read(&format!(r#"{{"keys":[{}]}}"#, keys.join(",")), accepted).unwrap();
        (keys.len(), left_out.into_iter().map(|key| key.reason.split(':').next().unwrap().to_owned()).collect())
    }

    #[test]
    fn one_bad_key_does_not_take_the_good_ones_down() {
        let bad = [
            key(r#","d":"AA""#),
            key(r#","use":"enc""#),
            key(r#","alg":"ES256""#),
            key(r#","kid":1"#),
            r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(),
            r#"{"kty":"RSA","n":"AA","e":"AQAB","alg":"RS256"}"#.to_owned(),
            r#"{"kty":"RSA","n":"AA","e":"AQAB"}"#.to_owned(),
            r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","alg":"HS256"}"#.to_owned(),
            r#"{"kty":"NEW"}"#.to_owned(),
            "{}".to_owned(),
            "7".to_owned(),
        ];
        let keys: Vec<String> = bad.into_iter().chain([key(r#","kid":"a""#)]).collect();
        let expected = ["/d", "/use", "/alg", "/kid", "/x", "/n", "/alg", "/kty", "/kty", "/kty", ""];
        assert_eq!(reasons(&keys, None), (1, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_set_names_each_key_once_and_has_few_without_a_name() {
        let named = [key(r#","kid":"a""#), key(r#","kid":"a""#), key(r#","kid":"b""#)];
        assert_eq!(reasons(&named, None), (2, vec!["/kid".to_owned()]));
        assert_eq!(reasons(&[key(""), key(""), key("")], None), (2, vec!["/kid".to_owned()]));
        assert_eq!(reasons(&[key("")], Some(&[Alg::Es256])), (0, vec!["/kty".to_owned()]));
    }

    #[test]
    fn what_is_no_set_is_refused_whole() {
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; MOST_KEYS + 1].join(","));
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, &many, "<html>"] {
            assert!(read(text, None).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn a_page_and_a_byte_order_mark_are_called_so() {
        let reason = |text: &str| read(text, None).unwrap_err().reason().to_owned();
        assert!(reason(" \n<!doctype html>").contains("HTML"));
        assert!(reason("\u{feff}{\"keys\":[]}").contains("byte order mark"));
        assert_eq!(reason("keys"), "is not a JSON object");
    }

    #[test]
    fn what_an_issuer_wrote_is_cut() {
        let long = "k".repeat(1000);
        let (_, left_out) = read(&format!(r#"{{"keys":[{{"kty":"{long}","kid":"{long}"}}]}}"#), None).unwrap();
        assert_eq!(left_out[0].kid.as_ref().map(String::len), Some(200));
        assert_eq!(left_out[0].reason.len(), 200);
    }
}
