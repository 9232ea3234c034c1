//! The examples of BOTS.md, run as they stand there.

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::json;
use support::{BINARY, DEADLINE, FakeServer, NOWHERE, error, message};

const MANUAL: &str = include_str!("../docs/BOTS.md");

/// The one example in that language.
fn example(language: &str) -> &'static str {
    let begin = format!("```{language}\n");
    let (_, behind) = MANUAL.split_once(&begin).expect("there is an example");
    let (code, behind) = behind.split_once("```").expect("it ends");
    assert!(!behind.contains(&begin), "there is one");
    code
}

/// Runs it, with the real client in its PATH and that server in its environment.
fn run(interpreter: &str, language: &str, server: &FakeServer) -> Child {
    let folder = Path::new(BINARY)
        .parent()
        .expect("the client is in a folder");
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    Command::new(interpreter)
        .args(["-c", example(language)])
        .env("PATH", path)
        .env("CHAT_SERVER", server.address())
        .env_remove("CHAT_NICK")
        .env_remove("CHAT_CONFIG")
        .env("XDG_CONFIG_HOME", NOWHERE)
        .stdin(Stdio::null())
        .spawn()
        .expect("the interpreter starts")
}

fn ends(mut child: Child) {
    let end = Instant::now() + DEADLINE;
    while child.try_wait().expect("it can be waited for").is_none() {
        assert!(Instant::now() < end, "the example does not end");
        thread::yield_now();
    }
}

#[test]
fn the_one_in_python() {
    let server = FakeServer::start();
    let child = run("python3", "python", &server);
    let mut peer = server.greet();
    peer.send(&message(1, "ana", "#lobby", "hola"));
    peer.send(&message(2, "ana", "#lobby", "!echo ¡hola!\n2"));
    let say = peer.record("echo", 3);
    assert_eq!(
        (&say["to"], &say["text"]),
        (&json!("#lobby"), &json!("¡hola!\n2"))
    );
    peer.send(&message(4, "ana", "echo", "!echo psst"));
    let say = peer.record("echo", 5);
    assert_eq!((&say["to"], &say["text"]), (&json!("ana"), &json!("psst")));
    // The client does not come back from that.
    peer.send(&error("replaced", &json!(null)));
    ends(child);
}

#[test]
fn the_one_in_sh() {
    let server = FakeServer::start();
    let child = run("sh", "sh", &server);
    let mut watcher = server.greet();
    watcher.send(&message(1, "ana", "#lobby", "what does !time do?"));
    watcher.send(&message(2, "ana", "#lobby", "!time"));
    let mut sender = server.greet();
    let say = sender.record("clock-hand", 3);
    let text = say["text"].as_str().unwrap();
    assert!(text.starts_with("it is ") && text.len() == 11, "{text}");
    sender.goodbye();
    watcher.send(&error("replaced", &json!(null)));
    ends(child);
}
