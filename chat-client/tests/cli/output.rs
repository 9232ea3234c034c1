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

/// A client whose standard output is a full disk.
fn on_a_full_disk(args: &[&str]) -> Client {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    Client::spawn(command(args).stdout(full.expect("Linux has it")))
}

#[test]
fn a_full_disk_is_an_error() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["send", "--help"],
        &["man"],
        &["completions", "bash"],
        &["config"],
    ] {
        let (code, _, err) = on_a_full_disk(args).end();
        assert_eq!((code, err.len()), (Some(1), 1), "{args:?}: {err:?}");
        let words = "! output_failed: standard output: No space left on device";
        assert_eq!(err[0], words, "{args:?}");
    }
    let server = FakeServer::start();
    let address = server.address();
    for task in ["", "--json", "watch", "watch --json"] {
        let words = ["--server", &address, "--nick", "bot"];
        let args: Vec<_> = task.split_whitespace().chain(words).collect();
        let mut client = on_a_full_disk(&args);
        let mut peer = server.greet();
        if task != "--json" {
            peer.send(&message(1, "ana", "#lobby", "hola"));
        }
        client.complains("output_failed");
        client.end_input();
        peer.goodbye();
        client.ends_with(1);
    }
    let client = on_a_full_disk(&["history", "--server", &address, "--nick", "bot"]);
    let mut peer = server.greet();
    peer.expect("history");
    let messages = [
        message(1, "ana", "#lobby", "hola"),
        message(2, "ana", "#lobby", "ya"),
    ];
    let page = json!({"type": "history", "with": "#lobby", "messages": messages, "more": false});
    peer.send(&page);
    peer.goodbye();
    client.complains("output_failed");
    client.ends_with(1);
}

#[test]
fn a_closed_pipe_is_no_error_of_what_is_printed() {
    for args in [
        &["--help"][..],
        &["man"],
        &["completions", "fish"],
        &["config"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Client::spawn(command(args).stdout(writer)).ends_with(0);
    }
}

/// A script learns that its recording is not whole.
#[test]
fn a_recording_that_fails_is_1() {
    let server = FakeServer::start();
    let folder = tempfile::tempdir().unwrap();
    // No file may have a byte, which is what a full disk looks like.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} {} --nick bot",
        support::BINARY,
        server.address()
    );
    let mut shell = support::shell(&script);
    let mut client = Client::spawn(shell.current_dir(folder.path()));
    let mut peer = server.greet();
    client.type_line(".r notes.txt");
    client.shows("* recording to notes.txt");
    peer.send(&message(1, "ana", "#lobby", "hola"));
    assert_eq!(
        client.err(),
        "! recording_failed: notes.txt: File too large"
    );
    client.shows("[ana]: hola");
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}

/// A record of a kind that is not known is no line, live or in a page, and a message may have
/// further fields.
#[test]
fn records_of_a_later_server_are_skipped() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    let edited = |seq: u64| json!({"type": "edited", "seq": seq, "time": TIME, "from": "ana", "to": "#lobby", "of": 1, "text": "x"});
    let moved = json!({"type": "moved", "seq": 4, "text": {"a": [1]}});
    let mut answer = message(2, "ana", "#lobby", "hola");
    answer["re"] = 1.into();
    answer["as"] = "action".into();
    peer.send(&edited(1));
    peer.send(&answer);
    peer.send(&moved);
    client.shows("[ana]: hola");
    client.type_line("/history 5");
    peer.expect("history");
    let records = [edited(1), answer, edited(3), moved];
    peer.send(&json!({"type": "history", "with": "#lobby", "messages": records, "about": [], "more": false}));
    client.shows("* the last message of #lobby:");
    client.shows("[ana]: hola");
    client.shows("* end of the history");
    leave(client, peer);
}
