//! Forms (application/x-www-form-urlencoded), as OAuth has requests and client credentials written.

/// A form of these pairs.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// One name or value (RFC 6749 appendix B). It leaves ASCII only, and no colon.
pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_as_the_url_standard_says() {
        assert_eq!(encoded("a b:c/é~*"), "a+b%3Ac%2F%C3%A9%7E*");
        assert_eq!(form(&[("a", "1"), ("b c", "&=")]), "a=1&b+c=%26%3D");
    }
}
