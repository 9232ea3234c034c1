//! The rule of a mention, by the table of cases that the web page shares.

use chat_proto::Nick;
use chat_proto::mention::mentions;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Case {
    nick: String,
    text: String,
    mention: bool,
}

#[test]
fn every_case_of_the_table() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("mentions.json")).unwrap();
    assert!(cases.len() >= 40);
    let legal = |case: &&Case| Nick::new(&case.nick).is_err();
    assert_eq!(cases.iter().find(legal).map(|case| &case.nick), None);
    let wrong: Vec<&Case> = cases
        .iter()
        .filter(|case| mentions(&case.text, &case.nick) != case.mention)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
