//! Reading what a caller wrote (a policy, a key, a request to mint): every error names its member,
//! and unknown members are refused.

pub(crate) mod checked;
pub(crate) mod shape;
pub(crate) mod url;

use crate::{
    json::{JsonError, Object, Value, read_object},
    limits::Limits,
    policy_error::PolicyError,
    time::UnixSeconds,
};

/// Parses a document that must be one JSON object.
///
/// # Errors
/// Text that is not one, with the empty pointer.
pub(crate) fn parse(text: &str) -> Result<Object<'_>, PolicyError> {
    parse_within(text, &Limits::DOCUMENT)
}

/// The same under limits of its own.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_within<'t>(text: &'t str, limits: &Limits) -> Result<Object<'t>, PolicyError> {
    read_object(text.as_bytes(), limits).map_err(|fault| {
        PolicyError::here(match fault {
            JsonError::Malformed => "is not a JSON object",
            JsonError::DuplicateMember => "names a member twice",
            JsonError::TooDeep | JsonError::TooManyMembers => "has too many members or nests too deeply",
        })
    })
}

/// Typed access to the members of a document without a shape. A member that is there with the
/// wrong type is an error, never skipped.
#[allow(dead_code, reason = "which of them are used depends on the features")]
impl<'a> Object<'a> {
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), PolicyError> {
        match self.members().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err(PolicyError::at(name, ["is unknown; expected one of ", &known.join(", ")].concat())),
        }
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<&str>, PolicyError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(PolicyError::at(name, "must be a string")),
        }
    }

    pub(crate) fn required_string(&self, name: &str) -> Result<&str, PolicyError> {
        match self.string(name)? {
            Some("") => Err(PolicyError::at(name, "must not be empty")),
            Some(text) => Ok(text),
            None => Err(PolicyError::at(name, "is required")),
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, PolicyError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(PolicyError::at(name, "must be true or false")),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<u64>, PolicyError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Integer(value)) => Ok(Some(*value)),
            Some(_) => Err(PolicyError::at(name, "must be a non-negative integer")),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<UnixSeconds>, PolicyError> {
        let Some(seconds) = self.integer(name)? else { return Ok(None) };
        let past = || PolicyError::at(name, format!("must be seconds before the year 10000; found {seconds}"));
        UnixSeconds::new(seconds).map(Some).ok_or_else(past)
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<&Object<'a>>, PolicyError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(PolicyError::at(name, "must be an object")),
        }
    }

    /// An array of objects, each handed to `read` and its errors laid at its index; whether it is
    /// there.
    pub(crate) fn objects(
        &self,
        name: &str,
        read: &mut dyn FnMut(&Object<'a>) -> Result<(), PolicyError>,
    ) -> Result<bool, PolicyError> {
        let items = match self.get(name) {
            None => return Ok(false),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(PolicyError::at(name, "must be an array")),
        };
        for (index, item) in items.iter().enumerate() {
            let result = match item {
                Value::Object(object) => read(object),
                _ => Err(PolicyError::here("must be an object")),
            };
            result.map_err(|error| error.within(&index.to_string()).within(name))?;
        }
        Ok(true)
    }

    /// A non-empty array of non-empty strings.
    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, PolicyError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let refuse = || PolicyError::at(name, "must be a non-empty array of non-empty strings");
        let strings = value.as_strings().ok_or_else(refuse)?;
        if strings.is_empty() || strings.contains(&"") {
            return Err(refuse());
        }
        Ok(Some(strings.into_iter().map(str::to_owned).collect()))
    }

    /// A non-empty string, or a non-empty array of them.
    pub(crate) fn string_or_strings(&self, name: &str) -> Result<Option<Vec<String>>, PolicyError> {
        match self.get(name) {
            Some(Value::String(_)) => Ok(Some(vec![self.required_string(name)?.to_owned()])),
            _ => self.strings(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_its_member() {
        let document = parse(r#"{"a":1,"b":"","c":[{"d":1}],"e":["x",""],"f":-1}"#).unwrap();
        assert_eq!(document.only(&["a", "b", "c", "e"]).unwrap_err().pointer(), "/f");
        assert_eq!(document.string("a").unwrap_err().pointer(), "/a");
        assert_eq!(document.required_string("b").unwrap_err().pointer(), "/b");
        assert_eq!(document.required_string("z").unwrap_err().pointer(), "/z");
        assert_eq!(document.objects("c", &mut |item| item.string("d").map(drop)).unwrap_err().pointer(), "/c/0/d");
        assert_eq!(document.strings("e").unwrap_err().pointer(), "/e");
        assert_eq!(document.string_or_strings("b").unwrap_err().pointer(), "/b");
        assert_eq!(document.integer("f").unwrap_err().pointer(), "/f");
        assert_eq!(parse("[]").unwrap_err().pointer(), "");
        assert_eq!(parse(r#"{"a":1,"a":2}"#).unwrap_err().reason(), "names a member twice");
    }
}
