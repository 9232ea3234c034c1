//! Where nobody comes in from: the address bans of the server, as the room has decided them, for the
//! acceptors of all threads. Whoever is barred costs no session, no hash and no word to the room.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use chat_proto::{ErrorCode, Event, Timestamp};

use crate::chat::batch::Bar;
use crate::netblock::{Netblock, Netblocks, Origin};

/// See the head of this file.
#[derive(Debug, Clone, Default)]
pub struct Barred(Arc<RwLock<Netblocks<Bar>>>);

impl Barred {
    /// Nobody comes in from there any more. Harmless to say twice, as each thread does.
    pub fn bar(&self, network: Netblock, bar: Bar) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(network, bar);
    }

    /// They may again.
    pub fn lift(&self, network: Netblock) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(network);
    }

    /// What somebody is told who may not come in from there.
    pub(super) fn why(&self, address: IpAddr) -> Option<Arc<str>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut bars = all.around(Origin::from(address)).peekable();
        bars.peek()?;
        let now = Timestamp::from(SystemTime::now());
        bars.find(|bar| bar.until.is_none_or(|until| until > now))
            .map(|bar| bar.detail.clone())
    }
}

/// The last word to whoever is barred.
pub(super) fn event(detail: &str) -> Event<'_> {
    Event::Error {
        code: ErrorCode::Banned,
        detail: detail.into(),
        id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_barred_is_told_why_until_it_ends() {
        let barred = Barred::default();
        let network = |text: &str| text.parse::<Netblock>().unwrap();
        let bar = |until: Option<i64>, detail: &str| Bar {
            until: until.map(Timestamp::from_millis),
            detail: detail.into(),
        };
        let why = |address: &str| {
            let why = barred.why(address.parse().unwrap());
            why.map_or(String::new(), |why| why.to_string())
        };
        barred.bar(network("192.0.2.0/24"), bar(None, "spam"));
        barred.bar(network("192.0.2.7"), bar(Some(1), "long ago"));
        barred.bar(network("2001:db8::1"), bar(Some(i64::MAX), "noise"));
        assert_eq!(why("192.0.2.7"), "spam");
        assert_eq!(why("::ffff:192.0.2.9"), "spam");
        assert_eq!(why("192.0.3.7"), "");
        assert_eq!(why("2001:db8::2"), "noise");
        barred.lift(network("192.0.2.0/24"));
        assert_eq!(why("192.0.2.7"), "");
    }
}
