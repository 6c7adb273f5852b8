//! The parameters of a request (RFC 6749 §3.2, appendix B).

use super::error_response::ErrorResponse;
use crate::binding::uri::{form_decoded, has_stray_percent};

/// More parameters than any request here has.
const MOST: usize = 64;

/// Parameters, each once but `resource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    pub(super) fn parse(body: &str) -> Result<Self, ErrorResponse> {
        let form = Form(pairs(body)?);
        // RFC 6749 §3.2: a parameter must not be included more than once, whatever it is.
        match form.repeated() {
            Some(name) => Err(ErrorResponse::request(name, "must not be repeated")),
            None => Ok(form),
        }
    }

    /// The same with what is repeated, for whoever has to say where to before it says so.
    pub(super) fn parse_repeated(text: &str) -> Result<Self, ErrorResponse> {
        pairs(text).map(Form)
    }

    /// Pairs that were read before.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        Form(pairs)
    }

    /// All of them, in their order.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first parameter that is there twice. RFC 8707 §2: `resource` may be.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut rest = self.0.as_slice();
        while let Some(((name, _), others)) = rest.split_first() {
            if name != "resource" && others.iter().any(|(other, _)| other == name) {
                return Some(name);
            }
            rest = others;
        }
        None
    }

    /// Is the parameter there more than once?
    pub(super) fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| known == name).count() > 1
    }

    /// Every value of the parameter that is not empty.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
        values.filter(|value| !value.is_empty())
    }

    /// The parameter. RFC 6749 §3.2: one without a value is one that was left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, ErrorResponse> {
        self.get(name).ok_or_else(|| ErrorResponse::request(name, "is required"))
    }
}

/// Names and values, decoded.
fn pairs(body: &str) -> Result<Vec<(String, String)>, ErrorResponse> {
    let malformed = || ErrorResponse::request("body", "must be application/x-www-form-urlencoded in UTF-8");
    // Another reader might take one of these for something else.
    if !body.bytes().all(|byte| byte.is_ascii_graphic()) || has_stray_percent(body) {
        return Err(malformed());
    }
    let mut pairs = Vec::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| String::from_utf8(form_decoded(text)).map_err(|_| malformed());
        pairs.push((decoded(name)?, decoded(value)?));
        if pairs.len() > MOST {
            return Err(ErrorResponse::request("body", "has too many parameters"));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_written() {
        let form = Form::parse("a=1&b=x+y%20z%2B&c=&d&%65=%C3%A9").unwrap();
        assert_eq!([form.get("a"), form.get("b"), form.get("e")], [Some("1"), Some("x y z+"), Some("é")]);
        assert_eq!([form.get("c"), form.get("d"), form.get("f")], [None, None, None]);
        assert!(form.required("c").is_err());
    }

    #[test]
    fn no_parameter_comes_twice_and_nothing_is_read_in_two_ways() {
        for body in ["a=1&a=1", "a=1&%61=2", "a=&a=1", "a&a", "a=%", "a=%zz", "a=%ff", "a=\u{e9}", "a b=1", "a=1\n"] {
            assert!(Form::parse(body).is_err(), "{body}");
        }
        let many = |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(&many(MOST)).is_ok() && Form::parse(&many(MOST + 1)).is_err());
    }
}
