//! The users who are online, by session, nick and account.

use std::collections::BTreeSet;
use std::ops::Index;
use std::sync::Arc;

use chat_proto::{Nick, Timestamp};
use slab::Slab;

use super::sessions::SessionIndex;
use super::types::{LOBBY, UserKey};
use crate::chat::accounts::AccountId;
use crate::chat::effect::NickTenure;
use crate::chat::state_change::rewind;
use crate::chat::token::Token;
use crate::chat::{ChannelKey, Map, SessionId};
use crate::ip::ClientNetwork;

/// Earlier nicks whose direct messages a user keeps. A further nick takes the place of the oldest.
const PREVIOUS_NICKS_MAX: usize = 16;

/// A user who is online.
#[derive(Debug)]
pub(super) struct User {
    pub session: SessionId,
    pub nick: Nick,
    pub token: Token,
    /// The channels besides the lobby, in the order of entering.
    pub channels: Vec<ChannelKey>,
    /// The last message before the user took the nick.
    pub since: u64,
    pub previous_nicks: Vec<NickTenure>,
    /// The account that the user has authenticated as. The nick may have changed since.
    pub account: Option<AccountId>,
    pub origin: ClientNetwork,
    /// When the user first came online; resumes do not change it.
    pub first_login: Timestamp,
    /// When the user last came online.
    pub last_login: Timestamp,
}

impl User {
    pub(super) fn is_in(&self, channel: ChannelKey) -> bool {
        channel == LOBBY || self.channels.contains(&channel)
    }

    /// Returns all channels of the user, the lobby first.
    pub(super) fn all_channels(&self) -> impl Iterator<Item = ChannelKey> {
        std::iter::once(LOBBY).chain(self.channels.iter().copied())
    }

    /// Returns the nicks of the user, each with the messages during which the user held it.
    pub(super) fn tenures(&self) -> Vec<NickTenure> {
        tenures(&self.nick, self.since, &self.previous_nicks)
    }

    fn take_nick(&mut self, nick: Nick, last_seq: u64, since: u64) {
        if nick != self.nick {
            if self.previous_nicks.len() == PREVIOUS_NICKS_MAX {
                self.previous_nicks.remove(0);
            }
            self.previous_nicks.push(NickTenure {
                nick: self.nick.folded_arc(),
                since: self.since,
                until: last_seq,
            });
            self.since = since;
        }
        self.nick = nick;
    }
}

/// All users who are online. Every user is found by the session and by the folded nick.
#[derive(Debug, Default)]
pub(super) struct Users {
    all: Slab<User>,
    sessions: SessionIndex,
    by_nick: Map<Arc<str>, UserKey>,
    /// The users who have authenticated as an account.
    by_account: BTreeSet<(AccountId, UserKey)>,
}

impl Index<UserKey> for Users {
    type Output = User;

    fn index(&self, key: UserKey) -> &User {
        &self.all[key]
    }
}

impl Users {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns a bound of all keys.
    pub(super) fn capacity(&self) -> usize {
        self.all.capacity()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (UserKey, &User)> {
        self.all.iter()
    }

    /// Returns the user of a session.
    pub(super) fn at(&self, session: SessionId) -> Option<UserKey> {
        self.sessions.get(session)
    }

    /// Returns the user of a folded nick.
    pub(super) fn find(&self, nick: &str) -> Option<UserKey> {
        self.by_nick.get(nick).copied()
    }

    /// Returns the users who have authenticated as an account, under any nick.
    pub(super) fn with_account(&self, id: AccountId) -> Vec<UserKey> {
        let theirs = self.by_account.range((id, 0)..=(id, UserKey::MAX));
        theirs.map(|&(_, user)| user).collect()
    }

    /// Adds a user whose session and nick no other user has.
    pub(super) fn insert(&mut self, user: User) -> UserKey {
        let (session, nick, account) = (user.session, user.nick.folded_arc(), user.account);
        let key = self.all.insert(user);
        self.by_account.extend(account.map(|id| (id, key)));
        self.by_nick.insert(nick, key);
        self.sessions.insert(session, key);
        key
    }

    pub(super) fn remove(&mut self, key: UserKey) -> User {
        let user = self.all.remove(key);
        self.sessions.remove(user.session);
        if let Some(id) = user.account {
            self.by_account.remove(&(id, key));
        }
        self.by_nick.remove(user.nick.folded());
        user
    }

    /// Moves a user to another session, and returns the session before.
    pub(super) fn replace_session(&mut self, key: UserKey, session: SessionId) -> SessionId {
        let before = std::mem::replace(&mut self.all[key].session, session);
        self.sessions.remove(before);
        self.sessions.insert(session, key);
        before
    }

    /// Ends the session of a user who is about to be removed.
    pub(super) fn end_session(&mut self, session: SessionId) -> Option<UserKey> {
        self.sessions.remove(session)
    }

    /// Gives a user a nick that no other user has, when `last_seq` is the last message. The direct
    /// messages of the nick after `since` are the user's.
    pub(super) fn rename(&mut self, key: UserKey, nick: Nick, last_seq: u64, since: u64) {
        let user = &mut self.all[key];
        if nick != user.nick {
            self.by_nick.remove(user.nick.folded());
            self.by_nick.insert(nick.folded_arc(), key);
        }
        user.take_nick(nick, last_seq, since);
    }

    pub(super) fn set_account(&mut self, key: UserKey, account: Option<AccountId>) {
        let before = std::mem::replace(&mut self.all[key].account, account);
        self.by_account.extend(account.map(|id| (id, key)));
        if let Some(id) = before.filter(|_| before != account) {
            self.by_account.remove(&(id, key));
        }
    }

    /// Gives a user another token, and returns the token before.
    pub(super) fn replace_token(&mut self, key: UserKey, token: Token) -> Token {
        std::mem::replace(&mut self.all[key].token, token)
    }

    pub(super) fn set_origin(&mut self, key: UserKey, origin: ClientNetwork) {
        self.all[key].origin = origin;
    }

    pub(super) fn enter(&mut self, key: UserKey, channel: ChannelKey) {
        if channel != LOBBY {
            self.all[key].channels.push(channel);
        }
    }

    pub(super) fn leave(&mut self, key: UserKey, channel: ChannelKey) {
        self.all[key].channels.retain(|&other| other != channel);
    }

    /// Sets back the numbers of the user of a folded nick: no message after `last` is recorded.
    pub(super) fn rewind(&mut self, nick: &str, last: u64) {
        if let Some(&key) = self.by_nick.get(nick) {
            let user = &mut self.all[key];
            rewind(&mut user.since, &mut user.previous_nicks, last);
        }
    }
}

pub(super) fn tenures(nick: &Nick, since: u64, previous_nicks: &[NickTenure]) -> Vec<NickTenure> {
    let now = NickTenure {
        nick: nick.folded_arc(),
        since,
        until: u64::MAX,
    };
    previous_nicks.iter().cloned().chain([now]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory grows with the number of users, not with rare fields.
    #[test]
    fn a_user_is_small() {
        assert!(size_of::<User>() <= 152, "{}", size_of::<User>());
    }
}
