//! The ids of the last messages, by which saying something again is safe (protocol, What a message
//! promises, 4).
//!
//! An id belongs to its sender, and a sender is a person, not a nick: who takes another nick keeps
//! what was said, and who takes a nick that was given up by its owner starts anew. Over a restart only
//! the nick is known, so there the two are the same.

use std::collections::VecDeque;
use std::sync::Arc;

use chat_proto::Timestamp;

use super::Map;
use super::command::Id;

/// How many recorded messages back an id is remembered.
pub const WINDOW: u64 = 10_000;

/// Who says something, whatever the nick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SenderId(u64);

/// Under which number and when something was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub seq: u64,
    pub time: Timestamp,
}

/// What was said with an id lately, and by whom.
#[derive(Debug, Default)]
pub struct Recent {
    stamps: Map<(SenderId, Id), Stamp>,
    /// The same in the order of `seq`; at most [`WINDOW`] entries.
    order: VecDeque<(u64, SenderId, Id)>,
    /// Who has a folded nick now or had it last, while there is an entry of theirs.
    senders: Map<Arc<str>, SenderId>,
    /// Entries of a sender, and one for being here.
    uses: Map<SenderId, u32>,
    next_sender: u64,
}

impl Recent {
    /// The sender that says things as `nick` from now on; [`Recent::release`] ends it.
    pub fn acquire(&mut self, nick: &Arc<str>) -> SenderId {
        let sender = *self.senders.entry(nick.clone()).or_insert_with(|| {
            self.next_sender += 1;
            SenderId(self.next_sender)
        });
        *self.uses.entry(sender).or_default() += 1;
        sender
    }

    /// The sender has gone.
    pub fn release(&mut self, nick: &Arc<str>, sender: SenderId) {
        self.drop_use(sender, Some(nick));
    }

    /// The sender goes on as `to`; `from` is free for somebody who has said nothing yet.
    pub fn rename(&mut self, sender: SenderId, from: &Arc<str>, to: Arc<str>) {
        self.senders.remove(from);
        self.senders.insert(to, sender);
    }

    /// What `sender` said with that id, if it is one of the last [`WINDOW`] messages up to `last_seq`.
    pub fn find(&self, sender: SenderId, id: &Id, last_seq: u64) -> Option<Stamp> {
        // A key of borrowed parts would need a wrapper type; an Arc costs one count.
        self.stamps
            .get(&(sender, id.clone()))
            .copied()
            .filter(|stamp| stamp.seq + WINDOW > last_seq)
    }

    /// `sender` says something with that id, and everything more than [`WINDOW`] messages ago is forgotten.
    pub fn remember(&mut self, sender: SenderId, id: Id, stamp: Stamp) {
        while self
            .order
            .front()
            .is_some_and(|(seq, ..)| seq + WINDOW <= stamp.seq)
        {
            if let Some((_, sender, id)) = self.order.pop_front() {
                self.stamps.remove(&(sender, id));
                self.drop_use(sender, None);
            }
        }
        self.stamps.insert((sender, id.clone()), stamp);
        self.order.push_back((stamp.seq, sender, id));
        *self.uses.entry(sender).or_default() += 1;
    }

    /// Nothing from `seq` on has been recorded.
    pub fn forget_from(&mut self, seq: u64) {
        while self.order.back().is_some_and(|(last, ..)| *last >= seq) {
            if let Some((_, sender, id)) = self.order.pop_back() {
                self.stamps.remove(&(sender, id));
                self.drop_use(sender, None);
            }
        }
    }

    fn drop_use(&mut self, sender: SenderId, nick: Option<&Arc<str>>) {
        let Some(uses) = self.uses.get_mut(&sender) else {
            return;
        };
        *uses -= 1;
        if *uses > 0 {
            return;
        }
        self.uses.remove(&sender);
        match nick {
            Some(nick) => {
                self.senders.remove(nick);
            }
            // Rare: the last word of somebody who has gone is 10,000 messages old.
            None => self.senders.retain(|_, other| *other != sender),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seq: u64) -> Stamp {
        Stamp {
            seq,
            time: Timestamp::from_millis(0),
        }
    }

    fn nick(name: &str) -> Arc<str> {
        name.into()
    }

    #[test]
    fn an_id_belongs_to_its_sender_and_ages() {
        let mut recent = Recent::default();
        let (ana, luis) = (recent.acquire(&nick("ana")), recent.acquire(&nick("luis")));
        recent.remember(ana, "k".into(), stamp(1));
        assert_eq!(recent.find(ana, &"k".into(), WINDOW), Some(stamp(1)));
        assert_eq!(recent.find(ana, &"k".into(), WINDOW + 1), None);
        assert_eq!(recent.find(luis, &"k".into(), 1), None);
        recent.remember(luis, "x".into(), stamp(WINDOW));
        assert!(recent.find(ana, &"k".into(), 1).is_some());
        recent.remember(luis, "y".into(), stamp(WINDOW + 1));
        assert_eq!(recent.find(ana, &"k".into(), 1), None);
    }

    #[test]
    fn what_was_not_recorded_is_forgotten() {
        let mut recent = Recent::default();
        let ana = recent.acquire(&nick("ana"));
        for seq in 1..=3 {
            recent.remember(ana, seq.to_string().into(), stamp(seq));
        }
        recent.forget_from(2);
        assert_eq!(
            ["1", "2", "3"].map(|id| recent.find(ana, &id.into(), 3).is_some()),
            [true, false, false]
        );
    }

    #[test]
    fn a_sender_keeps_its_words_over_another_nick_and_over_absence() {
        let mut recent = Recent::default();
        let ana = recent.acquire(&nick("ana"));
        recent.remember(ana, "k".into(), stamp(1));
        recent.rename(ana, &nick("ana"), nick("anita"));
        let next = recent.acquire(&nick("ana"));
        assert_eq!(
            recent.find(next, &"k".into(), 1),
            None,
            "a new owner of the nick has said nothing"
        );
        recent.release(&nick("anita"), ana);
        assert_eq!(
            recent.acquire(&nick("anita")),
            ana,
            "back by nick alone, as after a restart"
        );
    }

    #[test]
    fn who_has_gone_leaves_nothing_once_the_words_are_old() {
        let mut recent = Recent::default();
        let ana = recent.acquire(&nick("ana"));
        recent.remember(ana, "k".into(), stamp(1));
        recent.release(&nick("ana"), ana);
        let luis = recent.acquire(&nick("luis"));
        recent.remember(luis, "k".into(), stamp(WINDOW + 1));
        assert_eq!((recent.senders.len(), recent.uses.len()), (1, 1));
        recent.release(&nick("luis"), luis);
        recent.forget_from(0);
        assert_eq!(
            (recent.senders.len(), recent.uses.len(), recent.stamps.len()),
            (0, 0, 0)
        );
    }
}
