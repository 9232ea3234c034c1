//! Requests that are not complete: they wait for the connection or for their answer.

use std::collections::VecDeque;

use bytes::Bytes;

/// How much may be unsettled before no more is read from a pipe. It bounds the memory of a bot that
/// types faster than the server records, and is enough to keep a distant server busy.
const WINDOW: usize = 256;

/// How often a question is sent, each time on another connection. A server that ends the connection
/// instead of an answer is not asked without end.
const MAX_SENT: u8 = 5;

/// When a request is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompletionRule {
    /// When it is acknowledged: it is recorded. Sent again after a lost connection, with its `id`.
    Acked,
    /// When it is answered. Asked again after a lost connection.
    Answered,
    /// When it is sent.
    Sent,
}

/// A request on its way.
#[derive(Debug)]
struct PendingRequest {
    id: Option<String>,
    frame: Bytes,
    settled: CompletionRule,
    sent: bool,
    /// How often it was sent.
    times: u8,
}

/// Requests in the order they were typed.
#[derive(Debug, Default)]
pub(super) struct PendingRequests {
    entries: VecDeque<PendingRequest>,
}

impl PendingRequests {
    /// Takes a request as the frame that will be sent, once or more often.
    pub(super) fn push(&mut self, id: Option<String>, frame: Bytes, settled: CompletionRule) {
        self.entries.push_back(PendingRequest {
            id,
            frame,
            settled,
            sent: false,
            times: 0,
        });
    }

    /// The frames to send now, in order.
    pub(super) fn take_unsent(&mut self) -> Vec<Bytes> {
        let mut frames = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| !entry.sent) {
            entry.sent = true;
            entry.times = entry.times.saturating_add(1);
            frames.push(entry.frame.clone());
        }
        self.entries
            .retain(|entry| entry.settled != CompletionRule::Sent || !entry.sent);
        frames
    }

    /// The connection is lost: what was sent and not settled is sent again. A question that was
    /// sent `MAX_SENT` times is given up; returns the `id` of each.
    pub(super) fn resend(&mut self) -> Vec<String> {
        let mut given_up = Vec::new();
        self.entries.retain_mut(|entry| {
            entry.sent = false;
            let asks = entry.settled == CompletionRule::Answered && entry.times >= MAX_SENT;
            if asks {
                given_up.extend(entry.id.take());
            }
            !asks
        });
        given_up
    }

    /// The request with that `id` is settled, well or badly; says what it waited for.
    pub(super) fn settle(&mut self, id: &str) -> Option<CompletionRule> {
        // Acknowledgements come in the order of the requests, so this looks at the first few.
        let position = self
            .entries
            .iter()
            .position(|entry| entry.sent && entry.id.as_deref() == Some(id))?;
        self.entries.remove(position).map(|entry| entry.settled)
    }

    /// Whether the request with that `id` was not sent, or not on this connection.
    pub(super) fn waits_to_be_sent(&self, id: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| !entry.sent && entry.id.as_deref() == Some(id))
    }

    /// Takes out what was said under a nick that one has no longer and may be recorded or not; the
    /// `id` of each.
    pub(super) fn give_up_sent(&mut self) -> Vec<String> {
        let open = |entry: &PendingRequest| entry.sent && entry.settled == CompletionRule::Acked;
        let (given_up, kept): (VecDeque<PendingRequest>, VecDeque<PendingRequest>) =
            std::mem::take(&mut self.entries)
                .into_iter()
                .partition(open);
        self.entries = kept;
        given_up
            .into_iter()
            .map(|entry| entry.id.unwrap_or_default())
            .collect()
    }

    /// Whether the request with that `id` is a line that is said, and not settled.
    pub(super) fn is_said(&self, id: &str) -> bool {
        let said = |entry: &PendingRequest| entry.settled == CompletionRule::Acked;
        let found = self
            .entries
            .iter()
            .find(|entry| entry.id.as_deref() == Some(id));
        found.is_some_and(said)
    }

    /// The lines that are not known to be recorded.
    pub(super) fn unrecorded(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.settled == CompletionRule::Acked)
            .count()
    }

    /// Whether everything is settled.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether more may be typed.
    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn each_is_sent_once_and_again_only_after_a_loss() {
        let mut waiting = PendingRequests::default();
        waiting.push(Some("1".into()), frame("one"), CompletionRule::Acked);
        waiting.push(None, frame("join"), CompletionRule::Sent);
        waiting.push(Some("2".into()), frame("two"), CompletionRule::Acked);
        assert_eq!(waiting.take_unsent(), ["one", "join", "two"]);
        assert!(waiting.take_unsent().is_empty());
        assert_eq!(waiting.settle("1"), Some(CompletionRule::Acked));
        assert_eq!(waiting.settle("1"), None);
        waiting.push(Some("3".into()), frame("three"), CompletionRule::Acked);
        assert!(waiting.resend().is_empty());
        assert_eq!(waiting.settle("3"), None, "what was not sent has no answer");
        assert_eq!(waiting.take_unsent(), ["two", "three"]);
        assert_eq!(waiting.unrecorded(), 2);
        assert_eq!(waiting.settle("3"), Some(CompletionRule::Acked));
        assert_eq!(waiting.settle("2"), Some(CompletionRule::Acked));
        assert!(waiting.is_empty());
    }

    /// Issue 15, row 29.
    #[test]
    fn a_question_is_not_asked_without_end() {
        let mut waiting = PendingRequests::default();
        waiting.push(Some("1".into()), frame("users"), CompletionRule::Answered);
        waiting.push(Some("2".into()), frame("say"), CompletionRule::Acked);
        for _ in 1..MAX_SENT {
            assert_eq!(waiting.take_unsent(), ["users", "say"]);
            assert!(waiting.resend().is_empty());
        }
        assert_eq!(waiting.take_unsent(), ["users", "say"]);
        assert_eq!(waiting.resend(), ["1"]);
        assert_eq!(waiting.take_unsent(), ["say"]);
    }

    #[test]
    fn the_window_is_bounded() {
        let mut waiting = PendingRequests::default();
        for _ in 0..WINDOW {
            assert!(waiting.has_room());
            waiting.push(None, frame("x"), CompletionRule::Acked);
        }
        assert!(!waiting.has_room());
    }

    #[test]
    fn another_nick_gives_up_what_may_be_recorded() {
        let mut waiting = PendingRequests::default();
        waiting.push(Some("1".into()), frame("one"), CompletionRule::Acked);
        assert_eq!(waiting.take_unsent().len(), 1);
        waiting.push(Some("2".into()), frame("two"), CompletionRule::Acked);
        assert_eq!(waiting.give_up_sent(), ["1"]);
        assert_eq!(waiting.take_unsent(), ["two"]);
    }
}
