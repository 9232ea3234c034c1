//! The message rate of a session (protocol, 7. Pace): who is faster is read more slowly.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::table::Limits;

/// A bucket of `rate_burst` messages that fills with `rate_per_second`.
#[derive(Debug)]
pub struct Pace {
    bucket: RateLimiter<NotKeyed, InMemoryState, ReadClock, NoOpMiddleware<Instant>>,
}

/// Stands still while what was read at once is dealt with: to look at the time for each message would
/// take longer than all else that is done here for it.
#[derive(Debug, Clone)]
struct ReadClock;

thread_local! {
    static READ_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Clock for ReadClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        READ_AT.get().unwrap_or_else(Instant::now)
    }
}

/// The session whose turn it is on this thread has read something at that time.
pub fn read_at(time: Instant) {
    READ_AT.set(Some(time));
}

impl Pace {
    /// The pace that the limits set, if they do.
    pub fn new(limits: &Limits) -> Option<Self> {
        let rate = NonZeroU32::new(limits.rate_per_second)?;
        let burst = NonZeroU32::new(limits.rate_burst)?;
        let bucket =
            RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), ReadClock);
        Some(Self { bucket })
    }

    /// Lets one message through.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn admit(&self) -> Result<(), Duration> {
        self.bucket
            .check()
            .map_err(|not_until| not_until.wait_time_from(ReadClock.now()))
    }
}
