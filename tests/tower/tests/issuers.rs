//! Several issuers behind one layer: a kid belongs to the issuer that a token names.

use axum::{Router, extract::Request};
use portcullis::{Gate, tower::GateLayer};
use portcullis_tower_tests::{AUDIENCE, ORIGINS, Prover, TestResponse, now, send, serve};
use serde_json::{Value, json};

/// What every issuer calls its key.
const KID: &str = "signing-key-1";

fn name(index: u8) -> String {
    format!("https://{index}.example")
}

/// By which issuer the gate let it through.
async fn through(request: Request) -> String {
    request.headers()["x-issuer"].to_str().unwrap().to_owned()
}

async fn ask(port: u16, signer: &Prover, iss: Value) -> TestResponse {
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": KID });
    let mut claims = json!({ "iss": iss, "aud": AUDIENCE, "sub": "ada", "exp": now() + 300 });
    if claims["iss"].is_null() {
        claims.as_object_mut().unwrap().remove("iss");
    }
    let authorization = format!("Bearer {}", signer.sign(&header, &claims));
    send(port, "/", &[("Authorization", &authorization)]).await
}

#[tokio::test]
async fn five_issuers_that_share_one_kid_are_told_apart_by_iss() {
    let signers: Vec<Prover> = (1..=5).map(Prover::new).collect();
    let issuer = |(index, signer): (u8, &Prover)| json!({ "issuer": name(index), "audience": AUDIENCE, "jwks": { "keys": [signer.jwk(KID)] } });
    let issuers: Vec<Value> = (0..).zip(&signers).map(issuer).collect();
    let gate = json!({ "origins": ORIGINS, "forward": { "claims": { "iss": "x-issuer" } } });
    let gate = Gate::from_json(&json!({ "issuers": issuers, "gate": gate }).to_string()).unwrap();
    let port = serve(Router::new().fallback(through).layer(GateLayer::new(gate))).await;
    for (own, signer) in (0..).zip(&signers) {
        for index in 0..5 {
            let answer = ask(port, signer, json!(name(index))).await;
            if index == own {
                assert_eq!((answer.status, answer.body), (200, name(own)));
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (401, "signature-invalid"), "{own} as {index}");
            }
        }
        for iss in [json!("https://6.example"), Value::Null, json!([name(own)]), json!(format!("{}/", name(own)))] {
            let answer = ask(port, signer, iss.clone()).await;
            let code = if iss.is_string() { "issuer-unknown" } else { "kid-unknown" };
            assert_eq!((answer.status, answer.code().as_str()), (401, code), "{iss}");
        }
    }
}
