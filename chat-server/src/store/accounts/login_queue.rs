//! The queue of logins before the worker threads, with the wrong passwords of each network.

use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use actix::prelude::*;

use super::fair_queue::{FairQueue, Next, Waiting};
use super::rate_limit::{GUESS_QUOTA, KeyedRateLimiter, RETRY_QUOTA};
use crate::chat::SessionId;
use crate::chat::auth::{AuthOutcome, AuthRejection, AuthRequest, AuthResponse};

/// Logins that may wait for a thread: at some 30 hashes a second of one thread, the last of them
/// half a minute.
pub(super) const WAITING_MAX: usize = 1024;

/// Logins of a network that may wait while it has to pause: as many as are looked at within a
/// second or two.
const PAUSED_MAX: usize = 4;

/// What a session has asked for.
#[derive(Debug)]
pub(super) struct QueuedAuth {
    pub session: SessionId,
    pub request: AuthRequest,
    pub reply: Recipient<AuthResponse>,
}

impl QueuedAuth {
    fn decline(self, why: AuthRejection) {
        self.reply.do_send(AuthResponse {
            session: self.session,
            outcome: AuthOutcome::Rejected(why),
        });
    }
}

/// The queue before the threads, and what each network has guessed.
#[derive(Debug)]
pub(super) struct LoginQueue {
    queue: Mutex<Queue>,
    /// Something was added.
    added: Condvar,
    guesses: KeyedRateLimiter,
    tries: KeyedRateLimiter,
}

/// What waits, and the calls for it.
#[derive(Debug)]
struct Queue {
    turns: FairQueue<QueuedAuth>,
    /// Messages [`Turn`](super) that are under way: at least as many as wait, and as
    /// bounded.
    calls: usize,
}

/// What is to be done now.
#[derive(Debug)]
pub(super) struct DueAuth {
    pub network: IpAddr,
    pub ask: QueuedAuth,
    /// The network had sent too many wrong passwords before.
    pub over_quota: bool,
}

impl LoginQueue {
    pub(super) fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                turns: FairQueue::new(WAITING_MAX),
                calls: 0,
            }),
            added: Condvar::new(),
            guesses: KeyedRateLimiter::new(GUESS_QUOTA),
            tries: KeyedRateLimiter::new(RETRY_QUOTA),
        }
    }

    /// Adds to the queue. Returns whether a thread has to be called for it.
    pub(super) fn add(&self, network: IpAddr, ask: QueuedAuth) -> bool {
        let account = ask.request.nick();
        let mut queue = self.queue();
        let lost = queue.turns.push(Waiting {
            network,
            account,
            what: ask,
        });
        let calls = queue.calls < queue.turns.len();
        queue.calls += usize::from(calls);
        drop(queue);
        self.added.notify_one();
        if let Some(lost) = lost {
            lost.what.decline(AuthRejection::QueueFull);
        }
        calls
    }

    /// Answers a call: waits for what may be done next; none if nothing is left.
    pub(super) fn next(&self) -> Option<DueAuth> {
        let mut queue = self.queue();
        loop {
            let now = Instant::now();
            let paused = queue.turns.paused(now, |network| self.pause(network));
            for &network in paused.keys() {
                for gone in queue.turns.shed(network, PAUSED_MAX) {
                    gone.what.decline(AuthRejection::Guesses);
                }
            }
            match queue.turns.take(&paused) {
                Next::Turn(Waiting { network, what, .. }) => {
                    queue.calls -= 1;
                    return Some(DueAuth {
                        network,
                        ask: what,
                        over_quota: !self.guesses.allows(network, now),
                    });
                }
                Next::Pause(until) => {
                    let rest = until.saturating_duration_since(now);
                    let waited = self.added.wait_timeout(queue, rest);
                    queue = waited.expect("no thread panics while holding the lock").0;
                }
                Next::Empty => {
                    queue.calls -= 1;
                    return None;
                }
            }
        }
    }

    /// Returns until when a network has to pause that has guessed too much.
    fn pause(&self, network: IpAddr) -> Option<Instant> {
        Some(
            self.guesses
                .allowed_at(network)?
                .min(self.tries.allowed_at(network)?),
        )
    }

    /// Counts a wrong password. Returns what the client is to be answered.
    pub(super) fn wrong(&self, network: IpAddr, over_quota: bool) -> AuthOutcome {
        let now = Instant::now();
        if over_quota {
            self.tries.record(network, now);
            AuthOutcome::Rejected(AuthRejection::Guesses)
        } else {
            self.guesses.record(network, now);
            AuthOutcome::Wrong
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue
            .lock()
            .expect("no thread panics while holding the lock")
    }
}
