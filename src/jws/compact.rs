//! The three segments (RFC 7515 §7.1).

use std::sync::Arc;

use crate::{
    base64url, json,
    jws::{
        header::{self, Header},
        header_memo::HeaderMemo,
    },
    limits::Limits,
    rejection::{NotBase64url, Rejection, Segment},
    text,
};

/// A token whose shape is right and whose signature nobody has checked.
///
/// Its payload is kept as bytes: claims can be read from an
/// [`AuthenticToken`](crate::AuthenticToken) only.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    header: Arc<Header>,
    header_segment: &'t str,
    signing_input: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
    padded: Option<Segment>,
}

impl<'t> UnverifiedToken<'t> {
    /// Splits and decodes a compact serialization and reads its header.
    ///
    /// # Errors
    /// The stage `jws` of [`Rejection`].
    pub fn parse(token: &'t str, limits: &Limits) -> Result<Self, Rejection> {
        Self::parse_with(token, limits, &HeaderMemo::default())
    }

    /// [`parse`](Self::parse), but a header that `memo` knows is not read again.
    pub(crate) fn parse_with(token: &'t str, limits: &Limits, memo: &HeaderMemo) -> Result<Self, Rejection> {
        check_length(token.len(), limits)?;
        let (signing_input, signature) = split(token)?;
        let (header_segment, payload) = text::cut(signing_input, b'.').unwrap_or_default();
        let header = match memo.header(header_segment) {
            Some(header) => header,
            None => Arc::new(header::read(decode(Segment::Header, header_segment, limits)?, limits)?),
        };
        let payload = decode(Segment::Payload, payload, limits)?;
        let signature = decode(Segment::Signature, signature, limits)?;
        let padded = if limits.padding() { first_padded(token) } else { None };
        Ok(UnverifiedToken { header, header_segment, signing_input, payload, signature, padded })
    }

    /// The header. It has been read, not believed.
    #[must_use]
    pub fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// The header's base64url text.
    pub(crate) fn header_segment(&self) -> &'t str {
        self.header_segment
    }

    /// The first segment that has padding, which the limits allow.
    pub(crate) fn padded(&self) -> Option<Segment> {
        self.padded
    }

    pub(crate) fn with_payload(self, payload: Vec<u8>) -> Self {
        UnverifiedToken { payload, ..self }
    }

    /// The payload, of which nothing is known.
    pub(crate) fn payload_unverified(&self) -> &[u8] {
        &self.payload
    }

    /// What is configured for the `iss` that the payload names, or for its naming none. Nobody has
    /// checked who wrote it.
    pub(crate) fn by_issuer_unverified<T>(&self, limits: &Limits, of: impl Fn(Option<&str>) -> Option<T>) -> Option<T> {
        match json::read_object(&self.payload, limits).ok()?.get("iss") {
            None | Some(json::Value::Null) => of(None),
            Some(iss) => of(Some(iss.as_str()?)),
        }
    }

    /// What the signature covers (RFC 7515 §5.2 step 8).
    pub(crate) fn signing_input(&self) -> &'t str {
        self.signing_input
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(crate) fn into_header_and_payload(self) -> (Arc<Header>, Vec<u8>) {
        (self.header, self.payload)
    }
}

/// Refuses by length alone, so that a caller who must copy a token can ask before it does.
///
/// # Errors
/// `token-missing`, `token-too-large`.
pub(crate) fn check_length(length: usize, limits: &Limits) -> Result<(), Rejection> {
    match length {
        0 => Err(Rejection::TokenMissing),
        _ if length > limits.token_bytes() => {
            Err(Rejection::TokenTooLarge { limit: limits.token_bytes(), actual: length })
        }
        _ => Ok(()),
    }
}

fn first_padded(token: &str) -> Option<Segment> {
    let names = [Segment::Header, Segment::Payload, Segment::Signature];
    let segments = token.as_bytes().split(|byte| *byte == b'.');
    segments.zip(names).find(|(text, _)| text.ends_with(b"=")).map(|(_, name)| name)
}

/// What is signed, and the signature.
fn split(token: &str) -> Result<(&str, &str), Rejection> {
    // Dots are looked for before anything is copied: a megabyte of them costs two passes
    // (CVE-2025-30204).
    let last = token.bytes().rposition(|byte| byte == b'.');
    let parts = last.and_then(|at| Some((token.get(..at)?, token.get(at.saturating_add(1)..)?)));
    match parts.and_then(|(signing_input, _)| text::cut(signing_input, b'.')) {
        Some((_, payload)) if !payload.bytes().any(|byte| byte == b'.') => parts,
        _ => None,
    }
    .ok_or_else(|| {
        let dots = token.bytes().filter(|byte| *byte == b'.').count();
        Rejection::SegmentCount { expected: 3, actual: dots.saturating_add(1) }
    })
}

/// Decodes header and claims for display alone, as the texts of two JSON objects. Nobody has
/// checked who wrote them, and none of the rules about a header's members is applied: a token with
/// an unknown `alg` can be looked at too.
///
/// # Errors
/// The codes of the stage `jws` about size, segments and JSON.
pub fn decode_unverified(token: &str, limits: &Limits) -> Result<(String, String), Rejection> {
    check_length(token.len(), limits)?;
    let (signing_input, signature) = split(token)?;
    let (header, payload) = text::cut(signing_input, b'.').unwrap_or_default();
    decode(Segment::Signature, signature, limits)?;
    let text = |part, segment| {
        let bytes = decode(part, segment, limits)?;
        read_part(part, &bytes, limits)?;
        String::from_utf8(bytes).map_err(|_| Rejection::JsonMalformed { part })
    };
    Ok((text(Segment::Header, header)?, text(Segment::Payload, payload)?))
}

/// The `iss` and the `kid` that a token names, if it names them; `None` for a token whose `iss` is
/// no string. Nobody has checked who wrote them: they choose between what is configured.
pub(crate) fn names_unverified(token: &str, limits: &Limits) -> Option<(Option<String>, Option<String>)> {
    let (header, claims) = decode_unverified(token, limits).ok()?;
    let member = |text: &str, name: &str| {
        let object = json::read_object(text.as_bytes(), limits).ok()?;
        Some(match object.get(name) {
            None | Some(json::Value::Null) => None,
            Some(value) => Some(value.as_str()?.to_owned()),
        })
    };
    Some((member(&claims, "iss")?, member(&header, "kid").flatten()))
}

/// The bytes of a token's first two segments; nothing for one that cannot be decoded. An
/// authorization server may take for a JWT what is none here, by another spelling of its
/// signature, and a thief would choose that one. Nobody has checked who wrote them.
pub(crate) fn leading_parts_unverified(token: &str) -> (Vec<u8>, Vec<u8>) {
    let mut parts = token.split('.').map(|part| base64url::decode(base64url::unpadded(part)).unwrap_or_default());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Reads a decoded part as a JSON object, naming the part in what is refused.
pub(crate) fn read_part<'a>(part: Segment, text: &'a [u8], limits: &Limits) -> Result<json::Object<'a>, Rejection> {
    json::read_object(text, limits).map_err(|fault| match fault {
        json::JsonError::Malformed => Rejection::JsonMalformed { part },
        json::JsonError::DuplicateMember => Rejection::JsonDuplicateMember { part },
        json::JsonError::TooDeep => Rejection::JsonTooDeep { part, limit: limits.depth() },
        json::JsonError::TooManyMembers => Rejection::JsonTooManyMembers { part, limit: limits.members() },
    })
}

fn decode(segment: Segment, text: &str, limits: &Limits) -> Result<Vec<u8>, Rejection> {
    let digits = if limits.padding() { base64url::unpadded(text) } else { text };
    base64url::decode(digits).ok_or_else(|| {
        let scheme = text::cut(text, b' ').map_or("", |(scheme, _)| scheme);
        let found = if ["Bearer", "DPoP"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            NotBase64url::Scheme
        } else if text.bytes().any(|digit| matches!(digit, b'\t'..=b'\r' | b' ')) {
            NotBase64url::WhiteSpace
        } else if text.ends_with('=') {
            NotBase64url::Padding
        } else {
            NotBase64url::Other
        };
        Rejection::SegmentNotBase64url { segment, found }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(token: &str) -> Rejection {
        UnverifiedToken::parse(token, &Limits::default()).unwrap_err()
    }

    #[test]
    fn splits_three_segments() {
        // {"alg":"HS256"} . {} . 1 byte
        let token = UnverifiedToken::parse("eyJhbGciOiJIUzI1NiJ9.e30.AQ", &Limits::default()).unwrap();
        assert_eq!(token.signing_input(), "eyJhbGciOiJIUzI1NiJ9.e30");
        assert_eq!(token.signature(), [1]);
    }

    #[test]
    fn decodes_for_display_whatever_the_algorithm() {
        // {"alg":"none"}
        let parts = decode_unverified("eyJhbGciOiJub25lIn0.e30.", &Limits::default()).unwrap();
        assert_eq!(parts, (r#"{"alg":"none"}"#.to_owned(), "{}".to_owned()));
        let refusal = decode_unverified("e30.W10.", &Limits::default()).unwrap_err();
        assert_eq!(refusal, Rejection::JsonMalformed { part: Segment::Payload });
    }

    #[test]
    fn counts_segments_before_anything_else() {
        assert_eq!(refusal(""), Rejection::TokenMissing);
        for (token, actual) in [("a", 1), ("a.b", 2), ("a.b.c.d", 4), ("a.b.c.d.e", 5), ("...", 4)] {
            assert_eq!(refusal(token), Rejection::SegmentCount { expected: 3, actual });
        }
    }

    #[test]
    fn refuses_a_long_token_by_its_length() {
        let dots = ".".repeat(1_000_000);
        assert_eq!(refusal(&dots), Rejection::TokenTooLarge { limit: 8192, actual: 1_000_000 });
    }

    #[test]
    fn names_the_segment_that_is_not_base64url() {
        use NotBase64url::{Other, Padding, Scheme, WhiteSpace};
        for (token, segment, found) in [
            ("+.e30.AQ", Segment::Header, Other),
            ("eyJhbGciOiJIUzI1NiJ9.e31.AQ", Segment::Payload, Other),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AR", Segment::Signature, Other),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AQ==", Segment::Signature, Padding),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AQ\n", Segment::Signature, WhiteSpace),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.AQ", Segment::Header, Scheme),
            ("dpop eyJhbGciOiJIUzI1NiJ9.e30.AQ", Segment::Header, Scheme),
            ("Basic eyJhbGciOiJIUzI1NiJ9.e30.AQ", Segment::Header, WhiteSpace),
        ] {
            assert_eq!(refusal(token), Rejection::SegmentNotBase64url { segment, found }, "{token}");
        }
    }

    #[test]
    fn padding_is_exact_where_it_is_allowed() {
        let limits = Limits::default().with_padding(true);
        let parse = |token: &str| UnverifiedToken::parse(token, &limits).map(|token| token.padded());
        assert_eq!(parse("eyJhbGciOiJIUzI1NiJ9.e30=.AQ=="), Ok(Some(Segment::Payload)));
        assert_eq!(parse("eyJhbGciOiJIUzI1NiJ9.e30.AQ"), Ok(None));
        for token in [
            "eyJhbGciOiJIUzI1NiJ9.e30==.AQ==",
            "eyJhbGciOiJIUzI1NiJ9.e30=.AQ=",
            "eyJhbGciOiJIUzI1NiJ9.e30=.AQ===",
            "eyJhbGciOiJIUzI1NiJ9====.e30=.AQ",
            "eyJhbGciOiJIUzI1NiJ9.e30=.AR==",
            "eyJhbGciOiJIUzI1NiJ9.e3=0.AQ",
            "eyJhbGciOiJIUzI1NiJ9.====.AQ",
        ] {
            assert_eq!(parse(token).unwrap_err().code(), "segment-not-base64url", "{token}");
        }
    }
}
