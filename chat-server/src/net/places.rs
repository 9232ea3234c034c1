//! How many connections there may be, in all and from one network, and how fast they may come: for all
//! threads together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config;
use crate::ip::client_network;

/// Networks whose pace is remembered, after which those that have been slow again are forgotten.
const REMEMBERED: usize = 10_000;

/// What of the configuration goes for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connections: usize,
    /// 0: no limit.
    pub connections_per_ip: usize,
    /// 0: no limit.
    pub connects_per_second: u32,
}

impl From<&config::Limits> for Limits {
    fn from(limits: &config::Limits) -> Self {
        Self {
            connections: limits.connections.get(),
            connections_per_ip: limits.connections_per_ip.get(),
            connects_per_second: u32::try_from(limits.connects_per_second.get())
                .expect("the configuration bounds it"),
        }
    }
}

type Bucket = RateLimiter<
    IpAddr,
    HashMapStateStore<IpAddr>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// See the head of this file.
#[derive(Debug)]
pub struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    limits: Limits,
    /// Where the pace is limited; a second's worth may come at once.
    pace: Option<Bucket>,
    taken: usize,
    taken_by_network: HashMap<IpAddr, usize>,
}

fn bucket(limits: Limits) -> Option<Bucket> {
    let quota = Quota::per_second(NonZeroU32::new(limits.connects_per_second)?);
    let store = HashMapStateStore::default();
    Some(RateLimiter::new(quota, store, MonotonicClock))
}

impl Places {
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            limits,
            pace: bucket(limits),
            taken: 0,
            taken_by_network: HashMap::new(),
        })))
    }

    /// Other limits, for those who come from now on.
    pub fn limit(&self, limits: Limits) {
        let mut state = self.state();
        if state.limits != limits {
            state.pace = bucket(limits);
            state.limits = limits;
        }
    }

    pub(super) fn take(places: &Arc<Self>, ip: IpAddr) -> Option<Permit> {
        let mut permit = Self::take_for_somebody(places)?;
        permit.is_of(ip).then_some(permit)
    }

    /// A place for whom a proxy will name.
    pub(super) fn take_for_somebody(places: &Arc<Self>) -> Option<Permit> {
        let mut state = places.state();
        (state.taken < state.limits.connections).then(|| {
            state.taken += 1;
            Permit {
                places: places.clone(),
                network: None,
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts one more connection of a network; false if it has as many as it may, or comes too fast.
    fn count(&mut self, network: IpAddr) -> bool {
        if let Some(pace) = &self.pace {
            if pace.len() > REMEMBERED {
                pace.retain_recent();
            }
            if pace.check_key(&network).is_err() {
                return false;
            }
        }
        let most = self.limits.connections_per_ip;
        let here = self.taken_by_network.get(&network).copied().unwrap_or(0);
        let has_room = most == 0 || here < most;
        if has_room {
            self.taken_by_network.insert(network, here + 1);
        }
        has_room
    }
}

/// A place among the connections, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    places: Arc<Places>,
    /// Whose it is, where that is known.
    network: Option<IpAddr>,
}

impl Permit {
    /// It is for whoever is at `ip`, if it was nobody's; false if they have no room for one more.
    pub(super) fn is_of(&mut self, ip: IpAddr) -> bool {
        let network = client_network(ip);
        if self.network.is_none() && self.places.state().count(network) {
            self.network = Some(network);
        }
        self.network.is_some()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.places.state();
        state.taken -= 1;
        if let Some(network) = self.network
            && let Some(taken) = state.taken_by_network.get_mut(&network)
        {
            *taken -= 1;
            if *taken == 0 {
                state.taken_by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_share_and_what_is_given_back_is_free() {
        let places = Places::new(Limits {
            connections: 3,
            connections_per_ip: 2,
            connects_per_second: 0,
        });
        let take = |ip: &str| Places::take(&places, ip.parse().expect("an address"));
        let (one, two) = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(one.is_some() && two.is_some());
        assert!(take("2001:db8::3").is_none(), "a /64 counts as one");
        let three = take("192.0.2.7");
        assert!(
            three.is_some() && take("192.0.2.8").is_none(),
            "all are taken"
        );
        drop(one);
        assert!(take("2001:db8::3").is_some());
    }

    #[test]
    fn who_comes_through_a_proxy_counts_once_it_has_named_them() {
        let limits = Limits {
            connections: 3,
            connections_per_ip: 1,
            connects_per_second: 0,
        };
        let places = Places::new(limits);
        let take = || Places::take_for_somebody(&places).expect("room for three");
        let (mut one, mut two, mut three) = (take(), take(), take());
        assert!(Places::take_for_somebody(&places).is_none());
        let address = |text: &str| text.parse().expect("an address");
        assert!(one.is_of(address("192.0.2.7")) && one.is_of(address("192.0.2.7")));
        assert!(!two.is_of(address("192.0.2.7")) && three.is_of(address("192.0.2.8")));
        drop(one);
        assert!(two.is_of(address("192.0.2.7")));
        drop((two, three));
        let state = places.state();
        assert!(state.taken == 0 && state.taken_by_network.is_empty());
    }

    #[test]
    fn a_network_that_comes_too_fast_waits_and_the_others_do_not() {
        let limits = Limits {
            connections: 100,
            connections_per_ip: 0,
            connects_per_second: 2,
        };
        let places = Places::new(limits);
        let take = |ip: &str| Places::take(&places, ip.parse().expect("an address")).is_some();
        assert_eq!(
            [take("192.0.2.7"), take("192.0.2.7"), take("192.0.2.7")],
            [true, true, false]
        );
        assert!(take("192.0.2.8"));
        places.limit(Limits {
            connects_per_second: 0,
            ..limits
        });
        assert!(take("192.0.2.7"), "the limit is lifted");
    }
}
