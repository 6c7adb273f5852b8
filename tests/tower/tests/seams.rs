//! What a request says of itself and a server believes: preflights, the host, and headers that
//! only the gate may set.

use axum::{Router, extract::Request, routing::get};
use portcullis::{
    Gate,
    tower::{Connection, GateLayer, Outside},
};
use portcullis_tower_tests::{Prover, TestResponse, key, mint_with, policy, policy_of, send, send_by, serve};
use serde_json::{Value, json};

const APP: &str = "https://app.example";
const MARKS: [(&str, &str); 2] = [("Origin", APP), ("Access-Control-Request-Method", "PUT")];

/// The names of the headers that a handler sees.
async fn names(request: Request) -> String {
    let names: Vec<&str> = request.headers().keys().map(http_name).collect();
    json!(names).to_string()
}

fn http_name(name: &axum::http::HeaderName) -> &str {
    name.as_str()
}

async fn serving(gate: Value) -> u16 {
    let policy = policy(&key(), gate);
    let layer = GateLayer::new(Gate::from_json(&policy).unwrap()).with_target(|parts| &parts.uri);
    serve(Router::new().fallback(names).layer(layer)).await
}

async fn preflight(port: u16, more: &[(&str, &str)]) -> TestResponse {
    send_by("OPTIONS", port, "/notes", &[&MARKS, more].concat()).await
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_policy_and_reaches_no_handler() {
    let port = serving(json!({ "cors": { "origins": [APP] } })).await;
    let answer = preflight(port, &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, dpop, content-type"));
    let other = [("Origin", "https://attacker.example"), MARKS[1]];
    for (port, lines) in [(port, &other), (serving(json!({})).await, &MARKS)] {
        let answer = send_by("OPTIONS", port, "/notes", lines).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, None));
    }
    let refused = send(port, "/notes", &MARKS[..1]).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some(APP)));
}

#[tokio::test]
async fn a_route_behind_a_layer_of_its_own_answers_preflights_too() {
    let layer = GateLayer::new(Gate::from_json(&policy(&key(), json!({ "cors": { "origins": [APP] } }))).unwrap());
    let port = serve(Router::new().route("/notes", get(names).layer(layer))).await;
    assert_eq!(preflight(port, &[]).await.header("access-control-allow-origin"), Some(APP));
}

#[tokio::test]
async fn a_preflight_with_credentials_or_a_body_is_none() {
    for gate in [json!({}), json!({ "preflight": "pass" }), json!({ "cors": { "origins": [APP] } })] {
        let port = serving(gate).await;
        for more in [
            ("Authorization", "Bearer forged"),
            ("Cookie", "session=forged"),
            ("DPoP", "forged"),
            ("Content-Length", "0004"),
            ("Transfer-Encoding", "chunked"),
        ] {
            assert_eq!(preflight(port, &[more]).await.status, 401, "{more:?}");
        }
    }
}

#[tokio::test]
async fn a_preflight_goes_to_the_handler_where_the_policy_says_so() {
    let port = serving(json!({ "preflight": "pass", "forward": { "claims": { "sub": "x-user" } } })).await;
    let answer = preflight(port, &[("X-User", "a"), ("x_user", "a"), ("X.User", "a"), ("x~user", "a")]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("origin") && !answer.body.contains("user"), "{}", answer.body);
}

#[tokio::test]
async fn what_passes_without_a_token_brings_no_credential_along() {
    let public = json!({ "forward": { "claims": { "sub": "x-user" } },
        "routes": [{ "path": "/*", "requirement": "public" }] });
    let anonymous = json!({ "forward": { "claims": { "sub": "x-user" } }, "requirement": { "anonymous": true } });
    let forged = [("X-User", "a"), ("x_user", "a"), ("X.User", "a"), ("Accept", "*/*"), ("DPoP", "forged")];
    let bearer = [("Authorization", "Bearer forged")];
    for (gate, lines) in [(public, [&forged[..], &bearer[..]].concat()), (anonymous, forged.to_vec())] {
        let answer = send(serving(gate).await, "/notes", &lines).await;
        assert_eq!(answer.status, 200);
        for name in ["user", "authorization", "dpop"] {
            assert!(!answer.body.contains(name), "{name} in {}", answer.body);
        }
        assert!(answer.body.contains("accept"));
    }
}

#[tokio::test]
async fn no_header_of_the_gate_is_for_one_connection_alone() {
    let gate = json!({ "forward": { "claims": { "sub": "x-user" } }, "requirement": { "anonymous": true } });
    let port = serving(gate).await;
    for named in ["X-User", "close, x_user", "authorization", "close x-user", "x-other, é"] {
        let answer = send(port, "/notes", &[("Connection", named)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "request-malformed"), "{named}");
    }
    assert_eq!(send(port, "/notes", &[("Connection", "keep-alive, TE")]).await.status, 200);
}

#[tokio::test]
async fn networks_hold_for_whoever_is_anonymous() {
    let requirement = json!({ "requirement": { "anonymous": true, "networks": ["192.0.2.0/24"] } });
    let policy = policy(&key(), requirement);
    for (address, expected) in [(Some("192.0.2.7"), 200), (Some("203.0.113.9"), 403), (None, 403)] {
        let client_address = address.map(|address| address.parse().unwrap());
        let layer = GateLayer::over(Gate::from_json(&policy).unwrap(), move |_| Connection {
            secure: true,
            client_address,
            ..Connection::default()
        });
        let port = serve(Router::new().fallback(names).layer(layer)).await;
        assert_eq!(send(port, "/", &[("Host", "api.example")]).await.status, expected, "{address:?}");
    }
}

#[tokio::test]
async fn plain_http_is_for_who_is_on_this_machine() {
    let policy = policy_of(&key(), json!({ "requirement": { "anonymous": true } }));
    for (address, expected) in [
        (Some("127.0.0.1"), 200),
        (Some("::ffff:127.0.0.1"), 200),
        (Some("::1"), 200),
        (Some("203.0.113.9"), 403),
        (None, 403),
    ] {
        let client_address = address.map(|address| address.parse().unwrap());
        let layer = GateLayer::over(Gate::from_json(&policy).unwrap(), move |_| Connection {
            client_address,
            ..Connection::default()
        });
        let port = serve(Router::new().fallback(names).layer(layer)).await;
        for host in ["localhost", "127.0.0.1", "[::1]:80"] {
            assert_eq!(send(port, "/", &[("Host", host)]).await.status, expected, "{address:?} {host}");
        }
    }
}

/// Every proof is new.
struct New;

impl Outside for New {
    async fn first_use(&self, _: &str, _: u64) -> Option<bool> {
        Some(true)
    }
}

#[tokio::test]
async fn a_proof_for_another_host_does_not_pass_whatever_the_host_header_says() {
    let key = key();
    let owner = Prover::new(7);
    let token = mint_with(&key, "notes:read", 0, json!({ "cnf": { "jkt": owner.thumbprint() } }));
    let ask = async |gate: Value, url_vouched: bool, host: &str| {
        let gate = Gate::from_json(&policy_of(&key, gate)).unwrap();
        let connection = Connection { secure: true, url_vouched, ..Connection::default() };
        let port =
            serve(Router::new().fallback(names).layer(GateLayer::with(gate, New, move |_| connection.clone()))).await;
        let authorization = format!("DPoP {token}");
        let proof = owner.proof(&format!("https://{host}/notes"), &token, "1");
        let lines = [("Host", host), ("Authorization", &authorization), ("DPoP", &proof)];
        let answer = send(port, "/notes", &lines).await;
        (answer.status, answer.code())
    };
    let pinned = || json!({ "origins": ["https://api.example"] });
    assert_eq!(ask(pinned(), false, "api.example").await.0, 200);
    assert_eq!(ask(pinned(), false, "attacker.example").await, (421, "request-misdirected".to_owned()));
    assert_eq!(ask(pinned(), true, "attacker.example").await, (421, "request-misdirected".to_owned()));
    assert_eq!(ask(json!({}), false, "api.example").await, (500, "dpop-origin-unknown".to_owned()));
    assert_eq!(ask(json!({}), true, "api.example").await.0, 200);
}
