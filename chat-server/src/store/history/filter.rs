//! Which lines of the log belong to a page or to what somebody missed.

use std::sync::Arc;

use chat_proto::name::fold;

use crate::chat::effect::{Conversation, NickTenure, Replay};
use crate::error::HistoryError;
use crate::store::index::{Covered, Index, Key};
use crate::store::log::{Entry, First, Line, Lines, Log, Place};

/// The messages that somebody may see and asks for.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Wanted {
    /// Messages to these channels, folded.
    pub channels: Vec<Arc<str>>,
    /// Direct messages from or to somebody while the nick was theirs,
    pub held: Vec<NickTenure>,
    /// if the other end is this one, or whoever it is.
    pub other: Option<Arc<str>>,
    /// Only numbers between these two, which are not among them.
    pub after: u64,
    pub before: u64,
}

impl Wanted {
    pub(in crate::store) fn conversation(
        conversation: &Conversation,
        after: u64,
        before: u64,
    ) -> Self {
        let wanted = Self {
            after,
            before,
            ..Self::default()
        };
        match conversation {
            Conversation::Channel(channel) => Self {
                channels: vec![channel.clone()],
                ..wanted
            },
            Conversation::Direct { held, other } => Self {
                held: held.clone(),
                other: Some(other.clone()),
                ..wanted
            },
        }
    }

    pub(in crate::store) fn missed(replay: &Replay, before: u64) -> Self {
        let Replay {
            channels,
            held,
            after,
            ..
        } = replay;
        Self {
            channels: channels.clone(),
            held: held.clone(),
            other: None,
            after: *after,
            before,
        }
    }

    /// The line at `place`, if it is one of them.
    pub(in crate::store) fn read(&self, log: &Log, place: &Place) -> Result<Vec<u8>, HistoryError> {
        let bytes = log.line(place)?;
        let line = Line::parse(&bytes).map_err(|what| log.damaged(place.offset, what))?;
        if line.seq != place.seq || !self.has(&line) {
            let what = "it is not the message that it was; a changed history needs a new start of the server";
            return Err(log.damaged(place.offset, what));
        }
        Ok(bytes)
    }

    fn has(&self, line: &Line<'_>) -> bool {
        if !line.is_message() {
            return false;
        }
        if line.to.starts_with('#') {
            let channel = fold(&line.to);
            return self.channels.iter().any(|wanted| **wanted == *channel);
        }
        if self.held.is_empty() {
            return false;
        }
        let (from, to) = (fold(&line.from), fold(&line.to));
        let other_is = |end: &str| self.other.as_deref().is_none_or(|other| other == end);
        self.held.iter().any(|held| {
            line.seq > held.since
                && line.seq <= held.until
                && ((*held.nick == *from && other_is(&to))
                    || (*held.nick == *to && other_is(&from)))
        })
    }

    /// The places of at most `max` of the wanted lines before `end`, in order, and whether there are more.
    pub(in crate::store) fn select(
        &self,
        log: &Log,
        index: Option<&Index>,
        end: u64,
        first: First,
        max: usize,
    ) -> Result<(Vec<Place>, bool), HistoryError> {
        // One more than there may be tells whether there are more.
        let enough = max + 1;
        let covered = index.map_or(Ok(Covered::default()), Index::covered)?;
        let mut places = Vec::new();
        if first == First::Newest {
            self.scan(log, covered, end, first, enough, &mut places)?;
        }
        if let Some(index) = index {
            self.look_up(index, covered.last_seq, first, enough, &mut places)?;
        }
        if first == First::Oldest {
            self.scan(log, covered, end, first, enough, &mut places)?;
        }
        let more = places.len() > max;
        places.truncate(max);
        if first == First::Newest {
            places.reverse();
        }
        Ok((places, more))
    }

    /// Adds what the index knows until there are `enough`.
    fn look_up(
        &self,
        index: &Index,
        last_seq: u64,
        first: First,
        enough: usize,
        places: &mut Vec<Place>,
    ) -> Result<(), HistoryError> {
        let missing = enough.saturating_sub(places.len());
        let before = self.before.min(last_seq + 1);
        let mut found = Vec::new();
        let mut add = |key: &Key, after: u64, before: u64| {
            found.extend(index.places(key, after, before, first, missing)?);
            Ok::<_, HistoryError>(())
        };
        for channel in &self.channels {
            add(&Key::channel(channel), self.after, before)?;
        }
        for NickTenure { nick, since, until } in &self.held {
            let key = match &self.other {
                Some(other) => Key::pair(nick, other),
                None => Key::person(nick),
            };
            let before = before.min(until.saturating_add(1));
            add(&key, self.after.max(*since), before)?;
        }
        found.sort_unstable_by_key(|place| match first {
            First::Newest => u64::MAX - place.seq,
            First::Oldest => place.seq,
        });
        // A word between two nicks that somebody held both is found twice.
        found.dedup();
        found.truncate(missing);
        places.append(&mut found);
        Ok(())
    }

    /// Adds what stands behind the part that is covered until there are `enough`.
    fn scan(
        &self,
        log: &Log,
        covered: Covered,
        end: u64,
        first: First,
        enough: usize,
        places: &mut Vec<Place>,
    ) -> Result<(), HistoryError> {
        if self.before <= covered.last_seq + 1 || self.is_empty() || places.len() >= enough {
            return Ok(());
        }
        match first {
            First::Newest => {
                let end = log.locate(self.before, covered.end, end)?;
                self.gather(log.backward(covered.end, end), enough, places)
            }
            First::Oldest => {
                let start = log.locate(self.after.saturating_add(1), covered.end, end)?;
                self.gather(log.forward(start, end), enough, places)
            }
        }
    }

    /// Adds the wanted ones of `lines`, which begin within the range, until they leave it or there are
    /// `enough`.
    fn gather(
        &self,
        mut lines: impl Lines,
        enough: usize,
        places: &mut Vec<Place>,
    ) -> Result<(), HistoryError> {
        while places.len() < enough
            && let Some(Entry { place, line, .. }) = lines.next_line()?
            && self.after < place.seq
            && place.seq < self.before
        {
            if self.has(&line) {
                places.push(place);
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.after.saturating_add(1) >= self.before
    }
}
