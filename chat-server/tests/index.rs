//! The index is lost or damaged under a running server: pages go on, and the index is made again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

use serde_json::{Value, json};
use support::{DEADLINE, Home, Server, TestClient};

/// Messages of the lobby between those of a quiet channel, enough for several chunks of the index.
const LINES: u64 = 6_000;
const QUIET_EVERY: u64 = 1_000;

/// A home with a history in which `#quiet` has few messages.
fn home() -> Home {
    let home = Home::new("");
    let mut log = Vec::new();
    for seq in 1..=LINES {
        let to = if seq % QUIET_EVERY == 0 {
            "#quiet"
        } else {
            "#lobby"
        };
        let text = "x".repeat(300);
        let line = format!(
            r#"{{"type":"message","seq":{seq},"time":"2026-11-23T18:50:00.000Z","from":"luis","to":"{to}","text":"{text}"}}"#
        );
        writeln!(log, "{line}").unwrap();
    }
    fs::write(home.log(), log).unwrap();
    home
}

fn index_of(home: &Home) -> std::path::PathBuf {
    home.file("log.index")
}

/// The numbers of the messages of the quiet channel, as a page has them.
fn quiet(client: &mut TestClient) -> Vec<u64> {
    client.send(&json!({"type": "history", "with": "#quiet"}));
    let page: Value = client.expect("history");
    let messages = page["messages"].as_array().unwrap().iter();
    messages.map(|one| one["seq"].as_u64().unwrap()).collect()
}

fn all_quiet() -> Vec<u64> {
    (1..=LINES / QUIET_EVERY).map(|n| n * QUIET_EVERY).collect()
}

/// Waits until another process finds the whole history in the index.
fn until_indexed(home: &Home) {
    let end = Instant::now() + DEADLINE * 3;
    let count = || {
        let index = rusqlite::Connection::open(index_of(home)).ok()?;
        let sql = "SELECT count(*) FROM posting JOIN conversation ON id = conversation WHERE name = '#quiet'";
        index.query_row(sql, [], |row| row.get::<_, u64>(0)).ok()
    };
    while count().is_none_or(|count| count < 4) {
        assert!(Instant::now() < end, "the index is not made: {:?}", count());
        std::thread::yield_now();
    }
}

fn reader(server: &Server) -> TestClient {
    let mut ana = server.joins("ana");
    ana.send(&json!({"type": "join", "channel": "#quiet"}));
    ana.expect("joined");
    ana
}

#[test]
fn an_index_that_is_deleted_is_made_again_and_pages_go_on() {
    let home = home();
    let server = home.start();
    until_indexed(&home);
    let mut ana = reader(&server);
    assert_eq!(quiet(&mut ana), all_quiet());
    let before = fs::metadata(index_of(&home)).unwrap().ino();
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(home.file(&format!("log.index{suffix}"))).ok();
    }
    assert_eq!(quiet(&mut ana), all_quiet());
    server.log_until("is made again from the log");
    assert_eq!(quiet(&mut ana), all_quiet());
    until_indexed(&home);
    assert_ne!(fs::metadata(index_of(&home)).unwrap().ino(), before);
    // What is recorded from now on is found too.
    ana.says("#quiet", "later", "1");
    ana.expect_message("ana", "later");
    assert_eq!(quiet(&mut ana).last(), Some(&(LINES + 1)));
}

/// Deleted before the first page was asked for.
#[test]
fn a_reader_that_finds_no_index_reads_the_log() {
    let home = home();
    let server = home.start();
    until_indexed(&home);
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(home.file(&format!("log.index{suffix}"))).ok();
    }
    let mut ana = reader(&server);
    assert_eq!(quiet(&mut ana), all_quiet());
    until_indexed(&home);
    assert_eq!(quiet(&mut ana), all_quiet());
}

#[test]
fn an_index_whose_pages_are_damaged_is_made_again_and_pages_go_on() {
    let home = home();
    let server = home.start();
    until_indexed(&home);
    server.terminate();
    server.ended();
    // All of it goes into the file itself.
    let index = rusqlite::Connection::open(index_of(&home)).unwrap();
    index
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(index);
    let server = home.start();
    let mut ana = reader(&server);
    // The index is open from the first welcome on; no reader has read it yet. The pages behind the first are overwritten.
    let index = OpenOptions::new()
        .write(true)
        .open(index_of(&home))
        .unwrap();
    let length = index.metadata().unwrap().len();
    index
        .write_all_at(
            &vec![0xa5; usize::try_from(length).unwrap() - 16_384],
            16_384,
        )
        .unwrap();
    assert_eq!(quiet(&mut ana), all_quiet());
    server.log_until("is made again from the log");
    until_indexed(&home);
    assert_eq!(quiet(&mut ana), all_quiet());
}
