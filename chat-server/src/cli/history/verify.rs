//! `history verify`: every line of the file, its shape, its order, its density. Of a record whose
//! kind is not known only type, number and time are checked.

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
    let (mut count, mut others, mut back) = (0, 0, 0);
    let mut times: Option<(Timestamp, Timestamp)> = None;
    while let Some(entry) = lines.next_line()? {
        let LogEntry { position, line, .. } = &entry;
        progress.reached(position.offset, end);
        let message = message(log, &entry)?;
        count += 1;
        if position.seq != count {
            let what = format!("it has the number {} instead of {count}", position.seq);
            return Err(log.damaged(position.offset, what).into());
        }
        match message {
            Some(message) => {
                legal(&message).map_err(|what| log.damaged(position.offset, what))?;
            }
            None => others += 1,
        }
        let (first, last) = times.unwrap_or((line.time, line.time));
        back += u64::from(line.time < last);
        times = Some((first, line.time));
    }
    drop(progress);
    let messages = count - others;

    let mut out = io::stdout().lock();
    let others = match others {
        0 => String::new(),
        others => format!(" and {others} other records"),
    };
    writeln!(
        out,
        "{messages} messages{others}, {end} bytes: whole, in order, without a gap"
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
