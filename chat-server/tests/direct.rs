//! A direct message is for its two ends.

mod support;

use serde_json::json;
use support::{Home, frame};

#[test]
fn nobody_else_hears() {
    let home = Home::new("");
    let server = home.start();
    let mut eva = server.joins("Eva");
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("LUIS", "secreto", "1");
    let own = ana.expect_message("Ana", "secreto");
    assert_eq!(own["to"], "Luis", "as registered, not as spelled");
    assert_eq!(luis.expect_message("Ana", "secreto"), own);
    assert!(eva.barrier().iter().all(|event| event["type"] == "joined"));
    ana.say("Nadie", "hola", "2");
    assert_eq!(ana.expect_error("no_such_user")["id"], "2");
}

#[test]
fn a_word_to_oneself_comes_once() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.says("ana", "nota", "1");
    ana.expect_message("Ana", "nota");
    ana.hears_nothing();
    let page = ana.ask(&json!({"type": "history", "with": "ANA"}));
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1));
}

/// Without an `id`, and read together, they are one thing to deliver.
#[test]
fn what_is_said_at_once_comes_one_by_one() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let texts = ["uno", "dos", "tres"];
    let say = |text| frame(&json!({"type": "say", "to": "Luis", "text": text}));
    ana.send_raw(&texts.into_iter().flat_map(say).collect::<Vec<_>>());
    for text in texts {
        ana.expect_message("Ana", text);
        luis.expect_message("Ana", text);
    }
    ana.hears_nothing();
    luis.hears_nothing();
}
