//! What was missed while the connection was away: held until it is known how much it is, then shown
//! in order.

use std::collections::BTreeMap;
use std::time::Duration;

use actix::{AsyncContext as _, Context};
use chat_proto::Message;

use super::Session;
use crate::text::wording::count;
use crate::tui::event::SessionEvent;

/// How long the rest of it is waited for while nothing comes; then what has come is announced.
const PATIENCE: Duration = Duration::from_secs(2);

/// The memory that messages may take while the rest is waited for, roughly: several times what a
/// server sends again by default. A server that sends more without an end is given up.
const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;

/// What a message takes in memory besides its texts, roughly.
const OVERHEAD: usize = 256;

/// Returns about how much memory a message takes.
pub(super) fn size(message: &Message<'_>) -> usize {
    let id = message.id.as_ref().map_or(0, |id| id.len());
    OVERHEAD + message.from.len() + message.to.len() + message.text.len() + id
}

/// What the server sends again, and what the history of channels that had to be joined again has.
#[derive(Debug)]
pub(super) struct ReplayProgress {
    /// The last message recorded before one was back: later ones are news.
    until: u64,
    /// The `id` of a ping that was sent behind `hello`, whose answer comes behind the replay;
    /// `None` when it has come.
    barrier: Option<String>,
    /// Pages of history that have not come.
    pages: usize,
    /// By number: the message, and whether it was missed or has just been said.
    held: BTreeMap<u64, (Message<'static>, bool)>,
    /// The last message seen before.
    after: u64,
    /// About how much memory those take.
    bytes: usize,
    /// There was more than the server sends again.
    gap: bool,
    /// The same for pages: of which channel, and the last message that is here.
    holes: Vec<(String, u64)>,
}

impl ReplayProgress {
    /// It is waited for: up to that message, to the answer to that ping, and for so many pages.
    pub(super) fn new(after: u64, until: u64, barrier: String, pages: usize, gap: bool) -> Self {
        Self {
            after,
            until,
            barrier: Some(barrier),
            pages,
            held: BTreeMap::new(),
            bytes: 0,
            gap,
            holes: Vec::new(),
        }
    }

    /// A message that was delivered. What comes behind the last one that was recorded before one
    /// was back is news, and the replay is over.
    fn delivered(&mut self, message: Message<'static>) {
        let seq = message.seq;
        if seq >= self.until {
            self.barrier = None;
        }
        self.bytes += size(&message);
        self.held.insert(seq, (message, seq <= self.until));
    }

    /// Messages of a page of history; those that were delivered too are there once.
    pub(super) fn page(
        &mut self,
        with: &str,
        messages: impl IntoIterator<Item = Message<'static>>,
        more: bool,
    ) {
        self.pages = self.pages.saturating_sub(1);
        let mut last = 0;
        for message in messages {
            last = message.seq;
            self.bytes += size(&message);
            self.held.entry(message.seq).or_insert((message, true));
        }
        if more {
            self.holes.push((with.to_owned(), last));
        }
    }

    /// Returns whether it takes more memory than a replay may.
    pub(super) fn is_too_much(&self) -> bool {
        self.bytes > MAX_HELD_BYTES
    }

    fn is_complete(&self) -> bool {
        self.barrier.is_none() && self.pages == 0
    }
}

impl Session {
    /// Looks again later; announces what was missed if nothing more of it has come meanwhile.
    pub(super) fn wait_for_replay(&mut self, last: Option<[usize; 2]>, ctx: &mut Context<Self>) {
        let Some(replay) = &self.replay else {
            return;
        };
        let now = [replay.held.len(), replay.pages];
        if last == Some(now) {
            return self.announce_replay();
        }
        ctx.run_later(PATIENCE, move |session, ctx| {
            session.wait_for_replay(Some(now), ctx);
        });
    }

    /// Announces it if all of it is here.
    pub(super) fn replay_grew(&mut self) {
        if self
            .replay
            .as_ref()
            .is_some_and(ReplayProgress::is_complete)
        {
            self.announce_replay();
        }
    }

    /// The connection is lost: shows what has come. Without any of it the next connection brings
    /// all.
    pub(super) fn cut_replay(&mut self) {
        let empty = |replay: &ReplayProgress| replay.held.is_empty() && !replay.is_complete();
        if self.replay.as_ref().is_some_and(empty) {
            self.replay = None;
        }
        self.announce_replay();
    }

    /// Shows how much was missed, and it.
    pub(super) fn announce_replay(&mut self) {
        let Some(replay) = self.replay.take() else {
            return;
        };
        let missed = replay.held.values().filter(|(_, missed)| *missed).count();
        // In the full screen it is seen that nothing was.
        if missed > 0 || self.transcript.tui().is_none() {
            self.transcript
                .notice(&format!("back, {} missed", count(missed, "message")));
        }
        if replay.gap || !replay.holes.is_empty() {
            let notice = "more was missed than the server sends again: /history has the rest";
            self.transcript.notice(notice);
        }
        let after = replay.after;
        // A page may have older messages than the server sent again; these are in the right place.
        let first = replay.held.keys().next().copied();
        let before = first.unwrap_or(replay.until + 1);
        for (seq, (message, missed)) in replay.held {
            self.seen = self.seen.max(seq);
            self.show(message, !missed);
        }
        let all = replay.gap.then_some((None, after, Some(before)));
        let holes = replay.holes.into_iter();
        let holes = holes.map(|(with, last)| (Some(with), last.max(after), None));
        for (with, after, before) in all.into_iter().chain(holes) {
            self.transcript.tell(|| SessionEvent::Gap {
                with,
                after,
                before,
            });
        }
    }

    /// A message is shown once.
    pub(super) fn message(&mut self, message: Message<'static>) {
        if message.seq <= self.seen {
            log::debug!("message {} came again", message.seq);
            return;
        }
        self.seen = message.seq;
        match &mut self.replay {
            None => self.show(message, true),
            Some(replay) => {
                replay.delivered(message);
                self.replay_grew();
            }
        }
    }

    /// The answer to a ping, perhaps to the one behind `hello`.
    pub(super) fn pong_came(&mut self, id: Option<&str>) {
        if let Some(replay) = &mut self.replay
            && id.is_some()
            && id == replay.barrier.as_deref()
        {
            replay.barrier = None;
            self.replay_grew();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Timestamp;

    fn message(seq: u64) -> Message<'static> {
        Message {
            seq,
            time: Timestamp::from_millis(0),
            from: "ana".into(),
            to: "#lobby".into(),
            text: "hola".into(),
            id: None,
        }
    }

    #[test]
    fn it_is_complete_when_all_parts_are_here() {
        let mut replay = ReplayProgress::new(1, 5, "b".into(), 1, false);
        replay.delivered(message(2));
        assert!(!replay.is_complete());
        replay.delivered(message(5));
        assert!(!replay.is_complete(), "a page is not here");
        replay.delivered(message(7));
        replay.page("#rust", [message(3), message(6), message(7)], true);
        assert!(replay.is_complete());
        assert_eq!(replay.holes, [("#rust".to_owned(), 7)]);
        let held: Vec<(u64, bool)> = replay
            .held
            .iter()
            .map(|(seq, (_, missed))| (*seq, *missed))
            .collect();
        assert_eq!(
            held,
            [(2, true), (3, true), (5, true), (6, true), (7, false)]
        );
    }
}
