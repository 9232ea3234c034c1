//! `history verify`: every line of the file, its shape, its order, its density.

use std::io::{self, Write};

use chat_proto::name::NameError;
use chat_proto::{Channel, Message, Nick, Text, Timestamp};
use chat_server::store::log::{Log, LogEntry, ReadLine as _};

use super::message;
use super::progress::Progress;

pub(super) fn run(log: &Log) -> anyhow::Result<()> {
    let (length, end) = (log.length()?, log.end_of_lines(log.length()?)?);
    let mut progress = Progress::of_silent();
    let mut lines = log.forward(0, end);
    let (mut count, mut back) = (0, 0);
    let mut times: Option<(Timestamp, Timestamp)> = None;
    while let Some(LogEntry {
        position, bytes, ..
    }) = lines.next_line()?
    {
        progress.reached(position.offset, end);
        let message = message(log, position.offset, bytes)?;
        count += 1;
        if message.seq != count {
            let what = format!("it has the number {} instead of {count}", message.seq);
            return Err(log.damaged(position.offset, what).into());
        }
        legal(&message).map_err(|what| log.damaged(position.offset, what))?;
        let (first, last) = times.unwrap_or((message.time, message.time));
        back += u64::from(message.time < last);
        times = Some((first, message.time));
    }
    drop(progress);

    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{count} messages, {end} bytes: whole, in order, without a gap"
    )?;
    if let Some((first, last)) = times {
        writeln!(out, "from number 1 at {first} to number {count} at {last}")?;
    }
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
    was_legal(Nick::new(&message.from)).map_err(|error| format!("from: {error}"))?;
    let to = if message.to.starts_with('#') {
        was_legal(Channel::new(&message.to))
    } else {
        was_legal(Nick::new(&message.to))
    };
    to.map_err(|error| format!("to: {error}"))?;
    Text::new(&*message.text, Text::MAX_BYTES).map_err(|error| format!("text: {error}"))?;
    Ok(())
}

/// Accepts blank names: older servers recorded them.
fn was_legal<T>(name: Result<T, NameError>) -> Result<(), NameError> {
    match name {
        Ok(_) | Err(NameError::Empty | NameError::Blank | NameError::Mark) => Ok(()),
        Err(error) => Err(error),
    }
}
