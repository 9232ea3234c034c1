//! The real binary in a pipe, against a scripted server: what a script can count on.

mod support;

use serde_json::{Value, json};
use support::{Client, FakeServer, Peer, TIME, command, error, message, welcome, welcome_with};

/// A bot that is in, and the server's side of it.
fn bot(server: &FakeServer, args: &[&str]) -> (Client, Peer) {
    let client = Client::of(server, "bot", args);
    let peer = server.greet();
    (client, peer)
}

fn leave(mut client: Client, peer: Peer) {
    client.end_input();
    peer.goodbye();
    client.ends_with(0);
}

mod arriving {
    use super::*;

    #[test]
    fn hello_names_the_nick_and_the_program() {
        let server = FakeServer::start();
        let client = Client::of(&server, "bot", &[]);
        let mut peer = server.accept();
        let hello = peer.expect("hello");
        let version = concat!("chat-client/", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            hello,
            json!({"type": "hello", "version": 1, "nick": "bot", "client": version})
        );
        peer.send(&welcome("bot"));
        leave(client, peer);
    }

    #[test]
    fn the_ways_to_name_server_and_nick() {
        let server = FakeServer::start();
        let address = server.address();
        let (host, port) = address.split_once(':').unwrap();
        let by_env = |args: &[&str], variable: &str| {
            let mut command = command(args);
            command.env("CHAT_SERVER", variable).env("CHAT_NICK", "bot");
            command
        };
        for mut command in [
            command(&[&address, "--nick", "bot"]),
            command(&["--server", &address, "-n", "bot"]),
            command(&["-i", host, "-p", port, "--nick", "bot"]),
            command(&["--ip-address", host, "--port", port, "--nick", "bot"]),
            command(&["-p", port, "--nick", "bot"]),
            command(&[&format!("localhost:{port}"), "--nick", "bot"]),
            by_env(&[], &address),
            by_env(&["--server", &address], "127.0.0.1:1"),
            by_env(&["-p", port], "[not an address"),
        ] {
            let client = Client::spawn(&mut command);
            let mut peer = server.accept();
            assert_eq!(peer.expect("hello")["nick"], "bot");
            peer.send(&welcome("bot"));
            leave(client, peer);
        }
    }

    #[test]
    fn over_ipv6() {
        let Some(server) = FakeServer::on("[::1]:0") else {
            // A machine without IPv6 has nothing to show here.
            return;
        };
        let port = server.address().rsplit_once(':').unwrap().1.to_owned();
        for args in [
            &[&*format!("[::1]:{port}"), "-n", "bot"][..],
            &["::1", "-p", &port, "-n", "bot"],
            &["-i", "::1", "-p", &port, "-n", "bot"],
        ] {
            let client = Client::start(args);
            let peer = server.greet();
            leave(client, peer);
        }
    }

    #[test]
    fn wrong_usage_is_2() {
        for args in [
            &["one", "two"][..],
            &["--nick"],
            &["host:port"],
            &["--unknown"],
            &["-p", "0"],
        ] {
            let (code, out, err) = Client::start(args).end();
            assert_eq!((code, out.len()), (Some(2), 0), "{args:?}");
            assert!(err[0].starts_with("error: "), "{err:?}");
        }
    }

    #[test]
    fn help_and_version() {
        let (code, out, _) = Client::start(&["--version"]).end();
        assert_eq!(code, Some(0));
        assert_eq!(out, [concat!("chat-client ", env!("CARGO_PKG_VERSION"))]);
        let (code, out, _) = Client::start(&["--help"]).end();
        assert_eq!(code, Some(0));
        let help = out.join("\n");
        for said in [
            "--nick",
            "--server",
            "--json",
            "--plain",
            "--utc",
            "CHAT_SERVER",
            "CHAT_NICK",
            "12345",
            "Example:",
            "Exit codes:",
        ] {
            assert!(help.contains(said), "{said} in\n{help}");
        }
    }

    #[test]
    fn a_connection_that_is_refused_is_1() {
        let address = FakeServer::start().address();
        let client = Client::start(&[&address, "--nick", "bot"]);
        let (code, out, err) = client.end();
        assert_eq!((code, out.len(), err.len()), (Some(1), 0, 1));
        let begins = format!("! connection_refused: {address}: ");
        assert!(err[0].starts_with(&begins), "{err:?}");
    }

    #[test]
    fn a_refused_nick_is_3() {
        for code in ["nick_taken", "nick_invalid", "auth_failed"] {
            let server = FakeServer::start();
            let client = Client::of(&server, "bot", &[]);
            let mut peer = server.accept();
            peer.expect("hello");
            peer.send(&error(code, &Value::Null));
            let line = format!("! {code}: as the server says");
            assert_eq!(client.end(), (Some(3), vec![], vec![line]));
        }
        // One that no server takes is not even asked for.
        let server = FakeServer::start();
        for nick in ["7up", "two words", "", "#x"] {
            let client = Client::of(&server, nick, &[]);
            client.complains("nick_invalid");
            client.ends_with(3);
        }
    }

    #[test]
    fn without_a_nick_a_pipe_is_given_one() {
        let server = FakeServer::start();
        let mut client = Client::spawn(command(&[&server.address()]).env("CHAT_NICK", ""));
        let mut peer = server.accept();
        assert_eq!(peer.expect("hello").get("nick"), None);
        peer.send(&welcome("User4F2K1A"));
        client.shows("* you are User4F2K1A on fake/1");
        client.end_input();
        peer.goodbye();
        client.ends_with(0);
    }

    #[test]
    fn the_news_of_the_day() {
        let server = FakeServer::start();
        let client = Client::of(&server, "bot", &[]);
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome_with("bot", &json!({"motd": "hola\u{7}\na todos"})));
        client.shows("* hola\\u{7}");
        client.shows("    a todos");
        leave(client, peer);
    }

    #[test]
    fn a_server_that_is_full_is_1() {
        let server = FakeServer::start();
        let client = Client::of(&server, "bot", &[]);
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&error("server_full", &Value::Null));
        drop(peer);
        client.complains("server_full");
        client.complains("connection_lost");
        client.ends_with(1);
    }
}

mod output {
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

    /// Who reads the output goes away, as `head` does.
    #[test]
    fn a_reader_that_goes_away_ends_it_quietly() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line("hola");
        peer.record("bot", 1);
        client.shows("[bot]: hola");
        client.hang_up_output();
        // Its end of the pipe closes at the next line at the latest; one later nobody reads it.
        for seq in 2..5 {
            peer.send(&message(seq, "ana", "#lobby", "hola"));
        }
        peer.goodbye();
        let (code, _, err) = client.end();
        assert_eq!((code, err), (Some(0), vec![]));
    }
}

mod commands {
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
            assert_eq!((code, err.len(), out.len()), (Some(0), 0, 15));
            assert!(out.iter().all(|line| line.starts_with("* ")), "{out:?}");
            for word in [".t", "/record", "/tell NICK TEXT", "/switch", "//text"] {
                assert!(out.iter().any(|line| line.contains(word)), "{word}");
            }
        }
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
        client.shows("* the last 1 messages of #lobby:");
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
        let mut client = Client::spawn(
            command(&[&address, "--nick", "bot", "--utc"]).current_dir(folder.path()),
        );
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
                vec!["* recorded 1 messages to notes.txt".to_owned()]
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
}

mod ending {
    use super::*;

    /// `echo hola | chat-client --nick bot` exits 0 only if `hola` was recorded.
    #[test]
    fn goodbye_waits_until_all_is_recorded() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_bytes(b"one\ntwo without an end");
        client.end_input();
        let (one, two) = (peer.expect("say"), peer.expect("say"));
        assert_ne!(one["id"], two["id"]);
        assert_eq!(two["text"], "two without an end");
        peer.ack(&one, 1);
        peer.ack(&two, 2);
        peer.goodbye();
        client.ends_with(0);
    }

    #[test]
    fn what_was_not_recorded_is_1() {
        for code in [
            "not_recorded",
            "no_such_user",
            "text_too_long",
            "rate_limited",
        ] {
            let server = FakeServer::start();
            let (mut client, mut peer) = bot(&server, &[]);
            client.type_line("/tell ana hola");
            client.end_input();
            let say = peer.expect("say");
            peer.send(&error(code, &say["id"]));
            peer.goodbye();
            let line = format!("! {code}: as the server says");
            assert_eq!(client.end(), (Some(1), vec![], vec![line]));
        }
    }

    #[test]
    fn what_is_never_acknowledged_is_1() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &["--linger", "0.2"]);
        client.type_line("hola");
        client.end_input();
        peer.expect("say");
        client.complains("not_recorded");
        client.ends_with(1);
    }

    #[test]
    fn ctrl_c_says_goodbye_and_twice_ends_at_once() {
        let server = FakeServer::start();
        let (client, peer) = bot(&server, &[]);
        client.interrupt();
        peer.goodbye();
        client.ends_with(0);

        // The second time nothing is waited for, neither a line to be recorded nor the server's bye.
        let (client, mut peer) = bot(&server, &[]);
        client.interrupt();
        peer.expect("quit");
        client.interrupt();
        client.ends_with(1);
    }

    /// The window is bounded: what nobody acknowledges is not read from the pipe.
    #[test]
    fn ten_thousand_lines_in_order() {
        const LINES: usize = 10_000;
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        let text: String = (0..LINES)
            .map(|number| format!("line {number}\n"))
            .collect();
        let writer = std::thread::spawn(move || {
            client.type_bytes(text.as_bytes());
            client.end_input();
            client
        });
        let mut held: Vec<Value> = Vec::new();
        let mut seq = 0;
        for number in 0..LINES {
            let say = peer.expect("say");
            assert_eq!(say["text"], format!("line {number}"));
            held.push(say);
            if held.len() == 100 {
                for say in held.drain(..) {
                    seq += 1;
                    peer.ack(&say, seq);
                }
            }
        }
        peer.goodbye();
        writer.join().unwrap().ends_with(0);
    }
}

mod away {
    use super::*;

    fn resumed(seq: u64) -> Value {
        welcome_with("bot", &json!({"resumed": true, "seq": seq}))
    }

    #[test]
    fn a_lost_connection_is_taken_up_again() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        peer.send(&message(4, "ana", "#lobby", "hola"));
        client.shows("[ana]: hola");
        // One line is acknowledged, one is not: and one is typed meanwhile.
        client.type_line("one");
        client.type_line("two");
        let one = peer.expect("say");
        peer.ack(&one, 5);
        let two = peer.expect("say");
        drop(peer);
        client.shows("* connection lost; trying again");
        client.type_line("three");
        let mut peer = server.accept();
        let hello = peer.expect("hello");
        assert_eq!(hello["nick"], "bot");
        assert_eq!(
            (&hello["token"], &hello["after"]),
            (&json!("token-of-bot"), &json!(4))
        );
        peer.send(&resumed(8));
        for (seq, from, text) in [(5, "bot", "one"), (6, "ana", "six"), (7, "ana", "seven")] {
            peer.send(&message(seq, from, "#lobby", text));
        }
        peer.barrier();
        client.shows("* back, 3 messages missed");
        client.shows("[bot]: one");
        client.shows("[ana]: six");
        client.shows("[ana]: seven");
        // Said again with the same id: the server knows it, or records it now.
        assert_eq!(peer.record("bot", 9), two);
        assert_eq!(peer.record("bot", 10)["text"], "three");
        client.shows("[bot]: two");
        client.shows("[bot]: three");
        // A repeat is not shown.
        peer.send(&message(7, "ana", "#lobby", "seven"));
        peer.send(&message(11, "ana", "#lobby", "eleven"));
        client.shows("[ana]: eleven");
        leave(client, peer);
    }

    /// The end of a replay is known in several ways, and nothing missed is no reason to wait.
    #[test]
    fn what_was_missed_is_counted() {
        let server = FakeServer::start();
        let (client, peer) = bot(&server, &[]);
        drop(peer);
        client.shows("* connection lost; trying again");
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&resumed(2));
        peer.send(&message(1, "ana", "#lobby", "one"));
        peer.send(&message(2, "ana", "#lobby", "two"));
        client.shows("* back, 2 messages missed");
        client.shows("[ana]: one");
        client.shows("[ana]: two");
        drop(peer);
        client.shows("* connection lost; trying again");
        let mut peer = server.accept();
        assert_eq!(peer.expect("hello")["after"], 2);
        peer.send(&welcome_with(
            "bot",
            &json!({"resumed": true, "seq": 9, "gap": true}),
        ));
        peer.send(&message(7, "ana", "#lobby", "seven"));
        peer.send(&message(10, "ana", "#lobby", "ten"));
        client.shows("* back, 1 messages missed");
        client.shows("* more was missed than the server sends again: /history has the rest");
        client.shows("[ana]: seven");
        client.shows("[ana]: ten");
        drop(peer);
        client.shows("* connection lost; trying again");
        // A server that never answers the ping behind hello.
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&resumed(20));
        peer.send(&message(11, "ana", "#lobby", "eleven"));
        client.shows("* back, 1 messages missed");
        client.shows("[ana]: eleven");
        peer.expect("ping");
        leave(client, peer);
    }

    /// The server was restarted and knows nobody: one is back where one was all the same.
    #[test]
    fn channels_are_joined_again_when_the_token_is_gone() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line("/join #rust");
        peer.expect("join");
        peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
        client.shows("* bot joined #rust");
        drop(peer);
        client.shows("* connection lost; trying again");
        client.type_line("hola");
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome("bot"));
        assert_eq!(peer.expect("join")["channel"], "#rust");
        peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
        peer.barrier();
        client.shows("* back, 0 messages missed");
        client.shows("* bot joined #rust");
        assert_eq!(peer.record("bot", 1)["to"], "#rust");
        client.shows("[bot]: hola");
        leave(client, peer);
    }

    /// What was said there meanwhile, and until one had entered again, is not lost either: the server
    /// does not send it again without a token, but the history has it.
    #[test]
    fn what_was_missed_in_channels_that_are_joined_again() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line("/join #rust");
        peer.expect("join");
        peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
        client.shows("* bot joined #rust");
        peer.send(&message(4, "ana", "#rust", "four"));
        client.shows("[ana]: four");
        drop(peer);
        client.shows("* connection lost; trying again");
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome_with("bot", &json!({"seq": 7})));
        peer.send(&message(6, "ana", "#lobby", "six"));
        assert_eq!(peer.expect("join")["channel"], "#rust");
        let asked = peer.expect("history");
        assert_eq!(
            (&asked["with"], &asked["after"]),
            (&json!("#rust"), &json!(4))
        );
        peer.barrier();
        peer.send(&message(9, "ana", "#rust", "nine"));
        let missed: Vec<Value> = [5, 7, 8, 9]
            .map(|seq| message(seq, "ana", "#rust", &format!("m{seq}")))
            .into();
        peer.send(&json!({"type": "history", "with": "#rust", "messages": missed, "more": false}));
        client.shows("* back, 4 messages missed");
        for line in [
            "[ana]: m5",
            "#lobby [ana]: six",
            "[ana]: m7",
            "[ana]: m8",
            "[ana]: nine",
        ] {
            client.shows(line);
        }
        peer.send(&message(10, "ana", "#rust", "ten"));
        client.shows("[ana]: ten");
        leave(client, peer);
    }

    #[test]
    fn a_nick_that_was_taken_meanwhile_is_3() {
        let server = FakeServer::start();
        let (client, peer) = bot(&server, &[]);
        drop(peer);
        client.shows("* connection lost; trying again");
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&error("nick_taken", &Value::Null));
        client.complains("nick_taken");
        client.ends_with(3);
    }

    #[test]
    fn no_reconnect_ends_with_1() {
        let server = FakeServer::start();
        let (client, peer) = bot(&server, &["--no-reconnect"]);
        drop(peer);
        client.complains("connection_lost");
        client.ends_with(1);
    }

    /// Goodbye was said before the connection was lost: the line is recorded when it is back.
    #[test]
    fn goodbye_waits_for_the_way_back() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line("hola");
        client.end_input();
        let say = peer.expect("say");
        drop(peer);
        client.shows("* connection lost; trying again");
        // Attempts that fail, and a server that lets go at once, are no reason to give up.
        drop(server.accept());
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&error("server_full", &Value::Null));
        drop(peer);
        client.complains("server_full");
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&resumed(0));
        client.shows("* back, 0 messages missed");
        peer.barrier();
        assert_eq!(peer.expect("say"), say);
        peer.ack(&say, 1);
        peer.goodbye();
        client.ends_with(0);
    }

    #[test]
    fn a_server_that_ends_is_waited_for() {
        let server = FakeServer::start();
        let (client, mut peer) = bot(&server, &[]);
        peer.send(&error("shutting_down", &Value::Null));
        peer.send(&json!({"type": "bye", "reason": "shutting_down"}));
        client.complains("shutting_down");
        client.shows("* the server says goodbye (shutting_down)");
        client.shows("* connection lost; trying again");
        peer.expect_closed();
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&resumed(0));
        client.shows("* back, 0 messages missed");
        peer.barrier();
        leave(client, peer);
    }

    /// Coming back would throw out who has come instead of this one.
    #[test]
    fn replaced_is_the_end() {
        let server = FakeServer::start();
        let (client, mut peer) = bot(&server, &[]);
        peer.send(&error("replaced", &Value::Null));
        client.complains("replaced");
        client.ends_with(1);
    }

    #[test]
    fn pings_are_answered_and_sent() {
        let server = FakeServer::start();
        let (client, mut peer) = bot(&server, &["--keep-alive", "0.3"]);
        peer.send(&json!({"type": "ping", "id": "p1"}));
        assert_eq!(peer.expect("pong")["id"], "p1");
        peer.expect("ping");
        peer.send(&json!({"type": "pong"}));
        // Silence, a ping, silence: the connection counts as lost.
        peer.expect("ping");
        client.shows("* connection lost; trying again");
        peer.expect_closed();
        drop(server.greet());
    }

    /// A history that was begun anew does not swallow what is new in it.
    #[test]
    fn a_server_that_counts_from_1_again() {
        let server = FakeServer::start();
        let (client, mut peer) = bot(&server, &[]);
        peer.send(&message(1000, "ana", "#lobby", "old"));
        client.shows("[ana]: old");
        drop(peer);
        client.shows("* connection lost; trying again");
        let mut peer = server.greet();
        client.shows("* back, 0 messages missed");
        peer.send(&message(1, "ana", "#lobby", "new"));
        client.shows("[ana]: new");
        peer.barrier();
        leave(client, peer);
    }
}

mod json_mode {
    use super::*;

    #[test]
    fn every_object_is_a_line() {
        let server = FakeServer::start();
        let client = Client::of(&server, "bot", &["--json"]);
        let mut peer = server.accept();
        peer.expect("hello");
        let greeting = welcome("bot");
        peer.send(&greeting);
        let as_value = |line: String| -> Value { serde_json::from_str(&line).unwrap() };
        assert_eq!(as_value(client.out()), greeting);
        peer.send_raw(b"{\"type\" : \"dance\",\n \"new\": [1, 2],  \"text\": \"a  b\"}\n");
        client.shows("{\"type\":\"dance\",\"new\":[1,2],\"text\":\"a  b\"}");
        for object in [
            message(1, "ana", "#lobby", "hola\n\u{202e}"),
            json!({"type": "joined", "channel": "#a", "nick": "x", "time": TIME}),
            error("internal", &Value::Null),
            json!({"type": "pong"}),
        ] {
            peer.send(&object);
            let line = client.out();
            assert!(!line.contains('\u{202e}'), "{line}");
            assert_eq!(as_value(line), object);
        }
        leave_json(client, peer);
    }

    fn leave_json(mut client: Client, peer: Peer) {
        client.end_input();
        peer.goodbye();
        let bye = "{\"reason\":\"quit\",\"type\":\"bye\"}".to_owned();
        assert_eq!(client.end(), (Some(0), vec![bye], vec![]));
    }

    #[test]
    fn requests_and_plain_text() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &["--json"]);
        client.out();
        client.type_line("hola");
        let say = peer.expect("say");
        assert_eq!(
            (&say["to"], &say["text"]),
            (&json!("#lobby"), &json!("hola"))
        );
        peer.ack(&say, 1);
        client.out();
        client.type_line(r##"{"type": "say", "text": "hola", "to": "#rust", "id": "mine"}"##);
        let say = peer.expect("say");
        assert_eq!(
            say,
            json!({"type": "say", "text": "hola", "to": "#rust", "id": "mine"})
        );
        peer.ack(&say, 2);
        client.out();
        // One that bears no id is given one, so that the exit code can tell whether it was recorded.
        client.type_line(r#"{"type":"say","text":"hola"}"#);
        let say = peer.expect("say");
        assert!(say["id"].is_string(), "{say}");
        peer.ack(&say, 3);
        client.out();
        client.type_line(r#"{"type":"users","limit":5,"new":{"x":1}}"#);
        assert_eq!(
            peer.receive().unwrap(),
            json!({"type": "users", "limit": 5, "new": {"x": 1}})
        );
        client.type_line("/channels");
        peer.expect("channels");
        peer.send(&json!({"type": "channels", "channels": []}));
        assert_eq!(client.out(), r#"{"channels":[],"type":"channels"}"#);
        client.type_line("{\"type\":");
        client.complains("bad_json");
        client.type_line(r#"{"type":"quit","reason":"tired"}"#);
        assert_eq!(peer.goodbye()["reason"], "tired");
        let (code, _, err) = client.end();
        assert_eq!((code, err), (Some(1), vec![]), "one line was not JSON");
    }

    #[test]
    fn what_is_not_recorded_is_1() {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &["--json"]);
        client.out();
        client.type_line(r#"{"type":"say","text":"hola","to":"nobody","id":"k"}"#);
        client.end_input();
        peer.expect("say");
        let refusal = error("no_such_user", &json!("k"));
        peer.send(&refusal);
        let line = client.out();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), refusal);
        peer.goodbye();
        client.out();
        client.ends_with(1);
    }

    /// The notices of the client itself are not in the way of the objects.
    #[test]
    fn notices_go_to_standard_error() {
        let server = FakeServer::start();
        let (mut client, peer) = bot(&server, &["--json"]);
        client.out();
        client.type_line(".t");
        assert_eq!(client.err(), "* timestamps on");
        client.type_line(".t");
        assert_eq!(client.err(), "* timestamps off");
        drop(peer);
        assert_eq!(client.err(), "* connection lost; trying again");
        let mut peer = server.greet();
        assert_eq!(client.err(), "* back, 0 messages missed");
        client.out();
        peer.barrier();
        client.out();
        leave_json(client, peer);
    }
}
