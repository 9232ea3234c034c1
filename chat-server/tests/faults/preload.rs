//! Libraries that are put between the real server and the system: C files beside this one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a library of the file `name`.c; the compiler is the one that SQLite was built with.
pub(crate) fn library(name: &str) -> PathBuf {
    let source = format!("{}/tests/faults/{name}.c", env!("CARGO_MANIFEST_DIR"));
    // In the directory of the build; of its own, as another test process may make it at this moment.
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.so"));
    let fresh = library.with_extension(format!("{}.so", std::process::id()));
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&fresh)
        .args([&source, "-ldl"])
        .status();
    assert!(status.unwrap().success(), "{source} cannot be compiled");
    std::fs::rename(&fresh, &library).unwrap();
    library
}
