//! The message rate of a session (protocol, 7. Pace): who is faster is read more slowly.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::table::Limits;

/// A bucket of `rate_burst` messages that fills with `rate_per_second`.
#[derive(Debug)]
pub struct Pace {
    bucket:
        RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>,
}

impl Pace {
    /// The pace that the limits set, if they do.
    pub fn new(limits: &Limits) -> Option<Self> {
        let rate = NonZeroU32::new(limits.rate_per_second)?;
        let burst = NonZeroU32::new(limits.rate_burst)?;
        let bucket = RateLimiter::direct_with_clock(
            Quota::per_second(rate).allow_burst(burst),
            MonotonicClock,
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
            .map_err(|not_until| not_until.wait_time_from(MonotonicClock.now()))
    }
}
