//! A strict JSON reader (RFC 8259): one pass, in which duplicate members, depth and counts are
//! refused at every level and nothing is copied that need not be.
//!
//! It takes what serde_json takes, which is its oracle in the tests; a visitor for that crate took
//! twice the time and four times the wasm, since a float's value, an error's line and column and
//! the like are of no use here.

mod reader;
mod writer;

use std::borrow::Cow;

use crate::{
    limits::Limits,
    time::{NumericDate, UnixSeconds},
};
use reader::Reader;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not UTF-8, not JSON, not an object, or text after its end (RFC 8259).
    Malformed,
    /// One object names a member twice. Parsers differ in which of the two they keep, so neither
    /// is right.
    DuplicateMember,
    /// Nested deeper than the limit.
    TooDeep,
    /// More members than the limit.
    TooManyMembers,
}

/// A JSON value that borrows from its text where no escape stands in the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number written as a non-negative integer that fits 64 bits.
    Integer(u64),
    /// Any other number, as it is written: its value is no float here.
    OtherNumber(&'a str),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl Value<'_> {
    /// The string, if it is one.
    #[must_use]
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one that is not negative.
    #[cfg(feature = "revocation")]
    #[must_use]
    pub(crate) fn as_integer(&self) -> Option<u64> {
        match self {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The instant, if it is a number that is one (RFC 7519 §2).
    pub(crate) fn as_date(&self) -> Option<NumericDate> {
        match self {
            Value::Integer(seconds) => UnixSeconds::new(*seconds).map(NumericDate::whole),
            Value::OtherNumber(text) => NumericDate::of_number(text),
            _ => None,
        }
    }

    /// What kind of value it is, for messages: `a string`.
    #[must_use]
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::OtherNumber(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The strings, if it is an array of nothing else.
    #[must_use]
    pub(crate) fn as_strings(&self) -> Option<Vec<&str>> {
        match self {
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }
}

/// The members of a JSON object, each name once, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// The member of that name.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The member of that name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        self.0.iter_mut().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Adds a member of a name that no other has.
    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        self.0.push((name, value));
    }

    /// Keeps these members.
    pub(crate) fn retain(&mut self, keep: &dyn Fn(&str, &Value<'a>) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// Every member on its own.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        self.0.into_iter()
    }

    /// Every member, in the order of the text.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

/// A value that is compared exactly: what a policy asks of a claim.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A string.
    Text(String),
    /// A non-negative integer.
    Integer(u64),
    /// `true` or `false`
    Boolean(bool),
}

impl Scalar {
    /// The value as one to compare with; `None` for null, arrays, objects and other numbers.
    pub(crate) fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Scalar::Text(text.as_ref().to_owned())),
            Value::Integer(value) => Some(Scalar::Integer(*value)),
            Value::Bool(value) => Some(Scalar::Boolean(*value)),
            Value::Null | Value::OtherNumber(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Is that value the same, of the same type?
    pub(crate) fn is(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Scalar::Text(ours), Value::String(theirs)) => ours == theirs,
            (Scalar::Integer(ours), Value::Integer(theirs)) => ours == theirs,
            (Scalar::Boolean(ours), Value::Bool(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Scalar::Text(text.to_owned())
    }
}

impl From<u64> for Scalar {
    fn from(value: u64) -> Self {
        Scalar::Integer(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Scalar::Boolean(value)
    }
}

/// Reads one JSON object, whole, under `limits`.
///
/// # Errors
/// The first [`JsonError`] met.
pub(crate) fn read_object<'a>(text: &'a [u8], limits: &Limits) -> Result<Object<'a>, JsonError> {
    let text = core::str::from_utf8(text).map_err(|_| JsonError::Malformed)?;
    Reader::new(text, limits).document()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error_of(text: &str) -> JsonError {
        read_object(text.as_bytes(), &Limits::default()).unwrap_err()
    }

    #[test]
    fn reads_what_the_rfc_allows() {
        let object =
            read_object(br#" {"a":1,"b":[true,null,"\u00e9"],"__proto__":{"c":1.5}} "#, &Limits::default()).unwrap();
        assert_eq!(object.get("a"), Some(&Value::Integer(1)));
        assert_eq!(object.get("c"), None);
        assert!(matches!(object.get("__proto__"), Some(Value::Object(_))));
    }

    #[test]
    fn integers_are_told_from_other_numbers() {
        let object = read_object(br#"{"a":-0,"b":1.0,"c":1e3,"d":-1}"#, &Limits::default()).unwrap();
        assert!(object.members().all(|(_, value)| matches!(value, Value::OtherNumber(_))));
    }

    #[test]
    fn refuses_duplicates_at_every_depth_and_through_escapes() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#] {
            assert_eq!(error_of(text), JsonError::DuplicateMember, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_one_object() {
        for text in [
            "",
            "[]",
            "1",
            "\"a\"",
            "null",
            "{",
            "{}x",
            "{}{}",
            "{'a':1}",
            r#"{"a":01}"#,
            r#"{"a":NaN}"#,
            r#"{"a":1,}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"\ud800"}"#,
            "\u{feff}{}",
            "{/**/}",
        ] {
            assert_eq!(error_of(text), JsonError::Malformed, "{text}");
        }
        let not_utf8 = [b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
        assert_eq!(read_object(&not_utf8, &Limits::default()), Err(JsonError::Malformed));
    }

    #[test]
    fn depth_and_members_stop_at_their_limits() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(read_object(nested(16).as_bytes(), &Limits::default()).is_ok());
        assert_eq!(error_of(&nested(17)), JsonError::TooDeep);
        assert_eq!(error_of(&nested(100_000)), JsonError::TooDeep);
        assert_eq!(error_of(&format!("{{\"a\":{}", "[".repeat(100_000))), JsonError::TooDeep);

        let wide = |members: usize| {
            let members: Vec<_> = (0..members).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read_object(wide(128).as_bytes(), &Limits::default()).is_ok());
        assert_eq!(error_of(&wide(129)), JsonError::TooManyMembers);
    }

    /// Whether both readers find the same object there, members, strings and integers.
    fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
            (Value::Integer(ours), serde_json::Value::Number(theirs)) => theirs.as_u64() == Some(*ours),
            (Value::OtherNumber(text), serde_json::Value::Number(theirs)) => {
                theirs.as_u64().is_none() && serde_json::from_str(text).ok().as_ref() == Some(theirs)
            }
            (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
            (Value::Array(ours), serde_json::Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
            }
            (Value::Object(ours), serde_json::Value::Object(theirs)) => {
                ours.0.len() == theirs.len()
                    && ours.members().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
            }
            _ => false,
        }
    }

    fn agrees(text: &str) -> bool {
        let reference = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
        match (read_object(text.as_bytes(), &Limits::DOCUMENT), reference) {
            (Ok(ours), Ok(theirs)) => {
                let written = ours.to_json();
                let again = read_object(written.as_bytes(), &Limits::DOCUMENT);
                again.as_ref() == Ok(&ours) && same(&Value::Object(ours), &serde_json::Value::Object(theirs))
            }
            (Err(JsonError::Malformed), theirs) => theirs.is_err(),
            // serde_json keeps the last of two.
            (Err(fault), _) => fault != JsonError::Malformed,
            (Ok(_), Err(_)) => false,
        }
    }

    #[test]
    fn numbers_and_escapes_are_those_of_serde_json() {
        let texts = [
            "0",
            "-0",
            "00",
            "-",
            "-a",
            "1.",
            ".1",
            "1.5e",
            "1e+",
            "1e5",
            "1E-5",
            "1e+05",
            "0.0e999999999999",
            "1e-999999999999",
            "18446744073709551615",
            "18446744073709551616",
            "1e307",
            "0.1e308",
            "-1e309",
            "10e999999999999",
            "123456789012345678901234567890",
            r#""\u0041\n\/\\\"""#,
            r#""\ud83d\ude00""#,
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\u0041""#,
            r#""\u00e""#,
            r#""\x""#,
            "\"\u{1f600}\"",
            "\"\t\"",
            "\"",
            "[1,]",
            "[,]",
            "[1 2]",
            "[ ]",
            "{ }",
            "{\"b\":1,}",
            "{,}",
            "tru",
            "true",
            "nul",
            "[true,false,null]",
            "\u{a0}1",
        ];
        for text in texts {
            assert!(agrees(&format!("{{\"a\":{text}}}")), "{text}");
            assert!(agrees(&format!(" {{ \"a\" : {text} }} ")), "{text}");
            assert!(agrees(&format!("{{\"a\":[{text},1]}}")), "{text}");
        }
    }

    #[test]
    fn numbers_that_a_double_would_take_for_infinite_are_refused() {
        let number = |text: &str| read_object(format!("{{\"a\":{text}}}").as_bytes(), &Limits::default()).is_ok();
        let long = "9".repeat(308);
        assert!(number(&long) && number("9.9e307") && number("0e400") && number("0.001e310"));
        assert!(!number(&format!("{long}0")) && !number("1e308") && !number("0.001e311") && !number("-1e400"));
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_on_all_of_an_object(text in r#"\{"a":[{}\[\]",:a1\\u0dD8c .eE+tfn-]{0,24}\}"#) {
            prop_assert!(agrees(&text), "{}", text);
        }

        #[test]
        fn agrees_with_serde_json_on_what_it_writes(names in proptest::collection::hash_map(".{0,6}", ".{0,12}", 0..6), number in any::<i64>()) {
            let mut object: serde_json::Map<_, _> = names.into_iter().map(|(name, value)| (name, value.into())).collect();
            object.insert("n".to_owned(), number.into());
            let object = serde_json::json!({ "inner": [object, null, true] });
            prop_assert!(agrees(&object.to_string()) && agrees(&format!("{object:#}")), "{}", object);
        }

        #[test]
        fn agrees_with_serde_json_on_what_is_an_object(text in r#"[{}\[\]",:a1\\u0 .e-]{0,24}"#) {
            let reference = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            match read_object(text.as_bytes(), &Limits::default()) {
                Ok(_) => prop_assert!(reference.is_ok()),
                Err(JsonError::Malformed) => prop_assert!(reference.is_err()),
                Err(_) => {}
            }
        }
    }
}
