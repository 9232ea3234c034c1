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
