import { AUDIENCE, apiPolicy, type Files, type Filling, ISSUER, json } from './common.js';

/** Apart, since its files are the project's and none of ours. */
const SOURCES = 'src';

const MAIN = `//! An API with axum, whose routes a gate guards. policy.json says whose tokens count.

use axum::{Extension, Router, routing::get};
use portcullis::{Claims, Gate, tower::GateLayer};
use tokio::net::TcpListener;

async fn notes(Extension(claims): Extension<Claims>) -> String {
    format!("Hello, {}\\n", claims.sub.unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gate = GateLayer::new(Gate::from_json(include_str!("../policy.json"))?);
    let readers = gate.requiring(r#"{ "scopes": ["notes:read"] }"#)?;
    let app = Router::new()
        .route("/notes", get(notes).layer(readers))
        .route("/health", get(|| async { "ok\\n" }));

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
`;

const TOKEN = `//! Prints an access token for development: cargo run --quiet --bin token
//! Your identity provider signs the real ones: then delete this file, signing-key.jwk and the
//! feature \`issuer\`, and write the provider into policy.json.

use std::time::SystemTime;

use portcullis::UnixSeconds;
use portcullis::issuer::{AccessTokenRequest, SigningKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scope = std::env::args().nth(1).unwrap_or_else(|| "notes:read".into());
    let request = format!(
        r#"{{"issuer":"${ISSUER}","audience":"${AUDIENCE}","subject":"alice","clientId":"dev","scope":"{scope}"}}"#
    );
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let key = SigningKey::from_private_jwk(include_str!("../../signing-key.jwk"))?;
    let now = UnixSeconds::new(now).ok_or("the clock is past the year 9999")?;
    println!("{}", AccessTokenRequest::from_json(&request)?.sign(&key, now)?);
    Ok(())
}
`;

const cargo = (version: string): string => `[package]
name = "my-axum"
version = "0.1.0"
edition = "2024"
publish = false
default-run = "my-axum"

[dependencies]
axum = { version = "0.8", default-features = false, features = ["http1", "tokio"] }
# \`issuer\` is for ${SOURCES}/bin/token.rs alone.
portcullis = { version = "${version}", features = ["tower", "issuer"] }
tokio = { version = "1", default-features = false, features = ["macros", "net", "rt"] }
`;

const README = `# Rust with axum

\`\`\`sh
cargo run
curl -i http://127.0.0.1:3000/notes
curl -i http://127.0.0.1:3000/notes -H "Authorization: Bearer $(cargo run --quiet --bin token)"
\`\`\`

The first answer is 401, the second one \`Hello, alice\`. Before you deploy, add the origin that clients
use to \`gate.origins\` in policy.json.
`;

export function axumProject({ version, signingKey, jwks }: Filling): Files {
  return {
    'Cargo.toml': cargo(version),
    [`${SOURCES}/main.rs`]: MAIN,
    [`${SOURCES}/bin/token.rs`]: TOKEN,
    'policy.json': apiPolicy(jwks),
    'signing-key.jwk': json(signingKey),
    '.gitignore': 'target\nsigning-key.jwk\n',
    'README.md': README,
  };
}
