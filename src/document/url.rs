//! URLs that may be fetched or called: everything secret or trusted travels over TLS.

/// Names that lead to this machine and to no other (RFC 6761 §6.3, RFC 5735 §3, RFC 4291 §2.5.3).
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A URL's scheme and what follows `://`.
pub(crate) fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = crate::text::cut(url, b':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// Is it an absolute https URL, or http on a loopback name, that every parser reads alike?
///
/// STRICTER than RFC 3986: no user information, no fragment, no white space or other characters
/// that parsers mend in different ways; the scheme is in lower case.
pub(crate) fn check(url: &str) -> Result<(), &'static str> {
    check_among(url, &[])
}

/// The same, or http on one of these hosts: a name, or `*.` and the end of one.
pub(crate) fn check_among(url: &str, hosts: &[&str]) -> Result<(), &'static str> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("must begin with https://"),
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(byte);
    let end = rest.bytes().position(|byte| byte == b'/' || byte == b'?').unwrap_or(rest.len());
    let (host, port) = split_port(rest.get(..end).unwrap_or_default());
    if !is_host(host) || !is_port(port) || !rest.as_bytes().iter().all(plain) {
        return Err("must be a URL without userinfo, fragment or spaces");
    }
    if !secure && !LOOPBACK.contains(&host) && !is_among(host, hosts) {
        return Err(
            "must begin with https://, or with http:// on localhost, 127.0.0.1, [::1] or a host in plainHttpHosts",
        );
    }
    Ok(())
}

/// Is the host one of these? `*.` stands for one label or more.
pub(crate) fn is_among(host: &str, hosts: &[&str]) -> bool {
    hosts.iter().any(|own| match own.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => host == *own,
    })
}

/// Is it a host name or an address, as it stands in a URL?
pub(crate) fn is_host(host: &str) -> bool {
    let bytes = host.as_bytes();
    // Whoever connects reads an address; here it only must not be taken for anything else.
    if let [b'[', address @ .., b']'] = bytes {
        return address.contains(&b':') && address.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte));
    }
    // Labels: none is empty or begins with a hyphen.
    let mut begins = true;
    let label = |byte: &u8| {
        let fits = match byte {
            b'.' | b'-' => !begins,
            _ => byte.is_ascii_alphanumeric() || *byte == b'_',
        };
        begins = *byte == b'.';
        fits
    };
    bytes.iter().all(label) && !begins
}

/// The host, and the port with its colon if there is one.
fn split_port(authority: &str) -> (&str, &str) {
    // The colons within brackets are the address's own.
    let from = authority.bytes().position(|byte| byte == b']').unwrap_or(0);
    let colon = authority.bytes().skip(from).position(|byte| byte == b':');
    let end = colon.map_or(authority.len(), |colon| colon.saturating_add(from));
    (authority.get(..end).unwrap_or_default(), authority.get(end..).unwrap_or_default())
}

fn is_port(port: &str) -> bool {
    match port.as_bytes() {
        [] => true,
        [_, digits @ ..] => (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
    }
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
