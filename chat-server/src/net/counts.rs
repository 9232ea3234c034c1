//! What the connections of a thread come to, for those who watch over the server. Only that thread writes.

use chat_proto::ErrorCode;

use super::transport::Kind;
use crate::chat::room_metrics::Refusals;
use crate::telemetry::counter::Counter;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that are open, and that were, by [`Kind`].
    open: [Counter; Kind::ALL.len()],
    opened: [Counter; Kind::ALL.len()],
    /// Hellos that were welcomed.
    pub logins: Counter,
    pub received_bytes: Counter,
    pub sent_bytes: Counter,
    /// A message to one person is one.
    pub deliveries: Counter,
    /// What waits in the outboxes.
    pub waiting_bytes: Counter,
    /// Connections that have half of what may wait unread.
    pub lagging: Counter,
    /// Batches that are kept back for those.
    pub kept_back: Counter,
    pub slow_consumers: Counter,
    pub refusals: Refusals,
}

impl Counts {
    pub(super) fn opens(&self, kind: Kind) {
        self.open[kind as usize].add(1);
        self.opened[kind as usize].add(1);
    }

    pub(super) fn closes(&self, kind: Kind) {
        self.open[kind as usize].sub(1);
    }

    pub(super) fn refuses(&self, code: ErrorCode) {
        self.refusals.add(code);
    }

    /// Connections of that kind that are open, and that were ever opened.
    pub fn connections(&self, kind: Kind) -> (u64, u64) {
        (
            self.open[kind as usize].get(),
            self.opened[kind as usize].get(),
        )
    }
}
