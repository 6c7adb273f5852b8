//! The path that the layer judges is the path that axum serves: under `nest`, with a middleware
//! that writes another URI, and for thousands of targets.

use axum::{
    Router,
    extract::{OriginalUri, Path, Request},
    http::request::Parts,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use portcullis::{Gate, tower::GateLayer};
use portcullis_tower_tests::{key, mint, policy, send, serve};
use serde_json::{Value, json};

fn gate(gate: Value) -> GateLayer {
    GateLayer::new(Gate::from_json(&policy(&key(), gate)).unwrap())
}

/// What the documentation of `with_target` has for axum.
fn asked(parts: &Parts) -> &axum::http::Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}

fn users_are_public() -> Value {
    json!({ "routes": [{ "path": "/users", "requirement": "public" }, { "path": "/open/*", "requirement": "public" }] })
}

#[tokio::test]
async fn under_nest_the_whole_path_is_judged() {
    let inner = || Router::new().route("/users", get(|| async { "users" }));
    let layered = |layer: GateLayer| inner().layer(layer);
    let told = Router::new().nest("/admin", layered(gate(users_are_public()).with_target(asked)));
    let twice =
        Router::new().nest("/open", Router::new().nest("/x", layered(gate(users_are_public()).with_target(asked))));
    let outside = Router::new().nest("/admin", inner()).layer(gate(users_are_public()).with_target(asked));
    let port = serve(told).await;
    assert_eq!(send(port, "/admin/users", &[]).await.code(), "authorization-missing");
    assert_eq!(send(serve(twice).await, "/open/x/users", &[]).await.status, 200);
    assert_eq!(send(serve(outside).await, "/admin/users", &[]).await.code(), "authorization-missing");
}

#[tokio::test]
async fn routes_do_not_decide_until_the_layer_is_told_where_the_target_is() {
    let app = || Router::new().route("/users", get(|| async { "users" }));
    let silent = Router::new().nest("/admin", app().layer(gate(users_are_public())));
    assert_eq!(send(serve(silent).await, "/admin/users", &[]).await.code(), "request-malformed");
    assert_eq!(
        send(serve(app().layer(gate(users_are_public()))).await, "/users", &[]).await.code(),
        "request-malformed"
    );
    // Where the layer itself says what is required, no path is asked.
    let required = gate(users_are_public()).requiring(r#"{"anonymous":true}"#).unwrap();
    assert_eq!(send(serve(app().layer(required)).await, "/users", &[]).await.status, 200);
    let simple = gate(json!({ "requirement": { "anonymous": true } }));
    assert_eq!(send(serve(app().layer(simple)).await, "/users", &[]).await.status, 200);
}

#[tokio::test]
async fn a_uri_that_a_middleware_wrote_is_judged_beside_the_one_that_was_asked_for() {
    async fn rewrite(mut request: Request, next: Next) -> Response {
        if let Some(rest) = request.uri().path().strip_prefix("/open/old-") {
            *request.uri_mut() = format!("/{rest}").parse().unwrap();
        }
        next.run(request).await
    }
    let inner = Router::new()
        .route("/users", get(|| async { "users" }))
        .route("/secret", get(|| async { "secret" }))
        .layer(gate(users_are_public()).with_target(asked));
    let app = Router::new().fallback_service(tower_of(inner, rewrite));
    let port = serve(app).await;
    assert_eq!(send(port, "/open/old-secret", &[]).await.code(), "authorization-missing");
    assert_eq!(send(port, "/open/old-users", &[]).await.body, "users");
}

/// A router in front of which that middleware stands.
fn tower_of<F, Fut>(inner: Router, rewrite: F) -> Router
where
    F: Fn(Request, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    // A router routes before its own layers run: the one inside looks at what the middleware
    // wrote.
    Router::new().fallback_service(inner).layer(from_fn(rewrite))
}

#[tokio::test]
async fn an_absolute_target_names_the_host_of_the_host_header() {
    let app =
        Router::new().route("/users", get(|| async { "users" })).layer(gate(users_are_public()).with_target(asked));
    let port = serve(app).await;
    assert_eq!(send(port, &format!("http://127.0.0.1:{port}/users"), &[]).await.status, 200);
    for target in ["http://127.0.0.2/users", "http://localhost/users", "http://127.0.0.1:1/users"] {
        assert_eq!(send(port, target, &[]).await.code(), "request-malformed", "{target}");
    }
}

/// Handlers say which they are; the policy asks for the scope of that name.
const HANDLERS: [(&str, &str); 6] = [
    ("/", "root"),
    ("/admin", "admin"),
    ("/admin/{*rest}", "below-admin"),
    ("/files/public", "public"),
    ("/files/{name}", "file"),
    ("/a%20b/{x}", "escaped"),
];

#[tokio::test]
async fn no_target_reaches_a_handler_without_what_its_route_requires() {
    let key = key();
    let routes: Vec<Value> = HANDLERS
        .iter()
        .map(|(path, name)| {
            let path = path.replace("{*rest}", "*").replace("{name}", ":name").replace("{x}", ":x");
            json!({ "path": path, "requirement": if *name == "public" { json!("public") } else { json!({ "scopes": [name] }) } })
        })
        .collect();
    let gate =
        Gate::from_json(&policy(&key, json!({ "routes": routes, "requirement": { "scopes": ["nobody"] } }))).unwrap();
    let mut app = Router::new();
    for (path, name) in HANDLERS {
        let answer = move |path: Option<Path<Vec<(String, String)>>>| async move { format!("{name} {path:?}") };
        app = app.route(path, get(answer));
    }
    let port = serve(app.layer(GateLayer::new(gate).with_target(asked))).await;
    let tokens: Vec<(&str, String)> =
        HANDLERS.iter().map(|(_, name)| (*name, format!("Bearer {}", mint(&key, name, 0)))).collect();
    let mut next = random(20_261_126);
    let pieces = [
        "/",
        "/",
        "/admin",
        "/files",
        "/public",
        "/x",
        "/%70ublic",
        "/Admin",
        "%2F",
        "%2f..",
        "/..",
        "/.",
        ";",
        "/;a=b",
        "%25",
        "%00",
        "%5C",
        "/%61dmin",
        "//",
        "?",
        "/a%20b",
        "%",
        "é",
    ];
    let rounds = std::env::var("PORTCULLIS_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500);
    let mut served = 0;
    for _ in 0..rounds {
        let target: String = (0..=next(4)).map(|_| pieces[next(pieces.len())]).collect();
        let target = if target.starts_with('/') { target } else { format!("/{target}") };
        let (name, token) = &tokens[next(tokens.len())];
        let answer = send(port, &target, &[("Authorization", token)]).await;
        if answer.status == 200 {
            served += 1;
            let handler = answer.body.split(' ').next().unwrap_or_default();
            assert!(handler == *name || handler == "public", "{target}: {handler} was reached with the scope {name}");
        }
    }
    assert!(served > rounds / 100, "{served} of {rounds} were served");
}

/// A small generator of numbers, the same each time.
fn random(seed: u32) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    }
}
