//! The layer in a real server: every kind of request, over HTTP.

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::HeaderMap,
    routing::get,
};
use portcullis::{
    Claims, Gate,
    tower::{Authorized, Connection, GateLayer, Introspection, Outside},
};
use portcullis_tower_tests::{ISSUER, ORIGINS, Prover, TestResponse, key, mint, mint_with, policy, send, serve};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

#[path = "../../package/examples/tower.rs"]
mod example;

const SCOPES: &str = r#"{ "scopes": ["notes:read"] }"#;

/// What a handler sees.
async fn seen(request: Request) -> String {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorized = request.extensions().get::<Authorized>();
    json!({
        "sub": request.extensions().get::<Claims>().and_then(|claims| claims.sub.clone()),
        "issuer": authorized.map(Authorized::issuer),
        "payload": authorized.map(|authorized| authorized.deserialize::<Value>().unwrap()["sub"].clone()),
        "user": header("x-user"),
        "other": header("x_user"),
        "authorization": header("authorization"),
        "cookie": header("cookie"),
    })
    .to_string()
}

fn body(answer: &TestResponse) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn the_example_of_the_readme_runs() {
    let key = key();
    let port = serve(example::app(&policy(&key, json!({}))).unwrap()).await;
    let good = format!("Bearer {}", mint(&key, "notes:read", 0));
    let answer = send(port, "/notes", &[("Authorization", &good)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "Hello, ada"));
    assert_eq!(send(port, "/notes", &[]).await.status, 401);
}

#[tokio::test]
async fn good_requests_pass_and_bad_ones_get_their_answer() {
    let key = key();
    let policy = policy(&key, json!({ "realm": "notes", "forward": { "claims": { "sub": "x-user" } } }));
    let layer = GateLayer::new(Gate::from_json(&policy).unwrap());
    let anonymous = layer.requiring(r#"{ "anonymous": true }"#).unwrap();
    let routes = Router::new()
        .route("/notes", get(seen).layer(layer.requiring(SCOPES).unwrap()))
        .route("/maybe", get(seen).layer(anonymous));
    let port = serve(routes).await;

    let good = format!("Bearer {}", mint(&key, "notes:read", 0));
    let spoofed = [("Authorization", good.as_str()), ("X-User", "mallory"), ("x_user", "mallory"), ("Cookie", "a=1")];
    let ada = json!({ "sub": "ada", "issuer": ISSUER, "payload": "ada", "user": "ada", "other": null,
        "authorization": null, "cookie": "a=1" });
    assert_eq!(body(&send(port, "/notes", &spoofed).await), ada);
    assert_eq!(body(&send(port, "/maybe", &spoofed).await), ada);
    let nobody = body(&send(port, "/maybe", &[("X-User", "mallory")]).await);
    assert_eq!((&nobody["sub"], &nobody["user"]), (&Value::Null, &Value::Null));

    let missing = send(port, "/notes", &[]).await;
    assert_eq!((missing.status, missing.header("www-authenticate")), (401, Some(r#"Bearer realm="notes""#)));
    assert_eq!(missing.header("content-type"), Some("application/problem+json"));
    assert_eq!(missing.header("cache-control"), Some("no-store"));

    let expired = format!("Bearer {}", mint(&key, "notes:read", 900));
    let narrow = format!("Bearer {}", mint(&key, "notes:write", 0));
    let two = format!("{good}, {good}");
    let forged = format!("{}AAAA", good.split_at(good.len() - 4).0);
    let authorization = |value| vec![("Authorization", value)];
    for (lines, status, code) in [
        (vec![("Authorization", good.as_str()), ("Authorization", good.as_str())], 400, "authorization-ambiguous"),
        (authorization(two.as_str()), 400, "authorization-ambiguous"),
        (authorization("Bearer a b"), 400, "authorization-malformed"),
        (authorization("Bearer abc"), 401, "segment-count"),
        (authorization("Bearer caf\u{e9}"), 401, "authorization-scheme"),
        (authorization("Basic eDp5"), 401, "authorization-scheme"),
        (authorization(expired.as_str()), 401, "expired"),
        (authorization(forged.as_str()), 401, "signature-invalid"),
        (authorization(narrow.as_str()), 403, "scope-insufficient"),
    ] {
        let answer = send(port, "/notes", &lines).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    let challenge = send(port, "/notes", &authorization(narrow.as_str())).await;
    assert!(challenge.header("www-authenticate").unwrap().contains(r#"scope="notes:read""#));
}

#[tokio::test]
async fn no_spelling_of_a_path_or_host_opens_another() {
    let key = key();
    let policy = policy(
        &key,
        json!({
            "requirement": { "scopes": ["admin"] },
            "routes": [{ "path": "/open/*", "requirement": "public" }],
        }),
    );
    let layer = GateLayer::new(Gate::from_json(&policy).unwrap()).with_target(|parts| &parts.uri);
    let port = serve(Router::new().fallback(seen).layer(layer)).await;
    let token = format!("Bearer {}", mint(&key, "notes:read", 0));
    let good = ("Authorization", token.as_str());
    assert_eq!(send(port, "/open/a", &[]).await.status, 200);
    assert_eq!(send(port, "/secret", &[good]).await.status, 403);
    for target in [
        "/secret/../open/a",
        "/secret/%2e%2E/open/a",
        "/open/../secret",
        "/secret/./../open/a",
        "//open/a",
        "/secret?/../open/a",
        "http://127.0.0.1/secret",
        "http://127.0.0.1/secret/../open/a",
        "http://127.0.0.1/open/a/../../secret",
    ] {
        assert_ne!(send(port, target, &[good]).await.status, 200, "{target}");
    }
    for host in ["127.0.0.1/open/a?", "127.0.0.1/open/a#", "x@127.0.0.1", ""] {
        assert_ne!(send(port, "/secret", &[good, ("Host", host)]).await.status, 200, "{host}");
        assert_ne!(send(port, "/open/a", &[good, ("Host", host)]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn tls_and_the_client_are_what_the_server_says() {
    let key = key();
    let policy = policy(&key, json!({ "requirement": { "networks": ["192.0.2.0/24"] } }));
    let token = format!("Bearer {}", mint(&key, "notes:read", 0));
    let ask = async |connection: Connection, lines: &[(&'static str, &'static str)]| {
        let layer = GateLayer::over(Gate::from_json(&policy).unwrap(), move |_| connection.clone());
        let port = serve(Router::new().fallback(seen).layer(layer)).await;
        let lines = [&[("Authorization", token.as_str())], lines].concat();
        let answer = send(port, "/", &lines).await;
        (answer.status, answer.code())
    };
    let office = Some("192.0.2.7".parse().unwrap());
    let home = Some("198.51.100.7".parse().unwrap());
    let secure = |client_address| Connection { secure: true, client_address, ..Connection::default() };
    let example = &[("Host", "api.example")];
    assert_eq!(ask(secure(office), example).await.0, 200);
    assert_eq!(ask(secure(home), example).await, (403, "network-denied".to_owned()));
    assert_eq!(ask(secure(None), example).await, (403, "address-unknown".to_owned()));
    let plain = Connection { secure: false, ..secure(office) };
    assert_eq!(ask(plain, example).await, (403, "transport-insecure".to_owned()));
    // Nor is a header's word taken for either.
    let claimed = &[("Host", "api.example"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.7")];
    assert_eq!(ask(Connection::default(), claimed).await.0, 403);
}

#[tokio::test]
async fn a_connection_is_told_by_the_extensions_of_axum() {
    let key = key();
    let policy = policy(&key, json!({ "requirement": { "networks": ["127.0.0.0/8"] } }));
    let layer = GateLayer::over(Gate::from_json(&policy).unwrap(), |parts| Connection {
        client_address: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
        ..Connection::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = Router::new().fallback(seen).layer(layer).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let token = format!("Bearer {}", mint(&key, "notes:read", 0));
    assert_eq!(send(port, "/", &[("Authorization", &token)]).await.status, 200);
}

/// Publishes keys, and answers about the opaque token `opaque`.
#[derive(Clone)]
struct Published {
    jwks: Option<String>,
    fetches: Arc<AtomicUsize>,
}

impl Outside for Published {
    async fn keys(&self, issuer: &str) -> Option<String> {
        assert_eq!(issuer, ISSUER);
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.jwks.clone()
    }

    async fn introspect(&self, _: &str, token: &str) -> Introspection {
        match token {
            "opaque" => {
                let exp = portcullis_tower_tests::now() + 60;
                let answer = json!({ "active": true, "sub": "eve", "scope": "notes:read", "exp": exp,
                    "iss": ISSUER, "aud": "https://api.example" });
                Introspection::Response(answer.to_string())
            }
            "busy" => Introspection::Busy,
            _ => Introspection::Response(json!({ "active": false }).to_string()),
        }
    }
}

fn remote_policy() -> String {
    json!({ "issuers": [{ "issuer": ISSUER, "audience": "https://api.example",
        "remote": { "jwksUri": "https://issuer.example/jwks" },
        "introspection": { "endpoint": "https://issuer.example/introspect", "clientId": "api", "authentication": "client_secret_basic" } }],
        "gate": { "origins": ORIGINS } })
    .to_string()
}

#[tokio::test]
async fn without_anybody_to_ask_what_must_be_asked_is_refused() {
    let port =
        serve(Router::new().fallback(seen).layer(GateLayer::new(Gate::from_json(&remote_policy()).unwrap()))).await;
    let token = format!("Bearer {}", mint(&key(), "notes:read", 0));
    for (value, code) in [(token.as_str(), "keys-unavailable"), ("Bearer opaque", "introspection-unavailable")] {
        let answer = send(port, "/", &[("Authorization", value)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, code));
        assert!(answer.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_opaque_tokens_asked_about() {
    let (key, stranger) = (key(), portcullis_tower_tests::key());
    let fetches = Arc::new(AtomicUsize::new(0));
    let published = Published { jwks: Some(key.jwks()), fetches: Arc::clone(&fetches) };
    let layer = GateLayer::with(Gate::from_json(&remote_policy()).unwrap(), published, |_| Connection::default());
    let port = serve(Router::new().fallback(seen).layer(layer.requiring(SCOPES).unwrap())).await;
    let ask = async |token: &str| send(port, "/", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(body(&ask(&mint(&key, "notes:read", 0)).await)["sub"], "ada");
    // Random `kid`s: whoever is unknown is refused without another fetch.
    for _ in 0..20 {
        let answer = ask(&mint(&stranger, "notes:read", 0)).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "kid-unknown"));
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    let opaque = body(&ask("opaque").await);
    assert_eq!((&opaque["sub"], &opaque["payload"]), (&json!("eve"), &json!("eve")));
    assert_eq!((ask("other").await.status, ask("busy").await.status), (401, 503));
}

/// Remembers proofs.
#[derive(Default)]
struct Proofs(Mutex<BTreeSet<String>>);

impl Outside for Proofs {
    async fn first_use(&self, key: &str, until: u64) -> Option<bool> {
        assert!(until >= portcullis_tower_tests::now());
        Some(self.0.lock().unwrap().insert(key.to_owned()))
    }
}

#[tokio::test]
async fn a_proof_is_good_once_and_for_one_request() {
    let key = key();
    let (owner, thief) = (Prover::new(7), Prover::new(9));
    let gate = || Gate::from_json(&policy(&key, json!({}))).unwrap();
    let port = serve(
        Router::new().fallback(seen).layer(GateLayer::with(gate(), Proofs::default(), |_| Connection::default())),
    )
    .await;
    let token = mint_with(&key, "notes:read", 0, json!({ "cnf": { "jkt": owner.thumbprint() } }));
    let authorization = format!("DPoP {token}");
    let url = format!("http://127.0.0.1:{port}/notes");
    let ask = async |proof: &str| {
        let answer = send(port, "/notes", &[("Authorization", &authorization), ("DPoP", proof)]).await;
        (answer.status, answer.code())
    };
    let proof = owner.proof(&url, &token, "1");
    assert_eq!(ask(&proof).await.0, 200);
    assert_eq!(ask(&proof).await, (401, "dpop-replayed".to_owned()));
    assert_eq!(ask(&owner.proof(&url, &token, "2")).await.0, 200);
    assert_eq!(ask(&thief.proof(&url, &token, "3")).await, (401, "dpop-key-mismatch".to_owned()));
    assert_eq!(ask(&owner.proof("http://127.0.0.1/other", &token, "4")).await, (401, "dpop-url-mismatch".to_owned()));
    let bearer = format!("Bearer {token}");
    assert_eq!(send(port, "/notes", &[("Authorization", &bearer)]).await.status, 401);

    // Where nobody remembers, no proof can be taken.
    let port = serve(Router::new().fallback(seen).layer(GateLayer::new(gate()))).await;
    let proof = owner.proof(&format!("http://127.0.0.1:{port}/notes"), &token, "5");
    let answer = send(port, "/notes", &[("Authorization", &authorization), ("DPoP", &proof)]).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "replay-unavailable"));
}

#[tokio::test]
async fn a_token_in_a_cookie_is_taken_out_and_the_others_stay() {
    let key = key();
    let policy = policy(&key, json!({ "credentials": { "cookie": "session" }, "forward": {} }));
    let port = serve(Router::new().fallback(seen).layer(GateLayer::new(Gate::from_json(&policy).unwrap()))).await;
    let cookies = format!("a=1; session={}; b=2", mint(&key, "notes:read", 0));
    let answer = body(&send(port, "/", &[("Cookie", &cookies)]).await);
    assert_eq!((&answer["sub"], &answer["cookie"]), (&json!("ada"), &json!("a=1; b=2")));
    let only = format!("session={}", mint(&key, "notes:read", 0));
    assert_eq!(body(&send(port, "/", &[("Cookie", &only)]).await)["cookie"], Value::Null);
}

#[tokio::test]
async fn a_response_of_the_service_is_its_own() {
    let key = key();
    let layer = GateLayer::new(Gate::from_json(&policy(&key, json!({}))).unwrap());
    let mut headers = HeaderMap::new();
    headers.insert("x-own", "1".parse().unwrap());
    let app = Router::new().route("/", get(async move || (headers, "own"))).layer(layer);
    let port = serve(app).await;
    let token = format!("Bearer {}", mint(&key, "notes:read", 0));
    let answer = send(port, "/", &[("Authorization", &token)]).await;
    assert_eq!((answer.status, answer.header("x-own"), answer.body.as_str()), (200, Some("1"), "own"));
}
