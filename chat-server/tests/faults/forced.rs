//! A disk that does not take what was written: `fdatasync` fails. What fails once and then succeeds may
//! have dropped the data (PostgreSQL's "fsyncgate"), so nobody is told that it is recorded.

use serde_json::json;

use crate::disk::{self, Done, EIO, EROFS};
use crate::support::{Home, TestClient};

fn home(durability: &str) -> Home {
    let home = Home::new("");
    let with = format!("[history]\ndurability = {durability:?}\ninterval = \"10ms\"\n");
    home.configure("[history]\n", &with);
    home
}

fn is_refused(who: &mut TestClient, id: &str) {
    who.say("#lobby", "hola", id);
    assert_eq!(who.expect_error("not_recorded")["id"], id);
}

/// Refused, heard by nobody, and not there after a power cut either: cut off, and that is on the disk
/// before the sender is told.
#[test]
fn what_batch_cannot_force_is_refused_and_taken_back() {
    let home = home("batch");
    let server = disk::start(&home);
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("#lobby", "hola", "1");
    for who in [&mut ana, &mut luis] {
        who.expect_message("Ana", "hola");
    }
    let end = usize::try_from(std::fs::metadata(home.log()).unwrap().len()).unwrap();
    for _ in 0..3 {
        disk::fails_once(&home, "fdatasync", EIO);
        is_refused(&mut ana, "2");
        let journal = disk::journal(&home);
        assert_eq!(
            journal[journal.len() - 2..],
            [Done::Cut { to: end }, Done::Synced]
        );
    }
    // Nothing was written, so there is nothing to take back, whether or not that would succeed.
    disk::fails(
        &home,
        &[("write", EROFS), ("ftruncate", EROFS), ("fdatasync", EROFS)],
    );
    is_refused(&mut ana, "2");
    disk::fails(&home, &[]);
    luis.hears_nothing();
    assert_eq!(ana.says("#lobby", "por fin", "2")["seq"], 2);
    luis.expect_message("Ana", "por fin");
    assert_eq!(home.lines().len(), 2);
}

/// Neither forced nor taken back: whether it is recorded is not known, so nobody is told anything. The
/// server ends, and says why; whoever supervises it starts it again.
#[test]
fn what_batch_can_neither_force_nor_take_back_ends_the_server() {
    for cut in [&[][..], &[("ftruncate", EROFS)]] {
        let home = home("batch");
        let server = disk::start(&home);
        let mut ana = server.joins("Ana");
        ana.says("#lobby", "hola", "1");
        ana.expect("message");
        disk::fails(&home, &[&[("fdatasync", EIO)], cut].concat());
        ana.say("#lobby", "¿hay alguien?", "2");
        while let Some(last) = ana.next_raw() {
            let last = String::from_utf8(last).unwrap();
            assert!(last.contains("\"code\":\"internal\""), "{last}");
        }
        server.logs("what was begun cannot be taken back");
        assert_eq!(server.ended().code(), Some(1));

        // The disk still takes nothing: nobody is told again that it is recorded.
        let told = disk::fails_to_start(&home);
        assert!(
            told.contains("log: ") && told.contains("os error 5"),
            "{told}"
        );

        disk::fails(&home, &[]);
        let server = disk::start(&home);
        let hello = json!({"type": "hello", "version": 1, "nick": "Ana", "token": ana.token});
        let mut ana = server.connect();
        assert_eq!(ana.ask(&hello)["resumed"], true);
        assert_eq!(ana.says("#lobby", "hola", "1")["seq"], 1);
        // Said again by who was not answered: there once, whether it was left behind or not.
        assert_eq!(ana.says("#lobby", "¿hay alguien?", "2")["seq"], 2);
        assert_eq!(home.lines().len(), 2);
        let mut journal = disk::journal(&home);
        journal.retain(|done| *done != Done::DirectorySynced);
        assert_eq!(journal.last(), Some(&Done::Synced));
    }
}

/// What was taken is written again until the disk has it; meanwhile nothing more is taken, as the promise
/// of the interval could not be kept.
#[test]
fn interval_takes_nothing_more_until_what_it_took_is_forced() {
    let home = home("interval");
    let server = disk::start(&home);
    let mut ana = server.joins("Ana");
    disk::fails(&home, &[("fdatasync", EIO)]);
    ana.says("#lobby", "promised", "1");
    ana.expect_message("Ana", "promised");
    server.logs("messages are refused");
    is_refused(&mut ana, "2");
    assert_eq!(ana.ask(&json!({"type": "ping"}))["type"], "pong");

    disk::fails(&home, &[]);
    server.logs("the history can be written again");
    assert_eq!(ana.says("#lobby", "hola", "2")["seq"], 2);
    // Not only forced once more, but written once more.
    let written = disk::journal(&home).into_iter().filter(|done| match done {
        Done::Write { at: 0, bytes } => *bytes == first_line(&home),
        _ => false,
    });
    assert!(written.count() >= 2);
    assert_eq!(home.lines().len(), 2);
}

fn first_line(home: &Home) -> Vec<u8> {
    let log = std::fs::read(home.log()).unwrap();
    let end = log.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    log[..end].to_vec()
}

/// Once is nobody's business: it is written again at once.
#[test]
fn interval_gets_over_a_failure() {
    let home = home("interval");
    let server = disk::start(&home);
    let mut ana = server.joins("Ana");
    disk::fails_once(&home, "fdatasync", EIO);
    ana.says("#lobby", "hola", "1");
    ana.expect("message");
    server.logs("is written again");
    assert_eq!(ana.says("#lobby", "hola", "2")["seq"], 2);
    assert_eq!(home.lines().len(), 2);
}

#[test]
fn a_server_that_cannot_force_its_last_words_ends_with_an_error() {
    for durability in ["interval", "batch"] {
        let home = home(durability);
        let server = disk::start(&home);
        server.joins("Ana").says("#lobby", "hola", "1");
        disk::fails(&home, &[("fdatasync", EIO)]);
        server.terminate();
        assert_eq!(server.ended().code(), Some(1), "{durability}");
    }
}

#[test]
fn a_history_that_can_only_be_read_is_read_and_not_served() {
    let home = home("interval");
    let server = disk::start(&home);
    server.joins("Ana").says("#lobby", "hola", "1");
    server.kill();
    disk::fails(&home, &[("open", EROFS)]);
    let told = disk::fails_to_start(&home);
    assert!(told.contains("log: Read-only file system"), "{told}");
    let mut shows = home.program();
    let shown = shows.args(["history", "show"]).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("hola"));
}
