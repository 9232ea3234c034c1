//! A piece of the log, and which of its lines belong to which conversation.

use std::collections::HashMap;
use std::fmt;

use chat_proto::name::fold;
use memchr::memmem;
use smallvec::SmallVec;

use crate::error::HistoryError;
use crate::store::log::{Line, Log};

/// How much of the log makes a chunk, but for the line that would not fit whole.
pub const CHUNK_BYTES: u64 = CHUNK as u64;
const CHUNK: usize = 256 * 1024;

/// What the index is asked for. Names are folded, and none of them has white space or begins with `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// All that was said in a channel.
    pub fn channel(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The direct messages of somebody, with whomever.
    pub fn person(nick: &str) -> Self {
        Self(format!("@{nick}"))
    }

    /// The direct messages of two people.
    pub fn pair(one: &str, other: &str) -> Self {
        let (first, second) = (one.min(other), one.max(other));
        Self(format!("{first} {second}"))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    fn all_of(from: &str, to: &str) -> Vec<Self> {
        if to.starts_with('#') {
            return vec![Self::channel(&fold(to))];
        }
        let (from, to) = (fold(from), fold(to));
        let mut keys = vec![Self::pair(&from, &to), Self::person(&from)];
        if from != to {
            keys.push(Self::person(&to));
        }
        keys
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) first_seq: u64,
    /// Where it begins and ends in the log.
    pub(super) start: u64,
    pub(super) stop: u64,
    /// CRC-32 of its bytes: tells whether it is still this chunk that stands there.
    pub(super) crc: u32,
    /// Where each line begins, from `start` on: little-endian `u32`.
    pub(super) lines: Vec<u8>,
    /// Which lines (the how manieth, little-endian `u16`) have this key.
    pub(super) postings: Vec<(Key, Vec<u8>)>,
}

impl Chunk {
    /// The chunk that begins at `offset` with the message `first_seq`; the log goes on for
    /// [`CHUNK_BYTES`] from there at least. It is read into `buffer`, whatever that holds.
    ///
    /// # Errors
    /// The log cannot be read or is damaged there.
    pub(super) fn read(
        log: &Log,
        offset: u64,
        first_seq: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Self, HistoryError> {
        buffer.resize(CHUNK, 0);
        let bytes = log.read(offset, offset + CHUNK_BYTES, buffer)?;
        let length = memchr::memrchr(b'\n', bytes)
            .ok_or_else(|| log.damaged(offset, "it is too long for a message"))?
            + 1;
        let bytes = &bytes[..length];

        // A line has some 200 bytes.
        let mut lines = Vec::with_capacity(CHUNK / 200 * size_of::<u32>());
        let mut postings = Postings::new();
        let mut start = 0;
        for (number, newline) in memchr::memchr_iter(b'\n', bytes).enumerate() {
            let seq = postings
                .add(&bytes[start..newline], number)
                .map_err(|what| log.damaged(offset + start as u64, what))?;
            let expected = first_seq + number as u64;
            if seq != expected {
                let what = format!("it has the number {seq} instead of {expected}");
                return Err(log.damaged(offset + start as u64, what));
            }
            lines.extend_from_slice(&narrow::<u32>(start).to_le_bytes());
            start = newline + 1;
        }
        Ok(Self {
            first_seq,
            start: offset,
            stop: offset + length as u64,
            crc: crc32fast::hash(bytes),
            lines,
            postings: postings.finish(),
        })
    }

    pub(super) fn messages(&self) -> u64 {
        (self.lines.len() / size_of::<u32>()) as u64
    }
}

fn narrow<T: TryFrom<usize, Error: fmt::Debug>>(number: usize) -> T {
    T::try_from(number).expect("CHUNK_BYTES bounds it, and a message takes more than four bytes")
}

/// The lines of a chunk by key, while they are gathered.
#[derive(Debug)]
struct Postings<'a> {
    by_key: Vec<(Key, Vec<u8>)>,
    numbers: HashMap<Key, usize>,
    /// Which of `by_key` a line belongs to, by what stands in it from the sender's name to the receiver's: names
    /// are decoded and folded once a chunk, not once a line.
    known: HashMap<&'a [u8], Indices, foldhash::fast::RandomState>,
    /// The same of the last line, whose names are often those of the next one.
    last: Option<(&'a [u8], Indices)>,
    /// What stands behind the names in a line.
    text: memmem::Finder<'static>,
}

/// A channel, or a pair and its two ends.
type Indices = SmallVec<[usize; 3]>;

impl<'a> Postings<'a> {
    fn new() -> Self {
        Self {
            by_key: Vec::new(),
            numbers: HashMap::new(),
            known: HashMap::default(),
            last: None,
            text: memmem::Finder::new(TEXT),
        }
    }

    /// Adds line `number` and returns its `seq`, or what is wrong with it.
    fn add(&mut self, line: &'a [u8], number: usize) -> Result<u64, String> {
        let number = narrow::<u16>(number).to_le_bytes();
        if let Some((seq, rest)) = as_recorded(line) {
            if let Some((names, indices)) = &self.last
                && rest
                    .strip_prefix(*names)
                    .is_some_and(|rest| rest.starts_with(TEXT))
            {
                post(&mut self.by_key, indices, number);
                return Ok(seq);
            }
            if let Some(length) = self.text.find(rest) {
                let names = &rest[..length];
                let indices = match self.known.get(names) {
                    Some(indices) => indices.clone(),
                    None => {
                        let indices = self.indices_of(&Line::parse(line)?);
                        self.known.insert(names, indices.clone());
                        indices
                    }
                };
                post(&mut self.by_key, &indices, number);
                self.last = Some((names, indices));
                return Ok(seq);
            }
        }
        // Whatever else is a message is one too.
        let line = Line::parse(line)?;
        let indices = self.indices_of(&line);
        post(&mut self.by_key, &indices, number);
        Ok(line.seq)
    }

    fn indices_of(&mut self, line: &Line<'_>) -> Indices {
        let keys = Key::all_of(&line.from, &line.to).into_iter();
        keys.map(|key| {
            *self.numbers.entry(key).or_insert_with_key(|key| {
                self.by_key.push((key.clone(), Vec::new()));
                self.by_key.len() - 1
            })
        })
        .collect()
    }

    fn finish(self) -> Vec<(Key, Vec<u8>)> {
        self.by_key
    }
}

fn post(by_key: &mut [(Key, Vec<u8>)], indices: &[usize], number: [u8; 2]) {
    for &index in indices {
        by_key[index].1.extend_from_slice(&number);
    }
}

/// What stands between the names and the text of a line. A quote within a JSON string is escaped, so what looks
/// like the next key is the next key.
const TEXT: &[u8] = b"\",\"text\":\"";

/// The number of a line as the recorder writes it, and what stands in it from the sender's name on.
fn as_recorded(line: &[u8]) -> Option<(u64, &[u8])> {
    const TIME_BYTES: usize = "2026-11-23T18:50:00.123Z".len();
    let rest = line.strip_prefix(b"{\"type\":\"message\",\"seq\":")?;
    let (seq, rest) = leading_number(rest)?;
    let rest = rest.strip_prefix(b",\"time\":\"")?;
    let rest = rest.get(TIME_BYTES..)?.strip_prefix(b"\",\"from\":\"")?;
    Some((seq, rest))
}

fn leading_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = bytes.split_at(digits);
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })?;
    (!digits.is_empty()).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_posted_by_its_names_whatever_the_line_before() {
        let line = |seq: u64, from: &str, to: &str| {
            format!(
                r#"{{"type":"message","seq":{seq},"time":"2026-11-23T18:50:00.123Z","from":"{from}","to":"{to}","text":"\",\"text\":\""}}"#
            )
        };
        let lines = [
            line(7, r#"a\"b"#, "#té"),
            line(8, r#"a\"b"#, "#té"),
            line(9, r#"a\"b"#, r"#t\u00e9"),
            line(10, r#"a\"b"#, "#téa"),
            line(11, r#"a\"b"#, "Zoe"),
            line(12, "x", "#TÉ"),
            // Not as the recorder writes it.
            r##"{"seq":13,"type":"message","time":"2026-11-23T18:50:00.123Z","from":"x","to":"#té","text":"t"}"##.into(),
            line(14, "x", "#TÉ"),
        ];
        let mut postings = Postings::new();
        for (number, text) in lines.iter().enumerate() {
            assert_eq!(postings.add(text.as_bytes(), number), Ok(7 + number as u64));
        }
        let of = |key| {
            let (_, posted) = postings
                .by_key
                .iter()
                .find(|(other, _)| *other == key)
                .unwrap();
            posted.chunks(2).map(|number| number[0]).collect::<Vec<_>>()
        };
        assert_eq!(of(Key::channel("#té")), [0, 1, 2, 5, 6, 7]);
        assert_eq!(of(Key::channel("#téa")), [3]);
        assert_eq!(of(Key::person("zoe")), [4]);
        for damaged in [
            "",
            "{}",
            r#"{"type":"message","seq":"#,
            &line(1, "a", "b")[..80],
        ] {
            assert!(
                Postings::new().add(damaged.as_bytes(), 0).is_err(),
                "{damaged}"
            );
        }
    }

    #[test]
    fn a_direct_message_is_found_by_its_pair_and_by_both_ends() {
        let keys = |from, to| -> Vec<String> {
            Key::all_of(from, to).into_iter().map(|key| key.0).collect()
        };
        assert_eq!(keys("Zoe", "ANA"), ["ana zoe", "@zoe", "@ana"]);
        assert_eq!(keys("Ana", "Ana"), ["ana ana", "@ana"]);
        assert_eq!(keys("Ana", "#Té"), ["#té"]);
    }
}
