//! Reads Rust: what of a file is the library's code, and which files it imports.

use std::collections::BTreeMap;

/// A file's code without comments, without the text of its literals and without its test modules,
/// which may reach up. Everything else that stands under `#[cfg(test)]` stays: a check that it
/// breaks is broken.
pub(crate) fn library_code(text: &str) -> String {
    without_test_modules(&without_comments_and_texts(text))
}

fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let (Some(length), false) = (raw_string(rest), after_name) {
            length
        } else if character == '"' {
            string(rest)
        } else if character == '\'' {
            character_literal(rest).unwrap_or(0)
        } else {
            0
        };
        // A blank in its place keeps apart what it stood between.
        code.push(if skipped > 0 { ' ' } else { character });
        rest = &rest[skipped.max(character.len_utf8())..];
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("a comment does not end: {text}")
}

/// The length of `r"…"`, `r#"…"#` or `br"…"`.
fn raw_string(text: &str) -> Option<usize> {
    let opening = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let body = opening.trim_start_matches('#').strip_prefix('"')?;
    let hashes = "#".repeat(opening.len() - body.len() - 1);
    let end = body.find(&format!("\"{hashes}")).expect("a raw string ends");
    Some(text.len() - body.len() + end + 1 + hashes.len())
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("a string does not end: {text}")
}

/// The length of `'a'` or `'\u{61}'`; a lifetime is none.
fn character_literal(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        return text[3..].find('\'').map(|end| end + 4);
    }
    let (at, closing) = characters.next()?;
    (closing == '\'').then_some(at + 1)
}

const TESTS_ONLY: &str = "#[cfg(test)]";

fn without_test_modules(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(start) = rest.find(TESTS_ONLY) {
        let (before, from) = rest.split_at(start);
        let length = test_module(from).unwrap_or(TESTS_ONLY.len());
        kept.push_str(before);
        rest = &from[length..];
    }
    kept + rest
}

/// The length of `#[cfg(test)] mod NAME { … }`, further attributes included, if that is what the
/// code begins with.
fn test_module(code: &str) -> Option<usize> {
    let mut item = code;
    while let Some(attribute) = item.strip_prefix("#[") {
        item = attribute[attribute.find(']')? + 1..].trim_start();
    }
    if let Some(public) = item.strip_prefix("pub") {
        item = public.trim_start();
        if item.starts_with('(') {
            item = item[item.find(')')? + 1..].trim_start();
        }
    }
    let (name, body) = item.strip_prefix("mod ")?.split_once('{')?;
    if name.contains(';') {
        return None;
    }
    let mut depth = 1_usize;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(code.len() - body.len() + at + 1);
        }
    }
    panic!("a module does not end: {code}")
}

/// Every path that the code names, `use` or not, with groups opened: `a::{b, c::d}` is `a::b` and
/// `a::c::d`.
pub(crate) fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at..].starts_with(&["pub", "(", "in"]) {
            // Who may see an item; it imports nothing.
            at += 3;
            at = path(&tokens, at, &mut Vec::new(), &mut Vec::new());
        } else if is_name(tokens[at]) {
            at = path(&tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Names, `::`, and every other character for itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while !rest.is_empty() {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => rest.chars().next().map_or(1, char::len_utf8),
            name => name,
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads a path that begins there, notes it with everything in its groups, and gives the place
/// behind it.
fn path(tokens: &[&str], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let shared = prefix.len();
    loop {
        prefix.push(tokens[at].to_owned());
        at += 1;
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(&"::"), Some(next)) if is_name(next) => at += 1,
            (Some(&"::"), Some(&"{")) => {
                at += 2;
                while let Some(token) = tokens.get(at).filter(|token| **token != "}") {
                    at = match *token {
                        "as" => at + 2,
                        token if is_name(token) => path(tokens, at, prefix, found),
                        _ => at + 1,
                    };
                }
                prefix.truncate(shared);
                return at + 1;
            }
            _ => break,
        }
    }
    // A name alone is no path.
    if prefix.len() > 1 {
        found.push(prefix.clone());
    }
    prefix.truncate(shared);
    at
}

/// Which file of these a file imports from: `crate::`, `self::` and `super::` paths, and those
/// that begin with a module below it. Keys are paths below `src`.
pub(crate) fn imports(files: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let modules: BTreeMap<_, _> = files.keys().map(|file| (module(file), file)).collect();
    let of_file = |(file, code): (&String, &String)| {
        let here = module(file);
        let mut imported: Vec<_> = paths(code)
            .into_iter()
            .filter_map(|path| owner(&resolved(&here, path, &modules)?, &modules))
            .filter(|other| other != file)
            .collect();
        imported.sort();
        imported.dedup();
        (file.clone(), imported)
    };
    files.iter().map(of_file).collect()
}

fn module(file: &str) -> Vec<String> {
    let mut path: Vec<_> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// The path from the crate's root; nothing for a path into another crate.
fn resolved(here: &[String], path: Vec<String>, modules: &BTreeMap<Vec<String>, &String>) -> Option<Vec<String>> {
    let mut full = here.to_vec();
    let mut steps = path.into_iter().peekable();
    let first = steps.peek()?.clone();
    if first == "crate" {
        full.clear();
    } else if first != "self" && first != "super" {
        full.push(first);
        modules.get(&full)?;
    }
    while let Some(step) = steps.next_if(|step| step == "crate" || step == "self" || step == "super") {
        if step == "super" {
            full.pop();
        }
    }
    if full.len() > here.len() {
        steps.next();
    }
    full.extend(steps);
    Some(full)
}

/// The file of the innermost module that the path leads into.
fn owner(path: &[String], modules: &BTreeMap<Vec<String>, &String>) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| modules.get(&path[..length])).map(|file| (*file).clone())
}

#[test]
fn a_test_module_is_cut_and_nothing_after_it() {
    let text = "use crate::a;\n#[cfg(test)]\nuse crate::b;\n#[cfg(test)]\n#[allow(x)]\npub(super) mod tests {\n    \
                use crate::c;\n    const BRACE: char = '}';\n    const TEXT: &str = \"}\\\"\";\n}\nuse crate::d; // e\n\
                /* f /* g */ h */ const RAW: &[u8] = br#\"i\"\"#;\nfn lives<'a>(x: &'a str) {}\n";
    let code = library_code(text);
    for (kept, name) in [(true, "crate::a"), (true, "crate::b"), (false, "crate::c"), (true, "crate::d")] {
        assert_eq!(code.contains(name), kept, "{name} in {code}");
    }
    for gone in ["TEXT", "BRACE", "// e", "f ", "g ", "h *", "i\""] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    assert!(code.contains("fn lives<'a>(x: &'a str) {}"), "{code}");
}

#[test]
fn a_group_of_imports_is_opened() {
    let found = paths("use crate::{a::B, c::{self, D as E}, f}; super::g::h(1);");
    let found: Vec<_> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::a::B", "crate::c::self", "crate::c::D", "crate::f", "super::g::h"]);
}

#[test]
fn who_may_see_an_item_is_no_import() {
    assert_eq!(paths("pub(in crate::a) fn b() -> c::D {}"), [["c", "D"]]);
}

#[test]
fn imports_lead_to_the_file_that_holds_the_module() {
    let file = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    let files = BTreeMap::from([
        file("a/mod.rs", "mod b; use b::c::D; use std::fmt;"),
        file("a/b/mod.rs", "mod c; use super::E; use crate::f::{self, G};"),
        file("a/b/c.rs", "use super::super::E; use super::H;"),
        file("f.rs", "fn f() { self::g() }"),
    ]);
    let found = imports(&files);
    assert_eq!(found["a/mod.rs"], ["a/b/c.rs"]);
    assert_eq!(found["a/b/mod.rs"], ["a/mod.rs", "f.rs"]);
    assert_eq!(found["a/b/c.rs"], ["a/b/mod.rs", "a/mod.rs"]);
    assert!(found["f.rs"].is_empty());
}
