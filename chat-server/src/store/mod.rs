//! Everything that outlives the process. Nothing here imports `net`.
//!
//! | folder | content |
//! | --- | --- |
//! | [`log`] | the history file: appending, fsync, recovery, reading |
//! | [`index`] | the message index beside it: which lines belong to which conversation |
//! | [`history`] | `History`, the actors that read pages and replays |
//! | [`database`] | the SQLite file of accounts, sessions and moderation |
//! | [`accounts`] | the actors that check passwords and change accounts |

pub mod accounts;
pub mod database;
pub mod history;
pub mod index;
pub mod log;
