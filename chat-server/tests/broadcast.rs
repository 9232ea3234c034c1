//! A message of a channel reaches all members with the same bytes, in order, after it is in the
//! history (PROTOCOL.md, 4.14 Delivery guarantees).

mod support;

use serde_json::json;
use support::{Home, frame};

#[test]
fn all_see_the_same_bytes_and_the_sender_its_ack_first() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let mut seen = Vec::new();
    for seq in 1..=3 {
        let ack = ana.says("#LOBBY", "hola\n\t\"tú\"", &format!("i{seq}"));
        let own = ana.next_raw().unwrap_or_default();
        assert_eq!(Some(&own), luis.next_raw().as_ref());
        seen.extend(own);
        // The very bytes are in the file when they are seen.
        assert_eq!(std::fs::read(home.log()).ok().as_ref(), Some(&seen));
        let time = ack["time"].as_str().unwrap_or_default();
        let line = format!(
            r##"{{"type":"message","seq":{seq},"time":"{time}","from":"Ana","to":"#lobby","text":"hola\n\t\"tú\"","id":"i{seq}"}}"##
        );
        assert!(seen.ends_with(format!("{line}\n").as_bytes()), "{line}");
        assert_eq!(
            (&ack["seq"], time.len()),
            (&json!(seq), "2026-11-23T18:50:00.123Z".len())
        );
        assert!(time.ends_with('Z'), "{time}");
    }
}

#[test]
fn without_an_id_there_is_the_message_alone_and_the_lobby_is_where_it_goes() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "say", "text": "hola"}));
    let message = ana.expect_message("Ana", "hola");
    assert_eq!(
        (&message["to"], message.get("id")),
        (&json!("#lobby"), None)
    );
    ana.hears_nothing();
}

/// What is much, for many, goes out by a way of its own (`net/stage.rs`).
#[test]
fn many_see_the_same_bytes_of_a_lot_that_is_said_at_once() {
    let home = Home::new("");
    let server = home.start();
    let mut crowd: Vec<_> = (0..40).map(|n| server.joins(&format!("p{n}"))).collect();
    for client in &mut crowd {
        client.barrier();
    }
    let (rounds, at_once) = (20, 6);
    let mut seen = vec![Vec::new(); crowd.len()];
    for round in 0..rounds {
        let say = |n| {
            let text = format!("{round} {n} {}", "x".repeat(7_000));
            frame(&json!({"type": "say", "text": text}))
        };
        crowd[0].send_raw(&(0..at_once).flat_map(say).collect::<Vec<_>>());
        for (client, seen) in crowd.iter_mut().zip(&mut seen) {
            for _ in 0..at_once {
                seen.extend(client.next_raw().unwrap_or_default());
            }
        }
    }
    let recorded = std::fs::read(home.log()).unwrap();
    assert!(seen.iter().all(|seen| *seen == recorded));
    assert!(server.has_open("memfd:stage"));
}

#[test]
fn texts_are_bounded_by_bytes_and_drive_no_terminal() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for (text, code) in [
        (String::new(), "text_invalid"),
        ("\u{0}".into(), "text_invalid"),
        ("a\rb".into(), "text_invalid"),
        ("\u{1b}[2J".into(), "text_invalid"),
        ("\u{7f}".into(), "text_invalid"),
        ("\u{9b}2J".into(), "text_invalid"),
        ("x".repeat(8193), "text_too_long"),
        ("é".repeat(4097), "text_too_long"),
    ] {
        let answer = ana.ask(&json!({"type": "say", "text": text, "id": "t"}));
        assert_eq!(
            (&answer["code"], &answer["id"]),
            (&json!(code), &json!("t")),
            "{text:?}"
        );
    }
    // What was refused has used up neither a number nor its id.
    for (n, text) in [
        "é".repeat(4096),
        "\u{200d}\u{a0}👋".into(),
        "\t\n".repeat(4096),
        " ".into(),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(
            ana.says("#lobby", text, ["t", "u", "v", "w"][n])["seq"],
            n + 1
        );
        ana.expect_message("Ana", text);
    }
}

/// An `id` belongs to a person, over a change of nick too; the words and the place do not matter.
#[test]
fn the_same_id_is_the_same_message_of_one_person() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.say("Nadie", "hola", "1");
    ana.expect_error("no_such_user");
    let first = ana.says("#lobby", "hola", "1");
    ana.expect("message");
    luis.expect("message");
    ana.send(&json!({"type": "nick", "nick": "Anita"}));
    ana.expect("renamed");
    luis.expect("renamed");
    assert_eq!(ana.says("Luis", "otra cosa", "1"), first);
    ana.hears_nothing();
    luis.hears_nothing();
    assert_eq!(luis.says("#lobby", "hola", "1")["seq"], 2);
    // Three times in one go.
    (0..3).for_each(|_| ana.say("#lobby", "hola", "2"));
    ana.expect("message");
    ana.expect("ack");
    ana.expect("message");
    assert_eq!(ana.expect("ack")["seq"], 3);
    assert_eq!(ana.expect("ack")["seq"], 3);
    assert_eq!(home.lines().len(), 3);
}
