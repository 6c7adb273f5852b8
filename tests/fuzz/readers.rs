//! What the fuzz targets about texts do: policies, challenges, URLs and paths, keys. None of them
//! panics, and what is read is what was written.

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use portcullis::{
    Alg, Gate, Policy, UnixSeconds, VerificationKey,
    internals::jwk,
    internals::uri::{PathPattern, Url, normal_path},
};
use serde_json::{Value, json};

use super::Input;

/// Policies of the vectors, as texts.
static POLICIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let texts = [
        include_str!("../vectors/policy/policy.json"),
        include_str!("../vectors/gate/gate-binding.json"),
        include_str!("../vectors/gate/gate-requests.json"),
        include_str!("../vectors/policy/presets.json"),
    ];
    let files = texts.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let policies = files.iter().flat_map(|file| file["policies"].as_object().unwrap().values());
    policies.map(Value::to_string).collect()
});

/// The policy reader: any text, and policies of the vectors with a few bytes changed. An error
/// says where, and a gate's policy is one.
pub(crate) fn policy(data: &[u8]) {
    let read = |text: &str| {
        let policy = Policy::from_json(text).map_err(|error| {
            assert!(error.pointer().is_empty() || error.pointer().starts_with('/'), "{error}");
            assert!(!error.reason().is_empty());
        });
        if Gate::from_json(text).is_ok() {
            assert!(policy.is_ok(), "{text}");
        }
        if let Ok(policy) = policy {
            // Where a resolver tells all tenants, there is none before one is asked about.
            assert!(policy.issuer_name(0).is_none_or(|name| !name.is_empty()));
        }
    };
    let mut input = Input(data);
    let which = usize::from(input.byte());
    read(&String::from_utf8_lossy(input.0));
    let mut changed = POLICIES[which % POLICIES.len()].clone().into_bytes();
    input.mutate(&mut changed);
    read(&String::from_utf8_lossy(&changed));
}

/// The challenges that a refused request is told: whatever realm and scopes a policy names, they
/// are read again as they were.
pub(crate) fn challenge(data: &[u8]) {
    let mut input = Input(data);
    let (mode, length) = (input.byte(), usize::from(input.byte()));
    let realm = String::from_utf8_lossy(&input.take(length)).into_owned();
    let scope = String::from_utf8_lossy(input.0).into_owned();
    let requirement = match mode % 3 {
        0 => json!({ "scopes": [scope] }),
        1 => json!({ "acr": [scope], "maxAuthAge": mode }),
        _ => json!({ "binding": "dpop" }),
    };
    let policy = json!({
        "issuers": [{ "issuer": "https://i", "audience": "a", "keys": [{ "alg": "HS256", "secret": { "base64url": SECRET } }] }],
        "gate": { "realm": realm, "requirement": requirement },
    });
    let Ok(gate) = Gate::from_json(&policy.to_string()) else { return };
    let authorization = match mode / 3 % 3 {
        0 => None,
        1 => Some("Bearer x"),
        _ => Some(TOKEN.as_str()),
    };
    let headers: Vec<_> = authorization.iter().map(|value| json!(["authorization", value])).collect();
    let facts = json!({ "method": "GET", "url": "https://api.example/", "headers": headers });
    let step = gate.decide_json(&facts.to_string(), UnixSeconds::new(1_800_000_000).unwrap());
    let step: Value = serde_json::from_str(&step).expect("a step is JSON");
    for told in step["challenges"].as_array().into_iter().flatten() {
        let told = told.as_str().unwrap();
        let parameters = parameters(told).unwrap_or_else(|| panic!("{told}"));
        assert_eq!(parameters[0], ("realm".to_owned(), realm.clone()), "{told}");
        if step["code"] == "scope-insufficient" {
            assert!(parameters.contains(&("scope".to_owned(), scope.clone())), "{told}");
        }
    }
}

/// The parameters of one challenge, by the strict grammar of RFC 9110 §11.2 and §5.6.4 with all
/// values quoted.
fn parameters(challenge: &str) -> Option<Vec<(String, String)>> {
    let (scheme, mut rest) = challenge.split_once(' ')?;
    if scheme != "Bearer" && scheme != "DPoP" {
        return None;
    }
    let mut found = Vec::new();
    loop {
        let (name, value) = rest.split_once("=\"")?;
        let is_token = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let mut text = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => text.push(characters.next()?.1),
                (_, plain) if plain == ' ' || plain.is_ascii_graphic() => text.push(plain),
                _ => return None,
            }
        };
        found.push((name.to_owned(), text));
        rest = value.get(end..)?;
        match rest.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(found),
        }
    }
}

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A good token under that secret, without any scope.
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    use jwt_compact::{Algorithm, AlgorithmSignature};
    let parts = [r#"{"alg":"HS256","typ":"at+jwt"}"#, r#"{"iss":"https://i","aud":"a","exp":1800000009}"#];
    let text = parts.map(|part| Base64UrlUnpadded::encode_string(part.as_bytes())).join(".");
    let secret: [u8; 32] = core::array::from_fn(|i| i as u8);
    let tag = jwt_compact::alg::Hs256.sign(&jwt_compact::alg::Hs256Key::new(secret), text.as_bytes());
    format!("Bearer {text}.{}", Base64UrlUnpadded::encode_string(&tag.as_bytes()))
});

/// URLs, and paths against patterns: what is in its normal form stays in it, and a pattern covers
/// a path in any spelling of the same.
pub(crate) fn url(data: &[u8]) {
    let mut input = Input(data);
    let length = usize::from(input.byte());
    let first = String::from_utf8_lossy(&input.take(length)).into_owned();
    let second = String::from_utf8_lossy(input.0).into_owned();
    // A percent sign that begins no escape stands for itself, and may begin one once what follows
    // it is decoded.
    let is_escape = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let has_stray_percent = |text: &str| text.split('%').skip(1).any(|after| !is_escape(after));
    for text in [&first, &second].into_iter().filter(|text| !has_stray_percent(text)) {
        if let Some(url) = Url::parse(text) {
            let normal = url.without_query();
            let again = Url::parse(&normal).unwrap_or_else(|| panic!("{text}: {normal}"));
            assert_eq!(again.without_query(), normal, "{text}");
            assert_eq!(again.is_loopback(), url.is_loopback(), "{text}");
        }
        let normal = normal_path(text);
        assert_eq!(normal_path(&normal), normal, "{text}");
    }
    if let Ok(pattern) = PathPattern::parse(&first) {
        let _ = pattern.matches(&second);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte);
        let literal = first.bytes().all(plain) && normal_path(&first) == first;
        assert!(!literal || pattern.matches(&first), "{first}");
    }
}

const SPKI: [(Alg, &str); 3] = [
    (
        Alg::Es256,
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li_hp_m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q",
    ),
    (Alg::EdDsa, "MCowBQYDK2VwAyEA11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    (
        Alg::Es256k,
        "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEeb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5hIOtp3JqPEZV2k-_wOEQio_Re0SKaFVBmcR9CP-xDUuA",
    ),
];

/// Keys from JWK, SPKI and PEM: none panics, a P-256 key in DER is one for RustCrypto too, and PEM
/// is DER.
pub(crate) fn key(data: &[u8]) {
    use p256::pkcs8::DecodePublicKey;
    let mut input = Input(data);
    let mode = input.byte();
    let text = String::from_utf8_lossy(input.0);
    if let Ok(named) = jwk::parse(&text) {
        assert!(Alg::ALL.contains(&named.key.alg()));
    }
    let alg = Alg::ALL[usize::from(mode) % Alg::ALL.len()];
    let _ = VerificationKey::from_pem(alg, &text);
    let _ = VerificationKey::from_secret(alg, input.0);
    let (alg, good) = SPKI[usize::from(mode) % SPKI.len()];
    let mut der = Base64UrlUnpadded::decode_vec(good).unwrap();
    assert!(VerificationKey::from_spki_der(alg, &der).is_ok());
    if mode < 128 {
        input.mutate(&mut der);
    } else {
        der = input.0.to_vec();
    }
    let ours = VerificationKey::from_spki_der(alg, &der).is_ok();
    if ours && alg == Alg::Es256 {
        assert!(p256::PublicKey::from_public_key_der(&der).is_ok(), "{der:02x?}");
    }
    let lines: Vec<String> = base64ct::Base64::encode_string(&der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    assert_eq!(VerificationKey::from_pem(alg, &pem).is_ok(), ours, "{pem}");
}
