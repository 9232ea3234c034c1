//! What keeps the server from doing its work, as those know it who do it; `/healthz` tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Something that is wrong now and may be right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ailment {
    /// The history cannot be written.
    History,
    /// The accounts cannot be read.
    Accounts,
    /// Who may come back cannot be kept.
    Tokens,
    /// The accounts file is no longer at its path.
    Displaced,
    /// The server ends.
    Ending,
}

impl Ailment {
    const ALL: [Self; 5] = [
        Self::Ending,
        Self::History,
        Self::Displaced,
        Self::Accounts,
        Self::Tokens,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::History => "the history cannot be written, messages are refused",
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
pub struct Health(Arc<AtomicU8>);

impl Health {
    pub fn set(&self, ailment: Ailment, is_so: bool) {
        let bit = 1 << ailment as u8;
        if is_so {
            self.0.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Everything that is wrong, in a sentence; nothing if nothing is.
    pub fn complaint(&self) -> Option<String> {
        let bits = self.0.load(Ordering::Relaxed);
        let wrong: Vec<_> = Ailment::ALL
            .into_iter()
            .filter(|&ailment| bits & (1 << ailment as u8) != 0)
            .map(Ailment::words)
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
        whoever_writes.set(Ailment::History, true);
        whoever_writes.set(Ailment::Tokens, true);
        let both = "the history cannot be written, messages are refused; \
                    who may come back after a restart cannot be kept";
        assert_eq!(health.complaint().as_deref(), Some(both));
        whoever_writes.set(Ailment::History, false);
        whoever_writes.set(Ailment::Tokens, false);
        assert_eq!(health.complaint(), None);
    }
}
