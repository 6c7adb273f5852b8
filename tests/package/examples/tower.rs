use axum::{Extension, Router, routing::get};
use portcullis::{Claims, Gate, tower::GateLayer};

async fn notes(Extension(claims): Extension<Claims>) -> String {
    format!("Hello, {}", claims.sub.unwrap_or_default())
}

pub fn app(policy: &str) -> Result<Router, portcullis::PolicyError> {
    let gate = GateLayer::new(Gate::from_json(policy)?);
    let readers = gate.requiring(r#"{ "scopes": ["notes:read"] }"#)?;
    Ok(Router::new().route("/notes", get(notes).layer(readers)))
}
