//! The files of the crate depend on each other in one direction.

#[path = "../../chat-proto/tests/import_graph/mod.rs"]
mod import_graph;

use std::path::Path;

#[test]
fn no_import_cycle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = import_graph::modules_of(&source);
    let cycles = import_graph::cycles(&modules, &[]);
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}
