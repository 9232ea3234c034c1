//! Selects the lines of the log that belong to a page or a replay.

use std::sync::Arc;

use chat_proto::name::fold;

use crate::chat::effect::{Conversation, NickTenure, Replay};
use crate::error::HistoryError;
use crate::store::index::{ConversationKey, Index, IndexedUpTo};
use crate::store::log::{Direction, LinePosition, Log, LogEntry, LogLine, ReadLine};

/// Selects messages by channel, direct-message tenure and number.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct MessageFilter {
    /// Messages to these channels, folded.
    pub channels: Vec<Arc<str>>,
    /// Direct messages from or to a nick during these tenures.
    pub tenures: Vec<NickTenure>,
    /// The other end of the direct messages; `None` selects all.
    pub other: Option<Arc<str>>,
    /// Only numbers between these two, which are not among them.
    pub after: u64,
    pub before: u64,
}

impl MessageFilter {
    pub(in crate::store) fn conversation(
        conversation: &Conversation,
        after: u64,
        before: u64,
    ) -> Self {
        let filter = Self {
            after,
            before,
            ..Self::default()
        };
        match conversation {
            Conversation::Channel(channel) => Self {
                channels: vec![channel.clone()],
                ..filter
            },
            Conversation::Direct {
                held: tenures,
                other,
            } => Self {
                tenures: tenures.clone(),
                other: Some(other.clone()),
                ..filter
            },
        }
    }

    pub(in crate::store) fn missed(replay: &Replay, before: u64) -> Self {
        let Replay {
            channels,
            held: tenures,
            after,
            ..
        } = replay;
        Self {
            channels: channels.clone(),
            tenures: tenures.clone(),
            other: None,
            after: *after,
            before,
        }
    }

    /// Reads the line at `position`. A line that the filter does not match is an error.
    pub(in crate::store) fn read(
        &self,
        log: &Log,
        position: &LinePosition,
    ) -> Result<Vec<u8>, HistoryError> {
        let bytes = log.line(position)?;
        let line = LogLine::parse(&bytes).map_err(|what| log.damaged(position.offset, what))?;
        if line.seq != position.seq || !self.matches(&line) {
            let what = "it is not the message that it was; a changed history needs a new start of the server";
            return Err(log.damaged(position.offset, what));
        }
        Ok(bytes)
    }

    fn matches(&self, line: &LogLine<'_>) -> bool {
        if !line.is_message() {
            return false;
        }
        if line.to.starts_with('#') {
            let channel = fold(&line.to);
            return self.channels.iter().any(|filter| **filter == *channel);
        }
        if self.tenures.is_empty() {
            return false;
        }
        let (from, to) = (fold(&line.from), fold(&line.to));
        let other_is = |end: &str| self.other.as_deref().is_none_or(|other| other == end);
        self.tenures.iter().any(|tenures| {
            line.seq > tenures.since
                && line.seq <= tenures.until
                && ((*tenures.nick == *from && other_is(&to))
                    || (*tenures.nick == *to && other_is(&from)))
        })
    }

    /// Returns the positions of at most `max` matching lines before `end`, in order, and whether
    /// more exist.
    pub(in crate::store) fn select(
        &self,
        log: &Log,
        index: Option<&Index>,
        end: u64,
        direction: Direction,
        max: usize,
    ) -> Result<(Vec<LinePosition>, bool), HistoryError> {
        // One more than there may be tells whether there are more.
        let enough = max + 1;
        let indexed_up_to = index.map_or(Ok(IndexedUpTo::default()), Index::indexed_up_to)?;
        let mut positions = Vec::new();
        if direction == Direction::NewestFirst {
            self.scan(log, indexed_up_to, end, direction, enough, &mut positions)?;
        }
        if let Some(index) = index {
            self.look_up(
                index,
                indexed_up_to.last_seq,
                direction,
                enough,
                &mut positions,
            )?;
        }
        if direction == Direction::OldestFirst {
            self.scan(log, indexed_up_to, end, direction, enough, &mut positions)?;
        }
        let more = positions.len() > max;
        positions.truncate(max);
        if direction == Direction::NewestFirst {
            positions.reverse();
        }
        Ok((positions, more))
    }

    /// Adds positions from the index until there are `enough`.
    fn look_up(
        &self,
        index: &Index,
        last_seq: u64,
        direction: Direction,
        enough: usize,
        positions: &mut Vec<LinePosition>,
    ) -> Result<(), HistoryError> {
        let missing = enough.saturating_sub(positions.len());
        let before = self.before.min(last_seq + 1);
        let mut found = Vec::new();
        let mut add = |key: &ConversationKey, after: u64, before: u64| {
            found.extend(index.positions(key, after, before, direction, missing)?);
            Ok::<_, HistoryError>(())
        };
        for channel in &self.channels {
            add(&ConversationKey::channel(channel), self.after, before)?;
        }
        for NickTenure { nick, since, until } in &self.tenures {
            let key = match &self.other {
                Some(other) => ConversationKey::pair(nick, other),
                None => ConversationKey::user(nick),
            };
            let before = before.min(until.saturating_add(1));
            add(&key, self.after.max(*since), before)?;
        }
        found.sort_unstable_by_key(|position| match direction {
            Direction::NewestFirst => u64::MAX - position.seq,
            Direction::OldestFirst => position.seq,
        });
        // A message between two nicks of one user is found twice.
        found.dedup();
        found.truncate(missing);
        positions.append(&mut found);
        Ok(())
    }

    /// Adds positions from the part that is not indexed until there are `enough`.
    fn scan(
        &self,
        log: &Log,
        indexed_up_to: IndexedUpTo,
        end: u64,
        direction: Direction,
        enough: usize,
        positions: &mut Vec<LinePosition>,
    ) -> Result<(), HistoryError> {
        if self.before <= indexed_up_to.last_seq + 1 || self.is_empty() || positions.len() >= enough
        {
            return Ok(());
        }
        match direction {
            Direction::NewestFirst => {
                let end = log.locate(self.before, indexed_up_to.end, end)?;
                self.gather(log.backward(indexed_up_to.end, end), enough, positions)
            }
            Direction::OldestFirst => {
                let start = log.locate(self.after.saturating_add(1), indexed_up_to.end, end)?;
                self.gather(log.forward(start, end), enough, positions)
            }
        }
    }

    /// Adds matching lines until `lines` leave the range or there are `enough`.
    fn gather(
        &self,
        mut lines: impl ReadLine,
        enough: usize,
        positions: &mut Vec<LinePosition>,
    ) -> Result<(), HistoryError> {
        while positions.len() < enough
            && let Some(LogEntry { position, line, .. }) = lines.next_line()?
            && self.after < position.seq
            && position.seq < self.before
        {
            if self.matches(&line) {
                positions.push(position);
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.after.saturating_add(1) >= self.before
    }
}
