//! The three segments (RFC 7515 §7.1).

use std::sync::Arc;

use crate::{
    base64url, json,
    jws::{
        header::{self, Header},
        header_memo::HeaderMemo,
    },
    limits::Limits,
    rejection::{Rejection, Segment},
};

/// A token whose shape is right and whose signature nobody has checked.
///
/// Its payload is kept as bytes: claims can be read from an [`AuthenticToken`](crate::AuthenticToken) only.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    header: Arc<Header>,
    header_segment: &'t str,
    signing_input: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
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
        let (header_segment, payload) = signing_input.split_once('.').unwrap_or_default();
        let header = match memo.header(header_segment) {
            Some(header) => header,
            None => Arc::new(header::read(decode(Segment::Header, header_segment)?, limits)?),
        };
        let payload = decode(Segment::Payload, payload)?;
        let signature = decode(Segment::Signature, signature)?;
        Ok(UnverifiedToken { header, header_segment, signing_input, payload, signature })
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

    /// The payload, of which nothing is known.
    pub(crate) fn payload_unverified(&self) -> &[u8] {
        &self.payload
    }

    /// What is configured for the `iss` that the payload names. Nobody has checked who wrote it.
    pub(crate) fn by_issuer_unverified<T>(&self, limits: &Limits, of: impl Fn(&str) -> Option<T>) -> Option<T> {
        json::read_object(&self.payload, limits).ok()?.get("iss").and_then(json::Value::as_str).and_then(of)
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
pub fn check_length(length: usize, limits: &Limits) -> Result<(), Rejection> {
    match length {
        0 => Err(Rejection::TokenMissing),
        _ if length > limits.token_bytes() => {
            Err(Rejection::TokenTooLarge { limit: limits.token_bytes(), actual: length })
        }
        _ => Ok(()),
    }
}

/// What is signed, and the signature.
fn split(token: &str) -> Result<(&str, &str), Rejection> {
    // Dots are looked for before anything is copied: a megabyte of them costs two passes (CVE-2025-30204).
    let parts = token.rsplit_once('.');
    match parts.and_then(|(signing_input, _)| signing_input.split_once('.')) {
        Some((_, payload)) if !payload.contains('.') => parts,
        _ => None,
    }
    .ok_or_else(|| {
        let dots = token.bytes().filter(|byte| *byte == b'.').count();
        Rejection::SegmentCount { expected: 3, actual: dots.saturating_add(1) }
    })
}

/// Decodes header and claims for display alone, as the texts of two JSON objects. Nobody has checked who wrote them, and none of
/// the rules about a header's members is applied: a token with an unknown `alg` can be looked at too.
///
/// # Errors
/// The codes of the stage `jws` about size, segments and JSON.
pub fn decode_unverified(token: &str, limits: &Limits) -> Result<(String, String), Rejection> {
    check_length(token.len(), limits)?;
    let (signing_input, signature) = split(token)?;
    let (header, payload) = signing_input.split_once('.').unwrap_or_default();
    decode(Segment::Signature, signature)?;
    let text = |part, segment| {
        let bytes = decode(part, segment)?;
        read_part(part, &bytes, limits)?;
        String::from_utf8(bytes).map_err(|_| Rejection::JsonMalformed { part })
    };
    Ok((text(Segment::Header, header)?, text(Segment::Payload, payload)?))
}

/// The `iss` and the `kid` that a token names, if it has an issuer. Nobody has checked who wrote them: they choose between what is configured.
pub(crate) fn names_unverified(token: &str, limits: &Limits) -> Option<(String, Option<String>)> {
    let (header, claims) = decode_unverified(token, limits).ok()?;
    let member = |text: &str, name: &str| {
        let object = json::read_object(text.as_bytes(), limits).ok()?;
        object.get(name).and_then(json::Value::as_str).map(str::to_owned)
    };
    Some((member(&claims, "iss")?, member(&header, "kid")))
}

/// The bytes of a token's first two segments; nothing for one that cannot be decoded. An authorization server may take for a JWT
/// what is none here, by another spelling of its signature, and a thief would choose that one. Nobody has checked who wrote them.
pub(crate) fn leading_parts_unverified(token: &str) -> (Vec<u8>, Vec<u8>) {
    let mut parts = token.split('.').map(|part| base64url::decode(part).unwrap_or_default());
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

fn decode(segment: Segment, text: &str) -> Result<Vec<u8>, Rejection> {
    base64url::decode(text).ok_or(Rejection::SegmentNotBase64url { segment })
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
        for (token, segment) in [
            ("=.e30.AQ", Segment::Header),
            ("eyJhbGciOiJIUzI1NiJ9.e31.AQ", Segment::Payload),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AR", Segment::Signature),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AQ==", Segment::Signature),
        ] {
            assert_eq!(refusal(token), Rejection::SegmentNotBase64url { segment }, "{token}");
        }
    }
}
