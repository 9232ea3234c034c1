//! Taking another nick, and going.

use chat_proto::{Channel, Event, Nick};

use super::Registry;
use super::absence::Absent;
use super::arrival::taken;
use super::types::{Departure, LOBBY, Outcome, UserKey};
use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::kept::Kept;

impl Registry {
    pub(super) fn rename(
        &mut self,
        session: SessionId,
        user: UserKey,
        nick: Nick,
        out: &mut Batch,
    ) -> Outcome {
        let before = self.users[user].nick.clone();
        let mine = self
            .accounts
            .proven(nick.folded(), self.users[user].account);
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
        self.nick_looks
            .remove(before.as_str(), &before.folded_arc());
        let look = match mine {
            true => Ok(()),
            false => self.check_look(&nick),
        };
        let now = if look.is_ok() { &nick } else { &before };
        self.nick_looks.add(now.as_str(), &now.folded_arc());
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
        self.tell_acquaintances(user, &renamed, None, out);
        if before != nick {
            self.leave_to_owner(user);
            // Whoever left the nick behind loses it.
            if let Some(left) = self.take_absent(nick.folded()) {
                self.changes.forget(left.digest);
            }
            for channel in self.users[user].all_channels() {
                self.channels.rename_member(channel, &before, &nick, user);
            }
        }
        self.users.rename(user, nick, self.last_seq, since);
        self.keep(user);
        Ok(())
    }

    /// Takes a user out of everything, with a word to everyone who shared a channel. Who `may_return`
    /// is kept in mind for the resume window. The caller has removed the session.
    pub(super) fn depart(
        &mut self,
        key: UserKey,
        parting: Departure<'_>,
        may_return: bool,
        out: &mut Batch,
    ) {
        let gone = Event::Gone {
            nick: self.users[key].nick.to_string().into(),
            time: self.now,
            reason: parting.reason.into(),
            by: parting.by.map(Into::into),
        };
        self.tell_acquaintances(key, &gone, parting.witness, out);
        self.moderation.sanctions.departed(key);
        self.leave_to_owner(key);
        let user = self.users.remove(key);
        let folded = user.nick.folded_arc();
        self.nick_looks.remove(user.nick.as_str(), &folded);
        let mut channels: Vec<Channel> = Vec::new();
        for room in user.all_channels() {
            if room != LOBBY {
                channels.push(self.channels.name(room).clone());
            }
            self.remove_member(room, &folded);
        }
        let rate = self.settings.arrivals_per_second;
        self.arrivals.gone(user.origin, rate, user.came, self.now);
        let digest = user.token.digest();
        if !may_return {
            return self.changes.end_token(digest);
        }
        let until = self.until(self.now);
        self.changes.keep_detached(Kept {
            digest,
            nick: user.nick.clone(),
            account: user.account,
            channels: channels.clone(),
            since: user.since,
            former: user.former.clone(),
            until: Some(until),
        });
        let absent = Absent {
            digest,
            nick: user.nick,
            channels,
            since: user.since,
            former: user.former,
            account: user.account,
            arrived: user.arrived,
            origin: Some(user.origin),
        };
        self.let_go(absent, self.now);
    }
}
