//! A worker that worker.test.mjs asks: a gate by a policy of its binding, and every vector.

/// The example of the crate's documentation.
#[path = "../../src/fetch/example.rs"]
#[allow(dead_code)]
mod documented;
mod vectors;

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use portcullis::{
    Gate, UnixSeconds,
    fetch::{Connection, FetchGate, Runtime},
};
use serde_json::{Value, json};
use worker::{
    Context, Env, Request, Response, Result, event,
    js_sys::{Date, JSON, Reflect},
    wasm_bindgen::JsValue,
    web_sys,
};

type Gates = (FetchGate<Runtime>, FetchGate<Runtime>);

static GATES: OnceLock<Gates> = OnceLock::new();

/// By how many seconds the gate's clock is ahead of JavaScript's.
static AHEAD: AtomicU64 = AtomicU64::new(0);

/// The gate by the policy alone, and the same for whoever may write.
fn gates(env: &Env) -> &'static Gates {
    GATES.get_or_init(|| {
        let gate = Gate::from_json(&env.var("POLICY").unwrap().to_string()).unwrap();
        let outside = Runtime::default().with_client_secret(env.var("OPAQUE").unwrap().to_string(), "a secret: ü");
        let gate = FetchGate::with_clock(gate, outside, Connection::of_cloudflare, now);
        let writers = gate.requiring(r#"{ "scopes": ["write"] }"#).unwrap();
        (gate, writers)
    })
}

fn now() -> UnixSeconds {
    UnixSeconds::new((Date::now() / 1000.0) as u64 + AHEAD.load(Ordering::SeqCst)).unwrap()
}

#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    match request.path().as_str() {
        "/of-test/vectors" => Response::from_json(&vectors::answers(&request.text().await?).await),
        "/of-test/pass" => {
            AHEAD.fetch_add(request.text().await?.parse().unwrap(), Ordering::SeqCst);
            Response::ok("")
        }
        "/of-test/connection" => connection(&request.text().await?),
        "/of-test/policy" => {
            let replaced = gates(&env).0.replace_policy(&request.text().await?, None);
            Response::ok(replaced.err().map(|error| error.to_string()).unwrap_or_default())
        }
        "/of-test/documented" => {
            let gate = documented::gate().unwrap();
            Ok(documented::answer(&gate, request.inner()).await?.into())
        }
        path => {
            let (gate, writers) = gates(&env);
            let gate = if path == "/write" { writers } else { gate };
            match gate.check(request.inner()).await {
                Err(refusal) => Ok(refusal.into()),
                Ok(passed) => {
                    let forwarded = passed.forward(request.inner())?;
                    let claims: Option<Value> = passed.authorized().map(|own| own.deserialize()).transpose()?;
                    let told = json!({
                        "sub": claims.map(|claims| claims["sub"].clone()),
                        "headers": vectors::pairs(&forwarded.headers()),
                        "body": Request::from(forwarded).text().await?,
                    });
                    Ok(passed.respond(Response::from_json(&told)?.into())?.into())
                }
            }
        }
    }
}

/// What is believed of a request with that `cf` and that address.
fn connection(text: &str) -> Result<Response> {
    let asked: Value = serde_json::from_str(text)?;
    let init = web_sys::RequestInit::new();
    if asked["cf"].is_object() {
        Reflect::set(&init, &JsValue::from("cf"), &JSON::parse(&asked["cf"].to_string())?)?;
    }
    let request = web_sys::Request::new_with_str_and_init("https://api.example/", &init)?;
    request.headers().set("cf-connecting-ip", asked["address"].as_str().unwrap())?;
    let Connection { url_vouched, client_address, certificate } = Connection::of_cloudflare(&request);
    Response::from_json(
        &json!({ "urlVouched": url_vouched, "clientAddress": client_address, "certificate": certificate }),
    )
}
