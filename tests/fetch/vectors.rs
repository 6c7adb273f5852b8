//! The gate's vectors, each put to a gate of its own by requests of this runtime.

use std::net::{IpAddr, SocketAddr};

use portcullis::{
    Gate, UnixSeconds,
    fetch::{ClientProof, Connection, FetchGate, Outside},
};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{
    js_sys::Array,
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
    web_sys::{Headers, Request, RequestInit, Response, ResponseInit},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    /// Policy and requirement are texts.
    policy: String,
    requirement: Option<String>,
    now: u64,
    request: Asking,
    #[serde(default)]
    evidence: Evidence,
    #[serde(default)]
    remote_keys: Vec<Published>,
    #[serde(default)]
    revocations: Vec<List>,
    nonce_secret: Option<Vec<u8>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asking {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    client_address: Option<String>,
    certificate: Option<String>,
    #[serde(default)]
    url_vouched: bool,
    #[serde(default)]
    has_body: bool,
}

#[derive(Default, Deserialize)]
struct Evidence {
    introspection: Option<String>,
    replay: Option<String>,
}

#[derive(Deserialize)]
struct Published {
    issuer: String,
    jwks: Value,
}

#[derive(Deserialize)]
struct List {
    uri: Option<String>,
    document: String,
    now: u64,
}

/// The world outside, as a vector says.
struct EvidenceOutside {
    /// What is served, by URL.
    served: Vec<(String, String)>,
    replay: Option<String>,
}

impl Outside for EvidenceOutside {
    async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let text = self.served.iter().find(|(url, _)| *url == request.url()).map(|(_, text)| text.as_str());
        let init = ResponseInit::new();
        init.set_status(if text.is_some() { 200 } else { 503 });
        Response::new_with_opt_str_and_init(text, &init)
    }

    async fn client_proof(&self, _: &str) -> Option<ClientProof> {
        Some(ClientProof::Secret("a secret".to_owned()))
    }

    async fn first_use(&self, _: &str, _: u64, _: u64) -> Option<bool> {
        (self.replay.as_deref()? != "unavailable").then_some(self.replay.as_deref() == Some("first"))
    }
}

/// The answers to a list of vectors, in its order.
pub async fn answers(text: &str) -> Vec<Value> {
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    let mut answers = Vec::new();
    for vector in vectors {
        answers.push(answer(vector).await);
    }
    answers
}

async fn answer(vector: Vector) -> Value {
    // Whatever this runtime cannot say, or says otherwise, is another request.
    let Some(request) = built(&vector.request) else { return json!({ "impossible": true }) };
    let gate = match gate(vector) {
        Ok(gate) => gate,
        Err(error) => return json!({ "error": error.pointer() }),
    };
    match gate.check(&request).await {
        Err(response) => {
            let body = JsFuture::from(response.text().unwrap()).await.unwrap().as_string();
            json!({ "ok": false, "status": response.status(), "headers": pairs(&response.headers()), "body": body })
        }
        Ok(passed) => {
            let authorized = passed.authorized();
            let claims: Option<Value> = authorized.map(|authorized| authorized.deserialize().unwrap());
            let response = passed.respond(Response::new().unwrap()).unwrap();
            json!({
                "ok": true,
                "claims": claims,
                "header": authorized.and_then(|authorized| authorized.header()).map(str::to_owned),
                "issuer": authorized.map(|authorized| authorized.issuer()),
                "binding": authorized.and_then(|authorized| authorized.binding()),
                "forwarded": pairs(&passed.forward(&request).unwrap().headers()),
                "nonce": response.headers().get("dpop-nonce").unwrap(),
            })
        }
    }
}

fn built(asking: &Asking) -> Option<Request> {
    let headers = Headers::new().ok()?;
    for (name, value) in &asking.headers {
        // Two of one name are one here.
        if headers.has(name).ok()? {
            return None;
        }
        headers.append(name, value).ok()?;
        if headers.get(name).ok()?.as_deref() != Some(value) {
            return None;
        }
    }
    let init = RequestInit::new();
    init.set_method(&asking.method);
    init.set_headers(&headers);
    if asking.has_body {
        // No header announces it.
        init.set_body(&JsValue::from_str("a body"));
    }
    let request = Request::new_with_str_and_init(&asking.url, &init).ok()?;
    (request.url() == asking.url && request.method() == asking.method).then_some(request)
}

fn gate(vector: Vector) -> Result<FetchGate<EvidenceOutside>, portcullis::PolicyError> {
    let Vector { policy, requirement, now, request, evidence, remote_keys, revocations, nonce_secret } = vector;
    let mut gate = Gate::with_nonce_secret(&policy, nonce_secret.as_deref())?;
    for List { uri, document, now } in revocations {
        let now = UnixSeconds::new(now).unwrap();
        // What is refused of them is for other tests.
        let _ = match uri {
            Some(uri) => gate.apply_status_list(&uri, &document, now).map(drop),
            None => gate.apply_revocations(&document, now).map(drop),
        };
    }
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let mut served = Vec::new();
    for issuer in policy["issuers"].as_array().unwrap() {
        if let (Some(endpoint), Some(text)) = (issuer["introspection"]["endpoint"].as_str(), &evidence.introspection) {
            served.push((endpoint.to_owned(), text.clone()));
        }
        let keys = remote_keys.iter().find(|keys| issuer["issuer"] == keys.issuer.as_str());
        if let (Some(uri), Some(keys)) = (issuer["remote"]["jwksUri"].as_str(), keys) {
            served.push((uri.to_owned(), keys.jwks.to_string()));
        }
    }
    let connection = move |_: &Request| Connection {
        url_vouched: request.url_vouched,
        client_address: request.client_address.as_deref().and_then(address),
        certificate: request.certificate.clone(),
    };
    let now = UnixSeconds::new(now).unwrap();
    let gate =
        FetchGate::with_clock(gate, EvidenceOutside { served, replay: evidence.replay }, connection, move || now);
    requirement.map_or(Ok(gate.clone()), |requirement| gate.requiring(&requirement))
}

/// An address, which some platforms tell with a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok()
}

/// Every header field.
pub fn pairs(headers: &Headers) -> Vec<(String, String)> {
    let entries = headers.entries().into_iter().map(|entry| entry.unwrap().unchecked_into::<Array>());
    entries.map(|entry| (entry.get(0).as_string().unwrap(), entry.get(1).as_string().unwrap())).collect()
}
