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

/// What was said with an id lately, and by whom. Who has said nothing takes no room here.
#[derive(Debug, Default)]
pub struct Recent {
    stamps: Map<(SenderId, Id), Stamp>,
    /// The same in the order of `seq`; at most [`WINDOW`] entries.
    order: VecDeque<(u64, SenderId, Id)>,
    speakers: Map<SenderId, Speaker>,
    /// Who of them has a folded nick now, or had it last.
    by_nick: Map<Arc<str>, SenderId>,
    last_sender: u64,
}

/// A sender of whom something is remembered.
#[derive(Debug)]
struct Speaker {
    entries: u32,
    /// Folded, as in `by_nick` unless somebody else has it now.
    nick: Arc<str>,
}

impl Recent {
    /// The sender that says things as `nick` from now on.
    pub fn sender(&mut self, nick: &str) -> SenderId {
        self.by_nick.get(nick).copied().unwrap_or_else(|| {
            self.last_sender += 1;
            SenderId(self.last_sender)
        })
    }

    /// The sender goes on as `to`; `from` is free for somebody who has said nothing yet.
    pub fn rename(&mut self, sender: SenderId, from: &str, to: &Arc<str>) {
        self.by_nick.remove(from);
        match self.speakers.get_mut(&sender) {
            Some(speaker) => {
                speaker.nick = to.clone();
                self.by_nick.insert(to.clone(), sender);
            }
            // Whoever left `to` behind has lost it.
            None => {
                self.by_nick.remove(to);
            }
        }
    }

    /// What `sender` said with that id, if it is one of the last [`WINDOW`] messages up to `last_seq`.
    pub fn find(&self, sender: SenderId, id: &Id, last_seq: u64) -> Option<Stamp> {
        // A key of borrowed parts would need a wrapper type; an Arc costs one count.
        self.stamps
            .get(&(sender, id.clone()))
            .copied()
            .filter(|stamp| stamp.seq + WINDOW > last_seq)
    }

    /// `sender`, whose nick is `nick`, says something with that id, and everything more than [`WINDOW`]
    /// messages ago is forgotten.
    pub fn remember(&mut self, sender: SenderId, nick: &str, id: Id, stamp: Stamp) {
        while self
            .order
            .front()
            .is_some_and(|(seq, ..)| seq + WINDOW <= stamp.seq)
        {
            if let Some((_, sender, id)) = self.order.pop_front() {
                self.forget(sender, id);
            }
        }
        self.stamps.insert((sender, id.clone()), stamp);
        self.order.push_back((stamp.seq, sender, id));
        let speaker = self.speakers.entry(sender).or_insert_with(|| {
            let nick: Arc<str> = nick.into();
            self.by_nick.insert(nick.clone(), sender);
            Speaker { entries: 0, nick }
        });
        speaker.entries += 1;
    }

    /// Nothing from `seq` on has been recorded.
    pub fn forget_from(&mut self, seq: u64) {
        while self.order.back().is_some_and(|(last, ..)| *last >= seq) {
            if let Some((_, sender, id)) = self.order.pop_back() {
                self.forget(sender, id);
            }
        }
    }

    fn forget(&mut self, sender: SenderId, id: Id) {
        self.stamps.remove(&(sender, id));
        let Some(speaker) = self.speakers.get_mut(&sender) else {
            return;
        };
        speaker.entries -= 1;
        if speaker.entries == 0
            && let Some(Speaker { nick, .. }) = self.speakers.remove(&sender)
            && self.by_nick.get(&nick) == Some(&sender)
        {
            self.by_nick.remove(&nick);
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

    #[test]
    fn an_id_belongs_to_its_sender_and_ages() {
        let mut recent = Recent::default();
        let (ana, luis) = (recent.sender("ana"), recent.sender("luis"));
        recent.remember(ana, "ana", "k".into(), stamp(1));
        assert_eq!(recent.find(ana, &"k".into(), WINDOW), Some(stamp(1)));
        assert_eq!(recent.find(ana, &"k".into(), WINDOW + 1), None);
        assert_eq!(recent.find(luis, &"k".into(), 1), None);
        recent.remember(luis, "luis", "x".into(), stamp(WINDOW));
        assert!(recent.find(ana, &"k".into(), 1).is_some());
        recent.remember(luis, "luis", "y".into(), stamp(WINDOW + 1));
        assert_eq!(recent.find(ana, &"k".into(), 1), None);
    }

    #[test]
    fn what_was_not_recorded_is_forgotten() {
        let mut recent = Recent::default();
        let ana = recent.sender("ana");
        for seq in 1..=3 {
            recent.remember(ana, "ana", seq.to_string().into(), stamp(seq));
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
        let ana = recent.sender("ana");
        recent.remember(ana, "ana", "k".into(), stamp(1));
        recent.rename(ana, "ana", &"anita".into());
        let next = recent.sender("ana");
        assert_eq!(
            recent.find(next, &"k".into(), 1),
            None,
            "a new owner of the nick has said nothing"
        );
        assert_eq!(
            recent.sender("anita"),
            ana,
            "back by nick alone, as after a restart"
        );
    }

    #[test]
    fn who_takes_a_nick_that_was_left_behind_has_said_nothing() {
        let mut recent = Recent::default();
        let gone = recent.sender("ana");
        recent.remember(gone, "ana", "k".into(), stamp(1));
        let luis = recent.sender("luis");
        recent.rename(luis, "luis", &"ana".into());
        assert_ne!(recent.sender("ana"), gone);
        assert_eq!(recent.find(luis, &"k".into(), 1), None);
        recent.remember(luis, "ana", "k".into(), stamp(2));
        // What is forgotten of who had it before takes nothing from who has it now.
        let eva = recent.sender("eva");
        recent.remember(eva, "eva", "k".into(), stamp(WINDOW + 1));
        assert_eq!(recent.sender("ana"), luis);
    }

    #[test]
    fn there_is_nothing_of_who_said_nothing_lately() {
        let mut recent = Recent::default();
        let ana = recent.sender("ana");
        recent.remember(ana, "ana", "k".into(), stamp(1));
        let luis = recent.sender("luis");
        recent.remember(luis, "luis", "k".into(), stamp(WINDOW + 1));
        assert_ne!(recent.sender("ana"), ana);
        let sizes = |recent: &Recent| {
            let people = (recent.by_nick.len(), recent.speakers.len());
            (people, recent.stamps.len())
        };
        assert_eq!(sizes(&recent), ((1, 1), 1));
        recent.forget_from(0);
        assert_eq!(sizes(&recent), ((0, 0), 0));
    }
}
