//! A middleware that writes another URI is no router that takes its own prefix off: what it wrote
//! is judged as well, or the request is refused.

use axum::{
    Router,
    body::Body,
    extract::{NestedPath, OriginalUri, Request},
    http::{Uri, request::Parts},
    response::Response,
    routing::get,
};
use portcullis::{Gate, tower::GateLayer};
use portcullis_tower_tests::{key, policy};
use serde_json::{Value, json};
use std::convert::Infallible;
use tower::{Layer, Service, ServiceExt, util::MapRequestLayer};
use tower_http::normalize_path::NormalizePathLayer;

/// What the documentation of `with_target` has for axum.
fn asked(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}

/// What the documentation of `with_nested_path` has for axum.
fn nested(parts: &Parts) -> Option<&str> {
    parts.extensions.get::<NestedPath>().map(NestedPath::as_str)
}

/// A layer for a policy in which these paths are public, and all others ask for a token.
fn gate(public: &[&str]) -> GateLayer {
    let routes: Vec<Value> = public.iter().map(|path| json!({ "path": path, "requirement": "public" })).collect();
    let gate = Gate::from_json(&policy(&key(), json!({ "routes": routes }))).unwrap();
    GateLayer::new(gate).with_target(asked)
}

fn told(public: &[&str]) -> GateLayer {
    gate(public).with_nested_path(nested)
}

/// A middleware that puts one prefix in the place of another.
fn writing(
    from: &'static str,
    to: &'static str,
) -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync + 'static> {
    MapRequestLayer::new(move |mut request: Request| {
        if let Some(rest) = request.uri().path().strip_prefix(from) {
            *request.uri_mut() = format!("{to}{rest}").parse().unwrap();
        }
        request
    })
}

/// Handlers that say which they are.
fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "root" }))
        .route("/secret", get(|| async { "secret" }))
        .route("/users", get(|| async { "users" }))
}

/// The body of what is served, or the code of the refusal.
async fn answer<S>(service: S, path: &str) -> String
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let request = Request::builder().uri(path).header("host", "127.0.0.1:1").body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    if status.is_success() {
        return text;
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    problem["code"].as_str().unwrap_or(status.as_str()).to_owned()
}

const MISSING: &str = "authorization-missing";
const MALFORMED: &str = "request-malformed";

#[tokio::test]
async fn a_middleware_that_takes_a_prefix_off_is_no_router() {
    for layer in [gate(&["/open/*"]), told(&["/open/*"])] {
        let inner = writing("/open", "").layer(app().layer(layer));
        let outer = Router::new().fallback_service(inner);
        assert_eq!(answer(outer.clone(), "/open/secret").await, MISSING);
        assert_eq!(answer(outer, "/secret").await, MISSING);
    }
}

#[tokio::test]
async fn nor_is_one_that_leads_everything_to_the_root() {
    for layer in [gate(&["/open/*"]), told(&["/open/*"])] {
        let outer = Router::new().fallback_service(writing("/open/a", "/").layer(app().layer(layer)));
        assert_eq!(answer(outer, "/open/a").await, MISSING);
    }
}

#[tokio::test]
async fn what_a_router_took_off_is_believed_when_it_says_so() {
    let public = ["/open/*", "/open"];
    for (layer, expected) in [(told(&public), "users"), (gate(&public), MISSING)] {
        let outer = Router::new().nest("/open", app().layer(layer));
        assert_eq!(answer(outer.clone(), "/open/users").await, expected);
        assert_eq!(answer(outer.clone(), "/users").await, "404");
    }
    let root = Router::new().nest("/open", app().layer(told(&public)));
    assert_eq!(answer(root, "/open").await, "root");
    let twice = Router::new().nest("/open", Router::new().nest("/x/", app().layer(told(&["/open/x/*"]))));
    assert_eq!(answer(twice, "/open/x/users").await, "users");
    let service = Router::new().nest_service("/open", app().layer(told(&public)));
    assert_eq!(answer(service.clone(), "/open/users").await, "users");
    assert_eq!(answer(service, "/open/").await, "root");
}

#[tokio::test]
async fn below_a_router_the_whole_path_that_is_served_is_judged() {
    // `/open/x/secret` is served as `/open/secret`.
    let inner = |layer: GateLayer| writing("/x", "").layer(app().layer(layer));
    let outer = |layer| Router::new().nest_service("/open", inner(layer));
    assert_eq!(answer(outer(told(&["/open/x/*", "/secret"])), "/open/x/secret").await, MISSING);
    assert_eq!(answer(outer(told(&["/open/x/*", "/open/secret"])), "/open/x/secret").await, MISSING);
    assert_eq!(answer(outer(told(&["/open/x/*", "/open/secret", "/secret"])), "/open/x/secret").await, "secret");
}

#[tokio::test]
async fn a_parameter_in_the_prefix_of_a_router_can_be_anything() {
    let outer = Router::new().nest("/{tenant}", app().layer(told(&["/:tenant/*"])));
    assert_eq!(answer(outer, "/a/users").await, MALFORMED);
    // Around the router nothing was taken off.
    let around = Router::new().nest("/{tenant}", app()).layer(told(&["/:tenant/*"]));
    assert_eq!(answer(around, "/a/users").await, "users");
    // And where the layer itself says what is required, no path is asked.
    let required = told(&["/nothing"]).requiring(r#"{"anonymous":true}"#).unwrap();
    assert_eq!(answer(Router::new().nest("/{tenant}", app().layer(required)), "/a/users").await, "users");
}

#[tokio::test]
async fn before_any_router_what_was_written_is_what_is_judged() {
    // A router takes down what it is asked for; what came before that, nobody knows.
    let inside = writing("/open", "").layer(app().layer(told(&["/open/*", "/users"])));
    assert_eq!(answer(inside.clone(), "/open/secret").await, MISSING);
    assert_eq!(answer(inside, "/open/users").await, "users");
    let around = writing("/open", "").layer(told(&["/open/*", "/users"]).layer(app()));
    assert_eq!(answer(around.clone(), "/open/secret").await, MISSING);
    assert_eq!(answer(around, "/open/users").await, "users");
    // A layer of a router runs when the router has chosen the handler.
    let layered = app().layer(told(&["/open/*", "/users"])).layer(writing("/users", "/open/users"));
    assert_eq!(answer(layered.clone(), "/users").await, "users");
    assert_eq!(answer(layered, "/secret").await, MISSING);
}

#[tokio::test]
async fn a_path_that_is_normalized_is_judged_on_either_side_of_it() {
    let trim = NormalizePathLayer::trim_trailing_slash;
    let public = ["/open/*", "/secret/"];
    let inside = |layer: GateLayer| Router::new().fallback_service(trim().layer(app().layer(layer)));
    let before = |layer: GateLayer| trim().layer(layer.layer(app()));
    let behind = |layer: GateLayer| layer.layer(trim().layer(app()));
    assert_eq!(answer(inside(told(&public)), "/secret/").await, MISSING);
    assert_eq!(answer(before(told(&public)), "/secret/").await, MISSING);
    // The slash at the end is the policy's own, and stands for the path without it.
    for target in ["//secret", "/secret//", "//open/secret"] {
        assert_eq!(answer(inside(told(&public)), target).await, "path-ambiguous", "{target}");
        assert_eq!(answer(behind(told(&public)), target).await, "path-ambiguous", "{target}");
    }
    assert_eq!(answer(inside(told(&["/users{/}?"])), "/users/").await, "users");
    assert_eq!(answer(behind(told(&["/users{/}?"])), "/users/").await, "users");
    assert_eq!(answer(behind(told(&["/users"])), "/users/").await, MISSING);
}
