//! Fits the sequence numbers in the database to the history that was opened.
//!
//! The numbers tell whose a direct message is, and belong to one history. A start with a shorter history
//! limits and saves them; a start with the earlier history restores them.

use std::path::Path;

use chat_proto::Timestamp;

use super::database::Database;
use super::expected_length::ExpectedLength;
use super::log::recovery::RecoveredLog;
use crate::error::ServerError;

/// Makes the numbers in the database those of the history that was `opened` at `path`.
///
/// # Errors
/// The database or the history cannot be read or written.
pub fn fit(
    database: &mut Database,
    expected: &ExpectedLength,
    path: &Path,
    opened: &RecoveredLog,
    now: Timestamp,
) -> Result<(), ServerError> {
    let last_seq = opened.last_seq;
    let rewinds = database.rewinds()?;
    for &rewind in &rewinds {
        let next = opened.time_of(path, rewind.last_seq + 1)?;
        if next.is_some_and(|time| time < rewind.at) {
            log::warn!(
                "{}: the history from before {} is back: accounts from before then see their direct \
                 messages again; later accounts start behind message {last_seq}",
                path.display(),
                rewind.at
            );
            return Ok(database.undo_rewind(rewind, last_seq)?);
        }
    }
    let (highest, _) = expected.highest();
    let begins_unnoticed =
        last_seq == 0 && rewinds.last().is_none_or(|rewind| rewind.last_seq != 0);
    if highest > last_seq || begins_unnoticed {
        database.rewind(last_seq, now)?;
    }
    Ok(())
}
