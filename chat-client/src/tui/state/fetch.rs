//! Requests pages of the history, and drops the oldest lines beyond the memory limit.

use super::conversation::{Fetch, Older};
use super::{ConnectionStatus, TuiState};
use crate::tui::request::AppRequest;

/// What all messages may take in memory, roughly. More are forgotten, the oldest of the largest
/// conversation first, and can be fetched again.
const MAX_BYTES: usize = 64 * 1024 * 1024;

impl TuiState {
    /// Fetches what is to be seen in a conversation that has nothing yet.
    pub(in crate::tui) fn look_at_once(&mut self) {
        if self.connection == ConnectionStatus::Up && self.here().older == Older::Unknown {
            self.fetch_older();
        }
    }

    /// Asks for the page before the first message, if there is one and nothing is on its way.
    pub fn fetch_older(&mut self) {
        let up = self.connection == ConnectionStatus::Up;
        let full = self.bytes() >= MAX_BYTES;
        let here = self.here_mut();
        if !up || here.fetching.is_some() || here.older == Older::Nothing {
            return;
        }
        if full {
            self.hint = Some("no more fits into memory; the history has the rest".to_owned());
            return;
        }
        here.fetching = Some(Fetch::Top);
        let (with, before) = (here.to.clone(), here.lines.first_said());
        self.request(AppRequest::Older { with, before });
    }

    /// Requests the newest page of the gap behind the message `after`. Returns whether it did: a
    /// page is not requested twice, and not without a connection.
    pub fn fetch_gap(&mut self, after: u64) -> bool {
        let up = self.connection == ConnectionStatus::Up;
        let here = self.here_mut();
        let Some(place) = here.lines.gap(after) else {
            return false;
        };
        if !up || here.fetching.is_some() || here.refused == Some(after) {
            return false;
        }
        here.fetching = Some(Fetch::Gap(after));
        let before = here.lines.first_said_from(place);
        let with = here.to.clone();
        self.request(AppRequest::Older { with, before });
        true
    }

    fn bytes(&self) -> usize {
        self.conversations
            .iter()
            .map(|other| other.lines.bytes())
            .sum()
    }

    /// Forgets the oldest lines that there is no room for.
    pub(in crate::tui) fn forget(&mut self) {
        let mut bytes = self.bytes();
        while bytes > MAX_BYTES {
            let largest = self
                .conversations
                .iter_mut()
                .max_by_key(|other| other.lines.bytes());
            let Some(largest) = largest else { return };
            let before = largest.lines.bytes();
            largest.lines.drop_first();
            largest.older = Older::More;
            bytes -= before - largest.lines.bytes();
        }
    }
}
