//! Bytes that many sockets are sent, put where the kernel takes them from without a copy for each.
//!
//! What `send` is given is copied for every socket, and in a channel of a hundred that is a good part of what a message
//! costs. So a large piece for many is written once to a file in memory (memfd_create(2)), and sent from there
//! (sendfile(2)): all their sockets share its pages. What was written is never written over; a file that has
//! enough is left for a new one, and the system has its pages back when the last socket is done with them.
//!
//! It is a short cut and nothing more: the bytes stay at hand, and are sent as ever where the file cannot be. TLS has to
//! see them anyway.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use rustix::fs::{MemfdFlags, memfd_create, sendfile};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// What is written to one file, and what a thread keeps of such memory when all is quiet.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// From so many bytes on, for so many people, the file costs less than the copies (ops/bench/README.md).
const LEAST_BYTES: usize = 16 * 1024;
const LEAST_PEOPLE: usize = 32;

/// The files of a thread.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// The present one, and how much it has.
    file: RefCell<Option<(Rc<File>, u64)>>,
}

/// Bytes that may be in a file of the stage as well.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    bytes: Bytes,
    /// From where on.
    staged: Option<(Rc<File>, u64)>,
}

impl Stage {
    /// Bytes for so many people.
    pub(super) fn put(&self, bytes: Bytes, people: usize) -> Shared {
        let is_worth_it = bytes.len() >= LEAST_BYTES && people >= LEAST_PEOPLE;
        let staged = is_worth_it.then(|| self.write(&bytes)).transpose();
        let staged = staged.unwrap_or_else(|error| {
            log::debug!("no file in memory, each is sent a copy: {error}");
            None
        });
        Shared { bytes, staged }
    }

    /// Where they begin in which file. One that could not take all of them is left.
    fn write(&self, bytes: &[u8]) -> io::Result<(Rc<File>, u64)> {
        let mut present = self.file.borrow_mut();
        let (file, length) = match present.take() {
            Some((file, length)) if length < FILE_BYTES => (file, length),
            _ => (
                Rc::new(memfd_create("stage", MemfdFlags::CLOEXEC)?.into()),
                0,
            ),
        };
        (&*file).write_all(bytes)?;
        *present = Some((file.clone(), length + bytes.len() as u64));
        Ok((file, length))
    }
}

impl Shared {
    pub(super) fn is_staged(&self) -> bool {
        self.staged.is_some()
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The first `count` of them are not wanted any more.
    pub(super) fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some((_, offset)) = &mut self.staged {
            *offset += count as u64;
        }
    }

    /// Writes what the socket takes now.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing; anything else if the connection is broken.
    pub(super) fn write_to(&self, socket: &TcpStream) -> io::Result<usize> {
        let Some((file, offset)) = &self.staged else {
            return socket.try_write(&self.bytes);
        };
        let mut offset = *offset;
        // There is no signal to be had from a broken socket: Rust's start has them ignored.
        let sent = socket.try_io(Interest::WRITABLE, || {
            Ok(sendfile(socket, file, Some(&mut offset), self.bytes.len())?)
        });
        match sent {
            Ok(1..) => sent,
            Err(ref error) if error.kind() == io::ErrorKind::WouldBlock => sent,
            // If it is the socket that is at fault, this says so too.
            Ok(0) | Err(_) => socket.try_write(&self.bytes),
        }
    }
}

impl From<Bytes> for Shared {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            staged: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (to, from) = tokio::join!(TcpStream::connect(address), listener.accept());
        (to.unwrap(), from.unwrap().0)
    }

    /// Without two pages side by side that are the same.
    fn pattern(length: usize) -> Bytes {
        (0..251).cycle().take(length).collect()
    }

    /// Returns whether the socket did not take it all at once.
    async fn write_all(mut shared: Shared, socket: &TcpStream) -> bool {
        let mut blocked = false;
        while !shared.bytes().is_empty() {
            socket.writable().await.unwrap();
            match shared.write_to(socket) {
                Ok(sent) => shared.advance(sent),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    blocked = true;
                }
            }
        }
        blocked
    }

    /// What a socket has not sent is in the pages of the stage still, when some files more have been put there.
    #[tokio::test]
    async fn what_was_put_is_sent_however_late_it_is_read() {
        let stage = Stage::default();
        let (early, mut reads_early) = connected().await;
        let (late, mut reads_late) = connected().await;
        // As much as sockets hold anyway.
        let first = pattern(100_000);
        let staged = stage.put(first.clone(), LEAST_PEOPLE);
        assert!(staged.is_staged());
        write_all(staged, &late).await;
        let mut read = vec![0; first.len()];
        for round in 0..=u8::MAX {
            let other = Bytes::from(vec![round; first.len()]);
            let staged = stage.put(other.clone(), LEAST_PEOPLE);
            let written = write_all(staged, &early);
            let reading = timeout(DEADLINE, reads_early.read_exact(&mut read));
            tokio::join!(reading, written).0.unwrap().unwrap();
            assert_eq!(read, other, "round {round}");
        }
        timeout(DEADLINE, reads_late.read_exact(&mut read))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(read, first);
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_follows_when_it_does() {
        let (socket, mut reader) = connected().await;
        let bytes = pattern(16 * 1024 * 1024);
        let staged = Stage::default().put(bytes.clone(), LEAST_PEOPLE);
        assert!(staged.is_staged());
        let mut read = vec![0; bytes.len()];
        let reading = timeout(DEADLINE, reader.read_exact(&mut read));
        let (read_all, blocked) = tokio::join!(reading, write_all(staged, &socket));
        read_all.unwrap().unwrap();
        assert!(read == bytes && blocked);
    }

    #[test]
    fn files_are_left_when_they_have_enough() {
        let stage = Stage::default();
        let put = || stage.put(Bytes::from(vec![0; 1024 * 1024]), LEAST_PEOPLE);
        let staged: Vec<Shared> = (0..6).map(|_| put()).collect();
        let places: Vec<_> = staged
            .iter()
            .filter_map(|shared| shared.staged.as_ref())
            .collect();
        let offsets: Vec<u64> = places.iter().map(|(_, offset)| offset >> 20).collect();
        assert_eq!(offsets, [0, 1, 2, 3, 0, 1]);
        // The stage itself has the last one only.
        let owners: Vec<usize> = places
            .iter()
            .map(|(file, _)| Rc::strong_count(file))
            .collect();
        assert_eq!(owners, [4, 4, 4, 4, 3, 3]);
    }

    #[test]
    fn what_is_small_or_for_few_is_not_put_there() {
        let stage = Stage::default();
        for (bytes, people) in [(LEAST_BYTES - 1, 1000), (LEAST_BYTES * 9, LEAST_PEOPLE - 1)] {
            let shared = stage.put(Bytes::from(vec![0; bytes]), people);
            assert!(!shared.is_staged() && shared.bytes().len() == bytes);
        }
        assert!(stage.file.borrow().is_none());
    }

    #[tokio::test]
    async fn where_the_file_cannot_be_sent_the_bytes_are() {
        let (socket, mut reader) = connected().await;
        // Nothing is sent from a directory, and nothing from behind the end of a file.
        for file in [File::open("/").unwrap(), tempfile::tempfile().unwrap()] {
            let bytes = Bytes::from_static(b"all the same");
            let staged = Some((Rc::new(file), 0));
            write_all(Shared { bytes, staged }, &socket).await;
            let mut read = [0; 12];
            timeout(DEADLINE, reader.read_exact(&mut read))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(&read, b"all the same");
        }
    }
}
