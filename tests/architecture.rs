//! One direction of flow: a module uses only those that stand above it in `src/lib.rs`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Names that may appear only in files of these places: a clock, a network and randomness are not for the core.
const CONFINED: [(&str, &[&str]); 7] = [
    ("js_sys", &["wasm/", "fetch/"]),
    ("web_sys", &["fetch/"]),
    ("wasm_bindgen", &["wasm/", "fetch/"]),
    ("http::", &["tower/"]),
    ("tower_service", &["tower/"]),
    ("getrandom", &["issuer/"]),
    ("std::time", &["tower/"]),
];

/// Shells around the gate. Each is behind a feature of its own, and none knows another; what they
/// share is in `driver`.
const SHELLS: [&str; 4] = ["tower", "fetch", "issuer", "wasm"];

/// What the core must not name anywhere: it is sans-I/O and has no global state.
const FORBIDDEN: [&str; 6] = ["std::net", "std::fs", "std::env", "std::thread", "static mut", "thread_local"];

const LONGEST_FILE: usize = 400;

struct Source {
    module: String,
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let module = name.split(['/', '.']).next().unwrap().to_owned();
        Source { module, path: name, text: fs::read_to_string(path).unwrap() }
    };
    found.into_iter().map(read).filter(|source| source.path != "lib.rs").collect()
}

/// The rank of each module: its place in `lib.rs`.
fn ranks() -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    modules.enumerate().map(|(rank, module)| (module.to_owned(), rank)).collect()
}

/// Source without comments and without its unit tests, which may reach up.
fn code(text: &str) -> String {
    let library = text.split("#[cfg(test)]").next().unwrap();
    library.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Top-level modules named by `crate::…`, with the groups of `use crate::{…}` opened.
fn uses(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => names.push(identifier(part)),
            Some(group) => {
                let mut depth = 1_usize;
                let mut item = String::new();
                for character in group.chars() {
                    match character {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => names.push(identifier(&std::mem::take(&mut item))),
                        _ if depth == 1 => item.push(character),
                        _ => {}
                    }
                    if depth == 0 {
                        names.push(identifier(&item));
                        break;
                    }
                }
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// Every upward edge, as a sentence.
fn upward_edges(sources: &[Source], ranks: &BTreeMap<String, usize>) -> Vec<String> {
    let mut edges = Vec::new();
    for source in sources {
        let rank = ranks[&source.module];
        for name in uses(&code(&source.text)) {
            match ranks.get(&name) {
                Some(used) if *used <= rank => {}
                Some(_) => edges.push(format!("{} uses {name}, which stands below it in lib.rs", source.path)),
                None => edges.push(format!("{} names crate::{name} instead of the module it stands in", source.path)),
            }
        }
    }
    edges
}

#[test]
fn every_import_points_up_the_table_of_contents() {
    let ranks = ranks();
    assert!(ranks.len() > 12, "lib.rs was not read: {ranks:?}");
    let sources = sources();
    assert!(sources.iter().map(|source| uses(&code(&source.text)).len()).sum::<usize>() > 40, "imports were not read");
    assert_eq!(upward_edges(&sources, &ranks), Vec::<String>::new());
}

#[test]
fn an_upward_edge_is_found_where_there_is_one() {
    let text = "use crate::{\n    json::Value,\n    verifier::{Verifier, Verdict},\n};\nfn f() { crate::wasm::g() }"
        .to_owned();
    let source = Source { module: "claims".to_owned(), path: "claims.rs".to_owned(), text };
    let edges = upward_edges(&[source], &ranks());
    assert_eq!(edges.len(), 2, "{edges:?}");
}

#[test]
fn clocks_randomness_and_javascript_stay_where_they_belong() {
    for source in sources() {
        let code = code(&source.text);
        for (name, places) in CONFINED {
            let confined = places.iter().any(|place| source.path.starts_with(place));
            assert!(confined || !code.contains(name), "{} names {name}", source.path);
        }
        for name in FORBIDDEN {
            assert!(!code.contains(name), "{} names {name}", source.path);
        }
    }
}

#[test]
fn the_shells_around_the_gate_know_nothing_of_one_another() {
    for source in sources().into_iter().filter(|source| ["driver", "tower", "fetch"].contains(&&*source.module)) {
        let others = uses(&code(&source.text)).into_iter().filter(|name| *name != source.module);
        let shells: Vec<String> = others.filter(|name| SHELLS.contains(&name.as_str())).collect();
        assert_eq!(shells, Vec::<String>::new(), "{}", source.path);
    }
}

#[test]
fn the_engine_knows_nothing_of_tokens() {
    for source in sources().into_iter().filter(|source| source.module == "engine") {
        assert_eq!(uses(&code(&source.text)), Vec::<String>::new(), "{}", source.path);
    }
}

#[test]
fn only_one_module_can_make_an_authentic_token() {
    for source in sources() {
        let made = code(&source.text).contains("AuthenticToken {");
        let allowed = source.path == "signature.rs";
        assert!(allowed || !made, "{} makes an AuthenticToken", source.path);
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", source.path);
    }
}
