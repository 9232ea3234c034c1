//! The history is read in pages, and a direct conversation by its two ends only.

mod support;

use serde_json::{Value, json};
use support::Home;

fn seqs(page: &Value) -> Vec<u64> {
    let messages = page["messages"].as_array().into_iter().flatten();
    messages
        .filter_map(|message| message["seq"].as_u64())
        .collect()
}

#[test]
fn pages_go_both_ways() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for n in 1..=5 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
    }
    for (ask, want, more) in [
        (json!({"type": "history", "limit": 2}), vec![4, 5], true),
        (
            json!({"type": "history", "limit": 2, "before": 4}),
            vec![2, 3],
            true,
        ),
        (
            json!({"type": "history", "limit": 2, "before": 2}),
            vec![1],
            false,
        ),
        (
            json!({"type": "history", "limit": 2, "after": 0}),
            vec![1, 2],
            true,
        ),
        (
            json!({"type": "history", "limit": 2, "after": 3}),
            vec![4, 5],
            false,
        ),
    ] {
        ana.send(&ask);
        let page = ana.expect("history");
        assert_eq!((seqs(&page), &page["more"]), (want, &json!(more)), "{ask}");
    }
}

#[test]
fn a_large_page_is_cut_to_a_frame() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8192);
    for n in 1..=10 {
        ana.says("#lobby", &text, &format!("{n}"));
        ana.expect("message");
    }
    ana.send(&json!({"type": "history"}));
    let page = ana.expect("history");
    assert_eq!(
        (seqs(&page), &page["more"]),
        ((4..=10).collect(), &json!(true))
    );
}

#[test]
fn a_later_holder_of_the_nick_is_not_shown_the_direct_messages() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("Luis", "secreto", "1");
    ana.expect("message");
    luis.expect("message");
    luis.send(&json!({"type": "history", "with": "Ana"}));
    assert_eq!(seqs(&luis.expect("history")), [1]);
    luis.send(&json!({"type": "quit"}));
    luis.expect("bye");
    luis.expect_closed();
    ana.expect("gone");
    let mut other = server.joins("Luis");
    other.send(&json!({"type": "history", "with": "Ana"}));
    assert_eq!(seqs(&other.expect("history")), Vec::<u64>::new());
}

#[test]
fn a_direct_conversation_is_shown_to_both_ends_and_nobody_else() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    let mut eva = server.joins("Eva");
    ana.barrier();
    luis.barrier();
    ana.says("Luis", "uno", "1");
    ana.expect("message");
    luis.expect("message");
    luis.says("ANA", "dos", "2");
    for (client, other) in [(&mut ana, "luis"), (&mut luis, "Ana")] {
        client.awaits("message");
        client.send(&json!({"type": "history", "with": other}));
        assert_eq!(seqs(&client.awaits("history")), [1, 2]);
    }
    for with in ["Ana", "Luis"] {
        let page = eva.ask(&json!({"type": "history", "with": with}));
        assert_eq!(seqs(&page), Vec::<u64>::new(), "{page}");
    }
    eva.send(&json!({"type": "history", "with": "Nadie"}));
    eva.expect_error("no_such_user");
    eva.send(&json!({"type": "history", "with": "#otro"}));
    eva.expect_error("no_such_channel");
    luis.joins("#otro");
    eva.send(&json!({"type": "history", "with": "#otro"}));
    eva.expect_error("not_in_channel");
    // A change of nick keeps what was said under the old one.
    luis.send(&json!({"type": "nick", "nick": "Lucho"}));
    luis.expect("renamed");
    luis.send(&json!({"type": "history", "with": "Ana"}));
    assert_eq!(seqs(&luis.expect("history")), [1, 2]);
}

#[test]
fn a_page_has_fifty_unless_asked_and_lies_between_its_bounds() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for n in 1..=60 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
    }
    let most = u64::MAX;
    for (mut ask, want, more) in [
        (json!({}), 11..61, true),
        (json!({"before": 11}), 1..11, false),
        (json!({"after": 0}), 1..51, true),
        (json!({"after": 10, "before": 20}), 11..20, false),
        (json!({"after": 10, "before": 20, "limit": 3}), 11..14, true),
        (json!({"after": 57, "limit": 500}), 58..61, false),
        (json!({"before": most, "limit": 1}), 60..61, true),
        // Nothing there.
        (json!({"before": 0}), 1..1, false),
        (json!({"before": 1}), 1..1, false),
        (json!({"after": 60}), 1..1, false),
        (json!({"after": most}), 1..1, false),
        (json!({"after": 5, "before": 6}), 1..1, false),
        (json!({"after": 9, "before": 3}), 1..1, false),
    ] {
        ask["type"] = "history".into();
        let page = ana.ask(&ask);
        let want = (want.collect::<Vec<_>>(), &json!(more));
        assert_eq!((seqs(&page), &page["more"]), want, "{ask}");
    }
}

/// Who has gone is somebody for those who spoke with them, for others nobody.
#[test]
fn a_conversation_with_somebody_who_has_gone_is_still_there() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    let mut eva = server.joins("Eva");
    luis.barrier();
    luis.says("Ana", "adiós", "1");
    luis.expect("message");
    luis.send(&json!({"type": "quit"}));
    luis.awaits("bye");
    luis.expect_closed();
    ana.awaits("gone");
    eva.awaits("gone");
    ana.send(&json!({"type": "history", "with": "Luis"}));
    assert_eq!(seqs(&ana.awaits("history")), [1]);
    let asks = [
        (json!({"type": "history", "with": "Luis"}), "no_such_user"),
        (json!({"type": "history", "with": "1x"}), "no_such_user"),
        (json!({"type": "history", "with": "#"}), "channel_invalid"),
    ];
    for (ask, code) in asks {
        assert_eq!(eva.ask(&ask)["code"], code, "{ask}");
    }
    let page = eva.ask(&json!({"type": "history", "with": "Luis", "after": 0}));
    assert_eq!((seqs(&page), &page["more"]), (vec![], &json!(false)));
}
