//! Everything that outlives the process. Nothing here imports `net`.
//!
//! | folder | content |
//! | --- | --- |
//! | [`log`] | the history file: appending, fsync, recovery, reading |
//! | [`index`] | the message index beside it: which lines belong to which conversation |
//! | [`history`] | `History`, the actors that read pages and replays |
//! | [`database`] | the SQLite file of accounts, sessions and moderation |
//! | [`accounts`] | the actors that check passwords and change accounts |
//! | [`recorder`] | `Recorder`, the actor that appends batches to the history |
//! | [`expected_length`] | what else knows how long the history is |
//! | [`rewind`] | the sequence numbers of the database, fitted to the history |
//! | `file_identity` | device and inode of a file |
//! | `private_file` | access mode of the files and their names |

pub mod accounts;
pub mod database;
pub mod expected_length;
mod file_identity;
pub mod history;
pub mod index;
pub mod log;
mod private_file;
pub mod recorder;
pub mod rewind;
