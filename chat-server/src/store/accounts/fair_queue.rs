//! A bounded queue that serves waiting logins in turn by network and by account.
//!
//! Every second turn goes to the network that was served least recently, the others to the account
//! that was served least recently. Neither a network with many logins nor an account that many
//! networks request delays others by more than a turn or two. Within one account of one network the
//! newest login goes first, because its client most likely still waits; every fourth turn takes the
//! oldest.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Networks and accounts whose last turn is remembered, as a multiple of those that may wait.
const REMEMBERED: usize = 2;

/// What waits for its turn.
#[derive(Debug)]
pub struct Waiting<T> {
    /// See [`crate::ip::client_network`].
    pub network: IpAddr,
    /// The account, by its folded nick, whether it exists or not.
    pub account: Arc<str>,
    pub what: T,
}

/// The next turn.
#[derive(Debug)]
pub enum Next<T> {
    Turn(Waiting<T>),
    /// All that wait are of networks that have to pause, the first of them until then.
    Pause(Instant),
    Empty,
}

/// A bounded queue.
#[derive(Debug)]
pub struct FairQueue<T> {
    max: usize,
    /// In the order of arrival.
    waiting: Vec<Waiting<T>>,
    /// Number of turns taken.
    turn: u64,
    /// The last turn of each network and of each account.
    networks: HashMap<IpAddr, u64>,
    accounts: HashMap<Arc<str>, u64>,
}

impl<T> FairQueue<T> {
    /// A queue of at most `max`.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            waiting: Vec::new(),
            turn: 0,
            networks: HashMap::new(),
            accounts: HashMap::new(),
        }
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether none wait.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds to the queue. Returns what has lost its place where the queue was full: the oldest of
    /// the account with the most in the network with the most.
    pub fn push(&mut self, waiting: Waiting<T>) -> Option<Waiting<T>> {
        self.waiting.push(waiting);
        if self.waiting.len() <= self.max {
            return None;
        }
        let network = *most(self.waiting.iter().map(|waiting| &waiting.network))?;
        let of_network = self.waiting.iter().filter(|next| next.network == network);
        let account = most(of_network.map(|waiting| &waiting.account))?.clone();
        let oldest = self
            .waiting
            .iter()
            .position(|next| next.network == network && next.account == account)?;
        Some(self.waiting.remove(oldest))
    }

    /// Takes the next turn, passing over the networks that are [`FairQueue::paused`].
    pub fn take(&mut self, paused: &HashMap<IpAddr, Instant>) -> Next<T> {
        let may = |waiting: &&Waiting<T>| !paused.contains_key(&waiting.network);
        let network = |waiting: &Waiting<T>| last(&self.networks, &waiting.network);
        let account = |waiting: &Waiting<T>| last(&self.accounts, &waiting.account);
        let by_network = self.turn.is_multiple_of(2);
        let order = |waiting: &&Waiting<T>| {
            let (network, account) = (network(waiting), account(waiting));
            if by_network {
                (network, account)
            } else {
                (account, network)
            }
        };
        // Of equals the first, which has waited longest.
        let Some(first) = self.waiting.iter().filter(may).min_by_key(order) else {
            let ends = paused.iter().filter(|(network, _)| self.waits(**network));
            let until = ends.map(|(_, &end)| end).min();
            return until.map_or(Next::Empty, Next::Pause);
        };
        let alike =
            |other: &Waiting<T>| other.network == first.network && other.account == first.account;
        let found = if self.turn % 4 == 3 {
            self.waiting.iter().position(alike)
        } else {
            self.waiting.iter().rposition(alike)
        };
        let taken = self
            .waiting
            .remove(found.expect("the first is alike itself"));
        self.turn += 1;
        self.remember(&taken);
        Next::Turn(taken)
    }

    /// Removes all but `max` of a network: those stay that are the newest of their account, and of
    /// these the newest. Returns the others.
    pub fn shed(&mut self, network: IpAddr, max: usize) -> Vec<Waiting<T>> {
        let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
        let mut ranked = Vec::new();
        for (age, (at, waiting)) in self.waiting.iter().enumerate().rev().enumerate() {
            if waiting.network == network {
                let rank = seen.entry(waiting.account.clone()).or_default();
                ranked.push((*rank, age, at));
                *rank += 1;
            }
        }
        ranked.sort_unstable();
        let mut surplus: Vec<usize> = ranked.into_iter().skip(max).map(|(.., at)| at).collect();
        // From the back, so that the others keep their places.
        surplus.sort_unstable_by(|one, other| other.cmp(one));
        let removed = surplus.into_iter().map(|at| self.waiting.remove(at));
        removed.collect()
    }

    /// Returns the networks that wait and have to pause, with the end of the pause.
    pub fn paused(
        &self,
        now: Instant,
        pause: impl Fn(IpAddr) -> Option<Instant>,
    ) -> HashMap<IpAddr, Instant> {
        let mut ends: HashMap<IpAddr, Option<Instant>> = HashMap::new();
        for waiting in &self.waiting {
            let end = || pause(waiting.network).filter(|&end| end > now);
            ends.entry(waiting.network).or_insert_with(end);
        }
        ends.into_iter()
            .filter_map(|(network, end)| Some((network, end?)))
            .collect()
    }

    fn waits(&self, network: IpAddr) -> bool {
        self.waiting.iter().any(|next| next.network == network)
    }

    fn remember(&mut self, taken: &Waiting<T>) {
        self.networks.insert(taken.network, self.turn);
        self.accounts.insert(taken.account.clone(), self.turn);
        let max = self.max * REMEMBERED;
        // Whatever was served longest ago goes before all others then, as if it had never been.
        forget_older_half(&mut self.networks, max);
        forget_older_half(&mut self.accounts, max);
    }
}

/// The last turn; 0 if there was none.
fn last<K: Hash + Eq>(turns: &HashMap<K, u64>, key: &K) -> u64 {
    turns.get(key).copied().unwrap_or_default()
}

fn forget_older_half<K: Hash + Eq>(turns: &mut HashMap<K, u64>, max: usize) {
    if turns.len() > max {
        let mut all: Vec<u64> = turns.values().copied().collect();
        let middle = all.len() / 2;
        let (_, &mut median, _) = all.select_nth_unstable(middle);
        turns.retain(|_, turn| *turn > median);
    }
}

/// Returns what occurs most often.
fn most<'a, K: Hash + Eq>(all: impl Iterator<Item = &'a K>) -> Option<&'a K> {
    let mut counts: HashMap<&K, usize> = HashMap::new();
    for key in all {
        *counts.entry(key).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Adds logins, numbered on from `first`.
    fn push(turns: &mut FairQueue<u32>, network: u8, account: &str, numbers: std::ops::Range<u32>) {
        for what in numbers {
            let lost = turns.push(Waiting {
                network: [192, 0, 2, network].into(),
                account: account.into(),
                what,
            });
            assert!(lost.is_none());
        }
    }

    fn take(turns: &mut FairQueue<u32>) -> Option<u32> {
        match turns.take(&HashMap::new()) {
            Next::Turn(waiting) => Some(waiting.what),
            Next::Pause(_) | Next::Empty => None,
        }
    }

    /// After how many turns `what` is served.
    fn turns_until(turns: &mut FairQueue<u32>, what: u32) -> usize {
        std::iter::from_fn(|| take(turns))
            .position(|taken| taken == what)
            .unwrap()
    }

    #[test]
    fn another_network_or_account_waits_a_turn_or_two() {
        for (network, account) in [(1, "luis"), (2, "ana"), (2, "luis")] {
            let mut turns = FairQueue::new(2_000);
            push(&mut turns, 1, "ana", 0..1_000);
            assert!(take(&mut turns).is_some());
            push(&mut turns, network, account, 1_000..1_001);
            let waited = turns_until(&mut turns, 1_000);
            assert!(waited < 2, "{account} of {network}: {waited}");
        }
    }

    #[test]
    fn many_networks_that_ask_for_one_account_do_not_delay_another() {
        let mut turns = FairQueue::new(2_000);
        for network in 0..200 {
            push(&mut turns, network, "ana", 0..5);
        }
        assert!(take(&mut turns).is_some());
        push(&mut turns, 250, "luis", 1_000..1_001);
        assert!(turns_until(&mut turns, 1_000) < 2);
    }

    #[test]
    fn the_newest_goes_first_and_the_oldest_does_not_wait_for_ever() {
        let mut turns = FairQueue::new(100);
        push(&mut turns, 1, "ana", 0..50);
        assert_eq!(take(&mut turns), Some(49));
        // One comes for each that is served.
        let mut served = Vec::new();
        for number in 50..58 {
            push(&mut turns, 1, "ana", number..number + 1);
            served.extend(take(&mut turns));
        }
        assert!(served.contains(&57) && served.contains(&0), "{served:?}");
    }

    #[test]
    fn a_full_queue_drops_the_oldest_of_the_most_crowded() {
        let mut turns = FairQueue::new(10);
        push(&mut turns, 1, "ana", 0..7);
        push(&mut turns, 1, "eva", 7..8);
        push(&mut turns, 2, "luis", 8..10);
        let next = |network: u8, account: &str, what| Waiting {
            network: [192, 0, 2, network].into(),
            account: account.into(),
            what,
        };
        let lost = turns.push(next(3, "olga", 10)).map(|lost| lost.what);
        assert_eq!(lost, Some(0));
        let lost = turns.push(next(1, "ana", 11)).map(|lost| lost.what);
        assert_eq!(lost, Some(1));
    }

    #[test]
    fn a_network_that_pauses_is_passed_over_and_thinned() {
        let (mut turns, now) = (FairQueue::new(100), Instant::now());
        let (guesser, until) = (IpAddr::from([192, 0, 2, 1]), now + Duration::from_secs(1));
        let pause = |network| (network == guesser).then_some(until);
        push(&mut turns, 1, "ana", 0..20);
        push(&mut turns, 1, "eva", 20..21);
        push(&mut turns, 1, "ana", 21..23);
        push(&mut turns, 2, "ana", 30..31);
        let gone = turns.shed(guesser, 3);
        assert_eq!(gone.len(), 20);
        let left: Vec<u32> = turns.waiting.iter().map(|waiting| waiting.what).collect();
        assert_eq!(left, [20, 21, 22, 30], "the newest of each account first");
        let paused = turns.paused(now, pause);
        let taken = turns.take(&paused);
        assert!(matches!(taken, Next::Turn(Waiting { what: 30, .. })));
        assert!(matches!(turns.take(&paused), Next::Pause(end) if end == until));
        let paused = turns.paused(until, pause);
        assert!(matches!(turns.take(&paused), Next::Turn(_)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut turns = FairQueue::new(10);
        for number in 0..100_u8 {
            push(&mut turns, number, &number.to_string(), 0..1);
            take(&mut turns);
        }
        assert!(turns.networks.len() <= 20 && turns.accounts.len() <= 20);
    }
}
