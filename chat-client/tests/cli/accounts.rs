//! Protected nicks, for a script: the password comes from a file and from nowhere else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;

use tempfile::NamedTempFile;

use super::*;

fn file(lines: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[test]
fn the_password_of_the_file_is_in_the_hello() {
    let server = FakeServer::start();
    let passwords = file("correct horse\n");
    let client = Client::of(&server, "bot", &["--password-file", path(&passwords)]);
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["password"], "correct horse");
    peer.send(&welcome("bot"));
    // Coming back the token is enough, while it is good.
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    let hello = peer.expect("hello");
    assert_eq!(
        (&hello["token"], &hello["password"]),
        (&json!("token-of-bot"), &json!(null))
    );
    peer.send(&error("auth_failed", &json!(null)));
    let hello = peer.expect("hello");
    assert_eq!(
        (&hello["token"], &hello["password"]),
        (&json!(null), &json!("correct horse"))
    );
    peer.send(&welcome("bot"));
    client.shows("* back, 0 messages missed");
    peer.barrier();
    leave(client, peer);
}

#[test]
fn the_file_can_be_named_by_a_variable() {
    let server = FakeServer::start();
    let passwords = file("correct horse");
    let address = server.address();
    let mut command = command(&[&address, "--nick", "bot"]);
    let client = Client::spawn(command.env("CHAT_PASSWORD_FILE", path(&passwords)));
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["password"], "correct horse");
    peer.send(&welcome("bot"));
    leave(client, peer);
    for (variable, code) in [("", 0), ("/nowhere/at/all", 2)] {
        let mut client = command.env("CHAT_PASSWORD_FILE", variable);
        client = client.arg("--help");
        let help = Client::spawn(client).end();
        assert_eq!(help.0, Some(0), "{code} {help:?}");
    }
}

#[test]
fn a_file_that_says_nothing_is_wrong_usage() {
    let empty = file("\n");
    for name in ["/nowhere/at/all", path(&empty)] {
        let client = Client::start(&["--nick", "bot", "--password-file", name]);
        let (code, _, err) = client.end();
        assert_eq!(code, Some(2));
        assert!(err[0].contains(name), "{err:?}");
    }
}

#[test]
fn a_wrong_password_is_3() {
    let server = FakeServer::start();
    let passwords = file("wrong");
    let client = Client::of(&server, "bot", &["--password-file", path(&passwords)]);
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["password"], "wrong");
    peer.send(&error("auth_failed", &json!(null)));
    // It may be no account yet.
    assert_eq!(peer.expect("hello")["password"], json!(null));
    peer.send(&error("auth_failed", &json!(null)));
    let complaint = client.err();
    assert!(
        complaint.contains("auth_failed") && complaint.contains("file"),
        "{complaint}"
    );
    client.ends_with(3);
}

#[test]
fn a_nick_is_registered_from_a_pipe() {
    let server = FakeServer::start();
    let passwords = file("correct horse\nanother one\n");
    let mut client = Client::of(&server, "bot", &["--password-file", path(&passwords)]);
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&error("auth_failed", &json!(null)));
    peer.expect("hello");
    peer.send(&welcome("bot"));
    client.complains("not_registered");
    client.type_line("/register");
    assert_eq!(peer.expect("register")["password"], "correct horse");
    peer.send(&json!({"type": "registered", "nick": "bot"}));
    client.shows("* bot is protected by your password");
    leave(client, peer);
}

#[test]
fn a_password_is_changed_and_given_up_from_a_pipe() {
    let server = FakeServer::start();
    let passwords = file("correct horse\nanother one\n");
    let (mut client, mut peer) = bot(&server, &["--password-file", path(&passwords)]);
    client.type_line("/password");
    let password = peer.expect("password");
    assert_eq!(
        (&password["old"], &password["new"]),
        (&json!("correct horse"), &json!("another one"))
    );
    peer.send(&json!({"type": "registered", "nick": "bot"}));
    client.shows("* bot is protected by your password");
    client.type_line("/unregister");
    assert_eq!(peer.expect("unregister")["password"], "another one");
    peer.send(&json!({"type": "unregistered", "nick": "bot"}));
    client.shows("* bot is no longer protected");
    leave(client, peer);
}

/// The old token has ended with the old password.
#[test]
fn the_token_that_comes_with_another_password_brings_back() {
    let server = FakeServer::start();
    let passwords = file("correct horse\nanother one\n");
    let (mut client, mut peer) = bot(&server, &["--password-file", path(&passwords)]);
    client.type_line("/password");
    peer.expect("password");
    peer.send(&json!({"type": "registered", "nick": "bot", "token": "another-token"}));
    client.shows("* bot is protected by your password");
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["token"], "another-token");
    peer.send(&welcome_with("bot", &json!({"resumed": true})));
    client.shows("* back, 0 messages missed");
    peer.barrier();
    leave(client, peer);
}

#[test]
fn signed_out_is_the_end() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&error("signed_out", &json!(null)));
    client.complains("signed_out");
    client.ends_with(1);
}

#[test]
fn without_a_file_nothing_is_sent() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for line in ["/register", "/password", "/unregister", "correct horse"] {
        client.type_line(line);
    }
    for _ in 0..3 {
        client.complains("password_missing");
    }
    // What stands in the pipe is never a password, but a line.
    assert_eq!(peer.record("bot", 1)["text"], "correct horse");
    client.shows("[bot]: correct horse");
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}

#[test]
fn a_refusal_of_the_server_is_shown_and_counts() {
    let server = FakeServer::start();
    let passwords = file("correct horse\n");
    let (mut client, mut peer) = bot(&server, &["--password-file", path(&passwords)]);
    client.type_line("/register");
    let id = peer.expect("register")["id"].clone();
    peer.send(&error("already_registered", &id));
    client.complains("already_registered");
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}
