//! Path patterns: the pathname part of `URLPattern` (WHATWG URL Pattern §2) without regular expressions.
//!
//! A pattern becomes a small automaton whose states are followed all at once, so that the time for a path grows with its length and
//! nothing else: there is no text that makes it go back (CVE-2026-35041).

mod reader;

use crate::policy_error::PolicyError;
use reader::steps;

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
        let steps = steps(text)?;
        if steps.len() > MOST_STEPS {
            return Err(refuse("is too long"));
        }
        Ok(PathPattern { steps })
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
            "", "a", ":a", "/(a)", "/:", "/:1", "/a?", "/+", "/{a", "/a}", "/{a:b:c}", "/{a*:b}", "/:a/:a", "/a\\",
            "/é", "/a b", "/a#", "/a\\?b", "/../a", "/./a", "/a/..",
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
