//! The index as a SQLite file.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Rows, params};

use super::postings::{Chunk, ConversationKey, IndexedUpTo};
use crate::error::HistoryError;
use crate::store::database::files;
use crate::store::log::{Direction, LinePosition, Log};
use crate::store::private_file::with_suffix;

/// The form of the file; one of another form is made again from the log. A change of which lines
/// are posted needs another form: readers reject a posted line that is no message of the
/// conversation.
const SCHEMA_VERSION: i32 = 2;

/// Chunks have no hole between them and begin where the log begins.
const SCHEMA: &str = "
    CREATE TABLE chunk (
        first_seq INTEGER PRIMARY KEY,
        start INTEGER NOT NULL,         -- where it stands in the log
        stop INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        lengths BLOB NOT NULL           -- of its lines without their newlines: little-endian u16
    );
    CREATE TABLE conversation (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE posting (
        conversation INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,     -- of the chunk
        lines BLOB NOT NULL,            -- the how manieth of the chunk: see `packed`
        PRIMARY KEY (conversation, first_seq)
    ) WITHOUT ROWID;
    PRAGMA user_version = 2;";

/// The chunks that have lines of a conversation, from the one on that ?2 falls into, up to ?3.
const FIND: &str = "
    SELECT chunk.first_seq, chunk.start, chunk.lengths, posting.lines
    FROM posting JOIN chunk USING (first_seq)
    WHERE posting.conversation = (SELECT id FROM conversation WHERE name = ?1)
      AND posting.first_seq >=
          coalesce((SELECT max(first_seq) FROM chunk WHERE first_seq <= ?2), 0)
      AND posting.first_seq <= ?3
    ORDER BY posting.first_seq";

/// Room for several chunks: with SQLite's own 4 KiB, which files keep that have it, to add them
/// takes a seventh longer.
const PAGE_BYTES: u32 = 16 * 1024;

/// How long to wait for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// A connection to the index file.
#[derive(Debug)]
pub struct Index(Connection);

impl Index {
    /// Opens the index at `path` to add to it; made anew where it is missing, broken, or of another
    /// log than `log`, whose lines end at `end`.
    ///
    /// # Errors
    /// It can neither be opened nor be made.
    pub fn open(path: &Path, log: &Log, end: u64) -> Result<Self, HistoryError> {
        match Self::open_existing(path, log, end) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => log::info!("{}: is made from the log", path.display()),
            Err(HistoryError::Index(error)) if is_corrupt(&error) => {
                log::warn!("{}: {error}; is made again from the log", path.display());
            }
            Err(error) => return Err(error),
        }
        Self::create(path)
    }

    /// Makes an empty index in place of whatever is at `path`. No connection of this process may
    /// write to that any more: SQLite removes the log of a file by name when it closes it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        remove(path)?;
        let index = Self::connect(path)?;
        index.0.execute_batch(SCHEMA)?;
        Ok(index)
    }

    /// An index to be asked, on a thread of its own.
    pub fn reader(path: &Path) -> Result<Self, HistoryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(Self(connection))
    }

    fn connect(path: &Path) -> Result<Self, HistoryError> {
        // Created here, because SQLite would make it world-readable and it lists conversations.
        files::create(path).map_err(|source| io_error(path, source))?;
        files::restrict(path);
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        // Readers are never in the way of the writer; a power cut costs the last chunks at most.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self(connection))
    }

    fn open_existing(path: &Path, log: &Log, end: u64) -> Result<Option<Self>, HistoryError> {
        let mut index = Self::connect(path)?;
        let version: i32 = index
            .0
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(
            (version == SCHEMA_VERSION && index.has_schema() && index.truncate_stale(log, end)?)
                .then_some(index),
        )
    }

    /// Returns whether all tables and columns are there.
    fn has_schema(&self) -> bool {
        let statements = [
            FIND,
            "SELECT first_seq, start, stop, crc, lengths FROM chunk",
            "SELECT id, name FROM conversation",
            "SELECT conversation, first_seq, lines FROM posting",
        ];
        statements.iter().all(|sql| self.0.prepare(sql).is_ok())
    }

    /// Drops the last chunks until one stands in the log as it did; false if the first one does
    /// not.
    fn truncate_stale(&mut self, log: &Log, end: u64) -> Result<bool, HistoryError> {
        let stands = |order: &str| -> Result<Option<(u64, bool)>, HistoryError> {
            let sql = format!(
                "SELECT first_seq, start, stop, crc FROM chunk ORDER BY first_seq {order} LIMIT 1"
            );
            let chunk: Option<(u64, u64, u64, u32)> = self
                .0
                .query_row(&sql, [], |row| row.try_into())
                .optional()?;
            let Some((first_seq, start, chunk_end, crc)) = chunk else {
                return Ok(None);
            };
            let stands = chunk_end <= end && start < chunk_end && {
                let mut buffer = vec![0; usize::try_from(chunk_end - start).unwrap_or(usize::MAX)];
                crc32fast::hash(log.read(start, chunk_end, &mut buffer)?) == crc
            };
            Ok(Some((first_seq, stands)))
        };
        if let Some((_, false)) = stands("ASC")? {
            return Ok(false);
        }
        while let Some((first_seq, false)) = stands("DESC")? {
            self.0
                .execute("DELETE FROM posting WHERE first_seq = ?1", [first_seq])?;
            self.0
                .execute("DELETE FROM chunk WHERE first_seq = ?1", [first_seq])?;
        }
        Ok(true)
    }

    pub fn indexed_up_to(&self) -> Result<IndexedUpTo, HistoryError> {
        let mut last = self.0.prepare_cached(
            "SELECT first_seq + length(lengths) / 2 - 1, stop FROM chunk
             ORDER BY first_seq DESC LIMIT 1",
        )?;
        let indexed_up_to = last.query_row([], |row| {
            Ok(IndexedUpTo {
                last_seq: row.get(0)?,
                end: row.get(1)?,
            })
        });
        Ok(indexed_up_to.optional()?.unwrap_or_default())
    }

    /// Adds chunks, which follow what is covered; all of them or none.
    pub(super) fn add(&mut self, chunks: &[Chunk]) -> Result<(), HistoryError> {
        let transaction = self.0.transaction()?;
        {
            let mut chunk_row =
                transaction.prepare_cached("INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5)")?;
            let mut known =
                transaction.prepare_cached("SELECT id FROM conversation WHERE name = ?1")?;
            let mut new =
                transaction.prepare_cached("INSERT INTO conversation (name) VALUES (?1)")?;
            let mut posting_row =
                transaction.prepare_cached("INSERT INTO posting VALUES (?1, ?2, ?3)")?;
            for chunk in chunks {
                let Chunk {
                    first_seq,
                    start,
                    end,
                    crc,
                    lengths,
                    postings,
                } = chunk;
                chunk_row.execute(params![first_seq, start, end, crc, encode_numbers(lengths)])?;
                for (key, lines) in postings {
                    let id = known.query_row([key.name()], |row| row.get(0)).optional()?;
                    let id: i64 = match id {
                        Some(id) => id,
                        None => new.insert([key.name()])?,
                    };
                    let lines = encode_postings(lines, lengths.len());
                    posting_row.execute(params![id, first_seq, lines])?;
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// The places of at most `max` lines of a conversation with a number between `after` and
    /// `before`, which are not among them: the newest or the oldest of them, and that one first.
    pub(in crate::store) fn positions(
        &self,
        key: &ConversationKey,
        after: u64,
        before: u64,
        first: Direction,
        max: usize,
    ) -> Result<Vec<LinePosition>, HistoryError> {
        let (from, to) = (after.saturating_add(1), before.saturating_sub(1));
        if from > to {
            return Ok(Vec::new());
        }
        let sql = match first {
            Direction::OldestFirst => FIND.to_owned(),
            Direction::NewestFirst => format!("{FIND} DESC"),
        };
        let mut find = self.0.prepare_cached(&sql)?;
        // SQLite's numbers are signed.
        let sign = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let rows = find.query(params![key.name(), sign(from), sign(to)])?;
        Ok(collect(rows, from..=to, first, max)?)
    }
}

fn collect(
    mut rows: Rows<'_>,
    filter: std::ops::RangeInclusive<u64>,
    first: Direction,
    max: usize,
) -> rusqlite::Result<Vec<LinePosition>> {
    let mut positions = Vec::new();
    while positions.len() < max
        && let Some(row) = rows.next()?
    {
        let (first_seq, start): (u64, u64) = (row.get(0)?, row.get(1)?);
        let mut next = start;
        let lines: Vec<LinePosition> = decode_numbers(row.get_ref(2)?.as_blob()?)
            .zip(first_seq..)
            .map(|(bytes, seq)| {
                let offset = next;
                next += u64::from(bytes) + 1;
                let bytes = u32::from(bytes);
                LinePosition { seq, offset, bytes }
            })
            .collect();
        let numbers = decode_postings(row.get_ref(3)?.as_blob()?);
        // A number that the chunk does not have cannot be; the reader checks each line anyway.
        let position = |&number: &u16| lines.get(usize::from(number)).copied();
        let is_wanted = |position: &LinePosition| filter.contains(&position.seq);
        let left = max - positions.len();
        let here = numbers.iter().filter_map(position);
        match first {
            Direction::OldestFirst => positions.extend(here.filter(is_wanted).take(left)),
            Direction::NewestFirst => positions.extend(
                numbers
                    .iter()
                    .rev()
                    .filter_map(position)
                    .filter(is_wanted)
                    .take(left),
            ),
        }
    }
    Ok(positions)
}

/// Numbers, each as a little-endian `u16`.
fn encode_numbers(numbers: &[u16]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

fn decode_numbers(blob: &[u8]) -> impl Iterator<Item = u16> {
    let (numbers, _) = blob.as_chunks();
    numbers.iter().map(|&number| u16::from_le_bytes(number))
}

/// Which of a chunk's `lines` lines: a list of them behind [`LIST`] or, where that is shorter, a
/// bit for each line behind [`BITS`]. A busy channel takes a tenth so.
fn encode_postings(numbers: &[u16], lines: usize) -> Vec<u8> {
    let bytes = lines.div_ceil(8);
    if numbers.len() * 2 <= bytes {
        let mut list = encode_numbers(numbers);
        list.insert(0, LIST);
        return list;
    }
    let mut bits = vec![0; 1 + bytes];
    bits[0] = BITS;
    for &number in numbers {
        bits[1 + usize::from(number / 8)] |= 1 << (number % 8);
    }
    bits
}

fn decode_postings(blob: &[u8]) -> Vec<u16> {
    match blob.split_first() {
        Some((&LIST, list)) => decode_numbers(list).collect(),
        Some((&BITS, bits)) => {
            let has = |number: &u16| {
                let byte = bits.get(usize::from(number / 8));
                byte.is_some_and(|byte| byte >> (number % 8) & 1 == 1)
            };
            let lines = u16::try_from(bits.len() * 8).unwrap_or(u16::MAX);
            (0..lines).filter(has).collect()
        }
        _ => Vec::new(),
    }
}

const LIST: u8 = 0;
const BITS: u8 = 1;

/// Returns whether the file is corrupt, so that a retry would fail too.
fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn remove(path: &Path) -> Result<(), HistoryError> {
    for suffix in files::SUFFIXES {
        let file = with_suffix(path, suffix);
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(io_error(&file, source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn io_error(path: &Path, source: io::Error) -> HistoryError {
    HistoryError::Io {
        path: path.to_owned(),
        source,
    }
}
