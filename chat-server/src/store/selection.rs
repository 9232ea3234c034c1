//! Which lines of the log belong to a page or to what somebody missed.

use std::sync::Arc;

use chat_proto::name::fold;

use super::log::{Line, Log, Place};
use crate::chat::batch::{Conversation, Held, Replay};
use crate::error::HistoryError;

/// The messages that somebody may see and asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Messages to these channels, folded.
    pub channels: Vec<Arc<str>>,
    /// Direct messages from or to somebody while the nick was theirs,
    pub held: Vec<Held>,
    /// if the other end is this one, or whoever it is.
    pub other: Option<Arc<str>>,
    /// Only numbers between these two, which are not among them.
    pub after: u64,
    pub before: u64,
}

/// Which end to begin at, where not all is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Newest,
    Oldest,
}

impl Wanted {
    pub(super) fn conversation(conversation: &Conversation, after: u64, before: u64) -> Self {
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

    pub(super) fn missed(replay: &Replay, before: u64) -> Self {
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

    fn has(&self, line: &Line<'_>) -> bool {
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
    pub(super) fn select(
        &self,
        log: &Log,
        end: u64,
        first: First,
        max: usize,
    ) -> Result<(Vec<Place>, bool), HistoryError> {
        if self.after.saturating_add(1) >= self.before {
            return Ok((Vec::new(), false));
        }
        let mut places = Vec::new();
        match first {
            First::Newest => {
                let end = log.locate(self.before, 0, end)?;
                let mut lines = log.backward(0, end);
                while let Some((place, bytes)) = lines.next_line()? {
                    if place.seq <= self.after || places.len() > max {
                        break;
                    }
                    if self.has(&parsed(log, place, bytes)?) {
                        places.push(place);
                    }
                }
            }
            First::Oldest => {
                let start = log.locate(self.after.saturating_add(1), 0, end)?;
                let mut lines = log.forward(start, end);
                while let Some((place, bytes)) = lines.next_line()? {
                    if place.seq >= self.before || places.len() > max {
                        break;
                    }
                    if self.has(&parsed(log, place, bytes)?) {
                        places.push(place);
                    }
                }
            }
        }
        let more = places.len() > max;
        places.truncate(max);
        if first == First::Newest {
            places.reverse();
        }
        Ok((places, more))
    }
}

fn parsed<'b>(log: &Log, place: Place, bytes: &'b [u8]) -> Result<Line<'b>, HistoryError> {
    Line::parse(bytes).map_err(|what| log.damaged(place.offset, what))
}
