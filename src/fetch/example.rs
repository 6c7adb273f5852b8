use portcullis::{
    Gate, PolicyError,
    fetch::{Connection, FetchGate, Runtime},
};
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

/// Once.
pub fn gate() -> Result<FetchGate, PolicyError> {
    let policy = r#"{ "issuers": [{
        "issuer": "https://issuer.example",
        "audience": "https://api.example",
        "remote": { "discovery": "oidc" }
    }] }"#;
    FetchGate::on_cloudflare(Gate::from_json(policy)?).requiring(r#"{ "scopes": ["notes:read"] }"#)
}

/// The same where tokens are opaque: the policy names the endpoint, and never the client's secret.
pub fn gate_that_asks(policy: &str, secret: &str) -> Result<FetchGate, PolicyError> {
    let outside = Runtime::default().with_client_secret("https://issuer.example", secret);
    Ok(FetchGate::with(Gate::from_json(policy)?, outside, Connection::of_cloudflare))
}

/// For each request.
pub async fn answer(gate: &FetchGate, request: &Request) -> Result<Response, JsValue> {
    let passed = match gate.check(request).await {
        Ok(passed) => passed,
        Err(response) => return Ok(response),
    };
    let subject = passed.claims().and_then(|claims| claims.sub).unwrap_or_default();
    passed.respond(Response::new_with_opt_str(Some(&format!("Hello, {subject}")))?)
}
