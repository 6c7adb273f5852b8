//! Where codes may be sent (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1): three kinds of URI, each
//! an exact text.

use crate::document::url;

/// The longest one, in bytes.
const LONGEST: usize = 2000;

/// Checks a redirect URI of the configuration.
///
/// STRICTER than RFC 6749 §3.1.2: a scheme without a dot (`javascript:`, `data:`, `myapp:`)
/// belongs to nobody, or to the browser itself (RFC 8252 §7.1, §8.4); and no `*`, since URIs are
/// compared as they are and whoever writes it expects a pattern.
pub(super) fn check(uri: &str) -> Result<(), &'static str> {
    if uri.len() > LONGEST {
        return Err("must have at most 2000 bytes");
    }
    if uri.contains('*') {
        return Err("must be one exact URI: wildcards are not supported");
    }
    if uri.contains('#') {
        return Err("must have no fragment (RFC 6749 section 3.1.2)");
    }
    if uri.starts_with("https:") || uri.starts_with("http:") {
        return url::check(uri);
    }
    if is_private_use(uri) {
        return Ok(());
    }
    Err("must be https, http on a loopback name, or a private-use scheme that is a domain name in reverse, such as \
         com.example.app:/callback")
}

/// Is the URI of a request the registered one? RFC 9700 §2.1: compared as it is, and never by its
/// beginning. RFC 8252 §7.3: the port of a literal loopback address is the operating system's
/// choice. That of `localhost` is not: the name may belong to another host (RFC 8252 §8.3).
pub(super) fn is_registered(registered: &str, asked: &str) -> bool {
    registered == asked
        || matches!((without_port(registered), without_port(asked)), (Some(one), Some(other)) if one == other)
}

/// The address and what follows the port, of an `http` URI on a literal loopback address.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (host, rest) = ["127.0.0.1", "[::1]"].into_iter().find_map(|host| Some((host, rest.strip_prefix(host)?)))?;
    let (port, tail) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    let is_port = |digits: &str| {
        !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    };
    let is_known = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    // It is sent as a header: a byte that is not plain has no place there.
    (is_known && tail.bytes().all(|byte| byte.is_ascii_graphic())).then_some((host, tail))
}

/// RFC 8252 §7.1: a domain name under the application's control, in reverse order, and a path.
fn is_private_use(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(plain)
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?!$&'()+,;=%".contains(&byte);
    is_scheme
        && scheme.contains('.')
        && scheme.split('.').all(is_label)
        && rest.starts_with('/')
        && rest.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{check, is_registered};

    #[test]
    fn rfc_8252_7_3_the_port_of_a_literal_loopback_address_is_free_and_nothing_else_is() {
        let registered = "http://127.0.0.1/back?a=1";
        for good in ["http://127.0.0.1/back?a=1", "http://127.0.0.1:1/back?a=1", "http://127.0.0.1:65535/back?a=1"] {
            assert!(is_registered(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:/back?a=1",
            "http://127.0.0.1:0/back?a=1",
            "http://127.0.0.1:65536/back?a=1",
            "http://127.0.0.1:+1/back?a=1",
            "http://127.0.0.1:1/back?a=2",
            "http://127.0.0.1:1/back?a=1#",
            "http://127.0.0.1:1/back",
            "http://127.0.0.1:1@evil.example/back?a=1",
            "http://127.0.0.1.evil.example/back?a=1",
            "http://127.0.0.2:1/back?a=1",
            "http://localhost:1/back?a=1",
            "http://[::1]:1/back?a=1",
            "https://127.0.0.1:1/back?a=1",
            "HTTP://127.0.0.1:1/back?a=1",
        ] {
            assert!(!is_registered(registered, bad), "{bad}");
        }
        assert!(is_registered("http://[::1]:8080/", "http://[::1]:9/"));
        assert!(!is_registered("http://localhost:8080/", "http://localhost:9/"));
        assert!(!is_registered("https://app.example/back", "https://app.example:8443/back"));
    }

    #[test]
    fn a_redirect_uri_is_https_or_loopback_or_a_domain_in_reverse() {
        for good in [
            "https://app.example/back",
            "https://app.example/back?a=1",
            "https://app.example:8443/",
            "http://127.0.0.1:8080/back",
            "http://[::1]/back",
            "http://localhost/back",
            "com.example.app:/oauth2redirect/example-provider",
            "com.example.my-app://callback",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "JavaScript:/alert(1)",
            "data:text/html,x",
            "vbscript:/x",
            "file:///etc/passwd",
            "blob:https://app.example/x",
            "about:blank",
            "myapp:/callback",
            "myapp://callback",
            "http://app.example/back",
            "https://app.example/back#x",
            "com.example.app:/back#x",
            "https://user@app.example/back",
            "https://user:pass@app.example/back",
            "com.example.app://user@host/back",
            "https://*.app.example/back",
            "https://app.example/*",
            "com.example.app:/*",
            "com.example.app:callback",
            "com..example:/x",
            ".com.example:/x",
            "com.example.:/x",
            "Com.Example.App:/x",
            "1com.example:/x",
            "com.-example:/x",
            "com.example.app:/a b",
            "com.example.app:/\u{e9}",
            "//app.example/back",
            "/back",
            "app.example/back",
            "https:app.example",
            "https://",
            "https://app.example\\@evil.example/",
            " https://app.example/",
            "https://app.example/\n",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("https://app.example/{}", "a".repeat(2000))).is_err());
    }
}
