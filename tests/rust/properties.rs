//! Properties over bytes that nobody wrote on purpose.

use std::sync::OnceLock;

use portcullis::{
    Limits, PolicyError, UnixSeconds, UnverifiedToken, VerificationKey, Verifier, decode_unverified,
    internals::base64url, internals::jwk,
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

const NOW: u64 = 1_700_000_000;

fn now() -> UnixSeconds {
    UnixSeconds::new(NOW).unwrap()
}

/// Signed tokens that a verifier accepts, one an algorithm, from the checked-in vectors.
fn accepted() -> &'static [(Verifier, String, UnixSeconds)] {
    static ACCEPTED: OnceLock<Vec<(Verifier, String, UnixSeconds)>> = OnceLock::new();
    ACCEPTED.get_or_init(|| {
        let text = include_str!("../vectors/jws/algorithms.json");
        let file: Value = serde_json::from_str(text).unwrap();
        let mut found: Vec<(String, Verifier, String, UnixSeconds)> = Vec::new();
        for vector in file["vectors"].as_array().unwrap() {
            let (Some("verify"), Some(token), Value::Bool(true)) =
                (vector["kind"].as_str(), vector["token"].as_str(), &vector["expect"]["ok"])
            else {
                continue;
            };
            let policy = vector["policy"].as_str().map_or(&vector["policy"], |name| &file["policies"][name]);
            let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
            let alg = serde_json::from_slice::<Value>(&header).unwrap()["alg"].to_string();
            if found.iter().all(|(other, ..)| *other != alg) {
                let verifier = Verifier::from_json(&policy.to_string()).unwrap();
                let now = UnixSeconds::new(vector["now"].as_u64().unwrap()).unwrap();
                assert!(verifier.verify(token, now).is_ok(), "{}", vector["id"]);
                found.push((alg, verifier, token.to_owned(), now));
            }
        }
        assert!(found.len() >= 11, "an accepted token for each algorithm");
        found.into_iter().map(|(_, verifier, token, now)| (verifier, token, now)).collect()
    })
}

fn verifiers() -> impl Iterator<Item = &'static Verifier> {
    accepted().iter().map(|(verifier, ..)| verifier)
}

/// Text that looks like a token in places.
fn token_like() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        "[A-Za-z0-9_-]{0,60}",
        r#"\{"(alg|typ|kid|crit|exp|aud)":("HS256"|"none"|\[\]|1|null|\{"a":[0-9]{1,20}\})\}"#
            .prop_map(|json| base64url::encode(json.as_bytes())),
        vec(any::<u8>(), 0..90).prop_map(|bytes| base64url::encode(&bytes)),
        "\\PC{0,12}",
    ];
    vec(segment, 0..6).prop_map(|segments| segments.join("."))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics_or_is_accepted(token in token_like()) {
        for verifier in verifiers().take(2) {
            prop_assert!(verifier.verify(&token, now()).is_err());
            prop_assert!(verifier.verify_authorization(Some(&token), now()).is_err());
            let value = ["Bearer ", &token].concat();
            prop_assert!(verifier.verify_authorization(Some(&value), now()).is_err());
        }
        let _ = decode_unverified(&token, &Limits::default());
        let _ = UnverifiedToken::parse(&token, &Limits::default());
    }

    #[test]
    fn no_payload_panics_the_unverified_reader(payload in vec(any::<u8>(), 0..200)) {
        let token = format!("{}.{}.AQ", base64url::encode(br#"{"alg":"HS256"}"#), base64url::encode(&payload));
        let _ = decode_unverified(&token, &Limits::default());
    }

    #[test]
    fn no_policy_text_panics(text in r#"[{}\[\]":,a-z0-9]{0,60}"#) {
        prop_assert!(Verifier::from_json(&text).is_err());
    }

    #[test]
    fn no_key_bytes_panic(bytes in vec(any::<u8>(), 0..300)) {
        use portcullis::Alg;
        for alg in Alg::ALL {
            let _: Result<_, PolicyError> = VerificationKey::from_spki_der(alg, &bytes);
            let _: Result<_, PolicyError> = VerificationKey::from_pem(alg, &String::from_utf8_lossy(&bytes));
            let _: Result<_, PolicyError> = VerificationKey::from_secret(alg, &bytes);
        }
        let text = base64url::encode(&bytes);
        for (kty, crv) in [("EC", "P-256"), ("OKP", "Ed25519"), ("RSA", ""), ("oct", "")] {
            let jwk_text = format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{text}","y":"{text}","n":"{text}","e":"AQAB"}}"#);
            let _: Result<_, PolicyError> = jwk::parse(&jwk_text);
        }
    }
}

#[test]
fn no_single_bit_of_a_signed_token_can_be_changed() {
    for (verifier, token, now) in accepted() {
        for index in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                // A byte that is no text cannot reach the verifier at all; lossy reading is what a
                // JavaScript string would hold.
                let changed = String::from_utf8_lossy(&bytes);
                assert!(verifier.verify(&changed, *now).is_err(), "byte {index}, bit {bit} of {token}");
            }
        }
    }
}

#[test]
fn no_bit_of_the_decoded_parts_can_be_changed() {
    for (verifier, token, now) in accepted() {
        let parts: Vec<Vec<u8>> = token.split('.').map(|part| base64url::decode(part).unwrap()).collect();
        for part in 0..3 {
            for index in 0..parts[part].len() {
                let mut changed = parts.clone();
                changed[part][index] ^= 1 << (index % 8);
                let changed = changed.iter().map(|part| base64url::encode(part)).collect::<Vec<_>>().join(".");
                assert!(verifier.verify(&changed, *now).is_err(), "part {part}, byte {index} of {token}");
            }
        }
    }
}

#[test]
fn nothing_can_be_cut_off_or_added() {
    for (verifier, token, now) in accepted() {
        for length in 0..token.len() {
            assert!(verifier.verify(&token[..length], *now).is_err());
        }
        for extra in ["=", ".", "A", " ", "\n", "\0"] {
            assert!(verifier.verify(&format!("{token}{extra}"), *now).is_err());
            assert!(verifier.verify(&format!("{extra}{token}"), *now).is_err());
        }
    }
}
