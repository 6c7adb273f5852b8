//! One exchange with a server outside, within limits.

use wasm_bindgen::JsValue;
use web_sys::{AbortController, Headers, Request, RequestInit, RequestRedirect};

use super::{Outside, body, time::within};

/// What is asked.
pub(super) struct OutsideRequest<'q> {
    pub(super) url: &'q str,
    /// Header fields of the request.
    pub(super) fields: &'q [(&'q str, &'q str)],
    /// A form makes it a POST.
    pub(super) form: Option<&'q str>,
    /// For the whole exchange: connection, header and body.
    pub(super) timeout_ms: u64,
    /// Of the body, decompressed.
    pub(super) max_bytes: u64,
}

/// An answer with status 200.
pub(super) struct OutsideResponse {
    pub(super) text: String,
    headers: Headers,
}

impl OutsideResponse {
    /// A header field; of several the values, with a comma between them.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok().flatten()
    }
}

/// Ends an exchange that nobody waits for any more.
struct Ending(AbortController);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks, and waits for the answer; `None` for any other than a text with status 200.
///
/// No redirect is followed: a policy names the place itself, and whoever can make a server redirect
/// must not choose another.
pub(super) async fn ask<O: Outside>(outside: &O, question: &OutsideRequest<'_>) -> Option<OutsideResponse> {
    let exchange = async {
        let ending = Ending(AbortController::new().ok()?);
        let request = request(question, &ending.0).ok()?;
        let response = outside.fetch(request).await.ok()?;
        if response.status() != 200 || response.redirected() {
            return None;
        }
        let text = body::text(response.body(), question.max_bytes).await?;
        Some(OutsideResponse { text, headers: response.headers() })
    };
    within(question.timeout_ms, exchange).await.flatten()
}

fn request(question: &OutsideRequest<'_>, ending: &AbortController) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in question.fields {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_headers(&headers);
    // workerd knows no `error`.
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&ending.signal()));
    if let Some(form) = question.form {
        init.set_method("POST");
        init.set_body(&JsValue::from_str(form));
    }
    Request::new_with_str_and_init(question.url, &init)
}
