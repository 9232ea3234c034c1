//! A person: who is here, and who has gone and may come back.

use std::collections::VecDeque;
use std::sync::Arc;

use chat_proto::{Channel, Nick, Timestamp};

use crate::chat::accounts::AccountId;
use crate::chat::batch::Held;
use crate::chat::command::Token;
use crate::chat::recent::SenderId;
use crate::chat::{ChannelKey, Map, SessionId};

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
    pub sender: SenderId,
    /// Beside the lobby, in the order of entering.
    pub channels: Vec<ChannelKey>,
    /// The last message before the nick was theirs.
    pub since: u64,
    pub former: Vec<Held>,
    /// Which account they have proven to be; they may have taken another nick since.
    pub account: Option<AccountId>,
}

impl User {
    /// The times for which direct messages are theirs.
    pub(super) fn held(&self) -> Vec<Held> {
        let now = Held {
            nick: self.nick.folded_arc(),
            since: self.since,
            until: u64::MAX,
        };
        self.former.iter().cloned().chain([now]).collect()
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

/// Somebody who has gone without a goodbye.
#[derive(Debug)]
pub(super) struct Absent {
    pub token: Token,
    /// Beside the lobby; they may have ceased to exist.
    pub channels: Vec<Channel>,
    pub since: u64,
    pub former: Vec<Held>,
    pub account: Option<AccountId>,
}

/// Everybody who has gone and may come back, by folded nick, until their time is over.
#[derive(Debug, Default)]
pub(super) struct Absence {
    people: Map<Arc<str>, Absent>,
    /// In the order of going; an entry whose token is another one is about an earlier absence.
    until: VecDeque<(Timestamp, Arc<str>, Token)>,
}

impl Absence {
    pub(super) fn add(&mut self, nick: Arc<str>, absent: Absent, until: Timestamp, max: usize) {
        self.until.push_back((until, nick.clone(), absent.token));
        self.people.insert(nick, absent);
        while self.until.len() > max {
            self.drop_first();
        }
    }

    /// Whoever left the nick behind, if they may still come back at `now`.
    pub(super) fn get(&mut self, nick: &str, now: Timestamp) -> Option<&Absent> {
        while self.until.front().is_some_and(|(until, ..)| *until <= now) {
            self.drop_first();
        }
        self.people.get(nick)
    }

    /// As [`Absence::get`]; the nick is somebody's again.
    pub(super) fn take(&mut self, nick: &str, now: Timestamp) -> Option<Absent> {
        self.get(nick, now)?;
        self.people.remove(nick)
    }

    pub(super) fn has(&self, nick: &str) -> bool {
        self.people.contains_key(nick)
    }

    fn drop_first(&mut self) {
        let Some((_, nick, token)) = self.until.pop_front() else {
            return;
        };
        if self
            .people
            .get(&nick)
            .is_some_and(|absent| absent.token == token)
        {
            self.people.remove(&nick);
        }
    }
}
