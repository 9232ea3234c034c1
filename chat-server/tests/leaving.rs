//! Departures: which sessions receive the event, once, and with which reason (PROTOCOL.md, 4.4, 4.5,
//! 4.15 and 4.18).

mod support;

use serde_json::json;
use support::{Home, frame};

#[test]
fn the_others_are_told_once_and_why() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.joins("#a");
    for (words, reason) in [
        (json!({"type": "quit", "reason": "a dormir"}), "a dormir"),
        (json!({"type": "quit", "reason": ""}), "quit"),
        (json!({"type": "quit"}), "quit"),
    ] {
        let mut luis = server.joins("Luis");
        luis.joins("#a");
        ana.expect("joined");
        ana.expect("joined");
        // What is said behind it is not dealt with.
        let all = [
            frame(&words),
            frame(&json!({"type": "say", "text": "tarde"})),
        ];
        luis.send_raw(&all.concat());
        assert_eq!(luis.expect("bye")["reason"], reason);
        luis.expect_closed();
        let gone = ana.expect("gone");
        assert_eq!(
            (&gone["nick"], &gone["reason"]),
            (&json!("Luis"), &json!(reason))
        );
        ana.hears_nothing();
    }
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for (reason, code) in [
        (json!("\u{1b}[2J"), "text_invalid"),
        (json!("x".repeat(8193)), "text_too_long"),
    ] {
        luis.send(&json!({"type": "quit", "reason": reason}));
        luis.expect_error(code);
    }
    // Without a word: the sending half, or all of it.
    luis.closes_sending();
    luis.expect_closed();
    assert_eq!(ana.expect("gone")["reason"], "disconnected");
    drop(server.joins("Luis"));
    ana.expect("joined");
    assert_eq!(ana.expect("gone")["reason"], "disconnected");
    assert!(home.lines().is_empty());
}

#[test]
fn who_has_gone_is_nobody_and_their_nick_is_free() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    drop(server.joins("Luis"));
    ana.expect("joined");
    ana.expect("gone");
    ana.say("Luis", "hola", "1");
    ana.expect_error("no_such_user");
    assert_eq!(ana.ask(&json!({"type": "users"}))["users"], json!(["Ana"]));
    let mut other = server.joins("LUIS");
    ana.expect("joined");
    ana.says("luis", "hola", "1");
    other.expect_message("Ana", "hola");
}

#[test]
fn a_takeover_is_told_to_nobody() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    luis.joins("#a");
    let mut again = server.connect();
    let welcome =
        again.ask(&json!({"type": "hello", "version": 1, "nick": "LUIS", "token": luis.token}));
    assert_eq!(
        (&welcome["nick"], &welcome["token"]),
        (&json!("Luis"), &json!(luis.token))
    );
    assert_eq!(
        (&welcome["resumed"], &welcome["joined"]),
        (&json!(true), &json!(["#lobby", "#a"]))
    );
    luis.expect_error("replaced");
    luis.expect_closed();
    // Without `after` nothing is replayed; from now on all is heard here.
    again.hears_nothing();
    ana.hears_nothing();
    ana.says("Luis", "hola", "1");
    again.expect_message("Ana", "hola");
}

/// A crowd is told nothing, but who shares a small channel too is told there, once.
#[test]
fn who_shares_a_small_channel_with_one_of_a_crowd_is_told() {
    let home = Home::new("presence_max = 2");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let mut eva = server.joins("Eva");
    ana.hears_nothing();
    ana.joins("#a");
    luis.joins("#a");
    ana.expect("joined");
    luis.send(&json!({"type": "nick", "nick": "Lucho"}));
    assert_eq!(luis.expect("renamed"), ana.expect("renamed"));
    eva.joins("#a");
    for client in [&mut ana, &mut luis] {
        client.hears_nothing();
    }
    // Whom it is about counts: three are a crowd, also when one of them goes.
    eva.send(&json!({"type": "part", "channel": "#a"}));
    eva.expect("left");
    ana.hears_nothing();
    luis.send(&json!({"type": "quit"}));
    luis.expect("bye");
    luis.expect_closed();
    assert_eq!(ana.expect("gone")["nick"], "Lucho");
    ana.hears_nothing();
    eva.hears_nothing();
}

#[test]
fn a_change_of_nick_frees_the_old_one() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for (nick, code) in [
        ("ana", "nick_taken"),
        ("a b", "nick_invalid"),
        ("#a", "nick_invalid"),
    ] {
        assert_eq!(
            luis.ask(&json!({"type": "nick", "nick": nick, "id": "n"}))["code"],
            code
        );
    }
    ana.hears_nothing();
    // The same name in other letters.
    luis.send(&json!({"type": "nick", "nick": "LUIS"}));
    assert_eq!(luis.expect("renamed"), ana.expect("renamed"));
    luis.send(&json!({"type": "nick", "nick": "Zoe"}));
    let renamed = luis.expect("renamed");
    assert_eq!(
        (&renamed["nick"], &renamed["to"]),
        (&json!("LUIS"), &json!("Zoe"))
    );
    assert_eq!(ana.expect("renamed"), renamed);
    luis.send(&json!({"type": "say", "text": "x", "from": "Luis"}));
    luis.expect_error("not_your_nick");
    luis.send(&json!({"type": "say", "text": "x", "from": "ZOE"}));
    assert_eq!(
        (
            luis.expect("message")["from"].clone(),
            ana.expect("message")["seq"].clone()
        ),
        (json!("Zoe"), json!(1))
    );
    ana.say("Luis", "x", "1");
    ana.expect_error("no_such_user");
    let mut other = server.joins("Luis");
    ana.expect("joined");
    ana.says("Luis", "para el otro", "2");
    other.expect_message("Ana", "para el otro");
    assert!(luis.barrier().iter().all(|event| event["type"] == "joined"));
    assert_eq!(
        luis.ask(&json!({"type": "users"}))["users"],
        json!(["Ana", "Luis", "Zoe"])
    );
}
