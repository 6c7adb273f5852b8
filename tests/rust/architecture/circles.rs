//! Circles of files: each of them leads back to itself through the imports of the others.

use std::collections::{BTreeMap, BTreeSet};

type Imports = BTreeMap<String, Vec<String>>;

/// Every greatest set of files that reach each other, in order.
pub(crate) fn circles(imports: &Imports) -> Vec<BTreeSet<&str>> {
    let names: Vec<&str> = imports.keys().map(|file| &**file).collect();
    let number = |file: &String| names.binary_search(&&**file).expect("what is imported is there");
    let edges: Vec<Vec<usize>> = imports.values().map(|others| others.iter().map(number).collect()).collect();
    let reached: Vec<_> = (0..names.len()).map(|from| reach(from, &edges)).collect();
    let with = |from: usize| (0..names.len()).filter(|to| reached[from][*to] && reached[*to][from]).collect::<Vec<_>>();
    let mut found: Vec<_> = (0..names.len()).map(with).filter(|circle| circle.len() > 1).collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|circle| circle.into_iter().map(|file| names[file]).collect()).collect()
}

/// Which files it leads to from that one, over any number of imports.
fn reach(from: usize, edges: &[Vec<usize>]) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut open = edges[from].clone();
    while let Some(file) = open.pop() {
        if !reached[file] {
            reached[file] = true;
            open.extend(&edges[file]);
        }
    }
    reached
}

/// Those that span folders.
pub(crate) fn between_folders<'a>(circles: &[BTreeSet<&'a str>]) -> Vec<BTreeSet<&'a str>> {
    let folders = |circle: &BTreeSet<&str>| circle.iter().map(|file| folder(file)).collect::<BTreeSet<_>>().len();
    circles.iter().filter(|circle| folders(circle) > 1).cloned().collect()
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn files_that_reach_each_other_are_a_circle() {
    let imports = [
        ("a/1", vec!["a/2", "c/4"]),
        ("a/2", vec!["b/3"]),
        ("b/3", vec!["a/1"]),
        ("c/4", vec!["c/5"]),
        ("c/5", vec!["c/4"]),
    ];
    let imports = imports.map(|(file, others)| (file.to_owned(), others.into_iter().map(str::to_owned).collect()));
    let imports = Imports::from(imports);
    let found = circles(&imports);
    assert_eq!(found, [BTreeSet::from(["a/1", "a/2", "b/3"]), BTreeSet::from(["c/4", "c/5"])]);
    assert_eq!(between_folders(&found), [BTreeSet::from(["a/1", "a/2", "b/3"])]);
}
