//! Names that cannot deceive, and all the others, side by side.

mod support;

use serde_json::json;
use support::{Home, TestClient};

fn asks(client: &mut TestClient, nick: &str) {
    client.send(&json!({"type": "hello", "version": 1, "nick": nick}));
}

#[test]
fn people_of_all_scripts_are_here_together() {
    let home = Home::new("presence_max = 0");
    let server = home.start();
    let names = [
        "Ana",
        "user1",
        "userl",
        "Ana0",
        "AnaO",
        "Ñandú",
        "María",
        "Мария",
        "Оля",
        "日本語",
        "Ελένη",
        "ana👋",
        "名前Ken",
    ];
    let here: Vec<_> = names.map(|nick| server.joins(nick)).into();
    drop(here);
}

#[test]
fn a_nick_that_looks_like_another_is_refused() {
    let home = Home::new("presence_max = 0");
    let server = home.start();
    let mut oca = server.joins("Oca");
    let mut other = server.connect();
    // Cyrillic a, Latin n and a.
    asks(&mut other, "\u{430}na");
    other.expect_error("nick_invalid");
    // All of it Cyrillic, and yet it looks like Oca.
    asks(&mut other, "\u{43e}\u{441}\u{430}");
    other.expect_error("nick_taken");
    asks(&mut other, "Oca2");
    other.expect("welcome");
    other.send(&json!({"type": "nick", "nick": "\u{41e}\u{421}\u{410}", "id": "n"}));
    assert_eq!(other.expect_error("nick_taken")["id"], "n");
    // When it is free, it is free for one of the two.
    oca.send(&json!({"type": "nick", "nick": "\u{43e}\u{441}\u{430}"}));
    oca.expect("renamed");
    other.send(&json!({"type": "nick", "nick": "OCA"}));
    other.expect_error("nick_taken");
    oca.send(&json!({"type": "quit"}));
    oca.expect("bye");
    oca.expect_closed();
    other.send(&json!({"type": "nick", "nick": "OCA"}));
    other.expect("renamed");
}

#[test]
fn a_protected_nick_is_not_looked_like_while_its_owner_is_away() {
    let home = Home::new("");
    let server = home.start();
    let mut oca = server.joins("Oca");
    oca.send(&json!({"type": "register", "password": "correct horse"}));
    oca.expect("registered");
    oca.send(&json!({"type": "quit"}));
    oca.expect("bye");
    oca.expect_closed();
    server.kill();
    let server = home.start();
    let mut other = server.connect();
    asks(&mut other, "\u{43e}\u{441}\u{430}");
    other.expect_error("nick_taken");
    let mut oca = server.connect();
    oca.send(&json!({"type": "hello", "version": 1, "nick": "oca", "password": "correct horse"}));
    oca.expect("welcome");
}

#[test]
fn a_channel_that_looks_like_another_is_refused() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for (channel, answer) in [
        ("#oca", "joined"),
        ("#\u{43e}\u{441}\u{430}", "channel_invalid"),
        ("#l\u{43e}bby", "channel_invalid"),
        ("#OCA", "joined"),
        ("#oca1", "joined"),
        ("#ocal", "joined"),
        ("#привет", "joined"),
        ("#ñandú", "joined"),
    ] {
        ana.send(&json!({"type": "join", "channel": channel}));
        let event = ana.next();
        assert!(
            event["type"] == answer || event["code"] == answer,
            "{channel}: {event}"
        );
    }
    // Nobody is in it any more: there is nothing left to look like.
    ana.send(&json!({"type": "part", "channel": "#oca"}));
    ana.expect("left");
    ana.send(&json!({"type": "join", "channel": "#\u{43e}\u{441}\u{430}"}));
    ana.expect("joined");
}

/// Blank characters and combining marks, alone and beside a nick that is in use.
#[test]
fn blank_names_are_rejected() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("ana");
    let mut other = server.connect();
    for name in [
        "\u{2800}",
        "\u{2800}\u{2800}",
        "\u{3164}",
        "\u{115f}",
        "\u{1160}",
        "\u{ffa0}",
        "\u{180e}",
        "\u{34f}",
        "\u{17b4}",
        "\u{fe0f}",
        "\u{1d159}",
        "\u{301}",
        "ana\u{2800}",
        "\u{2800}ana",
        "ana\u{3164}",
    ] {
        asks(&mut other, name);
        other.expect_error("nick_invalid");
        ana.send(&json!({"type": "nick", "nick": name}));
        ana.expect_error("nick_invalid");
        ana.send(&json!({"type": "join", "channel": format!("#{name}")}));
        ana.expect_error("channel_invalid");
    }
    asks(&mut other, "⠓⠕⠇⠁");
    other.expect("welcome");
}
