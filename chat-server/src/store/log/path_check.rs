//! Whether the path of the history still leads to the file that the recorder has open, and whether that is
//! as long as the recorder has made it.
//!
//! An operator or a program may rename, delete, replace, truncate or extend the file while the server runs.
//! The server then records nothing, so that it acknowledges no line that the path does not have.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Displaced;
use crate::health::Ailment;
use crate::store::file_identity::{FileIdentity, metadata};

impl Displaced {
    /// Returns how `/healthz` names it.
    pub(in crate::store) fn ailment(&self) -> Ailment {
        match self {
            Self::Missing { .. } => Ailment::HistoryMissing,
            Self::Replaced { .. } => Ailment::HistoryReplaced,
            Self::Shorter { .. } => Ailment::HistoryShorter,
            Self::Longer { .. } => Ailment::HistoryLonger,
            Self::Unknown { .. } => Ailment::History,
        }
    }

    /// Names `end` as the length that the file is to be cut to: the lines of a batch that is being refused stand
    /// behind it, and must not be recorded by the repair.
    pub(in crate::store) fn cut_at(self, end: u64) -> Self {
        match self {
            Self::Longer { path, is, .. } => Self::Longer { path, is, was: end },
            other => other,
        }
    }
}

/// The identity of the open file.
#[derive(Debug, Clone)]
pub(in crate::store) struct Guard {
    path: PathBuf,
    identity: FileIdentity,
}

impl Guard {
    /// Returns the guard of `file`, which was opened at `path`.
    pub(in crate::store) fn of(path: &Path, file: &File) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: FileIdentity::of(file)?,
        })
    }

    /// Checks that the file is at the path and has `length` bytes, by one call of `stat`.
    pub(in crate::store) fn check(&self, length: u64) -> Result<(), Displaced> {
        let path = self.path.clone();
        let found = match metadata(&self.path) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Displaced::Missing { path }),
            Err(source) => return Err(Displaced::Unknown { path, source }),
        };
        if FileIdentity::from(&found) != self.identity {
            return Err(Displaced::Replaced { path });
        }
        let (is, was) = (found.len(), length);
        match is.cmp(&was) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(Displaced::Shorter { path, is, was }),
            Ordering::Greater => Err(Displaced::Longer { path, is, was }),
        }
    }
}
