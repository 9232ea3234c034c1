//! What somebody was sent, as a sum; and what it should have been, from the history.

use std::collections::HashMap;
use std::path::Path;

use super::heard::Heard;
use crate::error::{BenchError, Doing, Result};

/// How many lines, and the sum of their hashes: equal only if all are the same, whatever the order,
/// which whoever hears them checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) count: u64,
    sum: u64,
}

impl Tally {
    pub(super) fn add(&mut self, line: &[u8]) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash(line));
    }
}

/// FNV-1a: no secret, and quick enough in a build without optimisation.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// What is noted of an ack: it has to be the number of that message in the history.
pub(super) fn receipt(seq: u64, from: &str, id: &str) -> String {
    format!("{seq} {from} {id}")
}

/// From somebody's first word to the last: all that was for them.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) nick: String,
    pub(super) channel: String,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) heard: Tally,
}

/// What the town says of the history.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(super) lives: Vec<Life>,
    /// What was acked, by everybody.
    pub(super) acked: Tally,
}

/// The outcome of a check.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Messages in the history.
    pub(crate) recorded: u64,
    /// Deliveries that should have been and were not.
    pub(crate) lost: u64,
    /// Deliveries that should not have been.
    pub(crate) uncalled: u64,
    pub(crate) fault: Option<String>,
}

/// Compares what everybody heard and was promised with the history at `path`.
///
/// # Errors
/// When there is no history, or a line of it is none.
pub(crate) fn check(books: &Books, path: &Path) -> Result<Verdict> {
    let text = std::fs::read_to_string(path).doing("reading the history")?;
    let mut recorded = Tally::default();
    let mut audiences: HashMap<String, Vec<(u64, &str)>> = HashMap::new();
    let mut count = 0;
    for line in text.lines() {
        count += 1;
        let heard: Heard<'_> = serde_json::from_str(line)
            .map_err(|error| BenchError::Server(format!("line {count} of the history: {error}")))?;
        if heard.seq != count {
            let what = format!("line {count} of the history has the number {}", heard.seq);
            return Err(BenchError::Server(what));
        }
        recorded.add(receipt(heard.seq, &heard.from, &heard.id).as_bytes());
        let mut is_for = |whom: &str| {
            let lines = audiences.entry(whom.to_owned()).or_default();
            lines.push((heard.seq, line));
        };
        is_for(&heard.to);
        if !heard.to.starts_with('#') && heard.to != heard.from {
            is_for(&heard.from);
        }
    }
    let mut verdict = Verdict {
        recorded: count,
        ..Verdict::default()
    };
    if recorded != books.acked {
        verdict.fault = Some(format!(
            "{} messages were acked, {} are in the history, or others",
            books.acked.count, recorded.count
        ));
    }
    for life in &books.lives {
        let mut due = Tally::default();
        for whom in ["#lobby", &life.channel, &life.nick] {
            let lines = audiences.get(whom).map_or(&[][..], Vec::as_slice);
            let begin = lines.partition_point(|(seq, _)| *seq < life.first);
            let end = lines.partition_point(|(seq, _)| *seq <= life.last);
            for (_, line) in &lines[begin..end] {
                due.add(line.as_bytes());
            }
        }
        if due != life.heard {
            verdict.lost += due.count.saturating_sub(life.heard.count);
            verdict.uncalled += life.heard.count.saturating_sub(due.count);
            verdict.fault.get_or_insert_with(|| {
                let (nick, heard, due) = (&life.nick, life.heard.count, due.count);
                format!("{nick} heard {heard} messages of {due}, or others")
            });
        }
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 4] = [
        r##"{"type":"message","seq":1,"from":"a","to":"#c0","text":"x","id":"1"}"##,
        r##"{"type":"message","seq":2,"from":"b","to":"#lobby","text":"x","id":"1"}"##,
        r#"{"type":"message","seq":3,"from":"b","to":"a","text":"x","id":"2"}"#,
        r##"{"type":"message","seq":4,"from":"a","to":"#c0","text":"x","id":"2"}"##,
    ];

    fn verdict(heard: &[&str], acked: &[(u64, &str, &str)]) -> Verdict {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, LINES.join("\n")).unwrap();
        let tally = |lines: &mut dyn Iterator<Item = String>| {
            let mut tally = Tally::default();
            lines.for_each(|line| tally.add(line.as_bytes()));
            tally
        };
        let life = Life {
            nick: "a".into(),
            channel: "#c0".into(),
            first: 1,
            last: 4,
            heard: tally(&mut heard.iter().map(|&line| line.to_owned())),
        };
        let acked = tally(&mut acked.iter().map(|&(seq, from, id)| receipt(seq, from, id)));
        let lives = vec![life];
        check(&Books { lives, acked }, &path).unwrap()
    }

    #[test]
    fn what_is_missing_or_too_much_is_found() {
        let acked = [(1, "a", "1"), (2, "b", "1"), (3, "b", "2"), (4, "a", "2")];
        let all = verdict(&LINES, &acked);
        assert_eq!((all.recorded, all.fault), (4, None));
        let one_less = verdict(&LINES[..3], &acked);
        assert_eq!((one_less.lost, one_less.fault.is_some()), (1, true));
        let twice = [LINES[0], LINES[1], LINES[2], LINES[3], LINES[3]];
        assert_eq!(verdict(&twice, &acked).uncalled, 1);
        let another = [LINES[0], LINES[1], LINES[2], "{}"];
        assert!(verdict(&another, &acked).fault.is_some());
        assert!(verdict(&LINES, &acked[..3]).fault.is_some());
    }
}
