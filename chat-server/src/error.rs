//! What can go wrong with the server itself; what a user does wrong is a refusal, see
//! [`chat_proto::ErrorCode`].

use crate::chat::auth::AuthFailure;
use std::io;
use std::path::PathBuf;

use crate::net::tls::CertificateError;
use crate::store::log::path_check::Displaced;

/// Why a configuration is none.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// `message` names key and line.
    #[error("{origin}: {message}")]
    Wrong { origin: String, message: String },
}

/// Why the server cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("nothing to listen on: set tcp, tls or web in [listen]")]
    NoListener,
    #[error("cannot listen on {address}: {source}")]
    Bind { address: String, source: io::Error },
    #[error("the system refuses a thread or a socket: {0}")]
    Worker(#[source] io::Error),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the history is not on the disk: {0}")]
    NotForced(#[source] io::Error),
    #[error("the history is not complete at its path: {0}")]
    Displaced(#[source] Displaced),
    #[error("the {0} has failed, and there is no server without it")]
    ActorFailed(&'static str),
    #[error("an actor that the server cannot do without has ended: {0}")]
    ActorEnded(#[from] actix::MailboxError),
}

/// What is wrong with the history file or its index.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the index of the history: {0}")]
    Index(#[from] rusqlite::Error),
    #[error("{} is in use by another chat-server", path.display())]
    Locked { path: PathBuf },
    #[error(
        "{path}: {found}, but {known}; restore the file from where it was moved to or from a backup, or \
         start once with --accept-shorter-history to go on without the missing messages", path = path.display()
    )]
    Shorter {
        path: PathBuf,
        found: String,
        known: String,
    },
    /// `line` counts from 1 and is the `seq` that the line should have.
    #[error("{} is damaged: line {line}: {what}", path.display())]
    Damaged {
        path: PathBuf,
        line: u64,
        what: String,
    },
}

/// What is wrong with the file of the accounts.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error("{} was made by a newer chat-server (schema {version})", path.display())]
    Newer { path: PathBuf, version: u32 },
    #[error("{} is in use by another chat-server", path.display())]
    Locked { path: PathBuf },
    /// The connections write to a file that the path no longer leads to.
    #[error(
        "{} or its -wal was renamed, replaced, truncated or deleted under the running server; put it \
         back, or stop the server, restore the file with its -wal and start the server again",
        path.display()
    )]
    Displaced { path: PathBuf },
    #[error("no password can be hashed: {0}")]
    Hash(crate::store::accounts::password::Error),
}

impl DatabaseError {
    /// Returns whether the file, or its disk, takes no changes now.
    pub fn rejects_writes(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DiskFull, ReadOnly, SystemIoFailure};
        match self {
            Self::Displaced { .. } => true,
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(DatabaseBusy | DiskFull | ReadOnly | SystemIoFailure)
            ),
            _ => false,
        }
    }
}

impl From<DatabaseError> for AuthFailure {
    fn from(error: DatabaseError) -> Self {
        Self {
            rejects_writes: error.rejects_writes(),
            cause: error.to_string(),
        }
    }
}
