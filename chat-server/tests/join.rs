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

#[test]
fn names_that_are_none_are_refused_and_their_fold_is_the_same_name() {
    let home = Home::new("");
    let server = home.start();
    let mut client = server.connect();
    let long = "x".repeat(33);
    for nick in [
        "",
        " ",
        "a b",
        "a\tb",
        "a\u{0}b",
        "a\u{200d}b",
        "\u{202e}a",
        "#a",
        ".a",
        "/a",
        ":a",
        "@a",
        "1a",
        "٣a",
        &long,
    ] {
        let answer = client.ask(&json!({"type": "hello", "version": 1, "nick": nick}));
        assert_eq!(answer["code"], "nick_invalid", "{nick:?}: {answer}");
    }
    client.send(&json!({"type": "hello", "version": 1, "nick": "Zoë"}));
    client.expect("welcome");
    for channel in [
        "",
        "#",
        "a",
        "##\u{1}",
        "#a b",
        &format!("#{}", "x".repeat(64)),
    ] {
        let answer = client.ask(&json!({"type": "join", "channel": channel}));
        assert_eq!(answer["code"], "channel_invalid", "{channel:?}: {answer}");
    }
    for nick in ["zoë", "ZOË", "zoe\u{308}"] {
        let answer = server
            .connect()
            .ask(&json!({"type": "hello", "version": 1, "nick": nick}));
        assert_eq!(answer["code"], "nick_taken", "{nick}: {answer}");
    }
    for nick in ["Иван", "ñandú", &"x".repeat(32), "a1"] {
        let welcome = server
            .connect()
            .ask(&json!({"type": "hello", "version": 1, "nick": nick}));
        assert_eq!(welcome["nick"], nick, "{welcome}");
    }
}

#[test]
fn who_names_nobody_is_given_a_free_nick() {
    let home = Home::new("");
    let server = home.start();
    let welcome = server
        .connect()
        .ask(&json!({"type": "hello", "version": 1}));
    let nick = welcome["nick"].as_str().unwrap_or_default();
    let tail = nick.strip_prefix("User").unwrap_or_default();
    assert_eq!(tail.len(), 6, "{nick}");
    assert!(
        tail.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
        "{nick}"
    );
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
