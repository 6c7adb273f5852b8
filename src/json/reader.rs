//! From bytes to values, in one pass.

use std::borrow::Cow;

use super::{JsonError, Object, Value};
use crate::{limits::Limits, time};

/// A text that is being read, once and from the front. Its depth bounds the recursion.
pub(super) struct Reader<'a> {
    text: &'a str,
    /// What is left of it.
    rest: &'a [u8],
    /// How many more levels may be opened.
    depth: usize,
    /// How many more members there may be.
    members: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits) -> Self {
        Reader { text, rest: text.as_bytes(), depth: limits.depth(), members: limits.members() }
    }

    /// One object with nothing but white space around it.
    pub(super) fn document(mut self) -> Result<Object<'a>, JsonError> {
        self.expect(b'{')?;
        let object = self.object()?;
        self.skip_white_space();
        if self.rest.is_empty() { Ok(object) } else { Err(JsonError::Malformed) }
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let (first, rest) = self.rest.split_first().ok_or(JsonError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip_white_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Result<u8, JsonError> {
        self.skip_white_space();
        self.next()
    }

    fn expect(&mut self, token: u8) -> Result<(), JsonError> {
        if self.token()? == token { Ok(()) } else { Err(JsonError::Malformed) }
    }

    /// The text from where `rest` was to where it is.
    fn since(&self, start: &[u8]) -> &'a str {
        let from = self.text.len().saturating_sub(start.len());
        let to = self.text.len().saturating_sub(self.rest.len());
        // Both stand at an ASCII byte or at the end, so that neither cuts a character in two.
        self.text.get(from..to).unwrap_or_default()
    }

    fn value(&mut self) -> Result<Value<'a>, JsonError> {
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
            _ => Err(JsonError::Malformed),
        }
    }

    fn literal(&mut self, letters: &[u8], value: Value<'a>) -> Result<Value<'a>, JsonError> {
        self.rest = self.rest.strip_prefix(letters).ok_or(JsonError::Malformed)?;
        Ok(value)
    }

    fn open(&mut self) -> Result<(), JsonError> {
        self.depth = self.depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
        Ok(())
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// An object whose brace has been read.
    fn object(&mut self) -> Result<Object<'a>, JsonError> {
        self.open()?;
        let mut object = Object(Vec::new());
        let mut token = self.token()?;
        if token != b'}' {
            // Most objects are a token's header or its claims.
            object.0.reserve(10);
            loop {
                if token != b'"' {
                    return Err(JsonError::Malformed);
                }
                let name = self.string()?;
                self.members = self.members.checked_sub(1).ok_or(JsonError::TooManyMembers)?;
                // A linear search: the members are few (Limits::members), and no map is built for
                // them.
                if object.get(&name).is_some() {
                    return Err(JsonError::DuplicateMember);
                }
                self.expect(b':')?;
                let value = self.value()?;
                object.0.push((name, value));
                match self.token()? {
                    b'}' => break,
                    b',' => token = self.token()?,
                    _ => return Err(JsonError::Malformed),
                }
            }
        }
        self.close();
        Ok(object)
    }

    /// An array whose bracket has been read.
    fn array(&mut self) -> Result<Vec<Value<'a>>, JsonError> {
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
                    _ => return Err(JsonError::Malformed),
                }
            }
        }
        self.close();
        Ok(array)
    }

    /// A string whose opening quote has been read.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
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
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    /// What an escape stands for whose backslash has been read.
    fn escape(&mut self) -> Result<char, JsonError> {
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
                    self.rest = self.rest.strip_prefix(b"\\u").ok_or(JsonError::Malformed)?;
                    let low = self.four_digits()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(JsonError::Malformed);
                    }
                    code = 0x1_0000_u32.saturating_add(((code & 0x3ff) << 10) | (low & 0x3ff));
                }
                // Half of a pair is no character.
                char::from_u32(code).ok_or(JsonError::Malformed)?
            }
            _ => return Err(JsonError::Malformed),
        })
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        (0..4).try_fold(0, |code, _| {
            let digit = char::from(self.next()?).to_digit(16).ok_or(JsonError::Malformed)?;
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

    /// STRICTER: numbers of 10³⁰⁸ and more are refused, a little before a double would overflow;
    /// the runtime that is handed the claims would read them as infinite.
    fn number(&mut self) -> Result<Value<'a>, JsonError> {
        let start = self.rest;
        let positive = match self.rest {
            [b'-', rest @ ..] => {
                self.rest = rest;
                false
            }
            _ => true,
        };
        let integer = self.digits();
        if integer.is_empty() || (integer.len() > 1 && integer.starts_with('0')) {
            return Err(JsonError::Malformed);
        }
        let (mut fraction, mut exponent, mut whole) = ("", 0_i64, positive);
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            fraction = self.digits();
            whole = false;
            if fraction.is_empty() {
                return Err(JsonError::Malformed);
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
            return Err(JsonError::Malformed);
        }
        let other = || Value::OtherNumber(self.since(start));
        Ok(integer.parse().ok().filter(|_| whole).map_or_else(other, Value::Integer))
    }

    /// An exponent whose letter has been read; one that is too large for its type is as good as
    /// the largest.
    fn exponent(&mut self) -> Result<i64, JsonError> {
        let negative = self.rest.first() == Some(&b'-');
        if let [b'+' | b'-', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let digits = self.digits();
        if digits.is_empty() {
            return Err(JsonError::Malformed);
        }
        let exponent = time::exponent(digits.as_bytes());
        Ok(if negative { exponent.saturating_neg() } else { exponent })
    }
}
