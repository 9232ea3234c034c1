//! How each thing looks.

use super::*;

#[test]
fn each_thing_has_its_line() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    let at = |mut object: Value| {
        object["time"] = TIME.into();
        object
    };
    for (object, line) in [
        (message(1, "ana", "#lobby", "hola"), "[ana]: hola"),
        (message(2, "ana", "#rust", "hola"), "#rust [ana]: hola"),
        (message(3, "ana", "luis", "hola"), "[ana -> luis]: hola"),
        (
            at(json!({"type": "joined", "channel": "#lobby", "nick": "luis"})),
            "* luis joined #lobby",
        ),
        (
            at(json!({"type": "left", "channel": "#rust", "nick": "luis", "reason": "tired"})),
            "* luis left #rust (tired)",
        ),
        (
            at(json!({"type": "left", "channel": "#rust", "nick": "luis"})),
            "* luis left #rust",
        ),
        (
            at(json!({"type": "gone", "nick": "luis", "reason": "disconnected"})),
            "* luis is gone (disconnected)",
        ),
        (
            at(json!({"type": "renamed", "nick": "luis", "to": "lucho"})),
            "* luis is now known as lucho",
        ),
    ] {
        peer.send(&object);
        client.shows(line);
    }
    peer.send(&error("rate_limited", &Value::Null));
    assert_eq!(client.err(), "! rate_limited: as the server says");
    leave(client, peer);
}

#[test]
fn several_lines_and_hostile_characters() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&message(1, "ana", "#lobby", "one\ntwo\n[luis]: three"));
    client.shows("[ana]: one");
    client.shows("    two");
    client.shows("    [luis]: three");
    peer.send(&message(
        2,
        "a\u{1b}na",
        "#r\u{7}",
        "\u{1b}[2J\u{202e}\u{85}\r\u{9b}x\ty",
    ));
    client.shows("#r\\u{7} [a\\u{1b}na]: \\u{1b}[2J\\u{202e}\\u{85}\\r\\u{9b}x\\ty");
    peer.send(&json!({
        "type": "gone", "nick": "x\u{1b}", "time": TIME, "reason": "\u{2066}y"
    }));
    client.shows("* x\\u{1b} is gone (\\u{2066}y)");
    peer.send(&json!({"type": "error", "code": "internal", "detail": "a\u{1b}c\nd"}));
    assert_eq!(client.err(), "! internal: a\\u{1b}c");
    assert_eq!(client.err(), "    d");
    leave(client, peer);
}

/// Objects of a newer protocol, and what is no object at all, do no harm.
#[test]
fn what_is_not_understood_is_passed_over() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&json!({"type": "dance", "style": "tango"}));
    peer.send_raw(b"not json");
    peer.send_raw(b"{\"type\":\"message\"}");
    peer.send(&json!({"type": "error", "code": "too_tall", "detail": "new"}));
    client.complains("unknown");
    peer.send(&message(1, "ana", "#lobby", "hola"));
    client.shows("[ana]: hola");
    leave(client, peer);
}

#[test]
fn times() {
    let server = FakeServer::start();
    let address = server.address();
    for (zone, flag, shown) in [
        ("UTC", None, "2026-11-23 18:50:00"),
        ("UTC-3", None, "2026-11-23 21:50:00"),
        ("UTC-3", Some("--utc"), "2026-11-23 18:50:00"),
    ] {
        let mut command = command(&[&address, "--nick", "bot"]);
        let mut client = Client::spawn(command.args(flag).env("TZ", zone));
        let mut peer = server.greet();
        client.type_line(".t");
        client.shows("* timestamps on");
        peer.send(&message(1, "ana", "#lobby", "hola\nya"));
        client.shows(&format!("{shown} [ana]: hola"));
        client.shows("    ya");
        peer.send(&message(2, "ana", "#rust", "hola"));
        client.shows(&format!("{shown} #rust [ana]: hola"));
        peer.send(&message(3, "ana", "luis", "hola"));
        client.shows(&format!("{shown} [ana -> luis]: hola"));
        peer.send(&json!({"type": "joined", "channel": "#a", "nick": "x", "time": TIME}));
        client.shows(&format!("{shown} * x joined #a"));
        peer.send(&error("internal", &Value::Null));
        let line = client.err();
        assert!(line.ends_with(" ! internal: as the server says") && line.starts_with("20"));
        client.type_line("/time");
        client.shows("* timestamps off");
        peer.send(&message(4, "ana", "#lobby", "hola"));
        client.shows("[ana]: hola");
        leave(client, peer);
    }
}

/// Who reads the output goes away, as `head` does: what was typed is recorded all the same.
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let server = FakeServer::start();
    let (reader, writer) = std::io::pipe().unwrap();
    let address = server.address();
    let mut client = Client::spawn(command(&[&address, "--nick", "bot"]).stdout(writer));
    let mut peer = server.greet();
    client.type_line("hola");
    let say = peer.expect("say");
    drop(reader);
    peer.send(&message(1, "ana", "#lobby", "hola"));
    peer.ack(&say, 2);
    peer.goodbye();
    client.ends_with(0);
}
