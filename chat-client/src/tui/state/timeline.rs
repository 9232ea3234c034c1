//! The lines of a conversation, in the order of the messages' numbers. Compact: a line takes some
//! dozen bytes and its text, and nothing is laid out before it is looked at.
//!
//! A line is named by its place, a number that stays the same when older lines are put before it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use chat_proto::Timestamp;

/// What a line takes besides its text, roughly.
const OVERHEAD: usize = 96;

/// The place of the first line that comes. Older ones count down from here, newer ones up.
const FIRST: u64 = 1 << 62;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// The number of the message, or of the last one before what is no message.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    pub what: LineKind,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// A message.
    Said {
        /// The sender.
        from: Arc<str>,
        /// What.
        text: Box<str>,
        /// It mentions the own nick.
        mention: bool,
    },
    /// An own line that was not recorded, or whose state is unknown.
    Failed(Box<FailedLine>),
    /// Joins, parts and renames in a row.
    Moved(Box<MembershipSummary>),
    /// Anything else, safe to show.
    Notice(Box<str>),
    /// An error, safe to show.
    Error(Box<str>),
    /// Messages between this number and the next message may be missing.
    Gap(u64),
}

/// A line that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedLine {
    /// The `id` of its request.
    pub id: String,
    /// The line.
    pub text: String,
    /// Why.
    pub reason: String,
}

/// A summary of joins, parts and renames in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembershipSummary {
    /// The one thing that happened, in whole words.
    pub only: String,
    /// Who came.
    pub joined: NameSample,
    /// Who left the channel or the server.
    pub left: NameSample,
    /// Who has another name.
    pub renamed: NameSample,
}

/// A count, with the first few names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameSample {
    /// How many.
    pub count: usize,
    /// A few of them.
    pub first: Vec<Arc<str>>,
}

impl NameSample {
    /// The names that are kept.
    const MOST: usize = 5;

    /// Adds a name.
    pub fn add(&mut self, nick: Arc<str>) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(nick);
        }
    }
}

impl TimelineLine {
    /// A message rather than something else.
    pub fn is_said(&self) -> bool {
        matches!(self.what, LineKind::Said { .. })
    }

    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        OVERHEAD
            + match &self.what {
                LineKind::Said { from, text, .. } => from.len() + text.len(),
                LineKind::Failed(failed) => failed.text.len() + failed.reason.len(),
                LineKind::Moved(moved) => {
                    let few = [&moved.joined, &moved.left, &moved.renamed];
                    let names = few.into_iter().flat_map(|few| &few.first);
                    moved.only.len() + 200 + names.map(|name| name.len()).sum::<usize>()
                }
                LineKind::Notice(text) | LineKind::Error(text) => text.len(),
                LineKind::Gap(_) => 0,
            }
    }
}

/// The lines.
#[derive(Debug)]
pub struct Timeline {
    lines: VecDeque<TimelineLine>,
    /// The place of the first.
    first: u64,
    bytes: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            first: FIRST,
            bytes: 0,
        }
    }
}

impl Timeline {
    /// The places of all lines.
    pub fn places(&self) -> Range<u64> {
        self.first..self.first + self.lines.len() as u64
    }

    /// About how much memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line at a place.
    pub fn get(&self, place: u64) -> Option<&TimelineLine> {
        let index = usize::try_from(place.checked_sub(self.first)?).ok()?;
        self.lines.get(index)
    }

    /// The last line.
    pub fn last(&self) -> Option<&TimelineLine> {
        self.lines.back()
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &TimelineLine)> {
        let first = self.first;
        let placed = move |(index, line)| (first + index as u64, line);
        self.lines.iter().enumerate().map(placed)
    }

    /// The number of the first message.
    pub fn first_said(&self) -> Option<u64> {
        self.lines
            .iter()
            .find(|line| line.is_said())
            .map(|line| line.seq)
    }

    /// The number of the last message, or of the last one before what comes last.
    pub fn last_seq(&self) -> u64 {
        self.lines.back().map_or(0, |line| line.seq)
    }

    /// Returns the number of the last message before the message `seq`.
    pub fn said_before(&self, seq: u64) -> Option<u64> {
        let before = self.lines.partition_point(|line| line.seq < seq);
        let mut lines = self.lines.range(..before).rev();
        lines.find(|line| line.is_said()).map(|line| line.seq)
    }

    /// Returns the place of the gap behind the message `after`.
    pub fn gap(&self, after: u64) -> Option<u64> {
        let is_it = |line: &TimelineLine| line.what == LineKind::Gap(after);
        self.iter()
            .rev()
            .find_map(|(place, line)| is_it(line).then_some(place))
    }

    /// Returns the number of the first message from a place on.
    pub fn first_said_from(&self, place: u64) -> Option<u64> {
        let mut lines = self.lines.range(self.index(place)..);
        lines.find(|line| line.is_said()).map(|line| line.seq)
    }

    /// The messages from a place on.
    pub fn said_from(&self, place: u64) -> usize {
        let index = self.index(place);
        self.lines
            .range(index..)
            .filter(|line| line.is_said())
            .count()
    }

    /// The first place whose line has a higher number than `seq`.
    pub fn behind(&self, seq: u64) -> u64 {
        self.first + self.lines.partition_point(|line| line.seq <= seq) as u64
    }

    /// Whether the message of that number is here.
    pub fn has(&self, seq: u64) -> bool {
        let behind = self.index(self.behind(seq));
        let same = self.lines.range(..behind).rev();
        same.take_while(|line| line.seq == seq)
            .any(TimelineLine::is_said)
    }

    /// Puts a line behind all those with its number or a lower one; a message that is here is not
    /// put in again. The place, if it was put in.
    pub fn put(&mut self, line: TimelineLine) -> Option<u64> {
        if line.is_said() && self.has(line.seq) {
            return None;
        }
        self.bytes += line.bytes();
        let last = self.last_seq();
        let place = if last < line.seq || last == line.seq && !line.is_said() {
            self.places().end
        } else if line.is_said() {
            // What was said stands before what happened after it.
            self.first + self.lines.partition_point(|other| other.seq < line.seq) as u64
        } else {
            self.behind(line.seq)
        };
        if place == self.first && !self.lines.is_empty() {
            self.first -= 1;
            self.lines.push_front(line);
            return Some(self.first);
        }
        self.lines.insert(self.index(place), line);
        Some(place)
    }

    /// Takes a line out.
    pub fn remove(&mut self, place: u64) -> Option<TimelineLine> {
        let line = self.lines.remove(self.index(place))?;
        self.bytes -= line.bytes();
        Some(line)
    }

    /// The history ends with that number now: what was behind it stands before what comes.
    pub fn end_with(&mut self, last: u64) {
        for line in &mut self.lines {
            line.seq = line.seq.min(last);
        }
    }

    /// Takes the first line out; the others stay where they are.
    pub fn drop_first(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.bytes();
            self.first += 1;
        }
    }

    /// The last line, to be changed by what belongs to it.
    pub fn change_last(&mut self, change: impl FnOnce(&mut TimelineLine)) {
        if let Some(line) = self.lines.back_mut() {
            self.bytes -= line.bytes();
            change(line);
            self.bytes += line.bytes();
        }
    }

    fn index(&self, place: u64) -> usize {
        let index = usize::try_from(place.saturating_sub(self.first)).unwrap_or(usize::MAX);
        index.min(self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seq: u64) -> TimelineLine {
        let what = LineKind::Said {
            from: "ana".into(),
            text: "hola".into(),
            mention: false,
        };
        line(seq, what)
    }

    fn line(seq: u64, what: LineKind) -> TimelineLine {
        let time = Timestamp::from_millis(0);
        TimelineLine { seq, time, what }
    }

    fn seqs(lines: &Timeline) -> Vec<(u64, bool)> {
        lines
            .iter()
            .map(|(_, line)| (line.seq, line.is_said()))
            .collect()
    }

    #[test]
    fn lines_stand_in_the_order_of_their_numbers() {
        let mut lines = Timeline::default();
        assert_eq!(lines.put(said(5)), Some(FIRST));
        assert_eq!(lines.put(line(5, LineKind::Gap(5))), Some(FIRST + 1));
        assert_eq!(lines.put(said(9)), Some(FIRST + 2));
        assert_eq!(lines.put(said(7)), Some(FIRST + 2));
        assert_eq!(lines.put(said(3)), Some(FIRST - 1));
        assert_eq!(lines.put(line(4, LineKind::Gap(4))), Some(FIRST));
        for seq in [3, 5, 7, 9] {
            assert_eq!(lines.put(said(seq)), None, "{seq} is here");
        }
        let want = [
            (3, true),
            (4, false),
            (5, true),
            (5, false),
            (7, true),
            (9, true),
        ];
        assert_eq!(seqs(&lines), want);
        assert_eq!((lines.first_said(), lines.last_seq()), (Some(3), 9));
        assert!(lines.has(5) && !lines.has(4));
    }

    #[test]
    fn a_place_outlives_older_lines() {
        let mut lines = Timeline::default();
        let place = lines.put(said(100)).unwrap();
        for seq in (1..100).rev() {
            lines.put(said(seq));
        }
        assert_eq!(lines.get(place).unwrap().seq, 100);
        let before = lines.bytes();
        lines.drop_first();
        assert_eq!(
            (lines.get(place).unwrap().seq, lines.first_said()),
            (100, Some(2))
        );
        assert_eq!(lines.bytes(), before - OVERHEAD - "ana".len() - 4);
        assert_eq!(lines.said_from(place), 1);
        while !lines.is_empty() {
            lines.drop_first();
        }
        assert_eq!(lines.bytes(), 0);
    }
}
