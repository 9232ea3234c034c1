//! What each command does.

use chat_client::command::help::HELP;

use super::*;

#[test]
fn help_has_a_line_for_each() {
    let server = FakeServer::start();
    for typed in [".h", "/help"] {
        let (mut client, peer) = bot(&server, &[]);
        client.type_line(typed);
        client.end_input();
        peer.goodbye();
        let (code, out, err) = client.end();
        assert_eq!((code, err.len(), out.len()), (Some(0), 0, HELP.len()));
        assert!(out.iter().all(|line| line.starts_with("* ")), "{out:?}");
        for word in [".t", "/record", "/tell NICK TEXT", "/switch", "//text"] {
            assert!(out.iter().any(|line| line.contains(word)), "{word}");
        }
    }
}

/// A script learns that nothing comes of it.
#[test]
fn commands_of_the_full_screen_are_none_of_line_mode() {
    let server = FakeServer::start();
    let (mut client, peer) = bot(&server, &[]);
    for typed in ["/mute", "/mute #rust", "/unmute", "/search hola", "/close"] {
        client.type_line(typed);
        client.complains("not_here");
    }
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}

#[test]
fn who_is_here_page_by_page() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for (typed, channel) in [
        (".l", "#lobby"),
        ("/list", "#lobby"),
        ("/who", "#lobby"),
        ("/who #rust", "#rust"),
    ] {
        client.type_line(typed);
        let users = peer.expect("users");
        assert_eq!(
            (&users["channel"], users.get("after")),
            (&json!(channel), None)
        );
        peer.send(&json!({
            "type": "users", "channel": channel, "users": ["ana", "luis"], "total": 3, "more": true
        }));
        assert_eq!(peer.expect("users")["after"], "luis");
        peer.send(&json!({
            "type": "users", "channel": channel, "users": ["maria"], "total": 3, "more": false
        }));
        client.shows(&format!("* 3 in {channel}: ana, luis, maria"));
    }
    client.type_line("/who #nowhere");
    let id = peer.expect("users")["id"].clone();
    peer.send(&error("no_such_channel", &id));
    client.complains("no_such_channel");
    leave(client, peer);
}

#[test]
fn direct_messages_and_conversations() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for (seq, typed, to, text) in [
        (1, "/tell ana hola  ana", "ana", "hola  ana"),
        (2, "/msg ana hola", "ana", "hola"),
        (3, "/tell:ana:a las 3:15", "ana", "a las 3:15"),
    ] {
        client.type_line(typed);
        let say = peer.record("bot", seq);
        assert_eq!((&say["to"], &say["text"]), (&json!(to), &json!(text)));
        client.shows(&format!("[bot -> {to}]: {text}"));
    }
    client.type_line("/query luis");
    client.type_line("hola");
    assert_eq!(peer.record("bot", 4)["to"], "luis");
    client.shows("[bot -> luis]: hola");
    client.type_line("/query");
    client.type_line("hola");
    assert_eq!(peer.record("bot", 5)["to"], "#lobby");
    client.shows("[bot]: hola");
    leave(client, peer);
}

#[test]
fn channels() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("/join #rust");
    client.type_line("hola");
    assert_eq!(peer.expect("join")["channel"], "#rust");
    peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
    client.shows("* bot joined #rust");
    assert_eq!(peer.record("bot", 1)["to"], "#rust");
    client.shows("[bot]: hola");
    peer.send(&message(2, "ana", "#lobby", "hola"));
    client.shows("#lobby [ana]: hola");
    client.type_line("/switch #lobby");
    client.type_line("hola");
    assert_eq!(peer.record("bot", 3)["to"], "#lobby");
    client.shows("[bot]: hola");
    client.type_line("/switch #rust");
    client.type_line("/part");
    client.type_line("hola");
    let part = peer.expect("part");
    assert_eq!(
        (&part["channel"], part.get("reason")),
        (&json!("#rust"), None)
    );
    peer.send(&json!({"type": "left", "channel": "#rust", "nick": "bot", "time": TIME}));
    client.shows("* bot left #rust");
    assert_eq!(peer.record("bot", 4)["to"], "#lobby");
    client.shows("[bot]: hola");
    client.type_line("/part #rust tired");
    assert_eq!(peer.expect("part")["reason"], "tired");
    client.type_line("/channels");
    peer.expect("channels");
    peer.send(&json!({
        "type": "channels",
        "channels": [{"name": "#lobby", "users": 2}, {"name": "#rust", "users": 1, "topic": "crabs"}]
    }));
    client.shows("* 2 channels: #lobby (2), #rust (1, crabs)");
    leave(client, peer);
}

#[test]
fn a_channel_that_is_refused() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("/join #rust");
    let id = peer.expect("join")["id"].clone();
    peer.send(&error("too_many_channels", &id));
    client.complains("too_many_channels");
    client.shows("* you are in #lobby");
    client.type_line("hola");
    assert_eq!(peer.record("bot", 1)["to"], "#lobby");
    client.shows("[bot]: hola");
    client.type_line("/switch #rust");
    client.complains("not_in_channel");
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}

#[test]
fn another_nick() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("/nick robot");
    assert_eq!(peer.expect("nick")["nick"], "robot");
    peer.send(&json!({"type": "renamed", "nick": "bot", "to": "robot", "time": TIME}));
    client.shows("* bot is now known as robot");
    client.type_line("/nick ana");
    let id = peer.expect("nick")["id"].clone();
    peer.send(&error("nick_taken", &id));
    client.complains("nick_taken");
    // It is the new nick that comes back.
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["nick"], "robot");
    peer.send(&welcome_with("robot", &json!({"resumed": true})));
    client.shows("* back, 0 messages missed");
    peer.barrier();
    leave(client, peer);
}

#[test]
fn history_of_the_conversation() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("/history");
    let asked = peer.expect("history");
    assert_eq!(
        (&asked["with"], &asked["limit"]),
        (&json!("#lobby"), &json!(50))
    );
    let page = |with: &str, messages: &[Value], more: bool| json!({"type": "history", "with": with, "messages": messages, "more": more});
    peer.send(&page(
        "#lobby",
        &[message(7, "ana", "#lobby", "hola\nya")],
        false,
    ));
    client.shows("* the last message of #lobby:");
    client.shows("[ana]: hola");
    client.shows("    ya");
    client.shows("* end of the history");
    // As many as were asked for, whatever fits into a page.
    client.type_line("/query ana");
    client.type_line("/history 3");
    let asked = peer.expect("history");
    assert_eq!(
        (&asked["with"], &asked["limit"]),
        (&json!("ana"), &json!(3))
    );
    let direct = |seq: u64| message(seq, "ana", "bot", &format!("m{seq}"));
    peer.send(&page("ana", &[direct(8), direct(9)], true));
    let asked = peer.expect("history");
    assert_eq!((&asked["before"], &asked["limit"]), (&json!(8), &json!(1)));
    peer.send(&page("ana", &[direct(5)], true));
    client.shows("* the last 3 messages of ana:");
    for text in ["m5", "m8", "m9"] {
        client.shows(&format!("[ana -> bot]: {text}"));
    }
    client.shows("* end of the history");
    leave(client, peer);
}

#[test]
fn recording() {
    let server = FakeServer::start();
    let folder = tempfile::tempdir().unwrap();
    let address = server.address();
    let mut client =
        Client::spawn(command(&[&address, "--nick", "bot", "--utc"]).current_dir(folder.path()));
    let mut peer = server.greet();
    peer.send(&message(1, "ana", "#lobby", "before"));
    client.shows("[ana]: before");
    client.type_line(".r");
    let line = client.out();
    let file = line.strip_prefix("* recording to ").unwrap();
    let shape: String = file
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "record_chat_0000-00-00_00-00-00.txt");
    peer.send(&message(2, "ana", "#lobby", "hola\nya\u{7}"));
    client.shows("[ana]: hola");
    client.shows("    ya\\u{7}");
    peer.send(&json!({"type": "joined", "channel": "#lobby", "nick": "x", "time": TIME}));
    client.shows("* x joined #lobby");
    peer.send(&message(3, "ana", "#rust", "hola"));
    client.shows("#rust [ana]: hola");
    client.type_line("/record");
    client.shows(&format!("* recorded 2 messages to {file}"));
    let recorded = std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert_eq!(recorded, "[ana]: hola\n    ya\\u{7}\n#rust [ana]: hola\n");
    // A file that is there is left alone; what is recorded at the end is counted too.
    std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    client.type_line("/record mine.txt");
    client.complains("recording_failed");
    client.type_line("/record notes.txt");
    client.shows("* recording to notes.txt");
    peer.send(&message(4, "ana", "#lobby", "last"));
    client.shows("[ana]: last");
    client.end_input();
    peer.goodbye();
    let (code, out, _) = client.end();
    assert_eq!(
        (code, out),
        (
            Some(0),
            vec!["* recorded 1 message to notes.txt".to_owned()]
        )
    );
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        (read("mine.txt"), read("notes.txt")),
        ("mine".into(), "[ana]: last\n".into())
    );
}

#[test]
fn text_that_looks_like_a_command() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for (seq, typed, text) in [
        (1, "//help", "/help"),
        (2, "..h", ".h"),
        (3, ".net is nice", ".net is nice"),
        (4, "  two spaces ", "  two spaces "),
    ] {
        client.type_line(typed);
        assert_eq!(peer.record("bot", seq)["text"], text);
        client.shows(&format!("[bot]: {text}"));
    }
    leave(client, peer);
}

#[test]
fn what_is_unknown_or_not_allowed_is_not_sent() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for (typed, code) in [
        ("/nothing", "unknown_command"),
        (".x", "unknown_command"),
        ("/query", "usage"),
        ("bell \u{7}", "text_invalid"),
        (&"x".repeat(8193), "text_too_long"),
        (&"x".repeat(70_000), "text_too_long"),
    ] {
        client.type_line(typed);
        let line = client.err();
        assert!(line.starts_with(&format!("! {code}: ")), "{line}");
        if code == "unknown_command" {
            assert!(line.contains("/help"), "{line}");
        }
    }
    client.type_bytes(b"caf\xe9\n");
    client.complains("text_invalid");
    client.type_bytes(b"\n\r\n");
    client.type_bytes(b"windows\r\n");
    assert_eq!(peer.record("bot", 1)["text"], "windows");
    client.shows("[bot]: windows");
    client.end_input();
    peer.goodbye();
    // Not everything that was typed was recorded.
    client.ends_with(1);
}

#[test]
fn quit_with_a_reason() {
    let server = FakeServer::start();
    for (typed, reason) in [
        (".q", Value::Null),
        ("/quit", Value::Null),
        ("/quit good night", json!("good night")),
    ] {
        let (mut client, peer) = bot(&server, &[]);
        client.type_line(typed);
        assert_eq!(peer.goodbye()["reason"], reason);
        client.ends_with(0);
    }
}

/// A script types all at once: what it says before `.t`, `.r` or `/switch` is shown as it was then.
#[test]
fn what_is_typed_at_once_takes_effect_line_by_line() {
    let server = FakeServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rec.txt");
    let file = file.to_str().unwrap();
    let (mut client, mut peer) = bot(&server, &["--utc"]);
    client.type_bytes(
        format!("one\n.r {file}\ntwo\nthree\n.r\n.t\nfour\n.t\nfive\n/join #rust\nsix\n/switch #lobby\nseven\n")
            .as_bytes(),
    );
    client.end_input();
    let mut seq = 0;
    while seq < 7 {
        let request = peer.receive().unwrap();
        if request["type"] == "join" {
            peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
            continue;
        }
        seq += 1;
        peer.ack(&request, seq);
        let (to, text) = (&request["to"], &request["text"]);
        let words = (to.as_str().unwrap(), text.as_str().unwrap());
        peer.send(&message(seq, "bot", words.0, words.1));
    }
    peer.goodbye();
    let (code, out, err) = client.end();
    assert_eq!((code, err), (Some(0), vec![]));
    assert_eq!(
        out,
        [
            "[bot]: one",
            &format!("* recording to {file}"),
            "[bot]: two",
            "[bot]: three",
            &format!("* recorded 2 messages to {file}"),
            "* timestamps on",
            "2026-11-23 18:50:00 [bot]: four",
            "* timestamps off",
            "[bot]: five",
            "* bot joined #rust",
            "[bot]: six",
            "[bot]: seven",
        ]
    );
    let recorded = std::fs::read_to_string(file).unwrap();
    assert_eq!(recorded, "[bot]: two\n[bot]: three\n");
}

/// A server that acknowledges and never sends the message does not keep a script waiting.
#[test]
fn a_command_does_not_wait_for_ever() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_bytes(b"hola\n.t\n");
    let say = peer.expect("say");
    peer.ack(&say, 1);
    client.shows("* timestamps on");
    leave(client, peer);
}

#[test]
fn what_operators_and_founders_do() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    for (typed, asked) in [
        (
            "/kick luis spam",
            json!({"type": "kick", "nick": "luis", "reason": "spam"}),
        ),
        (
            "/ban 192.0.2.0/24 2h spam",
            json!({"type": "ban", "address": "192.0.2.0/24", "seconds": 7200, "reason": "spam"}),
        ),
        (
            "/unban account:luis",
            json!({"type": "unban", "account": "luis"}),
        ),
        (
            "/mute luis 10m",
            json!({"type": "mute", "nick": "luis", "seconds": 600}),
        ),
        ("/unmute luis", json!({"type": "unmute", "nick": "luis"})),
        (
            "/topic hola a todos",
            json!({"type": "topic", "channel": "#lobby", "topic": "hola a todos"}),
        ),
    ] {
        client.type_line(typed);
        let mut sent = peer.expect(asked["type"].as_str().unwrap());
        sent.as_object_mut().unwrap().remove("id");
        assert_eq!(sent, asked);
    }
    client.type_line("/join #rust");
    peer.expect("join");
    peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
    client.shows("* bot joined #rust");
    for (typed, kind) in [
        ("/kick luis", "kick"),
        ("/ban luis", "ban"),
        ("/unban luis", "unban"),
        ("/topic -", "topic"),
    ] {
        client.type_line(typed);
        assert_eq!(peer.expect(kind)["channel"], "#rust", "{typed}");
    }
    leave(client, peer);
}

#[test]
fn what_is_told_of_operators_and_founders() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("/join #rust");
    peer.expect("join");
    peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
    client.shows("* bot joined #rust");
    peer.send(&json!({
        "type": "left", "channel": "#rust", "nick": "luis", "time": TIME, "reason": "spam", "by": "ana"
    }));
    client.shows("* luis was kicked from #rust by ana (spam)");
    client.type_line("/bans");
    assert_eq!(peer.expect("bans").get("after"), None);
    let ban = |number: u64| json!({"nick": "luis", "number": number, "time": TIME});
    peer.send(&json!({"type": "bans", "channel": "#rust", "bans": [ban(3)], "more": true}));
    assert_eq!(peer.expect("bans")["after"], 3);
    peer.send(&json!({"type": "bans", "channel": "#rust", "bans": [ban(4)], "more": false}));
    for line in ["* 2 bans:", "* luis for good", "* luis for good"] {
        client.shows(line);
    }
    client.type_line("/topic");
    peer.expect("channels");
    peer.send(&json!({
        "type": "channels", "channels": [{"name": "#rust", "users": 1, "topic": "crabs"}]
    }));
    client.shows("* the topic of #rust: crabs");
    let why = "ana has put you out: spam";
    peer.send(&json!({"type": "error", "code": "kicked", "detail": why}));
    client.complains("kicked");
    // Nobody comes back by itself to where it was put out of.
    let (code, _, _) = client.end();
    assert_eq!(code, Some(1));
}
