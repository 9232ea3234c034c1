//! Limits the short visits of a network, because each visit is announced twice.
//!
//! The limit is a token bucket per network, stored as a theoretical arrival time (GCRA). A visit
//! shorter than [`SHORT_MILLIS`] takes a token. Networks with a full bucket are removed, which
//! bounds the memory.

use chat_proto::{ErrorCode, Timestamp};

use crate::chat::Map;
use crate::chat::command::Refusal;
use crate::ip::ClientNetwork;

/// A shorter visit takes a token, in milliseconds.
const SHORT_MILLIS: i64 = 10_000;

/// The burst, in seconds of the rate: for bots that restart together or a network that fails.
const BURST_SECONDS: usize = 10;

/// The number of networks that are stored before a clean-up.
const NETWORKS: usize = 1024;

/// The buckets of all networks.
#[derive(Debug, Default)]
pub(super) struct VisitLimiter {
    /// When each bucket is full again, in microseconds.
    full_at: Map<ClientNetwork, i64>,
    /// The number of networks that triggers the next clean-up.
    clean_up_at: usize,
}

impl VisitLimiter {
    /// Checks whether a client of `origin` may log in, with `rate` short visits per second (0: no
    /// limit).
    ///
    /// # Errors
    /// The network has exceeded the rate.
    pub(super) fn check(
        &self,
        origin: ClientNetwork,
        rate: usize,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(interval) = interval(rate) else {
            return Ok(());
        };
        let burst = i64::try_from(rate * BURST_SECONDS).unwrap_or(i64::MAX);
        let now = micros(now);
        let full_at = self.full_at.get(&origin).map_or(now, |&at| at.max(now));
        if full_at - now > interval.saturating_mul(burst - 1) {
            return Err(Refusal::new(
                ErrorCode::RateLimited,
                "too many users come and go from your network; try again in a moment",
            ));
        }
        Ok(())
    }

    /// Counts a visit from `origin` that lasted from `from` to `now`, if it was short.
    pub(super) fn count_visit(
        &mut self,
        origin: ClientNetwork,
        rate: usize,
        from: Timestamp,
        now: Timestamp,
    ) {
        let stay = now.as_millis().saturating_sub(from.as_millis());
        let Some(interval) = interval(rate).filter(|_| stay < SHORT_MILLIS) else {
            return;
        };
        let now = micros(now);
        let full_at = self.full_at.entry(origin).or_insert(now);
        *full_at = (*full_at).max(now) + interval;
        if self.full_at.len() > self.clean_up_at.max(NETWORKS) {
            self.full_at.retain(|_, at| *at > now);
            self.clean_up_at = self.full_at.len() * 2;
        }
    }
}

/// Returns the microseconds per token, if there is a limit.
fn interval(rate: usize) -> Option<i64> {
    let interval = 1_000_000_usize.checked_div(rate)?;
    Some(i64::try_from(interval).unwrap_or(i64::MAX))
}

fn micros(time: Timestamp) -> i64 {
    time.as_millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn origin(number: u32) -> ClientNetwork {
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    #[test]
    fn short_visits_have_a_burst_and_then_a_rate_and_each_network_by_itself() {
        let mut limiter = VisitLimiter::default();
        let mut admitted = |network, rate, stay, millis| {
            let (from, now) = (millis - stay, Timestamp::from_millis(millis));
            let visits = (0..5_000).take_while(|_| {
                let admitted = limiter.check(origin(network), rate, now).is_ok();
                if admitted {
                    let from = Timestamp::from_millis(from);
                    limiter.count_visit(origin(network), rate, from, now);
                }
                admitted
            });
            visits.count()
        };
        assert_eq!(admitted(1, 100, 10, 100_000), 1_000);
        assert_eq!(admitted(1, 100, 10, 101_000), 100);
        assert_eq!(admitted(2, 100, 10, 101_000), 1_000);
        assert_eq!(admitted(1, 100, 10, 160_000), 1_000);
        assert_eq!(admitted(1, 0, 10, 160_000), 5_000);
        assert_eq!(admitted(3, 100, SHORT_MILLIS, 160_000), 5_000);
    }

    #[test]
    fn networks_whose_bucket_is_full_are_forgotten() {
        let mut limiter = VisitLimiter::default();
        for number in 0..100_000 {
            let now = Timestamp::from_millis(i64::from(number));
            limiter.count_visit(origin(number), 100, now, now);
        }
        assert!(limiter.full_at.len() <= NETWORKS + 1);
    }
}
