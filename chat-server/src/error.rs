//! What can go wrong with the server itself; what a user does wrong is a refusal, see
//! [`chat_proto::ErrorCode`].

use std::io;
use std::path::PathBuf;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

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
    /// The database has changes that SQLite would not find.
    #[error(
        "{} has changes of a database that is now at {}: move the database back, or move the -wal file \
         beside it", log.display(), database.display()
    )]
    StrayLog { log: PathBuf, database: PathBuf },
    /// The connections write to a file that the path no longer leads to.
    #[error(
        "{} or its -wal was renamed, replaced, truncated or deleted under the running server; put it \
         back, or stop the server, restore the file with its -wal and start the server again",
        path.display()
    )]
    Displaced { path: PathBuf },
    #[error("no password can be hashed: {0}")]
    Hash(argon2::password_hash::Error),
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

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: no certificate in PEM form: {source}", path.display())]
    NoCertificate { path: PathBuf, source: pem::Error },
    #[error("{}: no private key in PEM form: {source}", path.display())]
    NoKey { path: PathBuf, source: pem::Error },
    #[error("{} and {}: {source}", cert.display(), key.display())]
    Mismatch {
        cert: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
}

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
        "{} was truncated from {expected} to {found} bytes while the server runs; stop the server and restore \
         the file from the copy or the backup", path.display()
    )]
    Truncated {
        path: PathBuf,
        found: u64,
        expected: u64,
    },
    #[error(
        "another program has appended to {}, or changed it: it has {found} bytes instead of {expected}; stop that \
         program and cut off what it has written: truncate -s {expected} '{}'", path.display(), path.display()
    )]
    Extended {
        path: PathBuf,
        found: u64,
        expected: u64,
    },
    #[error("{}: {source}", path.display())]
    Inaccessible { path: PathBuf, source: io::Error },
}

impl Displaced {
    /// Whether lines that were acknowledged are not at the path.
    pub fn loses_lines(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::Replaced { .. } | Self::Truncated { .. }
        )
    }
}
