//! Opening the history at the start: what a crash left half-written is cut off, and the tail tells
//! where the counting goes on. The file is not read from its beginning, however long it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chat_proto::name::fold;

use super::log::{Entry, Lines, Log};
use crate::chat::recent::{Stamp, WINDOW};
use crate::chat::registry::Remembered;
use crate::error::HistoryError;

/// A history that can be appended to.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    /// Where its lines end.
    pub end: u64,
    pub last_seq: u64,
    /// Of the last messages those with an id, oldest first.
    pub remembered: Vec<Remembered>,
}

/// Opens the history for the one server that writes it, or makes it.
///
/// # Errors
/// The file cannot be opened, is in use by another server, or its tail is damaged.
pub fn open(path: &Path) -> Result<Opened, HistoryError> {
    let io = |source| HistoryError::Io {
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(HistoryError::Locked {
                path: path.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    let log = Log::over(path, file.try_clone().map_err(io)?);
    let length = log.length()?;
    let end = log.end_of_lines(length)?;
    if end < length {
        log::warn!(
            "{}: the last {} bytes are a line that was never finished; they are cut off",
            path.display(),
            length - end
        );
        file.set_len(end)
            .and_then(|()| file.sync_data())
            .map_err(io)?;
    }
    let (last_seq, remembered) = read_tail(&log, end)?;
    Ok(Opened {
        file,
        end,
        last_seq,
        remembered,
    })
}

fn read_tail(log: &Log, end: u64) -> Result<(u64, Vec<Remembered>), HistoryError> {
    let mut lines = log.backward(0, end);
    let mut remembered = Vec::new();
    let mut last_seq = 0;
    let mut expected = None;
    let mut first = None;
    while let Some(Entry { place, line, .. }) = lines.next_line()? {
        if let Some(expected) = expected
            && place.seq != expected
        {
            return Err(log.damaged(
                place.offset,
                format!("it has the number {} instead of {expected}", place.seq),
            ));
        }
        last_seq = last_seq.max(place.seq);
        if let Some(id) = line.id {
            let stamp = Stamp {
                seq: line.seq,
                time: line.time,
            };
            remembered.push(Remembered {
                from: fold(&line.from).into(),
                id: (&*id).into(),
                stamp,
            });
        }
        first = Some(place);
        if place.seq + WINDOW <= last_seq || place.seq == 0 {
            break;
        }
        expected = Some(place.seq - 1);
    }
    if let Some(place) = first.filter(|place| place.offset == 0 && place.seq != 1) {
        return Err(log.damaged(0, format!("it has the number {} instead of 1", place.seq)));
    }
    remembered.reverse();
    Ok((last_seq, remembered))
}
