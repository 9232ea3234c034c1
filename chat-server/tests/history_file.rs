//! The history file is renamed, deleted, replaced, truncated or appended to under a running server, or is
//! shorter at the next start than what else is known of it.

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use support::web::{get, home};
use support::{DEADLINE, Home, Server, TestClient};

/// A server with a history of two messages.
fn started() -> (Home, Server, TestClient) {
    let home = home("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for id in ["1", "2"] {
        ana.says("#lobby", "hola", id);
        ana.expect("message");
    }
    (home, server, ana)
}

fn aside(home: &Home) -> PathBuf {
    home.file("moved-away")
}

/// Waits until `/healthz` says so, whether anything is said or not.
fn until_healthz_says(server: &Server, words: &str) {
    let end = Instant::now() + DEADLINE;
    loop {
        let answer = get(server, "/healthz");
        if answer.contains(words) {
            return;
        }
        assert!(Instant::now() < end, "never {words:?}: {answer}");
        thread::yield_now();
    }
}

/// Waits until the file beside the history says so.
fn until_state_has(home: &Home, words: &str) {
    let end = Instant::now() + DEADLINE;
    loop {
        let state = fs::read_to_string(home.file("log.state")).unwrap_or_default();
        if state.contains(words) {
            return;
        }
        assert!(Instant::now() < end, "never {words:?}: {state}");
        thread::yield_now();
    }
}

/// Nothing is acknowledged; pages are answered.
fn is_refused(client: &mut TestClient) {
    client.say("#lobby", "lost?", "3");
    let error = client.expect_error("not_recorded");
    assert_eq!(error["id"], "3");
    client.send(&json!({"type": "history"}));
    client.expect("history");
}

/// What is done to the file, what `/healthz` says of it, and what repairs it.
type Case = (fn(&Home), &'static str, fn(&Home));

#[test]
fn nothing_is_acknowledged_that_the_path_does_not_have() {
    let back = |home: &Home| fs::rename(aside(home), home.log()).unwrap();
    let cases: [Case; 4] = [
        (
            |home| fs::rename(home.log(), aside(home)).unwrap(),
            "renamed or deleted",
            back,
        ),
        (
            |home| {
                fs::hard_link(home.log(), aside(home)).unwrap();
                fs::remove_file(home.log()).unwrap();
            },
            "renamed or deleted",
            back,
        ),
        (
            |home| {
                fs::rename(home.log(), aside(home)).unwrap();
                fs::copy(aside(home), home.log()).unwrap();
            },
            "replaced",
            back,
        ),
        (
            |home| {
                let mut log = OpenOptions::new().append(true).open(home.log()).unwrap();
                log.write_all(b"foreign\n").unwrap();
            },
            "another program",
            |home| {
                let text = fs::read_to_string(home.log()).unwrap();
                let own = text.strip_suffix("foreign\n").expect("foreign bytes stay");
                let log = OpenOptions::new().write(true).open(home.log()).unwrap();
                log.set_len(own.len() as u64).unwrap();
            },
        ),
    ];
    for (damage, words, repair) in cases {
        let (home, server, mut ana) = started();
        damage(&home);
        is_refused(&mut ana);
        until_healthz_says(&server, words);
        server.logs("messages are refused");
        repair(&home);
        until_healthz_says(&server, "200 OK");
        // Said again: recorded once, at the next number.
        assert_eq!(ana.says("#lobby", "lost?", "3")["seq"], 3);
        ana.expect("message");
        server.terminate();
        assert_eq!(server.ended().code(), Some(0));
        assert_eq!(home.lines().len(), 3);
    }
}

#[test]
fn an_idle_server_notices_too_and_ends_with_an_error() {
    let (home, server, _ana) = started();
    fs::rename(home.log(), aside(&home)).unwrap();
    until_healthz_says(&server, "503");
    server.terminate();
    assert_eq!(server.ended().code(), Some(1));
    // Its numbers would be given again.
    let error = home.fails_to_start();
    assert!(
        error.contains("restore") && error.contains("--accept-shorter-history"),
        "{error}"
    );
    fs::rename(aside(&home), home.log()).unwrap();
    let server = home.start();
    assert_eq!(server.joins("Ana").says("#lobby", "3", "3")["seq"], 3);
}

#[test]
fn a_truncated_history_acknowledges_nothing_and_is_refused_at_the_next_start() {
    let (home, server, mut ana) = started();
    let whole = fs::read(home.log()).unwrap();
    fs::copy(home.log(), aside(&home)).unwrap();
    // As logrotate's copytruncate does.
    fs::write(home.log(), "").unwrap();
    ana.say("#lobby", "lost?", "3");
    ana.expect_error("not_recorded");
    until_healthz_says(&server, "truncated");
    // A page cannot be read, and ends no session.
    ana.send(&json!({"type": "history"}));
    ana.expect_error("not_recorded");
    ana.barrier();
    assert_eq!(fs::read(home.log()).unwrap(), b"", "nothing is written");
    server.kill();
    let error = home.fails_to_start();
    assert!(error.contains("--accept-shorter-history"), "{error}");
    fs::write(home.log(), whole).unwrap();
    let server = home.start();
    assert_eq!(server.joins("Ana").says("#lobby", "3", "3")["seq"], 3);
}

#[test]
fn a_shorter_history_is_refused_unless_the_operator_accepts_it() {
    let (home, server, _ana) = started();
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    let text = fs::read_to_string(home.log()).unwrap();
    let (first, _) = text.split_once('\n').unwrap();
    fs::write(home.log(), format!("{first}\n")).unwrap();
    let error = home.fails_to_start();
    assert!(
        error.contains("message 1") && error.contains("message 2"),
        "{error}"
    );
    assert_eq!(home.lines().len(), 1, "a refused start changes nothing");
    let server =
        home.start_with("set -- \"$1\" --accept-shorter-history; exec \"$0\" --config \"$@\"");
    assert_eq!(server.joins("Ana").says("#lobby", "2", "2")["seq"], 2);
}

/// The kill may have come before the server could note that the log had vanished.
#[test]
fn a_log_that_is_missing_after_a_kill_is_refused_unless_the_operator_accepts_it() {
    let (home, server, _ana) = started();
    // The state file follows within a second.
    until_state_has(&home, "\"messages\":2");
    server.kill();
    fs::rename(home.log(), aside(&home)).unwrap();
    for _ in 0..2 {
        let error = home.fails_to_start();
        assert!(error.contains("--accept-shorter-history"), "{error}");
    }
    fs::rename(aside(&home), home.log()).unwrap();
    let server = home.start();
    assert_eq!(server.joins("Ana").says("#lobby", "3", "3")["seq"], 3);
    server.kill();
    fs::rename(home.log(), aside(&home)).unwrap();
    let server =
        home.start_with("set -- \"$1\" --accept-shorter-history; exec \"$0\" --config \"$@\"");
    assert_eq!(server.joins("Ana").says("#lobby", "1", "1")["seq"], 1);
}

/// Two faults at once: the repair of one does not hide the other.
#[test]
fn a_full_disk_and_another_program_together_lose_nothing() {
    let home = home("");
    let server = home.start_with_full_disk_after(128);
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8000);
    let mut recorded = 0;
    while ana.ask(&json!({"type": "say", "text": text}))["type"] == "message" {
        recorded += 1;
    }
    let own = fs::metadata(home.log()).unwrap().len();
    let mut log = OpenOptions::new().append(true).open(home.log()).unwrap();
    log.write_all(b"foreign\n").unwrap();
    is_refused(&mut ana);
    until_healthz_says(&server, "another program");
    server.has_room_again();
    is_refused(&mut ana);
    let bytes = fs::read(home.log()).unwrap();
    assert!(bytes.ends_with(b"\nforeign\n"), "foreign bytes stay");
    log.set_len(own).unwrap();
    until_healthz_says(&server, "200 OK");
    assert_eq!(ana.says("#lobby", "on again", "3")["seq"], recorded + 1);
    server.kill();
    assert_eq!(home.lines().len(), recorded + 1);
}

/// Direct messages after that are shown although the account knows of higher numbers.
#[test]
fn an_archived_history_begins_anew_and_direct_messages_are_shown() {
    let (home, server, _ana) = started();
    // The account begins behind the messages that are there.
    let mut zoe = server.joins("Zoe");
    zoe.send(&json!({"type": "register", "password": "correct horse"}));
    zoe.expect("registered");
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    fs::rename(home.log(), aside(&home)).unwrap();
    let server = home.start();
    let mut luis = server.joins("Luis");
    assert_eq!(luis.says("Zoe", "psst", "1")["seq"], 1);
    let mut zoe = server.connect();
    zoe.send(&json!({"type": "hello", "version": 1, "nick": "Zoe", "password": "correct horse", "after": 0}));
    zoe.expect("welcome");
    assert_eq!(zoe.awaits("message")["text"], "psst");
    zoe.send(&json!({"type": "history", "with": "Luis"}));
    assert_eq!(zoe.awaits("history")["messages"][0]["text"], "psst");
}

/// The numbers that tell whose a direct message is belong to one history: another one that begins
/// meanwhile must not change whose the messages of the first are.
#[test]
fn a_history_that_is_put_back_shows_direct_messages_to_their_owners_alone() {
    let (home, server, mut ana) = started();
    let mut first = server.joins("Zoe");
    ana.expect("joined");
    assert_eq!(ana.says("Zoe", "for the first Zoe", "3")["seq"], 3);
    first.send(&json!({"type": "quit"}));
    first.awaits("bye");
    let mut zoe = server.joins("Zoe");
    zoe.send(&json!({"type": "register", "password": "correct horse"}));
    zoe.expect("registered");
    ana.barrier();
    assert_eq!(ana.says("Zoe", "for the account", "4")["seq"], 4);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    // The file is missing at one start, as on a disk that was not mounted.
    fs::rename(home.log(), aside(&home)).unwrap();
    let server = home.start();
    let mut luis = server.joins("Luis");
    luis.send(&json!({"type": "register", "password": "correct horse"}));
    luis.expect("registered");
    assert_eq!(luis.says("#lobby", "in between", "1")["seq"], 1);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    fs::rename(home.log(), home.file("in-between")).unwrap();
    fs::rename(aside(&home), home.log()).unwrap();
    let server = home.start();
    let shown = |nick: &str| {
        let mut client = server.connect();
        client.send(&json!({"type": "hello", "version": 1, "nick": nick, "password": "correct horse", "after": 0}));
        client.expect("welcome");
        let replayed = client.barrier();
        let texts = |messages: &[Value]| -> Vec<String> {
            let direct = messages.iter().filter(|message| message["to"] == nick);
            direct
                .map(|message| message["text"].as_str().unwrap().to_owned())
                .collect()
        };
        let page = loop {
            let answer = client.ask(&json!({"type": "history", "with": "Ana"}));
            if answer["type"] != "gone" {
                break answer["messages"].as_array().cloned().unwrap_or_default();
            }
        };
        let page = texts(&page);
        assert_eq!(texts(&replayed), page);
        page
    };
    assert_eq!(shown("Zoe"), ["for the account"]);
    assert!(shown("Luis").is_empty());
}

#[test]
fn files_that_others_may_read_are_made_private_and_an_index_without_its_table_is_made_again() {
    let (home, server, _ana) = started();
    server.terminate();
    server.ended();
    let index = home.file("log.index");
    let cut = home.file("log.cut-7");
    fs::write(&cut, "old").unwrap();
    let connection = rusqlite::Connection::open(&index).unwrap();
    connection.execute_batch("DROP TABLE chunk").unwrap();
    drop(connection);
    let all = [home.log(), index, cut];
    for file in &all {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let server = home.start();
    server.logs("made from the log");
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "history"}));
    assert_eq!(
        ana.expect("history")["messages"].as_array().unwrap().len(),
        2
    );
    for file in &all {
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}
