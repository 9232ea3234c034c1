//! Sessions without a connection, which can be resumed.
//!
//! The number of sessions is bounded. Beyond the bound the network with the most sessions loses the
//! one with the shortest stay: a host that reconnects repeatedly evicts its own sessions, and long
//! stays survive. Every operation takes logarithmic time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chat_proto::{Channel, Nick, Timestamp};

use crate::chat::Map;
use crate::chat::accounts::AccountId;
use crate::chat::effect::NickTenure;
use crate::chat::token::Digest;
use crate::ip::ClientNetwork;

/// A session without a connection.
#[derive(Debug)]
pub(super) struct DetachedSession {
    pub digest: Digest,
    pub nick: Nick,
    /// The channels besides the lobby, which may have ended.
    pub channels: Vec<Channel>,
    pub since: u64,
    pub previous_nicks: Vec<NickTenure>,
    pub account: Option<AccountId>,
    /// When the user first came online; resumes do not change it.
    pub first_login: Timestamp,
    /// The network of the user; unknown after a restart.
    pub origin: Option<ClientNetwork>,
}

/// The order of departures. The serial number makes it unique.
type Departure = (Timestamp, u64);

/// The order of eviction within a network: the shortest stay first, in milliseconds.
type Stay = (i64, u64);

#[derive(Debug)]
struct Entry {
    departure: Departure,
    stay: Stay,
    session: DetachedSession,
}

/// All sessions without a connection, by folded nick.
#[derive(Debug, Default)]
pub(super) struct ResumePool {
    users: Map<Arc<str>, Entry>,
    by_departure: BTreeMap<Departure, Arc<str>>,
    by_account: BTreeSet<(AccountId, Arc<str>)>,
    by_network: Map<ClientNetwork, BTreeMap<Stay, Arc<str>>>,
    /// The networks by their number of sessions.
    by_size: BTreeSet<(usize, ClientNetwork)>,
    serial: u64,
    /// Sessions that ended then (in milliseconds) or earlier are expired, and not found.
    expired_until: Option<i64>,
}

/// The maximum number of expired sessions that one call removes.
const EXPIRED_AT_ONCE: usize = 256;

impl ResumePool {
    /// Adds a session that ended at `left`. Returns the tokens of evicted sessions; at most `max`
    /// remain.
    pub(super) fn add(
        &mut self,
        session: DetachedSession,
        left: Timestamp,
        max: usize,
    ) -> Vec<Digest> {
        let (digest, nick) = (session.digest, session.nick.folded_arc());
        let before = self.take(&nick);
        let mut ended: Vec<Digest> = before
            .map(|before| before.digest)
            .filter(|&before| before != digest)
            .into_iter()
            .collect();
        self.serial += 1;
        let stay = left
            .as_millis()
            .saturating_sub(session.first_login.as_millis());
        let (departure, stay) = ((left, self.serial), (stay, self.serial));
        self.by_departure.insert(departure, nick.clone());
        let account = session.account.map(|id| (id, nick.clone()));
        self.by_account.extend(account);
        if let Some(origin) = session.origin {
            let network = self.by_network.entry(origin).or_default();
            self.by_size.remove(&(network.len(), origin));
            network.insert(stay, nick.clone());
            self.by_size.insert((network.len(), origin));
        }
        let entry = Entry {
            departure,
            stay,
            session,
        };
        self.users.insert(nick, entry);
        while self.users.len() > max {
            ended.extend(self.evict_one());
        }
        ended
    }

    /// Removes sessions that ended `window` before `now` or earlier, and returns their tokens. Many
    /// can expire at once after a restart; later calls remove the rest, which is no longer found.
    pub(super) fn expire(&mut self, now: Timestamp, window: Duration) -> Vec<Digest> {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let expired_until = now.as_millis().saturating_sub(window);
        self.expired_until = Some(expired_until);
        let by_departure = self.by_departure.iter().take(EXPIRED_AT_ONCE);
        let ended = by_departure.take_while(|((left, _), _)| left.as_millis() <= expired_until);
        let nicks: Vec<Arc<str>> = ended.map(|(_, nick)| nick.clone()).collect();
        let taken = nicks.iter().filter_map(|nick| self.take(nick));
        taken.map(|session| session.digest).collect()
    }

    pub(super) fn get(&self, nick: &str) -> Option<&DetachedSession> {
        let entry = self.users.get(nick)?;
        let is_found = self
            .expired_until
            .is_none_or(|expired_until| entry.departure.0.as_millis() > expired_until);
        is_found.then_some(&entry.session)
    }

    pub(super) fn get_mut(&mut self, nick: &str) -> Option<&mut DetachedSession> {
        self.users.get_mut(nick).map(|entry| &mut entry.session)
    }

    pub(super) fn take(&mut self, nick: &str) -> Option<DetachedSession> {
        let Entry {
            departure,
            stay,
            session,
        } = self.users.remove(nick)?;
        self.by_departure.remove(&departure);
        if let Some(id) = session.account {
            self.by_account.remove(&(id, session.nick.folded_arc()));
        }
        if let Some(origin) = session.origin
            && let Some(network) = self.by_network.get_mut(&origin)
        {
            self.by_size.remove(&(network.len(), origin));
            network.remove(&stay);
            if network.is_empty() {
                self.by_network.remove(&origin);
            } else {
                self.by_size.insert((network.len(), origin));
            }
        }
        Some(session)
    }

    /// Removes all sessions of an account, and returns their tokens.
    pub(super) fn take_account(&mut self, id: AccountId) -> Vec<Digest> {
        let first = (id, Arc::from(""));
        let theirs = self.by_account.range(first..);
        let theirs = theirs.take_while(|(account, _)| *account == id);
        let nicks: Vec<Arc<str>> = theirs.map(|(_, nick)| nick.clone()).collect();
        let taken = nicks.iter().filter_map(|nick| self.take(nick));
        taken.map(|session| session.digest).collect()
    }

    /// Evicts one session.
    fn evict_one(&mut self) -> Option<Digest> {
        let largest = self.by_size.last().map(|&(_, origin)| origin);
        let shortest = largest.and_then(|origin| {
            let (_, nick) = self.by_network.get(&origin)?.first_key_value()?;
            Some(nick.clone())
        });
        // The network of the other sessions is unknown.
        let oldest = || {
            self.by_departure
                .first_key_value()
                .map(|(_, nick)| nick.clone())
        };
        let nick = shortest.or_else(oldest)?;
        self.take(&nick).map(|session| session.digest)
    }
}

#[cfg(test)]
impl DetachedSession {
    /// Returns the nicks of the user, each with the messages during which the user held it.
    pub(super) fn tenures(&self) -> Vec<NickTenure> {
        super::users::tenures(&self.nick, self.since, &self.previous_nicks)
    }
}

#[cfg(test)]
impl ResumePool {
    pub(super) fn is_empty(&self) -> bool {
        let indexes = [
            self.users.is_empty(),
            self.by_departure.is_empty(),
            self.by_account.is_empty(),
            self.by_network.is_empty(),
            self.by_size.is_empty(),
        ];
        indexes == [true; 5]
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const MAX: usize = 100;
    const WINDOW: Duration = Duration::from_secs(60);

    fn session(nick: &str, first_login: i64, address: [u8; 4]) -> DetachedSession {
        let mut digest = [0; 32];
        digest[..nick.len()].copy_from_slice(nick.as_bytes());
        DetachedSession {
            digest: Digest(digest),
            nick: Nick::new(nick).unwrap(),
            channels: Vec::new(),
            since: 0,
            previous_nicks: Vec::new(),
            account: None,
            first_login: Timestamp::from_millis(first_login),
            origin: Some(IpAddr::from(address).into()),
        }
    }

    fn add(pool: &mut ResumePool, session: DetachedSession, left: i64) {
        pool.add(session, Timestamp::from_millis(left), MAX);
    }

    /// Connects and disconnects many times.
    fn storm(pool: &mut ResumePool, nick: impl Fn(i64) -> String) {
        for n in 0..10_000 {
            add(pool, session(&nick(n), 1000 + n, [192, 0, 2, 9]), 1001 + n);
        }
    }

    #[test]
    fn a_host_that_comes_and_goes_costs_itself_its_places() {
        let mut pool = ResumePool::default();
        for (number, nick) in ["ana", "luis", "zoe"].into_iter().enumerate() {
            let address = [192, 0, 2, u8::try_from(number).unwrap()];
            add(&mut pool, session(nick, 0, address), 1000);
        }
        // Of one network with the storm, and with a longer stay.
        add(&mut pool, session("eva", 0, [192, 0, 2, 9]), 1000);
        storm(&mut pool, |n| format!("x{n}"));
        for nick in ["ana", "luis", "zoe", "eva"] {
            assert!(pool.get(nick).is_some(), "{nick} is forgotten");
        }
        assert_eq!(pool.users.len(), MAX);
        storm(&mut pool, |_| "same".into());
        assert!(pool.get("eva").is_some());
        let sizes = [
            pool.users.len(),
            pool.by_departure.len(),
            pool.by_network.values().map(BTreeMap::len).sum(),
        ];
        assert_eq!(sizes, [MAX; 3], "users are counted, not departures");
    }

    #[test]
    fn a_window_holds_from_the_departure_on_whenever_it_is_set() {
        let mut pool = ResumePool::default();
        add(&mut pool, session("ana", 0, [192, 0, 2, 1]), 1_000);
        add(&mut pool, session("luis", 0, [192, 0, 2, 1]), 30_000);
        let now = Timestamp::from_millis(40_000);
        assert!(pool.expire(now, WINDOW).is_empty());
        let shorter = Duration::from_secs(20);
        assert_eq!(pool.expire(now, shorter).len(), 1);
        assert!(pool.get("ana").is_none() && pool.get("luis").is_some());
        assert!(pool.by_network.values().all(|network| network.len() == 1));
    }
}
