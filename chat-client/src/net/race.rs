//! TCP connections to a host of several addresses: Happy Eyeballs (RFC 8305).
//!
//! The families take turns, beginning with that of the first address, and the next address is tried
//! when an attempt has failed or has taken `ATTEMPT_DELAY`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long an attempt goes on alone (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long one address may take to answer: a firewall that drops packets would hold the attempt up
/// for minutes.
pub const CONNECT: Duration = Duration::from_secs(10);

/// The attempts to connect to one host.
#[derive(Debug)]
pub struct Race {
    waiting: VecDeque<SocketAddr>,
    attempts: JoinSet<io::Result<TcpStream>>,
    last: Option<io::Error>,
}

impl Race {
    /// Returns a race that begins with the first call of [`Race::next`].
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            waiting: interleaved(addresses),
            attempts: JoinSet::new(),
            last: None,
        }
    }

    /// Returns the next connection that is made.
    ///
    /// # Errors
    /// Every address was tried; the error is that of the last one.
    pub async fn next(&mut self) -> io::Result<TcpStream> {
        loop {
            if let Some(address) = self.waiting.pop_front() {
                self.attempts.spawn(connect(address));
            } else if self.attempts.is_empty() {
                let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(self.last.take().unwrap_or_else(none));
            }
            tokio::select! {
                Some(done) = self.attempts.join_next() => match done {
                    Ok(Ok(stream)) => return Ok(stream),
                    Ok(Err(error)) => self.last = Some(error),
                    Err(panicked) => self.last = Some(io::Error::other(panicked)),
                },
                () = sleep(ATTEMPT_DELAY), if !self.waiting.is_empty() => {}
            }
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let made = timeout(CONNECT, TcpStream::connect(address)).await;
    let made = made.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    made.inspect_err(|error| log::debug!("{address}: {error}"))
}

/// Alternates the families, each in its own order (RFC 8305, 4).
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut first = VecDeque::from_iter(addresses);
    let v6 = first.front().is_some_and(SocketAddr::is_ipv6);
    let other: Vec<_> = first
        .iter()
        .filter(|a| a.is_ipv6() != v6)
        .copied()
        .collect();
    first.retain(|address| address.is_ipv6() == v6);
    let mut turns = VecDeque::new();
    let mut other = other.into_iter();
    for address in first {
        turns.push_back(address);
        turns.extend(other.next());
    }
    turns.extend(other);
    turns
}

/// Makes a TCP connection alone.
///
/// # Errors
/// The name is unknown, or no address answers.
pub async fn reach(host: &str, port: u16) -> io::Result<TcpStream> {
    Race::new(lookup_host((host, port)).await?).next().await
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    fn addresses(all: &[&str]) -> Vec<SocketAddr> {
        all.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let mixed = [
            "[::1]:1",
            "[::2]:1",
            "[::3]:1",
            "127.0.0.1:1",
            "127.0.0.2:1",
        ];
        let turns = [
            "[::1]:1",
            "127.0.0.1:1",
            "[::2]:1",
            "127.0.0.2:1",
            "[::3]:1",
        ];
        assert_eq!(interleaved(addresses(&mixed)), addresses(&turns));
        let v4_first = ["127.0.0.1:1", "127.0.0.2:1", "[::1]:1"];
        let turns = ["127.0.0.1:1", "[::1]:1", "127.0.0.2:1"];
        assert_eq!(interleaved(addresses(&v4_first)), addresses(&turns));
    }

    /// Returns an address that never answers: its queue of connections is full.
    async fn dead() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut filling = Vec::new();
        while let Ok(made) = timeout(ATTEMPT_DELAY, TcpStream::connect(address)).await {
            filling.push(made.unwrap());
        }
        (listener, filling, address)
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hold_the_next_one_up() {
        let (_listener, _filling, dead) = dead().await;
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = live.local_addr().unwrap();
        let mut race = Race::new([dead, live]);
        // Far less than the dead one takes to fail.
        let made = timeout(CONNECT / 2, race.next()).await.expect("in time");
        assert_eq!(made.unwrap().peer_addr().unwrap(), live);
    }

    #[tokio::test]
    async fn a_refusal_is_followed_by_the_next_address() {
        // Bound, so that no other test gets the port, and not listening.
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let refuses = bound.local_addr().unwrap();
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = live.local_addr().unwrap();
        let made = Race::new([refuses, live]).next().await.unwrap();
        assert_eq!(made.peer_addr().unwrap(), live);
        let error = Race::new([refuses]).next().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
