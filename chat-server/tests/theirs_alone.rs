//! Direct messages are for the user who had the nick at the time, and for no other holder of it: whatever
//! was refused, renamed, registered or restarted meanwhile.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Home, Server, TestClient, frame};

const PASSWORD: &str = "correct horse";

/// Says hello, with a token or a password.
fn comes(server: &Server, hello: &Value) -> TestClient {
    let mut client = server.connect();
    let mut whole = json!({"type": "hello", "version": 1});
    let fields = hello.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(fields);
    client.send(&whole);
    let welcome = client.expect("welcome");
    client.token = welcome["token"].as_str().unwrap().to_owned();
    client
}

/// The texts of the direct messages with that nick.
fn directs(client: &mut TestClient, with: &str) -> Vec<String> {
    client.barrier();
    let page = client.ask(&json!({"type": "history", "with": with, "after": 0}));
    let messages = page["messages"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"));
    let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
    messages.iter().map(text).collect()
}

/// The texts that came before the answer to a ping.
fn heard(client: &mut TestClient) -> Vec<String> {
    let events = client.barrier().into_iter();
    let messages = events.filter(|event| event["type"] == "message");
    messages
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}

fn quits(mut client: TestClient) {
    client.send(&json!({"type": "quit"}));
    client.awaits("bye");
    client.expect_closed();
}

/// `chat-server account`, with the password on its standard input.
fn account(home: &Home, args: &[&str], password: &str) {
    let mut child = home
        .program()
        .arg("account")
        .args(args)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    assert!(child.wait().unwrap().success());
}

/// Waits until the server has taken note of an account that was added beside it.
fn until_begun(home: &Home, nick: &str) {
    let database = rusqlite::Connection::open(home.file("accounts.db")).unwrap();
    database.busy_timeout(support::DEADLINE).unwrap();
    let end = std::time::Instant::now() + support::DEADLINE;
    let begun = || {
        let begun = "SELECT count(*) FROM accounts WHERE nick = ?1 AND since >= 0";
        database
            .query_row(begun, [nick], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    while begun() == 0 {
        assert!(
            std::time::Instant::now() < end,
            "nothing is known of {nick}"
        );
        std::thread::yield_now();
    }
}

/// Sends messages until the disk is full; returns how many there are.
fn fills_the_disk(client: &mut TestClient) -> u64 {
    let text = "x".repeat(8000);
    let mut recorded = 0;
    while client.ask(&json!({"type": "say", "text": text}))["type"] == "message" {
        recorded += 1;
    }
    recorded
}

/// Sends 38 messages that are refused, and a request that is not, in one write.
fn is_refused_but_for(client: &mut TestClient, last: &Value, answer: &str) {
    let say = frame(&json!({"type": "say", "text": "x".repeat(8000)}));
    let mut bytes = say.repeat(38);
    bytes.extend(frame(last));
    client.send_raw(&bytes);
    for _ in 0..38 {
        client.expect_error("not_recorded");
    }
    client.expect(answer);
}

#[test]
fn who_was_refused_and_renamed_reads_nothing_of_the_next_holder() {
    let home = Home::new("");
    let server = home.start_with_full_disk_after(128);
    let mut ana = server.joins("Ana");
    fills_the_disk(&mut ana);
    is_refused_but_for(
        &mut ana,
        &json!({"type": "nick", "nick": "Anita"}),
        "renamed",
    );
    server.has_room_again();
    let mut next = server.joins("Ana");
    let mut luis = server.joins("Luis");
    for n in 0..5 {
        luis.says("Ana", &format!("for the next {n}"), &n.to_string());
        luis.awaits("message");
    }
    assert_eq!(heard(&mut next).len(), 5);
    assert_eq!(directs(&mut ana, "Luis"), [""; 0]);
    assert_eq!(directs(&mut next, "Luis").len(), 5);
    home.until_kept("nick IN ('Ana', 'Anita', 'Luis') AND until IS NULL", 3);
    server.kill();
    let server = home.start();
    let mut ana = comes(
        &server,
        &json!({"nick": "Anita", "token": ana.token, "after": 0}),
    );
    assert_eq!(directs(&mut ana, "Luis"), [""; 0]);
    let mut next = comes(
        &server,
        &json!({"nick": "Ana", "token": next.token, "after": 0}),
    );
    assert_eq!(directs(&mut next, "Luis").len(), 5);
}

#[test]
fn who_was_refused_and_registered_is_shown_what_is_written_next() {
    let home = Home::new("");
    let server = home.start_with_full_disk_after(128);
    let mut ana = server.joins("Ana");
    fills_the_disk(&mut ana);
    let register = json!({"type": "register", "password": PASSWORD});
    let say = frame(&json!({"type": "say", "text": "x".repeat(8000)}));
    let mut bytes = say.repeat(38);
    bytes.extend(frame(&register));
    ana.send_raw(&bytes);
    for _ in 0..38 {
        ana.expect_error("not_recorded");
    }
    // The file of the accounts may find the disk full too.
    let answer = ana.next();
    server.has_room_again();
    if answer["type"] == "error" {
        ana.send(&register);
        ana.expect("registered");
    }
    quits(ana);
    let mut luis = server.joins("Luis");
    for n in 0..5 {
        luis.says("Ana", &format!("for Ana {n}"), &n.to_string());
        luis.awaits("message");
    }
    let mut ana = comes(&server, &json!({"nick": "Ana", "password": PASSWORD}));
    assert_eq!(directs(&mut ana, "Luis").len(), 5);
    server.kill();
    let server = home.start();
    let mut ana = comes(
        &server,
        &json!({"nick": "Ana", "password": PASSWORD, "after": 0}),
    );
    assert_eq!(directs(&mut ana, "Luis").len(), 5);
}

/// A stranger has the nick of an account that was added beside the server, and is written to.
fn is_written_to_as_a_stranger(home: &Home, server: &Server) -> (TestClient, TestClient) {
    let mut stranger = server.joins("ana");
    let mut luis = server.joins("luis");
    account(home, &["add", "ana"], PASSWORD);
    luis.says("ana", "before the server knows", "1");
    until_begun(home, "ana");
    luis.says_among_others("ana", "for the stranger", "2");
    stranger.says_among_others("luis", "by the stranger", "3");
    assert_eq!(directs(&mut stranger, "luis").len(), 3);
    (stranger, luis)
}

/// The owner sees nothing of it, and all that is written from now on.
fn the_owner_is_shown_their_own(server: &Server) {
    let hello = json!({"nick": "ana", "password": PASSWORD, "after": 0});
    let mut owner = comes(server, &hello);
    assert_eq!(heard(&mut owner), [""; 0]);
    assert_eq!(directs(&mut owner, "luis"), [""; 0]);
    quits(owner);
    let mut luis = server.joins("eva");
    luis.says("ana", "for the owner", "1");
    let mut owner = comes(server, &hello);
    assert_eq!(heard(&mut owner), ["for the owner"]);
}

#[test]
fn a_stranger_who_was_here_at_a_kill_keeps_what_was_written_to_them() {
    let home = Home::new("");
    let server = home.start();
    let (_stranger, _luis) = is_written_to_as_a_stranger(&home, &server);
    server.kill();
    let server = home.start();
    // The start after this one knows it too.
    server.kill();
    the_owner_is_shown_their_own(&home.start());
}

#[test]
fn a_stranger_who_was_here_at_the_end_keeps_what_was_written_to_them() {
    let home = Home::new("");
    let server = home.start();
    let (_stranger, _luis) = is_written_to_as_a_stranger(&home, &server);
    server.terminate();
    assert!(server.ended().success());
    the_owner_is_shown_their_own(&home.start());
}

#[test]
fn a_stranger_who_has_left_before_a_kill_keeps_what_was_written_to_them() {
    let home = Home::new("");
    let server = home.start();
    let (stranger, mut luis) = is_written_to_as_a_stranger(&home, &server);
    quits(stranger);
    luis.awaits("gone");
    luis.says("ana", "for the owner as well", "4");
    server.kill();
    let server = home.start();
    let mut owner = comes(
        &server,
        &json!({"nick": "ana", "password": PASSWORD, "after": 0}),
    );
    assert_eq!(directs(&mut owner, "luis"), ["for the owner as well"]);
}

#[test]
fn what_was_written_before_the_server_knew_of_an_account_is_not_its_owners() {
    let home = Home::new("");
    let server = home.start();
    let mut stranger = server.joins("ana");
    let mut luis = server.joins("luis");
    account(&home, &["add", "ana"], PASSWORD);
    luis.says("ana", "for the stranger", "1");
    stranger.awaits("message");
    stranger.closes_sending();
    luis.awaits("gone");
    server.kill();
    the_owner_is_shown_their_own(&home.start());
}

/// While the accounts file takes no changes, the end of a token cannot be kept, but nicks change hands.
#[test]
fn a_token_that_could_not_be_ended_shows_no_message_of_the_next_holder() {
    for is_killed in [false, true] {
        let home = Home::new("");
        let server = home.start();
        let mut ana = server.joins("Ana");
        let mut tom = server.joins("x");
        ana.expect("joined");
        ana.says_among_others("x", "for Tom", "1");
        home.until_kept("until IS NULL", 2);
        let token = tom.token.clone();
        tom.barrier();
        let other = rusqlite::Connection::open(home.file("accounts.db")).unwrap();
        other.busy_timeout(support::DEADLINE).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        quits(tom);
        ana.awaits("gone");
        let mut carol = server.joins("x");
        ana.awaits("joined");
        ana.says_among_others("x", "for Carol", "2");
        assert_eq!(carol.awaits("message")["text"], "for Carol");
        if is_killed {
            server.kill();
        } else {
            server.terminate();
            server.ended();
        }
        drop(other);
        for after_restart in [1, 2] {
            let server = home.start();
            let mut tom = comes(&server, &json!({"nick": "x", "token": token, "after": 0}));
            assert_eq!(heard(&mut tom), ["for Tom"], "restart {after_restart}");
            assert_eq!(directs(&mut tom, "Ana"), ["for Tom"]);
            home.until_kept("until IS NULL", 1);
            server.kill();
        }
    }
}
