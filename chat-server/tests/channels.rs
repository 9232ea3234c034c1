//! Channels: created by the first member, ended by the last one, compared by the folded name
//! (PROTOCOL.md, 2.2 Comparison of names, 2.4 Channels, 3.4 to 3.8).

mod support;

use serde_json::{Value, json};
use support::Home;

fn names(list: &Value) -> Vec<&str> {
    let channels = list["channels"].as_array().into_iter().flatten();
    channels
        .filter_map(|channel| channel["name"].as_str())
        .collect()
}

#[test]
fn a_channel_is_called_as_it_was_made_however_it_is_asked_for() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.joins("#Café");
    luis.send(&json!({"type": "join", "channel": "#CAFE\u{301}"}));
    for client in [&mut ana, &mut luis] {
        let joined = client.expect("joined");
        assert_eq!(
            (&joined["channel"], &joined["nick"]),
            (&json!("#Café"), &json!("Luis"))
        );
    }
    // Who is in it already is answered alone.
    luis.joins_as("#café", "#Café");
    ana.hears_nothing();
    luis.says("#ｃａｆé", "hola", "1");
    for client in [&mut luis, &mut ana] {
        assert_eq!(client.expect("message")["to"], "#Café");
    }
    let users = luis.ask(&json!({"type": "users", "channel": "#CAFÉ"}));
    assert_eq!(
        (&users["channel"], &users["total"]),
        (&json!("#Café"), &json!(2))
    );
    let page = luis.ask(&json!({"type": "history", "with": "#CAFÉ"}));
    assert_eq!(
        (&page["with"], &page["messages"][0]["seq"]),
        (&json!("#Café"), &json!(1))
    );
    luis.send(&json!({"type": "part", "channel": "#CAFÉ"}));
    for client in [&mut luis, &mut ana] {
        assert_eq!(client.expect("left")["channel"], "#Café");
    }
}

#[test]
fn a_channel_ends_with_its_last_member_and_its_history_comes_back_with_it() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.joins("#Rust");
    ana.says("#rust", "hola", "1");
    ana.expect("message");
    assert_eq!(
        names(&ana.ask(&json!({"type": "channels"}))),
        ["#lobby", "#Rust"]
    );
    ana.send(&json!({"type": "part", "channel": "#Rust"}));
    ana.expect("left");
    assert_eq!(names(&ana.ask(&json!({"type": "channels"}))), ["#lobby"]);
    for gone in [
        json!({"type": "say", "to": "#rust", "text": "x"}),
        json!({"type": "users", "channel": "#rust"}),
        json!({"type": "history", "with": "#rust"}),
        json!({"type": "part", "channel": "#rust"}),
    ] {
        assert_eq!(ana.ask(&gone)["code"], "no_such_channel", "{gone}");
    }
    let mut luis = server.joins("Luis");
    luis.joins("#RUST");
    let page = luis.ask(&json!({"type": "history", "with": "#rust"}));
    assert_eq!(
        (&page["with"], &page["messages"][0]["text"]),
        (&json!("#RUST"), &json!("hola"))
    );
}

#[test]
fn leaving_is_told_with_its_reason_and_nobody_leaves_the_lobby() {
    let home = Home::new("text_bytes = 100");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.joins("#a");
    luis.joins("#a");
    ana.expect("joined");
    for (channel, reason, code) in [
        ("#lobby", json!(null), "channel_invalid"),
        ("#LOBBY", json!(null), "channel_invalid"),
        ("lobby", json!(null), "channel_invalid"),
        ("#b", json!(null), "no_such_channel"),
        ("#a", json!("\u{7}"), "text_invalid"),
        ("#a", json!("x".repeat(101)), "text_too_long"),
        ("#a", json!(5), "bad_request"),
    ] {
        let part = json!({"type": "part", "channel": channel, "reason": reason});
        assert_eq!(luis.ask(&part)["code"], code, "{part}");
    }
    ana.hears_nothing();
    // Behind its `part` one hears nothing of the channel any more.
    luis.send(&json!({"type": "part", "channel": "#a", "reason": ""}));
    luis.say("#a", "x", "1");
    let left = luis.expect("left");
    assert_eq!((&left["nick"], left.get("reason")), (&json!("Luis"), None));
    luis.expect_error("not_in_channel");
    assert_eq!(ana.expect("left"), left);
    ana.says("#a", "sin Luis", "2");
    ana.expect("message");
    luis.hears_nothing();
    assert_eq!(
        luis.ask(&json!({"type": "part", "channel": "#a"}))["code"],
        "not_in_channel"
    );
    assert_eq!(
        luis.ask(&json!({"type": "users", "channel": "#a"}))["total"],
        1
    );
}

/// As many as fit into a frame, the largest first; a `welcome` fits, whatever one is in.
#[test]
fn the_lists_of_channels_fit_into_a_frame() {
    let home = Home::new("channels_per_user = 128");
    let server = home.start();
    // Of four bytes each in UTF-8, as many as a name may have.
    let name = |n: usize| format!("#{}{n:03}", "\u{20000}".repeat(60));
    let mut people = ["Ana", "Luis", "Eva"].map(|nick| server.joins(nick));
    for (person, client) in people.iter_mut().enumerate() {
        client.barrier();
        for n in 0..128 {
            client.send(&json!({"type": "join", "channel": name(person * 128 + n)}));
            client.awaits("joined");
        }
        client.barrier();
        // The lobby does not count towards the channels of a user.
        let more = json!({"type": "join", "channel": "#more"});
        assert_eq!(client.ask(&more)["code"], "too_many_channels");
    }
    let mut iris = server.joins("Iris");
    iris.joins(&name(7));
    let list = iris.ask(&json!({"type": "channels"}));
    let found = names(&list);
    assert!((200..384).contains(&found.len()), "{}", found.len());
    assert_eq!(found[..3], ["#lobby", &*name(7), &*name(0)]);
    let token = &people[0].token;
    let hello = json!({"type": "hello", "version": 1, "nick": "Ana", "token": token});
    let welcome = server.connect().ask(&hello);
    assert_eq!(names(&welcome), found[..50]);
    assert_eq!(welcome["joined"].as_array().map(Vec::len), Some(129));
}

/// Long nicks by the hundred: the page ends where the frame does, and `after` goes on behind it.
#[test]
fn a_page_of_people_is_cut_to_a_frame() {
    let home = Home::new("presence_max = 0");
    let server = home.start();
    let nick = |n: usize| format!("{}{n:03}", "\u{20000}".repeat(29));
    let crowd: Vec<_> = (0..600).map(|n| server.joins(&nick(n))).collect();
    let mut ana = server.joins("Ana");
    let page = ana.ask(&json!({"type": "users", "limit": 500}));
    let listed = page["users"].as_array().map_or(0, Vec::len);
    assert!((400..=500).contains(&listed), "{listed}");
    assert_eq!((&page["more"], &page["total"]), (&json!(true), &json!(601)));
    let after = &page["users"][listed - 1];
    let rest = ana.ask(&json!({"type": "users", "limit": 500, "after": after}));
    assert_eq!(rest["users"].as_array().map(Vec::len), Some(601 - listed));
    assert_eq!(
        (&rest["more"], &rest["users"][600 - listed]),
        (&json!(false), &json!(nick(599)))
    );
    let behind = json!({"type": "users", "after": "\u{2ffff}"});
    assert_eq!(ana.ask(&behind)["users"], json!([]));
    drop(crowd);
}
