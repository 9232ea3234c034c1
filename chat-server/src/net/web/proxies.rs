//! Who somebody is that comes through a proxy: limits by address count the person, not the proxy.
//!
//! Everyone can write `X-Forwarded-For`, and each proxy puts whom it heard from behind what it got. So it
//! is believed from the right, as far as it was written by the proxies of `[web]`, and no further.

use std::net::{IpAddr, SocketAddr};

use actix_http::header::{HeaderMap, X_FORWARDED_FOR};

use crate::ip::Network;

/// Those that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    pub fn new(proxies: Vec<Network>) -> Self {
        Self(proxies)
    }

    pub fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxy| proxy.has(address))
    }

    /// Whose request it is that came from `peer` with these headers.
    pub fn person(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut person = peer;
        let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
        let said = lines
            .iter()
            .rev()
            .flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
        for word in said {
            if !self.has(person) {
                break;
            }
            // Whoever stands behind what is no address is unknown: it counts as the proxy's.
            let Some(address) = read(word) else { break };
            person = address;
        }
        person
    }
}

/// An address, as some proxies write it with a port.
fn read(word: &[u8]) -> Option<IpAddr> {
    let word = std::str::from_utf8(word).ok()?.trim();
    let bare = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    let with_port = || word.parse().ok().map(|address: SocketAddr| address.ip());
    let address = bare.unwrap_or(word).parse().ok().or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use actix_http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_rightmost_address_that_no_proxy_of_ours_has_is_the_person() {
        let named = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
        let proxies = Proxies::new(named.map(|text| text.parse().unwrap()).to_vec());
        for (peer, said, person) in [
            ("127.0.0.1", &[][..], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.7"], "192.0.2.7"),
            ("::ffff:127.0.0.1", &["192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["192.0.2.7, 10.1.2.3 ,10.0.0.1"], "192.0.2.7"),
            (
                "127.0.0.1",
                &["192.0.2.7", "10.1.2.3", "10.0.0.1"],
                "192.0.2.7",
            ),
            ("127.0.0.1", &["192.0.2.7:4711"], "192.0.2.7"),
            ("127.0.0.1", &["[2001:dead::1]:4711"], "2001:dead::1"),
            ("127.0.0.1", &["[2001:dead::1]"], "2001:dead::1"),
            ("2001:db8::5", &["::ffff:192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["10.0.0.9"], "10.0.0.9"),
            // What somebody wrote before the proxy did.
            ("127.0.0.1", &["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["10.0.0.1, 192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["127.0.0.1", "192.0.2.7"], "192.0.2.7"),
            ("127.0.0.1", &["192.0.2.7, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.7, nonsense, 10.0.0.1"], "10.0.0.1"),
            ("127.0.0.1", &["192.0.2.7,"], "127.0.0.1"),
            // No proxy of ours.
            ("192.0.2.9", &["192.0.2.7"], "192.0.2.9"),
            ("192.0.2.9", &["127.0.0.1"], "192.0.2.9"),
        ] {
            let mut headers = HeaderMap::new();
            for line in said {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
            }
            let found = proxies.person(peer.parse().unwrap(), &headers);
            assert_eq!(found, person.parse::<IpAddr>().unwrap(), "{peer} {said:?}");
        }
    }
}
