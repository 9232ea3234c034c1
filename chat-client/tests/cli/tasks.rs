//! `send`, `watch` and `history`: what a script does with one line.

use super::*;

/// A client that does what `args` say, and the server's side of it.
fn doing(server: &FakeServer, args: &[&str]) -> (Client, Peer) {
    let address = server.address();
    let mut all = args.to_vec();
    all.extend(["--server", &address, "--nick", "bot"]);
    let client = Client::start(&all);
    let peer = server.greet();
    (client, peer)
}

fn enters(peer: &mut Peer, channel: &str) {
    let asked = peer.expect("users");
    assert_eq!(asked["channel"], channel);
    peer.send(&json!({
        "type": "users", "channel": channel, "users": ["ana"], "total": 1, "more": false
    }));
    assert_eq!(peer.expect("join")["channel"], channel);
    peer.send(&json!({"type": "joined", "channel": channel, "nick": "bot", "time": TIME}));
}

#[test]
fn send_ends_with_0_once_it_is_recorded() {
    let server = FakeServer::start();
    for (args, to) in [
        (&["send", "a", "b"][..], "#lobby"),
        (&["send", "--to", "luis", "a", "b"], "luis"),
        (&["send", "a b", "--to", "#rust"], "#rust"),
    ] {
        let (client, mut peer) = doing(&server, args);
        if to == "#rust" {
            enters(&mut peer, to);
        }
        let say = peer.record("bot", 1);
        assert_eq!((&say["to"], &say["text"]), (&json!(to), &json!("a b")));
        peer.goodbye();
        client.ends_with(0);
    }
}

#[test]
fn a_pipe_is_one_message() {
    let server = FakeServer::start();
    let address = server.address();
    let mut client = Client::start(&["send", "--server", &address, "--nick", "bot"]);
    client.type_bytes("/quit\n  línea 2\n".as_bytes());
    client.end_input();
    let mut peer = server.greet();
    assert_eq!(peer.record("bot", 1)["text"], "/quit\n  línea 2");
    peer.goodbye();
    client.ends_with(0);
}

#[test]
fn send_ends_with_1_where_nothing_is_recorded() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["send", "--to", "nobody", "hola"]);
    let say = peer.expect("say");
    peer.send(&error("no_such_user", &say["id"]));
    client.complains("no_such_user");
    peer.goodbye();
    client.ends_with(1);
}

/// What was meant for a channel is never said elsewhere, however late the refusal is.
#[test]
fn send_says_nothing_where_it_is_not_let_in() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["send", "--create", "--to", "#rust", "hola"]);
    let join = peer.expect("join");
    peer.send(&error("too_many_channels", &join["id"]));
    client.complains("too_many_channels");
    let mut next = peer.receive().unwrap();
    if next["type"] == "say" {
        assert_eq!(next["to"], "#rust");
        peer.send(&error("not_in_channel", &next["id"]));
        client.complains("not_in_channel");
        next = peer.receive().unwrap();
    }
    assert_eq!(next["type"], "quit");
    peer.send(&json!({"type": "bye", "reason": "quit"}));
    client.ends_with(1);
}

/// Nobody is called for what could not be said anyway.
#[test]
fn what_cannot_be_sent_is_told_at_once() {
    let long = "x".repeat(8193);
    for (text, code) in [
        ("", "text_invalid"),
        ("\u{7}", "text_invalid"),
        (&long, "text_too_long"),
    ] {
        let client = Client::start(&["send", "--server", "127.0.0.1:1", text]);
        client.complains(code);
        client.ends_with(1);
    }
    let client = Client::start(&["send", "--server", "127.0.0.1:1", "hola"]);
    client.complains("connection_refused");
    client.ends_with(1);
}

#[test]
fn a_refused_nick_is_3() {
    let server = FakeServer::start();
    let address = server.address();
    for task in ["send x", "watch", "history"] {
        let mut args: Vec<_> = task.split(' ').collect();
        args.extend(["--server", &address, "--nick", "bot"]);
        let client = Client::start(&args);
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&error("nick_taken", &Value::Null));
        client.complains("nick_taken");
        client.ends_with(3);
    }
}

#[test]
fn watch_prints_what_is_said() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["watch"]);
    peer.send(&message(1, "ana", "#lobby", "hola\n\u{1b}[2J"));
    client.shows("[ana]: hola");
    client.shows("    \\u{1b}[2J");
    peer.send(&json!({"type": "joined", "channel": "#lobby", "nick": "x", "time": TIME}));
    peer.send(&message(2, "luis", "bot", "psst"));
    client.shows("[luis -> bot]: psst");
    client.interrupt();
    peer.goodbye();
    client.ends_with(0);
}

#[test]
fn watch_keeps_to_its_channels() {
    let server = FakeServer::start();
    let args = ["watch", "--channel", "#Rust", "--channel", "#c"];
    let (client, mut peer) = doing(&server, &args);
    enters(&mut peer, "#Rust");
    enters(&mut peer, "#c");
    peer.send(&message(1, "ana", "#lobby", "no"));
    peer.send(&message(2, "ana", "bot", "no"));
    peer.send(&message(3, "ana", "#rust", "yes"));
    peer.send(&message(4, "ana", "#c", "yes"));
    client.shows("#rust [ana]: yes");
    client.shows("#c [ana]: yes");
    client.interrupt();
    peer.goodbye();
    client.ends_with(0);
}

#[test]
fn watch_does_not_stay_where_it_is_not_let_in() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["watch", "--create", "--channel", "#rust"]);
    let join = peer.expect("join");
    peer.send(&error("too_many_channels", &join["id"]));
    client.complains("too_many_channels");
    peer.goodbye();
    assert_eq!(client.end().0, Some(1));
}

#[test]
fn watch_stays_over_a_lost_connection() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["watch", "--json"]);
    let first = message(1, "ana", "#lobby", "hola \u{202e}");
    peer.send(&first);
    let line = client.out();
    assert!(!line.contains('\u{202e}'), "{line}");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), first);
    drop(peer);
    assert_eq!(client.err(), "* connection lost; trying again");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["after"], 1);
    peer.send(&welcome_with("bot", &json!({"resumed": true, "seq": 2})));
    let missed = message(2, "ana", "#lobby", "again");
    peer.send(&missed);
    peer.barrier();
    assert_eq!(
        serde_json::from_str::<Value>(&client.out()).unwrap(),
        missed
    );
    assert_eq!(client.err(), "* back, 1 message missed");
    client.interrupt();
    peer.goodbye();
    client.ends_with(0);

    let (client, peer) = doing(&server, &["watch", "--no-reconnect"]);
    drop(peer);
    client.complains("connection_lost");
    client.ends_with(1);
}

#[test]
fn history_prints_pages_as_one() {
    let server = FakeServer::start();
    for json in [false, true] {
        let mut args = vec!["history", "--with", "#rust", "--last", "3"];
        args.extend(json.then_some("--json"));
        let (client, mut peer) = doing(&server, &args);
        enters(&mut peer, "#rust");
        let mut told = vec![];
        for (before, page, more) in [(Value::Null, &[8, 9][..], true), (json!(8), &[7], true)] {
            let asked = peer.expect("history");
            assert_eq!(
                (&asked["with"], &asked["before"]),
                (&json!("#rust"), &before)
            );
            assert_eq!(asked["limit"], 3 - told.len());
            // What is said meanwhile is not of the past.
            peer.send(&message(10, "luis", "#rust", "now"));
            let page: Vec<_> = page
                .iter()
                .map(|seq| message(*seq, "ana", "#rust", &format!("m{seq}")))
                .collect();
            peer.send(&json!({"type": "history", "with": "#rust", "messages": page, "more": more}));
            told.splice(0..0, page);
        }
        for message in told {
            let line = client.out();
            if json {
                assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), message);
            } else {
                assert_eq!(
                    line,
                    format!("[ana]: {}", message["text"].as_str().unwrap())
                );
            }
        }
        peer.goodbye();
        client.ends_with(0);
    }
}

#[test]
fn a_history_that_nobody_has_is_1() {
    let server = FakeServer::start();
    let (client, mut peer) = doing(&server, &["history", "--with", "nobody"]);
    let asked = peer.expect("history");
    peer.send(&error("no_such_user", &asked["id"]));
    client.complains("no_such_user");
    peer.goodbye();
    client.ends_with(1);
}

/// A slip makes no channel: nothing but a question is sent.
#[test]
fn a_channel_that_does_not_exist_is_1() {
    let server = FakeServer::start();
    for args in [
        &["send", "--to", "#typo", "hola"][..],
        &["watch", "--channel", "#typo"],
        &["history", "--with", "#typo"],
    ] {
        let (client, mut peer) = doing(&server, args);
        let asked = peer.expect("users");
        assert_eq!(asked["channel"], "#typo");
        peer.send(&error("no_such_channel", &asked["id"]));
        let line = client.err();
        assert!(
            line.starts_with("! no_such_channel: ") && line.contains("--create"),
            "{line}"
        );
        peer.goodbye();
        client.ends_with(1);
    }
    let (client, mut peer) = doing(&server, &["send", "--create", "--to", "#new", "hola"]);
    assert_eq!(peer.expect("join")["channel"], "#new");
    peer.send(&json!({"type": "joined", "channel": "#new", "nick": "bot", "time": TIME}));
    assert_eq!(peer.record("bot", 1)["to"], "#new");
    peer.goodbye();
    client.ends_with(0);
}
