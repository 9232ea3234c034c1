//! The whole way once, small: the bench starts the `limit` server, drives it, checks what everyone got and
//! writes its report. No other server is needed, and no figure is judged.

use std::path::Path;
use std::process::{Command, Output};

fn bench(arguments: &[&str], json: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chat-bench"))
        .args(arguments)
        .args(["--servers", "limit", "--seconds", "0.2", "--json"])
        .arg(json)
        .output()
        .expect("the bench runs")
}

fn rows(arguments: &[&str]) -> Vec<serde_json::Value> {
    let dir = tempfile::tempdir().expect("a directory");
    let json = dir.path().join("report.json");
    let output = bench(arguments, &json);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json = std::fs::read(&json).expect("a report was written");
    let report: serde_json::Value = serde_json::from_slice(&json).expect("the report is JSON");
    report["rows"].as_array().expect("it has rows").clone()
}

#[test]
fn everyone_gets_every_message_once_and_in_order() {
    let rows = rows(&[
        "fanout",
        "--receivers",
        "10,30",
        "--senders",
        "3",
        "--in-flight",
        "5",
    ]);
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(
            (row["server"].as_str(), row["state"].as_str()),
            (Some("limit"), Some("passed")),
            "{row}"
        );
        assert!(row["cpu_s_per_million"].as_f64() > Some(0.0), "{row}");
        assert_eq!(row["ratio"]["cpu"].as_f64(), Some(1.0), "{row}");
    }
}

#[test]
fn many_channels_do_not_hear_each_other() {
    for row in rows(&["channels"]) {
        assert_eq!(row["state"].as_str(), Some("passed"), "{row}");
    }
}

#[test]
fn a_file_that_is_no_server_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let output = bench(
        &["quick", "--server-bin", "/nowhere/chat-server"],
        &dir.path().join("report.json"),
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no server"));
}
