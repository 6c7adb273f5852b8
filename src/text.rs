//! Texts looked through byte by byte. std's searchers and `join` do the same and are compiled anew
//! for each kind of pattern, which the validator's wasm has no room for.

/// What stands before the first such byte, which is ASCII, and what behind it.
#[inline(never)]
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place.saturating_add(1)..)?))
}

/// Does the text hold that part?
pub(crate) fn holds(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len().max(1)).any(|window| window == part.as_bytes())
}

/// The texts with `between` between them.
pub(crate) fn joined(texts: &[String], between: &str) -> String {
    let mut all = String::new();
    for (index, text) in texts.iter().enumerate() {
        all.push_str(if index == 0 { "" } else { between });
        all.push_str(text);
    }
    all
}

/// At most 200 characters of a text that is shown, so that no message grows with what it is about.
pub(crate) fn first_characters(text: &str) -> &str {
    text.char_indices().nth(200).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_the_first_such_byte_or_not_at_all() {
        assert_eq!(cut("a.b.c", b'.'), Some(("a", "b.c")));
        assert_eq!(cut("é.", b'.'), Some(("é", "")));
        assert_eq!(cut("a", b'.'), None);
    }

    #[test]
    fn a_text_holds_its_parts() {
        assert!(holds("https://{tid}/v2.0", "{tid}") && holds("a", "a"));
        assert!(!holds("{tid", "{tid}") && !holds("", "a"));
    }
}
