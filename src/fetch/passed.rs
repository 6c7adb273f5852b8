//! A request that may go on, and what its handler and its client are told.

use wasm_bindgen::JsValue;
use web_sys::{Headers, Request, RequestInit, Response, ResponseInit};

use super::request::pairs;
use crate::{
    claims::Claims,
    driver::{self, Authorized, DPOP_NONCE, Reply, View, without_cookie},
};

/// A request that passed.
#[derive(Debug)]
pub struct Passed(driver::Passed);

impl Passed {
    pub(super) fn new(passed: driver::Passed) -> Self {
        Passed(passed)
    }

    /// Whose request it is: every claim, the token's header and issuer, and how the client proved
    /// to be the one the token was given to. `None` on a public route, for an anonymous request,
    /// and for a CORS preflight that the policy has passed on.
    #[must_use]
    pub fn authorized(&self) -> Option<&Authorized> {
        self.0.authorized.as_ref()
    }

    /// The registered claims (RFC 7519 §4.1). An authorization server's answer about an opaque
    /// token need not have them all (RFC 7662 §2.2), and there are none then.
    #[must_use]
    pub fn claims(&self) -> Option<Claims> {
        self.authorized()?.registered()
    }

    /// The origin's view of the request: without what the policy strips, and with the claims that
    /// it forwards as headers. It takes over the body of `request`, which cannot be read any more.
    ///
    /// # Errors
    /// The runtime's `TypeError`, when that body was read already.
    pub fn forward(&self, request: &Request) -> Result<Request, JsValue> {
        let view = View::of(&self.0.forward);
        let headers = Headers::new_with_headers(&request.headers())?;
        for (name, value) in pairs(&request.headers()).ok_or("a header field is no text")? {
            if view.drops(&name) {
                headers.delete(&name)?;
            } else if let Some(cookie) = view.cookie().filter(|_| name == "cookie") {
                match without_cookie(&value, cookie) {
                    Some(kept) => headers.set(&name, &kept)?,
                    None => headers.delete(&name)?,
                }
            }
        }
        for (name, value) in view.set() {
            headers.set(name, value)?;
        }
        let init = RequestInit::new();
        init.set_headers(&headers);
        Request::new_with_request_and_init(request, &init)
    }

    /// The handler's response with what its client is told besides: a nonce for the next proof (RFC
    /// 9449 §8.2). Without one it is the same response.
    ///
    /// # Errors
    /// The runtime's `TypeError`, when its body was read already.
    pub fn respond(&self, response: Response) -> Result<Response, JsValue> {
        let Some(nonce) = &self.0.nonce else { return Ok(response) };
        // A response that was fetched cannot be changed.
        let headers = Headers::new_with_headers(&response.headers())?;
        headers.set(DPOP_NONCE, nonce)?;
        let init = ResponseInit::new();
        init.set_status(response.status());
        init.set_status_text(&response.status_text());
        init.set_headers(&headers);
        Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), &init)
    }
}

/// The ready response.
pub(super) fn response(reply: &Reply) -> Response {
    // What no runtime refuses; should one, its client hears nothing, and passes nowhere.
    ready(reply).unwrap_or_else(|_| Response::error())
}

fn ready(reply: &Reply) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &reply.fields {
        headers.append(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(reply.status);
    init.set_headers(&headers);
    Response::new_with_opt_str_and_init(reply.body.as_deref(), &init)
}
