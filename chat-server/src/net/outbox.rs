//! What waits to be written to one socket, in order, and how much of it there is.
//!
//! Bytes go out as they come; a `Job` stands for bytes that have to be read from the history first:
//! it is begun when its turn has come, and what follows waits for its answer. So answers keep the order
//! of the requests, and a page is in memory only when the socket is ready for it.
//!
//! Memory is used only while something waits.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use crate::chat::batch::Page;
use crate::store::history::ReplayCursor;

use super::connection::Arrival;
use super::stage::Shared;

/// Buffers handed to one vectored write; more wait for the next.
const SLICES: usize = 32;

/// A piece of a batch keeps the whole batch in memory. A piece that has to wait is copied if it is
/// smaller than this, or a slow reader of few words would hold a batch for each of them.
const SHARED_MIN: usize = 64 * 1024;

/// What is read from the history when its turn has come.
#[derive(Debug)]
pub(super) enum Job {
    /// A welcome, and what was missed behind it.
    Welcome(Box<Arrival>),
    /// The next part of what was missed.
    Rest(Box<ReplayCursor>),
    /// A page, of messages up to `upto`.
    Page { page: Box<Page>, upto: u64 },
}

#[derive(Debug)]
enum Item {
    /// A piece of a batch.
    Shared(Shared),
    /// Pieces that had to wait, copied.
    Own(BytesMut),
    /// From the history; there is at most one at a time, and it does not count as waiting.
    Answer(Bytes),
    Job(Job),
}

impl Item {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Shared(shared) => Some(shared.bytes()),
            Self::Answer(bytes) => Some(bytes),
            Self::Own(bytes) => Some(bytes),
            Self::Job(_) => None,
        }
    }

    fn staged(&self) -> Option<&Shared> {
        match self {
            Self::Shared(shared) if shared.is_staged() => Some(shared),
            _ => None,
        }
    }
}

/// What is to be written with one call.
#[derive(Debug)]
pub(super) enum Output<'o> {
    Slices(&'o [IoSlice<'o>]),
    Staged(&'o Shared),
}

/// How far writing got.
#[derive(Debug)]
pub(super) enum Written {
    /// Nothing is left that could be written.
    All,
    /// This is to be read from the history before anything else can be written.
    Until(Job),
    /// The socket takes no more for now.
    Blocked,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    /// How many of them are jobs.
    jobs: u32,
    waiting_bytes: usize,
    /// A job has been begun and not been answered: nothing behind it is written.
    busy: bool,
    /// The first item is written in part and has to be finished, whatever comes.
    begun: bool,
    /// The socket takes no more for now.
    blocked: bool,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.busy
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Returns whether a job has been begun and not been answered.
    pub(super) fn is_reading(&self) -> bool {
        self.busy
    }

    /// The bytes that wait, but for answers from the history, of which there is one at a time.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn push(&mut self, frames: Shared) {
        self.waiting_bytes += frames.bytes().len();
        if self.blocked || self.busy || self.jobs > 0 {
            self.push_waiting(frames.into_bytes());
        } else {
            self.items.push_back(Item::Shared(frames));
        }
    }

    pub(super) fn push_job(&mut self, job: Job) {
        self.jobs += 1;
        self.items.push_back(Item::Job(job));
    }

    /// The job that was begun has brought these bytes, and goes on with `rest`.
    pub(super) fn answered(&mut self, bytes: Bytes, rest: Option<Job>) {
        // Not busy: everything was discarded meanwhile.
        if !std::mem::take(&mut self.busy) {
            return;
        }
        if let Some(job) = rest {
            self.jobs += 1;
            self.items.push_front(Item::Job(job));
        }
        if !bytes.is_empty() {
            self.items.push_front(Item::Answer(bytes));
        }
    }

    /// Forgets what waits, but for what is written in part.
    pub(super) fn discard(&mut self) {
        self.items.truncate(usize::from(self.begun));
        self.jobs = 0;
        self.busy = false;
        self.waiting_bytes = match self.items.front() {
            Some(Item::Answer(_)) | None => 0,
            Some(item) => item.bytes().map_or(0, <[u8]>::len),
        };
    }

    /// The socket may take more.
    pub(super) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Writes until nothing is left, the socket takes no more, or something has to be read first.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn write(
        &mut self,
        mut write: impl FnMut(Output<'_>) -> io::Result<usize>,
    ) -> io::Result<Written> {
        while !self.busy && !self.blocked {
            match self.items.front() {
                None => {
                    self.items = VecDeque::new();
                    break;
                }
                Some(Item::Job(_)) => {
                    let Some(Item::Job(job)) = self.items.pop_front() else {
                        unreachable!("the front is a job")
                    };
                    self.jobs -= 1;
                    self.busy = true;
                    return Ok(Written::Until(job));
                }
                Some(_) => {}
            }
            match self.write_once(&mut write) {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.block(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if self.blocked {
            Written::Blocked
        } else {
            Written::All
        })
    }

    fn write_once(
        &self,
        write: &mut impl FnMut(Output<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if let Some(shared) = self.items.front().and_then(Item::staged) {
            return write(Output::Staged(shared));
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let unstaged = self.items.iter().take_while(|item| item.staged().is_none());
        for bytes in unstaged.take(SLICES).map_while(Item::bytes) {
            slices[count] = IoSlice::new(bytes);
            count += 1;
        }
        write(Output::Slices(&slices[..count]))
    }

    fn advance(&mut self, mut written: usize) {
        while written > 0 {
            let Some(item) = self.items.front_mut() else {
                return;
            };
            let length = item.bytes().map_or(0, <[u8]>::len);
            let part = written.min(length);
            match item {
                Item::Shared(shared) => shared.advance(part),
                Item::Own(bytes) => bytes.advance(part),
                Item::Answer(bytes) => bytes.advance(part),
                Item::Job(_) => unreachable!("nothing is written from behind a job"),
            }
            if !matches!(item, Item::Answer(_)) {
                self.waiting_bytes -= part;
            }
            self.begun = part < length;
            if !self.begun {
                self.items.pop_front();
            }
            written -= part;
        }
    }

    /// What is left has to wait: it keeps no batch in memory that is much larger than itself.
    fn block(&mut self) {
        self.blocked = true;
        for item in std::mem::take(&mut self.items) {
            match item {
                Item::Shared(frames) => self.push_waiting(frames.into_bytes()),
                other => self.items.push_back(other),
            }
        }
    }

    fn push_waiting(&mut self, frames: Bytes) {
        if frames.len() >= SHARED_MIN {
            self.items.push_back(Item::Shared(frames.into()));
            return;
        }
        match self.items.back_mut() {
            Some(Item::Own(tail)) if tail.len() < SHARED_MIN => tail.extend_from_slice(&frames),
            _ => self.items.push_back(Item::Own(BytesMut::from(&frames[..]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// A socket that takes `room` bytes.
    fn write_into(outbox: &mut Outbox, room: &mut usize, taken: &mut Vec<u8>) -> Written {
        outbox
            .write(|output| {
                let alone;
                let slices = match output {
                    Output::Slices(slices) => slices,
                    Output::Staged(shared) => {
                        alone = [IoSlice::new(shared.bytes())];
                        &alone
                    }
                };
                if *room == 0 {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                let bytes: Vec<u8> = slices
                    .iter()
                    .flat_map(|slice| slice.iter().copied())
                    .take(*room)
                    .collect();
                *room -= bytes.len();
                taken.extend_from_slice(&bytes);
                Ok(bytes.len())
            })
            .unwrap()
    }

    #[test]
    fn bytes_go_out_in_order_however_little_the_socket_takes() {
        let wire: Vec<u8> = (0..=255).cycle().take(600_000).collect();
        let stage = Stage::default();
        for step in [1_000, 70_000, 600_000] {
            let (mut outbox, mut taken) = (Outbox::default(), Vec::new());
            let whole = Bytes::copy_from_slice(&wire);
            let mut pieces = (0..wire.len()).step_by(17_777);
            while taken.len() < wire.len() {
                for (number, start) in pieces.by_ref().take(5).enumerate() {
                    let piece = whole.slice(start..wire.len().min(start + 17_777));
                    outbox.push(stage.put(piece, if number % 3 == 1 { 1000 } else { 1 }));
                }
                outbox.unblock();
                write_into(&mut outbox, &mut { step }, &mut taken);
                // What waits keeps no file.
                assert!(outbox.items.iter().all(|item| item.staged().is_none()));
                assert_eq!(
                    outbox
                        .items
                        .iter()
                        .filter_map(Item::bytes)
                        .map(<[u8]>::len)
                        .sum::<usize>(),
                    outbox.waiting_bytes()
                );
            }
            assert_eq!(taken, wire);
            assert!(
                outbox.is_empty() && outbox.waiting_bytes() == 0 && outbox.items.capacity() < 16
            );
        }
    }

    #[test]
    fn small_pieces_that_wait_do_not_keep_their_batch() {
        let batch = Bytes::from(vec![1; 256 * 1024]);
        let mut outbox = Outbox::default();
        outbox.push(batch.slice(..100).into());
        write_into(&mut outbox, &mut 0, &mut Vec::new());
        outbox.push(batch.slice(100..200).into());
        assert!(batch.is_unique(), "a slow reader holds the batch");
        outbox.push(batch.clone().into());
        assert_eq!(
            (outbox.waiting_bytes(), batch.is_unique()),
            (200 + 256 * 1024, false)
        );
    }

    #[test]
    fn what_follows_a_job_waits_for_its_answer() {
        let (mut outbox, mut taken, mut room) = (Outbox::default(), Vec::new(), 100_000);
        let page = Page {
            conversation: crate::chat::batch::Conversation::Channel("#a".into()),
            with: "#a".into(),
            before: None,
            after: None,
            limit: 1,
            somebody: true,
            id: None,
        };
        outbox.push(Bytes::from_static(b"before ").into());
        outbox.push_job(Job::Page {
            page: Box::new(page),
            upto: 1,
        });
        let much = Stage::default().put(Bytes::from(vec![b'!'; 20_000]), 1000);
        let batch = Bytes::from(b"behind ".repeat(10_000));
        outbox.push(batch.slice(..7).into());
        assert!(batch.is_unique(), "who waits for a page holds the batch");
        outbox.push(much.clone());
        assert!(matches!(
            write_into(&mut outbox, &mut room, &mut taken),
            Written::Until(Job::Page { .. })
        ));
        outbox.push(much.clone());
        // Nor does what waits keep a file.
        assert!(much.is_staged() && outbox.items.iter().all(|item| item.staged().is_none()));
        assert!(matches!(
            write_into(&mut outbox, &mut room, &mut taken),
            Written::All
        ));
        assert_eq!((&taken[..], outbox.is_empty()), (&b"before "[..], false));
        outbox.answered(Bytes::from_static(b"answer "), None);
        write_into(&mut outbox, &mut room, &mut taken);
        let (words, rest) = taken.split_at(b"before answer behind ".len());
        assert_eq!(
            (words, outbox.is_empty()),
            (&b"before answer behind "[..], true)
        );
        assert_eq!(
            (rest.len(), rest.iter().all(|&byte| byte == b'!')),
            (40_000, true)
        );
    }

    #[test]
    fn what_was_begun_is_finished() {
        let (mut outbox, mut taken) = (Outbox::default(), Vec::new());
        outbox.push(Bytes::from_static(b"12345").into());
        outbox.push(Bytes::from(vec![b'x'; SHARED_MIN]).into());
        write_into(&mut outbox, &mut 2, &mut taken);
        outbox.discard();
        outbox.push(Bytes::from_static(b"!").into());
        outbox.unblock();
        write_into(&mut outbox, &mut 100, &mut taken);
        assert_eq!(taken, b"12345!");
    }
}
