//! The history file, `chat_history.log`: reading, appending, fsync and recovery.
//!
//! | file | content |
//! | --- | --- |
//! | [`position`] | positions in the file |
//! | [`reader`] | `Log`: reads lines forward, backward and by number |
//! | `appender` | appends lines and removes them again after a failed write |
//! | `fsync` | forces the file to the disk, also after an `fdatasync` that failed |
//! | [`recovery`] | opens the file at the start and cuts off what a crash left |
//! | [`path_check`] | detects that the file was renamed, deleted, replaced, truncated or extended |
//! | [`state_file`] | the file beside the history that records its length and state |

pub(super) mod appender;
pub(super) mod fsync;
pub mod path_check;
pub mod position;
pub mod reader;
pub mod recovery;
pub mod state_file;

pub use position::{Direction, LinePosition, RecordedEnd};
pub use reader::{Log, LogEntry, LogLine, ReadLine};
