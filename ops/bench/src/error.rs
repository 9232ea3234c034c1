//! What can go wrong in the generator itself. A server that loses a message is no error here: it is a
//! result, a row marked FAILED.

use std::io;
use std::time::Duration;

/// Why a measurement could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("{what}: not done after {after:?}")]
    Deadline { what: String, after: Duration },
    #[error("{0}")]
    Server(String),
    #[error("the report cannot be written: {0}")]
    Report(String),
    #[error("interrupted")]
    Interrupted,
}

pub(crate) type Result<T> = std::result::Result<T, BenchError>;

/// Says what was being done when an I/O call failed.
pub(crate) trait Doing<T> {
    /// # Errors
    /// The same failure, with `what` before it.
    fn doing(self, what: &str) -> Result<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|source| {
            let source = source.into();
            BenchError::Io {
                what: format!("{what}: {source}"),
                source,
            }
        })
    }
}
