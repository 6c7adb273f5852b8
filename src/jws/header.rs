//! The JOSE header (RFC 7515 §4): which of its members mean anything here.

use crate::{
    alg::Alg,
    json::Value,
    jws::compact::read_part,
    limits::Limits,
    rejection::{Rejection, Segment},
};

/// Members that would change what the signature covers or how the payload is read. RFC 7797 `b64`
/// needs `crit`, which is refused anyway; it is named here so that a token which forgot `crit` is
/// not read two ways. `zip` and `enc` are of JWE.
const UNSUPPORTED: [&str; 3] = ["b64", "zip", "enc"];

/// A header that was read strictly.
///
/// `jwk`, `jku`, `x5c` and `x5u` are never looked at: a key that arrives with the token it is to
/// check proves nothing.
#[derive(Debug)]
pub struct Header {
    alg: Alg,
    kid: Option<String>,
    typ: Option<String>,
    text: Vec<u8>,
}

impl Header {
    /// The algorithm the token says it was signed with. It is compared with the key's, never
    /// obeyed.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The key's identifier (RFC 7515 §4.1.4). It is compared, and nothing else.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The token's kind (RFC 7515 §4.1.9).
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The header as it was signed: a JSON object.
    #[must_use]
    pub fn text(&self) -> &str {
        // `read` has parsed these bytes as JSON, so they are UTF-8.
        core::str::from_utf8(&self.text).unwrap_or("{}")
    }
}

/// Do two media types in `typ` name one kind? RFC 7515 §4.1.9: "application/" may be left out of
/// one that has no other slash.
pub(crate) fn is_same_type(one: &str, other: &str) -> bool {
    fn short(name: &str) -> &str {
        name.strip_prefix("application/").unwrap_or(name)
    }
    short(one) == short(other)
}

pub(crate) fn read(text: Vec<u8>, limits: &Limits) -> Result<Header, Rejection> {
    if text.len() > limits.header_bytes() {
        return Err(Rejection::HeaderTooLarge { limit: limits.header_bytes(), actual: text.len() });
    }
    let object = read_part(Segment::Header, &text, limits)?;
    if object.get("crit").is_some() {
        return Err(Rejection::CritUnsupported);
    }
    if let Some(member) = UNSUPPORTED.into_iter().find(|name| object.get(name).is_some()) {
        return Err(Rejection::HeaderMemberUnsupported { member });
    }
    let string = |member: &'static str| match object.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_ref())),
        Some(_) => Err(Rejection::HeaderMemberMalformed { member }),
    };
    let alg = string("alg")?.ok_or(Rejection::AlgMissing)?;
    let alg = Alg::from_name(alg).ok_or(Rejection::AlgUnknown)?;
    let kid = string("kid")?.map(str::to_owned);
    let typ = string("typ")?.map(str::to_owned);
    string("cty")?;
    Ok(Header { alg, kid, typ, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, Rejection> {
        read(text.as_bytes().to_vec(), &Limits::default())
    }

    #[test]
    fn reads_alg_kid_and_typ_and_nothing_else() {
        let header = header(r#"{"alg":"ES256","kid":"k","typ":"at+jwt","jwk":{"d":1},"jku":"x"}"#).unwrap();
        assert_eq!((header.alg(), header.kid(), header.typ()), (Alg::Es256, Some("k"), Some("at+jwt")));
    }

    #[test]
    fn application_may_be_left_out_of_a_type_and_nothing_else() {
        assert!(is_same_type("at+jwt", "application/at+jwt") && is_same_type("application/at+jwt", "at+jwt"));
        for other in ["AT+JWT", "Application/at+jwt", "text/at+jwt", "application/application/at+jwt", "at+jwt "] {
            assert!(!is_same_type("at+jwt", other), "{other}");
        }
    }

    #[test]
    fn any_crit_rejects() {
        for crit in ["[]", "[\"exp\"]", "null", "{}", "\"b64\"", "false"] {
            let text = format!(r#"{{"alg":"ES256","crit":{crit}}}"#);
            assert_eq!(header(&text).unwrap_err(), Rejection::CritUnsupported);
        }
    }

    #[test]
    fn refuses_encodings_it_does_not_implement() {
        for member in UNSUPPORTED {
            let text = format!(r#"{{"alg":"ES256","{member}":false}}"#);
            assert_eq!(header(&text).unwrap_err(), Rejection::HeaderMemberUnsupported { member });
        }
    }

    #[test]
    fn an_algorithm_is_a_known_name_or_nothing() {
        assert_eq!(header("{}").unwrap_err(), Rejection::AlgMissing);
        for alg in ["none", "NONE", "es256", "RSA-OAEP", "ES256 "] {
            assert_eq!(header(&format!(r#"{{"alg":"{alg}"}}"#)).unwrap_err(), Rejection::AlgUnknown);
        }
        for (member, text) in [
            ("alg", r#"{"alg":["ES256"]}"#),
            ("alg", r#"{"alg":null}"#),
            ("kid", r#"{"alg":"ES256","kid":1}"#),
            ("typ", r#"{"alg":"ES256","typ":{}}"#),
            ("cty", r#"{"alg":"ES256","cty":[]}"#),
        ] {
            assert_eq!(header(text).unwrap_err(), Rejection::HeaderMemberMalformed { member });
        }
    }

    #[test]
    fn a_long_header_is_refused_before_it_is_parsed() {
        let text = " ".repeat(1025);
        assert_eq!(header(&text).unwrap_err(), Rejection::HeaderTooLarge { limit: 1024, actual: 1025 });
    }
}
