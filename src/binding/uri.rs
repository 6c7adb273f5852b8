//! Absolute URLs in their normal form (RFC 3986 §6.2.2 and §6.2.3), so that two spellings of one
//! place compare equal.

use core::net::Ipv4Addr;

/// The longest URL that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// An absolute `http` or `https` URL. The fragment is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'u> {
    /// Whether it is `https`.
    pub secure: bool,
    /// Host, in lower case, with a port other than the scheme's own.
    authority: String,
    /// How much of it is the host.
    host_bytes: usize,
    /// Starts with a slash; dot segments are gone, unreserved characters stand for themselves.
    pub path: String,
    /// The path as it was sent, which may be empty.
    written: &'u str,
    /// As it was sent, without the question mark.
    pub query: Option<&'u str>,
}

impl<'u> Url<'u> {
    /// Reads a URL; `None` for what is no absolute URL of HTTP or could be read in two ways: with
    /// user information, a backslash, or anything but visible ASCII.
    #[must_use]
    pub fn parse(text: &'u str) -> Option<Self> {
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, tail) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        let (path, query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (tail, None),
        };
        let (host, port) = host_and_port(authority)?;
        let authority = String::new();
        let mut url = Url { secure, authority, host_bytes: 0, path: normal_path(path), written: path, query };
        url.set_authority(host, port);
        Some(url)
    }

    /// The path as it was sent; `/` for an empty one.
    pub(crate) fn written_path(&self) -> &'u str {
        if self.written.is_empty() { "/" } else { self.written }
    }

    /// Are scheme, host and port the same?
    pub(crate) fn is_of_origin(&self, other: &Url<'_>) -> bool {
        self.secure == other.secure && self.authority == other.authority
    }

    /// The same URL under the scheme that a proxy saw.
    #[must_use]
    pub fn with_scheme(mut self, secure: bool) -> Self {
        self.secure = secure;
        let own = if secure { ":443" } else { ":80" };
        if let Some(host) = self.authority.strip_suffix(own).filter(|host| host.len() == self.host_bytes) {
            self.authority.truncate(host.len());
        }
        self
    }

    /// The same URL on the host that a proxy was asked for, with its port if it names one; `None`
    /// for what is no host.
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Option<Self> {
        let (host, port) = host_and_port(authority)?;
        self.set_authority(host, port);
        Some(self)
    }

    fn set_authority(&mut self, host: &str, port: Option<u16>) {
        let own = if self.secure { 443 } else { 80 };
        self.authority = host.to_ascii_lowercase();
        self.host_bytes = self.authority.len();
        if let Some(port) = port.filter(|port| *port != own) {
            self.authority.push(':');
            self.authority.push_str(&port.to_string());
        }
    }

    /// The same URL below the path that a proxy took off; `None` for what is no path with one
    /// reading. The path as it was sent, by which routes are found, stays.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Option<Self> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
        let segments =
            prefix.strip_prefix('/').map(|path| path.split('/').all(|part| !["", ".", ".."].contains(&part)));
        if !prefix.is_empty() && (segments != Some(true) || !prefix.bytes().all(plain)) {
            return None;
        }
        self.path.insert_str(0, prefix);
        Some(self)
    }

    /// The normal form without query and fragment: what `htu` is compared with (RFC 9449 §4.3
    /// check 9).
    #[must_use]
    pub fn without_query(&self) -> String {
        [if self.secure { "https://" } else { "http://" }, &self.authority, &self.path].concat()
    }

    /// Scheme and authority: what an origin is written as (RFC 6454 §6.2).
    #[must_use]
    pub fn origin(&self) -> String {
        [if self.secure { "https://" } else { "http://" }, &self.authority].concat()
    }

    /// The host, in lower case and without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.get(..self.host_bytes).unwrap_or_default()
    }

    /// Does it name this very machine? By name alone: `localhost`, what is below it (RFC 6761
    /// §6.3), 127.0.0.0/8 and `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let v4 = || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || v4()
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (inner, after) = rest.split_once(']')?;
            let inside = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            if inner.is_empty() || !inner.bytes().all(inside) {
                return None;
            }
            let host = authority.get(..inner.len().checked_add(2)?)?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
            let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(named) {
                return None;
            }
            (host, port)
        }
    };
    match port {
        None | Some("") => Some((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, Some(digits.parse().ok()?))),
        Some(_) => None,
    }
}

/// The normal form of a path: percent-encoded unreserved characters stand for themselves,
/// hexadecimal digits are upper case, and dot segments are gone (RFC 3986 §6.2.2.1 to §6.2.2.3).
/// An empty path is `/`.
#[must_use]
pub fn normal_path(path: &str) -> String {
    without_dot_segments(&normal_escapes(path))
}

pub(crate) fn normal_escapes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        rest = after;
        let Some(byte) = after.get(..2).and_then(hex_byte) else {
            // Not an escape: it stands for itself, as in the URL standard.
            out.push('%');
            continue;
        };
        rest = after.get(2..).unwrap_or_default();
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(after.chars().take(2).map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out.push_str(rest);
    out
}

/// Does a percent sign stand there that is no escape?
pub(crate) fn has_stray_percent(path: &str) -> bool {
    path.split('%').skip(1).any(|after| after.get(..2).and_then(hex_byte).is_none())
}

fn hex_byte(digits: &str) -> Option<u8> {
    // `from_str_radix` takes a sign, too.
    let hex = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// RFC 3986 §5.2.4, on a path that is absolute or empty.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // A path that ends in a dot segment names a directory.
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    ["/", &kept.join("/")].concat()
}

/// The bytes that a text with percent-escapes stands for, where `+` is a space as in a form.
pub(crate) fn form_decoded(text: &str) -> Vec<u8> {
    decoded_bytes(text, b' ')
}

/// The bytes that a path with percent-escapes stands for. What is no escape stands for itself.
pub(crate) fn decoded_escapes(text: &str) -> Vec<u8> {
    decoded_bytes(text, b'+')
}

fn decoded_bytes(text: &str, plus: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let escaped = if first == b'%' { rest.get(1..3).and_then(hex_byte) } else { None };
        let (byte, length) = match escaped {
            Some(byte) => (byte, 3),
            None if first == b'+' => (plus, 1),
            None => (first, 1),
        };
        out.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> String {
        Url::parse(text).map_or("none".to_owned(), |url| url.without_query())
    }

    #[test]
    fn spellings_of_one_place_are_one_text() {
        for (text, expected) in [
            ("HTTPS://API.Example:443/a?b#c", "https://api.example/a"),
            ("https://api.example", "https://api.example/"),
            ("https://api.example?q", "https://api.example/"),
            ("https://api.example:/", "https://api.example/"),
            ("https://api.example:8443/", "https://api.example:8443/"),
            ("http://api.example:80/", "http://api.example/"),
            ("https://api.example:80/", "https://api.example:80/"),
            ("https://api.example/%7euser/%41%2f%2F", "https://api.example/~user/A%2F%2F"),
            ("https://api.example/a/./b/../c", "https://api.example/a/c"),
            ("https://api.example/a/..", "https://api.example/"),
            ("https://api.example/a/%2e%2E/b", "https://api.example/b"),
            ("https://api.example/../../b/.", "https://api.example/b/"),
            ("https://api.example/a//b", "https://api.example/a//b"),
            ("https://api.example/%zz%4", "https://api.example/%zz%4"),
            ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for text in [
            "",
            "/a",
            "https:/a",
            "https:///a",
            "ftp://a/",
            "https://user@a/",
            "https://a\\b/",
            "https://a b/",
            "https://é/",
            "https://a:b/",
            "https://a:70000/",
            "https://[::1/",
            "https://[]/",
            "https://[::1]x/",
            "https://a%2fb/",
            "https://a/\n",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
        assert!(Url::parse(&format!("https://a/{}", "a".repeat(LONGEST))).is_none());
    }

    #[test]
    fn loopback_goes_by_the_name() {
        let loopback = |host: &str| Url::parse(&format!("http://{host}/")).unwrap().is_loopback();
        for host in ["localhost", "LOCALHOST:3000", "app.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:1"] {
            assert!(loopback(host), "{host}");
        }
        for host in ["localhost.example", "notlocalhost", "127.0.0.1.example", "128.0.0.1", "[::2]", "10.0.0.1"] {
            assert!(!loopback(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing_more(path in "(/[a.%~/2eEfF4-]{0,12}){0,4}") {
            let url = format!("https://a.example{path}");
            let once = normal(&url);
            prop_assert!(has_stray_percent(&path) || normal(&once) == once);
            prop_assert!(!once.contains("/../") && !once.contains("/./") && !once.ends_with("/..") && !once.ends_with("/."));
        }

        #[test]
        fn any_text_is_read_or_not(text in ".{0,40}", url in "https?://[a\\[\\]:.%/?#@1-]{0,24}") {
            let _ = Url::parse(&text);
            if let Some(read) = Url::parse(&url) {
                prop_assert!(read.path.starts_with('/'));
                prop_assert!(Url::parse(&read.without_query()).is_some_and(|again| again.path == read.path));
            }
            let _ = form_decoded(&text);
        }
    }
}
