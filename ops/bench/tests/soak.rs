//! The soak for some seconds, against the server of the same build.

use std::io::Write as _;
use std::process::Command;

#[test]
fn who_is_cut_off_and_comes_back_misses_nothing() {
    let bench = env!("CARGO_BIN_EXE_chat-bench");
    let server = std::path::Path::new(bench).with_file_name("chat-server");
    if !server.is_file() {
        // Not by a macro: what those print of a test that passes is shown to nobody.
        writeln!(
            std::io::stderr(),
            "NOT TRIED: no chat-server beside {bench}"
        )
        .ok();
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let json = dir.path().join("report.json");
    let output = Command::new(bench)
        .args(["soak", "--for", "6s", "--people", "60", "--json"])
        .arg(&json)
        .output()
        .expect("the bench runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let json = std::fs::read(&json).expect("a report was written");
    let report: serde_json::Value = serde_json::from_slice(&json).expect("the report is JSON");
    let row = &report["rows"][0];
    assert_eq!(row["state"], "passed", "{row}");
    for (figure, least) in [("messages", 100.0), ("resumed", 30.0), ("people", 61.0)] {
        assert!(row["more"][figure].as_f64() >= Some(least), "{row}");
    }
    for figure in ["lost", "repeated"] {
        assert_eq!(row["more"][figure].as_f64(), Some(0.0), "{row}");
    }
}
