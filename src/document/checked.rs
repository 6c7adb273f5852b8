//! An object that its shape has found right. It alone can be read without errors.

#[cfg(debug_assertions)]
use crate::document::shape::Kind;
use crate::{
    document::shape::Shape,
    json::{Object, Value},
    policy_error::PolicyError,
};

/// An object in which every member is of the kind that its [`Shape`] says, so that `None` means
/// absent.
///
/// A reader that asks for a member which the shape lacks, or for another kind of value, would read
/// a default for ever. In debug builds, and so in every test, that fails an assertion.
#[derive(Clone, Copy)]
pub(crate) struct Checked<'o, 'a> {
    object: &'o Object<'a>,
    #[cfg(debug_assertions)]
    shape: &'static Shape,
}

/// How a member is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Text,
    Texts,
    Number,
    Flag,
    Section,
    Sections,
    Value,
}

impl<'o, 'a> Checked<'o, 'a> {
    /// Only [`Shape::check`] makes one of an object from outside.
    #[cfg_attr(not(debug_assertions), allow(unused_variables, reason = "only assertions look at the shape"))]
    pub(super) fn new(shape: &'static Shape, object: &'o Object<'a>) -> Self {
        Checked {
            object,
            #[cfg(debug_assertions)]
            shape,
        }
    }

    #[cfg_attr(not(debug_assertions), allow(unused_variables, reason = "only assertions look at the kind"))]
    fn get(self, name: &str, reading: Reading) -> Option<&'o Value<'a>> {
        #[cfg(debug_assertions)]
        {
            let member = self.shape.members.iter().find(|member| member.name == name);
            let fits = member.is_some_and(|member| reading == Reading::Value || member.kind.is_read_as(reading));
            assert!(fits, "a reader asks for {reading:?} of {name:?}, which the shape does not have");
        }
        self.object.get(name)
    }

    /// Whether the member is there.
    pub(crate) fn has(self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A member as it stands, for a reader of its own.
    pub(crate) fn value(self, name: &str) -> Option<&'o Value<'a>> {
        self.get(name, Reading::Value)
    }

    /// A string.
    pub(crate) fn text(self, name: &str) -> Option<&'o str> {
        self.get(name, Reading::Text).and_then(Value::as_str)
    }

    /// A string, or an array of them; empty when it is not there.
    pub(crate) fn texts(self, name: &str) -> Vec<&'o str> {
        match self.get(name, Reading::Texts) {
            Some(Value::String(text)) => vec![text.as_ref()],
            other => other.and_then(Value::as_strings).unwrap_or_default(),
        }
    }

    /// The same, each on its own.
    pub(crate) fn strings(self, name: &str) -> Vec<String> {
        self.texts(name).into_iter().map(str::to_owned).collect()
    }

    /// A whole number.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        match self.get(name, Reading::Number) {
            Some(Value::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    /// Whether it is there and `true`.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.get(name, Reading::Flag) == Some(&Value::Bool(true))
    }

    /// An object of a shape.
    pub(crate) fn section(self, name: &str) -> Option<Checked<'o, 'a>> {
        match self.get(name, Reading::Section) {
            Some(Value::Object(object)) => Some(self.inner(name, object)),
            _ => None,
        }
    }

    /// An object of any names, or with a reader of its own.
    pub(crate) fn object(self, name: &str) -> Option<&'o Object<'a>> {
        match self.value(name) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// An array of objects of a shape, each handed to `read` and its errors laid at its index.
    pub(crate) fn each(
        self,
        name: &str,
        read: &mut dyn FnMut(Checked<'o, 'a>) -> Result<(), PolicyError>,
    ) -> Result<(), PolicyError> {
        let Some(Value::Array(items)) = self.get(name, Reading::Sections) else { return Ok(()) };
        for (index, item) in items.iter().enumerate() {
            if let Value::Object(object) = item {
                let result = read(self.inner(name, object));
                result.map_err(|error| error.within(&index.to_string()).within(name))?;
            }
        }
        Ok(())
    }

    /// An object of the shape that the member of that name has.
    #[cfg_attr(not(debug_assertions), allow(unused_variables, clippy::unused_self, reason = "as above"))]
    fn inner(self, name: &str, object: &'o Object<'a>) -> Checked<'o, 'a> {
        Checked {
            object,
            #[cfg(debug_assertions)]
            shape: self
                .shape
                .members
                .iter()
                .find(|member| member.name == name)
                .map_or(self.shape, |member| member.kind.shape().unwrap_or(self.shape)),
        }
    }
}

#[cfg(debug_assertions)]
impl Kind {
    /// Whether what may stand there is read so.
    fn is_read_as(&self, reading: Reading) -> bool {
        match self {
            Kind::Text | Kind::Url | Kind::Template | Kind::Choice(_) | Kind::Algorithm => {
                matches!(reading, Reading::Text | Reading::Texts)
            }
            Kind::Texts => reading == Reading::Texts,
            Kind::Array(kind) => match kind {
                Kind::Object(_) => reading == Reading::Sections,
                kind => reading == Reading::Texts && kind.is_read_as(Reading::Text),
            },
            Kind::Either(one, other) => one.is_read_as(reading) || other.is_read_as(reading),
            Kind::Integer(..) => reading == Reading::Number,
            Kind::Boolean => reading == Reading::Flag,
            Kind::Object(_) => reading == Reading::Section,
            Kind::Never(_) | Kind::Scalar | Kind::Lists | Kind::Map(_) | Kind::Elsewhere => false,
        }
    }

    /// The shape of the objects that may stand there.
    fn shape(&self) -> Option<&'static Shape> {
        match self {
            Kind::Object(shape) => Some(shape),
            Kind::Array(kind) => kind.shape(),
            Kind::Either(one, other) => one.shape().or(other.shape()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{parse, shape::Member};

    const INNER: Shape = Shape::new(&[Member::new("b", Kind::Texts, "")]);
    const OUTER: Shape = Shape::new(&[
        Member::new("a", Kind::Text, ""),
        Member::new("n", Kind::Integer(2, 4), ""),
        Member::new("f", Kind::Boolean, ""),
        Member::new("list", Kind::Array(&Kind::Object(&INNER)), ""),
        Member::new("one", Kind::Object(&INNER), ""),
        Member::new("map", Kind::Map(&Kind::Scalar), ""),
    ]);

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_none() {
        let text = r#"{"a":"x","n":3,"f":true,"list":[{"b":["y","z"]},{}],"one":{"b":["v"]},"map":{"k":1}}"#;
        let document = parse(text).unwrap();
        let checked = OUTER.check(&document).unwrap();
        assert_eq!((checked.text("a"), checked.number("n"), checked.flag("f")), (Some("x"), Some(3), true));
        assert_eq!(checked.section("one").unwrap().strings("b"), ["v"]);
        let mut lists = Vec::new();
        let read = checked.each("list", &mut |item| {
            lists.push(item.texts("b"));
            if item.has("b") { Ok(()) } else { Err(PolicyError::at("b", "is missing")) }
        });
        assert_eq!(read.unwrap_err().pointer(), "/list/1/b");
        assert_eq!(lists, [vec!["y", "z"], vec![]]);
        assert!(checked.object("map").unwrap().get("k").is_some());
        let document = parse("{}").unwrap();
        let checked = OUTER.check(&document).unwrap();
        assert!(checked.text("a").is_none() && checked.number("n").is_none() && !checked.flag("f"));
        assert!(checked.section("one").is_none() && checked.each("list", &mut |_| unreachable!()).is_ok());
    }

    #[test]
    fn a_reader_that_asks_for_what_the_shape_lacks_fails() {
        type Read = fn(Checked<'_, '_>) -> bool;
        let reads: [(&str, Read); 7] = [
            ("a mistyped name", |object| object.text("A").is_some()),
            ("a name of another object", |object| object.texts("b").is_empty()),
            ("a text as a number", |object| object.number("a").is_some()),
            ("a number as a text", |object| object.text("n").is_some()),
            ("a text as a flag", |object| object.flag("a")),
            ("an array as an object", |object| object.section("list").is_some()),
            ("a name of the outer shape in the inner one", |object| {
                object.section("one").is_some_and(|one| one.text("a").is_some())
            }),
        ];
        for (what, read) in reads {
            let read = || {
                let document = parse(r#"{"one":{}}"#).unwrap();
                read(OUTER.check(&document).unwrap())
            };
            assert!(std::panic::catch_unwind(read).is_err(), "{what}");
        }
    }
}
