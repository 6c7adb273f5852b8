//! How servers read a path. They differ, and the gate cannot know which one stands behind it: some
//! compare escapes as they were sent, some decode them first; some fold case, some take a slash at
//! the end for nothing. A route covers a path under any of these readings. What even a decoder and
//! a splitter of paths would read differently (an encoded separator, a parameter) is one of
//! [`Hazards`], which only a route can allow.

use super::hazard::Hazards;
use crate::{
    binding::uri::{decoded_escapes, has_stray_percent, normal_escapes},
    denial::Denial,
};

/// As often as a path may be encoded upon itself. Nothing that is served needs two.
const MOST_LAYERS: u32 = 4;

/// The readings of one path.
#[derive(Debug)]
pub(crate) struct Readings {
    /// As it was sent.
    pub(super) written: String,
    /// With unreserved characters for themselves (RFC 3986 §6.2.2.2).
    pub(super) normal: String,
    /// Without any escape, in folded case, without the slash at its end: once decoded, and then as
    /// servers would split it that decode again, remove parameters or end it at a query or a
    /// fragment. Each is there once: where there is no hazard, they are one.
    pub(super) decoded: Vec<String>,
    /// As it was sent, in folded case, without the slash at its end.
    pub(super) folded: String,
    /// Nothing is escaped in it, so that all readings but for case and the last slash are one.
    pub(super) plain: bool,
    /// One of the decoded readings had a slash at its end.
    ends_in_slash: bool,
    hazards: Hazards,
}

impl Readings {
    /// The readings of a path as it was sent.
    ///
    /// # Errors
    /// `path-ambiguous` for what no route can allow: an empty or a dot segment, also behind an
    /// encoded separator or in front of a parameter; a percent sign that begins no escape; an
    /// escaped control character; escapes that are no UTF-8.
    pub(crate) fn of(path: &str) -> Result<Self, Denial> {
        let normal = normal_escapes(path);
        if is_split_in_two_ways(&normal) || has_stray_percent(path) {
            return Err(Denial::PathAmbiguous);
        }
        let folded = without_last_slash(path).to_ascii_lowercase();
        if !normal.contains(['%', ';']) {
            // The written form may still escape what needs none.
            let plain = !path.contains('%');
            let decoded = if plain { folded.clone() } else { without_last_slash(&normal).to_ascii_lowercase() };
            let written = path.to_owned();
            let ends_in_slash = normal.ends_with('/');
            let decoded = vec![decoded];
            return Ok(Readings {
                written,
                normal,
                decoded,
                folded,
                plain,
                ends_in_slash,
                hazards: Hazards::default(),
            });
        }
        let mut hazards = Hazards::in_path(&normal);
        let once = decoded(&normal)?;
        let mut whole = once.clone();
        if hazards.has_escaped_percent() {
            // What a percent sign that was escaped begins may be an escape again, and counts as if
            // it stood here.
            for layer in 0.. {
                hazards = hazards.and(Hazards::in_path(&normal_escapes(&whole)));
                let next = decoded(&whole)?;
                if next == whole {
                    break;
                }
                if layer == MOST_LAYERS {
                    return Err(Denial::PathAmbiguous);
                }
                whole = next;
            }
        }
        let split: Vec<String> = cuts(&whole).map(as_split).collect();
        if split.iter().any(|reading| is_split_in_two_ways(reading)) {
            return Err(Denial::PathAmbiguous);
        }
        let mut decoded: Vec<String> = Vec::new();
        let mut ends_in_slash = false;
        for reading in cuts(&once).chain(split.iter().flat_map(|split| cuts(split))) {
            ends_in_slash |= reading.ends_with('/');
            let folded = fold(without_last_slash(reading));
            if !decoded.contains(&folded) {
                decoded.push(folded);
            }
        }
        Ok(Readings { written: path.to_owned(), normal, decoded, folded, plain: false, ends_in_slash, hazards })
    }

    /// Does it end in a slash, in one reading, that [`decoded`](Self::decoded) is without?
    pub(super) fn ends_in_slash(&self) -> bool {
        self.ends_in_slash
    }

    /// What only a route can allow.
    pub(crate) fn hazards(&self) -> Hazards {
        self.hazards
    }
}

/// Some servers merge empty segments and resolve dot segments, and some look for a route with
/// them.
fn is_split_in_two_ways(path: &str) -> bool {
    path.contains("//") || path.split('/').any(|segment| segment == "." || segment == "..")
}

/// The text that escapes stand for.
fn decoded(path: &str) -> Result<String, Denial> {
    let text = String::from_utf8(decoded_escapes(path)).map_err(|_| Denial::PathAmbiguous)?;
    if text.chars().any(char::is_control) { Err(Denial::PathAmbiguous) } else { Ok(text) }
}

/// The whole text, and what is left of it where a query or a fragment begins (RFC 3986 §3.4, §3.5)
/// for a server that decodes before it splits.
fn cuts(text: &str) -> impl Iterator<Item = &str> {
    let before = ['?', '#'].into_iter().filter_map(|end| Some(text.split_once(end)?.0));
    core::iter::once(text).chain(before)
}

/// As a server splits a path that takes a backslash for a slash and removes parameters (RFC 3986
/// §3.3).
fn as_split(path: &str) -> String {
    let slashed = path.replace('\\', "/");
    let named: Vec<&str> = slashed.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect();
    named.join("/")
}

/// One case for all letters. Routers fold by JavaScript's `toLowerCase`, for which U+212A is a
/// `k`, and by its regular expressions.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_read_in_two_ways_is_refused_whatever_a_route_allows() {
        for path in [
            "//a",
            "/a//",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.",
            "/a/%2e%2e%2fb",
            "/a%2F..%2fb",
            "/a%2f.%2Fb",
            "/a%2f%2fb",
            "/a%5c..%5cb",
            "/a/..;/b",
            "/a/.;x=1/b",
            "/a/%2e%2e;/b",
            "/a/..%3bx/b",
            "/a/;/b",
            "/a%",
            "/%zz",
            "/a%2",
            "/%00",
            "/a%0d%0aB",
            "/a%7f",
            "/a%C2%80",
            "/%c0%af",
            "/%E9",
            "/%ed%a0%80",
            "/a/%252e%252e%252fb",
            "/%2500",
            "/a/%25252e%25252e/b",
            "/a/%2e%252e/b",
            "/%2525252525252e",
        ] {
            assert!(Readings::of(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_a_route_may_allow_is_named() {
        for (path, expected) in [
            ("/a", ""),
            ("/a/", ""),
            ("/..a/b..", ""),
            ("/a%20b", ""),
            ("/%41", ""),
            ("/caf%c3%a9", ""),
            ("/a%40b", ""),
            ("/a%2fb", "%2F"),
            ("/a%5Cb", "%5C"),
            ("/a;x=1/b", ";"),
            ("/a%3Bb", ";"),
            ("/a%3fb", "%3F"),
            ("/a%23", "%23"),
            ("/100%25", "%25"),
            ("/a%252fb", "%25 %2F"),
            ("/a%25252fb", "%25 %2F"),
            ("/a%253b", "%25 ;"),
        ] {
            let named: Vec<&str> = Readings::of(path).unwrap().hazards().names().collect();
            assert_eq!(named.join(" "), expected, "{path}");
        }
    }

    #[test]
    fn readings_that_are_the_same_are_one() {
        for (path, expected) in [
            ("/a/b", 1),
            ("/a%20b", 1),
            ("/%41/", 1),
            ("/a%2Fb", 1),
            ("/a;b", 2),
            ("/a%252Fb", 2),
            ("/a%3Fb", 2),
            ("/a%3Fb%23c", 3),
        ] {
            assert_eq!(Readings::of(path).unwrap().decoded.len(), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in "/[/a.%;\\\\2eEfF5cC0bB-]{0,24}") {
            if let Ok(readings) = Readings::of(&path) {
                prop_assert!(readings.decoded.iter().all(|reading| !reading.contains("/../")));
                prop_assert!(readings.decoded.last().is_some_and(|split| !split.contains("//")));
                let mut each = readings.decoded.clone();
                each.sort();
                each.dedup();
                prop_assert_eq!(each.len(), readings.decoded.len());
            }
        }
    }
}
