//! The ids of the last messages, which make it safe to repeat a message (protocol, What a message
//! promises, 4).
//!
//! An id is stored with the nick of its sender. A user repeats an id only if the message lies in
//! one of the user's tenures of that nick, which is also the rule for direct messages. Another user
//! of the nick starts without ids. A restart rebuilds the window from the history.

use std::collections::VecDeque;
use std::sync::Arc;

use chat_proto::Timestamp;

use super::Map;
use super::token::Id;

/// The number of recorded messages during which an id is known.
pub const WINDOW: u64 = 10_000;

/// The number and time of a recorded message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedAt {
    pub seq: u64,
    pub time: Timestamp,
}

/// The id of a recorded message, for the start of a server.
#[derive(Debug)]
pub struct RecentMessageId {
    /// Folded.
    pub from: Arc<str>,
    pub id: Id,
    pub stamp: RecordedAt,
}

/// A folded nick and an id.
type Key = (Arc<str>, Id);

/// The ids of the last messages, by sender.
#[derive(Debug, Default)]
pub struct MessageIdWindow {
    newest: Map<Key, RecordedAt>,
    /// Earlier messages of other users of the nick with an equal id, oldest first.
    earlier: Map<Key, VecDeque<RecordedAt>>,
    /// All ids in the order of `seq`; at most [`WINDOW`] entries.
    order: VecDeque<(u64, Key)>,
}

impl MessageIdWindow {
    /// Returns the last message after `since`, up to `until`, that `nick` sent with that id, if it
    /// is one of the last [`WINDOW`] messages up to `last_seq`.
    pub fn find(
        &self,
        nick: Arc<str>,
        id: &Id,
        (since, until): (u64, u64),
        last_seq: u64,
    ) -> Option<RecordedAt> {
        // A key of borrowed parts would need a wrapper type; the `Arc` costs one count.
        let key = (nick, id.clone());
        let newest = self.newest.get(&key)?;
        let stamp = if newest.seq <= until {
            newest
        } else {
            let earlier = self.earlier.get(&key)?;
            let behind = earlier.partition_point(|stamp| stamp.seq <= until);
            earlier.get(behind.checked_sub(1)?)?
        };
        (stamp.seq > since && stamp.seq + WINDOW > last_seq).then_some(*stamp)
    }

    /// Adds a message, and removes those more than [`WINDOW`] messages before it.
    pub fn remember(&mut self, nick: Arc<str>, id: Id, stamp: RecordedAt) {
        while self
            .order
            .front()
            .is_some_and(|(seq, _)| seq + WINDOW <= stamp.seq)
        {
            self.forget_oldest();
        }
        let key = (nick, id);
        self.order.push_back((stamp.seq, key.clone()));
        if let Some(before) = self.newest.insert(key, stamp)
            && let Some((_, key)) = self.order.back()
        {
            let earlier = self.earlier.entry(key.clone()).or_default();
            earlier.push_back(before);
        }
    }

    /// Removes message `seq` and later ones, which are not recorded.
    pub fn forget_from(&mut self, seq: u64) {
        while self.order.back().is_some_and(|(last, _)| *last >= seq) {
            self.forget_newest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, key)) = self.order.pop_front() else {
            return;
        };
        match self.earlier.get_mut(&key) {
            Some(earlier) => {
                earlier.pop_front();
                if earlier.is_empty() {
                    self.earlier.remove(&key);
                }
            }
            None => drop(self.newest.remove(&key)),
        }
    }

    fn forget_newest(&mut self) {
        let Some((_, key)) = self.order.pop_back() else {
            return;
        };
        match self.earlier.get_mut(&key).and_then(VecDeque::pop_back) {
            Some(before) => {
                if self.earlier.get(&key).is_some_and(VecDeque::is_empty) {
                    self.earlier.remove(&key);
                }
                self.newest.insert(key, before);
            }
            None => drop(self.newest.remove(&key)),
        }
    }
}

#[cfg(test)]
impl MessageIdWindow {
    /// Returns all ids in the order of their messages.
    pub fn sorted(&self) -> Vec<(u64, Key)> {
        assert_eq!(
            self.order.len(),
            self.newest.len() + self.earlier.values().map(VecDeque::len).sum::<usize>()
        );
        self.order.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tenure of a user who has always held the nick.
    const ALWAYS: (u64, u64) = (0, u64::MAX);

    fn stamp(seq: u64) -> RecordedAt {
        RecordedAt {
            seq,
            time: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn an_id_belongs_to_its_nick_and_ages() {
        let mut recent = MessageIdWindow::default();
        recent.remember("ana".into(), "k".into(), stamp(1));
        let find = |recent: &MessageIdWindow, nick: &str, id: &str, last_seq| {
            recent.find(nick.into(), &id.into(), ALWAYS, last_seq)
        };
        assert_eq!(find(&recent, "ana", "k", WINDOW), Some(stamp(1)));
        assert_eq!(find(&recent, "ana", "k", WINDOW + 1), None);
        assert_eq!(find(&recent, "luis", "k", 1), None);
        recent.remember("luis".into(), "x".into(), stamp(WINDOW));
        assert!(find(&recent, "ana", "k", 1).is_some());
        recent.remember("luis".into(), "y".into(), stamp(WINDOW + 1));
        assert_eq!(find(&recent, "ana", "k", 1), None);
    }

    #[test]
    fn an_id_counts_for_who_had_the_nick_then() {
        let mut recent = MessageIdWindow::default();
        for seq in [2, 5, 9] {
            recent.remember("ana".into(), "k".into(), stamp(seq));
        }
        let find = |recent: &MessageIdWindow, since, until| {
            recent
                .find("ana".into(), &"k".into(), (since, until), 9)
                .map(|stamp| stamp.seq)
        };
        assert_eq!(find(&recent, 0, 1), None);
        assert_eq!(find(&recent, 0, 4), Some(2));
        assert_eq!(find(&recent, 4, 8), Some(5));
        assert_eq!(find(&recent, 5, 8), None);
        assert_eq!(find(&recent, 8, u64::MAX), Some(9));
        assert_eq!(find(&recent, 9, u64::MAX), None);
        recent.forget_from(9);
        assert_eq!(find(&recent, 8, u64::MAX), None);
        assert_eq!(find(&recent, 4, u64::MAX), Some(5));
        assert_eq!(find(&recent, 0, 4), Some(2));
    }

    #[test]
    fn what_was_not_recorded_is_forgotten() {
        let mut recent = MessageIdWindow::default();
        for seq in 1..=3 {
            recent.remember("ana".into(), seq.to_string().into(), stamp(seq));
        }
        recent.forget_from(2);
        let known = |id: &str| recent.find("ana".into(), &id.into(), ALWAYS, 3).is_some();
        assert_eq!(["1", "2", "3"].map(known), [true, false, false]);
    }

    #[test]
    fn there_is_nothing_of_what_was_said_long_ago() {
        let sizes = |recent: &MessageIdWindow| {
            [
                recent.newest.len(),
                recent.earlier.len(),
                recent.order.len(),
            ]
        };
        let mut recent = MessageIdWindow::default();
        for seq in [1, 2, 3, WINDOW] {
            recent.remember("ana".into(), "k".into(), stamp(seq));
        }
        assert_eq!(sizes(&recent), [1, 1, 4]);
        recent.remember("luis".into(), "k".into(), stamp(WINDOW + 3));
        assert_eq!(sizes(&recent), [2, 0, 2]);
        recent.forget_from(0);
        assert_eq!(sizes(&recent), [0, 0, 0]);
    }
}
