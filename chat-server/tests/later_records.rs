//! A history in which a later server has written other kinds of records, and messages with further
//! fields: each line counts, and messages alone are shown.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};
use support::{DEADLINE, Home, TestClient};

/// Lines of each kind, in turn: a message, what is said about it, and kinds that no version has.
fn line(seq: u64, padding: &str) -> String {
    let time = "2026-11-23T18:50:00.000Z";
    let names = r##""from":"luis","to":"#lobby""##;
    match seq % 5 {
        1 => format!(
            r#"{{"type":"message","seq":{seq},"time":"{time}",{names},"text":"{seq}{padding}","id":"k{seq}","re":{seq},"as":"action","new":{{"a":[1]}}}}"#
        ),
        2 => format!(
            r#"{{"type":"edited","seq":{seq},"time":"{time}",{names},"of":1,"text":"{padding}","id":"k{seq}"}}"#
        ),
        3 => format!(
            r#"{{"type":"reacted","seq":{seq},"time":"{time}",{names},"of":1,"emoji":"👋"}}"#
        ),
        4 => format!(r#"{{"type":"message","seq":{seq},"time":"{time}",{names},"text":"{seq}"}}"#),
        _ => format!(
            r#"{{"type":"moved","seq":{seq},"time":"{time}","from":["luis"],"text":{{"to":"{padding}"}}}}"#
        ),
    }
}

fn is_message(seq: u64) -> bool {
    matches!(seq % 5, 1 | 4)
}

/// A home with so many lines, the last of which is no message.
fn home(lines: u64, padding: &str) -> Home {
    let home = Home::new("replay_max = 100000");
    assert!(!is_message(lines));
    let log: String = (1..=lines).map(|seq| line(seq, padding) + "\n").collect();
    fs::write(home.log(), log).unwrap();
    home
}

/// The numbers of a page, and whether there is more.
fn page(client: &mut TestClient, range: &Value) -> (Vec<u64>, bool) {
    let mut request = json!({"type": "history"});
    for (name, value) in range.as_object().unwrap() {
        request[name] = value.clone();
    }
    client.send(&request);
    let page = client.expect("history");
    let messages = page["messages"].as_array().unwrap().iter();
    let numbers = messages.map(|message| {
        assert_eq!(message["type"], "message");
        message["seq"].as_u64().unwrap()
    });
    (numbers.collect(), page["more"].as_bool().unwrap())
}

fn messages(from: u64, to: u64) -> Vec<u64> {
    (from..=to).filter(|&seq| is_message(seq)).collect()
}

#[test]
fn a_record_of_another_kind_counts_and_is_not_shown() {
    let home = home(13, "");
    for start in 0..2 {
        let last = 13 + start;
        let server = home.start();
        let mut ana = server.connect();
        ana.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "after": 0}));
        assert_eq!(ana.expect("welcome")["seq"], last);
        // The replay, and the line of a message as it is.
        let first = ana.next_raw().unwrap();
        assert_eq!(first, format!("{}\n", line(1, "")).as_bytes());
        for seq in &messages(2, 13)[..] {
            assert_eq!(ana.expect("message")["seq"], *seq);
        }
        if start > 0 {
            assert_eq!(ana.expect("message")["seq"], last);
        }
        let mut all = messages(1, 13);
        all.extend((14..=last).filter(|_| start > 0));
        assert_eq!(page(&mut ana, &json!({})), (all, false));
        let newest = json!({"before": 11, "limit": 2});
        assert_eq!(page(&mut ana, &newest), (vec![6, 9], true));
        let oldest = json!({"after": 1, "limit": 2});
        assert_eq!(page(&mut ana, &oldest), (vec![4, 6], true));
        let rest = json!({"after": 9, "before": 14});
        assert_eq!(page(&mut ana, &rest), (vec![11], false));
        let ack = ana.says("#lobby", "hola", &format!("a{start}"));
        assert_eq!(ack["seq"], last + 1);
        drop(server);
    }
    let records = home.lines();
    assert_eq!(records.len(), 15);
    assert_eq!(records[13]["text"], "hola");
}

/// Waits until the index covers the history but for less than two chunks.
fn until_indexed(home: &Home, lines: u64) {
    let end = Instant::now() + DEADLINE * 3;
    let covered = || {
        let index = rusqlite::Connection::open(home.file("log.index")).ok()?;
        let sql = "SELECT max(first_seq + length(lengths) / 2) FROM chunk";
        index.query_row(sql, [], |row| row.get::<_, u64>(0)).ok()
    };
    while covered().is_none_or(|covered| covered + 3_000 < lines) {
        assert!(Instant::now() < end, "the index is not made");
        std::thread::yield_now();
    }
}

/// The index covers lines that it has no conversation for.
#[test]
fn pages_from_the_index_are_those_from_the_log() {
    const LINES: u64 = 6_000;
    let home = home(LINES, &"x".repeat(300));
    let mut ranges = Vec::new();
    for seq in [1, 2, 3, 1_000, 2_998, 5_000, LINES - 1, LINES, LINES + 1] {
        for limit in [1, 7, 500] {
            ranges.push(json!({"before": seq, "limit": limit}));
            ranges.push(json!({"after": seq, "limit": limit}));
        }
    }
    let server = home.start();
    let mut ana = server.joins("Ana");
    let pages = |client: &mut TestClient| {
        let pages = ranges.iter().map(|range| page(client, range).0);
        pages.collect::<Vec<_>>()
    };
    let before = pages(&mut ana);
    for (range, numbers) in ranges.iter().zip(&before) {
        let limit = usize::try_from(range["limit"].as_u64().unwrap()).unwrap();
        let wanted = match range["before"].as_u64() {
            Some(before) => {
                let all = messages(1, before - 1);
                all[all.len().saturating_sub(limit)..].to_vec()
            }
            None => {
                let mut all = messages(range["after"].as_u64().unwrap() + 1, LINES);
                all.truncate(limit);
                all
            }
        };
        // A page is bounded by the frame too.
        let is_part = match range["before"].is_number() {
            true => wanted.ends_with(numbers),
            false => wanted.starts_with(numbers),
        };
        assert!(
            is_part && numbers.is_empty() == wanted.is_empty(),
            "{range}"
        );
        assert!(limit > 7 || *numbers == wanted, "{range}");
    }
    assert_eq!(ana.says("#lobby", "hola", "a")["seq"], LINES + 1);
    until_indexed(&home, LINES);
    server.terminate();
    assert!(server.ended().success());
    let server = home.start();
    let mut ana = server.connect();
    let after = LINES - 10;
    ana.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "after": after}));
    assert_eq!(ana.expect("welcome")["seq"], LINES + 1);
    for seq in messages(after + 1, LINES) {
        assert_eq!(ana.expect("message")["seq"], seq);
    }
    assert_eq!(ana.expect("message")["seq"], LINES + 1);
    let newer = pages(&mut ana);
    for ((range, old), new) in ranges.iter().zip(&before).zip(&newer) {
        let new: Vec<u64> = new.iter().copied().filter(|&seq| seq <= LINES).collect();
        assert!(new == *old || range["before"].is_null(), "{range}");
    }
}

/// A kind that is not known has to be a whole record with the next number all the same.
#[test]
fn a_damaged_record_of_another_kind_is_an_error() {
    let good = line(1, "");
    for (damaged, words) in [
        (line(3, ""), "it has the number 3 instead of 2"),
        (
            line(2, "").replace("\"seq\":2", "\"seq\":\"2\""),
            "no message",
        ),
        (line(2, "").replace("\"time\":", "\"tide\":"), "no message"),
        (
            line(2, "").replace("\"type\":\"edited\"", "\"type\":7"),
            "no ",
        ),
        (
            line(2, "").replace("\"type\":\"edited\"", "\"type\":\"message\",\"text\":1"),
            "no ",
        ),
        ("{}".to_owned(), "no "),
        ("edited".to_owned(), "no "),
    ] {
        let home = Home::new("");
        fs::write(home.log(), format!("{good}\n{damaged}\n")).unwrap();
        let told = home.fails_to_start();
        assert!(
            told.contains("line 2") && told.contains(words),
            "{damaged}: {told}"
        );
        let verify = home.program().args(["history", "verify"]).output().unwrap();
        let told = String::from_utf8(verify.stderr).unwrap();
        assert!(
            !verify.status.success() && told.contains(words),
            "{damaged}: {told}"
        );
    }
}

/// A line that a crash has left unfinished is cut off, whatever its kind, and nothing is put aside.
#[test]
fn an_unfinished_record_of_another_kind_is_cut_off() {
    let home = home(3, "");
    let whole = fs::read_to_string(home.log()).unwrap();
    let begun = line(4, "").replace("message", "edited");
    fs::write(home.log(), format!("{whole}{}", &begun[..40])).unwrap();
    let server = home.start();
    let mut ana = server.joins("Ana");
    assert_eq!(ana.says("#lobby", "hola", "a")["seq"], 4);
    assert!(fs::read_to_string(home.log()).unwrap().starts_with(&whole));
    let asides = home.files();
    let mut asides = asides.iter().map(|file| file.to_string_lossy());
    assert!(!asides.any(|name| name.contains(".cut-")));
}

#[test]
fn the_programs_for_the_history_skip_other_kinds() {
    let home = home(13, "");
    let history = |args: &[&str]| {
        let output = home.program().arg("history").args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = |numbers: &[u64]| -> String {
        let line = |seq: &u64| format!("2026-11-23 18:50:00 #lobby [luis]: {seq}\n");
        numbers.iter().map(line).collect()
    };
    assert_eq!(history(&["show", "--utc"]), shown(&messages(1, 13)));
    assert_eq!(history(&["show", "--utc", "--last", "2"]), shown(&[9, 11]));
    let exported: String = messages(1, 13)
        .into_iter()
        .map(|seq| line(seq, "") + "\n")
        .collect();
    assert_eq!(history(&["export"]), exported);
    assert_eq!(history(&["export", "--format", "csv"]).lines().count(), 6);
    let bytes = fs::metadata(home.log()).unwrap().len();
    let verified = history(&["verify"]);
    assert!(
        verified.starts_with(&format!(
            "5 messages and 8 other records, {bytes} bytes: whole, in order, without a gap\n"
        )),
        "{verified}"
    );
    assert!(verified.contains("to number 13 at"), "{verified}");
}
