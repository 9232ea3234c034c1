//! The bans and mutes that hold, found by whoever they may be about.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeFrom;
use std::sync::Arc;

use chat_proto::{Channel, Timestamp};

use super::token_index::{HolderKey, Holders};
use crate::chat::Map;
use crate::chat::moderation::{Sanction, Scope, Target};
use crate::chat::registry::types::UserKey;
use crate::chat::token::Digest;
use crate::netblock::{Netblocks, Origin};

/// How many that have ended are taken out at once.
const SWEPT_AT_ONCE: usize = 256;

/// Who may be meant by a sanction.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat::registry) struct Suspect<'a> {
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
    pub(in crate::chat::registry) fn is_meant(&self, target: &Target) -> bool {
        #[cfg(test)]
        crate::chat::work::step();
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
    /// By the holder of a token whom they are about under any nick.
    holders: Map<HolderKey, BTreeSet<u64>>,
    /// All of them, and whether each outlives its channel.
    numbers: BTreeMap<u64, bool>,
}

impl Docket {
    fn get(&self, target: &Target) -> Option<u64> {
        match target {
            Target::Nick(nick) => self.nicks.get(nick.folded()).copied(),
            Target::Account(nick) => self.accounts.get(nick.folded()).copied(),
            Target::Network(network) => self.networks.get(*network).copied(),
        }
    }

    fn insert(&mut self, sanction: &Sanction, holder: Option<HolderKey>) {
        let number = sanction.number;
        self.numbers.insert(number, sanction.lasts);
        if let Some(holder) = holder {
            self.holders.entry(holder).or_default().insert(number);
        }
        match &sanction.target {
            Target::Nick(nick) => drop(self.nicks.insert(nick.folded_arc(), number)),
            Target::Account(nick) => drop(self.accounts.insert(nick.folded_arc(), number)),
            Target::Network(network) => self.networks.insert(*network, number),
        }
    }

    fn remove(&mut self, sanction: &Sanction, holder: Option<HolderKey>) {
        let number = sanction.number;
        self.numbers.remove(&number);
        if let Some(holder) = holder
            && let Some(numbers) = self.holders.get_mut(&holder)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.holders.remove(&holder);
            }
        }
        match &sanction.target {
            Target::Nick(nick) => drop(self.nicks.remove(nick.folded())),
            Target::Account(nick) => drop(self.accounts.remove(nick.folded())),
            Target::Network(network) => self.networks.remove(*network),
        }
    }

    /// Those that may be about somebody.
    fn about(&self, suspect: Suspect<'_>, holder: Option<HolderKey>) -> impl Iterator<Item = u64> {
        let account = suspect.account;
        let by_nick = self.nicks.get(suspect.nick);
        let by_account = account.and_then(|nick| self.nicks.get(nick));
        let as_account = account.and_then(|nick| self.accounts.get(nick));
        let held = holder.and_then(|holder| self.holders.get(&holder));
        [by_nick, by_account, as_account]
            .into_iter()
            .flatten()
            .chain(
                suspect
                    .origin
                    .into_iter()
                    .flat_map(|origin| self.networks.around(origin)),
            )
            .chain(held.into_iter().flatten())
            .copied()
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct Sanctions {
    all: BTreeMap<u64, Arc<Sanction>>,
    server: Docket,
    speech: Docket,
    /// By folded name.
    channels: Map<Arc<str>, Docket>,
    /// How many of `channels` there are together.
    of_channels: usize,
    /// The numbers of `server` and `speech` together, in order.
    general: BTreeSet<u64>,
    holders: Holders,
    /// When they end.
    until: BTreeSet<(Timestamp, u64)>,
    /// Those of channels that have ended: in no docket, but in `all`, `until` and `holders` until
    /// [`Sanctions::reclaim`] takes them out, some at a time.
    ended: Vec<BTreeMap<u64, bool>>,
    last: u64,
}

impl Sanctions {
    pub(in crate::chat::registry) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number for the next one.
    pub(in crate::chat::registry) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// One holds from now on; about `here` too, who has the token that it names, whatever nick they take.
    pub(in crate::chat::registry) fn insert(
        &mut self,
        sanction: Arc<Sanction>,
        here: Option<UserKey>,
    ) {
        let number = sanction.number;
        self.last = self.last.max(number);
        let holder = sanction
            .holder
            .map(|digest| self.holders.insert(digest, number));
        if let (Some(holder), Some(user)) = (holder, here) {
            self.holders.is_here(holder, user);
        }
        self.docket_of(&sanction.scope).insert(&sanction, holder);
        match sanction.scope {
            Scope::Server | Scope::Speech => drop(self.general.insert(number)),
            Scope::Channel(_) => self.of_channels += 1,
        }
        if let Some(until) = sanction.until {
            self.until.insert((until, number));
        }
        self.all.insert(number, sanction);
    }

    /// Takes out the one of that number, and returns it if it held until now.
    pub(in crate::chat::registry) fn remove(&mut self, number: u64) -> Option<Arc<Sanction>> {
        #[cfg(test)]
        crate::chat::work::step();
        let sanction = self.all.remove(&number)?;
        let held = self.is_docketed(&sanction);
        let holder = sanction
            .holder
            .and_then(|digest| self.holders.remove(digest, number));
        if let Some(until) = sanction.until {
            self.until.remove(&(until, number));
        }
        if !held {
            return None;
        }
        let docket = self.docket_of(&sanction.scope);
        docket.remove(&sanction, holder);
        match &sanction.scope {
            Scope::Server | Scope::Speech => drop(self.general.remove(&number)),
            Scope::Channel(channel) => {
                let is_empty = docket.numbers.is_empty();
                self.of_channels -= 1;
                if is_empty {
                    self.channels.remove(channel.folded());
                }
            }
        }
        Some(sanction)
    }

    /// Takes out some of those that have ended, the first first, so that many that end at once stop
    /// nothing. The others do not hold meanwhile.
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

    /// Ends those of a channel, or but those that last. Returns the numbers of those that last and are ended.
    pub(in crate::chat::registry) fn end_channel(
        &mut self,
        channel: &Channel,
        with_lasting: bool,
    ) -> Vec<u64> {
        let folded = channel.folded();
        let Some(docket) = self.channels.get(folded) else {
            return Vec::new();
        };
        let numbers = docket.numbers.iter();
        let (lasting, passing): (Vec<_>, Vec<_>) = numbers.partition(|&(_, &lasts)| lasts);
        if !with_lasting && !lasting.is_empty() {
            let passing: Vec<u64> = passing.into_iter().map(|(&number, _)| number).collect();
            for number in passing {
                self.remove(number);
            }
            return Vec::new();
        }
        let lasting = lasting.into_iter().map(|(&number, _)| number).collect();
        if let Some(docket) = self.channels.remove(folded) {
            self.of_channels -= docket.numbers.len();
            self.ended.push(docket.numbers);
        }
        lasting
    }

    /// Forgets some of those whose channels have ended. Called at least as often as one is inserted, it
    /// keeps their number bounded.
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

    /// Those of a channel outlive it from now on. Returns those that did not before.
    pub(in crate::chat::registry) fn make_lasting(
        &mut self,
        channel: &Channel,
    ) -> Vec<Arc<Sanction>> {
        let Some(docket) = self.channels.get_mut(channel.folded()) else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        for (number, lasts) in docket.numbers.iter_mut().filter(|(_, lasts)| !**lasts) {
            *lasts = true;
            if let Some(sanction) = self.all.get_mut(number) {
                Arc::make_mut(sanction).lasts = true;
                changed.push(sanction.clone());
            }
        }
        changed
    }

    /// Whoever has that token is here.
    pub(in crate::chat::registry) fn arrived(&mut self, user: UserKey, digest: Digest) {
        if let Some(&holder) = self.holders.by_digest.get(&digest) {
            self.holders.is_here(holder, user);
        }
    }

    pub(in crate::chat::registry) fn departed(&mut self, user: UserKey) {
        self.holders.has_gone(user);
    }

    /// Moves the sanctions of the token `before` to the token `now`, and returns them.
    pub(in crate::chat::registry) fn follow(
        &mut self,
        before: Digest,
        now: Digest,
    ) -> Vec<Arc<Sanction>> {
        let mut moved = Vec::new();
        for number in self.holders.follow(before, now) {
            if let Some(sanction) = self.all.get_mut(number) {
                Arc::make_mut(sanction).holder = Some(now);
                moved.push(sanction.clone());
            }
        }
        moved.retain(|sanction| self.is_docketed(sanction));
        moved
    }

    /// The one of that scope about that target.
    pub(in crate::chat::registry) fn get(
        &self,
        scope: &Scope,
        target: &Target,
    ) -> Option<&Sanction> {
        self.numbered(self.docket(scope)?.get(target)?)
    }

    fn numbered(&self, number: u64) -> Option<&Sanction> {
        #[cfg(test)]
        crate::chat::work::step();
        self.all.get(&number).map(|sanction| &**sanction)
    }

    /// One of that scope that is about somebody at `now`.
    pub(in crate::chat::registry) fn about(
        &self,
        scope: &Scope,
        suspect: Suspect<'_>,
        now: Timestamp,
    ) -> Option<&Sanction> {
        if self.all.is_empty() {
            return None;
        }
        let holder = suspect.user.and_then(|user| self.holders.of(user));
        self.docket(scope)?
            .about(suspect, holder)
            .filter_map(|number| self.numbered(number))
            .find(|sanction| sanction.holds(now))
    }

    /// Those of a channel behind a number, in order.
    pub(in crate::chat::registry) fn of_channel(
        &self,
        channel: &Channel,
        after: u64,
    ) -> impl Iterator<Item = &Sanction> {
        let docket = self.channels.get(channel.folded());
        docket
            .into_iter()
            .flat_map(move |docket| docket.numbers.range(behind(after)))
            .filter_map(|(&number, _)| self.numbered(number))
    }

    /// Those of the server and the mutes behind a number, in order.
    pub(in crate::chat::registry) fn general(&self, after: u64) -> impl Iterator<Item = &Sanction> {
        self.general
            .range(behind(after))
            .filter_map(|&number| self.numbered(number))
    }

    /// How many there are of a scope.
    pub(in crate::chat::registry) fn count(&self, scope: &Scope) -> usize {
        self.docket(scope).map_or(0, |docket| docket.numbers.len())
    }

    /// How many there are of all channels.
    pub(in crate::chat::registry) fn count_of_channels(&self) -> usize {
        self.of_channels
    }

    /// Whether one holds that has not expired, in distinction to those of channels that have ended.
    fn is_docketed(&self, sanction: &Sanction) -> bool {
        let docket = self.docket(&sanction.scope);
        docket.is_some_and(|docket| docket.numbers.contains_key(&sanction.number))
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

fn behind(number: u64) -> RangeFrom<u64> {
    number.saturating_add(1)..
}
