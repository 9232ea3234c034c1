//! `say`: messages to channels and users.

use chat_proto::{ErrorCode, Words};

use super::Registry;
use super::types::{CommandResult, LOBBY, UserKey, lookup};
use super::users::User;
use crate::chat::SessionId;
use crate::chat::batch::{Batch, NewMessage};
use crate::chat::command::{Refusal, Say};
use crate::chat::dedup::{RecordedAt, WINDOW};
use crate::chat::effect::{Audience, NickTenure};
use crate::chat::token::Id;

impl Registry {
    pub(super) fn say(
        &mut self,
        session: SessionId,
        user: UserKey,
        id: Option<&Id>,
        say: &Say,
        words: &Words,
        out: &mut Batch,
    ) -> CommandResult {
        let sender = &self.users[user];
        if say
            .from
            .is_some_and(|from| *lookup(words.get(from)) != *sender.nick.folded())
        {
            return Err(Refusal::new(
                ErrorCode::NotYourNick,
                format!("your nick is {}", sender.nick),
            ));
        }
        // Checked before the target: a repeated message is acknowledged even if the user has left
        // the channel.
        if let Some(id) = id
            && let Some(RecordedAt { seq, time }) = self.find_repeat(sender, id)
        {
            out.ack(session, id.clone(), seq, time);
            return Ok(());
        }
        let to = say.to.map(|to| words.get(to));
        let (audience, name) = self.resolve_target(session, user, to)?;
        self.check_mute(user, to)?;
        let seq = self.last_seq + 1;
        let said = NewMessage {
            seq,
            time: self.now,
            from: sender.nick.as_str(),
            to: name,
            words,
            saying: say.saying,
            id,
        };
        out.message(&said, session, audience);
        self.last_seq = seq;
        if let Some(id) = id {
            let (nick, time) = (sender.nick.folded_arc(), self.now);
            self.message_ids
                .remember(nick, id.clone(), RecordedAt { seq, time });
        }
        Ok(())
    }

    /// Returns the message that a user has sent with that id, under the present nick or a recent
    /// one.
    fn find_repeat(&self, user: &User, id: &Id) -> Option<RecordedAt> {
        let find = |nick, tenure| self.message_ids.find(nick, id, tenure, self.last_seq);
        let lately = |held: &&NickTenure| held.until.saturating_add(WINDOW) > self.last_seq;
        find(user.nick.folded_arc(), (user.since, u64::MAX)).or_else(|| {
            let previous_nicks = user.previous_nicks.iter().rev().filter(lately);
            let mut found =
                previous_nicks.filter_map(|held| find(held.nick.clone(), (held.since, held.until)));
            found.next()
        })
    }

    /// Returns the audience of a target, and its name in the message.
    fn resolve_target(
        &self,
        session: SessionId,
        user: UserKey,
        to: Option<&str>,
    ) -> Result<(Audience, &str), Refusal> {
        match to {
            Some(to) if !to.starts_with('#') => {
                let folded = lookup(to);
                if let Some(other) = self.users.find(&folded) {
                    let other = &self.users[other];
                    let audience = Audience::Direct(other.session);
                    return Ok((audience, other.nick.as_str()));
                }
                // An absent user with an account reads it in the history.
                match self.accounts.get(&folded) {
                    Some(away) => Ok((Audience::Direct(session), away.nick.as_str())),
                    None => Err(Refusal::new(
                        ErrorCode::NoSuchUser,
                        "no user of that nick is online",
                    )),
                }
            }
            to => {
                let key = to.map_or(Ok(LOBBY), |to| self.channels.find(to))?;
                if !self.users[user].is_in(key) {
                    return Err(self.not_in(key));
                }
                Ok((Audience::Channel(key), self.channels.name(key).as_str()))
            }
        }
    }
}
