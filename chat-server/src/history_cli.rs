//! `chat-server history`: reads the log as people, checkers and other programs want it, beside a
//! running server too: it only reads, takes no lock, and looks no further than the last whole line at
//! its start.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chat_proto::name::fold;
use chat_proto::{Channel, Message, Nick, Record, Text, Timestamp};
use chat_server::store::log::Log;
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

/// What to do with the history.
#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// Print messages, a line each, for people
    Show {
        #[command(flatten)]
        filter: Filter,
        /// Times in UTC instead of local time
        #[arg(long)]
        utc: bool,
    },
    /// Check every line of the file: shape, order, density; ends with 1 at the first damaged line
    Verify,
    /// Write messages for programs
    Export {
        #[command(flatten)]
        filter: Filter,
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
        /// Where to; standard output if left out. An existing file is never overwritten
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How messages are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The lines of the history as they are
    Jsonl,
    /// seq,time,from,to,text,id with a header line
    Csv,
}

/// Which messages.
#[derive(Debug, Default, Args)]
pub(crate) struct Filter {
    /// Only this channel, e.g. '#lobby'
    #[arg(long)]
    channel: Option<String>,
    /// Only what this person said or was told directly, e.g. ana
    #[arg(long, value_name = "NICK")]
    person: Option<String>,
    /// Only from this time on (RFC 3339), e.g. 2026-11-23T18:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<jiff::Timestamp>,
    /// Only before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<jiff::Timestamp>,
}

impl Filter {
    fn has(&self, message: &Message<'_>) -> bool {
        let is = |name: &str, wanted: &str| fold(name) == fold(wanted);
        let time = message.time.to_jiff();
        self.channel
            .as_ref()
            .is_none_or(|channel| is(&message.to, channel))
            && self
                .person
                .as_ref()
                .is_none_or(|nick| is(&message.from, nick) || is(&message.to, nick))
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
    }
}

/// Does what is asked with the log at `path`.
pub(crate) fn run(path: &Path, command: &History) -> anyhow::Result<()> {
    let log = Log::open(path)?;
    let done = match command {
        History::Show { filter, utc } => show(&log, filter, *utc),
        History::Verify => verify(&log),
        History::Export {
            filter,
            format,
            output,
        } => export(&log, filter, *format, output.as_deref()),
    };
    match done {
        // Whoever reads along has seen enough.
        Err(error) if is_closed_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        // A csv::Error does not name the error that it carries as its source.
        let io = io.or_else(|| match cause.downcast_ref::<csv::Error>()?.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        });
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Gives every message of the log, with its line, to `take`.
fn each(
    log: &Log,
    mut take: impl FnMut(&Message<'_>, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let end = log.end_of_lines(log.length()?)?;
    let progress = progress(end);
    let mut lines = log.forward(0, end);
    while let Some((place, line)) = lines.next_line()? {
        let Record::Message(message) = serde_json::from_slice(line)
            .map_err(|error| log.damaged(place.offset, format!("no message: {error}")))?;
        progress.set_position(place.offset);
        take(&message, line)?;
    }
    progress.finish_and_clear();
    Ok(())
}

/// Shown where nothing else is printed, on a terminal; it draws itself a few times a second at most.
fn progress(bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() || io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left")
        .expect("the template is a constant");
    ProgressBar::new(bytes).with_style(style)
}

fn show(log: &Log, filter: &Filter, utc: bool) -> anyhow::Result<()> {
    let zone = if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let mut out = BufWriter::new(io::stdout().lock());
    each(log, |message, _| {
        if filter.has(message) {
            writeln!(out, "{}", shown(message, &zone))?;
        }
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// A message as a person reads it; further lines of a text behind four spaces.
fn shown(message: &Message<'_>, zone: &TimeZone) -> String {
    let time = message
        .time
        .to_jiff()
        .to_zoned_datetime(zone.clone())
        .strftime("%F %T")
        .to_string();
    let (from, to) = (escaped(&message.from), escaped(&message.to));
    let text = escaped(&message.text).replace('\n', "\n    ");
    if message.to.starts_with('#') {
        format!("{time} {to} [{from}]: {text}")
    } else {
        format!("{time} [{from} -> {to}]: {text}")
    }
}

/// The log may have been edited: nothing in it drives the terminal of who reads it.
fn escaped(text: &str) -> String {
    let bidi = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() && c != '\n' && c != '\t') || bidi(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn verify(log: &Log) -> anyhow::Result<()> {
    let (length, end) = (log.length()?, log.end_of_lines(log.length()?)?);
    let progress = progress(end);
    let mut out = io::stdout().lock();
    let mut lines = log.forward(0, end);
    let (mut count, mut back, mut last) = (0, 0, Timestamp::from_millis(0));
    while let Some((place, line)) = lines.next_line()? {
        let wrong = |what: String| log.damaged(place.offset, what);
        let Record::Message(message) =
            serde_json::from_slice(line).map_err(|error| wrong(format!("no message: {error}")))?;
        count += 1;
        if message.seq != count {
            return Err(wrong(format!(
                "it has the number {} instead of {count}",
                message.seq
            ))
            .into());
        }
        legal(&message).map_err(wrong)?;
        back += u64::from(message.time < last);
        last = message.time;
        progress.set_position(place.offset);
    }
    progress.finish_and_clear();
    writeln!(
        out,
        "{count} messages, {end} bytes: whole, in order, without a gap"
    )?;
    if back > 0 {
        writeln!(out, "the clock was set back {back} times")?;
    }
    if end < length {
        writeln!(
            out,
            "{} bytes behind them are no whole line yet",
            length - end
        )?;
    }
    Ok(())
}

fn legal(message: &Message<'_>) -> Result<(), String> {
    Nick::new(&message.from).map_err(|error| format!("from: {error}"))?;
    if message.to.starts_with('#') {
        Channel::new(&message.to).map_err(|error| format!("to: {error}"))?;
    } else {
        Nick::new(&message.to).map_err(|error| format!("to: {error}"))?;
    }
    Text::new(&*message.text, Text::MAX_BYTES).map_err(|error| format!("text: {error}"))?;
    Ok(())
}

fn export(log: &Log, filter: &Filter, format: Format, output: Option<&Path>) -> anyhow::Result<()> {
    let target: Box<dyn Write> = match output {
        Some(path) => Box::new(
            File::create_new(path).with_context(|| format!("cannot make {}", path.display()))?,
        ),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(target);
    match format {
        Format::Jsonl => each(log, |message, line| {
            if filter.has(message) {
                out.write_all(line)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })?,
        Format::Csv => {
            let mut table = csv::Writer::from_writer(&mut out);
            table.write_record(["seq", "time", "from", "to", "text", "id"])?;
            each(log, |message, _| {
                if filter.has(message) {
                    let Message {
                        seq,
                        time,
                        from,
                        to,
                        text,
                        id,
                    } = message;
                    let (seq, time) = (seq.to_string(), time.to_string());
                    table.write_record([
                        &seq,
                        &time,
                        &**from,
                        &**to,
                        &**text,
                        id.as_deref().unwrap_or(""),
                    ])?;
                }
                Ok(())
            })?;
            if let Err(error) = table.flush() {
                bail!(error);
            }
        }
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &'static str, text: &'static str) -> Message<'static> {
        let time = Timestamp::from_millis(1_795_459_800_123);
        Message {
            seq: 1,
            time,
            from: "Ana".into(),
            to: to.into(),
            text: text.into(),
            id: None,
        }
    }

    #[test]
    fn a_message_is_shown_as_people_read_it() {
        for (to, text, want) in [
            ("#lobby", "hola", "2026-11-23 18:50:00 #lobby [Ana]: hola"),
            (
                "luis",
                "a\nb",
                "2026-11-23 18:50:00 [Ana -> luis]: a\n    b",
            ),
            (
                "#x",
                "\u{1b}[2J\u{202e}",
                "2026-11-23 18:50:00 #x [Ana]: \\u{1b}[2J\\u{202e}",
            ),
        ] {
            assert_eq!(shown(&message(to, text), &TimeZone::UTC), want);
        }
    }

    #[test]
    fn filters_go_by_folded_names_and_time() {
        let has = |filter: Filter| filter.has(&message("#Rust", "x"));
        assert!(has(Filter::default()));
        assert!(has(Filter {
            channel: Some("#RUST".into()),
            person: Some("ana".into()),
            ..Filter::default()
        }));
        assert!(!has(Filter {
            channel: Some("#lobby".into()),
            ..Filter::default()
        }));
        assert!(!has(Filter {
            person: Some("luis".into()),
            ..Filter::default()
        }));
        let time: jiff::Timestamp = "2026-11-23T18:50:00.123Z".parse().unwrap();
        assert!(has(Filter {
            since: Some(time),
            ..Filter::default()
        }));
        assert!(!has(Filter {
            until: Some(time),
            ..Filter::default()
        }));
    }
}
