//! Opens the history at the start and cuts off the incomplete tail that a crash may leave.
//!
//! Only the tail is read, regardless of the length of the file. A crash of the machine may leave
//! gaps: the last writes reach the disk in any order, and missing blocks read as zeros. No line
//! contains a zero byte and no message behind a gap was acknowledged, so the lines end before the
//! first gap. The bytes that are cut off are kept in a file beside the history.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chat_proto::Timestamp;
use chat_proto::name::fold;

use super::fsync::rewrite_and_sync;
use super::{LinePosition, Log, LogEntry, ReadLine};
use crate::chat::dedup::{RecentMessageId, RecordedAt, WINDOW};
use crate::error::HistoryError;
use crate::store::private_file::{self, PRIVATE, with_suffix};

/// Bytes of the tail that are searched for gaps: more than the system holds back with the slowest
/// durability.
const GAP_SEARCH_BYTES: u64 = 4 * 1024 * 1024;

/// Letters of the longest type of a record.
const KIND_MAX: usize = 32;

const BLOCK_BYTES: usize = 64 * 1024;

/// The log that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub last_seq: u64,
    /// There was no file.
    pub is_new: bool,
}

/// A history that is ready for appending.
#[derive(Debug)]
pub struct RecoveredLog {
    pub file: File,
    /// End of the lines.
    pub end: u64,
    pub last_seq: u64,
    /// The latest time of a message; the clock may have been set back since.
    pub last_time: Option<Timestamp>,
    /// The message behind which the tokens in the accounts file may be out of date, if they may.
    pub tokens_lag: Option<u64>,
    /// Of of recent messages, oldest first.
    pub recent_ids: Vec<RecentMessageId>,
}

/// A history file that this server has locked.
#[derive(Debug)]
pub struct LockedLog {
    path: PathBuf,
    file: File,
    /// The file was created by this start.
    is_new: bool,
}

/// Opens the history for the one server that writes it, or makes it.
///
/// # Errors
/// The file cannot be opened, is in use by another server, or its tail is damaged.
pub fn open(path: &Path) -> Result<RecoveredLog, HistoryError> {
    lock(path)?.open(|_| Ok(()))
}

/// Opens the file of the history, or makes it, and locks it.
///
/// # Errors
/// The file cannot be opened, or is in use by another server.
pub fn lock(path: &Path) -> Result<LockedLog, HistoryError> {
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
    Ok(LockedLog {
        path: path.to_owned(),
        file,
        is_new,
    })
}

impl LockedLog {
    /// Reads the end of the history, and cuts off what a crash has left behind it.
    ///
    /// # Errors
    /// `check` rejects it, its tail is damaged, or it cannot be cut off.
    pub fn open(
        self,
        check: impl FnOnce(Found) -> Result<(), HistoryError>,
    ) -> Result<RecoveredLog, HistoryError> {
        let Self { path, file, is_new } = self;
        let opened = recover(&path, file, is_new, check);
        if opened.is_err() && is_new {
            // It holds nothing. An error leaves an empty file, which the next start rejects as
            // well.
            std::fs::remove_file(&path).ok();
        }
        opened
    }
}

fn recover(
    path: &Path,
    file: File,
    is_new: bool,
    check: impl FnOnce(Found) -> Result<(), HistoryError>,
) -> Result<RecoveredLog, HistoryError> {
    let io = |source| HistoryError::Io {
        path: path.to_owned(),
        source,
    };
    // The name of a new file is on the disk only when its directory is.
    let directory = directory_of(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io)?;
    restrict_quarantined(path);
    let log = Log::over(path, file.try_clone().map_err(io)?);
    let length = log.length()?;
    let gap = first_gap(&log, length)?;
    let end = log.end_of_lines(gap.unwrap_or(length))?;
    let tail = read_tail(&log, end)?;
    let last_seq = tail.last_seq;
    check(Found { last_seq, is_new })?;
    if end < length {
        let cut = length - end;
        match gap {
            Some(_) => {
                let quarantined = quarantine(&log, end, length)?;
                log::warn!(
                    "{}: a crash has left holes in the last {cut} bytes; they are cut off, and kept in {}",
                    path.display(),
                    quarantined.display()
                );
            }
            None if has_partial_tail(&log, end, length, last_seq + 1)? => log::warn!(
                "{}: the last {cut} bytes are a line that was never finished; they are cut off",
                path.display()
            ),
            None => {
                let quarantined = quarantine(&log, end, length)?;
                log::warn!(
                    "{}: another program has written the last {cut} bytes; they are cut off, and kept in {}",
                    path.display(),
                    quarantined.display()
                );
            }
        }
        file.set_len(end)
            .and_then(|()| file.sync_data())
            .map_err(io)?;
    }
    Ok(RecoveredLog {
        file,
        end,
        last_seq: tail.last_seq,
        last_time: tail.last_time,
        tokens_lag: None,
        recent_ids: tail.recent_ids,
    })
}

impl RecoveredLog {
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

    /// Has the last lines, which the previous server may not have synced. Required
    /// with durability `batch` before clients receive these lines again.
    ///
    /// # Errors
    /// The disk does not take them.
    pub fn rewrite_and_sync(&self, path: &Path) -> Result<(), HistoryError> {
        rewrite_and_sync(&self.file, path, self.end).map_err(|source| HistoryError::Io {
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
fn restrict_quarantined(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let prefix = [name.as_encoded_bytes(), b".cut-"].concat();
    let files = std::fs::read_dir(directory_of(path));
    for file in files.into_iter().flatten().flatten() {
        if file.file_name().as_encoded_bytes().starts_with(&prefix) {
            private_file::restrict(&file.path());
        }
    }
}

/// Returns whether the bytes from `end` to `length` are the beginning of the line of record `seq`.
fn has_partial_tail(log: &Log, end: u64, length: u64, seq: u64) -> Result<bool, HistoryError> {
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

/// Returns the offset of the first zero byte in the tail.
fn first_gap(log: &Log, length: u64) -> Result<Option<u64>, HistoryError> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut at = length.saturating_sub(GAP_SEARCH_BYTES);
    while at < length {
        let bytes = log.read(at, length.min(at + BLOCK_BYTES as u64), &mut block)?;
        if let Some(gap) = memchr::memchr(0, bytes) {
            return Ok(Some(at + gap as u64));
        }
        at += bytes.len() as u64;
    }
    Ok(None)
}

/// Copies the bytes that are to be cut off into a file beside the history.
fn quarantine(log: &Log, end: u64, length: u64) -> Result<PathBuf, HistoryError> {
    let quarantined = with_suffix(log.path(), &format!(".cut-{end}"));
    let io = |source| HistoryError::Io {
        path: quarantined.clone(),
        source,
    };
    let mut copy = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE)
        .open(&quarantined)
        .map_err(io)?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut at = end;
    while at < length {
        let bytes = log.read(at, length.min(at + BLOCK_BYTES as u64), &mut block)?;
        copy.write_all(bytes).map_err(io)?;
        at += bytes.len() as u64;
    }
    private_file::restrict(&quarantined);
    copy.sync_data().map_err(io)?;
    Ok(quarantined)
}

/// The content of the last lines.
#[derive(Default)]
struct Tail {
    last_seq: u64,
    last_time: Option<Timestamp>,
    recent_ids: Vec<RecentMessageId>,
}

fn read_tail(log: &Log, end: u64) -> Result<Tail, HistoryError> {
    let mut lines = log.backward(0, end);
    let mut tail = Tail::default();
    // Of those read, which is the one behind the next to be read.
    let mut first: Option<LinePosition> = None;
    while let Some(LogEntry { position, line, .. }) = lines.next_line()? {
        if let Some(behind) = first
            && behind.seq.checked_sub(1) != Some(position.seq)
        {
            return Err(wrong_number(log, position, behind));
        }
        let is_message = line.is_message();
        tail.last_seq = tail.last_seq.max(position.seq);
        tail.last_time = tail.last_time.max(Some(line.time));
        if let Some(id) = line.id.filter(|_| is_message) {
            let stamp = RecordedAt {
                seq: line.seq,
                time: line.time,
            };
            tail.recent_ids.push(RecentMessageId {
                from: fold(&line.from).into(),
                id: (&*id).into(),
                stamp,
            });
        }
        first = Some(position);
        if tail.last_seq - position.seq >= WINDOW {
            break;
        }
    }
    if let Some(position) = first.filter(|position| position.offset == 0 && position.seq != 1) {
        return Err(log.damaged(
            0,
            format!("it has the number {} instead of 1", position.seq),
        ));
    }
    tail.recent_ids.reverse();
    Ok(tail)
}

/// Returns the error for two consecutive lines whose numbers are not consecutive. Line n is record n, so the wrong
/// one is the which shows which of the two is wrong.
fn wrong_number(log: &Log, position: LinePosition, behind: LinePosition) -> HistoryError {
    let line = log.line_number(position.offset);
    let (wrong, expected) = if position.seq == line {
        (behind, line + 1)
    } else {
        (position, line)
    };
    let what = format!("it has the number {} instead of {expected}", wrong.seq);
    log.damaged(wrong.offset, what)
}
