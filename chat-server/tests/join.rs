//! Arriving, changing channels, leaving: who is told what.

mod support;

use serde_json::json;
use support::Home;

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

#[test]
fn a_refused_request_names_its_id_and_has_not_happened() {
    let home = Home::new("text_bytes = 100");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for (request, code) in [
        (json!({"type": "say", "text": ""}), "text_invalid"),
        (json!({"type": "say", "text": "\u{1b}[2J"}), "text_invalid"),
        (
            json!({"type": "say", "text": "x".repeat(101)}),
            "text_too_long",
        ),
        (
            json!({"type": "say", "text": "x", "from": "Luis"}),
            "not_your_nick",
        ),
        (
            json!({"type": "say", "text": "x", "to": "#otro"}),
            "no_such_channel",
        ),
        (
            json!({"type": "say", "text": "x", "to": "Nadie"}),
            "no_such_user",
        ),
        (json!({"type": "say"}), "bad_request"),
        (
            json!({"type": "part", "channel": "#otro"}),
            "no_such_channel",
        ),
        (
            json!({"type": "users", "channel": "#otro"}),
            "no_such_channel",
        ),
        (json!({"type": "users", "limit": 501}), "bad_request"),
        (json!({"type": "history", "limit": 0}), "bad_request"),
        (json!({"type": "nick", "nick": "a b"}), "nick_invalid"),
        (json!({"type": "hello", "version": 1}), "bad_request"),
        (json!({"type": "fly"}), "unknown_type"),
    ] {
        let mut request = request;
        request["id"] = "mine".into();
        let answer = ana.ask(&request);
        assert_eq!(
            (&answer["code"], &answer["id"]),
            (&json!(code), &json!("mine")),
            "{request}"
        );
    }
    assert_eq!(
        ana.ask(&json!({"type": "say", "text": "x", "id": ""}))["code"],
        "bad_request"
    );
    ana.send_raw(b"\0\0\0\x02{]");
    assert_eq!(ana.next()["code"], "bad_json");
    assert!(home.lines().is_empty());
    let mut luis = server.joins("Luis");
    luis.joins("#a");
    ana.awaits("joined");
    assert_eq!(
        ana.ask(&json!({"type": "say", "text": "x", "to": "#a"}))["code"],
        "not_in_channel"
    );
}

#[test]
fn people_are_listed_page_by_page() {
    let home = Home::new("");
    let server = home.start();
    let mut people: Vec<_> = ["eva", "Ana", "luis", "Борис"]
        .map(|nick| server.joins(nick))
        .into();
    let ana = &mut people[1];
    ana.barrier();
    let page = ana.ask(&json!({"type": "users", "limit": 2}));
    assert_eq!(
        (&page["users"], &page["total"], &page["more"]),
        (&json!(["Ana", "eva"]), &json!(4), &json!(true))
    );
    let page = ana.ask(&json!({"type": "users", "limit": 2, "after": "EVA"}));
    assert_eq!(
        (&page["users"], &page["more"]),
        (&json!(["luis", "Борис"]), &json!(false))
    );
    ana.joins("#a");
    let page = ana.ask(&json!({"type": "users", "channel": "#A"}));
    assert_eq!(
        (&page["channel"], &page["users"]),
        (&json!("#a"), &json!(["Ana"]))
    );
    let all = ana.ask(&json!({"type": "channels"}));
    let names: Vec<_> = all["channels"].as_array().into_iter().flatten().collect();
    assert_eq!(names[0], &json!({"name": "#lobby", "users": 4}));
    assert_eq!(names[1], &json!({"name": "#a", "users": 1}));
    people.remove(0);
    people.remove(1);
    people.remove(1);
    let ana = &mut people[0];
    (0..3).for_each(|_| drop(ana.expect("gone")));
    let first = &ana.ask(&json!({"type": "channels"}))["channels"][0];
    assert_eq!(
        first,
        &json!({"name": "#lobby", "users": 1}),
        "of equals the lobby"
    );
}
