//! Scopes, and narrowing them (RFC 6749 §3.3, §6).

/// Is the text scope tokens of RFC 6749 §3.3, each followed by one space but the last?
pub(super) fn is_scope(text: &str) -> bool {
    text.split(' ')
        .all(|token| !token.is_empty() && token.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)))
}

/// The scope of an access token: what was granted, or what is asked for if all of it was granted.
/// `None` means it was not.
pub(super) fn narrowed(granted: Option<&str>, asked: Option<&str>) -> Option<Option<String>> {
    let Some(asked) = asked else { return Some(granted.map(str::to_owned)) };
    let granted = granted.unwrap_or_default();
    let covered = is_scope(asked) && asked.split(' ').all(|token| granted.split(' ').any(|known| known == token));
    covered.then(|| Some(unique(asked.split(' '))))
}

/// What of a scope another one covers, in its order; `None` when that is nothing.
pub(super) fn common(scope: Option<&str>, other: Option<&str>) -> Option<String> {
    let (scope, other) = (scope?, other?);
    let common = unique(scope.split(' ').filter(|token| other.split(' ').any(|known| known == *token)));
    (!common.is_empty()).then_some(common)
}

/// A scope is a set (RFC 6749 §3.3): what is asked for twice is granted once, and no request makes
/// a token long by it.
fn unique<'t>(tokens: impl Iterator<Item = &'t str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for token in tokens {
        if !seen.contains(&token) {
            seen.push(token);
        }
    }
    seen.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_narrows_and_never_widens() {
        let granted = Some("read write");
        assert_eq!(narrowed(granted, None), Some(Some("read write".into())));
        assert_eq!(narrowed(granted, Some("write")), Some(Some("write".into())));
        assert_eq!(narrowed(None, None), Some(None));
        for asked in ["admin", "read admin", "rea", "", "read  write", " read", "read\t", "r\u{e9}ad", "READ"] {
            assert_eq!(narrowed(granted, Some(asked)), None, "{asked:?}");
        }
        assert_eq!(narrowed(None, Some("read")), None);
        assert_eq!(narrowed(granted, Some("read read write read")), Some(Some("read write".into())));
    }

    #[test]
    fn what_two_scopes_have_in_common_is_in_the_order_of_the_first() {
        assert_eq!(common(Some("a b c"), Some("c a")), Some("a c".into()));
        assert_eq!(
            [common(Some("a"), Some("b")), common(None, Some("a")), common(Some("a"), None)],
            [None, None, None]
        );
    }
}
