//! How many wrong passwords may come from one address: a bucket for each, bounded in number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::net::address::network_of;

/// Wrong passwords that an address may send at once: a household, or a script with an old password.
const BURST: u32 = 50;

/// After them, one for each of these: less than 9,000 guesses a day.
const PERIOD: Duration = Duration::from_secs(10);

/// Addresses that are remembered; beyond it the one that has been good longest is forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// The wrong passwords of each address, on all threads. A /64 counts as one in IPv6: whoever has one has
/// all of it.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    /// When the bucket will be full again (GCRA's theoretical arrival time). Held for a look only, and
    /// only where a password is at stake.
    full_at: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl Attempts {
    /// Whether another password from that address is looked at.
    pub fn allows(&self, address: IpAddr, now: Instant) -> bool {
        self.full_at()
            .get(&network_of(address))
            .is_none_or(|&full_at| full_at + PERIOD <= now + PERIOD * BURST)
    }

    /// A password from that address was wrong.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let network = network_of(address);
        let mut all = self.full_at();
        if all.len() >= ADDRESSES_MAX && !all.contains_key(&network) {
            all.retain(|_, full_at| *full_at > now);
            let best = all.iter().min_by_key(|(_, full_at)| **full_at);
            if all.len() >= ADDRESSES_MAX
                && let Some((&best, _)) = best
            {
                all.remove(&best);
            }
        }
        let full_at = all.entry(network).or_insert(now);
        *full_at = (*full_at).max(now) + PERIOD;
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.full_at.lock().expect("nobody panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_has_to_wait() {
        let (start, attempts) = (Instant::now(), Attempts::default());
        let (guesser, other) = ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        for _ in 0..BURST {
            assert!(attempts.allows(guesser, start));
            attempts.failed(guesser, start);
        }
        assert!(!attempts.allows(guesser, start));
        assert!(!attempts.allows("::ffff:192.0.2.7".parse().unwrap(), start));
        assert!(attempts.allows(other, start));
        assert!(attempts.allows(guesser, start + PERIOD));
        attempts.failed(guesser, start + PERIOD);
        assert!(!attempts.allows(guesser, start + PERIOD));
        let (one, neighbour) = (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        );
        for _ in 0..BURST {
            attempts.failed(one, start);
        }
        assert!(!attempts.allows(neighbour, start));
        assert!(attempts.allows("2001:db8:0:1::1".parse().unwrap(), start));
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let (start, attempts) = (Instant::now(), Attempts::default());
        let guesser = "192.0.2.7".parse().unwrap();
        for _ in 0..BURST {
            attempts.failed(guesser, start);
        }
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() {
            attempts.failed(std::net::Ipv4Addr::from(0x0a00_0000 + number).into(), start);
        }
        assert_eq!(attempts.full_at().len(), ADDRESSES_MAX);
        assert!(!attempts.allows(guesser, start), "the worst is kept");
    }
}
