//! The layering of the core, checked in its sources: what it imports. `tests/architecture.rs` checks that
//! no files import each other in a circle.

use std::path::{Path, PathBuf};

/// The modules of the server that the core may import.
const ALLOWED: [&str; 4] = ["chat", "ip", "logging", "telemetry"];

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
