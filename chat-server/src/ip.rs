//! Client networks, the unit of limits, and blocks of addresses, the targets of bans.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

/// An address or a network, written `127.0.0.1` or `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse().or_else(|_| address());
        network.map(Self).map_err(|_| {
            format!("`{text}` is no address or network such as 127.0.0.1 or 10.0.0.0/8")
        })
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The network that counts as one: an address in IPv4, a /64 in IPv6, as whoever has one address of it
/// has them all (RFC 6177).
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The bits of an IPv6 address that say where somebody comes from: whoever has one address of a /64 has
/// them all.
const V6_BITS: u8 = 64;

/// Where somebody comes from, as [`client_network`] has it, in eight bytes: one is kept for everybody who is
/// here. What of IPv6 would look like an IPv4 address, `::/32`, is nobody's but the machine's own `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNetwork(u64);

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        Self(match client_network(address) {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                [a, b, c, d]
                    .iter()
                    .fold(0, |bits, &part| bits << 16 | u64::from(part))
            }
        })
    }
}

impl ClientNetwork {
    /// The address, or the first of the /64.
    fn address(self) -> IpAddr {
        match u32::try_from(self.0) {
            Ok(bits @ 1..) => Ipv4Addr::from(bits).into(),
            _ => Ipv6Addr::from(u128::from(self.0) << V6_BITS).into(),
        }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpBlock::from(*self).fmt(f)
    }
}

/// All whose addresses begin alike: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/48`. The smallest in IPv6 is
/// a /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpBlock(IpNet);

impl IpBlock {
    /// The block of an address that has so many bits of it, where there is one.
    fn around(address: IpAddr, bits: u8) -> Option<Self> {
        IpNet::new(address, bits)
            .map(|network| Self(network.trunc()))
            .ok()
    }

    /// Whether somebody who comes from there is of it.
    pub fn has(&self, origin: ClientNetwork) -> bool {
        self.0.contains(&origin.address())
    }

    /// By which blocks are looked for: IPv6 or not, and how many bits.
    fn length(&self) -> (bool, u8) {
        (self.0.addr().is_ipv6(), self.0.prefix_len())
    }
}

impl From<ClientNetwork> for IpBlock {
    fn from(origin: ClientNetwork) -> Self {
        let address = origin.address();
        let bits = if address.is_ipv6() { V6_BITS } else { 32 };
        Self(IpNet::new(address, bits).unwrap_or(address.into()))
    }
}

/// It is no address and no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no address such as 192.0.2.7 and no network such as 192.0.2.0/24 or 2001:db8::/64")]
pub struct NoNetblock;

impl FromStr for IpBlock {
    type Err = NoNetblock;

    /// As somebody is known who comes from there: a part of a /64 is all of it, an IPv4 address in IPv6
    /// (`::ffff:192.0.2.7`) is that address.
    fn from_str(text: &str) -> Result<Self, NoNetblock> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(ClientNetwork::from(address).into());
        }
        let network: IpNet = text.parse().map_err(|_| NoNetblock)?;
        let address = network.addr();
        let bits = match address {
            IpAddr::V4(_) => network.prefix_len(),
            IpAddr::V6(_) if address.to_canonical().is_ipv4() => return Err(NoNetblock),
            IpAddr::V6(_) => network.prefix_len().min(V6_BITS),
        };
        Self::around(address, bits).ok_or(NoNetblock)
    }
}

impl fmt::Display for IpBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            (false, 32) => self.0.addr().fmt(f),
            _ => self.0.fmt(f),
        }
    }
}

/// Something about blocks, found by an address of them in as many steps as there are lengths in use.
#[derive(Debug)]
pub struct IpBlockMap<T> {
    all: HashMap<IpBlock, T>,
    /// How many there are of each length.
    lengths: BTreeMap<(bool, u8), usize>,
}

impl<T> Default for IpBlockMap<T> {
    fn default() -> Self {
        Self {
            all: HashMap::new(),
            lengths: BTreeMap::new(),
        }
    }
}

impl<T> IpBlockMap<T> {
    pub fn insert(&mut self, block: IpBlock, what: T) {
        if self.all.insert(block, what).is_none() {
            *self.lengths.entry(block.length()).or_default() += 1;
        }
    }

    pub fn remove(&mut self, block: IpBlock) {
        if self.all.remove(&block).is_some()
            && let Some(count) = self.lengths.get_mut(&block.length())
        {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&block.length());
            }
        }
    }

    pub fn get(&self, block: IpBlock) -> Option<&T> {
        self.all.get(&block)
    }

    /// What there is about blocks that have an address.
    pub fn around(&self, origin: ClientNetwork) -> impl Iterator<Item = &T> {
        let address = origin.address();
        let lengths = self.lengths.keys();
        lengths
            .filter(move |(is_v6, _)| *is_v6 == address.is_ipv6())
            .filter_map(move |&(_, bits)| self.all.get(&IpBlock::around(address, bits)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> ClientNetwork {
        text.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn who_is_of_a_network() {
        for (network, address, has) in [
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.7/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("0.0.0.0/0", "255.0.0.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1/128", "2001:db8::2", true),
            ("2001:db8::/64", "2001:db8:0:1::", false),
            ("2001:db8::/32", "2001:db8:0:1::", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "127.0.0.1", false),
            ("::1", "::1", true),
            ("::1", "127.0.0.1", false),
        ] {
            let found: IpBlock = network.parse().expect(network);
            assert_eq!(found.has(origin(address)), has, "{network} {address}");
            let mut networks = IpBlockMap::default();
            networks.insert(found, ());
            assert_eq!(networks.around(origin(address)).count(), usize::from(has));
            networks.remove(found);
            assert_eq!(networks.around(origin(address)).count(), 0);
        }
    }

    #[test]
    fn networks_as_they_are_written() {
        for (text, shown) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8:1::/32", "2001:db8::/32"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            let network: IpBlock = text.parse().expect(text);
            assert_eq!(network.to_string(), shown);
            assert_eq!(shown.parse(), Ok(network));
        }
        for text in [
            "",
            "ana",
            "192.0.2",
            "192.0.2.7/33",
            "192.0.2.7/",
            "192.0.2.7/+8",
            "::/129",
            "/8",
            "192.0.2.7/8/8",
            "::ffff:192.0.2.7/96",
            "::ffff:192.0.2.7/128",
        ] {
            assert_eq!(text.parse::<IpBlock>(), Err(NoNetblock), "{text}");
        }
    }

    #[test]
    fn a_64_is_one_and_a_mapped_address_is_itself() {
        let network = |text: &str| client_network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:0:0:2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
