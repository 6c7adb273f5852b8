//! What the platform knows of the connection that a request came over.

use core::net::IpAddr;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use web_sys::Request;

/// What the platform knows of the connection a request came over. A request's own word is taken
/// for none of it. Whether the connection is TLS, the request's URL says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Whether the host is known to be ours before a request gets here, because the platform takes
    /// no other. Without, proofs of possession ask for the policy's `gate.origins`.
    pub url_vouched: bool,
    /// The address of its other end.
    pub client_address: Option<IpAddr>,
    /// The client's certificate, in one of the forms of
    /// [`mtls::thumbprint`](crate::binding::mtls::thumbprint).
    pub certificate: Option<String>,
}

impl Connection {
    /// The connection of a request to a Cloudflare Worker: its address by `CF-Connecting-IP`, and
    /// its certificate by `cf.tlsClientAuth` (RFC 8705), as its SHA-256 in hexadecimal.
    ///
    /// Nothing is believed of a request without `cf`, which the platform adds and no client can
    /// write. workerd runs elsewhere as well, where that header is whatever the client wrote.
    #[must_use]
    pub fn of_cloudflare(request: &Request) -> Self {
        let Some(cf) = member(request, "cf") else { return Connection::default() };
        let address = request.headers().get("cf-connecting-ip").ok().flatten();
        Connection {
            url_vouched: true,
            client_address: address.and_then(|address| address.parse().ok()),
            certificate: member(&cf, "tlsClientAuth").and_then(|tls| certificate(&tls)),
        }
    }
}

/// The certificate that was presented, unless it was revoked.
fn certificate(tls: &JsValue) -> Option<String> {
    let text = |name| member(tls, name).and_then(|value| value.as_string());
    let holds = text("certPresented").as_deref() == Some("1") && text("certRevoked").as_deref() != Some("1");
    if holds { text("certFingerprintSHA256") } else { None }
}

/// A member that is there and neither `undefined` nor `null`.
fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    if value.is_undefined() || value.is_null() { None } else { Some(value) }
}
