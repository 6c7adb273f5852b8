use portcullis::{Gate, PolicyError, fetch::FetchGate};
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

/// For each request.
pub async fn answer(gate: &FetchGate, request: &Request) -> Result<Response, JsValue> {
    let passed = match gate.check(request).await {
        Ok(passed) => passed,
        Err(response) => return Ok(response),
    };
    let subject = passed.claims().and_then(|claims| claims.sub).unwrap_or_default();
    passed.respond(Response::new_with_opt_str(Some(&format!("Hello, {subject}")))?)
}
