//! What the tests share: a policy with a key to sign by, an app over HTTP, and requests that go
//! out as they are written.

use std::{io, time::SystemTime};

use axum::Router;
use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::{Signature, signature::Signer};
use portcullis::issuer::{AccessTokenRequest, SigningKey};
use portcullis::{Alg, UnixSeconds};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "https://api.example";

pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

pub fn key() -> SigningKey {
    SigningKey::generate(Alg::Es256).unwrap()
}

/// The origins of the servers here. A layer that knows nothing of connections takes plain HTTP
/// for these alone.
pub const ORIGINS: [&str; 2] = ["http://127.0.0.1:*", "https://api.example"];

/// A policy that trusts that key, with what else its `gate` shall say.
pub fn policy(key: &SigningKey, mut gate: Value) -> String {
    if gate.get("origins").is_none() {
        gate["origins"] = json!(ORIGINS);
    }
    policy_of(key, gate)
}

/// The same with nothing but what its `gate` shall say.
pub fn policy_of(key: &SigningKey, gate: Value) -> String {
    let jwks: Value = serde_json::from_str(&key.jwks()).unwrap();
    json!({ "issuers": [{ "issuer": ISSUER, "audience": AUDIENCE, "jwks": jwks }], "gate": gate }).to_string()
}

pub fn mint(key: &SigningKey, scope: &str, seconds_ago: u64) -> String {
    mint_with(key, scope, seconds_ago, json!({}))
}

pub fn mint_with(key: &SigningKey, scope: &str, seconds_ago: u64, claims: Value) -> String {
    mint_at(key, scope, now() - seconds_ago, claims)
}

/// A token that is issued at that second.
pub fn mint_at(key: &SigningKey, scope: &str, at: u64, claims: Value) -> String {
    let request = json!({ "issuer": ISSUER, "audience": AUDIENCE, "subject": "ada", "clientId": "tests", "scope": scope,
        "claims": claims });
    let request = AccessTokenRequest::from_json(&request.to_string()).unwrap();
    request.sign(key, UnixSeconds::new(at).unwrap()).unwrap()
}

/// A client with a key of its own (RFC 9449).
pub struct Prover {
    key: p256::ecdsa::SigningKey,
    jwk: Value,
}

impl Prover {
    pub fn new(seed: u8) -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| Base64UrlUnpadded::encode_string(bytes.unwrap());
        let jwk = json!({ "crv": "P-256", "kty": "EC", "x": coordinate(point.x()), "y": coordinate(point.y()) });
        Prover { key, jwk }
    }

    /// The thumbprint of its key (RFC 7638): the members are in the order that it asks for.
    pub fn thumbprint(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.jwk.to_string()))
    }

    pub fn proof(&self, url: &str, token: &str, jti: &str) -> String {
        let ath = Base64UrlUnpadded::encode_string(&Sha256::digest(token));
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        self.sign(&header, &json!({ "htm": "GET", "htu": url, "iat": now(), "jti": jti, "ath": ath }))
    }

    /// Its public key under a name of the caller's choice.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = self.jwk.clone();
        jwk["kid"] = json!(kid);
        jwk
    }

    /// Any token at all.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature: Signature = self.key.sign(input.as_bytes());
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
    }
}

/// An answer, and its headers in lower case.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl TestResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Serves an app by axum on a free port of loopback while the runtime lasts.
pub async fn serve(app: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

/// One request whose lines go out as given.
pub async fn send(port: u16, target: &str, lines: &[(&str, &str)]) -> TestResponse {
    send_by("GET", port, target, lines).await
}

/// The same by another method.
pub async fn send_by(method: &str, port: u16, target: &str, lines: &[(&str, &str)]) -> TestResponse {
    try_send(method, port, target, lines).await.unwrap()
}

async fn try_send(method: &str, port: u16, target: &str, lines: &[(&str, &str)]) -> io::Result<TestResponse> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !lines.iter().any(|(name, _)| *name == "Host") {
        text += &format!("Host: 127.0.0.1:{port}\r\n");
    }
    for (name, value) in lines {
        text += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all((text + "\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Ok(TestResponse { status, headers, body: body.to_owned() })
}
