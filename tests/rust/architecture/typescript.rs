//! Reads TypeScript and JavaScript modules: which files they import.

use std::collections::BTreeMap;

/// Which file of these a file imports from, for types or values. Keys are paths below `src`.
/// Wasm, and what stands outside of `src`, is no file of these.
pub(crate) fn imports(files: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let of_file = |(file, text): (&String, &String)| {
        let found = specifiers(text).into_iter().filter_map(|specifier| {
            let path = joined(file, specifier)?;
            let stem = path.trim_end_matches(".js");
            let candidates = [path.clone(), format!("{stem}.ts"), format!("{stem}.d.ts")];
            let owner = candidates.into_iter().find(|candidate| files.contains_key(candidate));
            assert!(owner.is_some() || path.contains(".wasm"), "{file} imports {specifier}, which is not there");
            owner
        });
        let mut imported: Vec<_> = found.collect();
        imported.sort();
        imported.dedup();
        (file.clone(), imported)
    };
    files.iter().map(of_file).collect()
}

/// The relative ones of `from '…'`, `import '…'` and `import('…')`.
fn specifiers(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for keyword in ["from", "import"] {
        for (at, _) in text.match_indices(keyword) {
            let after = text[at + keyword.len()..].trim_start_matches([' ', '\n', '(']);
            let Some(quote) = after.chars().next().filter(|first| ['\'', '"'].contains(first)) else { continue };
            found.extend(after[1..].split(quote).next().filter(|specifier| specifier.starts_with('.')));
        }
    }
    found
}

/// The path of what a file names; nothing where that is outside of the root.
fn joined(file: &str, specifier: &str) -> Option<String> {
    let mut path: Vec<_> = file.split('/').collect();
    path.pop();
    for step in specifier.split('/') {
        match step {
            "." => {}
            ".." => {
                path.pop()?;
            }
            name => path.push(name),
        }
    }
    Some(path.join("/"))
}

#[test]
fn imports_are_found_in_each_of_their_forms() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let text = "import { a } from './b.js';\nimport type {\n  C,\n} from \"../c.js\";\nexport * from './d/e.js';\n\
                import './f.mjs';\nawait import('./g.js');\nimport w from './w.wasm?module';\nimport fs from 'node:fs';\n\
                import '../../../tests/h.mjs';\n";
    let files = BTreeMap::from([
        file("js/x/a.ts", text),
        file("js/x/b.ts", ""),
        file("js/c.d.ts", ""),
        file("js/x/d/e.ts", ""),
        file("js/x/f.mjs", ""),
        file("js/x/g.js", ""),
    ]);
    let found = imports(&files);
    assert_eq!(found["js/x/a.ts"], ["js/c.d.ts", "js/x/b.ts", "js/x/d/e.ts", "js/x/f.mjs", "js/x/g.js"]);
}
