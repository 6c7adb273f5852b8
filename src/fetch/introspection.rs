//! What an authorization server says of a token (RFC 7662), by `fetch`.
//!
//! What it answers is handed on as text: whether that means yes is the gate's to say.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wasm_bindgen::prelude::wasm_bindgen;

use super::{
    ClientProof, Outside, Shared,
    exchange::{OutsideRequest, ask},
};
use crate::{
    driver::{Introspection, IntrospectionCache, Lifetimes, World, encoded, form, key},
    policy::{ClientAuthentication, IntrospectionSource},
};

/// An answer is a few claims; the gate reads no more than this either.
const MOST_BYTES: u64 = 65_536;

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[wasm_bindgen]
extern "C" {
    /// Base64 of text that is ASCII.
    #[wasm_bindgen(js_name = btoa)]
    fn base64(text: &str) -> String;
}

/// What is known of the questions that were asked.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: IntrospectionCache,
    /// Questions that are under way, by number, and when they are taken for dead: a runtime may end
    /// a request without a word.
    under_way: Vec<(u64, u64)>,
    count: u64,
}

impl Asked {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where to ask, and how.
struct Endpoint {
    url: String,
    client_id: String,
    authentication: ClientAuthentication,
    lifetimes: Lifetimes,
    timeout_ms: u64,
    concurrency: usize,
}

impl Endpoint {
    fn of(source: &IntrospectionSource<'_>) -> Self {
        Endpoint {
            url: source.endpoint.to_owned(),
            client_id: source.client_id.to_owned(),
            authentication: source.authentication,
            lifetimes: Lifetimes { active: source.cache_seconds, inactive: source.negative_cache_seconds },
            timeout_ms: source.timeout_ms,
            concurrency: usize::try_from(source.concurrency).unwrap_or(usize::MAX),
        }
    }
}

/// Asks about a token. An answer that is kept does, unless it has to be a fresh one.
pub(super) async fn introspect<O: Outside>(
    shared: &Shared<O>,
    issuer: &str,
    token: &str,
    fresh: bool,
) -> Introspection {
    let (endpoint, key) = {
        let gate = shared.read();
        let mut sources = gate.verifier().policy().introspections();
        let endpoint = sources.find(|source| source.issuer == issuer).map(|source| Endpoint::of(&source));
        (endpoint, key(&gate, token))
    };
    let Some(endpoint) = endpoint else { return Introspection::Unavailable };
    let asked_at = shared.now().get();
    let number = {
        let mut state = shared.asked().state();
        if let Some(text) = state.answers.get(&key, asked_at).filter(|_| !fresh) {
            return Introspection::Response(text.to_owned());
        }
        state.under_way.retain(|(_, until)| asked_at <= *until);
        if state.under_way.len() >= endpoint.concurrency {
            return Introspection::Busy;
        }
        state.count = state.count.saturating_add(1);
        let number = state.count;
        let patience = endpoint.timeout_ms.div_ceil(1000).saturating_add(1);
        state.under_way.push((number, asked_at.saturating_add(patience)));
        number
    };
    let answer = request(shared.outside(), issuer, token, &endpoint).await;
    let mut state = shared.asked().state();
    state.under_way.retain(|(own, _)| *own != number);
    let Some(text) = answer else { return Introspection::Unavailable };
    state.answers.keep(&key, &text, number, asked_at, endpoint.lifetimes);
    Introspection::Response(text)
}

async fn request<O: Outside>(outside: &O, issuer: &str, token: &str, endpoint: &Endpoint) -> Option<String> {
    let Endpoint { url, client_id, authentication, timeout_ms, .. } = endpoint;
    let proof = outside.client_proof(issuer).await?;
    let mut pairs = vec![("token", token), ("token_type_hint", "access_token")];
    let mut fields = vec![("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    let basic;
    match (authentication, &proof) {
        (ClientAuthentication::ClientSecretBasic, ClientProof::Secret(secret)) => {
            basic = basic_credentials(client_id, secret);
            fields.push(("authorization", &basic));
        }
        (ClientAuthentication::ClientSecretPost, ClientProof::Secret(secret)) => {
            pairs.extend([("client_id", client_id.as_str()), ("client_secret", secret)]);
        }
        (ClientAuthentication::PrivateKeyJwt, ClientProof::Assertion(assertion)) => {
            pairs.extend([("client_id", client_id.as_str()), ("client_assertion_type", JWT_BEARER)]);
            pairs.push(("client_assertion", assertion));
        }
        // A proof of another kind than the policy says.
        _ => return None,
    }
    let form = form(&pairs);
    let question =
        OutsideRequest { url, fields: &fields, form: Some(&form), timeout_ms: *timeout_ms, max_bytes: MOST_BYTES };
    ask(outside, &question).await.map(|answer| answer.text)
}

/// The Authorization header of `client_secret_basic` (RFC 6749 §2.3.1).
fn basic_credentials(client_id: &str, secret: &str) -> String {
    format!("Basic {}", base64(&format!("{}:{}", encoded(client_id), encoded(secret))))
}
