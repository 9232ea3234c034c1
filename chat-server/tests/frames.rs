//! Legal and malformed content of a frame (PROTOCOL.md, 1. Frames).

mod support;

use serde_json::json;
use support::{Home, frame, frame_of};

fn ping_with_id(id: &str) -> Vec<u8> {
    json!({"type": "ping", "id": id}).to_string().into_bytes()
}

/// Each of these as a frame, with what it is answered; the connection stays.
fn are_answered(cases: &[(&[u8], &str)]) {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for (body, want) in cases {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(ana.outcome_of(body), *want, "{shown}");
        ana.hears_nothing();
    }
}

#[test]
fn white_space_null_and_fields_of_others_do_not_matter() {
    are_answered(&[
        (b"{\"type\":\"ping\"}\n", "pong"),
        (b" \r\n\t{ \"type\" : \"ping\" } ", "pong"),
        (br#"{"type":"ping","id":null}"#, "pong"),
        (
            br#"{"type":"ping","text":5,"nick":[],"new":{"a":[1]},"x":0}"#,
            "pong",
        ),
        (
            br#"{"type":"say","text":"x","to":null,"from":null,"id":null}"#,
            "message",
        ),
        (
            br#"{"type":"users","channel":null,"after":null,"limit":null}"#,
            "users",
        ),
        (
            br#"{"type":"history","with":null,"before":null,"after":null}"#,
            "history",
        ),
        (
            br#"{"type":"history","before":18446744073709551615,"limit":500}"#,
            "history",
        ),
    ]);
}

#[test]
fn what_is_no_request_is_refused() {
    are_answered(&[
        (br#"{"type":"ping","type":"ping"}"#, "bad_request"),
        (br#"{"type":"say","text":"x","text":"x"}"#, "bad_request"),
        (br#"{"type":"say","text":null}"#, "bad_request"),
        (br#"{"type":"say","text":["x"]}"#, "bad_request"),
        (br#"{"type":"join"}"#, "bad_request"),
        (br#"{"type":"nick","nick":7}"#, "bad_request"),
        (br#"{"type":"users","limit":0}"#, "bad_request"),
        (br#"{"type":"users","limit":1.5}"#, "bad_request"),
        (br#"{"type":"history","limit":501}"#, "bad_request"),
        (br#"{"type":"history","limit":"5"}"#, "bad_request"),
        (br#"{"type":"history","after":-1}"#, "bad_request"),
        (
            br#"{"type":"history","before":18446744073709551616}"#,
            "bad_request",
        ),
        (b"{}", "bad_request"),
        (br#"{"type":5}"#, "bad_request"),
        (b"null", "bad_request"),
        (b"\"ping\"", "bad_request"),
        (br#"[{"type":"ping"}]"#, "bad_request"),
        (br#"{"type":"Ping"}"#, "unknown_type"),
        (br#"{"type":""}"#, "unknown_type"),
        (br#"{"type":"message","seq":1}"#, "unknown_type"),
    ]);
}

#[test]
fn what_is_no_json_is_refused() {
    are_answered(&[
        (b" ", "bad_json"),
        (b"{", "bad_json"),
        (b"ping", "bad_json"),
        (br#"{"type":"ping"}{"type":"ping"}"#, "bad_json"),
        (br#"{"type":"say","text":"\ud800"}"#, "bad_json"),
        (b"{\"type\":\"say\",\"text\":\"a\nb\"}", "bad_json"),
    ]);
}

/// In frames alone: a WebSocket is closed for it (RFC 6455, 8.1).
#[test]
fn what_is_no_utf8_is_no_json() {
    are_answered(&[
        (b"{\"type\":\"say\",\"text\":\"\xff\"}", "bad_json"),
        (b"{\"type\":\"ping\",\"other\":\"\xff\"}", "bad_json"),
    ]);
}

#[test]
fn an_id_has_1_to_64_bytes() {
    are_answered(&[
        (br#"{"type":"ping","id":5}"#, "bad_request"),
        (&ping_with_id(""), "bad_request"),
        (&ping_with_id(&"x".repeat(64)), "pong"),
        (&ping_with_id(&"x".repeat(65)), "bad_request"),
        (&ping_with_id(&"é".repeat(32)), "pong"),
        (&ping_with_id(&"é".repeat(33)), "bad_request"),
    ]);
}

#[test]
fn the_largest_frame_is_taken() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let around = json!({"type": "ping", "pad": ""}).to_string().len();
    let body = json!({"type": "ping", "pad": "x".repeat(65_536 - around)}).to_string();
    assert_eq!(body.len(), 65_536);
    assert_eq!(ana.outcome_of(body.as_bytes()), "pong");
    assert_eq!(ana.outcome_of(format!("{body} ").as_bytes()), "bad_frame");
    ana.expect_closed();
}

/// `bad_json` and `bad_request` count, any other request ends the row, the tenth is answered, then `bye`
/// follows and the server closes; what was sent behind it is not looked at.
#[test]
fn only_ten_malformed_in_a_row_close() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for (answer, between) in [
        ("unknown_type", &b"{\"type\":\"fly\"}"[..]),
        ("pong", b"{\"type\":\"ping\"}"),
    ] {
        for _ in 0..9 {
            assert_eq!(luis.outcome_of(b"{]"), "bad_json");
        }
        assert_eq!(luis.outcome_of(between), answer);
    }
    let mut all = [frame_of(b"{]"), frame_of(b"[]")].concat().repeat(5);
    all.extend(frame(&json!({"type": "say", "text": "too late"})));
    luis.send_raw(&all);
    for code in ["bad_json", "bad_request"].repeat(5) {
        luis.expect_error(code);
    }
    let reason = luis.expect("bye")["reason"].clone();
    luis.expect_closed();
    assert_eq!(ana.expect("gone")["reason"], reason);
    ana.hears_nothing();
    assert!(home.lines().is_empty());

    // Before the welcome too.
    let mut nobody = server.connect();
    for _ in 0..10 {
        assert_eq!(nobody.outcome_of(b"GET / HTTP/1.1"), "bad_json");
    }
    nobody.expect("bye");
    nobody.expect_closed();
    ana.hears_nothing();
}

/// What is asked in one go is answered in the order in which it was asked, also what is read from the
/// history; and a page knows what was said before it, not what was said behind it.
#[test]
fn answers_keep_the_order_of_the_requests() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let round = [
        json!({"type": "say", "text": "uno", "id": "1"}),
        json!({"type": "history", "limit": 1}),
        json!({"type": "join", "channel": "#a"}),
        json!({"type": "say", "text": "dos", "id": "2"}),
        json!({"type": "users", "channel": "#a"}),
        json!({"type": "history", "limit": 1}),
        json!({"type": "fly"}),
        json!({"type": "part", "channel": "#a"}),
        json!({"type": "channels"}),
        json!({"type": "ping"}),
    ];
    ana.send_raw(&round.iter().flat_map(frame).collect::<Vec<u8>>());
    ana.expect("ack");
    ana.expect_message("Ana", "uno");
    assert_eq!(ana.expect("history")["messages"][0]["text"], "uno");
    ana.expect("joined");
    ana.expect("ack");
    ana.expect_message("Ana", "dos");
    assert_eq!(ana.expect("users")["users"], json!(["Ana"]));
    assert_eq!(ana.expect("history")["messages"][0]["text"], "dos");
    ana.expect_error("unknown_type");
    ana.expect("left");
    let channels = ana.expect("channels");
    assert_eq!(channels["channels"].as_array().map(Vec::len), Some(1));
    ana.expect("pong");
}
