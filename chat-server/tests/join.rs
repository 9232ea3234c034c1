//! Arriving, changing channels, leaving: who is told what.

mod support;

use serde_json::json;
use support::Home;

#[test]
fn a_taken_nick_is_refused_and_another_is_welcome_on_the_same_connection() {
    let home = Home::new("");
    let server = home.start();
    let _ana = server.joins("Ana");
    let mut luis = server.connect();
    luis.send(&json!({"type": "hello", "version": 1, "nick": "ANA"}));
    luis.expect_error("nick_taken");
    luis.send(&json!({"type": "hello", "version": 1, "nick": "1x"}));
    luis.expect_error("nick_invalid");
    luis.send(&json!({"type": "hello", "version": 1, "nick": "Luis"}));
    assert_eq!(luis.expect("welcome")["nick"], "Luis");
}

#[test]
fn hello_comes_first_in_version_1_and_in_time() {
    let home = Home::new("hello_timeout = \"300ms\"");
    let server = home.start();
    let mut ana = server.connect();
    ana.send(&json!({"type": "say", "text": "hola"}));
    ana.expect_error("hello_required");
    ana.send(&json!({"type": "hello", "version": 2}));
    ana.expect_error("bad_version");
    ana.expect_closed();
    let mut late = server.connect();
    late.expect_error("hello_timeout");
    late.expect_closed();
}

#[test]
fn everyone_concerned_is_told_once() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    assert_eq!(ana.expect("joined")["nick"], "Luis");
    for channel in ["#a", "#b"] {
        ana.send(&json!({"type": "join", "channel": channel}));
        assert_eq!(ana.expect("joined")["channel"], channel);
        luis.send(&json!({"type": "join", "channel": channel}));
        assert_eq!(luis.expect("joined")["nick"], "Luis");
        assert_eq!(ana.expect("joined")["nick"], "Luis");
    }
    luis.send(&json!({"type": "nick", "nick": "Lu"}));
    assert_eq!(luis.expect("renamed")["to"], "Lu");
    assert_eq!(ana.expect("renamed")["nick"], "Luis");
    luis.send(&json!({"type": "part", "channel": "#a", "reason": "r"}));
    assert_eq!(luis.expect("left")["channel"], "#a");
    assert_eq!(ana.expect("left")["reason"], "r");
    luis.send(&json!({"type": "quit"}));
    luis.expect("bye");
    luis.expect_closed();
    assert_eq!(ana.expect("gone")["nick"], "Lu");
    ana.hears_nothing();
}

#[test]
fn a_crowd_is_told_nothing() {
    let home = Home::new("presence_max = 2");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let _luis = server.joins("Luis");
    ana.expect("joined");
    let mut eva = server.joins("Eva");
    eva.send(&json!({"type": "nick", "nick": "Evita"}));
    eva.expect("renamed");
    ana.hears_nothing();
}

#[test]
fn limits_of_places_and_channels() {
    let home = Home::new("connections = 1\nchannels_per_user = 2");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.connect();
    luis.expect_error("server_full");
    luis.expect_closed();
    let codes: Vec<_> = ["#a", "#b", "#c"]
        .map(|channel| {
            ana.send(&json!({"type": "join", "channel": channel}));
            ana.next()
        })
        .into();
    assert_eq!(codes[2]["code"], "too_many_channels");
}
