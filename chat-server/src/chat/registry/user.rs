//! A person: who is here, and who has gone and may come back.

use chat_proto::{Nick, Timestamp};

use crate::chat::accounts::AccountId;
use crate::chat::batch::Held;
use crate::chat::token::Token;
use crate::chat::{ChannelKey, SessionId};
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
    /// When the user came first; resumes do not change it.
    pub arrived: Timestamp,
    /// When the user came last.
    pub came: Timestamp,
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

pub(super) fn held(nick: &Nick, since: u64, former: &[Held]) -> Vec<Held> {
    let now = Held {
        nick: nick.folded_arc(),
        since,
        until: u64::MAX,
    };
    former.iter().cloned().chain([now]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory grows with the people, not with what few of them have.
    #[test]
    fn a_user_is_small() {
        assert!(size_of::<User>() <= 152, "{}", size_of::<User>());
    }
}
