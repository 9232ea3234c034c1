//! Operators and founders of channels: whom they put out, keep out and silence, and what outlives a restart.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{DEADLINE, Home, Server, TestClient};

const PASSWORD: &str = "correct horse";

/// A home whose configuration names Ana as an operator.
fn home() -> Home {
    let home = Home::new("");
    home.configure("[listen]\n", "operators = [\"ana\"]\n[listen]\n");
    home
}

/// Whoever it is registers their nick.
fn registers(client: &mut TestClient) {
    client.send(&json!({"type": "register", "password": PASSWORD}));
    client.awaits("registered");
}

/// Ana, an operator, and these others; all of them have read who came.
fn people<const N: usize>(server: &Server, others: [&str; N]) -> (TestClient, [TestClient; N]) {
    let mut ana = server.joins("Ana");
    registers(&mut ana);
    let mut others = others.map(|nick| server.joins(nick));
    ana.barrier();
    for other in &mut others {
        other.barrier();
    }
    (ana, others)
}

/// The beginning of most scenes: the operator and these others.
fn scene<const N: usize>(others: [&str; N]) -> (Home, Server, TestClient, [TestClient; N]) {
    let home = home();
    let server = home.start();
    let (ana, others) = people(&server, others);
    (home, server, ana, others)
}

/// The beginning of the others: Luis, who has an account and has founded #Rust, and these in it with him.
fn founder<const N: usize>(others: [&str; N]) -> (Home, Server, TestClient, [TestClient; N]) {
    let home = home();
    let server = home.start();
    let mut luis = server.joins("Luis");
    registers(&mut luis);
    joins(&mut luis, "#Rust");
    let mut others = others.map(|nick| server.joins(nick));
    for other in &mut others {
        joins(other, "#Rust");
    }
    luis.barrier();
    for other in &mut others {
        other.barrier();
    }
    (home, server, luis, others)
}

/// The event has these fields.
fn has(event: &Value, fields: &Value) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        assert_eq!(&event[name], value, "{name} of {event}");
    }
}

fn hello(server: &Server, nick: &str, token: Option<&str>) -> TestClient {
    let mut client = server.connect();
    client.send(&json!({"type": "hello", "version": 1, "nick": nick, "token": token}));
    client
}

/// Whoever comes is told to be banned, and let go.
fn is_banned(server: &Server, nick: &str, token: Option<&str>) -> Value {
    let mut client = hello(server, nick, token);
    let event = client.expect_error("banned");
    client.expect_closed();
    event
}

fn joins(client: &mut TestClient, channel: &str) {
    client.send(&json!({"type": "join", "channel": channel}));
    client.awaits("joined");
    client.barrier();
}

/// Asks, and is refused so.
fn refused(client: &mut TestClient, request: &Value, code: &str) {
    client.barrier();
    let mut request = request.clone();
    request["id"] = "r".into();
    client.send(&request);
    assert_eq!(client.expect_error(code)["id"], "r", "{request}");
}

#[test]
fn only_operators_and_founders_may() {
    let home = home();
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    for request in [
        json!({"type": "kick", "nick": "Ana"}),
        json!({"type": "ban", "nick": "Ana"}),
        json!({"type": "ban", "address": "192.0.2.7"}),
        json!({"type": "unban", "nick": "Ana"}),
        json!({"type": "mute", "nick": "Ana"}),
        json!({"type": "unmute", "nick": "Ana"}),
        json!({"type": "bans"}),
        json!({"type": "topic", "channel": "#lobby", "topic": "mine"}),
    ] {
        // Ana has the nick, and not its account.
        refused(&mut luis, &request, "not_permitted");
        if request["nick"] != "Ana" {
            refused(&mut ana, &request, "not_permitted");
        }
    }
    registers(&mut ana);
    for (request, code) in [
        (json!({"type": "kick", "nick": "ana"}), "not_permitted"),
        (
            json!({"type": "ban", "address": "127.0.0.0/8"}),
            "not_permitted",
        ),
        (
            json!({"type": "ban", "address": "127.0.0"}),
            "address_invalid",
        ),
        (json!({"type": "ban", "nick": "7"}), "nick_invalid"),
        (json!({"type": "ban", "account": "Luis"}), "not_registered"),
        (json!({"type": "ban"}), "bad_request"),
        (json!({"type": "kick", "nick": "Nadie"}), "no_such_user"),
        (
            json!({"type": "kick", "nick": "Luis", "channel": "#x"}),
            "no_such_channel",
        ),
        (
            json!({"type": "kick", "nick": "Luis", "reason": "x".repeat(513)}),
            "text_too_long",
        ),
        (json!({"type": "unban", "nick": "Luis"}), "no_such_ban"),
        (json!({"type": "unmute", "nick": "Luis"}), "no_such_ban"),
        (
            json!({"type": "topic", "channel": "#lobby", "topic": "a\nb"}),
            "text_invalid",
        ),
    ] {
        refused(&mut ana, &request, code);
    }
    let mut nobody = server.connect();
    nobody.send(&json!({"type": "kick", "nick": "Ana"}));
    nobody.expect_error("hello_required");
}

#[test]
fn who_is_kicked_is_told_why_and_may_come_back_anew() {
    let (_home, server, mut ana, [mut luis, mut eva]) = scene(["Luis", "Eva"]);
    ana.send(&json!({"type": "kick", "nick": "LUIS", "reason": "spam"}));
    let error = luis.expect_error("kicked");
    assert!(
        error["detail"]
            .as_str()
            .unwrap()
            .contains("you were kicked by Ana: spam")
    );
    luis.expect_closed();
    for witness in [&mut ana, &mut eva] {
        has(
            &witness.expect("gone"),
            &json!({"nick": "Luis", "reason": "spam", "by": "Ana"}),
        );
    }
    server.logs("chat_server::moderation] Ana kicks Luis");
    let mut back = hello(&server, "Luis", Some(&luis.token));
    assert_eq!(back.expect("welcome")["resumed"], false);
    ana.expect("joined");
    ana.hears_nothing();
    // The log has the reason truncated, escaped and on a single line.
    let reason = "\u{202e}\n".repeat(100);
    ana.send(&json!({"type": "kick", "nick": "Luis", "reason": reason}));
    ana.expect("gone");
    server.terminate();
    let lines = server.log_until("the server ends");
    let line = lines
        .iter()
        .find(|line| line.contains("Ana kicks Luis: \"\\u{202e}\\n"));
    assert!(line.unwrap().len() < 350, "{lines:?}");
}

#[test]
fn a_banned_nick_is_nobodys_also_after_a_restart() {
    let (home, server, mut ana, [mut luis, mut eva]) = scene(["Luis", "Eva"]);
    ana.send(&json!({"type": "ban", "nick": "luis", "reason": "spam"}));
    has(
        &ana.expect("banned"),
        &json!({"nick": "Luis", "by": "Ana", "reason": "spam", "came_from": "127.0.0.1"}),
    );
    luis.expect_error("banned");
    luis.expect_closed();
    assert_eq!(ana.expect("gone")["by"], "Ana");
    is_banned(&server, "LUIS", Some(&luis.token));
    refused(
        &mut eva,
        &json!({"type": "nick", "nick": "Luis"}),
        "not_permitted",
    );
    server.kill();
    let server = home.start();
    let error = is_banned(&server, "Luis", Some(&luis.token));
    assert_eq!(error["detail"], "you are banned from this server: spam");
    // The operator is one by token too.
    let mut ana = hello(&server, "Ana", Some(&ana.token));
    ana.expect("welcome");
    let list = ana.ask(&json!({"type": "bans"}));
    assert_eq!(list["bans"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["bans"][0]["nick"], "Luis");
    ana.send(&json!({"type": "unban", "nick": "Luis"}));
    assert_eq!(ana.expect("unbanned")["by"], "Ana");
    let mut luis = hello(&server, "Luis", Some(&luis.token));
    assert_eq!(luis.expect("welcome")["resumed"], false);
}

#[test]
fn a_banned_account_does_not_come_in_by_any_way() {
    let (_home, server, mut ana, [mut luis]) = scene(["Luis"]);
    registers(&mut luis);
    luis.send(&json!({"type": "nick", "nick": "Lucho"}));
    luis.awaits("renamed");
    ana.barrier();
    ana.send(&json!({"type": "ban", "account": "Luis"}));
    ana.expect("banned");
    luis.expect_error("banned");
    luis.expect_closed();
    let mut back = server.connect();
    back.send(&json!({"type": "hello", "version": 1, "nick": "Luis", "password": PASSWORD}));
    back.expect_error("banned");
    back.expect_closed();
    let mut other = hello(&server, "Lucho", Some(&luis.token));
    assert_eq!(other.expect("welcome")["resumed"], false);
}

#[test]
fn who_comes_from_a_banned_address_is_not_let_in() {
    let home = home();
    home.configure("tcp = \"127.0.0.1:0\"", "tcp = \"[::]:0\"");
    let server = home.start();
    let port = server.address.port();
    let from = |address: &str| TestClient {
        stream: std::net::TcpStream::connect_timeout(
            &(address.parse::<std::net::IpAddr>().unwrap(), port).into(),
            DEADLINE,
        )
        .unwrap(),
        token: String::new(),
    };
    let hello = |nick: &str| json!({"type": "hello", "version": 1, "nick": nick});
    let mut ana = from("127.0.0.1");
    ana.send(&hello("Ana"));
    ana.expect("welcome");
    registers(&mut ana);
    let mut luis = from("::1");
    luis.send(&hello("Luis"));
    luis.expect("welcome");
    let mut waits = from("::1");
    ana.barrier();
    ana.send(&json!({"type": "ban", "address": "::1", "reason": "noise"}));
    assert_eq!(ana.expect("banned")["address"], "::/64");
    luis.expect_error("banned");
    luis.expect_closed();
    ana.expect("gone");
    // Who was let in before, and has not said hello.
    waits.send(&json!({"type": "hello", "version": 1, "nick": "Eva", "password": PASSWORD}));
    waits.expect_error("banned");
    waits.expect_closed();
    // Without a word.
    let mut late = from("::1");
    late.expect_error("banned");
    late.expect_closed();
    server.kill();
    let server = home.start();
    let port = server.address.port();
    let stream = std::net::TcpStream::connect_timeout(
        &(std::net::Ipv6Addr::LOCALHOST, port).into(),
        DEADLINE,
    );
    let mut late = TestClient {
        stream: stream.unwrap(),
        token: String::new(),
    };
    let error = late.expect_error("banned");
    assert_eq!(error["detail"], "you are banned from this server: noise");
}

#[test]
fn a_ban_ends_with_its_time() {
    let (_home, server, mut ana, []) = scene([]);
    ana.send(&json!({"type": "ban", "nick": "Luis", "seconds": 1}));
    assert!(ana.expect("banned")["until"].is_string());
    let begin = Instant::now();
    let mut was_banned = false;
    // Who stays: that somebody is gone would come between what is asked and its answer.
    let _luis = loop {
        let mut luis = hello(&server, "Luis", None);
        let event = luis.next();
        if event["type"] == "welcome" {
            break luis;
        }
        assert_eq!(event["code"], "banned");
        was_banned = true;
        assert!(begin.elapsed() < DEADLINE, "for good");
    };
    assert!(was_banned || begin.elapsed() > Duration::from_secs(1));
    ana.barrier();
    let list = ana.ask(&json!({"type": "bans"}));
    assert_eq!(list["bans"], json!([]));
}

#[test]
fn who_is_muted_speaks_to_operators_alone_also_after_a_restart() {
    let (home, server, mut ana, [mut luis]) = scene(["Luis"]);
    ana.send(&json!({"type": "mute", "nick": "Luis", "seconds": 3600, "reason": "noise"}));
    for client in [&mut ana, &mut luis] {
        has(
            &client.expect("muted"),
            &json!({"nick": "Luis", "by": "Ana"}),
        );
    }
    luis.say("#lobby", "hola", "1");
    assert_eq!(luis.expect_error("muted")["id"], "1");
    luis.says("Ana", "why?", "2");
    luis.expect("message");
    ana.expect_message("Luis", "why?");
    server.kill();
    let server = home.start();
    let mut luis = hello(&server, "Luis", Some(&luis.token));
    luis.expect("welcome");
    luis.say("#lobby", "hola", "3");
    luis.expect_error("muted");
    let mut ana = hello(&server, "Ana", Some(&ana.token));
    ana.expect("welcome");
    luis.expect("joined");
    ana.send(&json!({"type": "unmute", "nick": "Luis"}));
    ana.expect("unmuted");
    luis.expect("unmuted");
    luis.says("#lobby", "hola", "3");
    ana.expect_message("Luis", "hola");
    assert_eq!(home.lines().len(), 2, "what was refused is not recorded");
}

/// No text of a muted user reaches anyone: not by a message, not by a reason, not by a topic.
#[test]
fn no_reason_of_the_muted_is_told() {
    let home = home();
    let server = home.start();
    let (mut ana, [mut luis, mut eva, mut zoe]) = people(&server, ["Luis", "Eva", "Zoe"]);
    for client in [&mut luis, &mut eva, &mut zoe] {
        joins(client, "#Rust");
    }
    for client in [&mut luis, &mut eva, &mut zoe] {
        client.barrier();
    }
    ana.send(&json!({"type": "mute", "nick": "Luis"}));
    luis.awaits("muted");
    let spam = "buy this now";
    for request in [
        json!({"type": "kick", "nick": "Eva", "channel": "#Rust", "reason": spam}),
        json!({"type": "ban", "nick": "Eva", "channel": "#Rust", "reason": spam}),
        json!({"type": "ban", "nick": "Zoe", "channel": "#Rust", "reason": spam}),
        json!({"type": "topic", "channel": "#Rust", "topic": spam}),
        json!({"type": "say", "to": "#Rust", "text": spam}),
        json!({"type": "part", "channel": "#Rust", "reason": spam}),
    ] {
        luis.send(&request);
    }
    let mut heard = luis.barrier();
    // Banned users read the reason in a refusal.
    eva.send(&json!({"type": "join", "channel": "#Rust"}));
    heard.extend(eva.barrier());
    heard.extend(zoe.barrier());
    luis.send(&json!({"type": "quit", "reason": spam}));
    luis.awaits("bye");
    for client in [&mut ana, &mut eva, &mut zoe] {
        heard.push(client.awaits("gone"));
        heard.extend(client.barrier());
    }
    let told = |kind: &str, reason: &str| {
        let mut events = heard.iter().filter(|event| event["type"] == kind);
        assert!(events.any(|event| event["reason"] == reason), "{heard:?}");
    };
    told("left", "kicked");
    told("left", "banned");
    told("gone", "quit");
    assert!(!format!("{heard:?}").contains(spam), "{heard:?}");
}

/// An operator whom another operator has muted gives no reasons either.
#[test]
fn no_reason_of_a_muted_operator_is_told() {
    let home = home();
    home.configure("[\"ana\"]", "[\"ana\", \"luis\"]");
    let server = home.start();
    let (mut ana, [mut luis, mut eva, mut zoe]) = people(&server, ["Luis", "Eva", "Zoe"]);
    registers(&mut luis);
    ana.send(&json!({"type": "mute", "nick": "Luis"}));
    luis.awaits("muted");
    let spam = "buy this now";
    luis.send(&json!({"type": "mute", "nick": "Eva", "reason": spam}));
    luis.send(&json!({"type": "kick", "nick": "Eva", "reason": spam}));
    luis.send(&json!({"type": "ban", "nick": "Zoe", "reason": spam}));
    let mut heard = luis.barrier();
    for client in [&mut eva, &mut zoe] {
        heard.push(client.awaits("error"));
    }
    ana.send(&json!({"type": "bans"}));
    heard.extend(ana.barrier());
    let list = heard.iter().find(|event| event["type"] == "bans").unwrap();
    assert_eq!(list["bans"].as_array().unwrap().len(), 3, "{list}");
    assert!(!format!("{heard:?}").contains(spam), "{heard:?}");
}

#[test]
fn a_founder_kicks_and_sets_the_topic() {
    let (_home, _server, mut luis, [mut eva, mut zoe]) = founder(["Eva", "Zoe"]);
    refused(
        &mut eva,
        &json!({"type": "kick", "nick": "Zoe", "channel": "#rust"}),
        "not_permitted",
    );
    luis.send(&json!({"type": "topic", "channel": "#rust", "topic": "crabs"}));
    luis.send(&json!({"type": "kick", "nick": "Zoe", "channel": "#rust", "reason": "off topic"}));
    for client in [&mut luis, &mut eva, &mut zoe] {
        has(
            &client.expect("topic"),
            &json!({"channel": "#Rust", "topic": "crabs", "by": "Luis"}),
        );
        has(
            &client.expect("left"),
            &json!({"nick": "Zoe", "channel": "#Rust", "reason": "off topic", "by": "Luis"}),
        );
    }
    zoe.say("#rust", "hola?", "1");
    zoe.expect_error("not_in_channel");
    // Kicked, not banned: back, and told what it is about.
    zoe.send(&json!({"type": "join", "channel": "#rust"}));
    zoe.expect("joined");
    assert_eq!(zoe.expect("topic")["topic"], "crabs");
    let channels = zoe.ask(&json!({"type": "channels"}));
    assert_eq!(channels["channels"][1]["topic"], "crabs");
}

#[test]
fn what_a_founder_decides_holds_after_a_restart() {
    let (home, server, mut luis, [mut zoe]) = founder(["Zoe"]);
    luis.send(&json!({"type": "topic", "channel": "#rust", "topic": "crabs"}));
    for client in [&mut luis, &mut zoe] {
        client.expect("topic");
    }
    luis.send(&json!({"type": "ban", "nick": "Zoe", "channel": "#rust"}));
    let banned = luis.expect("banned");
    assert_eq!(banned.get("came_from"), None, "{banned}");
    assert_eq!(zoe.expect("left")["reason"], "banned");
    zoe.send(&json!({"type": "nick", "nick": "Zeta"}));
    zoe.expect("renamed");
    refused(
        &mut zoe,
        &json!({"type": "join", "channel": "#rust"}),
        "banned_from_channel",
    );
    luis.send(&json!({"type": "part", "channel": "#rust"}));
    luis.awaits("left");
    luis.send(&json!({"type": "quit"}));
    luis.awaits("bye");
    home.until_kept("nick = 'Zeta'", 1);
    server.kill();
    let server = home.start();
    let mut zoe = hello(&server, "Zeta", Some(&zoe.token));
    assert_eq!(zoe.expect("welcome")["joined"], json!(["#lobby"]));
    refused(
        &mut zoe,
        &json!({"type": "join", "channel": "#rust"}),
        "banned_from_channel",
    );
    let mut luis = server.connect();
    luis.send(&json!({"type": "hello", "version": 1, "nick": "Luis", "password": PASSWORD}));
    luis.expect("welcome");
    luis.send(&json!({"type": "join", "channel": "#rust"}));
    luis.expect("joined");
    assert_eq!(luis.expect("topic")["topic"], "crabs");
    let list = luis.ask(&json!({"type": "bans", "channel": "#rust"}));
    assert_eq!(list["bans"][0]["nick"], "Zoe", "{list}");
    luis.send(&json!({"type": "unban", "nick": "Zoe", "channel": "#rust"}));
    luis.expect("unbanned");
    joins(&mut zoe, "#rust");
    luis.send(&json!({"type": "topic", "channel": "#rust", "topic": ""}));
    luis.awaits("topic");
    assert_eq!(zoe.expect("topic")["topic"], "");
}

#[test]
fn a_hang_up_makes_operators_and_unmakes_them() {
    let (home, server, mut ana, [mut luis]) = scene(["Luis"]);
    registers(&mut luis);
    home.configure("operators = [\"ana\"]", "operators = [\"LUIS\"]");
    server.signal("HUP");
    server.logs("the limits are read again");
    refused(&mut ana, &json!({"type": "bans"}), "not_permitted");
    luis.barrier();
    assert_eq!(luis.ask(&json!({"type": "bans"}))["type"], "bans");
    home.configure("operators = [\"LUIS\"]", "operators = [\"7up\"]");
    server.signal("HUP");
    server.logs("operators: `7up` is no nick");
    assert_eq!(luis.ask(&json!({"type": "bans"}))["type"], "bans");
}

#[test]
fn a_crowd_is_not_told_but_who_asked_is() {
    let home = Home::new("presence_max = 2");
    home.configure("[listen]\n", "operators = [\"ana\"]\n[listen]\n");
    let server = home.start();
    let (mut ana, [mut luis, mut eva]) = people(&server, ["Luis", "Eva"]);
    ana.send(&json!({"type": "kick", "nick": "Luis"}));
    assert_eq!(ana.expect("gone")["reason"], "kicked");
    luis.awaits("error");
    eva.hears_nothing();
}
