//! The Authorization header, by the strict grammar of RFC 6750 §2.1.

use crate::{limits::Limits, rejection::Rejection, text};

/// The longest value that can hold a token, in bytes. A longer one is refused by its length alone,
/// whatever it holds.
pub(crate) const LONGEST: usize = "Bearer ".len().saturating_add(Limits::TOKEN_BYTES_CAP);

/// The token in the value of a request's one Authorization header; `None` when the request has
/// none.
///
/// HTTP stacks join duplicate headers with a comma (RFC 9110 §5.3), which no bearer token
/// contains: a comma therefore means two credentials, and a gate that took either would disagree
/// with a proxy that took the other.
///
/// # Errors
/// The stage `bearer` of [`Rejection`].
pub(crate) fn token<'v>(authorization: Option<&'v str>, limits: &Limits) -> Result<&'v str, Rejection> {
    token_with_scheme(authorization.ok_or_else(Rejection::authorization_missing)?, "Bearer", limits)
}

/// The token behind another scheme of the same grammar.
///
/// # Errors
/// As [`token`].
pub(crate) fn token_with_scheme<'v>(value: &'v str, expected: &str, limits: &Limits) -> Result<&'v str, Rejection> {
    if value.len() > LONGEST {
        return Err(Rejection::TokenTooLarge { limit: limits.token_bytes(), actual: value.len() });
    }
    if value.bytes().any(|byte| byte == b',') {
        return Err(Rejection::AuthorizationAmbiguous);
    }
    let (scheme, token) = text::cut(value, b' ').unwrap_or((value, ""));
    // RFC 9110 §11.1: the scheme, and only the scheme, is case-insensitive.
    if !scheme.eq_ignore_ascii_case(expected) {
        return Err(Rejection::AuthorizationScheme);
    }
    if is_token(token, limits) { Ok(token) } else { Err(Rejection::AuthorizationMalformed) }
}

/// Is it a token of RFC 6750's alphabet? Where segments may be padded, each may.
pub(crate) fn is_token(text: &str, limits: &Limits) -> bool {
    is_b64token(text.as_bytes()) || (limits.padding() && text.as_bytes().split(|byte| *byte == b'.').all(is_b64token))
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(text: &[u8]) -> bool {
    let mut body = text;
    while let [rest @ .., b'='] = body {
        body = rest;
    }
    !body.is_empty() && body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::LONGEST;
    use crate::{limits::Limits, rejection::Rejection};

    #[test]
    fn a_huge_value_is_not_looked_at() {
        let limits = Limits::default();
        for start in ["Bearer ", "Basic ", ",", ""] {
            let value = format!("{start}{}", "a".repeat(LONGEST + 1));
            let refusal = Rejection::TokenTooLarge { limit: limits.token_bytes(), actual: value.len() };
            assert_eq!(super::token(Some(&value), &limits), Err(refusal));
        }
    }

    fn token(value: Option<&str>) -> Result<&str, Rejection> {
        super::token(value, &Limits::default())
    }

    #[test]
    fn takes_one_token_and_any_case_of_the_scheme() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c"] {
            assert_eq!(token(Some(value)), Ok("a.b.c"));
        }
        assert_eq!(token(Some("Bearer abc==")), Ok("abc=="));
    }

    #[test]
    fn tells_missing_ambiguous_foreign_and_malformed_apart() {
        assert_eq!(token(None), Err(Rejection::authorization_missing()));
        for value in ["Bearer a, Bearer b", "Bearer a,b", "Basic x, Bearer y", ","] {
            assert_eq!(token(Some(value)), Err(Rejection::AuthorizationAmbiguous), "{value}");
        }
        for value in ["", "Basic abc", "DPoP abc", "Bearerabc", "Token", " Bearer abc", "Bearer\tabc"] {
            assert_eq!(token(Some(value)), Err(Rejection::AuthorizationScheme), "{value}");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            "Bearer a b",
            "Bearer abc ",
            "Bearer \"abc\"",
            "Bearer =",
            "Bearer a=b",
            "Bearer a\r\nb",
        ] {
            assert_eq!(token(Some(value)), Err(Rejection::AuthorizationMalformed), "{value}");
        }
    }
}
