//! `chat-server man`, `chat-server completions` and `--help`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, OpenOptions};
use std::process::{Command, Output, Stdio};

fn server(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    // A configuration that cannot be read is none of their business.
    command.args(args).env("CHAT_LIMITS__NONE", "1");
    command
}

fn printed(args: &[&str]) -> String {
    let Output { status, stdout, .. } = server(args).output().unwrap();
    assert!(status.success(), "{args:?}");
    String::from_utf8(stdout).unwrap()
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        for word in [
            "chat-server",
            "check-config",
            "certificate",
            "passwd",
            "man",
        ] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    let page = printed(&["man"]);
    assert!(
        page.contains(".TH chat-server") && page.contains("history"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(printed(&["man", pages.to_str().unwrap()]), "");
    for page in [
        "chat-server.1",
        "chat-server-history.1",
        "chat-server-account-add.1",
    ] {
        assert!(fs::exists(pages.join(page)).unwrap(), "{page}");
    }
    let wrong = server(&["completions", "tcsh"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn help_shows_what_belongs_to_a_command() {
    let help = printed(&["--help"]);
    let (_, listening) = help.split_once("\nListening:\n").unwrap();
    for option in ["--ip-address", "--port", "--local"] {
        assert!(listening.contains(option), "{option} in\n{help}");
    }
    for command in [
        &["man"][..],
        &["completions"],
        &["history", "show"],
        &["certificate", "new"],
        &["account", "add"],
        &["healthcheck"],
    ] {
        let mut args = command.to_vec();
        args.push("--help");
        let help = printed(&args);
        for option in [
            "--ip-address",
            "--port",
            "--local",
            "--log-level",
            "--check-config",
        ] {
            assert!(!help.contains(option), "{option} in\n{help}");
        }
    }
    for command in ["man", "completions"] {
        assert!(!printed(&[command, "--help"]).contains("--config"));
    }
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    for args in [
        &["--help"][..],
        &["man"],
        &["completions", "bash"],
        &["history", "--help"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let Output { status, stderr, .. } = server(args)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(status.code(), Some(1), "{args:?}");
        let error = String::from_utf8(stderr).unwrap();
        assert!(error.contains("No space left on device"), "{error}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let Output { status, stderr, .. } = server(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!((status.code(), stderr.len()), (Some(0), 0), "{args:?}");
    }
}
