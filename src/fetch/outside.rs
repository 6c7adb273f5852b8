//! What a gate may have to know from outside while it decides, and how it is found out.

use core::{fmt, future::Future};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};

use super::time;
use crate::driver::UsedProofs;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(request: &Request) -> Result<Promise, JsValue>;
}

/// How we show an authorization server who we are. A policy never holds one.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientProof {
    /// The client's secret, for `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1).
    Secret(String),
    /// A JWT that the client has signed for this request, for `private_key_jwt` (RFC 7523 §2.2).
    Assertion(String),
}

impl fmt::Debug for ClientProof {
    /// Never the proof.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            ClientProof::Secret(_) => "Secret",
            ClientProof::Assertion(_) => "Assertion",
        };
        formatter.debug_tuple(kind).finish_non_exhaustive()
    }
}

/// Does the I/O that a gate's policy asks for. Its futures need not be `Send`: workers have one
/// thread. Whoever hands the gate to other requests must share data and no promise, since workerd
/// ends those of a request with it.
pub trait Outside: 'static {
    /// Sends a request for keys, metadata or an answer about a token: by the runtime's own `fetch`.
    /// Write another one to send it over a service binding.
    ///
    /// # Errors
    /// Whatever the runtime throws; the exchange has failed then.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, JsValue>> {
        async move { JsFuture::from(global_fetch(&request)?).await?.dyn_into() }
    }

    /// What shows an issuer's introspection endpoint who we are (RFC 7662 §2.1). `None`, as here,
    /// leaves it unasked, and requests with opaque tokens are refused with 503.
    fn client_proof(&self, issuer: &str) -> impl Future<Output = Option<ClientProof>> {
        let _ = issuer;
        core::future::ready(None)
    }

    /// Notes a DPoP proof until an instant in seconds since 1970, and says whether it is the first
    /// use of it. `None`, as here, when that cannot be known: the request is refused with 503. One
    /// call must see what another has noted, as a Durable Object does. `issued_at` says when the
    /// proof was made, in seconds since 1970: a store that has forgotten a proof that was made then
    /// or later answers `Some(false)`.
    fn first_use(&self, key: &str, until: u64, issued_at: u64) -> impl Future<Output = Option<bool>> {
        let _ = (key, until, issued_at);
        core::future::ready(None)
    }
}

/// The runtime alone: its `fetch`, the client secrets that it was given, and a memory of proofs.
///
/// Up to 100 000 proofs are remembered, in this instance: where many instances serve one API, a
/// proof can be used once in each. Then write an [`Outside`] with a store that they share.
#[derive(Default)]
pub struct Runtime {
    secrets: BTreeMap<String, String>,
    proofs: Mutex<UsedProofs>,
}

impl Runtime {
    /// The same with the secret that an issuer's introspection endpoint knows us by.
    #[must_use]
    pub fn with_client_secret(mut self, issuer: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.insert(issuer.into(), secret.into());
        self
    }
}

impl Outside for Runtime {
    async fn client_proof(&self, issuer: &str) -> Option<ClientProof> {
        self.secrets.get(issuer).cloned().map(ClientProof::Secret)
    }

    async fn first_use(&self, key: &str, until: u64, issued_at: u64) -> Option<bool> {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.first_use(key, until, issued_at, time::now().get())
    }
}

impl fmt::Debug for Runtime {
    /// Never a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Runtime").finish_non_exhaustive()
    }
}
