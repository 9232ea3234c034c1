//! Taking another nick.

use chat_proto::{Event, Nick};

use super::Registry;
use super::login::taken;
use super::types::{CommandResult, UserKey};
use crate::chat::SessionId;
use crate::chat::batch::Batch;

impl Registry {
    pub(super) fn rename(
        &mut self,
        session: SessionId,
        user: UserKey,
        nick: Nick,
        out: &mut Batch,
    ) -> CommandResult {
        let before = self.users[user].nick.clone();
        let mine = self
            .accounts
            .get_if(nick.folded(), self.users[user].account);
        let since = mine.map_or(self.last_seq, |account| account.since);
        let mine = mine.is_some();
        if before != nick && !mine && self.accounts.protects(nick.folded()) {
            return Err(Self::auth_failed(&nick));
        }
        if before != nick {
            self.check_nick(&nick)?;
        }
        let holder = self.users.find(nick.folded());
        if holder.is_some_and(|other| other != user) {
            return Err(taken(&nick));
        }
        self.nick_confusables
            .remove(before.as_str(), &before.folded_arc());
        let look = match mine {
            true => Ok(()),
            false => self.check_confusable(&nick),
        };
        let now = if look.is_ok() { &nick } else { &before };
        self.nick_confusables.add(now.as_str(), &now.folded_arc());
        look?;
        let renamed = Event::Renamed {
            nick: before.as_str().into(),
            to: nick.as_str().into(),
            time: self.now,
        };
        out.tell(session, &renamed);
        if before.as_str() == nick.as_str() {
            return Ok(());
        }
        self.notify_peers(user, &renamed, None, out);
        if before != nick {
            self.release_nick(user);
            // An absent user of the nick loses it.
            if let Some(left) = self.take_absent(nick.folded()) {
                self.changes.forget(left.digest);
            }
            for channel in self.users[user].all_channels() {
                self.channels.rename_member(channel, &before, &nick, user);
            }
        }
        self.users.rename(user, nick, self.last_seq, since);
        self.save_user(user);
        Ok(())
    }
}
