//! The index of the history: which lines of the log belong to which conversation, so that a page of a
//! quiet channel, or of two people who hardly ever talk, is found without reading what all the others
//! said.
//!
//! The log is the truth. The index is a SQLite file beside it (`chat_history.log.index`) that holds
//! nothing but places in the log. The recorder gathers them from what it records; where they were not
//! gathered, or the file is missing or does not fit, they are made from the log alone. HistoryRequest it does not
//! cover yet is found by reading the log.
//!
//! | file | what |
//! | --- | --- |
//! | `postings` | a piece of the log, and which of its lines belong where |
//! | `sqlite` | the SQLite file: opened and checked against the log, added to, asked |
//! | [`indexer`] | `Indexer`, the actor that keeps it up with the log |
//! | `status` | what readers and the indexer tell each other of a file that is damaged or made again |
//!
//! Figures: a chunk of 256 KiB has some thousand lines; the part of the log that is not covered is
//! shorter than that, but for what was recorded in the last 20 ms, and takes a millisecond to read. A line takes 2 bytes of
//! the index and 2 more for each conversation that it belongs to (a bit, where much is said there), and each conversation
//! some 40 in every chunk in which somebody speaks: a log of 610 MB with one busy channel has an index of 8.7 MB.

pub mod indexer;
mod postings;
mod sqlite;
mod status;

use std::path::{Path, PathBuf};

use crate::store::private_file::with_suffix;
pub use postings::{Chunk, ChunkBuilder, ConversationKey, IndexedUpTo, LineBuffer};
pub use sqlite::Index;
pub use status::IndexStatus;

/// Where the index of the history at `log` is.
pub fn path_of(log: &Path) -> PathBuf {
    with_suffix(log, ".index")
}

#[cfg(test)]
mod tests;
