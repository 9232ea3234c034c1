//! Reads tables whose rows another program may have written.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};

/// Malformed rows of a table that are logged one by one.
const LOGGED_MAX: u64 = 20;

/// Bytes of a key that are logged.
const KEY_BYTES: usize = 64;

/// Why a row is of no use.
pub(super) type MalformedRow = Box<dyn Error>;

/// Reads all rows of a table. Rows that `read` cannot make sense of are logged and left out.
///
/// The first column has to be the key.
pub(super) fn read_rows<T>(
    path: &Path,
    table: &str,
    mut rows: Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, MalformedRow>,
) -> rusqlite::Result<Vec<T>> {
    let (mut all, mut malformed) = (Vec::new(), 0_u64);
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(value) => all.push(value),
            Err(error) => {
                malformed += 1;
                if malformed <= LOGGED_MAX {
                    let (path, key) = (path.display(), key(row));
                    log::warn!(
                        "{path}: table {table}: row {key} is malformed and ignored: {error}"
                    );
                }
            }
        }
    }
    if malformed > LOGGED_MAX {
        log::warn!(
            "{}: table {table}: {malformed} rows are malformed and ignored",
            path.display()
        );
    }
    Ok(all)
}

/// Returns the key of a row, written for people and bounded in length.
fn key(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Text(bytes)) => {
            let bytes = &bytes[..bytes.len().min(KEY_BYTES)];
            format!("{:?}", String::from_utf8_lossy(bytes))
        }
        Ok(ValueRef::Blob(bytes)) => {
            let mut key = String::from("x'");
            for byte in bytes.iter().take(KEY_BYTES / 2) {
                write!(key, "{byte:02x}").expect("a string takes all");
            }
            key + "'"
        }
        Ok(ValueRef::Real(number)) => number.to_string(),
        Ok(ValueRef::Null) | Err(_) => "NULL".to_owned(),
    }
}
