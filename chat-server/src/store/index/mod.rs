//! The message index: maps each conversation to its lines in the log.
//!
//! A page of a quiet channel, or of two users who rarely write, is found without reading the other
//! messages. The log is authoritative. The index is a SQLite file beside it
//! (`chat_history.log.index`) that holds only positions in the log. The recorder builds chunks from
//! the lines that it writes; the indexer builds missing chunks from the log. The part that is not
//! indexed yet is scanned.
//!
//! | file | content |
//! | --- | --- |
//! | `postings` | a chunk of the log, with the lines of each conversation |
//! | `sqlite` | the SQLite file: opened and checked against the log, extended, queried |
//! | [`indexer`] | `Indexer`, the actor that extends the index |
//! | `status` | state of the index file, shared by readers and the indexer |

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
