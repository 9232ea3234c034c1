//! Bans of nicks, accounts and networks, from the server or from a channel.

use chat_proto::moderation as wire;
use chat_proto::{Channel, ErrorCode, Event, Nick};

use super::Moderator;
use super::sanctions::Subject;
use super::text::{
    Describe, ban_info, ban_suffix, banned, channel_label, json_size, not_permitted, wire_target,
};
use crate::chat::accounts::AccountId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::moderation::{BanRequest, LOG, Sanction, Scope, Target};
use crate::chat::registry::Registry;
use crate::chat::registry::queries::LIST_BYTES;
use crate::chat::registry::types::{CommandResult, Departure, UserKey};
use crate::chat::token::Id;
use crate::chat::{ChannelKey, SessionId};
use crate::ip::ClientNetwork;

/// The maximum number of bans of the server, and of mutes. Bounds the memory.
const SANCTIONS_MAX: usize = 20_000;

/// The maximum number of bans of one channel.
const OF_CHANNEL_MAX: usize = 100;

/// The maximum number of bans of all channels.
const OF_CHANNELS_MAX: usize = 50_000;

impl Registry {
    pub(in crate::chat::registry) fn ban(
        &mut self,
        moderator: Moderator,
        request: &BanRequest,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.authorize(moderator, request.channel.as_deref())?;
        let target = &self.canonical_target(&request.target);
        self.check_target(moderator, target)?;
        let scope = match key {
            Some(key) => Scope::Channel(self.channels.name(key).clone()),
            None => Scope::Server,
        };
        self.check_count(moderator, &scope, target)?;
        let (holder, away) = match target {
            Target::Nick(nick) if key.is_some() => {
                let here = self.users.find(nick.folded());
                (here, self.resume_pool.get(nick.folded()))
            }
            _ => (None, None),
        };
        let away = away.map(|away| away.digest);
        let (by, why) = (
            self.users[moderator.user].nick.clone(),
            request.reason.as_ref(),
        );
        let is_persistent = match &scope {
            Scope::Channel(channel) => {
                moderator.operator || self.moderation.ownership.is_persistent(channel.folded())
            }
            Scope::Server | Scope::Mute => true,
        };
        let sanction = Sanction {
            is_persistent,
            token_digest: away,
            ..self.new_sanction(scope, target.clone(), Some(&by), request.seconds, why)
        };
        let meant = self.active_users(target);
        let came_from = meant.first().map(|&user| self.users[user].origin);
        let tell = Event::Banned(Box::new(wire::Banned {
            ban: ban_info(&sanction),
            came_from: came_from
                .filter(|_| moderator.operator && !matches!(target, Target::Network(_)))
                .map(|origin| origin.to_string().into()),
        }));
        out.tell(moderator.session, &tell);
        self.apply(sanction.clone(), holder, out);
        match key {
            Some(key) => self.enforce_in(key, &meant, &sanction, moderator, out),
            None => self.enforce(&meant, &sanction, Some(moderator.session), out),
        }
        Ok(())
    }

    /// Returns the target with the spelling of its nick.
    fn canonical_target(&self, target: &Target) -> Target {
        match target {
            Target::Nick(nick) => {
                let here = self.users.find(nick.folded());
                let away = self.resume_pool.get(nick.folded());
                Target::Nick(match (here, away) {
                    (Some(user), _) => self.users[user].nick.clone(),
                    (None, Some(away)) => away.nick.clone(),
                    (None, None) => self.account_nick(nick),
                })
            }
            Target::Account(nick) => Target::Account(self.account_nick(nick)),
            Target::Network(network) => Target::Network(*network),
        }
    }

    fn account_nick(&self, nick: &Nick) -> Nick {
        let account = self.accounts.get(nick.folded());
        account.map_or(nick, |account| &account.nick).clone()
    }

    /// Returns the online users that match a target. A network is compared with all users; only
    /// operators ban networks, and an index would cost memory for each user.
    fn active_users(&self, target: &Target) -> Vec<UserKey> {
        let (nick, by_nick) = match target {
            Target::Network(network) => {
                let here = self.users.iter();
                return here
                    .filter(|(_, user)| network.has(user.origin))
                    .map(|(user, _)| user)
                    .collect();
            }
            Target::Nick(nick) => (nick, self.users.find(nick.folded())),
            Target::Account(nick) => (nick, None),
        };
        let account = self.accounts.id_of(nick.folded());
        let mut meant: Vec<UserKey> = by_nick.into_iter().collect();
        meant.extend(
            account
                .into_iter()
                .flat_map(|id| self.users.with_account(id)),
        );
        meant.sort_unstable();
        meant.dedup();
        meant
    }

    /// Enforces a ban of the server: disconnects its users and ends their tokens.
    fn enforce(
        &mut self,
        meant: &[UserKey],
        sanction: &Sanction,
        notify: Option<SessionId>,
        out: &mut Batch,
    ) {
        let departure = Departure {
            reason: sanction.reason.as_deref().unwrap_or("banned"),
            by: sanction.by.as_deref(),
            notify,
        };
        self.disconnect_all(meant, banned(sanction), departure, out);
        let (nick, by_nick) = match &sanction.target {
            // The network of absent users is unknown.
            Target::Network(_) => return,
            Target::Nick(nick) => (nick, self.resume_pool.take(nick.folded())),
            Target::Account(nick) => (nick, None),
        };
        let account = self.accounts.id_of(nick.folded());
        let by_account = account.map(|id| self.resume_pool.take_account(id));
        let by_nick = by_nick.map(|absent| absent.digest);
        for digest in by_nick.into_iter().chain(by_account.into_iter().flatten()) {
            self.changes.forget(digest);
        }
    }

    /// Enforces a ban of a channel: removes its users, except operators.
    fn enforce_in(
        &mut self,
        key: ChannelKey,
        meant: &[UserKey],
        sanction: &Sanction,
        moderator: Moderator,
        out: &mut Batch,
    ) {
        for &user in meant {
            if self.users[user].is_in(key) && !self.is_operator(user) {
                let departure = Departure {
                    reason: sanction.reason.as_deref().unwrap_or("banned"),
                    by: sanction.by.as_deref(),
                    notify: Some(moderator.session),
                };
                self.remove_from_channel(user, key, departure, out);
            }
        }
    }

    fn check_target(&self, moderator: Moderator, target: &Target) -> CommandResult {
        if self.subject(moderator.user).matches(target) {
            return Err(not_permitted("cannot ban yourself"));
        }
        match target {
            Target::Account(nick) if !self.accounts.protects(nick.folded()) => {
                let detail = format!("no such account: {nick}");
                return Err(Refusal::new(ErrorCode::NotRegistered, detail));
            }
            Target::Network(_) if !moderator.operator => {
                return Err(not_permitted("only operators ban addresses"));
            }
            Target::Nick(nick) | Target::Account(nick) if !moderator.operator => {
                let account = Some(nick.folded()).filter(|&nick| self.accounts.protects(nick));
                let here = self.users.find(nick.folded());
                if self.names_operator(account) || here.is_some_and(|user| self.is_operator(user)) {
                    return Err(not_permitted("the user is an operator"));
                }
            }
            Target::Nick(_) | Target::Account(_) | Target::Network(_) => {}
        }
        Ok(())
    }

    /// Checks the maximum numbers, unless the sanction replaces one.
    pub(in crate::chat::registry) fn check_count(
        &self,
        moderator: Moderator,
        scope: &Scope,
        target: &Target,
    ) -> CommandResult {
        let full = match scope {
            Scope::Server | Scope::Mute => self.moderation.sanctions.count(scope) >= SANCTIONS_MAX,
            Scope::Channel(_) => {
                self.moderation.sanctions.count(scope) >= OF_CHANNEL_MAX
                    || (!moderator.operator
                        && self.moderation.sanctions.count_in_channels() >= OF_CHANNELS_MAX)
            }
        };
        if full && self.moderation.sanctions.get(scope, target).is_none() {
            let detail = "cannot add a ban: the maximum number is reached; lift some";
            return Err(Refusal::new(ErrorCode::RateLimited, detail));
        }
        Ok(())
    }

    pub(in crate::chat::registry) fn unban(
        &mut self,
        moderator: Moderator,
        target: Target,
        channel: Option<&str>,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.authorize(moderator, channel)?;
        let scope = match key {
            Some(key) => Scope::Channel(self.channels.name(key).clone()),
            None => Scope::Server,
        };
        let found = self.moderation.sanctions.get(&scope, &target);
        let found = found.filter(|sanction| sanction.is_active(self.now));
        let Some(Sanction { number, target, .. }) = found else {
            return Err(Refusal::new(ErrorCode::NoSuchBan, "no such ban"));
        };
        let number = *number;
        let by = self.users[moderator.user].nick.as_str();
        log::info!(target: LOG, "{by} lifts the ban of {}", Describe(target, &scope));
        out.tell(
            moderator.session,
            &Event::Unbanned(Box::new(wire::Unbanned {
                target: wire_target(target),
                channel: channel_label(&scope),
                by: Some(by.into()),
                time: self.now,
            })),
        );
        self.remove_sanction(number, out);
        Ok(())
    }

    pub(in crate::chat::registry) fn list_bans(
        &self,
        moderator: Moderator,
        id: Option<&Id>,
        channel: Option<&str>,
        after: u64,
        limit: u16,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.authorize(moderator, channel)?;
        let channel = key.map(|key| self.channels.name(key));
        // Only operators see addresses.
        let is_listed = |sanction: &&Sanction| {
            moderator.operator || !matches!(sanction.target, Target::Network(_))
        };
        let of_channel =
            channel.map(|channel| self.moderation.sanctions.in_channel(channel, after));
        let general = channel
            .is_none()
            .then(|| self.moderation.sanctions.server_wide(after));
        let listed = of_channel.into_iter().flatten();
        let listed = listed.chain(general.into_iter().flatten());
        let mut room_left = LIST_BYTES;
        let mut bans = Vec::new();
        let mut more = false;
        for sanction in listed.filter(is_listed) {
            let ban = ban_info(sanction);
            let bytes = json_size(&ban);
            if bans.len() == usize::from(limit) || bytes > room_left {
                more = true;
                break;
            }
            room_left -= bytes;
            bans.push(ban);
        }
        let channel = channel.map(|channel| channel.as_str().into());
        out.tell(
            moderator.session,
            &Event::Bans {
                channel,
                bans,
                more,
                id: id.map(|id| id.as_str().into()),
            },
        );
        Ok(())
    }

    /// Checks the nick, account and network of a login.
    pub(in crate::chat::registry) fn check_ban(
        &self,
        nick: &Nick,
        account: Option<AccountId>,
        origin: ClientNetwork,
    ) -> CommandResult {
        let account = account.and_then(|id| self.accounts.nick_of(id));
        let subject = Subject {
            nick: nick.folded(),
            account,
            origin: Some(origin),
            user: None,
        };
        match self
            .moderation
            .sanctions
            .find_active(&Scope::Server, subject, self.now)
        {
            Some(sanction) => Err(banned(sanction)),
            None => Ok(()),
        }
    }

    /// Checks whether a user may enter a channel. Operators always may.
    pub(in crate::chat::registry) fn check_entry(
        &self,
        user: UserKey,
        channel: &Channel,
    ) -> CommandResult {
        if self.moderation.sanctions.is_empty() || self.is_operator(user) {
            return Ok(());
        }
        let scope = Scope::Channel(channel.clone());
        let subject = self.subject(user);
        match self
            .moderation
            .sanctions
            .find_active(&scope, subject, self.now)
        {
            Some(sanction) => {
                let why = ban_suffix(sanction.until, sanction.reason.as_deref());
                let detail = format!("you are banned from {channel}{why}");
                Err(Refusal::new(ErrorCode::BannedFromChannel, detail))
            }
            None => Ok(()),
        }
    }

    /// Checks whether a nick is banned.
    pub(in crate::chat::registry) fn check_nick(&self, nick: &Nick) -> CommandResult {
        let target = Target::Nick(nick.clone());
        let found = self.moderation.sanctions.get(&Scope::Server, &target);
        if found.is_some_and(|sanction| sanction.is_active(self.now)) {
            return Err(not_permitted(format!("the nick {nick} is banned")));
        }
        Ok(())
    }
}
