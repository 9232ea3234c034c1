//! A person: who is here, and who has gone and may come back.

use std::collections::VecDeque;
use std::sync::Arc;

use chat_proto::{Channel, Nick, Timestamp};

use crate::chat::accounts::AccountId;
use crate::chat::batch::Held;
use crate::chat::command::{Digest, Token};
use crate::chat::{ChannelKey, Map, SessionId};
use crate::netblock::Origin;

/// The place of a user who is here.
pub(super) type UserKey = usize;

/// The nicks that somebody had before the present one and whose direct messages are still theirs; the
/// oldest is given up beyond this.
const FORMER_MAX: usize = 16;

/// Somebody who is here.
#[derive(Debug)]
pub(super) struct User {
    pub session: SessionId,
    pub nick: Nick,
    pub token: Token,
    /// Beside the lobby, in the order of entering.
    pub channels: Vec<ChannelKey>,
    /// The last message before the nick was theirs.
    pub since: u64,
    pub former: Vec<Held>,
    /// Which account they have proven to be; they may have taken another nick since.
    pub account: Option<AccountId>,
    pub origin: Origin,
}

impl User {
    /// The times for which direct messages are theirs.
    pub(super) fn held(&self) -> Vec<Held> {
        held(&self.nick, self.since, &self.former)
    }

    /// Has `nick` from now on, when `last_seq` is the last message, and what was said directly to or
    /// by it after `since`.
    pub(super) fn take_nick(&mut self, nick: Nick, last_seq: u64, since: u64) {
        if nick != self.nick {
            if self.former.len() == FORMER_MAX {
                self.former.remove(0);
            }
            self.former.push(Held {
                nick: self.nick.folded_arc(),
                since: self.since,
                until: last_seq,
            });
            self.since = since;
        }
        self.nick = nick;
    }
}

fn held(nick: &Nick, since: u64, former: &[Held]) -> Vec<Held> {
    let now = Held {
        nick: nick.folded_arc(),
        since,
        until: u64::MAX,
    };
    former.iter().cloned().chain([now]).collect()
}

/// Somebody who has gone without a goodbye.
#[derive(Debug)]
pub(super) struct Absent {
    pub digest: Digest,
    pub nick: Nick,
    /// Beside the lobby; they may have ceased to exist.
    pub channels: Vec<Channel>,
    pub since: u64,
    pub former: Vec<Held>,
    pub account: Option<AccountId>,
}

#[cfg(test)]
impl Absent {
    /// The times for which direct messages are theirs.
    pub(super) fn held(&self) -> Vec<Held> {
        held(&self.nick, self.since, &self.former)
    }
}

/// Everybody who has gone and may come back, by folded nick, until their time is over.
#[derive(Debug, Default)]
pub(super) struct Absence {
    people: Map<Arc<str>, (Timestamp, Absent)>,
    /// In the order of going; an entry whose time is another one is about an earlier absence, of the same
    /// token maybe: that stays the same over a resume.
    until: VecDeque<(Timestamp, Arc<str>)>,
}

impl Absence {
    /// Keeps somebody in mind; returns whose tokens are forgotten for it.
    pub(super) fn add(&mut self, absent: Absent, until: Timestamp, max: usize) -> Vec<Digest> {
        let (digest, nick) = (absent.digest, absent.nick.folded_arc());
        self.until.push_back((until, nick.clone()));
        let before = self.people.insert(nick, (until, absent));
        let mut forgotten: Vec<_> = before
            .map(|(_, before)| before.digest)
            .filter(|&before| before != digest)
            .into_iter()
            .collect();
        while self.until.len() > max {
            forgotten.extend(self.drop_first());
        }
        forgotten
    }

    /// Forgets whose time is over at `now`, and returns their tokens.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Digest> {
        let mut forgotten = Vec::new();
        while self.until.front().is_some_and(|(until, ..)| *until <= now) {
            forgotten.extend(self.drop_first());
        }
        forgotten
    }

    pub(super) fn get(&self, nick: &str) -> Option<&Absent> {
        self.people.get(nick).map(|(_, absent)| absent)
    }

    pub(super) fn get_mut(&mut self, nick: &str) -> Option<&mut Absent> {
        self.people.get_mut(nick).map(|(_, absent)| absent)
    }

    pub(super) fn take(&mut self, nick: &str) -> Option<Absent> {
        self.people.remove(nick).map(|(_, absent)| absent)
    }

    /// Takes out everybody that `is_one` is true of, and returns their tokens.
    pub(super) fn take_all(&mut self, is_one: impl Fn(&str, &Absent) -> bool) -> Vec<Digest> {
        let taken = self
            .people
            .extract_if(|nick, (_, absent)| is_one(nick, absent));
        taken.map(|(_, (_, absent))| absent.digest).collect()
    }

    fn drop_first(&mut self) -> Option<Digest> {
        let (until, nick) = self.until.pop_front()?;
        let theirs = self.people.get(&nick)?.0 == until;
        if !theirs {
            return None;
        }
        self.take(&nick).map(|absent| absent.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory grows with the people, not with what few of them have.
    #[test]
    fn a_user_is_small() {
        assert!(size_of::<User>() <= 136, "{}", size_of::<User>());
    }
}
