//! URLs that may be fetched or called: everything secret or trusted travels over TLS.

/// Names that lead to this machine and to no other (RFC 6761 §6.3, RFC 5735 §3, RFC 4291 §2.5.3).
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Is it an absolute https URL, or http on a loopback name, that every parser reads alike?
///
/// STRICTER than RFC 3986: no user information, no fragment, no white space or other characters that parsers mend in different ways;
/// the scheme is in lower case.
pub(crate) fn check(url: &str) -> Result<(), &'static str> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("must be a URL that begins with https://"),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = split_port(authority);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte);
    if host.is_empty() || !is_host(host) || !port.is_none_or(is_port) || !rest.bytes().all(plain) {
        return Err("must be a URL of a plain host name, without user, fragment and white space");
    }
    if !secure && !LOOPBACK.contains(&host) {
        return Err("must be a URL that begins with https://; http is for localhost, 127.0.0.1 and [::1] alone");
    }
    Ok(())
}

/// Is it a host name or an address, as it stands in a URL?
pub(crate) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // Whoever connects reads the address; here it only must not be taken for anything else.
        Some(address) => {
            address.contains(':') && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => {
            let label = |label: &str| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            };
            host.split('.').all(label)
        }
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons within brackets are the address's own.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_port(port: &str) -> bool {
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn https_and_loopback_by_name_pass() {
        for url in [
            "https://issuer.example",
            "https://issuer.example/",
            "https://issuer.example:8443/a/b?c=d&e=%20",
            "https://[2001:db8::1]:443/jwks",
            "https://a_b.example/~x",
            "http://localhost:8787/jwks",
            "http://localhost",
            "http://127.0.0.1/jwks",
            "http://[::1]:3000/jwks?x",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn plain_http_elsewhere_and_what_parsers_mend_are_refused() {
        for url in [
            "",
            "https://",
            "https:///a",
            "HTTPS://issuer.example",
            "http://issuer.example",
            "http://localhost.issuer.example",
            "http://127.0.0.1.issuer.example",
            "http://127.0.0.2",
            "http://127.1",
            "http://[::]",
            "http://localhost@issuer.example",
            "http://localhost:80@issuer.example/",
            "https://user@issuer.example",
            "https://issuer.example#a",
            "https://issuer.example\\@localhost",
            "http://localhost\\.issuer.example",
            "https://issuer.example/a b",
            " https://issuer.example",
            "https://issuer.example\n",
            "https://issuer..example",
            "https://-issuer.example",
            "https://issuer.example:",
            "https://issuer.example:999999",
            "https://issuer.example:+1",
            "https://[1]",
            "https://[::1",
            "https://issüer.example",
            "ftp://issuer.example",
            "//issuer.example",
            "file:///etc/passwd",
            "data:,x",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
