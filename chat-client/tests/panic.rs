//! A panic on any thread restores the terminal, ends the process and is reported.

mod support;

use std::ffi::OsString;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use chat_client::cli::{self, Invocation};
use support::terminal::Terminal;
use support::{Client, FakeServer, NOWHERE};

/// What the client is started with, and where somebody closes a connection when it is to panic.
const SERVER: &str = "CHAT_TEST_SERVER";
const OPTION: &str = "CHAT_TEST_OPTION";
const TRIGGER: &str = "CHAT_TEST_TRIGGER";

/// No test, but the client in the scenes below: as `main` runs it, with a thread that panics.
#[test]
fn the_client() {
    let Ok(server) = std::env::var(SERVER) else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    let mut trigger = TcpStream::connect(variable(TRIGGER)).unwrap();
    thread::spawn(move || {
        trigger.read_to_end(&mut Vec::new()).unwrap();
        panic!("this cannot be");
    });
    let option = variable(OPTION);
    let words = ["chat-client", &server, "--nick", "ana", &option];
    let words = words.into_iter().filter(|word| !word.is_empty());
    let Ok(Invocation::Talk(options)) = cli::parse(words.map(OsString::from)) else {
        panic!("no conversation is asked for");
    };
    let ending = chat_client::app::run(*options).unwrap();
    std::process::exit(i32::from(ending.exit_code()));
}

#[test]
fn at_a_terminal() {
    let server = FakeServer::start();
    for option in ["", "--plain"] {
        let state = tempfile::tempdir().unwrap();
        let trigger = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut terminal = Terminal::shell(&format!(
            "{SERVER}={} {OPTION}={option} {TRIGGER}={} XDG_STATE_HOME={} exec {} --exact the_client --nocapture",
            server.address(),
            trigger.local_addr().unwrap(),
            state.path().display(),
            std::env::current_exe().unwrap().display(),
        ));
        let (pulled, _) = trigger.accept().unwrap();
        let _peer = server.greet();
        terminal.sees("* you are ana on fake/1");
        assert!(!terminal.echoes() && terminal.is_full() == option.is_empty());
        drop(pulled);
        assert_eq!(terminal.end(), 101, "{option}");
        assert!(terminal.echoes() && !terminal.is_full(), "{option}");
        let screen = terminal.screen();
        for words in ["this cannot be", "! client_failed: "] {
            assert!(screen.contains(words), "{screen}");
        }
    }
}

#[test]
fn in_a_pipe() {
    let server = FakeServer::start();
    let trigger = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "the_client", "--nocapture"])
        .env(SERVER, server.address())
        .env(TRIGGER, trigger.local_addr().unwrap().to_string())
        .env(OPTION, "")
        .env("XDG_CONFIG_HOME", NOWHERE)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let client = Client::spawn(&mut command);
    let (pulled, _) = trigger.accept().unwrap();
    let _peer = server.greet();
    drop(pulled);
    let (code, _, err) = client.end();
    assert_eq!(code, Some(101));
    assert!(
        err.iter().any(|line| line.contains("this cannot be")),
        "{err:?}"
    );
    assert!(
        err.iter().any(|line| line.starts_with("! client_failed: ")),
        "{err:?}"
    );
}
