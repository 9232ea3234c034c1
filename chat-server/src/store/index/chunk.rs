//! A piece of the log, and which of its lines belong to which conversation.

use std::collections::HashMap;

use chat_proto::name::fold;
use memchr::memmem;
use smallvec::SmallVec;

use super::file::Covered;
use crate::error::HistoryError;
use crate::store::log::{Line, Log};

/// How much of the log makes a chunk, but for the line that would not fit whole.
pub(super) const CHUNK_BYTES: u64 = CHUNK as u64;
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
pub struct Chunk {
    pub(super) first_seq: u64,
    /// Where it begins and ends in the log.
    pub(super) start: u64,
    pub(super) stop: u64,
    /// CRC-32 of its bytes: tells whether it is still this chunk that stands there.
    pub(super) crc: u32,
    /// How long each line is, without its newline.
    pub(super) lengths: Vec<u16>,
    /// Which lines have this key: the how manieth.
    pub(super) postings: Vec<(Key, Vec<u16>)>,
}

impl Chunk {
    /// The chunk that begins at `offset`, with the message `first_seq`, and ends at `end` or where it has enough. It is
    /// read into `buffer`, whatever that holds.
    ///
    /// # Errors
    /// The log cannot be read or is damaged there.
    pub(super) fn read(
        log: &Log,
        offset: u64,
        end: u64,
        first_seq: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Self, HistoryError> {
        buffer.resize(CHUNK, 0);
        let bytes = log.read(offset, end.min(offset + CHUNK_BYTES), buffer)?;
        let mut gathering = Gathering::new(offset);
        let added = gathering.add(bytes);
        if let Some(seq) = gathering.first_seq.filter(|&seq| seq != first_seq) {
            return Err(log.damaged(offset, misnumbered(seq, first_seq)));
        }
        match added {
            Ok(_) => Ok(gathering.finish()),
            Err(what) => Err(log.damaged(gathering.stop(), what)),
        }
    }

    /// Where it ends in the log.
    pub fn stop(&self) -> u64 {
        self.stop
    }

    /// Whether it stands where the index ends.
    pub(super) fn follows(&self, covered: &Covered) -> bool {
        self.start == covered.end && self.first_seq == covered.last_seq + 1
    }

    pub(super) fn messages(&self) -> u64 {
        self.lengths.len() as u64
    }
}

/// A chunk while its lines come: those that are recorded, or those of the log.
#[derive(Debug)]
pub struct Gathering {
    start: u64,
    bytes: usize,
    /// Of the first line.
    first_seq: Option<u64>,
    crc: crc32fast::Hasher,
    lengths: Vec<u16>,
    postings: Postings,
}

impl Gathering {
    /// Nothing, from `start` on.
    pub fn new(start: u64) -> Self {
        Self {
            start,
            bytes: 0,
            first_seq: None,
            crc: crc32fast::Hasher::new(),
            // A line has some 200 bytes.
            lengths: Vec::with_capacity(CHUNK / 200),
            postings: Postings::default(),
        }
    }

    /// Where what was gathered ends.
    pub fn stop(&self) -> u64 {
        self.start + self.bytes as u64
    }

    /// Adds lines, each ended by a newline, and gives out each chunk that has enough.
    ///
    /// # Errors
    /// What is wrong with the line at [`Gathering::stop`].
    pub fn gather(&mut self, lines: &[u8], mut give: impl FnMut(Chunk)) -> Result<(), String> {
        let mut rest = &lines[self.add(lines)?..];
        while !rest.is_empty() {
            let next = Self::new(self.stop());
            give(std::mem::replace(self, next).finish());
            rest = &rest[self.add(rest)?..];
        }
        Ok(())
    }

    /// Adds the lines that `bytes` begin with as long as they fit in, and returns how many bytes they have; at least
    /// one line where there was none.
    fn add(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let room = CHUNK - self.bytes;
        let mut start = 0;
        let mut outcome = Ok(());
        for newline in memchr::memchr_iter(b'\n', bytes).take_while(|&newline| newline < room) {
            outcome = self.add_line(&bytes[start..newline]);
            if outcome.is_err() {
                break;
            }
            start = newline + 1;
        }
        self.crc.update(&bytes[..start]);
        self.bytes += start;
        outcome?;
        if self.bytes == 0 {
            return Err(TOO_LONG.into());
        }
        Ok(start)
    }

    fn add_line(&mut self, line: &[u8]) -> Result<(), String> {
        let length = u16::try_from(line.len()).map_err(|_| TOO_LONG)?;
        let number = self.lengths.len();
        let seq = self.postings.add(line, number)?;
        // The first may be any number: whether it is the one that is due is for the reader to say.
        let first = *self.first_seq.get_or_insert(seq);
        let expected = first.wrapping_add(number as u64);
        if seq != expected {
            return Err(misnumbered(seq, expected));
        }
        self.lengths.push(length);
        Ok(())
    }

    fn finish(self) -> Chunk {
        Chunk {
            first_seq: self.first_seq.unwrap_or_default(),
            start: self.start,
            stop: self.stop(),
            crc: self.crc.finalize(),
            lengths: self.lengths,
            postings: self.postings.by_key,
        }
    }
}

const TOO_LONG: &str = "it is too long for a message";

fn misnumbered(seq: u64, expected: u64) -> String {
    format!("it has the number {seq} instead of {expected}")
}

/// The lines of a chunk by key, while they are gathered.
#[derive(Debug, Default)]
struct Postings {
    by_key: Vec<(Key, Vec<u16>)>,
    numbers: HashMap<Key, usize>,
    /// Which of `by_key` a line belongs to, by what stands in it from the sender's name to the receiver's: names
    /// are decoded and folded once a chunk, not once a line.
    known: HashMap<Box<[u8]>, Indices, foldhash::fast::RandomState>,
    /// The same of the last line, whose names are often those of the next one.
    last: (Vec<u8>, Indices),
}

/// A channel, or a pair and its two ends.
type Indices = SmallVec<[usize; 3]>;

impl Postings {
    /// Adds line `number` and returns its `seq`, or what is wrong with it.
    fn add(&mut self, line: &[u8], number: usize) -> Result<u64, String> {
        let number =
            u16::try_from(number).expect("a message takes more than four bytes of the chunk");
        if let Some((seq, rest)) = as_recorded(line) {
            let (names, indices) = &self.last;
            if !names.is_empty()
                && rest
                    .strip_prefix(&names[..])
                    .is_some_and(|rest| rest.starts_with(TEXT))
            {
                post(&mut self.by_key, indices, number);
                return Ok(seq);
            }
            if let Some(length) = memmem::find(rest, TEXT) {
                let names = &rest[..length];
                let indices = match self.known.get(names) {
                    Some(indices) => indices.clone(),
                    None => {
                        let indices = self.indices_of(&Line::parse(line)?);
                        self.known.insert(names.into(), indices.clone());
                        indices
                    }
                };
                post(&mut self.by_key, &indices, number);
                names.clone_into(&mut self.last.0);
                self.last.1 = indices;
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
}

fn post(by_key: &mut [(Key, Vec<u16>)], indices: &[usize], number: u16) {
    for &index in indices {
        by_key[index].1.push(number);
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
    // So many digits fit in.
    let fits = (1..20).contains(&digits.len());
    let add = |number, digit: &u8| number * 10 + u64::from(digit - b'0');
    fits.then(|| (digits.iter().fold(0, add), rest))
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
        let mut postings = Postings::default();
        for (number, text) in lines.iter().enumerate() {
            assert_eq!(postings.add(text.as_bytes(), number), Ok(7 + number as u64));
        }
        let of = |key| {
            let (_, posted) = postings
                .by_key
                .iter()
                .find(|(other, _)| *other == key)
                .unwrap();
            posted.clone()
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
                Postings::default().add(damaged.as_bytes(), 0).is_err(),
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
