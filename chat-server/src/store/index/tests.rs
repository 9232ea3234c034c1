//! The index against the log that it is made from: asked the same, both give the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chat_proto::{Message, Record, Timestamp};
use rand::prelude::*;
use tempfile::TempDir;

use super::indexer::Indexer;
use super::postings::Chunk;
use super::sqlite::Index;
use super::{ChunkBuilder, IndexStatus, LineBuffer, path_of};
use crate::chat::batch::SenderRun;
use crate::chat::effect::{Conversation, NickTenure};
use crate::store::history::filter::MessageFilter;
use crate::store::log::{Direction, Log, LogLine, RecordedEnd};

const CHANNELS: [&str; 4] = ["#lobby", "#Café", "#тихо", "#rare"];
const NICKS: [&str; 4] = ["Ana", "Борис", "zoë", "a\"b"];

/// A log in a directory of its own.
struct Scene {
    _dir: TempDir,
    path: PathBuf,
}

fn indexer(path: &Path, log: Log, end: u64) -> Indexer {
    Indexer::new(path, log, RecordedEnd::new(end), IndexStatus::default())
}

impl Scene {
    /// `messages` of random people, the channel #rare once in a thousand.
    fn new(seed: u64, messages: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut lines = Vec::new();
        for seq in 1..=messages {
            let to = match rng.random_range(0..1000) {
                0 => "#rare",
                n if n < 500 => CHANNELS[n % 3],
                n => NICKS[n % NICKS.len()],
            };
            let message = Message {
                seq,
                time: Timestamp::from_millis(1_700_000_000_000),
                from: NICKS[rng.random_range(0..NICKS.len())].into(),
                to: to.into(),
                text: "x".repeat(rng.random_range(1..400)).into(),
                id: None,
            };
            serde_json::to_writer(&mut lines, &Record::Message(message)).unwrap();
            lines.push(b'\n');
        }
        fs::write(&path, lines).unwrap();
        Self { _dir: dir, path }
    }

    fn log(&self) -> Log {
        Log::open(&self.path).unwrap()
    }

    /// The index, kept up with the log.
    fn index(&self) -> Index {
        let (log, path) = (self.log(), path_of(&self.path));
        let end = log.length().unwrap();
        indexer(&path, log, end).catch_up(end).unwrap();
        Index::reader(&path).unwrap()
    }

    /// With the index the same is found as in the log alone.
    fn is_found_as_without(&self, index: &Index, messages: u64) {
        let log = self.log();
        let end = log.length().unwrap();
        let mut rng = StdRng::seed_from_u64(2);
        for _ in 0..100 {
            let filter = random_filter(&mut rng, messages);
            for first in [Direction::NewestFirst, Direction::OldestFirst] {
                let max = rng.random_range(1..200);
                let select = |index| filter.select(&log, index, end, first, max).unwrap();
                assert_eq!(
                    select(Some(index)),
                    select(None),
                    "{filter:?} {first:?} {max}"
                );
            }
        }
    }
}

fn random_filter(rng: &mut StdRng, messages: u64) -> MessageFilter {
    let name = |name: &str| chat_proto::name::fold(name).into();
    let mut seq = || rng.random_range(0..messages + 2);
    let (after, before) = (seq(), seq());
    let held = || NickTenure {
        nick: name(NICKS[rng.random_range(0..NICKS.len())]),
        since: rng.random_range(0..messages),
        until: u64::MAX,
    };
    let held: Vec<NickTenure> = std::iter::repeat_with(held).take(2).collect();
    let channel = name(CHANNELS[rng.random_range(0..CHANNELS.len())]);
    let conversation = match rng.random_range(0..3) {
        0 => Conversation::Channel(channel),
        1 => Conversation::Direct {
            held,
            other: name(NICKS[rng.random_range(0..NICKS.len())]),
        },
        _ => {
            return MessageFilter {
                channels: vec![channel],
                tenures: held,
                other: None,
                after,
                before,
            };
        }
    };
    MessageFilter::conversation(&conversation, after, before)
}

#[test]
fn with_an_index_and_without_the_same_is_found() {
    let messages = 3500;
    let scene = Scene::new(1, messages);
    let (index, log) = (scene.index(), scene.log());
    let end = log.length().unwrap();
    let indexed_up_to = index.indexed_up_to().unwrap();
    assert!(
        indexed_up_to.end > end / 2 && indexed_up_to.last_seq < messages,
        "{indexed_up_to:?}"
    );
    scene.is_found_as_without(&index, messages);
}

#[test]
fn what_was_gathered_and_what_is_read_make_one_index() {
    let messages = 8000;
    let scene = Scene::new(8, messages);
    let bytes = fs::read(&scene.path).unwrap();
    let (log, path) = (scene.log(), path_of(&scene.path));
    let end = log.length().unwrap();
    // The server starts when there are some messages already.
    let mut builder = ChunkBuilder::new(log.locate(1000, 0, end).unwrap());
    let mut chunks = Vec::new();
    let mut rng = StdRng::seed_from_u64(9);
    let (mut lines, mut talks) = (LineBuffer::default(), Vec::<SenderRun>::new());
    let start = usize::try_from(builder.end()).unwrap();
    for line in bytes[start..].split_inclusive(|&byte| byte == b'\n') {
        lines.push(line);
        let LogLine { seq, from, to, .. } = LogLine::parse(line).unwrap();
        match talks.last_mut() {
            Some(talk) if (&*talk.from, &*talk.to) == (&*from, &*to) => talk.messages += 1,
            _ => talks.push(SenderRun {
                from: from.into(),
                to: to.into(),
                messages: 1,
            }),
        }
        if rng.random_ratio(1, 100) {
            let first_seq = seq + 1 - lines.count() as u64;
            builder.add_batch(&lines, first_seq, &talks, &mut chunks);
            lines.clear();
            talks.clear();
        }
    }
    assert!(chunks.len() > 4, "{}", chunks.len());
    let mut indexer = indexer(&path, log, end);
    // There was too much to do for one of them.
    indexer.add(&chunks[..2]).unwrap();
    indexer.add(&chunks[3..]).unwrap();
    // And whatever is told twice changes nothing.
    indexer.add(&chunks[..1]).unwrap();
    scene.is_found_as_without(&Index::reader(&path).unwrap(), messages);
}

#[test]
fn an_index_of_another_log_is_made_again() {
    let (one, other) = (Scene::new(3, 3000), Scene::new(4, 3000));
    let before = one.index().indexed_up_to().unwrap();
    fs::copy(&other.path, &one.path).unwrap();
    let log = one.log();
    let index = Index::open(&path_of(&one.path), &log, log.length().unwrap()).unwrap();
    assert_eq!(index.indexed_up_to().unwrap().end, 0);
    assert_ne!(one.index().indexed_up_to().unwrap(), before);
}

#[test]
fn what_the_log_has_lost_at_its_end_the_index_loses_too() {
    let scene = Scene::new(5, 6000);
    let before = scene.index().indexed_up_to().unwrap();
    let log = scene.log();
    let end = log.end_of_lines(before.end - 10).unwrap();
    let index = Index::open(&path_of(&scene.path), &log, end).unwrap();
    let after = index.indexed_up_to().unwrap();
    assert!(0 < after.end && after.end < end, "{before:?} {after:?}");
}

#[test]
fn a_file_that_is_no_index_is_made_again_and_only_its_owner_may_read_it() {
    let scene = Scene::new(6, 3000);
    let path = path_of(&scene.path);
    fs::write(&path, "no index".repeat(1000)).unwrap();
    assert!(scene.index().indexed_up_to().unwrap().end > 0);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn damage_is_named_and_what_stands_before_it_is_indexed() {
    let scene = Scene::new(7, 6000);
    let mut bytes = fs::read(&scene.path).unwrap();
    let damage = bytes.len() * 2 / 3;
    let line = damage
        + bytes[damage..]
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap()
        + 1;
    bytes[line..line + 4].copy_from_slice(b"oops");
    fs::write(&scene.path, &bytes).unwrap();
    let (log, path) = (scene.log(), path_of(&scene.path));
    let end = bytes.len() as u64;
    let error = indexer(&path, log, end).catch_up(end).unwrap_err();
    let number = bytes[..line].iter().filter(|&&byte| byte == b'\n').count() + 1;
    assert!(
        error.to_string().contains(&format!("line {number}:")),
        "{error}"
    );
    let indexed_up_to = Index::reader(&path).unwrap().indexed_up_to().unwrap();
    assert!(indexed_up_to.end > 0 && indexed_up_to.end <= line as u64);
}

#[test]
fn a_chunk_that_begins_with_the_largest_number_is_damaged() {
    let scene = Scene::new(9, 2);
    let text = fs::read_to_string(&scene.path).unwrap();
    let text = text.replacen(r#""seq":1,"#, r#""seq":18446744073709551615,"#, 1);
    fs::write(&scene.path, &text).unwrap();
    let (log, end) = (scene.log(), text.len() as u64);
    let error = Chunk::read(&log, 0, end, 1, &mut Vec::new()).unwrap_err();
    let filter = "line 1: it has the number 18446744073709551615 instead of 1";
    assert!(error.to_string().contains(filter), "{error}");
}
