//! Reads the history file: one line per record, in the JSON that clients received.
//!
//! Line n is message n (protocol, What a message promises, 5), record makes the file its own index
//! of numbers. Messages are the
//! only kind of record that this server writes; it counts the kinds that a later one has written,
//! and shows none of them.
//!
//! Reads are positioned and bounded by an end, so readers and the `Recorder`
//! never conflict. A line that is no record, or misnumbered line is always an error that names the line.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat_proto::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::LinePosition;
use crate::error::HistoryError;

/// Bytes read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// No line is longer: the longest message is a third of a frame of 64 KiB.
const LINE_MAX: usize = 64 * 1024;

/// A parsed line without its text.
#[derive(Debug, Deserialize)]
pub struct LogLine<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    pub seq: u64,
    pub time: Timestamp,
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    #[expect(dead_code, reason = "it has to be there, whatever it is")]
    text: IgnoredAny,
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
}

/// The fields that records of all kinds have.
#[derive(Debug, Deserialize)]
struct AnyRecord<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    seq: u64,
    time: Timestamp,
}

const MESSAGE: &str = "message";

impl<'a> LogLine<'a> {
    /// Returns the record in `bytes`, a line without its newline. Of a record that is no message
    /// only `seq` and `time` are of use.
    ///
    /// # Errors
    /// Describes what readable reason if the line.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        match serde_json::from_slice(bytes) {
            Ok(line) => Ok(line),
            Err(error) => Self::parse_other(bytes).ok_or_else(|| format!("no message: {error}")),
        }
    }

    /// Returns the record in `bytes` if its type is not known.
    #[cold]
    fn parse_other(bytes: &'a [u8]) -> Option<Self> {
        let AnyRecord { r#type, seq, time } = serde_json::from_slice(bytes).ok()?;
        (r#type != MESSAGE).then_some(Self {
            r#type,
            seq,
            time,
            from: Cow::Borrowed(""),
            to: Cow::Borrowed(""),
            text: IgnoredAny,
            id: None,
        })
    }

    /// Returns whether it is a message, and not a record of a kind that is not known.
    pub fn is_message(&self) -> bool {
        self.r#type == MESSAGE
    }
}

/// A line with its position.
#[derive(Debug)]
pub struct LogEntry<'a> {
    pub position: LinePosition,
    pub line: LogLine<'a>,
    /// Without the newline.
    pub bytes: &'a [u8],
}

/// Reads lines one by one, in one direction.
pub trait ReadLine {
    /// The next line.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged there.
    fn next_line(&mut self) -> Result<Option<LogEntry<'_>>, HistoryError>;
}

/// A history file that is open for reading.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: Arc<File>,
}

impl Log {
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        let file = File::open(path).map_err(|source| HistoryError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::over(path, file))
    }

    /// Returns a log that reads an open file.
    pub fn over(path: &Path, file: impl Into<Arc<File>>) -> Self {
        Self {
            path: path.to_owned(),
            file: file.into(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the current length of the file.
    pub fn length(&self) -> Result<u64, HistoryError> {
        Ok(self
            .file
            .metadata()
            .map_err(|source| self.io(source))?
            .len())
    }

    /// Returns the offset behind the newline of the last complete line before `end`.
    pub fn end_of_lines(&self, end: u64) -> Result<u64, HistoryError> {
        let mut block = vec![0; BLOCK_BYTES];
        let mut upto = end;
        while upto > 0 {
            let start = upto.saturating_sub(BLOCK_BYTES as u64);
            let bytes = self.read(start, upto, &mut block)?;
            if let Some(newline) = bytes.iter().rposition(|&byte| byte == b'\n') {
                return Ok(start + newline as u64 + 1);
            }
            upto = start;
        }
        Ok(0)
    }

    /// The lines from `start` to `end`, both of which stand at the beginning of a line or at the
    /// end.
    pub fn forward(&self, start: u64, end: u64) -> Forward<'_> {
        let section = Section {
            log: self,
            at: start,
            end,
        };
        Forward {
            log: self,
            reader: BufReader::with_capacity(BLOCK_BYTES, section),
            at: start,
            end,
            line: Vec::new(),
        }
    }

    /// Returns these lines in reverse order.
    pub fn backward(&self, start: u64, end: u64) -> Backward<'_> {
        Backward {
            log: self,
            start,
            at: end,
            block: Vec::new(),
            first: end,
            line: Vec::new(),
        }
    }

    /// Where the first record from number `seq` on stands between `start` and `end`, or `end`. A
    /// binary search in the file itself: the numbers grow from line to line.
    pub fn locate(&self, seq: u64, start: u64, end: u64) -> Result<u64, HistoryError> {
        let (mut low, mut high) = (start, end);
        while high - low > BLOCK_BYTES as u64 {
            let middle = low + (high - low) / 2;
            // The first line that begins behind the middle.
            let Some(begin) = self.line_behind(middle, high)? else {
                high = middle;
                continue;
            };
            match self.forward(begin, high).next_line()? {
                Some(entry) if entry.position.seq < seq => low = begin,
                Some(_) => high = middle.max(low + 1).min(begin),
                None => high = middle,
            }
        }
        // `high` may stand within a line; what begins before it is looked at one by one.
        let mut lines = self.forward(low, end);
        while let Some(LogEntry { position, .. }) = lines.next_line()? {
            if position.seq >= seq {
                return Ok(position.offset);
            }
        }
        Ok(end)
    }

    fn line_behind(&self, offset: u64, end: u64) -> Result<Option<u64>, HistoryError> {
        let mut block = vec![0; LINE_MAX];
        let bytes = self.read(offset, end.min(offset + LINE_MAX as u64), &mut block)?;
        let newline = bytes.iter().position(|&byte| byte == b'\n');
        Ok(newline
            .map(|at| offset + at as u64 + 1)
            .filter(|&begin| begin < end))
    }

    /// The bytes from `start` to `end`, which fit into `buffer`.
    pub fn read<'b>(
        &self,
        start: u64,
        end: u64,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], HistoryError> {
        let bytes = usize::try_from(end - start).expect("what is read fits into memory");
        let buffer = &mut buffer[..bytes];
        self.file
            .read_exact_at(buffer, start)
            .map_err(|source| self.io(source))?;
        Ok(buffer)
    }

    /// The line at a place, without its newline.
    pub fn line(&self, position: &LinePosition) -> Result<Vec<u8>, HistoryError> {
        let mut line = vec![0; position.bytes as usize];
        self.read(
            position.offset,
            position.offset + u64::from(position.bytes),
            &mut line,
        )?;
        Ok(line)
    }

    /// Which line of the file begins at `offset`, as an editor counts: all before it is read.
    pub fn line_number(&self, offset: u64) -> u64 {
        let lines = BufReader::with_capacity(
            1 << 20,
            Section {
                log: self,
                at: 0,
                end: offset,
            },
        )
        .split(b'\n')
        .map_while(Result::ok)
        .count();
        lines as u64 + 1
    }

    /// The error that what stands at `offset` is wrong.
    pub fn damaged(&self, offset: u64, what: impl Into<String>) -> HistoryError {
        HistoryError::Damaged {
            path: self.path.clone(),
            line: self.line_number(offset),
            what: what.into(),
        }
    }

    fn entry<'a>(&self, bytes: &'a [u8], offset: u64) -> Result<LogEntry<'a>, HistoryError> {
        let line = LogLine::parse(bytes).map_err(|what| self.damaged(offset, what))?;
        let position = LinePosition {
            seq: line.seq,
            offset,
            bytes: u32::try_from(bytes.len()).expect("a line is at most LINE_MAX"),
        };
        Ok(LogEntry {
            position,
            line,
            bytes,
        })
    }

    pub fn io(&self, source: io::Error) -> HistoryError {
        HistoryError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// A part of the file as a stream.
#[derive(Debug)]
struct Section<'l> {
    log: &'l Log,
    at: u64,
    end: u64,
}

impl io::Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let bytes = self.log.file.read_at(&mut buffer[..most], self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}

/// Lines, the first one first; each is checked to be a record.
#[derive(Debug)]
pub struct Forward<'l> {
    log: &'l Log,
    reader: BufReader<Section<'l>>,
    at: u64,
    end: u64,
    line: Vec<u8>,
}

impl ReadLine for Forward<'_> {
    fn next_line(&mut self) -> Result<Option<LogEntry<'_>>, HistoryError> {
        let offset = self.at;
        if offset >= self.end {
            return Ok(None);
        }
        self.line.clear();
        let read = io::Read::take(&mut self.reader, LINE_MAX as u64)
            .read_until(b'\n', &mut self.line)
            .map_err(|source| self.log.io(source))?;
        let Some((b'\n', line)) = self.line.split_last() else {
            let what = if read < LINE_MAX {
                "it ends without a newline"
            } else {
                "it is too long for a message"
            };
            return Err(self.log.damaged(offset, what));
        };
        self.at += read as u64;
        self.log.entry(line, offset).map(Some)
    }
}

/// Reads lines backward.
#[derive(Debug)]
pub struct Backward<'l> {
    log: &'l Log,
    start: u64,
    /// Where the line that was given last begins.
    at: u64,
    /// What was read and stands before `at`, from the offset `first` on.
    block: Vec<u8>,
    first: u64,
    /// The line that was given last, with its newline.
    line: Vec<u8>,
}

impl ReadLine for Backward<'_> {
    fn next_line(&mut self) -> Result<Option<LogEntry<'_>>, HistoryError> {
        if self.at <= self.start {
            return Ok(None);
        }
        loop {
            // Without the newline that ends the line.
            let body = &self.block[..self.block.len().saturating_sub(1)];
            let begin = match body.iter().rposition(|&byte| byte == b'\n') {
                Some(newline) => newline + 1,
                None if self.first > self.start || self.block.is_empty() => {
                    self.read_more()?;
                    continue;
                }
                None => 0,
            };
            let offset = self.first + begin as u64;
            self.line.clear();
            self.line.extend_from_slice(&self.block[begin..]);
            self.block.truncate(begin);
            self.at = offset;
            let Some((b'\n', line)) = self.line.split_last() else {
                return Err(self.log.damaged(offset, "it ends without a newline"));
            };
            return self.log.entry(line, offset).map(Some);
        }
    }
}

impl Backward<'_> {
    fn read_more(&mut self) -> Result<(), HistoryError> {
        if self.block.len() > LINE_MAX {
            return Err(self.log.damaged(self.first, "it is too long for a message"));
        }
        let start = self
            .first
            .saturating_sub(BLOCK_BYTES as u64)
            .max(self.start);
        let mut block = vec![0; BLOCK_BYTES];
        let length = self.log.read(start, self.first, &mut block)?.len();
        block.truncate(length);
        block.append(&mut self.block);
        self.block = block;
        self.first = start;
        Ok(())
    }
}
