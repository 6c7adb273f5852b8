use std::sync::OnceLock;

use portcullis::{Gate, fetch::FetchGate};
use worker::{Context, Env, Request, Response, Result, event};

// Made by the first request, and shared by all.
static GATE: OnceLock<FetchGate> = OnceLock::new();

fn gate(policy: &str) -> std::result::Result<FetchGate, portcullis::PolicyError> {
    FetchGate::on_cloudflare(Gate::from_json(policy)?).requiring(r#"{ "scopes": ["notes:read"] }"#)
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let policy = env.var("POLICY")?.to_string();
    let gate = GATE.get_or_init(|| gate(&policy).expect("POLICY holds a policy"));
    let passed = match gate.check(request.inner()).await {
        Ok(passed) => passed,
        Err(response) => return Ok(response.into()),
    };
    let subject = passed.claims().and_then(|claims| claims.sub).unwrap_or_default();
    let response = Response::ok(format!("Hello, {subject}"))?;
    Ok(passed.respond(response.into())?.into())
}
