//! Headers in and out: what the gate reads, what it has the origin see, and what it answers.

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri,
    header::{COOKIE, HOST},
    uri::{Authority, PathAndQuery},
};

use crate::{
    driver::{DPOP_NONCE, Reply, View, without_cookie},
    gate::Forward,
};

/// Every field, duplicates included. One that is not all visible ASCII is told as a character that
/// no token, proof or address has.
pub(super) fn pairs(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("\u{fffd}"))).collect()
}

/// The absolute URL by the URI that the client asked for. What is malformed stays so, for the gate
/// to refuse.
pub(super) fn url(uri: &Uri, headers: &HeaderMap, secure: bool) -> String {
    let named = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    // HTTP/2's `:authority`, and the absolute form. STRICTER than RFC 9112 §3.2.2 and RFC 9113
    // §8.3.1, by which Host is ignored then: whoever stands behind us may go by the other one.
    let host = match (uri.authority().map(Authority::as_str), named) {
        (Some(authority), Some(host)) if !is_same_host(authority, host, secure) => return String::new(),
        (Some(authority), _) => authority,
        (None, host) => host.unwrap_or_default(),
    };
    // `Host: api.example/public?` would choose the path by which the gate decides.
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !host.bytes().all(named) || has_dot_segment(uri) {
        return String::new();
    }
    // The authority form (RFC 9112 §3.2.3) has no path.
    let Some(target) = uri.path_and_query().map(PathAndQuery::as_str) else { return String::new() };
    [if secure { "https://" } else { "http://" }, host, target].concat()
}

/// The paths by which a router is about to look for a handler, where they are not the one that was
/// asked for; `None` where that cannot be told.
///
/// That a router took its own prefix off is believed only when it says which one: to a middleware
/// that writes `/secret` for `/open/secret`, nothing else is different.
pub(super) fn served(asked: &Uri, present: &Uri, nested: Option<&str>) -> Option<Vec<String>> {
    let (asked, present) = (asked.path(), present.path());
    let prefix = nested.unwrap_or_default().trim_end_matches('/');
    // What stood where the prefix has a parameter, nobody knows any more.
    if prefix.contains('{') {
        return None;
    }
    let whole = [prefix, present].concat();
    if asked == whole || (asked == prefix && present == "/") {
        return Some(Vec::new());
    }
    Some(if prefix.is_empty() { vec![whole] } else { vec![whole, present.to_owned()] })
}

/// Ports are compared as they stand, but for the scheme's own.
fn is_same_host(one: &str, other: &str, secure: bool) -> bool {
    let own = if secure { ":443" } else { ":80" };
    let plain = |host: &str| host.strip_suffix(own).unwrap_or(host).to_ascii_lowercase();
    plain(one) == plain(other)
}

/// STRICTER than RFC 3986: routers match `/public/../admin` as it stands, and the gate would
/// decide about `/admin`. No client sends one.
fn has_dot_segment(uri: &Uri) -> bool {
    let path = uri.path().to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| segment == "." || segment == "..")
}

/// The origin's view.
pub(super) fn forward(headers: &mut HeaderMap, forward: &Forward) {
    let view = View::of(forward);
    let names: Vec<HeaderName> = headers.keys().filter(|name| view.drops(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    if let Some(cookie) = view.cookie() {
        // One that cannot be read may hold the token, and goes.
        let kept = |value: &HeaderValue| HeaderValue::try_from(without_cookie(value.to_str().ok()?, cookie)?).ok();
        let kept: Vec<HeaderValue> = headers.get_all(COOKIE).iter().filter_map(kept).collect();
        headers.remove(COOKIE);
        for value in kept {
            headers.append(COOKIE, value);
        }
    }
    for (name, value) in view.set() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

/// The ready response.
pub(super) fn response<B: From<String>>(reply: Reply) -> Response<B> {
    let mut response = Response::new(B::from(reply.body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::UNAUTHORIZED);
    for (name, value) in reply.fields {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A nonce for the client's next proof (RFC 9449 §8).
pub(super) fn with_nonce(headers: &mut HeaderMap, nonce: Option<&str>) {
    if let Some(value) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        headers.insert(HeaderName::from_static(DPOP_NONCE), value);
    }
}
