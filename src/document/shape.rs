//! The shape of a document, written once as tables: readers check by it, and the published JSON
//! Schema is made of it.

use crate::{
    alg::Alg,
    document::{checked::Checked, url},
    json::{Object, Value},
    policy_error::PolicyError,
};

/// An object: which members it may have. All others are refused.
pub(crate) struct Shape {
    pub(crate) members: &'static [Member],
    /// Of these members exactly one must be there; empty for no such rule.
    pub(crate) one_of: &'static [&'static str],
    /// Of these members at least one must be there; empty for no such rule.
    pub(crate) any_of: &'static [&'static str],
    /// Has members that stand in no table: it is described here and read elsewhere.
    #[cfg(test)]
    pub(crate) open: bool,
}

/// A member of an object.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    #[cfg(test)]
    pub(crate) about: &'static str,
    #[cfg(test)]
    pub(crate) default: Option<&'static str>,
    #[cfg(test)]
    pub(crate) elsewhere: Option<&'static Shape>,
}

/// What a member may be.
pub(crate) enum Kind {
    /// A non-empty string.
    Text,
    /// A URL that may be fetched: https, or http on a loopback name.
    Url,
    /// The same, where named holes may stand in braces.
    Template,
    /// `true` or `false`.
    Boolean,
    /// A string, a boolean or a non-negative integer, which is compared.
    Scalar,
    /// The name of a signature algorithm.
    Algorithm,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A whole number from the first to the second.
    Integer(u32, u32),
    /// A non-empty array of non-empty strings.
    Texts,
    /// A non-empty array of non-empty strings, or an object of such arrays.
    Lists,
    /// A non-empty array.
    Array(&'static Kind),
    /// Nothing: this is said to whoever writes it.
    Never(&'static str),
    /// The first for a string, the second for anything else.
    Either(&'static Kind, &'static Kind),
    /// An object of that shape.
    Object(&'static Shape),
    /// An object whose members have any name, and all that kind.
    Map(&'static Kind),
    /// An object with a reader of its own.
    Elsewhere,
}

impl Shape {
    pub(crate) const fn new(members: &'static [Member]) -> Self {
        Shape {
            members,
            one_of: &[],
            any_of: &[],
            #[cfg(test)]
            open: false,
        }
    }

    pub(crate) const fn with_one_of(self, one_of: &'static [&'static str]) -> Self {
        Shape { one_of, ..self }
    }

    pub(crate) const fn with_any_of(self, any_of: &'static [&'static str]) -> Self {
        Shape { any_of, ..self }
    }

    pub(crate) const fn open(self) -> Self {
        #[cfg(not(test))]
        return self;
        #[cfg(test)]
        Shape { open: true, ..self }
    }

    /// Checks an object, all the way down. What comes back can be read without errors.
    ///
    /// # Errors
    /// The first mistake, at its member: unknown, of another kind, out of its range, or missing.
    pub(crate) fn check<'o, 'a>(&'static self, object: &'o Object<'a>) -> Result<Checked<'o, 'a>, PolicyError> {
        self.check_among(object, &[])
    }

    /// The same, where URLs may be http on these hosts.
    pub(crate) fn check_among<'o, 'a>(
        &'static self,
        object: &'o Object<'a>,
        hosts: &[&str],
    ) -> Result<Checked<'o, 'a>, PolicyError> {
        self.inspect(object, hosts)?;
        Ok(Checked::new(self, object))
    }

    fn inspect(&self, object: &Object<'_>, hosts: &[&str]) -> Result<(), PolicyError> {
        for (name, value) in object.members() {
            let Some(member) = self.members.iter().find(|member| member.name == name) else {
                let known = listed(&mut self.members.iter().map(|member| member.name));
                return Err(PolicyError::at(name, ["is unknown; expected one of ", &known].concat()));
            };
            member.kind.check(value, hosts).map_err(|error| error.within(name))?;
        }
        let there = |name: &&&str| object.get(name).is_some();
        if let Some(member) = self.members.iter().find(|member| member.required && !there(&&member.name)) {
            return Err(PolicyError::at(member.name, "is required"));
        }
        if !self.one_of.is_empty() && self.one_of.iter().filter(there).count() != 1 {
            return Err(PolicyError::here(["must have exactly one of ", &quoted(self.one_of, "\" and \"")].concat()));
        }
        if !self.any_of.is_empty() && !self.any_of.iter().any(|name| there(&name)) {
            return Err(PolicyError::here(["must have ", &quoted(self.any_of, "\" or \"")].concat()));
        }
        Ok(())
    }
}

impl Member {
    /// A member that may be left out. What it is for stands in the published schema and in no
    /// binary.
    pub(crate) const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        // The text is evaluated away where nothing reads it.
        #[cfg(not(test))]
        let _ = about;
        Member {
            name,
            kind,
            required: false,
            #[cfg(test)]
            about,
            #[cfg(test)]
            default: None,
            #[cfg(test)]
            elsewhere: None,
        }
    }

    pub(crate) const fn required(self) -> Self {
        Member { required: true, ..self }
    }

    /// What holds when it is left out, as JSON.
    pub(crate) const fn default(self, json: &'static str) -> Self {
        #[cfg(not(test))]
        {
            let _ = json;
            self
        }
        #[cfg(test)]
        Member { default: Some(json), ..self }
    }

    /// The shape of an object with a reader of its own.
    pub(crate) const fn shaped(self, shape: &'static Shape) -> Self {
        #[cfg(not(test))]
        {
            let _ = shape;
            self
        }
        #[cfg(test)]
        Member { elsewhere: Some(shape), ..self }
    }
}

impl Kind {
    pub(crate) fn check(&self, value: &Value<'_>, hosts: &[&str]) -> Result<(), PolicyError> {
        let must = |what: &str| Err(PolicyError::here(["must be ", what].concat()));
        match (self, value) {
            (Kind::Text | Kind::Url | Kind::Template, Value::String(text)) if text.is_empty() => {
                Err(PolicyError::here("must not be empty"))
            }
            (Kind::Url, Value::String(text)) => url::check_among(text, hosts).map_err(PolicyError::here),
            // Its reader knows what may stand in a hole.
            (Kind::Template, Value::String(_)) => Ok(()),
            (Kind::Lists, Value::Object(_)) => Kind::Map(&Kind::Texts).check(value, hosts),
            (Kind::Lists, value) => Kind::Texts.check(value, hosts),
            (Kind::Choice(known), Value::String(text)) if known.contains(&text.as_ref()) => Ok(()),
            (Kind::Choice(known), _) => must(&quoted(known, "\" or \"")),
            (Kind::Algorithm, Value::String(name)) if Alg::from_name(name).is_some() => Ok(()),
            (Kind::Algorithm, _) => {
                let known = listed(&mut Alg::ALL.into_iter().map(Alg::name));
                Err(PolicyError::here(["is unsupported; expected one of ", &known].concat()))
            }
            (Kind::Integer(least, most), Value::Integer(value))
                if *value >= u64::from(*least) && *value <= u64::from(*most) =>
            {
                Ok(())
            }
            (Kind::Integer(least, most), _) => {
                must(&["an integer from ", &least.to_string(), " to ", &most.to_string()].concat())
            }
            (Kind::Texts, value) => match value.as_strings() {
                Some(texts) if !texts.is_empty() && !texts.contains(&"") => Ok(()),
                _ => must("a non-empty array of non-empty strings"),
            },
            (Kind::Array(kind), Value::Array(items)) if !items.is_empty() => {
                let check = |(index, item): (usize, &Value<'_>)| {
                    kind.check(item, hosts).map_err(|error| error.within(&index.to_string()))
                };
                items.iter().enumerate().try_for_each(check)
            }
            (Kind::Never(reason), _) => Err(PolicyError::here(*reason)),
            (Kind::Either(text, _), Value::String(_)) => text.check(value, hosts),
            (Kind::Either(_, other), _) => other.check(value, hosts),
            (Kind::Object(shape), Value::Object(object)) => shape.inspect(object, hosts),
            (Kind::Map(kind), Value::Object(object)) => object
                .members()
                .try_for_each(|(name, value)| kind.check(value, hosts).map_err(|error| error.within(name))),
            (Kind::Text, Value::String(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Scalar, Value::String(_) | Value::Bool(_) | Value::Integer(_))
            | (Kind::Elsewhere, Value::Object(_)) => Ok(()),
            (Kind::Text | Kind::Url | Kind::Template, _) => must("a string"),
            (Kind::Boolean, _) => must("true or false"),
            (Kind::Scalar, _) => must("a string, a non-negative integer, true or false"),
            (Kind::Array(_), _) => must("a non-empty array"),
            (Kind::Object(_) | Kind::Map(_) | Kind::Elsewhere, _) => must("an object"),
        }
    }
}

/// `a, b, c`
pub(crate) fn listed(names: &mut dyn Iterator<Item = &str>) -> String {
    let mut list = String::new();
    for name in names {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

/// `"a", "b" or "c"`
fn quoted(names: &[&str], last: &str) -> String {
    let mut list = String::new();
    for (index, name) in names.iter().enumerate() {
        let left = names.len().saturating_sub(index);
        let between = if index == 0 {
            "\""
        } else if left == 1 {
            last
        } else {
            "\", \""
        };
        list.push_str(between);
        list.push_str(name);
    }
    list.push('"');
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    const INNER: Shape = Shape::new(&[Member::new("b", Kind::Texts, "")]).with_any_of(&["b"]);
    const OUTER: Shape = Shape::new(&[
        Member::new("a", Kind::Text, "").required(),
        Member::new("n", Kind::Integer(2, 4), ""),
        Member::new("list", Kind::Array(&Kind::Object(&INNER)), ""),
        Member::new("map", Kind::Map(&Kind::Scalar), ""),
        Member::new("word", Kind::Either(&Kind::Choice(&["any", "none"]), &Kind::Texts), ""),
        Member::new("x", Kind::Boolean, ""),
        Member::new("y", Kind::Elsewhere, "").shaped(&INNER),
        Member::new("url", Kind::Url, ""),
        Member::new("alg", Kind::Algorithm, ""),
    ])
    .with_one_of(&["x", "y"]);

    #[test]
    fn each_mistake_is_told_at_its_member() {
        let fault = |text: &str| OUTER.inspect(&parse(text).unwrap(), &[]).unwrap_err().to_string();
        assert_eq!(fault(r#"{"x":true}"#), "/a: is required");
        assert_eq!(fault(r#"{"a":"","x":true}"#), "/a: must not be empty");
        assert_eq!(fault(r#"{"a":null,"x":true}"#), "/a: must be a string");
        assert_eq!(fault(r#"{"a":"a"}"#), ": must have exactly one of \"x\" and \"y\"");
        assert_eq!(fault(r#"{"a":"a","x":true,"y":{}}"#), ": must have exactly one of \"x\" and \"y\"");
        assert_eq!(fault(r#"{"a":"a","y":[]}"#), "/y: must be an object");
        assert_eq!(fault(r#"{"a":"a","n":5}"#), "/n: must be an integer from 2 to 4");
        assert_eq!(fault(r#"{"a":"a","n":"2"}"#), "/n: must be an integer from 2 to 4");
        assert_eq!(fault(r#"{"a":"a","list":[]}"#), "/list: must be a non-empty array");
        assert_eq!(
            fault(r#"{"a":"a","list":[{"b":["c"]},{"b":[""]}]}"#),
            "/list/1/b: must be a non-empty array of non-empty strings"
        );
        assert_eq!(fault(r#"{"a":"a","list":[{}]}"#), "/list/0: must have \"b\"");
        assert_eq!(fault(r#"{"a":"a","list":["b"]}"#), "/list/0: must be an object");
        assert_eq!(
            fault(r#"{"a":"a","map":{"m/n":-1}}"#),
            "/map/m~1n: must be a string, a non-negative integer, true or false"
        );
        assert_eq!(fault(r#"{"a":"a","word":"b"}"#), "/word: must be \"any\" or \"none\"");
        assert_eq!(fault(r#"{"a":"a","word":{}}"#), "/word: must be a non-empty array of non-empty strings");
        assert_eq!(fault(r#"{"a":"a","x":1}"#), "/x: must be true or false");
        assert!(fault(r#"{"a":"a","z":1}"#).starts_with("/z: is unknown; expected one of a, n, list"));
        assert!(fault(r#"{"a":"a","alg":"none"}"#).starts_with("/alg: is unsupported; expected one of HS256"));
        assert!(fault(r#"{"a":"a","url":"http://a"}"#).starts_with("/url: must "));
    }

    #[test]
    fn what_is_right_passes() {
        let text = r#"{"a":"a","n":4,"list":[{"b":["c"]}],"map":{"":1,"b":"","c":false},"word":"any","x":false,"url":"https://a","alg":"Ed25519"}"#;
        assert!(OUTER.check(&parse(text).unwrap()).is_ok());
    }
}
