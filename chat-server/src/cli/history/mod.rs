//! `chat-server history`: reads the log as people, checkers and other programs want it, beside a
//! running server too: it only reads, takes no lock, and looks no further than the last whole line at
//! its start.
//!
//! | file | what |
//! | --- | --- |
//! | `filter` | which messages, and how a time is named |
//! | `show`, `verify`, `export` | a command each |
//! | `progress` | how far the reading of a long log has got |

mod export;
mod filter;
mod progress;
mod show;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use chat_proto::{Message, Record};
use chat_server::store::log::{Log, LogEntry, ReadLine as _};
use clap::{Args, Subcommand};

use self::export::Export;
use self::progress::Progress;
use self::show::Show;

/// `chat-server history`.
#[derive(Debug, Clone, Args)]
pub(crate) struct History {
    /// The history to read, e.g. one from a backup [default: path of [history]]
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What to do with the history.
#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Print messages, a line each, for people
    Show(Show),
    /// Check every line of the file: shape, order, density; ends with 1 at the first damaged line
    Verify,
    /// Write messages for programs
    Export(Export),
}

/// Does what is asked with the named log, or else with the one at `configured`.
pub(crate) fn run(configured: &Path, History { file, command }: &History) -> anyhow::Result<()> {
    let log = Log::open(file.as_deref().unwrap_or(configured))?;
    let done = match command {
        Command::Show(show) => show.run(&log),
        Command::Verify => verify::run(&log),
        Command::Export(export) => export.run(&log),
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
    mut progress: Progress,
    mut take: impl FnMut(&Message<'_>, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let end = log.end_of_lines(log.length()?)?;
    let mut lines = log.forward(0, end);
    while let Some(entry) = lines.next_line()? {
        progress.reached(entry.position.offset, end);
        if let Some(message) = message(log, &entry)? {
            take(&message, entry.bytes)?;
        }
    }
    Ok(())
}

/// Returns the message in a line; nothing for a record of a kind that is not known.
fn message<'l>(log: &Log, entry: &LogEntry<'l>) -> anyhow::Result<Option<Message<'l>>> {
    if !entry.line.is_message() {
        return Ok(None);
    }
    let Record::Message(message) = serde_json::from_slice(entry.bytes)
        .map_err(|error| log.damaged(entry.position.offset, format!("no message: {error}")))?;
    Ok(Some(message))
}
