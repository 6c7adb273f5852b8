//! A strict JSON reader: serde_json's grammar, with duplicate members, depth and counts refused at every level.

use core::{cell::Cell, fmt};
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

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
    let budget =
        Budget { depth: limits.depth(), members: Cell::new(limits.members()), fault: Cell::new(Fault::Malformed) };
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Seed { budget: &budget, depth: 0 };
    match seed.deserialize(&mut reader) {
        Ok(Value::Object(object)) if reader.end().is_ok() => Ok(object),
        Ok(_) => Err(Fault::Malformed),
        Err(_) => Err(budget.fault.get()),
    }
}

/// What is left of the limits, and which of them was passed: a serde error can carry only text.
struct Budget {
    depth: usize,
    members: Cell<usize>,
    fault: Cell<Fault>,
}

impl Budget {
    fn refuse<E: Error>(&self, fault: Fault) -> E {
        self.fault.set(fault);
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct Seed<'b> {
    budget: &'b Budget,
    depth: usize,
}

impl<'b> Seed<'b> {
    fn nested<E: Error>(self) -> Result<Seed<'b>, E> {
        let depth = self.depth.saturating_add(1);
        if depth > self.budget.depth {
            return Err(self.budget.refuse(Fault::TooDeep));
        }
        Ok(Seed { depth, ..self })
    }

    fn count_member<E: Error>(self) -> Result<(), E> {
        match self.budget.members.get().checked_sub(1) {
            Some(left) => {
                self.budget.members.set(left);
                Ok(())
            }
            None => Err(self.budget.refuse(Fault::TooManyMembers)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Integer(value))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let inner = self.nested()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let inner = self.nested()?;
        let mut object = Object::default();
        while let Some(name) = map.next_key_seed(Name)? {
            self.count_member()?;
            // A linear search: the members are few (Limits::members), and no map is built for them.
            if object.get(&name).is_some() {
                return Err(self.budget.refuse(Fault::DuplicateMember));
            }
            let value = map.next_value_seed(inner)?;
            object.0.push((name, value));
        }
        Ok(Value::Object(object))
    }
}

/// A member's name, borrowed where it can be (serde's own `Cow` always allocates).
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
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

    proptest! {
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
