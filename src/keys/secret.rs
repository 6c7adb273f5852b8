//! Secrets with their encoding spelled out. A text alone could be four different secrets, and none
//! is guessed.

use crate::{
    base64url,
    document::shape::{Kind, Member, Shape},
    json::{Object, Value},
    policy_error::PolicyError,
};

/// What is said to a text without its encoding.
const SPELL_IT_OUT: &str = "must say how the secret is encoded: {\"utf8\": \"…\"}, {\"hex\": \"…\"}, {\"base64\": \"…\"} or {\"base64url\": \"…\"}; found a string";

/// A secret in a document.
pub(crate) const SECRET: Kind = Kind::Either(&Kind::Never(SPELL_IT_OUT), &Kind::Object(&ENCODED));

const ENCODED: Shape = Shape::new(&[
    Member::new("utf8", Kind::Text, "The secret is the bytes of this text in UTF-8."),
    Member::new("hex", Kind::Text, "The secret in hexadecimal digits."),
    Member::new("base64", Kind::Text, "The secret in base64 (RFC 4648 §4), with or without padding."),
    Member::new("base64url", Kind::Text, "The secret in base64url (RFC 4648 §5), with or without padding."),
])
.with_one_of(&["utf8", "hex", "base64", "base64url"]);

/// The bytes of the member `secret`, which is of the kind [`SECRET`], by its value.
///
/// # Errors
/// It is missing, or anything else (`/secret`).
pub(crate) fn of(value: Option<&Value<'_>>) -> Result<Vec<u8>, PolicyError> {
    let value = value.ok_or_else(|| PolicyError::at("secret", "is required"))?;
    let bytes = SECRET.check(value, &[]).and_then(|()| match value {
        Value::Object(secret) => bytes(secret),
        _ => Ok(Vec::new()),
    });
    bytes.map_err(|error| error.within("secret"))
}

fn bytes(secret: &Object<'_>) -> Result<Vec<u8>, PolicyError> {
    let (name, value) = secret.members().next().unwrap_or(("utf8", &Value::Null));
    let text = value.as_str().unwrap_or_default();
    let (bytes, expected) = match name {
        "utf8" => (Some(text.as_bytes().to_vec()), ""),
        "hex" => (hex(text), "must be an even number of hexadecimal digits"),
        "base64" => (base64url::decode_standard(text), "must be base64, of the letters, the digits, \"+\" and \"/\""),
        _ => {
            let expected = "must be base64url, of the letters, the digits, \"-\" and \"_\"";
            (base64url::decode(base64url::unpadded(text)), expected)
        }
    };
    bytes.ok_or_else(|| PolicyError::at(name, expected))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from((digit(*high)? << 4) | digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    fn read(text: &str) -> Result<Vec<u8>, String> {
        of(parse(text).unwrap().get("secret")).map_err(|error| error.to_string())
    }

    #[test]
    fn one_secret_has_four_spellings() {
        for secret in [
            r#"{"utf8":"~~é"}"#,
            r#"{"hex":"7e7EC3a9"}"#,
            r#"{"base64":"fn7DqQ=="}"#,
            r#"{"base64":"fn7DqQ"}"#,
            r#"{"base64url":"fn7DqQ"}"#,
            r#"{"base64url":"fn7DqQ=="}"#,
        ] {
            assert_eq!(read(&format!(r#"{{"secret":{secret}}}"#)).as_deref(), Ok("~~é".as_bytes()), "{secret}");
        }
        assert_eq!(read(r#"{"secret":{"base64":"+/8="}}"#), read(r#"{"secret":{"base64url":"-_8"}}"#));
    }

    #[test]
    fn what_is_not_so_encoded_is_named_and_never_shown() {
        for (secret, start) in [
            (r#""CANARY""#, "/secret: must say how the secret is encoded"),
            (r#"{"hex":"CANARY"}"#, "/secret/hex: must be"),
            (r#"{"hex":"CANARYf"}"#, "/secret/hex: must be"),
            (r#"{"hex":"0x7e"}"#, "/secret/hex: must be"),
            (r#"{"base64":"CANARY-_"}"#, "/secret/base64: must be"),
            (r#"{"base64url":"CANARY+/"}"#, "/secret/base64url: must be"),
            (r#"{"base64url":"CANARY="}"#, "/secret/base64url: must be"),
            (r#"{"base64url":"CANARZ"}"#, "/secret/base64url: must be"),
            (r#"{"base64":"CANARY\n"}"#, "/secret/base64: must be"),
            (r#"{"utf8":""}"#, "/secret/utf8: must not be empty"),
            (r#"{"utf8":"CANARY","hex":"00"}"#, "/secret: must have exactly one of"),
            (r#"{"latin1":"CANARY"}"#, "/secret/latin1: is unknown"),
            ("{}", "/secret: must have exactly one of"),
            ("7", "/secret: must be an object"),
        ] {
            let error = read(&format!(r#"{{"secret":{secret}}}"#)).unwrap_err();
            assert!(error.starts_with(start) && !error.contains("CANARY"), "{secret}: {error}");
        }
    }
}
