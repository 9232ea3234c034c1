//! The bans and mutes that hold, found by whoever they may be about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chat_proto::Timestamp;

use super::user::UserKey;
use crate::chat::Map;
use crate::chat::command::Digest;
use crate::chat::moderation::{Sanction, Scope, Target};
use crate::netblock::{Netblocks, Origin};

/// Who may be meant by a sanction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect<'a> {
    /// Folded.
    pub nick: &'a str,
    /// The nick, folded, of the account that they have proven to be.
    pub account: Option<&'a str>,
    /// Where it is known.
    pub origin: Option<Origin>,
    /// Where they are here.
    pub user: Option<UserKey>,
}

impl Suspect<'_> {
    /// Whether a target means them, whatever nick they had before.
    pub(super) fn is_meant(&self, target: &Target) -> bool {
        match target {
            Target::Nick(nick) => nick.folded() == self.nick || Some(nick.folded()) == self.account,
            Target::Account(account) => Some(account.folded()) == self.account,
            Target::Network(network) => self.origin.is_some_and(|origin| network.has(origin)),
        }
    }
}

/// The numbers of those of one scope.
#[derive(Debug, Default)]
struct Docket {
    /// By folded nick.
    nicks: Map<Arc<str>, u64>,
    accounts: Map<Arc<str>, u64>,
    networks: Netblocks<u64>,
    count: usize,
}

impl Docket {
    fn get(&self, target: &Target) -> Option<u64> {
        match target {
            Target::Nick(nick) => self.nicks.get(nick.folded()).copied(),
            Target::Account(nick) => self.accounts.get(nick.folded()).copied(),
            Target::Network(network) => self.networks.get(*network).copied(),
        }
    }

    fn insert(&mut self, target: &Target, number: u64) {
        self.count += 1;
        match target {
            Target::Nick(nick) => drop(self.nicks.insert(nick.folded_arc(), number)),
            Target::Account(nick) => drop(self.accounts.insert(nick.folded_arc(), number)),
            Target::Network(network) => self.networks.insert(*network, number),
        }
    }

    fn remove(&mut self, target: &Target) {
        self.count -= 1;
        match target {
            Target::Nick(nick) => drop(self.nicks.remove(nick.folded())),
            Target::Account(nick) => drop(self.accounts.remove(nick.folded())),
            Target::Network(network) => self.networks.remove(*network),
        }
    }

    /// Those that may be about somebody.
    fn about(&self, suspect: Suspect<'_>) -> impl Iterator<Item = u64> {
        let account = suspect.account;
        let by_nick = self.nicks.get(suspect.nick);
        let by_account = account.and_then(|nick| self.nicks.get(nick));
        let as_account = account.and_then(|nick| self.accounts.get(nick));
        [by_nick, by_account, as_account]
            .into_iter()
            .flatten()
            .chain(
                suspect
                    .origin
                    .into_iter()
                    .flat_map(|origin| self.networks.around(origin)),
            )
            .copied()
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Sanctions {
    all: BTreeMap<u64, Sanction>,
    server: Docket,
    speech: Docket,
    /// By folded name.
    channels: Map<Arc<str>, Docket>,
    /// Those that are about whoever has a token.
    holders: Map<Digest, Vec<u64>>,
    /// The same of those who are here.
    marked: Map<UserKey, Vec<u64>>,
    /// When they end.
    until: BTreeSet<(Timestamp, u64)>,
    last: u64,
}

impl Sanctions {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number for the next one.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// One holds from now on; about `marked` too, who is here, whatever nick they take.
    pub(super) fn insert(&mut self, sanction: Sanction, marked: Option<UserKey>) {
        let number = sanction.number;
        self.last = self.last.max(number);
        self.docket_of(&sanction.scope)
            .insert(&sanction.target, number);
        if let Some(digest) = sanction.holder {
            self.holders.entry(digest).or_default().push(number);
        }
        if let Some(user) = marked {
            self.marked.entry(user).or_default().push(number);
        }
        if let Some(until) = sanction.until {
            self.until.insert((until, number));
        }
        self.all.insert(number, sanction);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Sanction> {
        let sanction = self.all.remove(&number)?;
        let docket = self.docket_of(&sanction.scope);
        docket.remove(&sanction.target);
        if let Scope::Channel(channel) = &sanction.scope
            && docket.count == 0
        {
            self.channels.remove(channel.folded());
        }
        if let Some(digest) = &sanction.holder {
            forget(&mut self.holders, digest, number);
            self.marked.retain(|_, numbers| {
                numbers.retain(|&other| other != number);
                !numbers.is_empty()
            });
        }
        if let Some(until) = sanction.until {
            self.until.remove(&(until, number));
        }
        Some(sanction)
    }

    /// Takes out those that have ended.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Sanction> {
        let mut ended = Vec::new();
        while let Some(&(until, number)) = self.until.first()
            && until <= now
        {
            ended.extend(self.remove(number));
        }
        ended
    }

    /// Whoever has that token is here.
    pub(super) fn arrived(&mut self, user: UserKey, digest: Digest) {
        if let Some(numbers) = self.holders.get(&digest) {
            self.marked.insert(user, numbers.clone());
        }
    }

    /// Moves the sanctions of the token `before` to the token `now`, and returns their numbers.
    pub(super) fn follow(&mut self, before: Digest, now: Digest) -> Vec<u64> {
        let numbers = self.holders.remove(&before).unwrap_or_default();
        for number in &numbers {
            if let Some(sanction) = self.all.get_mut(number) {
                sanction.holder = Some(now);
            }
        }
        if !numbers.is_empty() {
            self.holders.insert(now, numbers.clone());
        }
        numbers
    }

    pub(super) fn numbered(&self, number: u64) -> Option<&Sanction> {
        self.all.get(&number)
    }

    pub(super) fn departed(&mut self, user: UserKey) {
        self.marked.remove(&user);
    }

    /// The one of that scope about that target.
    pub(super) fn get(&self, scope: &Scope, target: &Target) -> Option<&Sanction> {
        self.all.get(&self.docket(scope)?.get(target)?)
    }

    /// One of that scope that is about somebody at `now`.
    pub(super) fn about(
        &self,
        scope: &Scope,
        suspect: Suspect<'_>,
        now: Timestamp,
    ) -> Option<&Sanction> {
        if self.all.is_empty() {
            return None;
        }
        let listed = self.docket(scope).into_iter();
        let marked = suspect.user.and_then(|user| self.marked.get(&user));
        listed
            .flat_map(|docket| docket.about(suspect))
            .chain(marked.into_iter().flatten().copied())
            .filter_map(|number| self.all.get(&number))
            .find(|sanction| sanction.scope == *scope && sanction.holds(now))
    }

    /// Those behind a number, in order.
    pub(super) fn behind(&self, number: u64) -> impl Iterator<Item = &Sanction> {
        self.all
            .range(number.saturating_add(1)..)
            .map(|(_, sanction)| sanction)
    }

    /// How many there are of a scope.
    pub(super) fn count(&self, scope: &Scope) -> usize {
        self.docket(scope).map_or(0, |docket| docket.count)
    }

    /// How many there are of all channels.
    pub(super) fn count_of_channels(&self) -> usize {
        self.all.len() - self.server.count - self.speech.count
    }

    fn docket(&self, scope: &Scope) -> Option<&Docket> {
        match scope {
            Scope::Server => Some(&self.server),
            Scope::Speech => Some(&self.speech),
            Scope::Channel(channel) => self.channels.get(channel.folded()),
        }
    }

    fn docket_of(&mut self, scope: &Scope) -> &mut Docket {
        match scope {
            Scope::Server => &mut self.server,
            Scope::Speech => &mut self.speech,
            Scope::Channel(channel) => self.channels.entry(channel.folded_arc()).or_default(),
        }
    }
}

fn forget(holders: &mut Map<Digest, Vec<u64>>, digest: &Digest, number: u64) {
    if let Some(numbers) = holders.get_mut(digest) {
        numbers.retain(|&other| other != number);
        if numbers.is_empty() {
            holders.remove(digest);
        }
    }
}
