//! The files of the crate depend on each other in one direction.

#[path = "../../chat-proto/tests/import_graph/mod.rs"]
mod import_graph;

use std::path::Path;

/// `net` and `store` know each other only through the ports in `chat`, and `chat` knows neither.
#[test]
fn layers_import_downwards() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = import_graph::modules_of(&source);
    let forbidden = [
        ("net", "store"),
        ("store", "net"),
        ("chat", "net"),
        ("chat", "store"),
        ("error", "net"),
        ("error", "store"),
        ("error", "chat"),
    ];
    let mut found = Vec::new();
    for (module, code) in &modules {
        for target in import_graph::dependencies(module, code, &modules) {
            let edge = (module.first(), target.first());
            if let (Some(from), Some(to)) = edge
                && forbidden.contains(&(&**from, &**to))
            {
                found.push(format!("{} -> {}", module.join("::"), target.join("::")));
            }
        }
    }
    assert!(found.is_empty(), "forbidden imports:\n{}", found.join("\n"));
}

#[test]
fn no_import_cycle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules = import_graph::modules_of(&source);
    // The connections of a thread and what they share are still one component.
    let cycles = import_graph::cycles(&modules, &["net"]);
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}
