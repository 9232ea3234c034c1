//! The active sanctions, with an index for each kind of target.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeFrom;
use std::sync::Arc;

use chat_proto::{Channel, Timestamp};

use super::token_index::{TokenIndex, TokenKey};
use crate::chat::Map;
use crate::chat::moderation::{Sanction, Scope, Target};
use crate::chat::registry::types::UserKey;
use crate::chat::token::Digest;
use crate::ip::{ClientNetwork, IpBlockMap};

/// The maximum number of sanctions that one call removes.
const SWEPT_AT_ONCE: usize = 256;

/// A user or client, for comparison with targets.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat::registry) struct Subject<'a> {
    /// Folded.
    pub nick: &'a str,
    /// The folded nick of the account that the user has authenticated as.
    pub account: Option<&'a str>,
    /// The network, if known.
    pub origin: Option<ClientNetwork>,
    /// The user, if online.
    pub user: Option<UserKey>,
}

impl Subject<'_> {
    /// Returns whether a target matches, under the present nick.
    pub(in crate::chat::registry) fn matches(&self, target: &Target) -> bool {
        #[cfg(test)]
        crate::chat::work::step();
        match target {
            Target::Nick(nick) => nick.folded() == self.nick || Some(nick.folded()) == self.account,
            Target::Account(account) => Some(account.folded()) == self.account,
            Target::Network(network) => self.origin.is_some_and(|origin| network.has(origin)),
        }
    }
}

/// The numbers of the sanctions of one scope, by target.
#[derive(Debug, Default)]
struct ScopeIndex {
    /// By folded nick.
    nicks: Map<Arc<str>, u64>,
    accounts: Map<Arc<str>, u64>,
    networks: IpBlockMap<u64>,
    /// By the token that a sanction follows.
    tokens: Map<TokenKey, BTreeSet<u64>>,
    /// All numbers, and whether each is persistent.
    numbers: BTreeMap<u64, bool>,
}

impl ScopeIndex {
    fn get(&self, target: &Target) -> Option<u64> {
        match target {
            Target::Nick(nick) => self.nicks.get(nick.folded()).copied(),
            Target::Account(nick) => self.accounts.get(nick.folded()).copied(),
            Target::Network(network) => self.networks.get(*network).copied(),
        }
    }

    fn insert(&mut self, sanction: &Sanction, token: Option<TokenKey>) {
        let number = sanction.number;
        self.numbers.insert(number, sanction.is_persistent);
        if let Some(token) = token {
            self.tokens.entry(token).or_default().insert(number);
        }
        match &sanction.target {
            Target::Nick(nick) => drop(self.nicks.insert(nick.folded_arc(), number)),
            Target::Account(nick) => drop(self.accounts.insert(nick.folded_arc(), number)),
            Target::Network(network) => self.networks.insert(*network, number),
        }
    }

    fn remove(&mut self, sanction: &Sanction, token: Option<TokenKey>) {
        let number = sanction.number;
        self.numbers.remove(&number);
        if let Some(token) = token
            && let Some(numbers) = self.tokens.get_mut(&token)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.tokens.remove(&token);
            }
        }
        match &sanction.target {
            Target::Nick(nick) => drop(self.nicks.remove(nick.folded())),
            Target::Account(nick) => drop(self.accounts.remove(nick.folded())),
            Target::Network(network) => self.networks.remove(*network),
        }
    }

    /// Returns the candidates for a subject.
    fn about(&self, subject: Subject<'_>, token: Option<TokenKey>) -> impl Iterator<Item = u64> {
        let account = subject.account;
        let by_nick = self.nicks.get(subject.nick);
        let by_account = account.and_then(|nick| self.nicks.get(nick));
        let as_account = account.and_then(|nick| self.accounts.get(nick));
        let held = token.and_then(|token| self.tokens.get(&token));
        [by_nick, by_account, as_account]
            .into_iter()
            .flatten()
            .chain(
                subject
                    .origin
                    .into_iter()
                    .flat_map(|origin| self.networks.around(origin)),
            )
            .chain(held.into_iter().flatten())
            .copied()
    }
}

/// All sanctions.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct Sanctions {
    all: BTreeMap<u64, Arc<Sanction>>,
    server: ScopeIndex,
    mutes: ScopeIndex,
    /// By folded name.
    channels: Map<Arc<str>, ScopeIndex>,
    /// The number of sanctions in `channels`.
    in_channels: usize,
    /// The numbers of `server` and `mutes`, in order.
    server_wide: BTreeSet<u64>,
    tokens: TokenIndex,
    /// By expiry.
    until: BTreeSet<(Timestamp, u64)>,
    /// Sanctions of channels that have ended. They are in no index, but in `all`, `until` and
    /// `tokens` until [`Sanctions::reclaim`] removes them in portions.
    ended: Vec<BTreeMap<u64, bool>>,
    last: u64,
}

impl Sanctions {
    pub(in crate::chat::registry) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the number for a new sanction.
    pub(in crate::chat::registry) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a sanction. It follows the user `here`, who has its token.
    pub(in crate::chat::registry) fn insert(
        &mut self,
        sanction: Arc<Sanction>,
        user: Option<UserKey>,
    ) {
        let number = sanction.number;
        self.last = self.last.max(number);
        let token = sanction
            .token_digest
            .map(|digest| self.tokens.insert(digest, number));
        if let (Some(token), Some(user)) = (token, user) {
            self.tokens.set_online(token, user);
        }
        self.index_mut(&sanction.scope).insert(&sanction, token);
        match sanction.scope {
            Scope::Server | Scope::Mute => drop(self.server_wide.insert(number)),
            Scope::Channel(_) => self.in_channels += 1,
        }
        if let Some(until) = sanction.until {
            self.until.insert((until, number));
        }
        self.all.insert(number, sanction);
    }

    /// Removes a sanction, and returns it if it was active.
    pub(in crate::chat::registry) fn remove(&mut self, number: u64) -> Option<Arc<Sanction>> {
        #[cfg(test)]
        crate::chat::work::step();
        let sanction = self.all.remove(&number)?;
        let held = self.is_indexed(&sanction);
        let token = sanction
            .token_digest
            .and_then(|digest| self.tokens.remove(digest, number));
        if let Some(until) = sanction.until {
            self.until.remove(&(until, number));
        }
        if !held {
            return None;
        }
        let index = self.index_mut(&sanction.scope);
        index.remove(&sanction, token);
        match &sanction.scope {
            Scope::Server | Scope::Mute => drop(self.server_wide.remove(&number)),
            Scope::Channel(channel) => {
                let is_empty = index.numbers.is_empty();
                self.in_channels -= 1;
                if is_empty {
                    self.channels.remove(channel.folded());
                }
            }
        }
        Some(sanction)
    }

    /// Removes a portion of the expired sanctions, in the order of their expiry. The others are
    /// inactive meanwhile.
    pub(in crate::chat::registry) fn expire(&mut self, now: Timestamp) -> Vec<Arc<Sanction>> {
        let mut ended = Vec::new();
        for _ in 0..SWEPT_AT_ONCE {
            match self.until.first() {
                Some(&(until, number)) if until <= now => ended.extend(self.remove(number)),
                _ => break,
            }
        }
        ended
    }

    /// Removes the sanctions of a channel, or only the temporary ones. Returns the numbers of the
    /// persistent ones that are removed.
    pub(in crate::chat::registry) fn end_channel(
        &mut self,
        channel: &Channel,
        with_persistent: bool,
    ) -> Vec<u64> {
        let folded = channel.folded();
        let Some(index) = self.channels.get(folded) else {
            return Vec::new();
        };
        let numbers = index.numbers.iter();
        let (persistent, temporary): (Vec<_>, Vec<_>) =
            numbers.partition(|&(_, &is_persistent)| is_persistent);
        if !with_persistent && !persistent.is_empty() {
            let temporary: Vec<u64> = temporary.into_iter().map(|(&number, _)| number).collect();
            for number in temporary {
                self.remove(number);
            }
            return Vec::new();
        }
        let persistent = persistent.into_iter().map(|(&number, _)| number).collect();
        if let Some(index) = self.channels.remove(folded) {
            self.in_channels -= index.numbers.len();
            self.ended.push(index.numbers);
        }
        persistent
    }

    /// Frees a portion of the sanctions of ended channels. Called at least once for each new
    /// sanction, which bounds their number.
    pub(in crate::chat::registry) fn reclaim(&mut self) {
        for _ in 0..SWEPT_AT_ONCE {
            let Some(numbers) = self.ended.last_mut() else {
                return;
            };
            match numbers.pop_first() {
                Some((number, _)) => drop(self.remove(number)),
                None => drop(self.ended.pop()),
            }
        }
    }

    /// Makes the sanctions of a channel persistent, and returns those that were not.
    pub(in crate::chat::registry) fn make_persistent(
        &mut self,
        channel: &Channel,
    ) -> Vec<Arc<Sanction>> {
        let Some(index) = self.channels.get_mut(channel.folded()) else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        for (number, is_persistent) in index
            .numbers
            .iter_mut()
            .filter(|(_, is_persistent)| !**is_persistent)
        {
            *is_persistent = true;
            if let Some(sanction) = self.all.get_mut(number) {
                Arc::make_mut(sanction).is_persistent = true;
                changed.push(sanction.clone());
            }
        }
        changed
    }

    /// Notes that the user of a token is online.
    pub(in crate::chat::registry) fn user_online(&mut self, user: UserKey, digest: Digest) {
        if let Some(&token) = self.tokens.by_digest.get(&digest) {
            self.tokens.set_online(token, user);
        }
    }

    pub(in crate::chat::registry) fn user_offline(&mut self, user: UserKey) {
        self.tokens.set_offline(user);
    }

    /// Moves the sanctions of the token `before` to the token `now`, and returns them.
    pub(in crate::chat::registry) fn move_token(
        &mut self,
        before: Digest,
        now: Digest,
    ) -> Vec<Arc<Sanction>> {
        let mut moved = Vec::new();
        for number in self.tokens.replace(before, now) {
            if let Some(sanction) = self.all.get_mut(number) {
                Arc::make_mut(sanction).token_digest = Some(now);
                moved.push(sanction.clone());
            }
        }
        moved.retain(|sanction| self.is_indexed(sanction));
        moved
    }

    /// Returns the sanction with that scope and target.
    pub(in crate::chat::registry) fn get(
        &self,
        scope: &Scope,
        target: &Target,
    ) -> Option<&Sanction> {
        self.by_number(self.index(scope)?.get(target)?)
    }

    fn by_number(&self, number: u64) -> Option<&Sanction> {
        #[cfg(test)]
        crate::chat::work::step();
        self.all.get(&number).map(|sanction| &**sanction)
    }

    /// Returns an active sanction of a scope that matches a subject.
    pub(in crate::chat::registry) fn find_active(
        &self,
        scope: &Scope,
        subject: Subject<'_>,
        now: Timestamp,
    ) -> Option<&Sanction> {
        if self.all.is_empty() {
            return None;
        }
        let token = subject.user.and_then(|user| self.tokens.of(user));
        self.index(scope)?
            .about(subject, token)
            .filter_map(|number| self.by_number(number))
            .find(|sanction| sanction.is_active(now))
    }

    /// Returns the sanctions of a channel after a number, in order.
    pub(in crate::chat::registry) fn in_channel(
        &self,
        channel: &Channel,
        after: u64,
    ) -> impl Iterator<Item = &Sanction> {
        let index = self.channels.get(channel.folded());
        index
            .into_iter()
            .flat_map(move |index| index.numbers.range(behind(after)))
            .filter_map(|(&number, _)| self.by_number(number))
    }

    /// Returns the sanctions of the server and the mutes after a number, in order.
    pub(in crate::chat::registry) fn server_wide(
        &self,
        after: u64,
    ) -> impl Iterator<Item = &Sanction> {
        self.server_wide
            .range(behind(after))
            .filter_map(|&number| self.by_number(number))
    }

    /// Returns the number of sanctions of a scope.
    pub(in crate::chat::registry) fn count(&self, scope: &Scope) -> usize {
        self.index(scope).map_or(0, |index| index.numbers.len())
    }

    /// Returns the number of sanctions of all channels.
    pub(in crate::chat::registry) fn count_in_channels(&self) -> usize {
        self.in_channels
    }

    /// Returns whether a sanction is in its index, which excludes those of ended channels.
    fn is_indexed(&self, sanction: &Sanction) -> bool {
        let index = self.index(&sanction.scope);
        index.is_some_and(|index| index.numbers.contains_key(&sanction.number))
    }

    fn index(&self, scope: &Scope) -> Option<&ScopeIndex> {
        match scope {
            Scope::Server => Some(&self.server),
            Scope::Mute => Some(&self.mutes),
            Scope::Channel(channel) => self.channels.get(channel.folded()),
        }
    }

    fn index_mut(&mut self, scope: &Scope) -> &mut ScopeIndex {
        match scope {
            Scope::Server => &mut self.server,
            Scope::Mute => &mut self.mutes,
            Scope::Channel(channel) => self.channels.entry(channel.folded_arc()).or_default(),
        }
    }
}

fn behind(number: u64) -> RangeFrom<u64> {
    number.saturating_add(1)..
}
