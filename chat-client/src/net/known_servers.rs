//! Fingerprints of certificates, and the servers whose certificates the user accepted.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::paths;

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

/// 64 hexadecimal digits, with or without colons.
impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text.bytes().filter(|&byte| byte != b':').collect();
        let mut bytes = [0; 32];
        let error = "a fingerprint is 64 hexadecimal digits, with or without colons";
        if digits.len() != 2 * bytes.len() {
            return Err(error);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = str::from_utf8(pair).map_err(|_| error)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The file `known_servers` in the state folder: a line for each server, `HOST:PORT FINGERPRINT`.
pub(super) struct KnownServers(PathBuf);

impl KnownServers {
    pub(super) fn of_this_user() -> Option<Self> {
        Some(Self(paths::path()?.join("known_servers")))
    }

    pub(super) fn get(&self, server: &str) -> Option<Fingerprint> {
        let known = fs::read_to_string(&self.0).ok()?;
        // The last entry of a server is the valid one.
        known.lines().rev().find_map(|line| {
            let (name, fingerprint) = line.split_once(' ')?;
            (name == server).then(|| fingerprint.trim().parse().ok())?
        })
    }

    pub(super) fn add(&self, server: &str, fingerprint: Fingerprint) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            paths::make(folder)?;
        }
        let mut file = paths::open(OpenOptions::new().append(true).create(true), &self.0)?;
        writeln!(file, "{server} {fingerprint}")
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_colons_and_without() {
        let colons = vec!["0A"; 32].join(":");
        assert_eq!(colons.parse::<Fingerprint>().unwrap().to_string(), colons);
        assert_eq!("0a".repeat(32).parse(), colons.parse::<Fingerprint>());
        for wrong in ["", "0A", &"0".repeat(63), &"0G".repeat(32)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
