//! The request-target of HTTP/1.1 and the `:path` of HTTP/2. Routers mend what is malformed, each
//! in its own way: one finds `/admin` in `http://x?/admin`, another `/`. So there is one reading,
//! and anything else is refused.

use crate::binding::uri::Url;

/// Is it the target of a request for that URL? `url` holds the scheme of the connection and the
/// host that the request names.
///
/// A target is in origin form (RFC 9112 §3.2.1), or in absolute form (§3.2.2) with a slash behind
/// its authority.
///
/// STRICTER than RFC 9112: an absolute target names the same origin as the Host header, which
/// §3.2.2 has a server ignore; the asterisk form, which asks about no resource, and the authority
/// form are refused, as are dot segments, which a client removes before it sends.
pub(super) fn is_of(target: &str, url: &str) -> bool {
    let Some((origin, path)) = split(target) else { return false };
    let Some(own) = url.strip_suffix(path) else { return false };
    let Some((_, authority)) = own.split_once("://") else { return false };
    if authority.contains(['/', '?', '#']) || !target.bytes().all(stands_in_a_target) || has_dot_segment(path) {
        return false;
    }
    let same = |origin: &str| Some(Url::parse(origin)?.is_of_origin(&Url::parse(own)?));
    origin.is_none_or(|origin| same(origin) == Some(true))
}

/// The origin of an absolute target, and path and query.
fn split(target: &str) -> Option<(Option<&str>, &str)> {
    if target.starts_with('/') {
        return Some((None, target));
    }
    let (_, rest) = target.split_once("://")?;
    let authority = rest.find(['/', '?', '#', '\\'])?;
    let path = rest.get(authority..).filter(|path| path.starts_with('/'))?;
    Some((Some(target.strip_suffix(path)?), path))
}

/// Visible ASCII; a backslash is a slash to some, and a fragment is never sent (RFC 9110 §7.1).
fn stands_in_a_target(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\' && byte != b'#'
}

fn has_dot_segment(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_target_has_one_reading_or_none() {
        for (target, path) in [
            ("/", "/"),
            ("/a?b=/../c", "/a?b=/../c"),
            ("//a/b", "//a/b"),
            ("/http://x/", "/http://x/"),
            ("http://host/a", "/a"),
            ("HTTP://HOST:80/a?b", "/a?b"),
        ] {
            assert!(is_of(target, &format!("http://host{path}")), "{target}");
        }
        for (target, path) in [
            ("", ""),
            ("", "/"),
            ("*", ""),
            ("*", "/*"),
            ("a", "/a"),
            ("?a", "/?a"),
            ("host:80", "/host:80"),
            ("http://host", "/"),
            ("http://host", ""),
            ("http://host?/a", "/a"),
            ("http://host?/a", "/"),
            ("http://host#/a", "/a"),
            ("http://host\\/a", "/a"),
            ("http:///a", "/a"),
            ("http:/a", "/a"),
            ("http://other/a", "/a"),
            ("http://host:81/a", "/a"),
            ("http://user@host/a", "/a"),
            ("https://host/a", "/a"),
            ("ftp://host/a", "/a"),
            ("http://host/a", "/b"),
            ("/b", "/a/b"),
            ("/a#b", "/a#b"),
            ("/a\\b", "/a\\b"),
            ("/a b", "/a b"),
            ("/a\u{0}", "/a\u{0}"),
            ("/é", "/é"),
            ("/a/../b", "/a/../b"),
            ("/a/%2e%2E", "/a/%2e%2E"),
            ("/./a", "/./a"),
        ] {
            assert!(!is_of(target, &format!("http://host{path}")), "{target} {path}");
        }
    }

    proptest! {
        #[test]
        fn any_target_is_one_or_none(target in "(https?://host)?[/?#*:@a.%2e\\\\-]{0,12}", path in "/[a?#/.]{0,4}") {
            let _ = is_of(&target, &format!("http://host{path}"));
            if is_of(&target, &format!("http://host{target}")) {
                prop_assert!(target.starts_with('/'));
            }
        }
    }
}
