//! The end of a user's session.

use chat_proto::{Channel, Event};

use super::Registry;
use super::resume_pool::DetachedSession;
use super::types::{Departure, LOBBY, UserKey};
use crate::chat::batch::Batch;
use crate::chat::state_change::ResumableSession;

impl Registry {
    /// Removes a user from all channels and announces it. A user who `may_return` can resume the
    /// session. The caller has ended the session.
    pub(super) fn remove_user(
        &mut self,
        key: UserKey,
        departure: Departure<'_>,
        may_return: bool,
        out: &mut Batch,
    ) {
        let gone = Event::Gone {
            nick: self.users[key].nick.to_string().into(),
            time: self.now,
            reason: departure.reason.into(),
            by: departure.by.map(Into::into),
        };
        self.notify_peers(key, &gone, departure.notify, out);
        self.moderation.sanctions.user_offline(key);
        self.release_nick(key);
        let user = self.users.remove(key);
        let folded = user.nick.folded_arc();
        self.nick_confusables.remove(user.nick.as_str(), &folded);
        let mut channels: Vec<Channel> = Vec::new();
        for channel in user.all_channels() {
            if channel != LOBBY {
                channels.push(self.channels.name(channel).clone());
            }
            self.remove_member(channel, &folded);
        }
        let rate = self.settings.arrivals_per_second;
        self.visits
            .count_visit(user.origin, rate, user.last_login, self.now);
        let digest = user.token.digest();
        if !may_return {
            return self.changes.end_token(digest);
        }
        let until = self.resume_deadline(self.now);
        self.changes.save_session(ResumableSession {
            digest,
            nick: user.nick.clone(),
            account: user.account,
            channels: channels.clone(),
            since: user.since,
            previous_nicks: user.previous_nicks.clone(),
            until: Some(until),
        });
        let absent = DetachedSession {
            digest,
            nick: user.nick,
            channels,
            since: user.since,
            previous_nicks: user.previous_nicks,
            account: user.account,
            first_login: user.first_login,
            origin: Some(user.origin),
        };
        self.detach(absent, self.now);
    }
}
