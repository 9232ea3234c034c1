//! Logins: which clients are accepted, under which nick, and with which `welcome` (PROTOCOL.md,
//! 3.2 `hello` and 4.1 `welcome`).

mod support;

use std::time::Instant;

use serde_json::json;
use support::{DEADLINE, Home, frame};

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

/// Before `welcome`, no request takes effect, and each mistake has its own answer (PROTOCOL.md, 3.2).
#[test]
fn what_is_no_hello_is_refused_and_the_connection_stays() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.connect();
    for (body, code) in [
        (r#"{"type":"fly"}"#, "hello_required"),
        (r#"{"type":"quit"}"#, "hello_required"),
        (r#"{"type":"pong"}"#, "hello_required"),
        (r#"{"type":"say","text":"x"}"#, "hello_required"),
        (r#"{"type":"say","text":""}"#, "hello_required"),
        (r#"{"type":"say","text":1}"#, "hello_required"),
        (r#"{"type":"say","text":"x","text":"x"}"#, "hello_required"),
        (r#"{"type":"ping","id":1}"#, "hello_required"),
        (r##"{"type":"join","channel":"#"}"##, "hello_required"),
        (r#"{"type":"register","password":"x"}"#, "hello_required"),
        (r#"{"text":"x"}"#, "bad_request"),
        ("hello", "bad_json"),
        (r#"{"type":"hello"}"#, "bad_request"),
        (r#"{"type":"hello","version":"1"}"#, "bad_request"),
        (r#"{"type":"hello","version":1,"nick":1}"#, "bad_request"),
        (
            r#"{"type":"hello","version":1,"nick":"a","after":"1"}"#,
            "bad_request",
        ),
        (
            r#"{"type":"hello","version":1,"nick":"\uff03a"}"#,
            "nick_invalid",
        ),
        (
            r#"{"type":"hello","version":1,"nick":"\uff11a"}"#,
            "nick_invalid",
        ),
        (
            r#"{"type":"hello","version":1,"nick":"Ana","token":"no"}"#,
            "welcome",
        ),
        (
            r#"{"type":"hello","version":1,"nick":"Ana"}"#,
            "bad_request",
        ),
    ] {
        assert_eq!(ana.outcome_of(body.as_bytes()), code, "{body}");
    }
    for version in ["0", "2", "-1", "1.5", "1e300"] {
        let mut other = server.connect();
        let hello = format!(r#"{{"type":"hello","version":{version}}}"#);
        assert_eq!(
            other.outcome_of(hello.as_bytes()),
            "bad_version",
            "{version}"
        );
        other.expect_closed();
    }
}

/// Who always has a refusal under way is not given longer for it.
#[test]
fn the_hello_timeout_is_not_put_off_by_refusals() {
    let home = Home::new("hello_timeout = \"300ms\"");
    let server = home.start();
    let mut ana = server.connect();
    let hello = frame(&json!({"type": "hello", "version": 1, "nick": "1"}));
    let begun = Instant::now();
    ana.send_raw(&hello.repeat(2000));
    loop {
        ana.sends_until_closed(&hello);
        if ana.expect("error")["code"] == "hello_timeout" {
            return ana.expect_closed();
        }
        assert!(begun.elapsed() < DEADLINE, "the connection is still here");
    }
}

#[test]
fn the_welcome_says_where_one_is() {
    let home = Home::new("");
    home.configure(
        "[listen]\n",
        "name = \"casa\"\nmotd = \"¡hola!\"\n[listen]\n",
    );
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.says("#lobby", "hola", "1");
    ana.expect("message");
    ana.joins("#a");
    let welcome = server
        .connect()
        .ask(&json!({"type": "hello", "version": 1, "nick": "Luis"}));
    let want = json!({
        "type": "welcome", "version": 1, "nick": "Luis", "seq": 1, "joined": ["#lobby"],
        "channels": [{"name": "#lobby", "users": 2}, {"name": "#a", "users": 1}],
        "resumed": false, "gap": false, "motd": "¡hola!",
        "server": welcome["server"], "token": welcome["token"], "time": welcome["time"],
    });
    assert_eq!(welcome, want);
    let text = |field: &str| welcome[field].as_str().unwrap_or_default().to_owned();
    assert!(text("server").starts_with("casa/"));
    assert!(text("token").len() >= 32 && text("token") != ana.token);
    assert!(text("time").len() == 24 && text("time").ends_with('Z'));
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

/// Whether a `quit` ends is known when its `hello` is: what stands behind one that was refused counts.
#[test]
fn a_quit_in_the_same_breath_is_answered_in_its_place() {
    let home = Home::new("");
    let server = home.start();
    let hello = frame(&json!({"type": "hello", "version": 1, "nick": "Ana"}));
    let quit = frame(&json!({"type": "quit"}));
    let say = frame(&json!({"type": "say", "text": "hola"}));
    let mut ana = server.connect();
    ana.send_raw(&[&quit[..], &quit, &hello, &say, &quit, &say].concat());
    ana.expect_error("hello_required");
    ana.expect_error("hello_required");
    ana.expect("welcome");
    ana.expect_message("Ana", "hola");
    ana.expect("bye");
    ana.expect_closed();
    assert_eq!(home.lines().len(), 1);
}
