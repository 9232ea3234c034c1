//! The queue before the threads that read the history.
//!
//! Each session has at most one read here. Short reads (a page, the next part of a replay) go
//! before the selection of missed messages, of which one runs at a time, so that a storm of resumes
//! leaves a thread for pages. Reads of closing sessions go last, and reads of ended sessions are
//! dropped. Within a class the networks take turns.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};

use crate::chat::SessionId;

/// Threads that read.
pub(super) const READERS: usize = 2;

/// Short reads in a row after which a long one has its turn.
const SHORT_IN_A_ROW: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Short,
    Long,
    Closing,
}

impl Class {
    /// Returns whether reads of the class run one at a time.
    fn is_exclusive(self) -> bool {
        self != Self::Short
    }
}

/// The place of a read in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: Class,
    /// Start-time fair queueing: each further read of a network begins one turn later.
    turn: u64,
    serial: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    network: IpAddr,
    session: SessionId,
    read: T,
}

/// A network with waiting reads.
#[derive(Debug, Default)]
struct Network {
    last_turn: u64,
    waiting: usize,
}

/// Until it is dropped, no other read of an exclusive class is served.
#[derive(Debug)]
pub(super) struct Served<'q, T>(Class, &'q ReadQueue<T>);

impl<T> Drop for Served<'_, T> {
    fn drop(&mut self) {
        if self.0.is_exclusive() {
            self.1.lock().exclusive_runs = false;
        }
    }
}

/// The queue, which is bounded by one read for each session.
#[derive(Debug)]
pub struct ReadQueue<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    waiting: BTreeMap<Rank, Waiting<T>>,
    ranks: HashMap<SessionId, Rank>,
    networks: HashMap<IpAddr, Network>,
    /// The latest turn that was served.
    turn: u64,
    serial: u64,
    /// An exclusive read is being served.
    exclusive_runs: bool,
    short_in_a_row: u32,
    /// Messages [`Turn`](super::Turn) that no thread has taken yet.
    calls: usize,
}

impl<T> Default for ReadQueue<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: BTreeMap::new(),
            ranks: HashMap::new(),
            networks: HashMap::new(),
            turn: 0,
            serial: 0,
            exclusive_runs: false,
            short_in_a_row: 0,
            calls: 0,
        }))
    }
}

impl<T> ReadQueue<T> {
    /// Adds a read. Returns whether a thread has to be called.
    pub(super) fn push(&self, network: IpAddr, session: SessionId, class: Class, read: T) -> bool {
        let mut state = self.lock();
        let waiting = Waiting {
            network,
            session,
            read,
        };
        state.push(class, waiting);
        let calls = state.calls < READERS;
        state.calls += usize::from(calls);
        calls
    }

    /// Notes that a thread has taken its [`Turn`](super::Turn). It works until [`ReadQueue::next`]
    /// has no more.
    pub(super) fn taken(&self) {
        self.lock().calls -= 1;
    }

    /// Takes the next read that may be served. The thread drops the one before first.
    pub(super) fn next(&self) -> Option<(T, Served<'_, T>)> {
        let (class, read) = self.lock().take()?;
        Some((read, Served(class, self)))
    }

    /// Serves the read of `session`, if it waits, when no others do.
    pub(super) fn put_last(&self, session: SessionId) {
        self.lock().put_last(session);
    }

    /// Drops the read of `session`, if it waits.
    pub(super) fn remove(&self, session: SessionId) {
        self.lock().remove(session);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0
            .lock()
            .expect("no thread panics while holding the lock")
    }
}

impl<T> State<T> {
    fn push(&mut self, class: Class, waiting: Waiting<T>) {
        self.serial += 1;
        let network = self.networks.entry(waiting.network).or_default();
        network.last_turn = network.last_turn.max(self.turn) + 1;
        network.waiting += 1;
        let rank = Rank {
            class,
            turn: network.last_turn,
            serial: self.serial,
        };
        self.ranks.insert(waiting.session, rank);
        self.waiting.insert(rank, waiting);
    }

    fn take(&mut self) -> Option<(Class, T)> {
        let first_of = |class| {
            let begin = Rank {
                class,
                turn: 0,
                serial: 0,
            };
            let mut from = self.waiting.range(begin..).map(|(&rank, _)| rank);
            from.next().filter(|rank| rank.class == class)
        };
        let may = |rank: &Rank| !rank.class.is_exclusive() || !self.exclusive_runs;
        let short = first_of(Class::Short);
        let long = first_of(Class::Long)
            .or_else(|| first_of(Class::Closing))
            .filter(may);
        let rank = match (short, long) {
            (Some(_), Some(long))
                if self.short_in_a_row >= SHORT_IN_A_ROW && long.class == Class::Long =>
            {
                long
            }
            (Some(short), _) => short,
            (None, long) => long?,
        };
        self.short_in_a_row = match rank.class {
            Class::Short => self.short_in_a_row + 1,
            Class::Long | Class::Closing => 0,
        };
        self.exclusive_runs |= rank.class.is_exclusive();
        self.turn = self.turn.max(rank.turn);
        let read = self.remove_at(rank)?.read;
        Some((rank.class, read))
    }

    fn put_last(&mut self, session: SessionId) {
        if let Some(rank) = self.ranks.get_mut(&session)
            && let Some(waiting) = self.waiting.remove(rank)
        {
            rank.class = Class::Closing;
            self.waiting.insert(*rank, waiting);
        }
    }

    fn remove(&mut self, session: SessionId) {
        if let Some(&rank) = self.ranks.get(&session) {
            self.remove_at(rank);
        }
    }

    fn remove_at(&mut self, rank: Rank) -> Option<Waiting<T>> {
        let removed = self.waiting.remove(&rank)?;
        self.ranks.remove(&removed.session);
        if let Some(network) = self.networks.get_mut(&removed.network) {
            network.waiting -= 1;
            if network.waiting == 0 {
                self.networks.remove(&removed.network);
            }
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queue: &ReadQueue<usize>, network: u8, class: Class, numbers: std::ops::Range<usize>) {
        for number in numbers {
            queue.push([192, 0, 2, network].into(), session(number), class, number);
        }
    }

    fn session(number: usize) -> SessionId {
        SessionId::new(0, number, 1).unwrap()
    }

    fn take(queue: &ReadQueue<usize>) -> Option<usize> {
        queue.next().map(|(read, _)| read)
    }

    fn order(queue: &ReadQueue<usize>) -> Vec<usize> {
        std::iter::from_fn(|| take(queue)).collect()
    }

    #[test]
    fn pages_go_before_selections_and_do_not_starve_them() {
        let queue = ReadQueue::default();
        push(&queue, 1, Class::Long, 0..100);
        push(&queue, 1, Class::Short, 100..120);
        let order = order(&queue);
        assert_eq!(
            order[..10],
            [100, 101, 102, 103, 104, 105, 106, 107, 0, 108]
        );
        assert_eq!(order.len(), 120);
    }

    #[test]
    fn one_selection_runs_at_a_time() {
        let queue = ReadQueue::default();
        push(&queue, 1, Class::Long, 1..3);
        let first = queue.next().unwrap();
        assert_eq!(take(&queue), None, "the second has to wait");
        push(&queue, 1, Class::Short, 3..4);
        assert_eq!(take(&queue), Some(3));
        drop(first);
        assert_eq!(take(&queue), Some(2));
    }

    #[test]
    fn networks_take_turns() {
        let queue = ReadQueue::default();
        push(&queue, 1, Class::Long, 0..50);
        assert_eq!(take(&queue), Some(0));
        push(&queue, 2, Class::Long, 50..51);
        let order = order(&queue);
        assert!(order[..2].contains(&50), "{order:?}");
    }

    #[test]
    fn reads_of_closing_sessions_go_last_and_of_ended_ones_never() {
        let queue = ReadQueue::default();
        push(&queue, 1, Class::Long, 0..50);
        (0..25).for_each(|number| queue.put_last(session(number)));
        (25..49).for_each(|number| queue.remove(session(number)));
        push(&queue, 1, Class::Long, 50..51);
        let closing = (0..25).collect();
        assert_eq!(order(&queue), [vec![49, 50], closing].concat());
        let state = queue.lock();
        assert!(state.ranks.is_empty() && state.networks.is_empty());
    }

    #[test]
    fn no_more_threads_are_called_than_there_are() {
        let queue = ReadQueue::default();
        let network = [192, 0, 2, 1].into();
        let push = |number| queue.push(network, session(number), Class::Short, number);
        assert_eq!([1, 2, 3, 4].map(push), [true, true, false, false]);
        queue.taken();
        assert!(push(5));
    }
}
