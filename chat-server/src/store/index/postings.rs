//! Chunks of the log, with the lines of each conversation.

use std::collections::HashMap;
use std::iter;

use chat_proto::name::fold;
use memchr::memmem;
use smallvec::SmallVec;

use crate::chat::batch::SenderRun;
use crate::error::HistoryError;
use crate::store::log::{Log, LogLine};

/// How much of the log makes a chunk, but for the line that would not fit whole.
pub(super) const CHUNK_BYTES: u64 = CHUNK as u64;
const CHUNK: usize = 256 * 1024;

/// A key of the index. Names are folded, and none of them has white space or
/// begins with `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConversationKey(String);

impl ConversationKey {
    /// All messages of a channel.
    pub fn channel(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// All direct messages of a user.
    pub fn user(nick: &str) -> Self {
        Self(format!("@{nick}"))
    }

    /// The direct messages between two nicks.
    pub fn pair(one: &str, other: &str) -> Self {
        let (first, second) = (one.min(other), one.max(other));
        Self(format!("{first} {second}"))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    fn of_message(from: &str, to: &str) -> Vec<Self> {
        if to.starts_with('#') {
            return vec![Self::channel(&fold(to))];
        }
        let (from, to) = (fold(from), fold(to));
        let mut keys = vec![Self::pair(&from, &to), Self::user(&from)];
        if from != to {
            keys.push(Self::user(&to));
        }
        keys
    }
}

/// A chunk of the log, with the lines of each conversation.
#[derive(Debug)]
pub struct Chunk {
    pub(super) first_seq: u64,
    /// Where it begins and ends in the log.
    pub(super) start: u64,
    pub(super) end: u64,
    /// CRC-32 of its bytes: tells whether it is still this chunk that stands there.
    pub(super) crc: u32,
    /// How long each line is, without its newline.
    pub(super) lengths: Vec<u16>,
    /// Line indices, within the chunk, that belong to each key.
    pub(super) postings: Vec<(ConversationKey, Vec<u16>)>,
}

impl Chunk {
    /// The chunk that begins at `offset`, with the message `first_seq`, and ends at `end` or where
    /// it has enough. It is read into `buffer`, whatever that holds.
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
        let mut builder = ChunkBuilder::new(offset);
        let added = builder.add(bytes);
        if let Some(seq) = builder.first_seq.filter(|&seq| seq != first_seq) {
            return Err(log.damaged(offset, wrong_number(seq, first_seq)));
        }
        match added {
            Ok(_) => Ok(builder.finish()),
            Err(what) => Err(log.damaged(builder.end(), what)),
        }
    }

    /// Where it ends in the log.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Returns whether the chunk begins where the index ends.
    pub(super) fn follows(&self, indexed_up_to: &IndexedUpTo) -> bool {
        self.start == indexed_up_to.end && self.first_seq == indexed_up_to.last_seq + 1
    }

    pub(super) fn messages(&self) -> u64 {
        self.lengths.len() as u64
    }
}

/// How far the index covers the log: all lines before the offset `end`, the last of which is
/// `last_seq`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexedUpTo {
    pub end: u64,
    pub last_seq: u64,
}

impl IndexedUpTo {
    /// A chunk that follows is covered too.
    pub(super) fn extend(&mut self, chunk: &Chunk) {
        self.end = chunk.end;
        self.last_seq += chunk.messages();
    }
}

/// Contiguous lines, each with its newline.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Without the newlines.
    lengths: Vec<u16>,
}

impl LineBuffer {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lengths.clear();
    }

    /// Adds a line, which ends with a newline.
    pub fn push(&mut self, line: &[u8]) {
        let length = u16::try_from(line.len() - 1).expect("no frame is longer than 64 KiB");
        self.bytes.extend_from_slice(line);
        self.lengths.push(length);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn count(&self) -> usize {
        self.lengths.len()
    }

    /// Returns whether the lines have these senders, receivers and numbers.
    fn matches(&self, first_seq: u64, talks: &[SenderRun]) -> bool {
        let lines = self.bytes.split_inclusive(|&byte| byte == b'\n');
        let Ok(lines) = lines.map(LogLine::parse).collect::<Result<Vec<_>, _>>() else {
            return false;
        };
        let said = lines.iter().map(|line| (line.seq, &*line.from, &*line.to));
        let talks = talks
            .iter()
            .flat_map(|talk| iter::repeat_n(talk, talk.messages));
        let talks = (first_seq..).zip(talks);
        said.eq(talks.map(|(seq, talk)| (seq, &*talk.from, &*talk.to)))
    }
}

/// A chunk while its lines come: those that are recorded, or those of the log.
#[derive(Debug)]
pub struct ChunkBuilder {
    start: u64,
    bytes: usize,
    /// Of the first line.
    first_seq: Option<u64>,
    crc: crc32fast::Hasher,
    lengths: Vec<u16>,
    postings: Postings,
}

impl ChunkBuilder {
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
    pub fn end(&self) -> u64 {
        self.start + self.bytes as u64
    }

    /// Adds the lines of what is said in `talks`, from message `first_seq` on, and puts each chunk
    /// that has enough to `whole`. It need not look into them: who writes them knows what they say.
    pub fn add_batch(
        &mut self,
        lines: &LineBuffer,
        first_seq: u64,
        talks: &[SenderRun],
        whole: &mut Vec<Chunk>,
    ) {
        debug_assert!(lines.matches(first_seq, talks), "not what is in the lines");
        let mut rest = &lines.bytes[..];
        let (mut seq, mut lengths, mut taken) = (first_seq, lines.lengths.iter(), 0);
        for SenderRun { from, to, messages } in talks {
            let mut indices = None;
            for &length in lengths.by_ref().take(*messages) {
                let bytes = usize::from(length) + 1;
                if self.bytes + bytes > CHUNK {
                    self.crc.update(rest.split_off(..taken).unwrap_or_default());
                    let next = Self::new(self.end());
                    whole.push(std::mem::replace(self, next).finish());
                    indices = None;
                    taken = 0;
                }
                self.first_seq.get_or_insert(seq);
                let indices = indices.get_or_insert_with(|| self.postings.of(from, to));
                self.postings.post(indices, self.lengths.len());
                self.lengths.push(length);
                self.bytes += bytes;
                (seq, taken) = (seq + 1, taken + bytes);
            }
        }
        self.crc.update(rest);
    }

    /// Adds the lines that `bytes` begin with as long as they fit in, and returns how many bytes
    /// they have; at least one line where there was none.
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
            return Err(wrong_number(seq, expected));
        }
        self.lengths.push(length);
        Ok(())
    }

    fn finish(self) -> Chunk {
        Chunk {
            first_seq: self.first_seq.unwrap_or_default(),
            start: self.start,
            end: self.end(),
            crc: self.crc.finalize(),
            lengths: self.lengths,
            postings: self.postings.by_key,
        }
    }
}

const TOO_LONG: &str = "it is too long for a message";

fn wrong_number(seq: u64, expected: u64) -> String {
    format!("it has the number {seq} instead of {expected}")
}

/// The lines of a chunk by key, while they are gathered.
#[derive(Debug, Default)]
struct Postings {
    by_key: Vec<(ConversationKey, Vec<u16>)>,
    numbers: HashMap<ConversationKey, usize>,
    /// Which of `by_key` a line belongs to, by what stands in it from the sender's name to the
    /// receiver's, or by both names: they are folded once a chunk, not once a line.
    known: HashMap<Box<[u8]>, Indices, foldhash::fast::RandomState>,
}

/// A channel, or a pair and its two ends.
type Indices = SmallVec<[usize; 3]>;

impl Postings {
    /// Adds line `number` and returns its `seq`, or what is wrong with it.
    fn add(&mut self, line: &[u8], number: usize) -> Result<u64, String> {
        let recorded = as_recorded(line)
            .and_then(|(seq, rest)| Some((seq, &rest[..memmem::find(rest, TEXT)?])));
        let Some((seq, names)) = recorded else {
            // A message that another program has written, or a record that belongs to no
            // conversation.
            let line = LogLine::parse(line)?;
            if line.is_message() {
                let indices = self.indices_of(&line.from, &line.to);
                self.post(&indices, number);
            }
            return Ok(line.seq);
        };
        let indices = match self.known.get(names) {
            Some(indices) => indices.clone(),
            None => {
                let line = LogLine::parse(line)?;
                self.learn(names.into(), &line.from, &line.to)
            }
        };
        self.post(&indices, number);
        Ok(seq)
    }

    /// Where what one says to the other belongs.
    fn of(&mut self, from: &str, to: &str) -> Indices {
        // No name has a zero.
        let names = [from.as_bytes(), to.as_bytes()].join(&0);
        match self.known.get(&*names) {
            Some(indices) => indices.clone(),
            None => self.learn(names.into(), from, to),
        }
    }

    fn learn(&mut self, names: Box<[u8]>, from: &str, to: &str) -> Indices {
        let indices = self.indices_of(from, to);
        self.known.insert(names, indices.clone());
        indices
    }

    fn indices_of(&mut self, from: &str, to: &str) -> Indices {
        let keys = ConversationKey::of_message(from, to).into_iter();
        keys.map(|key| {
            *self.numbers.entry(key).or_insert_with_key(|key| {
                self.by_key.push((key.clone(), Vec::new()));
                self.by_key.len() - 1
            })
        })
        .collect()
    }

    fn post(&mut self, indices: &[usize], number: usize) {
        let number =
            u16::try_from(number).expect("a message takes more than four bytes of the chunk");
        for &index in indices {
            self.by_key[index].1.push(number);
        }
    }
}

/// The bytes between the names and the text of a line. A quote within a JSON string is
/// escaped, so what looks like the next key is the next key.
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
        // By names alone it is the same.
        assert_eq!(postings.of("y", "#TÉ"), postings.of(r#"a"b"#, "#té"));
        let of = |key| {
            let (_, posted) = postings
                .by_key
                .iter()
                .find(|(other, _)| *other == key)
                .unwrap();
            posted.clone()
        };
        assert_eq!(of(ConversationKey::channel("#té")), [0, 1, 2, 5, 6, 7]);
        assert_eq!(of(ConversationKey::channel("#téa")), [3]);
        assert_eq!(of(ConversationKey::user("zoe")), [4]);
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
            ConversationKey::of_message(from, to)
                .into_iter()
                .map(|key| key.0)
                .collect()
        };
        assert_eq!(keys("Zoe", "ANA"), ["ana zoe", "@zoe", "@ana"]);
        assert_eq!(keys("Ana", "Ana"), ["ana ana", "@ana"]);
        assert_eq!(keys("Ana", "#Té"), ["#té"]);
    }
}
