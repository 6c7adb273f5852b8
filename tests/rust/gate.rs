//! Requests that nobody would think of: whatever comes, the gate answers with one step, and lets
//! nothing pass that it should not.

use portcullis::internals::uri::PathPattern;
use portcullis::{
    Gate, UnixSeconds,
    gate::{Evidence, Facts, Introspected, Replay, Step},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn policy(gate: &Value) -> String {
    let key: Value = serde_json::from_str(KEY).unwrap();
    let introspection =
        json!({ "endpoint": "https://b.example/i", "clientId": "c", "authentication": "client_secret_basic" });
    json!({
        "issuers": [
            { "issuer": "https://a.example", "audience": "x", "jwks": { "keys": [key] }, "remote": { "jwksUri": "https://a.example/k" } },
            { "issuer": "https://b.example", "audience": "x", "introspection": introspection },
        ],
        "gate": gate,
    })
    .to_string()
}

fn strict() -> Gate {
    let gate = json!({
        "credentials": { "header": "authorization", "cookie": "s" },
        "routes": [{ "path": "/p/:x*", "methods": ["GET"], "requirement": "public" }, { "path": "/{a}?*", "requirement": { "binding": "any" } }],
        "requirement": { "networks": ["10.0.0.0/8"] },
        "proxies": { "trusted": ["10.0.0.0/8"] },
        "forward": { "claims": { "sub": "x-sub" } },
        "dpop": { "nonce": true },
    });
    Gate::with_nonce_secret(&policy(&gate), Some(&[7; 32])).unwrap()
}

fn now() -> UnixSeconds {
    UnixSeconds::new(1_700_000_000).unwrap()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("authorization".to_owned()),
        Just("Cookie".to_owned()),
        Just("dpop".to_owned()),
        Just("origin".to_owned()),
        Just("access-control-request-method".to_owned()),
        Just("x-forwarded-for".to_owned()),
        Just("x-forwarded-proto".to_owned()),
        ".{0,8}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "(Bearer|DPoP|Basic) [a-zA-Z0-9_.=,-]{0,40}",
        "s=[a-z.;=]{0,12}",
        "[0-9.:, ]{0,20}",
        "https?",
    ]
}

proptest! {
    #[test]
    fn any_facts_have_an_answer_and_none_of_them_is_yes(
        method in "(GET|POST|OPTIONS|.{0,6})",
        url in "(https?://[a-z.:@\\[\\]0-9]{0,12}[/a-p%.?=&_+2eEfF]{0,24}|.{0,24})",
        headers in proptest::collection::vec((name(), value()), 0..5),
        peer in proptest::option::of("[0-9a-f.:\\[\\]%]{0,20}"),
        certificate in proptest::option::of(".{0,70}"),
        response in proptest::option::of(prop_oneof![".{0,20}", Just(r#"{"active":true}"#.to_owned()), Just(r#"{"active":true,"aud":"y"}"#.to_owned())]),
        (unchanged, vouched, body) in any::<(bool, bool, bool)>(),
    ) {
        let gate = strict();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let evidence = Evidence {
            keys_unchanged: unchanged,
            introspection: response.as_deref().map(Introspected::Response),
            replay: Some(Replay::First),
            ..Evidence::default()
        };
        let facts = Facts {
            requirement: None,
            method: &method,
            url: &url,
            url_vouched: vouched,
            has_body: body,
            headers: &headers,
            client_address: peer.as_deref(),
            certificate: certificate.as_deref(),
            evidence,
            ..Facts::default()
        };
        let step = gate.decide(&facts, now());
        // No token here is signed by anybody, and no answer names our audience.
        prop_assert!(!matches!(step, Step::Allowed(_) | Step::Anonymous(_)), "{:?}", step);
        let told: Value = serde_json::from_str(&step.to_json()).unwrap();
        prop_assert!(told["step"].is_string());
        if let Step::Refused(refusal) = step {
            prop_assert!([400, 401, 403, 421, 500, 503].contains(&refusal.status));
            prop_assert_eq!(&told["code"], refusal.denial.code());
            for challenge in &refusal.challenges {
                prop_assert!(challenge.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", challenge);
            }
        }
    }

    #[test]
    fn any_text_for_facts_has_an_answer(text in ".{0,80}", near in r#"\{"(method|url|headers|evidence)":(".{0,8}"|\[.{0,8}\]|\{.{0,12}\})\}"#) {
        let gate = strict();
        for text in [text, near] {
            let told: Value = serde_json::from_str(&gate.decide_json(&text, now())).unwrap();
            prop_assert_eq!(&told["step"], "refused");
        }
    }

    #[test]
    fn any_section_is_a_gate_or_names_its_mistake(member in "(realm|problemTypes|routes|networks|proxies|dpop|forward|credentials|requirement|origins|cors|preflight|privateHosts|.{0,5})", text in ".{0,12}", number in any::<u16>()) {
        for value in [json!(text), json!(number), json!([text]), json!({ "path": text }), json!([{ "path": text, "requirement": "public" }]), json!({ "trusted": [text] }), json!({ "claims": { "sub": text } }), json!({ "header": text, "cookie": text }), json!({ "a": [text] }), json!({ "networks": [text] }), json!({ "origins": [text] }), json!({ "origins": "any", "headers": [text] })] {
            if let Err(error) = Gate::from_json(&policy(&json!({ &member: value }))) {
                prop_assert!(error.pointer().starts_with("/gate"), "{}", error);
            }
        }
    }

    #[test]
    fn patterns_and_paths_of_any_kind_end_soon(pattern in "/[/a:b*{}?+.]{0,24}", path in "(/[ab.]{0,6}){0,40}") {
        if let Ok(pattern) = PathPattern::parse(&pattern) {
            let _ = pattern.matches(&path);
        }
    }
}

#[test]
fn a_gate_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&strict());
}
