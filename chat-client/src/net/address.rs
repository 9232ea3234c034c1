//! Where the server is: `HOST`, `HOST:PORT`, `V6`, `[V6]` and `[V6]:PORT`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host by name or number, and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// What is looked up, without brackets.
    pub host: String,
    /// The TCP port, where one is named.
    pub port: Option<u16>,
}

/// Why something is no [`ServerAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing before the port.
    #[error("the host is missing")]
    Host,
    /// Several colons, and yet no IPv6 address.
    #[error("more than one colon, and no IPv6 address: an IPv6 address with a port is [V6]:PORT")]
    V6,
    /// What stands behind the colon is no port.
    #[error("a port is a number from 1 to 65535")]
    Port,
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = split(text.trim())?;
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(AddressError::Host);
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.map(parse_port).transpose()?,
        })
    }
}

/// The host and the text of the port.
fn split(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or(AddressError::V6)?;
        if !is_v6(host) {
            return Err(AddressError::V6);
        }
        return match behind.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err(AddressError::V6),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, rest)) if rest.contains(':') => {
            is_v6(text).then_some((text, None)).ok_or(AddressError::V6)
        }
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// An IPv6 address, with or without a zone (`fe80::1%eth0`).
fn is_v6(text: &str) -> bool {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

/// A port that can be connected to.
///
/// # Errors
/// [`AddressError::Port`] for all else.
pub fn parse_port(text: &str) -> Result<u16, AddressError> {
    text.parse()
        .ok()
        .filter(|&port| port != 0)
        .ok_or(AddressError::Port)
}

/// As one would type it.
impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address() {
        for (text, host, port, shown) in [
            ("localhost", "localhost", None, "localhost"),
            ("chat.example:1", "chat.example", Some(1), "chat.example:1"),
            ("10.0.0.1:12345", "10.0.0.1", Some(12345), "10.0.0.1:12345"),
            ("::1", "::1", None, "[::1]"),
            ("[::1]", "::1", None, "[::1]"),
            ("[::1]:5000", "::1", Some(5000), "[::1]:5000"),
            (
                "[fe80::1%lo]:65535",
                "fe80::1%lo",
                Some(65535),
                "[fe80::1%lo]:65535",
            ),
            (" host ", "host", None, "host"),
        ] {
            let address: ServerAddress = text.parse().unwrap();
            assert_eq!(
                (address.host.as_str(), address.port),
                (host, port),
                "{text}"
            );
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_none() {
        use AddressError::*;
        for (text, why) in [
            ("", Host),
            (":5000", Host),
            ("a b", Host),
            ("host:", Port),
            ("host:0", Port),
            ("host:65536", Port),
            ("host:http", Port),
            ("host:-1", Port),
            ("a:b:1", V6),
            ("::1:x", V6),
            ("[host]:1", V6),
            ("[::1", V6),
            ("[::1]5", V6),
        ] {
            assert_eq!(text.parse::<ServerAddress>(), Err(why), "{text:?}");
        }
    }
}
