//! Keys that come and go, against a model: which tokens are accepted, and what is kept for keys
//! that stay.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use portcullis::{UnixSeconds, Verifier};
use proptest::prelude::*;
use serde_json::json;

const ISSUERS: [&str; 2] = ["https://a.example", "https://b.example"];
const KIDS: [&str; 3] = ["0", "1", "2"];
const EMBEDDED: (usize, &str, u8) = (0, "0", 0);

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number.wrapping_add(1); 32])
}

fn jwk(kid: &str, number: u8) -> serde_json::Value {
    let x = Base64UrlUnpadded::encode_string(key(number).verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
}

fn token(issuer: usize, kid: &str, number: u8) -> String {
    let part = |value: serde_json::Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let header = part(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid }));
    let payload = part(json!({ "iss": ISSUERS[issuer], "aud": "api", "exp": 2_000 }));
    let input = format!("{header}.{payload}");
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&key(number).sign(input.as_bytes()).to_bytes()))
}

fn accepts(verifier: &Verifier, token: &str) -> bool {
    verifier.verify(token, UnixSeconds::new(1_000).unwrap()).is_ok()
}

/// The first issuer has a key built in; both publish more.
fn verifier() -> Verifier {
    let remote = |issuer: &str| json!({ "jwksUri": format!("{issuer}/jwks") });
    let policy = json!({ "issuers": [
        { "issuer": ISSUERS[0], "audience": "api", "remote": remote(ISSUERS[0]), "jwks": { "keys": [jwk(EMBEDDED.1, EMBEDDED.2)] } },
        { "issuer": ISSUERS[1], "audience": "api", "remote": remote(ISSUERS[1]) },
    ] });
    Verifier::from_json(&policy.to_string()).unwrap()
}

#[derive(Clone, Debug)]
enum Action {
    Set(usize, BTreeMap<usize, u8>),
    Forget(usize),
    Broken(usize),
}

fn step() -> impl Strategy<Value = Action> {
    let issuer = 0..ISSUERS.len();
    prop_oneof![
        4 => (issuer.clone(), proptest::collection::btree_map(0..KIDS.len(), 0..4_u8, 0..4)).prop_map(|(i, keys)| Action::Set(i, keys)),
        1 => issuer.clone().prop_map(Action::Forget),
        1 => issuer.prop_map(Action::Broken),
    ]
}

/// What each issuer's tokens may be signed with, by kid.
type Model = [BTreeMap<usize, u8>; 2];

fn apply(verifier: &mut Verifier, model: &mut Model, step: &Action) {
    match step {
        Action::Set(issuer, keys) => {
            let set = json!({ "keys": keys.iter().map(|(kid, number)| jwk(KIDS[*kid], *number)).collect::<Vec<_>>() });
            let mut usable = keys.clone();
            // The name of the embedded key is taken.
            let known = *issuer == EMBEDDED.0 && usable.remove(&0).is_some();
            match verifier.set_remote_keys(ISSUERS[*issuer], &set.to_string()) {
                Ok(report) => {
                    assert_eq!(report.changed, model[*issuer] != usable, "{report:?}");
                    assert_eq!((report.keys.len(), report.left_out.len()), (usable.len(), usize::from(known)));
                    model[*issuer] = usable;
                }
                Err(error) => assert!(usable.is_empty() && !known, "{error}"),
            }
        }
        Action::Forget(issuer) => {
            assert_eq!(verifier.forget_remote_keys(ISSUERS[*issuer]), !model[*issuer].is_empty());
            model[*issuer].clear();
        }
        Action::Broken(issuer) => assert!(verifier.set_remote_keys(ISSUERS[*issuer], "<html>").is_err()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn tokens_are_accepted_by_the_keys_of_their_issuer_that_were_published_last(
        steps in proptest::collection::vec(step(), 1..8),
    ) {
        let mut verifier = verifier();
        let mut model = Model::default();
        for step in &steps {
            apply(&mut verifier, &mut model, step);
            for (issuer, published) in model.iter().enumerate() {
                for (kid, name) in KIDS.into_iter().enumerate() {
                    for number in 0..4 {
                        let expected =
                            published.get(&kid) == Some(&number) || (issuer, name, number) == EMBEDDED;
                        prop_assert_eq!(accepts(&verifier, &token(issuer, name, number)), expected, "{} {} {}", issuer, name, number);
                    }
                }
            }
        }
    }
}

#[test]
fn a_key_that_stays_keeps_its_uses_and_its_table_wherever_it_moves() {
    let mut verifier = verifier();
    let set = |keys: &[(&str, u8)]| {
        json!({ "keys": keys.iter().map(|(kid, n)| jwk(kid, *n)).collect::<Vec<_>>() }).to_string()
    };
    verifier.set_remote_keys(ISSUERS[1], &set(&[("1", 1), ("2", 2)])).unwrap();
    verifier.set_remote_keys(ISSUERS[0], &set(&[("1", 3)])).unwrap();
    for _ in 0..3 {
        assert!(accepts(&verifier, &token(1, "2", 2)));
    }
    assert!(accepts(&verifier, &token(0, "0", 0)));
    let usage = |verifier: &Verifier| {
        let stats = verifier.stats();
        stats
            .keys
            .iter()
            .map(|key| {
                (key.issuer.to_owned(), key.usage.kid.unwrap().to_owned(), key.usage.uses, key.usage.table_bytes > 0)
            })
            .collect::<Vec<_>>()
    };
    let row = |issuer: usize, kid: &str, uses, table| (ISSUERS[issuer].to_owned(), kid.to_owned(), uses, table);
    assert_eq!(
        usage(&verifier),
        [row(0, "0", 1, false), row(1, "1", 0, false), row(1, "2", 3, true), row(0, "1", 0, false)]
    );
    // The one before it goes and another comes: the key moves forward with what it has earned.
    let report = verifier.set_remote_keys(ISSUERS[1], &set(&[("0", 3), ("2", 2)])).unwrap();
    assert!(report.changed);
    assert_eq!(
        usage(&verifier),
        [row(0, "0", 1, false), row(1, "2", 3, true), row(0, "1", 0, false), row(1, "0", 0, false)]
    );
    assert!(accepts(&verifier, &token(1, "2", 2)) && accepts(&verifier, &token(1, "0", 3)));
    assert!(!accepts(&verifier, &token(1, "1", 1)));
    assert_eq!(usage(&verifier)[1].2, 4);
    // The same name for another key: nothing of the former is left.
    verifier.set_remote_keys(ISSUERS[1], &set(&[("2", 3)])).unwrap();
    assert_eq!(usage(&verifier), [row(0, "0", 1, false), row(0, "1", 0, false), row(1, "2", 0, false)]);
}

#[test]
fn where_to_ask_is_told_with_everything_filled_in() {
    let policy = json!({ "issuers": [
        { "issuer": "https://a.example/t/", "audience": "api", "remote": { "discovery": "oauth", "staleSeconds": 7 } },
        { "issuer": "b", "audience": "api", "introspection": { "endpoint": "http://localhost:1/i", "clientId": "c" } },
        { "preset": "google", "audience": "api" },
    ] });
    let verifier = Verifier::from_json(&policy.to_string()).unwrap();
    let bounds = json!({ "minTtlSeconds": 60, "maxTtlSeconds": 86_400, "staleSeconds": 86_400, "timeoutMs": 3_000, "maxBytes": 262_144 });
    let with = |own: serde_json::Value| {
        let mut all = bounds.clone();
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    let remotes: Vec<_> = verifier.policy().remotes().collect();
    assert_eq!(
        serde_json::to_value(remotes).unwrap(),
        json!([
            with(json!({ "issuer": "https://a.example/t/", "discovery": "oauth", "staleSeconds": 7,
                "discoveryUrl": "https://a.example/.well-known/oauth-authorization-server/t" })),
            with(
                json!({ "issuer": "https://accounts.google.com", "jwksUri": "https://www.googleapis.com/oauth2/v3/certs" })
            ),
        ])
    );
    let introspections: Vec<_> = verifier.policy().introspections().collect();
    assert_eq!(
        serde_json::to_value(introspections).unwrap(),
        json!([{ "issuer": "b", "endpoint": "http://localhost:1/i", "clientId": "c", "authentication": "client_secret_basic",
            "cacheSeconds": 60, "negativeCacheSeconds": 10, "timeoutMs": 2_000, "concurrency": 16 }])
    );
}
