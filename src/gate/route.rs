//! Path patterns: the pathname part of `URLPattern` (WHATWG URL Pattern §2) without regular expressions.
//!
//! A pattern becomes a small automaton whose states are followed all at once, so that the time for a path grows with its length and
//! nothing else: there is no text that makes it go back (CVE-2026-35041).

use crate::{binding::uri::normal_escapes, policy_error::PolicyError};

/// The most steps that a pattern may have; the longest one anybody writes has a tenth.
const MOST_STEPS: usize = 1024;

/// A pattern that was read.
#[derive(Clone, Debug)]
pub struct PathPattern {
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Takes this byte.
    Byte(u8),
    /// Takes any byte but a slash.
    NotSlash,
    /// Takes any byte.
    Any,
    /// Goes on at either place and takes nothing.
    Either(usize, usize),
    /// The path may end here.
    End,
}

/// How often a part may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Often {
    Once,
    Optional,
    ZeroOrMore,
    OneOrMore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wildcard {
    /// `:name`: one byte or more, none of them a slash.
    Segment,
    /// `*`: anything, also nothing.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'p> {
    Char(&'p str),
    Escaped(&'p str),
    Name(&'p str),
    Asterisk,
    Modifier(Often),
    Open,
    Close,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What `URLPattern` would refuse; regular expressions; text that no path has in that form (query, fragment, white space, letters beyond
    /// ASCII: they are percent-encoded in a path, and so they are here); a pattern that could match no path.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let refuse = |reason: &str| PolicyError::here(reason);
        if !text.starts_with(['/', '*', '{']) {
            return Err(refuse("must start with \"/\", \"*\" or \"{\", as paths start with a slash"));
        }
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, steps: Vec::new(), fixed: String::new(), names: Vec::new() };
        reader.pattern()?;
        reader.flush()?;
        reader.steps.push(Step::End);
        if reader.steps.len() > MOST_STEPS {
            return Err(refuse("is too long"));
        }
        Ok(PathPattern { steps: reader.steps })
    }

    /// Does the path, in its normal form, match as a whole?
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut present = States::of(self.steps.len());
        let mut next = States::of(self.steps.len());
        self.enter(&mut present, 0);
        for byte in path.bytes() {
            next.clear();
            for place in present.places.iter().copied() {
                let takes = match self.steps.get(place) {
                    Some(Step::Byte(own)) => *own == byte,
                    Some(Step::NotSlash) => byte != b'/',
                    Some(Step::Any) => true,
                    _ => false,
                };
                if takes {
                    self.enter(&mut next, place.saturating_add(1));
                }
            }
            core::mem::swap(&mut present, &mut next);
        }
        present.places.iter().any(|place| self.steps.get(*place) == Some(&Step::End))
    }

    /// Adds a place and all that can be reached from it without taking anything.
    fn enter(&self, states: &mut States, start: usize) {
        let mut open = vec![start];
        while let Some(place) = open.pop() {
            if let Some(seen @ false) = states.seen.get_mut(place) {
                *seen = true;
                match self.steps.get(place) {
                    Some(Step::Either(one, other)) => open.extend([*one, *other]),
                    _ => states.places.push(place),
                }
            }
        }
    }
}

/// Where an automaton is.
struct States {
    places: Vec<usize>,
    seen: Vec<bool>,
}

impl States {
    fn of(count: usize) -> Self {
        States { places: Vec::with_capacity(count), seen: vec![false; count] }
    }

    fn clear(&mut self) {
        self.places.clear();
        self.seen.fill(false);
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token<'_>>, PolicyError> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let (one, mut after) = rest.split_at_checked(first.len_utf8()).unwrap_or_default();
        tokens.push(match first {
            '*' => Token::Asterisk,
            '?' => Token::Modifier(Often::Optional),
            '+' => Token::Modifier(Often::OneOrMore),
            '{' => Token::Open,
            '}' => Token::Close,
            '(' => return Err(PolicyError::here("has a regular expression, which is not supported")),
            '\\' => {
                let length = after.chars().next().map(char::len_utf8);
                let (escaped, behind) = length.and_then(|length| after.split_at_checked(length)).ok_or_else(|| {
                    PolicyError::here("ends in a backslash")
                })?;
                after = behind;
                Token::Escaped(escaped)
            }
            ':' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
                let (name, behind) = after.split_at_checked(length).unwrap_or_default();
                if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !behind.is_char_boundary(0) {
                    return Err(PolicyError::here("has a colon without a name; write \"\\\\:\" for the character"));
                }
                after = behind;
                Token::Name(name)
            }
            _ => Token::Char(one),
        });
        rest = after;
    }
    Ok(tokens)
}

/// The standard's "parse a pattern string", which appends steps where the standard appends parts.
struct Reader<'t, 'p> {
    tokens: &'t [Token<'p>],
    steps: Vec<Step>,
    /// Text that no part has taken yet.
    fixed: String,
    names: Vec<&'p str>,
}

impl<'p> Reader<'_, 'p> {
    fn take(&mut self, wanted: impl FnOnce(Token<'p>) -> bool) -> Option<Token<'p>> {
        let (first, rest) = self.tokens.split_first()?;
        wanted(*first).then(|| {
            self.tokens = rest;
            *first
        })
    }

    fn name(&mut self) -> Option<&'p str> {
        match self.take(|token| matches!(token, Token::Name(_)))? {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    fn pattern(&mut self) -> Result<(), PolicyError> {
        while !self.tokens.is_empty() {
            // A name or an asterisk, with the one character before it.
            let before = self.tokens;
            let character = match self.take(|token| matches!(token, Token::Char(_))) {
                Some(Token::Char(character)) => character,
                _ => "",
            };
            if let Some(wildcard) = self.wildcard()? {
                let prefix = if character == "/" { "/" } else { "" };
                if prefix.is_empty() {
                    self.fixed.push_str(character);
                }
                self.flush()?;
                let often = self.modifier();
                self.part(prefix, Some(wildcard), "", often)?;
                continue;
            }
            self.tokens = before;
            if let Some(Token::Char(text) | Token::Escaped(text)) =
                self.take(|token| matches!(token, Token::Char(_) | Token::Escaped(_)))
            {
                self.fixed.push_str(text);
                continue;
            }
            if self.take(|token| token == Token::Open).is_none() {
                return Err(PolicyError::here("has a modifier or a closing brace where none can stand"));
            }
            let prefix = self.text();
            let wildcard = self.wildcard()?;
            let suffix = self.text();
            if self.take(|token| token == Token::Close).is_none() {
                return Err(PolicyError::here("has a brace that is not closed, or more in it than one wildcard with text around it"));
            }
            let often = self.modifier();
            if wildcard.is_none() && often == Often::Once {
                self.fixed.push_str(&prefix);
                continue;
            }
            self.flush()?;
            self.part(&prefix, wildcard, &suffix, often)?;
        }
        Ok(())
    }

    fn wildcard(&mut self) -> Result<Option<Wildcard>, PolicyError> {
        if let Some(name) = self.name() {
            if self.names.contains(&name) {
                return Err(PolicyError::here(format!("names {name} twice")));
            }
            self.names.push(name);
            return Ok(Some(Wildcard::Segment));
        }
        Ok(self.take(|token| token == Token::Asterisk).map(|_| Wildcard::All))
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(Token::Char(more) | Token::Escaped(more)) =
            self.take(|token| matches!(token, Token::Char(_) | Token::Escaped(_)))
        {
            text.push_str(more);
        }
        text
    }

    fn modifier(&mut self) -> Often {
        match self.take(|token| matches!(token, Token::Modifier(_) | Token::Asterisk)) {
            Some(Token::Modifier(often)) => often,
            Some(_) => Often::ZeroOrMore,
            None => Often::Once,
        }
    }

    /// Text that stands by itself.
    fn flush(&mut self) -> Result<(), PolicyError> {
        let text = core::mem::take(&mut self.fixed);
        if text.is_empty() { Ok(()) } else { self.part(&text, None, "", Often::Once) }
    }

    /// `prefix`, wildcard and `suffix`, as often as it says. What the standard writes as
    /// `(?:prefix((?:w)(?:suffix prefix(?:w))*)suffix)` is the whole, repeated.
    fn part(
        &mut self,
        prefix: &str,
        wildcard: Option<Wildcard>,
        suffix: &str,
        often: Often,
    ) -> Result<(), PolicyError> {
        if prefix.is_empty() && suffix.is_empty() && wildcard.is_none() {
            return Ok(());
        }
        let start = self.steps.len();
        let may_skip = matches!(often, Often::Optional | Often::ZeroOrMore);
        if may_skip {
            self.steps.push(Step::End);
        }
        let body = self.steps.len();
        self.bytes(prefix)?;
        let here = self.steps.len();
        match wildcard {
            None => {}
            Some(Wildcard::Segment) => {
                self.steps.extend([Step::NotSlash, Step::Either(here, here.saturating_add(2))]);
            }
            Some(Wildcard::All) => {
                let behind = here.saturating_add(3);
                self.steps.extend([Step::Either(here.saturating_add(1), behind), Step::Any, Step::Either(here, here)]);
            }
        }
        self.bytes(suffix)?;
        if matches!(often, Often::ZeroOrMore | Often::OneOrMore) {
            let behind = self.steps.len().saturating_add(1);
            self.steps.push(Step::Either(body, behind));
        }
        let behind = self.steps.len();
        if may_skip && let Some(skip) = self.steps.get_mut(start) {
            *skip = Step::Either(body, behind);
        }
        Ok(())
    }

    fn bytes(&mut self, text: &str) -> Result<(), PolicyError> {
        let in_a_path = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?\\^`{}".contains(&byte);
        if !text.bytes().all(in_a_path) {
            return Err(PolicyError::here("has a character that no path has as such; write it percent-encoded"));
        }
        // What stands before the first slash goes on a segment that has begun.
        if text.split('/').skip(1).any(|segment| segment == "." || segment == "..") {
            return Err(PolicyError::here("has a dot segment, which no path has in its normal form"));
        }
        self.steps.extend(normal_escapes(text).bytes().map(Step::Byte));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).matches(path)
    }

    #[test]
    fn the_examples_of_the_standard() {
        for (pattern, path, expected) in [
            ("/products", "/products", true),
            ("/products", "/products/", false),
            ("/products", "/productsx", false),
            ("/products/:id", "/products/1", true),
            ("/products/:id", "/products/", false),
            ("/products/:id", "/products/1/2", false),
            ("/products/:id?", "/products", true),
            ("/products/:id?", "/products/", false),
            ("/products/:id+", "/products/1/2/3", true),
            ("/products/:id+", "/products", false),
            ("/products/:id*", "/products", true),
            ("/products/:id*", "/products/1/2", true),
            ("/a/*", "/a/", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/a", false),
            ("/a/*?", "/a", true),
            ("/a/*/z", "/a/b/c/z", true),
            ("*", "/", true),
            ("/a{/b}?", "/a", true),
            ("/a{/b}?", "/a/b", true),
            ("/a{/b}+", "/a/b/b", true),
            ("/a{/b}+", "/a", false),
            ("/a{/:x/c}*/d", "/a/1/c/2/c/d", true),
            ("/a{/:x/c}*/d", "/a/1/c/2/d", false),
            ("/a-:from-:to", "/a-1-2", true),
            ("/:a.:b", "/x.y", true),
            ("/\\:a", "/:a", true),
            ("/{a}b", "/ab", true),
            ("/%7euser", "/~user", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            "", "a", ":a", "/(a)", "/:", "/:1", "/a?", "/+", "/{a", "/a}", "/{a:b:c}", "/{a*:b}", "/:a/:a", "/a\\", "/é", "/a b", "/a#",
            "/a\\?b", "/../a", "/./a", "/a/..",
        ] {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern}");
        }
        assert!(PathPattern::parse(&"/a".repeat(600)).is_err());
    }

    #[test]
    fn no_path_makes_it_slow() {
        let pattern = PathPattern::parse("/*a*a*a*a*a*a*a*a*a*a*ab").unwrap();
        assert!(!pattern.matches(&format!("/{}", "a".repeat(8000))));
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_or_refused_and_any_path_matches_or_not(pattern in "[/a:b*{}?+\\\\(.%]{0,16}", path in "/[/ab.%]{0,16}") {
            if let Ok(pattern) = PathPattern::parse(&pattern) {
                let _ = pattern.matches(&path);
            }
            let _ = PathPattern::parse(&path);
        }

        #[test]
        fn literals_match_themselves_alone(path in "(/[a-c]{1,3}){1,3}", other in "(/[a-c]{1,3}){1,3}") {
            let pattern = PathPattern::parse(&path).unwrap();
            prop_assert!(pattern.matches(&path));
            prop_assert_eq!(pattern.matches(&other), path == other);
        }
    }
}
