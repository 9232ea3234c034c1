//! Checks that the path of the history leads to the open file and that the file has its expected
//! length.
//!
//! Another program may rename, delete, replace, truncate or extend the file while the server runs.
//! The recorder then records nothing, so every acknowledged line is at the path.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Displaced;
use crate::store::file_identity::{FileIdentity, metadata};
use crate::telemetry::health::HealthIssue;

impl Displaced {
    /// Returns how `/healthz` names it.
    pub(in crate::store) fn health_issue(&self) -> HealthIssue {
        match self {
            Self::Missing { .. } => HealthIssue::HistoryMissing,
            Self::Replaced { .. } => HealthIssue::HistoryReplaced,
            Self::Truncated { .. } => HealthIssue::HistoryShorter,
            Self::Extended { .. } => HealthIssue::HistoryLonger,
            Self::Inaccessible { .. } => HealthIssue::History,
        }
    }

    /// Names `end` as the length that the file is to be cut to: the lines of a batch that is being
    /// refused stand behind it, and must not be recorded by the repair.
    pub(in crate::store) fn cut_at(self, end: u64) -> Self {
        match self {
            Self::Extended { path, found, .. } => Self::Extended {
                path,
                found,
                expected: end,
            },
            other => other,
        }
    }
}

/// The identity of the open file.
#[derive(Debug, Clone)]
pub(in crate::store) struct PathCheck {
    path: PathBuf,
    identity: FileIdentity,
}

impl PathCheck {
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
            Err(source) => return Err(Displaced::Inaccessible { path, source }),
        };
        if FileIdentity::from(&found) != self.identity {
            return Err(Displaced::Replaced { path });
        }
        let (found, expected) = (found.len(), length);
        match found.cmp(&expected) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(Displaced::Truncated {
                path,
                found,
                expected,
            }),
            Ordering::Greater => Err(Displaced::Extended {
                path,
                found,
                expected,
            }),
        }
    }
}
