//! Parses the values of `Host` and `Origin`. Comparison ignores case, the default port and a
//! trailing dot.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// Maximum length of a host name (RFC 1035, 2.3.4).
const NAME_MAX: usize = 253;

/// The text is not a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a host name such as chat.example.org")]
pub struct InvalidHost;

/// A host name or an IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    /// Lower case, without the trailing dot.
    Name(String),
}

impl Host {
    /// Returns whether the host is an IP address or a loopback name (RFC 6761, 6.3). Neither
    /// depends on a DNS record.
    pub fn is_local_or_address(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    /// Parses the host part of a URI; an IPv6 address is in brackets.
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or(InvalidHost)?;
            let address: Ipv6Addr = address.parse().map_err(|_| InvalidHost)?;
            return Ok(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let is_label = |label: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=63).contains(&label.len()) && label.bytes().all(legal)
        };
        if name.len() > NAME_MAX || !name.split('.').all(is_label) {
            return Err(InvalidHost);
        }
        Ok(Self::Name(name.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Accepts a port and drops it: hosts are compared without their port.
        text.parse()
            .map(|HostPort { host, .. }| host)
            .map_err(|error| de::Error::custom(format!("hosts: `{text}` is {error}")))
    }
}

/// A host with an optional port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    pub host: Host,
    pub port: Option<u16>,
}

impl FromStr for HostPort {
    type Err = InvalidHost;

    /// Parses the value of `Host`: `chat.example.org`, `[::1]:8080`.
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let (host, port) = match text.rsplit_once(':') {
            // In an IPv6 address without a port the last colon is inside the brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = port.filter(|port| !port.is_empty()).map(|port| {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            port.parse().ok().filter(|_| digits).ok_or(InvalidHost)
        });
        Ok(Self {
            host: host.parse()?,
            port: port.transpose()?,
        })
    }
}

/// The origin of a web page: `https://chat.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin {
    is_secure: bool,
    pub host: Host,
    port: u16,
}

impl WebOrigin {
    /// Returns whether a request with this `Host` is a same-origin request. A `Host` without a port
    /// has the default port of the origin's scheme.
    pub fn matches(&self, authority: &HostPort) -> bool {
        let port = authority.port.unwrap_or(default_port(self.is_secure));
        self.host == authority.host && self.port == port
    }
}

fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

impl FromStr for WebOrigin {
    type Err = InvalidHost;

    /// Parses the value of `Origin`; only `http` and `https` are accepted.
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidHost)?;
        let is_secure = scheme.eq_ignore_ascii_case("https");
        if !is_secure && !scheme.eq_ignore_ascii_case("http") {
            return Err(InvalidHost);
        }
        let HostPort { host, port } = authority.parse()?;
        Ok(Self {
            is_secure,
            host,
            port: port.unwrap_or(default_port(is_secure)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_and_host_match_without_case_default_port_and_trailing_dot() {
        for (origin, host, same) in [
            ("https://h", "h", true),
            ("https://h", "h:443", true),
            ("https://h:443", "h", true),
            ("http://h", "h:80", true),
            ("http://h", "h:", true),
            ("https://H.Example", "h.example.", true),
            ("https://h.example.", "H.EXAMPLE:443", true),
            ("http://[::1]", "[::1]:80", true),
            ("http://[::1]:8080", "[0:0::1]:8080", true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("https://h", "h:80", false),
            ("http://h", "h:443", false),
            ("https://h", "h:8443", false),
            ("https://h", "g", false),
            ("http://h:8080", "h", false),
            ("http://[::1]", "[::2]", false),
        ] {
            let read: WebOrigin = origin.parse().unwrap();
            let authority = host.parse().unwrap();
            assert_eq!(read.matches(&authority), same, "{origin} {host}");
        }
        for origin in [
            "",
            "null",
            "h",
            "file://",
            "ftp://h",
            "https://",
            "https://h/",
            "https://h:x",
            "https://a@h",
            "https://h:8080.example",
            "https://[::1",
            "https://::1",
            "https://h:+1",
        ] {
            assert_eq!(origin.parse::<WebOrigin>(), Err(InvalidHost), "{origin}");
        }
    }

    #[test]
    fn ip_addresses_and_loopback_names_need_no_dns() {
        for (host, fixed) in [
            ("127.0.0.1", true),
            ("192.0.2.7", true),
            ("[2001:db8::1]", true),
            ("localhost", true),
            ("LOCALHOST.", true),
            ("chat.localhost", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("notlocalhost", false),
            ("1", false),
        ] {
            assert_eq!(
                host.parse::<Host>().unwrap().is_local_or_address(),
                fixed,
                "{host}"
            );
        }
        for host in [
            "",
            ".",
            "a b",
            "a/b",
            "a..b",
            "é.example",
            "a:1",
            "::1",
            "[h]",
        ] {
            assert_eq!(host.parse::<Host>(), Err(InvalidHost), "{host}");
        }
    }
}
