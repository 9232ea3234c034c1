//! What keeps the server from doing its work, as those know it who do it; `/healthz` tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Something that is wrong now and may be right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthIssue {
    /// The history cannot be written.
    History,
    /// The history file was renamed or deleted.
    HistoryMissing,
    /// Another file is at the path of the history.
    HistoryReplaced,
    /// The history file was truncated.
    HistoryShorter,
    /// Another program has written to the history file.
    HistoryLonger,
    /// The accounts cannot be read.
    Accounts,
    /// Who may come back cannot be kept.
    Tokens,
    /// The accounts file is no longer at its path.
    Displaced,
    /// The server ends.
    Ending,
}

impl HealthIssue {
    const ALL: [Self; 9] = [
        Self::Ending,
        Self::History,
        Self::HistoryMissing,
        Self::HistoryReplaced,
        Self::HistoryShorter,
        Self::HistoryLonger,
        Self::Displaced,
        Self::Accounts,
        Self::Tokens,
    ];

    /// Those of which the recorder reports one at a time.
    pub const OF_HISTORY: [Self; 5] = [
        Self::History,
        Self::HistoryMissing,
        Self::HistoryReplaced,
        Self::HistoryShorter,
        Self::HistoryLonger,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::History => "the history cannot be written, messages are refused",
            Self::HistoryMissing => {
                "the history file was renamed or deleted, messages are refused until it is back"
            }
            Self::HistoryReplaced => {
                "the history file was replaced by another one, messages are refused until it is back"
            }
            Self::HistoryShorter => "the history file was truncated, messages are refused",
            Self::HistoryLonger => {
                "another program has written to the history file, messages are refused"
            }
            Self::Accounts => "the accounts cannot be read",
            Self::Displaced => {
                "the accounts file was renamed, replaced or deleted, its changes are refused"
            }
            Self::Tokens => "who may come back after a restart cannot be kept",
            Self::Ending => "the server ends",
        }
    }
}

/// Shared by all who know something of it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicU32>);

impl Health {
    pub fn set(&self, ailment: HealthIssue, is_so: bool) {
        let bit = 1 << ailment as u8;
        if is_so {
            self.0.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Everything that is wrong, in a sentence; nothing if nothing is.
    pub fn summary(&self) -> Option<String> {
        let bits = self.0.load(Ordering::Relaxed);
        let wrong: Vec<_> = HealthIssue::ALL
            .into_iter()
            .filter(|&ailment| bits & (1 << ailment as u8) != 0)
            .map(HealthIssue::words)
            .collect();
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_told_until_it_is_right_again() {
        let health = Health::default();
        let whoever_writes = health.clone();
        whoever_writes.set(HealthIssue::History, true);
        whoever_writes.set(HealthIssue::Tokens, true);
        let both = "the history cannot be written, messages are refused; \
                    who may come back after a restart cannot be kept";
        assert_eq!(health.summary().as_deref(), Some(both));
        whoever_writes.set(HealthIssue::History, false);
        whoever_writes.set(HealthIssue::Tokens, false);
        assert_eq!(health.summary(), None);
    }
}
