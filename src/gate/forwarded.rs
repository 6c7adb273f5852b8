//! The header `Forwarded` (RFC 7239 §4): what each proxy on the way says of the request it was
//! sent.

/// What one proxy says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// Who connected to it: an address, with a port or without, `unknown`, or a made-up name (§6).
    pub(crate) node: Option<String>,
    /// The scheme it was asked by (§5.4).
    pub(crate) proto: Option<String>,
    /// The `Host` that it was sent (§5.3).
    pub(crate) host: Option<String>,
}

/// The elements in the order in which they were written; `None` for what is no such list. An
/// element that cannot be read may hide where the next one begins.
pub(crate) fn read(text: &str) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    for element in split(text, b',')? {
        let mut hop = Hop::default();
        for pair in split(element, b';')?.into_iter().filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let value = value_of(value)?;
            let member = match name.to_ascii_lowercase().as_str() {
                "for" => &mut hop.node,
                "proto" => &mut hop.proto,
                "host" => &mut hop.host,
                name if !name.is_empty() && name.bytes().all(is_tchar) => continue,
                _ => return None,
            };
            // §4: each parameter once in an element.
            if member.replace(value).is_some() {
                return None;
            }
        }
        // RFC 9110 §5.6.1.2: empty elements of a list mean nothing.
        if !element.is_empty() {
            hops.push(hop);
        }
    }
    Some(hops)
}

/// The parts between separators that stand outside of quotes, trimmed.
fn split(text: &str, separator: u8) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut begin, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(text.get(begin..at)?.trim_matches([' ', '\t']));
                begin = at.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..)?.trim_matches([' ', '\t']));
    (!quoted && !escaped).then_some(parts)
}

/// A token or the inside of a quoted-string (RFC 9110 §5.6.4). Proxies write colons without quotes
/// as well.
fn value_of(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        let plain = |byte: u8| is_tchar(byte) || b":[]".contains(&byte);
        return (!text.is_empty() && text.bytes().all(plain)).then(|| text.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    // Nothing that is read here has to be escaped.
    let plain = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && byte != b'"' && byte != b'\\';
    inner.bytes().all(plain).then(|| inner.to_owned())
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let nodes = |text: &str| -> Vec<String> {
            read(text).unwrap().into_iter().map(|hop| hop.node.unwrap_or_default()).collect()
        };
        assert_eq!(nodes("for=\"_gazonk\""), ["_gazonk"]);
        assert_eq!(nodes("For=\"[2001:db8:cafe::17]:4711\""), ["[2001:db8:cafe::17]:4711"]);
        assert_eq!(nodes("for=192.0.2.60;proto=http;by=203.0.113.43"), ["192.0.2.60"]);
        assert_eq!(nodes("for=192.0.2.43, for=198.51.100.17"), ["192.0.2.43", "198.51.100.17"]);
        assert_eq!(nodes("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown").len(), 3);
        assert_eq!(nodes("for=_hidden, , for=_SEVKISEK"), ["_hidden", "_SEVKISEK"]);
        assert_eq!(read(""), Some(Vec::new()));
        let hop = Hop { node: None, proto: Some("https".into()), host: Some("a, b; c".into()) };
        assert_eq!(read("proto=https;host=\"a, b; c\""), Some(vec![hop]));
    }

    #[test]
    fn what_has_two_readings_is_none() {
        for text in [
            "for=\"192.0.2.43",
            "for=192.0.2.43\"",
            "for=1.1.1.1;for=2.2.2.2",
            "for",
            "for=",
            "=a",
            "for=a b",
            "for=\"a\\\"b\"",
            "f or=a",
            "for=\"a\"b",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "[for=protohs;, \"\\\\\\[\\]:1.]{0,40}", any in ".{0,40}") {
            let _ = (read(&text), read(&any));
        }
    }
}
