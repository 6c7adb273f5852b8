//! Which pages may read an answer (Fetch §3.2): those of public clients run in browsers, and their
//! origins are configured.

use super::{request::Request, response::Response, settings::Settings};

/// How long a browser may remember a preflight, in seconds.
const REMEMBERED_SECONDS: &str = "600";

/// The answer to a preflight (Fetch §3.2.2).
pub(super) fn preflight() -> Response {
    Response::empty(204)
        .with("access-control-allow-methods", "POST")
        .with("access-control-allow-headers", "content-type, dpop")
        .with("access-control-max-age", REMEMBERED_SECONDS)
}

/// Lets the page that asked read the answer, if it is one of those configured. Never with
/// credentials: no cookie means anything here.
pub(super) fn shared(settings: &Settings, request: &Request, response: Response) -> Response {
    if settings.origins.is_empty() {
        return response;
    }
    let response = response.with("vary", "Origin");
    match request.header("origin").filter(|origin| settings.origins.contains(origin)) {
        None => response,
        Some(origin) => response
            .with("access-control-allow-origin", &origin)
            .with("access-control-expose-headers", "retry-after, www-authenticate"),
    }
}
