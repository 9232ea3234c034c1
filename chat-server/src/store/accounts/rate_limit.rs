//! Limits wrong passwords and new accounts per network: one bounded set of token buckets for each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::ip::client_network;

/// How many at once, and how long until there may be one more.
#[derive(Debug, Clone, Copy)]
pub struct RateQuota {
    pub burst: u32,
    pub period: Duration,
}

/// Wrong passwords: as many as a household, or a script with an old one, may send; then less than
/// 9,000 a day.
pub const GUESS_QUOTA: RateQuota = RateQuota {
    burst: 50,
    period: Duration::from_secs(10),
};

/// Wrong passwords beyond [`GUESS_QUOTA`] that are still looked at, so that a right password passes
/// while a neighbour in the network guesses: four at once, then two a second.
pub const RETRY_QUOTA: RateQuota = RateQuota {
    burst: 4,
    period: Duration::from_millis(500),
};

/// New accounts: a school on its first day; then 1,440 a day, which bounds the growth of the file.
pub const REGISTRATION_QUOTA: RateQuota = RateQuota {
    burst: 300,
    period: Duration::from_secs(60),
};

/// Addresses that are remembered; beyond it the one that has been good longest is forgotten.
const MAX_NETWORKS: usize = 10_000;

/// What came from each address, on all threads. A /64 counts as one in IPv6: whoever has one has
/// all of it.
#[derive(Debug, Clone)]
pub struct KeyedRateLimiter {
    quota: RateQuota,
    /// When the bucket will be full again (GCRA's theoretical arrival time). Held for a look only,
    /// and only where a password is at stake.
    full_at: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl KeyedRateLimiter {
    pub fn new(quota: RateQuota) -> Self {
        Self {
            quota,
            full_at: Arc::default(),
        }
    }

    /// Returns whether the limit allows another event of the address.
    pub fn allows(&self, address: IpAddr, now: Instant) -> bool {
        self.allowed_at(address)
            .is_none_or(|allowed_at| allowed_at <= now)
    }

    /// Returns from when on there may be another one from that address; none: at any time.
    pub fn allowed_at(&self, address: IpAddr) -> Option<Instant> {
        let RateQuota { burst, period } = self.quota;
        let full_at = *self.full_at().get(&client_network(address))?;
        full_at.checked_sub(period * (burst - 1))
    }

    /// There was one from that address.
    pub fn record(&self, address: IpAddr, now: Instant) {
        let network = client_network(address);
        let mut all = self.full_at();
        if all.len() >= MAX_NETWORKS && !all.contains_key(&network) {
            all.retain(|_, full_at| *full_at > now);
            let best = all.iter().min_by_key(|(_, full_at)| **full_at);
            if all.len() >= MAX_NETWORKS
                && let Some((&best, _)) = best
            {
                all.remove(&best);
            }
        }
        let full_at = all.entry(network).or_insert(now);
        *full_at = (*full_at).max(now) + self.quota.period;
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.full_at
            .lock()
            .expect("no thread panics while holding the lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_has_to_wait() {
        let (start, limiter) = (Instant::now(), KeyedRateLimiter::new(GUESS_QUOTA));
        let (guesser, other) = ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        for _ in 0..GUESS_QUOTA.burst {
            assert!(limiter.allows(guesser, start));
            limiter.record(guesser, start);
        }
        assert!(!limiter.allows(guesser, start));
        assert!(!limiter.allows("::ffff:192.0.2.7".parse().unwrap(), start));
        assert!(limiter.allows(other, start));
        assert!(limiter.allows(guesser, start + GUESS_QUOTA.period));
        limiter.record(guesser, start + GUESS_QUOTA.period);
        assert!(!limiter.allows(guesser, start + GUESS_QUOTA.period));
        let (one, neighbour) = (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        );
        for _ in 0..GUESS_QUOTA.burst {
            limiter.record(one, start);
        }
        assert!(!limiter.allows(neighbour, start));
        assert!(limiter.allows("2001:db8:0:1::1".parse().unwrap(), start));
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let (start, limiter) = (Instant::now(), KeyedRateLimiter::new(GUESS_QUOTA));
        let guesser = "192.0.2.7".parse().unwrap();
        for _ in 0..GUESS_QUOTA.burst {
            limiter.record(guesser, start);
        }
        for number in 0..u32::try_from(MAX_NETWORKS).unwrap() {
            limiter.record(std::net::Ipv4Addr::from(0x0a00_0000 + number).into(), start);
        }
        assert_eq!(limiter.full_at().len(), MAX_NETWORKS);
        assert!(!limiter.allows(guesser, start), "the worst is kept");
    }
}
