//! A strict JSON reader (RFC 8259): one pass, in which duplicate members, depth and counts are refused at every level and nothing is
//! copied that need not be.
//!
//! It takes what serde_json takes, which is its oracle in the tests; a visitor for that crate took twice the time and four times the
//! wasm, since a float's value, an error's line and column and the like are of no use here.

use std::borrow::Cow;

use crate::limits::Limits;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not UTF-8, not JSON, not an object, or text after its end (RFC 8259).
    Malformed,
    /// One object names a member twice. Parsers differ in which of the two they keep, so neither is right.
    DuplicateMember,
    /// Nested deeper than the limit.
    TooDeep,
    /// More members than the limit.
    TooManyMembers,
}

/// A JSON value that borrows from its text where no escape stands in the way.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number written as a non-negative integer that fits 64 bits.
    Integer(u64),
    /// Any other number. None of the claims this crate reads may be one, so its value is not kept.
    OtherNumber,
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
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The strings, if it is an array of nothing else.
    #[must_use]
    pub fn as_strings(&self) -> Option<Vec<&str>> {
        match self {
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }
}

/// The members of a JSON object, each name once, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Every member, in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

/// Reads one JSON object, whole, under `limits`.
///
/// # Errors
/// The first [`Fault`] met.
pub fn read_object<'a>(text: &'a [u8], limits: &Limits) -> Result<Object<'a>, Fault> {
    let text = core::str::from_utf8(text).map_err(|_| Fault::Malformed)?;
    let mut reader = Reader { text, rest: text.as_bytes(), depth: limits.depth(), members: limits.members() };
    reader.expect(b'{')?;
    let object = reader.object()?;
    reader.skip_white_space();
    if reader.rest.is_empty() { Ok(object) } else { Err(Fault::Malformed) }
}

/// A text that is being read, once and from the front. Its depth bounds the recursion.
struct Reader<'a> {
    text: &'a str,
    /// What is left of it.
    rest: &'a [u8],
    /// How many more levels may be opened.
    depth: usize,
    /// How many more members there may be.
    members: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or(Fault::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip_white_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Result<u8, Fault> {
        self.skip_white_space();
        self.next()
    }

    fn expect(&mut self, token: u8) -> Result<(), Fault> {
        if self.token()? == token { Ok(()) } else { Err(Fault::Malformed) }
    }

    /// The text from where `rest` was to where it is.
    fn since(&self, start: &[u8]) -> &'a str {
        let from = self.text.len().saturating_sub(start.len());
        let to = self.text.len().saturating_sub(self.rest.len());
        // Both stand at an ASCII byte or at the end, so that neither cuts a character in two.
        self.text.get(from..to).unwrap_or_default()
    }

    fn value(&mut self) -> Result<Value<'a>, Fault> {
        self.skip_white_space();
        let start = self.rest;
        match self.next()? {
            b'"' => self.string().map(Value::String),
            b'{' => self.object().map(Value::Object),
            b'[' => self.array().map(Value::Array),
            b't' => self.literal(b"rue", Value::Bool(true)),
            b'f' => self.literal(b"alse", Value::Bool(false)),
            b'n' => self.literal(b"ull", Value::Null),
            b'-' | b'0'..=b'9' => {
                self.rest = start;
                self.number()
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn literal(&mut self, letters: &[u8], value: Value<'a>) -> Result<Value<'a>, Fault> {
        self.rest = self.rest.strip_prefix(letters).ok_or(Fault::Malformed)?;
        Ok(value)
    }

    fn open(&mut self) -> Result<(), Fault> {
        self.depth = self.depth.checked_sub(1).ok_or(Fault::TooDeep)?;
        Ok(())
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// An object whose brace has been read.
    fn object(&mut self) -> Result<Object<'a>, Fault> {
        self.open()?;
        let mut object = Object(Vec::new());
        let mut token = self.token()?;
        if token != b'}' {
            // Most objects are a token's header or its claims.
            object.0.reserve(10);
            loop {
                if token != b'"' {
                    return Err(Fault::Malformed);
                }
                let name = self.string()?;
                self.members = self.members.checked_sub(1).ok_or(Fault::TooManyMembers)?;
                // A linear search: the members are few (Limits::members), and no map is built for them.
                if object.get(&name).is_some() {
                    return Err(Fault::DuplicateMember);
                }
                self.expect(b':')?;
                let value = self.value()?;
                object.0.push((name, value));
                match self.token()? {
                    b'}' => break,
                    b',' => token = self.token()?,
                    _ => return Err(Fault::Malformed),
                }
            }
        }
        self.close();
        Ok(object)
    }

    /// An array whose bracket has been read.
    fn array(&mut self) -> Result<Vec<Value<'a>>, Fault> {
        self.open()?;
        let mut array = Vec::new();
        self.skip_white_space();
        if let [b']', rest @ ..] = self.rest {
            self.rest = rest;
        } else {
            loop {
                array.push(self.value()?);
                match self.token()? {
                    b']' => break,
                    b',' => {}
                    _ => return Err(Fault::Malformed),
                }
            }
        }
        self.close();
        Ok(array)
    }

    /// A string whose opening quote has been read.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let mut text = Cow::Borrowed("");
        loop {
            let start = self.rest;
            let plain = |byte: &u8| *byte != b'"' && *byte != b'\\' && *byte >= 0x20;
            let length = start.iter().take_while(|byte| plain(byte)).count();
            self.rest = start.get(length..).unwrap_or_default();
            match (text.is_empty(), self.since(start)) {
                (true, plain) => text = Cow::Borrowed(plain),
                (false, plain) => text.to_mut().push_str(plain),
            }
            match self.next()? {
                b'"' => return Ok(text),
                b'\\' => text.to_mut().push(self.escape()?),
                // A control character, which no string holds (RFC 8259 §7).
                _ => return Err(Fault::Malformed),
            }
        }
    }

    /// What an escape stands for whose backslash has been read.
    fn escape(&mut self) -> Result<char, Fault> {
        Ok(match self.next()? {
            literal @ (b'"' | b'\\' | b'/') => char::from(literal),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.four_digits()?;
                if (0xd800..0xdc00).contains(&code) {
                    self.rest = self.rest.strip_prefix(b"\\u").ok_or(Fault::Malformed)?;
                    let low = self.four_digits()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(Fault::Malformed);
                    }
                    code = 0x1_0000_u32.saturating_add(((code & 0x3ff) << 10) | (low & 0x3ff));
                }
                // Half of a pair is no character.
                char::from_u32(code).ok_or(Fault::Malformed)?
            }
            _ => return Err(Fault::Malformed),
        })
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        (0..4).try_fold(0, |code, _| {
            let digit = char::from(self.next()?).to_digit(16).ok_or(Fault::Malformed)?;
            Ok((code << 4) | digit)
        })
    }

    fn digits(&mut self) -> &'a str {
        let start = self.rest;
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.since(start)
    }

    /// STRICTER: numbers of 10³⁰⁸ and more are refused, a little before a double would overflow; the runtime that is handed the claims
    /// would read them as infinite.
    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let positive = match self.rest {
            [b'-', rest @ ..] => {
                self.rest = rest;
                false
            }
            _ => true,
        };
        let integer = self.digits();
        if integer.is_empty() || (integer.len() > 1 && integer.starts_with('0')) {
            return Err(Fault::Malformed);
        }
        let (mut fraction, mut exponent, mut whole) = ("", 0_i64, positive);
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            fraction = self.digits();
            whole = false;
            if fraction.is_empty() {
                return Err(Fault::Malformed);
            }
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            whole = false;
            exponent = self.exponent()?;
        }
        // The place of the first digit that is not zero: 0 for units, 1 for tens, −1 for tenths.
        let significant = |digit: char| digit != '0';
        let place = match (integer.find(significant), fraction.find(significant)) {
            (Some(_), _) => i64::try_from(integer.len()).unwrap_or(i64::MAX).saturating_sub(1),
            (None, Some(zeros)) => i64::try_from(zeros).unwrap_or(i64::MAX).saturating_neg().saturating_sub(1),
            (None, None) => i64::MIN,
        };
        if place > i64::MIN && place.saturating_add(exponent) >= 308 {
            return Err(Fault::Malformed);
        }
        Ok(integer.parse().ok().filter(|_| whole).map_or(Value::OtherNumber, Value::Integer))
    }

    /// An exponent whose letter has been read; one that is too large for its type is as good as the largest.
    fn exponent(&mut self) -> Result<i64, Fault> {
        let negative = self.rest.first() == Some(&b'-');
        if let [b'+' | b'-', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let digits = self.digits();
        if digits.is_empty() {
            return Err(Fault::Malformed);
        }
        let exponent = digits.parse::<i32>().unwrap_or(i32::MAX);
        Ok(if negative { i64::from(exponent).saturating_neg() } else { i64::from(exponent) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> Fault {
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
        assert!(object.members().all(|(_, value)| *value == Value::OtherNumber));
    }

    #[test]
    fn refuses_duplicates_at_every_depth_and_through_escapes() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#] {
            assert_eq!(fault(text), Fault::DuplicateMember, "{text}");
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
            assert_eq!(fault(text), Fault::Malformed, "{text}");
        }
        let not_utf8 = [b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
        assert_eq!(read_object(&not_utf8, &Limits::default()), Err(Fault::Malformed));
    }

    #[test]
    fn depth_and_members_stop_at_their_limits() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(read_object(nested(16).as_bytes(), &Limits::default()).is_ok());
        assert_eq!(fault(&nested(17)), Fault::TooDeep);
        assert_eq!(fault(&nested(100_000)), Fault::TooDeep);
        assert_eq!(fault(&format!("{{\"a\":{}", "[".repeat(100_000))), Fault::TooDeep);

        let wide = |members: usize| {
            let members: Vec<_> = (0..members).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read_object(wide(128).as_bytes(), &Limits::default()).is_ok());
        assert_eq!(fault(&wide(129)), Fault::TooManyMembers);
    }

    /// Whether both readers find the same object there, members, strings and integers.
    fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
            (Value::Integer(ours), serde_json::Value::Number(theirs)) => theirs.as_u64() == Some(*ours),
            (Value::OtherNumber, serde_json::Value::Number(theirs)) => theirs.as_u64().is_none(),
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
            (Ok(ours), Ok(theirs)) => same(&Value::Object(ours), &serde_json::Value::Object(theirs)),
            (Err(Fault::Malformed), theirs) => theirs.is_err(),
            // serde_json keeps the last of two.
            (Err(fault), _) => fault != Fault::Malformed,
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
                Err(Fault::Malformed) => prop_assert!(reference.is_err()),
                Err(_) => {}
            }
        }
    }
}
