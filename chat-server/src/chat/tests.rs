//! The layering of the core, checked in its sources: what it imports, and that no files import each
//! other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of the server that the core may import.
const ALLOWED: [&str; 4] = ["chat", "ip", "logging", "telemetry"];

/// A module path below the crate, such as `["chat", "registry"]`.
type Module = Vec<String>;

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns the source files below a folder of the crate, except tests.
fn files_of(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![source_folder().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 10);
    files
}

/// Returns a source file without its comments.
fn code_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join(" ")
}

fn module_of(path: &Path) -> Module {
    let path = path.strip_prefix(source_folder()).unwrap();
    let path = path.with_extension("");
    let mut module: Module = path
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Expands `a::{b, c::{d, e}}` to its paths.
fn expand(import: &str) -> Vec<String> {
    let Some((prefix, rest)) = import.split_once('{') else {
        return vec![import.to_owned()];
    };
    let list = rest.rsplit_once('}').unwrap().0;
    let mut paths = Vec::new();
    let (mut depth, mut item) = (0, String::new());
    for c in list.chars().chain([',']) {
        match c {
            ',' if depth == 0 => {
                let nested = expand(&std::mem::take(&mut item));
                paths.extend(nested.into_iter().map(|path| format!("{prefix}{path}")));
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        item.push(c);
    }
    paths
}

/// Returns the paths that a file imports, each from the root of the crate, or as it is.
fn imports_of(path: &Path) -> Vec<Module> {
    let module = module_of(path);
    let code = code_of(path);
    let imports = code.split("use ").skip(1);
    let paths = imports.flat_map(|import| expand(import.split(';').next().unwrap()));
    let absolute = paths.map(|path| {
        let path: String = path.split_whitespace().collect();
        let mut parts: Vec<String> = path.split("::").map(Into::into).collect();
        if parts[0] == "crate" {
            parts.remove(0);
            return parts;
        }
        let levels = parts.iter().take_while(|part| *part == "super").count();
        if levels > 0 {
            let base = &module[..module.len() - levels];
            return base.iter().chain(&parts[levels..]).cloned().collect();
        }
        module.iter().chain(&parts).cloned().collect()
    });
    absolute.collect()
}

#[test]
fn the_core_imports_only_what_it_may() {
    for path in files_of("chat") {
        let code = code_of(&path);
        for module in code.split("crate::").skip(1) {
            let end = module.find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &module[..end.unwrap_or(module.len())];
            assert!(ALLOWED.contains(&name), "{} uses {name}", path.display());
        }
        for word in [concat!("serde", "_json"), concat!("tokio", "::net")] {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
    }
}

/// Time and random numbers come with the requests.
#[test]
fn the_registry_has_neither_clock_nor_random_source() {
    for path in files_of("chat/registry") {
        let code = code_of(&path);
        for word in [
            "Instant",
            "SystemTime",
            "rand::",
            "Token::random",
            "HashSet",
        ] {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
    }
}

/// A module file and its children may import each other.
#[test]
fn no_files_of_the_core_import_each_other_in_a_circle() {
    let files = files_of("chat");
    let modules: BTreeSet<Module> = files.iter().map(|path| module_of(path)).collect();
    let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for path in &files {
        let from = module_of(path);
        for mut to in imports_of(path) {
            while !to.is_empty() && !modules.contains(&to) {
                to.pop();
            }
            if !to.is_empty() && !from.starts_with(&to) && !to.starts_with(&from) {
                edges.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    assert!(edges.len() > 10);
    // A file without imports of remaining files is in no circle.
    while let Some(leaf) = edges
        .iter()
        .find(|(_, to)| to.iter().all(|to| !edges.contains_key(to)))
        .map(|(from, _)| from.clone())
    {
        edges.remove(&leaf);
    }
    assert!(edges.is_empty(), "circles among {edges:#?}");
}
