//! A restart of the server, however it ended, is over for its people when it listens again: they are
//! back by their tokens, in their channels, without a gap or a repeat.

mod support;

use serde_json::{Value, json};
use support::{Home, Server, TestClient};

fn returns(server: &Server, nick: &str, token: &str, after: u64) -> (TestClient, Value) {
    let mut client = server.connect();
    client.send(
        &json!({"type": "hello", "version": 1, "nick": nick, "token": token, "after": after}),
    );
    let welcome = client.expect("welcome");
    (client, welcome)
}

#[test]
fn a_kill_is_survived_without_gap_or_repeat() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for client in [&mut ana, &mut luis] {
        client.send(&json!({"type": "join", "channel": "#Rust"}));
        client.expect("joined");
    }
    ana.expect("joined");
    luis.says("Ana", "seen", "1");
    ana.expect("message");
    luis.expect("message");
    for (to, text, id) in [
        ("Ana", "a secret", "2"),
        ("#rust", "in the channel", "3"),
        ("#lobby", "to all", "4"),
    ] {
        luis.says(to, text, id);
        luis.expect("message");
    }
    home.until_kept("channels LIKE '%#Rust%'", 2);
    server.kill();
    let server = home.start();
    let (mut ana_back, welcome) = returns(&server, "ANA", &ana.token, 1);
    assert_eq!(
        (&welcome["resumed"], &welcome["gap"], &welcome["token"]),
        (&json!(true), &json!(false), &json!(ana.token))
    );
    assert_eq!(welcome["joined"], json!(["#lobby", "#Rust"]));
    for text in ["a secret", "in the channel", "to all"] {
        ana_back.expect_message("Luis", text);
    }
    ana_back.hears_nothing();
    let (mut luis_back, welcome) = returns(&server, "Luis", &luis.token, 4);
    assert_eq!(welcome["resumed"], true);
    luis_back.hears_nothing();
    // Said before the kill, acked, and said again by a client that did not see it.
    assert_eq!(luis_back.says("#lobby", "to all", "4")["seq"], 4);
    luis_back.says("#rust", "after it", "5");
    ana_back.expect("joined");
    ana_back.expect("joined");
    ana_back.expect_message("Luis", "after it");
    // And once more, now ended in good order. Their time to come back begins with the next start then too.
    server.terminate();
    assert!(server.ended().success());
    home.until_kept("until IS NULL", 2);
    let server = home.start();
    let (_, welcome) = returns(&server, "Ana", &ana.token, 5);
    assert_eq!(welcome["joined"], json!(["#lobby", "#Rust"]));
}

#[test]
fn a_token_that_had_ended_stays_ended() {
    let home = Home::new("resume_window = \"10ms\"");
    let server = home.start();
    let mut quits = server.joins("Quits");
    quits.send(&json!({"type": "quit"}));
    quits.expect("bye");
    quits.expect_closed();
    let late = server.joins("Late");
    late.closes_sending();
    home.until_kept("until IS NOT NULL", 1);
    let here = server.joins("Here");
    home.until_kept("until IS NULL", 1);
    server.kill();
    // The window of who was here begins with the next start; then it is over.
    let restarted = home.start();
    home.until_kept("nick = 'Here' AND until < unixepoch('subsec') * 1000", 1);
    restarted.kill();
    let server = home.start();
    for (nick, token) in [
        ("Quits", &quits.token),
        ("Late", &late.token),
        ("Here", &here.token),
    ] {
        let (_, welcome) = returns(&server, nick, token, 0);
        assert_eq!(
            (&welcome["resumed"], &welcome["joined"]),
            (&json!(false), &json!(["#lobby"])),
            "{nick}"
        );
    }
}

#[test]
fn who_takes_the_nick_ends_the_token() {
    let home = Home::new("");
    let server = home.start();
    let first = server.joins("Ana");
    first.closes_sending();
    home.until_kept("until IS NOT NULL", 1);
    let second = server.joins("Ana");
    home.until_kept("until IS NULL", 1);
    home.until_kept("1", 1);
    server.kill();
    let server = home.start();
    let (_, welcome) = returns(&server, "Ana", &second.token, 0);
    assert_eq!(welcome["resumed"], true);
    let mut late = server.connect();
    late.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "token": first.token}));
    let answer = late.next();
    // Taken, or free again and then without anything of the first.
    assert!(
        answer["code"] == "nick_taken" || answer["resumed"] == false,
        "{answer}"
    );
}

#[test]
fn an_account_comes_back_by_token_and_a_stranger_does_not() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "register", "password": "correct horse"}));
    ana.expect("registered");
    ana.send(&json!({"type": "join", "channel": "#rust"}));
    ana.expect("joined");
    home.until_kept("account IS NOT NULL AND channels LIKE '%rust%'", 1);
    server.kill();
    let server = home.start();
    let mut stranger = server.connect();
    stranger.send(&json!({"type": "hello", "version": 1, "nick": "Ana"}));
    stranger.expect_error("auth_failed");
    let (_, welcome) = returns(&server, "Ana", &ana.token, 0);
    assert_eq!(welcome["resumed"], true);
    drop(server);
    // By password alone one is in one's channels too, with another token.
    let server = home.start();
    let mut other = server.connect();
    other.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "password": "correct horse"}));
    let welcome = other.expect("welcome");
    assert_eq!(welcome["joined"], json!(["#lobby", "#rust"]));
    assert_ne!(welcome["token"], ana.token);
}

#[test]
fn no_token_is_in_a_file() {
    let home = Home::new("");
    let server = home.start();
    let ana = server.joins("Ana");
    home.until_kept("until IS NULL", 1);
    let number = u128::from_str_radix(&ana.token, 16).unwrap().to_be_bytes();
    for file in home.files() {
        let bytes = std::fs::read(&file).unwrap();
        for token in [ana.token.as_bytes(), &number] {
            let found = bytes.windows(token.len()).any(|window| window == token);
            assert!(!found, "{}", file.display());
        }
    }
}
