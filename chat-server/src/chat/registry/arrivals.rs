//! How often users of one network may come: each arrival and departure is told to others.
//!
//! A token bucket for each network, as a theoretical arrival time (GCRA). Networks whose bucket is full
//! are forgotten, so memory is bounded by the arrivals of some seconds.

use chat_proto::{ErrorCode, Timestamp};

use crate::chat::Map;
use crate::chat::command::Refusal;
use crate::netblock::Origin;

/// Seconds of arrivals that may come at once: a classroom, or bots that restart together.
const BURST_SECONDS: usize = 5;

/// Networks that are remembered before full buckets are looked for.
const NETWORKS: usize = 1024;

/// The networks that users have come from lately.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// When each bucket is full again, in microseconds.
    full_at: Map<Origin, i64>,
    /// How many networks are remembered before the next clean-up.
    clean_up_at: usize,
}

impl Arrivals {
    /// Counts an arrival from `origin`, of which there may be `rate` a second (0: no limit).
    ///
    /// # Errors
    /// Too many users have come from that network; this one is not counted.
    pub(super) fn count(
        &mut self,
        origin: Origin,
        rate: usize,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(interval) = 1_000_000_usize.checked_div(rate) else {
            return Ok(());
        };
        let interval = i64::try_from(interval).unwrap_or(i64::MAX);
        let burst = i64::try_from(rate * BURST_SECONDS).unwrap_or(i64::MAX);
        let now = now.as_millis().saturating_mul(1000);
        let full_at = self.full_at.get(&origin).map_or(now, |&at| at.max(now));
        if full_at - now > interval.saturating_mul(burst - 1) {
            return Err(Refusal::new(
                ErrorCode::RateLimited,
                "too many users come and go from your network; try again in a moment",
            ));
        }
        self.full_at.insert(origin, full_at + interval);
        if self.full_at.len() > self.clean_up_at.max(NETWORKS) {
            self.full_at.retain(|_, at| *at > now);
            self.clean_up_at = self.full_at.len() * 2;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn origin(number: u32) -> Origin {
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    #[test]
    fn a_burst_and_then_the_rate_and_each_network_by_itself() {
        let mut arrivals = Arrivals::default();
        let mut admitted = |network, rate, millis| {
            let now = Timestamp::from_millis(millis);
            let all = (0..10_000).map(|_| arrivals.count(origin(network), rate, now));
            all.filter(Result::is_ok).count()
        };
        assert_eq!(admitted(1, 100, 0), 500);
        assert_eq!(admitted(1, 100, 1_000), 100);
        assert_eq!(admitted(2, 100, 1_000), 500);
        assert_eq!(admitted(1, 100, 60_000), 500);
        assert_eq!(admitted(1, 0, 60_000), 10_000);
    }

    #[test]
    fn networks_whose_bucket_is_full_are_forgotten() {
        let mut arrivals = Arrivals::default();
        for number in 0..100_000 {
            let now = Timestamp::from_millis(i64::from(number));
            arrivals.count(origin(number), 100, now).unwrap();
        }
        assert!(arrivals.full_at.len() <= NETWORKS + 1);
    }
}
