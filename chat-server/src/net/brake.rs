//! When deliveries are slowed for those who read.
//!
//! A sender is slowed by what waits for itself, not by what waits for those who only listen. So a
//! server that writes faster than its readers can read would fill their outboxes and let them go,
//! though they do nothing but read. Instead, while somebody has more than half of what may wait
//! unread, no more messages are delivered to them than half of that a second: a reader that was
//! held up has that long to go on, and whoever does not read at all is let go after it. The
//! requests behind stay unanswered, so their senders are not read from, and nothing piles up.
//!
//! The throttle counts messages to lagging connections only. Answers to requests are bounded by the
//! credit of the session that sent the requests. No batch is delayed by more than [`PATIENCE`]: a
//! connection that falls further behind is evicted, and the other clients do not wait for it.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Maximum delay of a batch. At the throttled rate a connection that never reads overflows in this
/// time.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Brake {
    bucket: RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Instant>>,
    /// More than this counts as this.
    most: NonZeroU32,
}

impl Brake {
    /// For outboxes of at most `send_queue_bytes`.
    pub(super) fn new(send_queue_bytes: usize) -> Self {
        let part = |of: usize| {
            let bytes = u32::try_from(send_queue_bytes / of).unwrap_or(u32::MAX);
            NonZeroU32::new(bytes).unwrap_or(NonZeroU32::MIN)
        };
        let most = part(8);
        let quota = Quota::per_second(part(2)).allow_burst(most);
        Self {
            bucket: RateLimiter::direct_with_clock(quota, MonotonicClock),
            most,
        }
    }

    /// Admits a batch that has `bytes` of messages for lagging connections and was delayed by
    /// `held`.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn admit(&self, bytes: usize, held: Duration) -> Result<(), Duration> {
        let left = PATIENCE.saturating_sub(held);
        if left.is_zero() {
            return Ok(());
        }
        let bytes = u32::try_from(bytes).map_or(self.most, |bytes| {
            NonZeroU32::new(bytes).map_or(NonZeroU32::MIN, |bytes| bytes.min(self.most))
        });
        match self.bucket.check_n(bytes) {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(MonotonicClock.now()).min(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT: Duration = Duration::ZERO;

    #[test]
    fn half_of_what_may_wait_goes_through_in_a_second() {
        let brake = Brake::new(1 << 20);
        assert_eq!(brake.admit(1 << 17, NOT), Ok(()));
        let wait = brake
            .admit(1 << 17, NOT)
            .expect_err("an eighth went through already");
        assert!(
            wait <= Duration::from_millis(250) && wait > Duration::from_millis(200),
            "{wait:?}"
        );
        // Larger than all that may wait, and yet it comes through in the end.
        let wait = brake.admit(1 << 30, NOT).expect_err("the same");
        assert!(wait <= Duration::from_millis(250), "{wait:?}");
        assert_eq!(Brake::new(1024).admit(1 << 18, NOT), Ok(()));
    }

    #[test]
    fn nothing_is_held_for_longer_than_a_second() {
        let brake = Brake::new(1024);
        assert_eq!(brake.admit(1 << 10, NOT), Ok(()));
        for millis in [0, 900, 990] {
            let held = Duration::from_millis(millis);
            let wait = brake.admit(1 << 10, held).expect_err("there is no room");
            assert!(held + wait <= PATIENCE, "{wait:?}");
        }
        for _ in 0..100 {
            assert_eq!(brake.admit(1 << 10, PATIENCE), Ok(()));
        }
    }
}
