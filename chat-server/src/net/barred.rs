//! Where nobody comes in from: the address bans of the server, as the room has decided them, for the
//! acceptors of all threads. Whoever is barred costs no session, no hash and no word to the room.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use chat_proto::{ErrorCode, Event};

use crate::chat::effect::NetworkBan;
use crate::ip::{ClientNetwork, IpBlock, IpBlockMap};

/// See the head of this file.
#[derive(Debug, Clone, Default)]
pub struct Barred(Arc<RwLock<IpBlockMap<NetworkBan>>>);

impl Barred {
    /// Nobody comes in from there any more. Harmless to say twice, as each thread does.
    pub fn bar(&self, network: IpBlock, bar: NetworkBan) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(network, bar);
    }

    /// They may again.
    pub fn lift(&self, network: IpBlock) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(network);
    }

    /// What somebody is told who may not come in from there.
    pub(super) fn why(&self, address: IpAddr) -> Option<Arc<str>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // The room lifts a bar whose time is over, within a second: it has the one clock for that.
        let bar = all.around(ClientNetwork::from(address)).next();
        bar.map(|bar| bar.detail.clone())
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
    fn who_is_barred_is_told_why_until_it_is_lifted() {
        let barred = Barred::default();
        let network = |text: &str| text.parse::<IpBlock>().unwrap();
        let bar = |detail: &str| NetworkBan {
            until: None,
            detail: detail.into(),
        };
        let why = |address: &str| {
            let why = barred.why(address.parse().unwrap());
            why.map_or(String::new(), |why| why.to_string())
        };
        barred.bar(network("192.0.2.0/24"), bar("spam"));
        barred.bar(network("2001:db8::1"), bar("noise"));
        assert_eq!(why("192.0.2.7"), "spam");
        assert_eq!(why("::ffff:192.0.2.9"), "spam");
        assert_eq!(why("192.0.3.7"), "");
        assert_eq!(why("2001:db8::2"), "noise");
        barred.lift(network("192.0.2.0/24"));
        assert_eq!(why("192.0.2.7"), "");
    }
}
