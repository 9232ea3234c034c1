//! Mutes: a muted user can only write to operators.

use chat_proto::moderation as wire;
use chat_proto::{ErrorCode, Event, Nick, Text};

use super::Moderator;
use super::text::{ban_suffix, not_permitted};
use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::moderation::{LOG, Sanction, Scope, Target};
use crate::chat::registry::Registry;
use crate::chat::registry::types::{CommandResult, UserKey, lookup};

impl Registry {
    pub(in crate::chat::registry) fn mute(
        &mut self,
        moderator: Moderator,
        nick: &str,
        seconds: Option<u64>,
        reason: Option<&Text>,
        out: &mut Batch,
    ) -> CommandResult {
        self.authorize(moderator, None)?;
        let other = self.users.find(&lookup(nick));
        let nick = match other {
            Some(other) => self.users[other].nick.clone(),
            // An absent user with an account returns under its nick.
            None => match self.accounts.get(&lookup(nick)) {
                Some(account) => account.nick.clone(),
                None => return self.find_user(nick).map(|_| ()),
            },
        };
        let target = Target::Nick(nick.clone());
        if self.subject(moderator.user).matches(&target) {
            return Err(not_permitted("cannot mute yourself"));
        }
        self.check_count(moderator, &Scope::Mute, &target)?;
        let by = self.users[moderator.user].nick.clone();
        let sanction = self.new_sanction(Scope::Mute, target, Some(&by), seconds, reason);
        let muted = Event::Muted(Box::new(wire::Muted {
            nick: nick.to_string().into(),
            by: Some(by.to_string().into()),
            time: sanction.set,
            until: sanction.until,
            reason: sanction.reason.as_deref().map(|why| why.to_owned().into()),
        }));
        self.send_to_both(moderator.session, other, &muted, out);
        self.apply(sanction, other, out);
        Ok(())
    }

    pub(in crate::chat::registry) fn unmute(
        &mut self,
        moderator: Moderator,
        nick: &str,
        out: &mut Batch,
    ) -> CommandResult {
        self.authorize(moderator, None)?;
        let other = self.users.find(&lookup(nick));
        let mut lifted = Vec::new();
        // The mutes of the user, under any nick.
        if let Some(other) = other {
            while let Some(sanction) = self.muted(other) {
                let number = sanction.number;
                lifted.extend(self.remove_sanction(number, out));
            }
        }
        if let Ok(nick) = Nick::new(nick)
            && let Some(sanction) = self
                .moderation
                .sanctions
                .get(&Scope::Mute, &Target::Nick(nick))
            && sanction.is_active(self.now)
        {
            let number = sanction.number;
            lifted.extend(self.remove_sanction(number, out));
        }
        if lifted.is_empty() {
            return Err(Refusal::new(ErrorCode::NoSuchBan, "the user is not muted"));
        }
        let by = self.users[moderator.user].nick.clone();
        let nick = match other {
            Some(other) => self.users[other].nick.as_str().to_owned(),
            None => nick.to_owned(),
        };
        log::info!(target: LOG, "{by} lifts the mute of {nick}");
        let unmuted = Event::Unmuted {
            nick: nick.into(),
            by: Some(by.as_str().into()),
            time: self.now,
        };
        self.send_to_both(moderator.session, other, &unmuted, out);
        Ok(())
    }

    /// Sends an event to the moderator and the user.
    fn send_to_both(
        &self,
        moderator: SessionId,
        other: Option<UserKey>,
        event: &Event<'_>,
        out: &mut Batch,
    ) {
        let other = other.map(|other| self.users[other].session);
        let both = std::iter::once(moderator).chain(other.filter(|&other| other != moderator));
        out.tell_each(both.collect(), event);
    }

    fn muted(&self, user: UserKey) -> Option<&Sanction> {
        let subject = self.subject(user);
        self.moderation
            .sanctions
            .find_active(&Scope::Mute, subject, self.now)
    }

    /// Checks whether a user may write to `to`, or to everyone. Operators are always allowed as
    /// recipients.
    pub(in crate::chat::registry) fn check_mute(
        &self,
        user: UserKey,
        to: Option<&str>,
    ) -> CommandResult {
        if self.moderation.sanctions.is_empty() {
            return Ok(());
        }
        let Some(sanction) = self.muted(user) else {
            return Ok(());
        };
        if let Some(to) = to.filter(|to| !to.starts_with('#')) {
            let folded = lookup(to);
            let is_operator = match self.users.find(&folded) {
                Some(other) => self.is_operator(other),
                None => self.accounts.protects(&folded) && self.names_operator(Some(&folded)),
            };
            if is_operator {
                return Ok(());
            }
        }
        let detail = format!(
            "you are muted{}; you can write to operators only",
            ban_suffix(sanction.until, sanction.reason.as_deref())
        );
        Err(Refusal::new(ErrorCode::Muted, detail))
    }

    /// Returns `text` unless its author is muted. The request itself takes effect without the text.
    pub(in crate::chat::registry) fn unless_muted(
        &self,
        author: UserKey,
        text: Option<Text>,
    ) -> Option<Text> {
        text.filter(|_| self.check_mute(author, None).is_ok())
    }
}
