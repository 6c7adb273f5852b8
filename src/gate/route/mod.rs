//! Path patterns: the pathname part of `URLPattern` (WHATWG URL Pattern §2) without regular
//! expressions.
//!
//! A pattern becomes a small automaton whose states are followed all at once, so that the time for
//! a path grows with its length and nothing else: there is no text that makes it go back
//! (CVE-2026-35041).

mod hazard;
mod reader;
mod readings;

use crate::policy_error::PolicyError;
pub(crate) use hazard::Hazards;
use reader::{Automata, automata};
pub(crate) use readings::Readings;

/// The most steps that a pattern may have; the longest one anybody writes has a tenth.
const MOST_INSTRUCTIONS: usize = 1024;

/// A pattern that was read.
#[derive(Clone, Debug)]
pub struct PathPattern {
    steps: Vec<Instruction>,
    /// The same over what escapes stand for, in folded case.
    folded: Vec<Instruction>,
    /// The same again where names may stand for nothing: find-my-way finds `/a/:x` for `/a/`.
    emptied: Vec<Instruction>,
    /// A name is a part of its segment, and a path need not end with a slash for it to be empty.
    has_partial_names: bool,
}

/// How surely a server that has a handler under a pattern gives it a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// None does.
    No,
    /// Some do: those that fold case, that decode before they compare or do not, that take a slash
    /// at the end for nothing, or for which `/a/*` begins with `/a`.
    Maybe,
    /// Each does that takes the path as it was sent, with the slash at its end and what escapes
    /// stand for.
    AsSent,
    /// Each does.
    Surely,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instruction {
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
    /// What `URLPattern` would refuse; regular expressions; text that no path has in that form
    /// (query, fragment, white space, letters beyond ASCII: they are percent-encoded in a path,
    /// and so they are here); a pattern that could match no path.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let refuse = |reason: &str| PolicyError::here(reason);
        if !text.starts_with(['/', '*', '{']) {
            return Err(refuse("must begin with \"/\", \"*\" or \"{\""));
        }
        let Automata { exact, folded, emptied } = automata(text)?;
        if exact.len() > MOST_INSTRUCTIONS {
            return Err(refuse("is too long"));
        }
        Ok(PathPattern { steps: exact, folded, emptied, has_partial_names: has_partial_names(text) })
    }

    /// How surely does the pattern cover a path?
    pub(crate) fn cover(&self, path: &Readings) -> Cover {
        let (mut any, mut all) = (false, true);
        for reading in &path.decoded {
            let covers = self.covers_loosely(reading);
            (any, all) = (any || covers, all && covers);
        }
        if path.plain && !any {
            return if self.covers_emptied(path) { Cover::Maybe } else { Cover::No };
        }
        let as_sent = self.matches(&path.written) && (path.plain || self.matches(&path.normal));
        let without_slash = || path.normal.strip_suffix('/').is_none_or(|path| path.is_empty() || self.matches(path));
        match as_sent {
            true if all && without_slash() => Cover::Surely,
            true => Cover::AsSent,
            false if any || self.matches(&path.normal) || self.covers_loosely(&path.folded) => Cover::Maybe,
            false if self.covers_emptied(path) => Cover::Maybe,
            false => Cover::No,
        }
    }

    /// Does it cover a path with a name that stands for nothing?
    fn covers_emptied(&self, path: &Readings) -> bool {
        let ends_at = |reading: &str| run(&self.emptied, reading).may_end(&self.emptied);
        let covers = |reading: &String| {
            (self.has_partial_names && ends_at(reading))
                || (path.ends_in_slash() && ends_at(&[reading.as_str(), "/"].concat()))
        };
        path.decoded.iter().any(covers)
    }

    /// Does it cover a reading in folded case, with or without a slash behind it?
    fn covers_loosely(&self, folded: &str) -> bool {
        let Self { folded: steps, .. } = self;
        let states = run(steps, folded);
        if states.places.is_empty() {
            return false;
        }
        let mut behind_slash = States::of(steps.len());
        advance(steps, &states, b'/', &mut behind_slash);
        states.may_end(steps) || behind_slash.may_end(steps)
    }

    /// Does the path, in its normal form, match as a whole?
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        run(&self.steps, path).may_end(&self.steps)
    }
}

/// Does a name stand beside anything but slashes? Whatever stands in braces may.
fn has_partial_names(pattern: &str) -> bool {
    let mut before = '/';
    let mut in_name = false;
    for character in pattern.chars() {
        let goes_on = in_name && (character.is_ascii_alphanumeric() || character == '_' || character == '$');
        if (character == ':' && before != '/') || (in_name && !goes_on && !"/?+*".contains(character)) {
            return true;
        }
        in_name = goes_on || character == ':';
        before = character;
    }
    false
}

/// Where the automaton is behind a text.
fn run(steps: &[Instruction], text: &str) -> States {
    run_over(steps, &mut text.bytes())
}

/// The same; no byte is taken once it is nowhere. Requests without a token get here, and most
/// routes are about other paths.
fn run_over(steps: &[Instruction], text: &mut impl Iterator<Item = u8>) -> States {
    let mut present = States::of(steps.len());
    let mut next = States::of(steps.len());
    present.enter(steps, 0);
    while !present.places.is_empty() {
        let Some(byte) = text.next() else { break };
        next.clear();
        advance(steps, &present, byte, &mut next);
        core::mem::swap(&mut present, &mut next);
    }
    present
}

/// Takes one byte.
fn advance(steps: &[Instruction], present: &States, byte: u8, next: &mut States) {
    for place in present.places.iter().copied() {
        let takes = match steps.get(place) {
            Some(Instruction::Byte(own)) => *own == byte,
            Some(Instruction::NotSlash) => byte != b'/',
            Some(Instruction::Any) => true,
            _ => false,
        };
        if takes {
            next.enter(steps, place.saturating_add(1));
        }
    }
}

/// Where an automaton is.
struct States {
    places: Vec<usize>,
    seen: Vec<bool>,
    /// Kept for its memory: empty between two places.
    open: Vec<usize>,
}

impl States {
    fn of(count: usize) -> Self {
        States { places: Vec::with_capacity(count), seen: vec![false; count], open: Vec::new() }
    }

    fn clear(&mut self) {
        self.places.clear();
        self.seen.fill(false);
    }

    /// Adds a place and all that can be reached from it without taking anything.
    fn enter(&mut self, steps: &[Instruction], start: usize) {
        self.open.push(start);
        while let Some(place) = self.open.pop() {
            if let Some(seen @ false) = self.seen.get_mut(place) {
                *seen = true;
                match steps.get(place) {
                    Some(Instruction::Either(one, other)) => self.open.extend([*one, *other]),
                    _ => self.places.push(place),
                }
            }
        }
    }

    fn may_end(&self, steps: &[Instruction]) -> bool {
        self.places.iter().any(|place| steps.get(*place) == Some(&Instruction::End))
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
    fn a_pattern_covers_what_some_servers_would_serve_under_it() {
        use Cover::{AsSent, Maybe, No, Surely};
        let cover = |pattern: &str, path: &str| {
            PathPattern::parse(pattern).unwrap().cover(&Readings::of(path).unwrap_or_else(|_| panic!("{path}")))
        };
        for (pattern, path, expected) in [
            ("/a", "/a", Surely),
            ("/a", "/a/", Maybe),
            ("/a/", "/a", Maybe),
            ("/a/", "/a/", AsSent),
            ("/a{/}?", "/a/", Surely),
            ("/a", "/A", Maybe),
            ("/A", "/a", Maybe),
            ("/a", "/%61", Maybe),
            ("/a", "/%41/", Maybe),
            ("/a", "/b", No),
            ("/a", "/ab", No),
            ("/", "/", Surely),
            ("/a/*", "/a", Maybe),
            ("/a/*", "/A/", Maybe),
            ("/a/*", "/a/", AsSent),
            ("/a/*", "/a/b/", Surely),
            ("/a/*", "/a/b", Surely),
            ("/a/*", "/a/%62", Surely),
            ("/a/:x", "/a/%62", Surely),
            ("/a/:x", "/a/b/", Maybe),
            ("/a/:x", "/a", No),
            ("/a/:x", "/a/", Maybe),
            ("/a/:x/b", "/a/b", No),
            ("/:x", "/", Maybe),
            ("/a-:x", "/a-", Maybe),
            ("/a-:x", "/A-", Maybe),
            ("/:x-b", "/-b", Maybe),
            ("/{:x}b", "/%62", Maybe),
            ("/a/b", "/a/%62", Maybe),
            ("/caf%c3%a9", "/caf%C3%A9", Surely),
            ("/caf%C3%A9", "/caf%c3%a9", Maybe),
            ("/caf%C3%A9", "/CAF%C3%89", Maybe),
            ("/task", "/tas%E2%84%AA", Maybe),
            ("/@a", "/%40a", Maybe),
            ("/a%20b", "/a%20b", Surely),
            ("/a%20b", "/A%20b", Maybe),
            ("/a/:x", "/a/b%2Fc", AsSent),
            ("/A/:x", "/a/b%2Fc", Maybe),
            ("/a%20b/:x", "/a%20b/c%2Fd", AsSent),
            ("/a/*", "/a%2Fb", Maybe),
            ("/a/*", "/a/b%2Fc", Surely),
            ("/a/b/*", "/a/b%2Fc", Maybe),
            ("/a/*", "/a;x=1/b", Maybe),
            ("/a/*", "/a/b;x=1", Surely),
            ("/a/*", "/a%5Cb", Maybe),
            ("/a/*", "/a%252Fb", Maybe),
            ("/a/*", "/a%3Fb", Maybe),
            ("/a", "/a%23b", Maybe),
            ("/a/:x", "/a/%3Fb", AsSent),
            ("/a/:x/b", "/a/%3Fb", No),
            ("/a/:x", "/a/;b", AsSent),
        ] {
            assert_eq!(cover(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_is_read_no_further_than_its_pattern_goes() {
        let path = format!("/b{}", "a".repeat(8000));
        for pattern in ["/a/*", "/{a}?/*", "/a{/*}?"] {
            let pattern = PathPattern::parse(pattern).unwrap();
            for steps in [&pattern.steps, &pattern.folded, &pattern.emptied] {
                let mut left = path.bytes();
                assert!(run_over(steps, &mut left).places.is_empty());
                assert_eq!(left.len(), 8000, "{pattern:?}");
            }
        }
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
