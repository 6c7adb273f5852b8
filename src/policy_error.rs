//! What is wrong with a policy or a key, and exactly where.

use core::fmt;

use crate::text::first_characters;

/// A mistake of the caller's own: in a policy, a key or an option. It is never caused by a token.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicyError {
    pointer: String,
    reason: String,
}

impl PolicyError {
    /// An error at one member of the value being read.
    #[must_use]
    #[inline(never)]
    pub fn at(member: &str, reason: impl Into<String>) -> Self {
        PolicyError::here(reason).within(member)
    }

    /// The same with the text that was found there. It is the caller's own, and no secret.
    #[inline(never)]
    pub(crate) fn found(member: &str, expected: &str, found: &str) -> Self {
        PolicyError::at(member, [expected, "; found \"", first_characters(found), "\""].concat())
    }

    /// The same error, naming the key that it is about: its pointer has the place alone.
    pub(crate) fn about(mut self, kid: Option<&str>) -> Self {
        if let Some(kid) = kid {
            self.reason = [&self.reason, " (kid \"", first_characters(kid), "\")"].concat();
        }
        self
    }

    /// An error of the value being read as a whole.
    #[must_use]
    #[inline(never)]
    pub fn here(reason: impl Into<String>) -> Self {
        PolicyError { pointer: String::new(), reason: reason.into() }
    }

    /// The same error, seen from one level further out: `member` is put before the pointer.
    #[must_use]
    pub fn within(mut self, member: &str) -> Self {
        // RFC 6901 §3: "~" and "/" are escaped in a reference token.
        let mut pointer = String::from("/");
        for character in member.chars() {
            match character {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                other => pointer.push(other),
            }
        }
        pointer.push_str(&self.pointer);
        self.pointer = pointer;
        self
    }

    /// The error as one line.
    pub(crate) fn text(&self) -> String {
        // Not by `fmt`, which the validator's wasm can do without: 3 KB.
        [&self.pointer, ": ", &self.reason].concat()
    }

    /// The error as a JSON object: `pointer` and `reason`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// JSON pointer (RFC 6901) to the member at fault; a missing member is named where it should
    /// stand.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// One sentence without a full stop: what is wrong and what would be right.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl core::error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pointer_grows_outwards_and_escapes_its_tokens() {
        let error = PolicyError::at("a/b~c", "is odd").within("0").within("issuers");
        assert_eq!(error.pointer(), "/issuers/0/a~1b~0c");
        assert_eq!(error.to_string(), "/issuers/0/a~1b~0c: is odd");
    }
}
