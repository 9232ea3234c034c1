//! `history show`: messages for people.

use std::io::{self, BufWriter, Write};

use chat_proto::Message;
use chat_server::store::log::{Log, ReadLine as _};
use clap::Args;
use jiff::tz::TimeZone;

use super::filter::Filter;
use super::progress::Progress;
use super::{each, message};

/// `history show`.
#[derive(Debug, Clone, Args)]
pub(super) struct Show {
    #[command(flatten)]
    filter: Filter,
    /// Only the last so many of them; read from the end of the file, however long it is
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
    /// Times in UTC instead of local time
    #[arg(long)]
    utc: bool,
}

impl Show {
    pub(super) fn run(&self, log: &Log) -> anyhow::Result<()> {
        let zone = if self.utc {
            TimeZone::UTC
        } else {
            TimeZone::system()
        };
        let mut out = BufWriter::new(io::stdout().lock());
        match self.last {
            Some(last) => {
                for line in self.last(log, last, &zone)?.iter().rev() {
                    writeln!(out, "{line}")?;
                }
            }
            None => each(log, Progress::of_printing(), |message, _| {
                if self.filter.has(message) {
                    writeln!(out, "{}", shown(message, &zone))?;
                }
                Ok(())
            })?,
        }
        Ok(out.flush()?)
    }

    /// The last one first.
    fn last(&self, log: &Log, last: usize, zone: &TimeZone) -> anyhow::Result<Vec<String>> {
        let end = log.end_of_lines(log.length()?)?;
        let mut progress = Progress::of_silent();
        let mut found = Vec::new();
        let mut lines = log.backward(0, end);
        while found.len() < last
            && let Some(entry) = lines.next_line()?
        {
            progress.reached(end - entry.position.offset, end);
            let message = message(log, &entry)?;
            if let Some(message) = message.filter(|message| self.filter.has(message)) {
                found.push(shown(&message, zone));
            }
        }
        Ok(found)
    }
}

/// A message as a person reads it; further lines of a text behind four spaces.
fn shown(message: &Message<'_>, zone: &TimeZone) -> String {
    let time = message
        .time
        .to_jiff()
        .to_zoned_datetime(zone.clone())
        .strftime("%F %T")
        .to_string();
    // Only a text has lines: one in a name would begin another message.
    let name = |name| escaped(name).replace('\n', "\\n");
    let (from, to) = (name(&message.from), name(&message.to));
    let text = escaped(&message.text).replace('\n', "\n    ");
    if message.to.starts_with('#') {
        format!("{time} {to} [{from}]: {text}")
    } else {
        format!("{time} [{from} -> {to}]: {text}")
    }
}

/// The log may have been edited: nothing in it drives the terminal of who reads it.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let drives = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if drives || (c.is_control() && c != '\n') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Timestamp;

    #[test]
    fn a_message_is_shown_as_people_read_it() {
        for (to, text, want) in [
            ("#lobby", "hola", "2026-11-23 18:50:00 #lobby [Ana]: hola"),
            (
                "luis",
                "a\nb\tc",
                "2026-11-23 18:50:00 [Ana -> luis]: a\n    b\\tc",
            ),
            (
                "#x",
                "\u{1b}[2J\u{202e}",
                "2026-11-23 18:50:00 #x [Ana]: \\u{1b}[2J\\u{202e}",
            ),
        ] {
            assert_eq!(shown(&message("Ana", to, text), &TimeZone::UTC), want);
        }
    }

    /// A log may have been edited; each message still begins a line, and nothing else does.
    #[test]
    fn no_name_and_no_text_forges_a_line() {
        let forged = "x\n2026-11-23 18:50:00 #lobby [Luis]: x\u{2028}\u{85}\r";
        let channel = format!("#{forged}");
        let message = message(forged, &channel, forged);
        let shown = shown(&message, &TimeZone::UTC);
        let (first, rest) = shown.split_once('\n').unwrap();
        assert!(!first.contains(char::is_control) && rest.starts_with("    2026"));
        assert!(
            !rest.contains(['\n', '\r', '\u{85}', '\u{2028}']),
            "{shown:?}"
        );
    }

    fn message<'a>(from: &'a str, to: &'a str, text: &'a str) -> Message<'a> {
        Message {
            seq: 1,
            time: Timestamp::from_millis(1_795_459_800_123),
            from: from.into(),
            to: to.into(),
            text: text.into(),
            id: None,
        }
    }
}
