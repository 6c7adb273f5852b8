//! One direction of flow: a module uses only those that stand above it in `src/lib.rs`, and no
//! circle of imports spans folders.

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/rust.rs"]
mod rust;
#[path = "architecture/typescript.rs"]
mod typescript;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Names that may appear only in files of these places: a clock, a network and randomness are not
/// for the core.
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

/// A circle of files within one folder may only become smaller.
const LARGEST_CIRCLE_IN_A_FOLDER: usize = 19;

struct Source {
    /// The module at the top of the crate that the file belongs to.
    module: String,
    /// Below `src`.
    path: String,
    lines: usize,
    code: String,
}

impl Source {
    fn new(path: String, text: &str) -> Self {
        let module = path.split(['/', '.']).next().unwrap().to_owned();
        Source { module, path, lines: text.lines().count(), code: rust::library_code(text) }
    }
}

/// The files below `src` with one of these extensions, by their paths.
fn files(extensions: &[&str]) -> BTreeMap<String, String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.retain(|path| path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one)));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    found.into_iter().map(read).collect()
}

/// Every file of Rust.
fn texts() -> BTreeMap<String, String> {
    files(&["rs"])
}

fn sources() -> Vec<Source> {
    texts().into_iter().map(|(path, text)| Source::new(path, &text)).collect()
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

/// Top-level modules named by `crate::…`.
fn uses(code: &str) -> Vec<String> {
    let paths = rust::paths(code).into_iter().filter(|path| path[0] == "crate");
    paths.filter_map(|path| path.into_iter().nth(1)).collect()
}

/// Every upward edge, as a sentence. `lib.rs` names what it likes.
fn upward_edges(source: &Source, ranks: &BTreeMap<String, usize>) -> Vec<String> {
    if source.path == "lib.rs" {
        return Vec::new();
    }
    let rank = ranks[&source.module];
    let edge = |name: String| match ranks.get(&name) {
        Some(used) if *used <= rank => None,
        Some(_) => Some(format!("{} uses {name}, which stands below it in lib.rs", source.path)),
        None => Some(format!("{} names crate::{name} instead of the module it stands in", source.path)),
    };
    uses(&source.code).into_iter().filter_map(edge).collect()
}

/// Clocks, randomness, JavaScript and the machine, where they do not belong.
/// What may not be named in a file with that path.
fn confined(path: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    CONFINED.into_iter().filter(|(_, places)| !places.iter().any(|place| path.starts_with(place))).map(|(name, _)| name)
}

fn misplaced_names(source: &Source) -> Vec<String> {
    let found = confined(&source.path).chain(FORBIDDEN).filter(|name| source.code.contains(name));
    found.map(|name| format!("{} names {name}", source.path)).collect()
}

/// The arithmetic that names what it knows nothing of.
fn engine_edges(source: &Source) -> Vec<String> {
    let names = if source.module == "engine" { uses(&source.code) } else { Vec::new() };
    names.into_iter().map(|name| format!("{} names {name}, and the engine knows of no tokens", source.path)).collect()
}

fn made_tokens(source: &Source) -> Vec<String> {
    let made = source.path != "signature.rs" && source.code.contains("AuthenticToken {");
    made.then(|| format!("{} makes an AuthenticToken", source.path)).into_iter().collect()
}

/// Everything that is wrong with a file.
fn faults(source: &Source, ranks: &BTreeMap<String, usize>) -> Vec<String> {
    [upward_edges(source, ranks), misplaced_names(source), engine_edges(source), made_tokens(source)].concat()
}

#[test]
fn every_import_points_up_the_table_of_contents() {
    let ranks = ranks();
    assert!(ranks.len() > 12, "lib.rs was not read: {ranks:?}");
    let sources = sources();
    assert!(sources.iter().map(|source| uses(&source.code).len()).sum::<usize>() > 40, "imports were not read");
    assert_eq!(
        sources.iter().flat_map(|source| upward_edges(source, &ranks)).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

#[test]
fn clocks_randomness_and_javascript_stay_where_they_belong() {
    assert_eq!(sources().iter().flat_map(misplaced_names).collect::<Vec<_>>(), Vec::<String>::new());
}

/// Of the shells around the gate none knows another.
fn shell_edges(source: &Source) -> Vec<String> {
    if !["driver", "tower", "fetch"].contains(&&*source.module) {
        return Vec::new();
    }
    let others = uses(&source.code).into_iter().filter(|name| *name != source.module);
    let shells = others.filter(|name| SHELLS.contains(&name.as_str()));
    shells.map(|name| format!("{} names {name}, which is a shell as well", source.path)).collect()
}

#[test]
fn the_shells_around_the_gate_know_nothing_of_one_another() {
    assert_eq!(sources().iter().flat_map(shell_edges).collect::<Vec<_>>(), Vec::<String>::new());
    for module in ["driver", "tower", "fetch"] {
        for shell in SHELLS.into_iter().filter(|shell| *shell != module) {
            let planted = Source::new(format!("{module}/mod.rs"), &format!("use crate::{shell}::Planted;"));
            assert_eq!(shell_edges(&planted).len(), 1, "{module} may name {shell}");
        }
    }
}

#[test]
fn the_engine_knows_nothing_of_tokens() {
    assert_eq!(sources().iter().flat_map(engine_edges).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn only_one_module_can_make_an_authentic_token() {
    assert_eq!(sources().iter().flat_map(made_tokens).collect::<Vec<_>>(), Vec::<String>::new());
}

/// What no file of that path may hold, and the fault that it is.
fn violations(source: &Source, ranks: &BTreeMap<String, usize>) -> Vec<String> {
    let mut planted: Vec<_> =
        confined(&source.path).chain(FORBIDDEN).map(|name| format!("use {name}::Planted;")).collect();
    if source.path != "lib.rs" {
        let lower = ranks.iter().filter(|(_, rank)| **rank > ranks[&source.module]).map(|(name, _)| name);
        planted.extend(lower.map(|name| format!("use crate::{{alg::Alg, {name}::Planted}};")));
        planted.push("fn planted() { crate::planted() }".to_owned());
    }
    if source.path != "signature.rs" {
        planted.push("fn planted() -> AuthenticToken { AuthenticToken { planted: 1 } }".to_owned());
    }
    planted
}

#[test]
fn a_violation_at_the_end_of_any_file_is_found() {
    let ranks = ranks();
    let texts = texts();
    assert!(texts.len() > 150, "{} files were read", texts.len());
    for (path, text) in texts {
        let source = Source::new(path.clone(), &text);
        let there = faults(&source, &ranks);
        assert_eq!(there, Vec::<String>::new());
        for planted in violations(&source, &ranks) {
            let found = faults(&Source::new(path.clone(), &format!("{text}\n{planted}\n")), &ranks);
            assert!(!found.is_empty(), "{path} may end with: {planted}");
        }
    }
}

/// The imports of Rust and those of TypeScript.
fn imports() -> [BTreeMap<String, Vec<String>>; 2] {
    let code = texts().into_iter().map(|(path, text)| (path, rust::library_code(&text))).collect();
    [rust::imports(&code), typescript::imports(&files(&["ts", "mjs"]))]
}

#[test]
fn no_circle_of_imports_spans_folders() {
    for imports in imports() {
        assert!(imports.values().map(Vec::len).sum::<usize>() > 150, "imports were not read");
        let circles = circles::circles(&imports);
        assert_eq!(circles::between_folders(&circles), Vec::<BTreeSet<&str>>::new());
        for circle in circles {
            assert!(circle.len() <= LARGEST_CIRCLE_IN_A_FOLDER, "these import each other: {circle:?}");
        }
    }
}

#[test]
fn a_circle_between_folders_is_found_from_any_file() {
    for mut imports in imports() {
        for file in imports.keys().cloned().collect::<Vec<_>>() {
            let planted = "planted/elsewhere".to_owned();
            imports.get_mut(&file).unwrap().push(planted.clone());
            imports.insert(planted.clone(), vec![file.clone()]);
            let circles = circles::circles(&imports);
            assert_eq!(circles::between_folders(&circles).len(), 1, "{file}");
            imports.get_mut(&file).unwrap().pop();
            imports.remove(&planted);
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let rust = sources().into_iter().map(|source| (source.path, source.lines));
    let typescript = files(&["ts", "mjs"]).into_iter().map(|(path, text)| (path, text.lines().count()));
    for (path, lines) in rust.chain(typescript) {
        assert!(lines <= LONGEST_FILE, "{path} has {lines} lines");
    }
}
