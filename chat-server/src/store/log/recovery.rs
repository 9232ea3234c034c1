//! Opening the history at the start: what a crash left half-written is cut off, and the tail tells
//! where the counting goes on. The file is not read from its beginning, however long it is.
//!
//! A crash of the machine may leave holes: what was written last reaches the disk in any order, and what
//! did not is read as zeros. No line has a zero, and nothing was confirmed behind a hole, so the lines end
//! before the first one; what is cut off there is put aside, not thrown away.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chat_proto::Timestamp;
use chat_proto::name::fold;

use super::fsync::make_sure;
use super::{Entry, Lines, Log, Place};
use crate::chat::dedup::{RecentMessageId, RecordedAt, WINDOW};
use crate::error::HistoryError;
use crate::store::private_file::{self, PRIVATE, with_suffix};

/// How far from the end holes are looked for: what the slowest durability leaves to the system in the
/// tenth of a second for which it usually does, at 40 MB a second.
const HOLES_BYTES: u64 = 4 * 1024 * 1024;

/// Letters of the longest type of a record.
const KIND_MAX: usize = 32;

const HOLE_BLOCK: usize = 64 * 1024;

/// The log that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub last_seq: u64,
    /// There was no file.
    pub is_new: bool,
}

/// A history that can be appended to.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    /// Where its lines end.
    pub end: u64,
    pub last_seq: u64,
    /// When the last message was said; the clock may have been set back since.
    pub last_time: Option<Timestamp>,
    /// The message behind which the tokens in the accounts file may be out of date, if they may.
    pub tokens_lag: Option<u64>,
    /// Of the last messages those with an id, oldest first.
    pub remembered: Vec<RecentMessageId>,
}

/// A history file that no other server has open.
#[derive(Debug)]
pub struct Claimed {
    path: PathBuf,
    file: File,
    /// There was none.
    is_new: bool,
}

/// Opens the history for the one server that writes it, or makes it.
///
/// # Errors
/// The file cannot be opened, is in use by another server, or its tail is damaged.
pub fn open(path: &Path) -> Result<Opened, HistoryError> {
    claim(path)?.open(|_| Ok(()))
}

/// Opens the file of the history, or makes it, and locks it.
///
/// # Errors
/// The file cannot be opened, or is in use by another server.
pub fn claim(path: &Path) -> Result<Claimed, HistoryError> {
    let io = |source| HistoryError::Io {
        path: path.to_owned(),
        source,
    };
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(PRIVATE)
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
    private_file::restrict(path);
    Ok(Claimed {
        path: path.to_owned(),
        file,
        is_new,
    })
}

impl Claimed {
    /// Reads the end of the history, and cuts off what a crash has left behind it.
    ///
    /// # Errors
    /// `check` rejects it, its tail is damaged, or it cannot be cut off.
    pub fn open(
        self,
        check: impl FnOnce(Found) -> Result<(), HistoryError>,
    ) -> Result<Opened, HistoryError> {
        let Self { path, file, is_new } = self;
        let opened = open_claimed(&path, file, is_new, check);
        if opened.is_err() && is_new {
            // It holds nothing. An error leaves an empty file, which the next start rejects as well.
            std::fs::remove_file(&path).ok();
        }
        opened
    }
}

fn open_claimed(
    path: &Path,
    file: File,
    is_new: bool,
    check: impl FnOnce(Found) -> Result<(), HistoryError>,
) -> Result<Opened, HistoryError> {
    let io = |source| HistoryError::Io {
        path: path.to_owned(),
        source,
    };
    // The name of a new file is on the disk only when its directory is.
    let directory = directory_of(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io)?;
    restrict_asides(path);
    let log = Log::over(path, file.try_clone().map_err(io)?);
    let length = log.length()?;
    let hole = first_hole(&log, length)?;
    let end = log.end_of_lines(hole.unwrap_or(length))?;
    let tail = read_tail(&log, end)?;
    let last_seq = tail.last_seq;
    check(Found { last_seq, is_new })?;
    if end < length {
        let cut = length - end;
        match hole {
            Some(_) => {
                let aside = put_aside(&log, end, length)?;
                log::warn!(
                    "{}: a crash has left holes in the last {cut} bytes; they are cut off, and kept in {}",
                    path.display(),
                    aside.display()
                );
            }
            None if is_begun_line(&log, end, length, last_seq + 1)? => log::warn!(
                "{}: the last {cut} bytes are a line that was never finished; they are cut off",
                path.display()
            ),
            None => {
                let aside = put_aside(&log, end, length)?;
                log::warn!(
                    "{}: another program has written the last {cut} bytes; they are cut off, and kept in {}",
                    path.display(),
                    aside.display()
                );
            }
        }
        file.set_len(end)
            .and_then(|()| file.sync_data())
            .map_err(io)?;
    }
    Ok(Opened {
        file,
        end,
        last_seq: tail.last_seq,
        last_time: tail.last_time,
        tokens_lag: None,
        remembered: tail.remembered,
    })
}

impl Opened {
    /// Returns the time of the message with the number `seq`, if there is one.
    pub(in crate::store) fn time_of(
        &self,
        path: &Path,
        seq: u64,
    ) -> Result<Option<Timestamp>, HistoryError> {
        let file = self.file.try_clone().map_err(|source| HistoryError::Io {
            path: path.to_owned(),
            source,
        })?;
        let log = Log::over(path, file);
        let offset = log.locate(seq, 0, self.end)?;
        let entry = log
            .forward(offset, self.end)
            .next_line()?
            .map(|entry| entry.line.time);
        Ok(entry)
    }

    /// Has the last lines on the disk, whatever the server before this one left undone. For durability
    /// `batch`, before anyone is told again that they are recorded.
    ///
    /// # Errors
    /// The disk does not take them.
    pub fn make_sure(&self, path: &Path) -> Result<(), HistoryError> {
        make_sure(&self.file, path, self.end).map_err(|source| HistoryError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

fn directory_of(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Restricts what was put aside earlier to its owner.
fn restrict_asides(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let prefix = [name.as_encoded_bytes(), b".cut-"].concat();
    let files = std::fs::read_dir(directory_of(path));
    for file in files.into_iter().flatten().flatten() {
        if file.file_name().as_encoded_bytes().starts_with(&prefix) {
            private_file::restrict(&file.path());
        }
    }
}

/// Whether the bytes from `end` to `length` are the beginning of the line of record `seq`.
fn is_begun_line(log: &Log, end: u64, length: u64, seq: u64) -> Result<bool, HistoryError> {
    let (before, behind) = ("{\"type\":\"", format!("\",\"seq\":{seq},"));
    let mut buffer = vec![0; before.len() + KIND_MAX + behind.len()];
    let bytes = log.read(end, length.min(end + buffer.len() as u64), &mut buffer)?;
    let Some(rest) = bytes.strip_prefix(before.as_bytes()) else {
        return Ok(before.as_bytes().starts_with(bytes));
    };
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let kind = rest.iter().take_while(|byte| is_letter(byte)).count();
    let rest = &rest[kind..];
    let begins = rest.starts_with(behind.as_bytes()) || behind.as_bytes().starts_with(rest);
    Ok(kind <= KIND_MAX && begins)
}

/// Where the first zero stands in what was written last.
fn first_hole(log: &Log, length: u64) -> Result<Option<u64>, HistoryError> {
    let mut block = vec![0; HOLE_BLOCK];
    let mut at = length.saturating_sub(HOLES_BYTES);
    while at < length {
        let bytes = log.read(at, length.min(at + HOLE_BLOCK as u64), &mut block)?;
        if let Some(hole) = memchr::memchr(0, bytes) {
            return Ok(Some(at + hole as u64));
        }
        at += bytes.len() as u64;
    }
    Ok(None)
}

/// Copies what is to be cut off into a file beside the history.
fn put_aside(log: &Log, end: u64, length: u64) -> Result<PathBuf, HistoryError> {
    let aside = with_suffix(log.path(), &format!(".cut-{end}"));
    let io = |source| HistoryError::Io {
        path: aside.clone(),
        source,
    };
    let mut copy = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE)
        .open(&aside)
        .map_err(io)?;
    let mut block = vec![0; HOLE_BLOCK];
    let mut at = end;
    while at < length {
        let bytes = log.read(at, length.min(at + HOLE_BLOCK as u64), &mut block)?;
        copy.write_all(bytes).map_err(io)?;
        at += bytes.len() as u64;
    }
    private_file::restrict(&aside);
    copy.sync_data().map_err(io)?;
    Ok(aside)
}

/// What the last lines tell.
#[derive(Default)]
struct Tail {
    last_seq: u64,
    last_time: Option<Timestamp>,
    remembered: Vec<RecentMessageId>,
}

fn read_tail(log: &Log, end: u64) -> Result<Tail, HistoryError> {
    let mut lines = log.backward(0, end);
    let mut tail = Tail::default();
    // Of those read, which is the one behind the next to be read.
    let mut first: Option<Place> = None;
    while let Some(Entry { place, line, .. }) = lines.next_line()? {
        if let Some(behind) = first
            && behind.seq.checked_sub(1) != Some(place.seq)
        {
            return Err(misnumbered(log, place, behind));
        }
        let is_message = line.is_message();
        tail.last_seq = tail.last_seq.max(place.seq);
        tail.last_time = tail.last_time.max(Some(line.time));
        if let Some(id) = line.id.filter(|_| is_message) {
            let stamp = RecordedAt {
                seq: line.seq,
                time: line.time,
            };
            tail.remembered.push(RecentMessageId {
                from: fold(&line.from).into(),
                id: (&*id).into(),
                stamp,
            });
        }
        first = Some(place);
        if tail.last_seq - place.seq >= WINDOW {
            break;
        }
    }
    if let Some(place) = first.filter(|place| place.offset == 0 && place.seq != 1) {
        return Err(log.damaged(0, format!("it has the number {} instead of 1", place.seq)));
    }
    tail.remembered.reverse();
    Ok(tail)
}

/// The error that the line behind `place` does not go on from it: line n is record n, so the wrong
/// one is the first of the two that does not stand where its number says.
fn misnumbered(log: &Log, place: Place, behind: Place) -> HistoryError {
    let line = log.line_number(place.offset);
    let (wrong, expected) = if place.seq == line {
        (behind, line + 1)
    } else {
        (place, line)
    };
    let what = format!("it has the number {} instead of {expected}", wrong.seq);
    log.damaged(wrong.offset, what)
}
