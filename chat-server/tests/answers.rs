//! Answers bear the `id` of their request; where the answer is an event for many, an `ack` follows
//! it (protocol, 3. From the client).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Home, Server, TestClient};

const PASSWORD: &str = "correct horse";
const ID: &str = "k\"7";

/// Requests of an operator in the order in which they are sent, each with what the requester gets
/// for it. `id` stands where the event bears the id of the request, `seq` where it has a number.
const REQUESTS: &[(&str, &str)] = &[
    (
        r#"{"type":"hello","version":1,"nick":"Ana","after":0}"#,
        "welcome id seq",
    ),
    (
        r#"{"type":"register","password":"correct horse"}"#,
        "registered id",
    ),
    (
        r#"{"type":"password","old":"correct horse","new":"battery staple"}"#,
        "registered id",
    ),
    (r##"{"type":"join","channel":"#new"}"##, "joined, ack id"),
    // The requester is in the channel already.
    (r##"{"type":"join","channel":"#NEW"}"##, "joined, ack id"),
    (
        r##"{"type":"topic","channel":"#new","topic":"crabs"}"##,
        "topic, ack id",
    ),
    // The requester is no member of the channel.
    (
        r##"{"type":"topic","channel":"#team","topic":"work"}"##,
        "topic, ack id",
    ),
    (
        r##"{"type":"join","channel":"#team"}"##,
        "joined, topic, ack id",
    ),
    (r#"{"type":"nick","nick":"ANA"}"#, "renamed, ack id"),
    (r#"{"type":"nick","nick":"ANA"}"#, "renamed, ack id"),
    (r#"{"type":"nick","nick":"Ana"}"#, "renamed, ack id"),
    (r#"{"type":"users"}"#, "users id"),
    (r#"{"type":"channels"}"#, "channels id"),
    (
        r##"{"type":"say","to":"#new","text":"hola"}"##,
        "ack id seq, message id seq",
    ),
    (r#"{"type":"history"}"#, "history id"),
    (
        r##"{"type":"history","with":"#new","limit":1}"##,
        "history id",
    ),
    (r#"{"type":"ping"}"#, "pong id"),
    (r#"{"type":"pong"}"#, ""),
    (r#"{"type":"mute","nick":"luis"}"#, "muted, ack id"),
    (r#"{"type":"unmute","nick":"luis"}"#, "unmuted, ack id"),
    (
        r##"{"type":"kick","nick":"luis","channel":"#team"}"##,
        "left, ack id",
    ),
    (
        r##"{"type":"ban","nick":"eva","channel":"#team"}"##,
        "banned, left, ack id",
    ),
    (r##"{"type":"bans","channel":"#team"}"##, "bans id"),
    (
        r##"{"type":"unban","nick":"eva","channel":"#team"}"##,
        "unbanned, ack id",
    ),
    (r#"{"type":"ban","address":"192.0.2.7"}"#, "banned, ack id"),
    (r#"{"type":"bans"}"#, "bans id"),
    (
        r#"{"type":"unban","address":"192.0.2.7"}"#,
        "unbanned, ack id",
    ),
    (r#"{"type":"kick","nick":"luis"}"#, "gone, ack id"),
    (r#"{"type":"ban","nick":"eva"}"#, "banned, gone, ack id"),
    (
        r##"{"type":"part","channel":"#new","reason":"tired"}"##,
        "left, ack id",
    ),
    // A request that fails is answered by the error alone.
    (r##"{"type":"part","channel":"#new"}"##, "error id"),
    (r#"{"type":"join","channel":"x"}"#, "error id"),
    (r#"{"type":"nick","nick":"Zoe"}"#, "error id"),
    (r#"{"type":"kick","nick":"nadie"}"#, "error id"),
    (r#"{"type":"history","with":"nadie"}"#, "error id"),
    (r#"{"type":"dance"}"#, "error id"),
    (r#"{"type":"hello","version":1}"#, "error id"),
    (
        r#"{"type":"unregister","password":"battery staple"}"#,
        "unregistered id",
    ),
];

/// The type of an event, and which of the fields `id` and `seq` it has.
fn outline(event: &Value) -> String {
    let mut outline = event["type"].as_str().unwrap().to_owned();
    if !event["id"].is_null() {
        assert_eq!(event["id"], ID, "{event}");
        outline += " id";
    }
    if event["seq"].is_number() {
        outline += " seq";
    }
    if event["type"] == "ack" {
        assert!(event["time"].is_string(), "{event}");
    }
    outline
}

/// Zoe, and Luis and Eva, who are in #team.
fn others(server: &Server) -> [TestClient; 3] {
    let mut others = ["Zoe", "Luis", "Eva"].map(|nick| server.joins(nick));
    for other in &mut others[1..] {
        other.send(&json!({"type": "join", "channel": "#team"}));
        other.awaits("joined");
    }
    for other in &mut others {
        other.barrier();
    }
    others
}

fn operator() -> (Home, Server) {
    let home = Home::new("");
    home.configure("[listen]\n", "operators = [\"ana\"]\n[listen]\n");
    let server = home.start();
    (home, server)
}

/// Plays all requests, with the `id` or without one, and returns what Zoe heard of it.
fn plays(with_id: bool) -> Vec<Value> {
    let (_home, server) = operator();
    let [mut zoe, _luis, _eva] = others(&server);
    let mut ana = server.connect();
    for (request, answers) in REQUESTS {
        let mut request: Value = serde_json::from_str(request).unwrap();
        if with_id {
            request["id"] = ID.into();
        }
        ana.send(&request);
        let heard: Vec<String> = ana.barrier().iter().map(outline).collect();
        let answers = answers.split_terminator(", ");
        let wanted: Vec<String> = if with_id {
            answers.map(str::to_owned).collect()
        } else {
            let sent = answers.filter(|answer| !answer.starts_with("ack"));
            sent.map(|answer| answer.replace(" id", "")).collect()
        };
        assert_eq!(heard, wanted, "{request}");
    }
    let mut quit = json!({"type": "quit"});
    if with_id {
        quit["id"] = ID.into();
    }
    ana.send(&quit);
    let bye = ana.expect("bye");
    assert_eq!(bye["id"], quit["id"]);
    ana.expect_closed();
    zoe.barrier()
}

#[test]
fn an_answer_bears_the_id_and_an_ack_follows_an_event() {
    let heard = plays(true);
    // The others get the events alone.
    assert!(heard.len() > 5, "{heard:?}");
    for event in heard {
        assert!(event["id"].is_null() && event["type"] != "ack", "{event}");
    }
}

#[test]
fn without_an_id_there_is_neither_id_nor_ack() {
    plays(false);
}

/// The ack says that the effect outlives the process.
#[test]
fn the_ack_of_a_ban_comes_behind_its_event_and_is_kept() {
    let (home, server) = operator();
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "register", "password": PASSWORD}));
    ana.awaits("registered");
    for nick in ["a", "b", "c", "d"] {
        ana.send(&json!({"type": "ban", "nick": nick, "id": nick}));
        assert_eq!(ana.expect("banned")["nick"], nick);
        let ack = ana.expect("ack");
        assert_eq!((&ack["id"], &ack["seq"]), (&json!(nick), &Value::Null));
    }
    server.kill();
    let server = home.start();
    for nick in ["a", "b", "c", "d"] {
        let mut client = server.connect();
        client.send(&json!({"type": "hello", "version": 1, "nick": nick, "id": "h"}));
        assert_eq!(client.expect_error("banned")["id"], "h");
    }
}
