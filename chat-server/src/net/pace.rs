//! The message rate of a session (protocol, 7. Pace): who is faster is read more slowly.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::table::Limits;

/// A bucket of `rate_burst` messages that fills with `rate_per_second`.
#[derive(Debug)]
pub struct Pace {
    bucket: RateLimiter<NotKeyed, Bucket, ReadClock, NoOpMiddleware<Nanos>>,
}

/// Asked on one thread only: governor's own, an atomic number, was 1 % of the server's samples in a channel of 10.
#[derive(Debug, Default)]
struct Bucket(Cell<Option<Nanos>>);

impl StateStore for Bucket {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, filled) = measure(self.0.get())?;
        self.0.set(Some(filled));
        Ok(outcome)
    }
}

/// Stands still while what was read at once is dealt with: to look at the time for each message would
/// take longer than all else that is done here for it.
#[derive(Debug, Clone)]
struct ReadClock;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    /// Since the start.
    static READ_AT: Cell<Nanos> = const { Cell::new(Nanos::new(0)) };
}

impl Clock for ReadClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        READ_AT.get()
    }
}

/// The session whose turn it is on this thread has read something at that time.
pub fn read_at(time: Instant) {
    READ_AT.set((time - *START).into());
}

impl Pace {
    /// The pace that the limits set, if they do.
    pub fn new(limits: &Limits) -> Option<Self> {
        let rate = NonZeroU32::new(limits.rate_per_second)?;
        let burst = NonZeroU32::new(limits.rate_burst)?;
        let bucket = RateLimiter::new(
            Quota::per_second(rate).allow_burst(burst),
            Bucket::default(),
            ReadClock,
        );
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
