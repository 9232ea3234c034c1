//! Whether the path of the history still leads to the file that the recorder has open, and whether that is
//! as long as the recorder has made it.
//!
//! An operator or a program may rename, delete, replace, truncate or extend the file while the server runs.
//! The server then records nothing, so that it acknowledges no line that the path does not have.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::health::Ailment;

/// What is wrong with the file at the path.
#[derive(Debug, thiserror::Error)]
pub enum Displaced {
    #[error(
        "{} was renamed or deleted while the server runs; move it back, or stop the server and put it \
         back before the next start", path.display()
    )]
    Missing { path: PathBuf },
    #[error(
        "{} was replaced by another file while the server runs; move the first one back, or stop the \
         server and put it back before the next start", path.display()
    )]
    Replaced { path: PathBuf },
    #[error(
        "{} was truncated from {was} to {is} bytes while the server runs; stop the server and restore \
         the file from the copy or the backup", path.display()
    )]
    Shorter { path: PathBuf, is: u64, was: u64 },
    #[error(
        "another program has appended to {}, or changed it: it has {is} bytes instead of {was}; stop that \
         program and cut off what it has written: truncate -s {was} '{}'", path.display(), path.display()
    )]
    Longer { path: PathBuf, is: u64, was: u64 },
    #[error("{}: {source}", path.display())]
    Unknown { path: PathBuf, source: io::Error },
}

impl Displaced {
    /// Returns how `/healthz` names it.
    pub(super) fn ailment(&self) -> Ailment {
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
    pub(super) fn cut_at(self, end: u64) -> Self {
        match self {
            Self::Longer { path, is, .. } => Self::Longer { path, is, was: end },
            other => other,
        }
    }

    /// Whether lines that were acknowledged are not at the path.
    pub fn loses_lines(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::Replaced { .. } | Self::Shorter { .. }
        )
    }
}

/// The identity of the open file.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Guard {
    /// Returns the guard of `file`, which was opened at `path`.
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Checks that the file is at the path and has `length` bytes, by one call of `stat`.
    pub(super) fn check(&self, length: u64) -> Result<(), Displaced> {
        let path = || self.path.clone();
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(Displaced::Missing { path: path() });
            }
            Err(source) => {
                return Err(Displaced::Unknown {
                    path: path(),
                    source,
                });
            }
        };
        if (found.dev(), found.ino()) != (self.device, self.inode) {
            return Err(Displaced::Replaced { path: path() });
        }
        let (is, was) = (found.len(), length);
        match is.cmp(&was) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(Displaced::Shorter {
                path: path(),
                is,
                was,
            }),
            std::cmp::Ordering::Greater => Err(Displaced::Longer {
                path: path(),
                is,
                was,
            }),
        }
    }
}

/// Whether `one` and `other` are the same file.
pub(super) fn is_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
