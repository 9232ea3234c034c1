//! A conversation: a channel, or the direct messages with one user.

use chat_proto::name::fold;
use chat_proto::{LOBBY, Timestamp};

use super::members::MemberList;
use super::timeline::{FailedLine, LineKind, Timeline, TimelineLine};
use crate::text::escape::lines;

/// An own line that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentLine {
    /// The `id` of its request.
    pub id: String,
    /// The line.
    pub text: String,
}

/// The visible part of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrollPosition {
    /// The end, whatever comes.
    End,
    /// What stands above and at this spot.
    At(Anchor),
}

/// The lowest row that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The place of the line.
    pub place: u64,
    /// How many of its rows are below.
    pub hidden: usize,
}

/// Whether there is more before the first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Perhaps.
    Unknown,
    /// There is.
    More,
    /// There is not.
    Nothing,
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// Before the first line.
    Top,
    /// Into the gap behind the message of that number.
    Gap(u64),
}

/// A conversation.
#[derive(Debug)]
pub struct ConversationState {
    /// A channel or a nick.
    pub to: String,
    folded: String,
    /// What was said, and what happened.
    pub lines: Timeline,
    /// Own lines that are not recorded yet.
    pub waiting: Vec<UnsentLine>,
    /// Unread messages.
    pub unread: usize,
    /// Unread mentions and direct messages.
    pub mentions: usize,
    /// The last message seen when the conversation was left.
    pub left_at: Option<u64>,
    /// The visible part of a conversation.
    pub view: ScrollPosition,
    /// Whether there is more before the first line.
    pub older: Older,
    /// The page that is on its way.
    pub fetching: Option<Fetch>,
    /// The gap for which the server had no page on this connection.
    pub refused: Option<u64>,
    /// The members.
    pub people: MemberList,
    /// What was typed and not sent.
    pub draft: String,
    /// The topic of a channel; empty if there is none.
    pub topic: String,
    /// It triggers no notification.
    pub muted: bool,
    /// Where the last search ended.
    found: Option<u64>,
}

impl ConversationState {
    /// A conversation of which nothing is known yet.
    pub fn new(to: &str) -> Self {
        Self {
            to: to.to_owned(),
            folded: fold(to).into_owned(),
            lines: Timeline::default(),
            waiting: Vec::new(),
            unread: 0,
            mentions: 0,
            left_at: None,
            view: ScrollPosition::End,
            older: Older::Unknown,
            fetching: None,
            refused: None,
            people: MemberList::default(),
            draft: String::new(),
            topic: String::new(),
            muted: false,
            found: None,
        }
    }

    /// Whether that is its name.
    pub fn is(&self, name: &str) -> bool {
        self.folded == *fold(name)
    }

    /// A channel rather than a person.
    pub fn is_channel(&self) -> bool {
        self.to.starts_with('#')
    }

    /// Returns the sort order: the lobby, channels, direct conversations.
    pub fn rank(&self) -> u8 {
        match () {
            () if self.to == LOBBY => 0,
            () if self.is_channel() => 1,
            () => 2,
        }
    }

    /// The other end has another name.
    pub fn rename(&mut self, to: &str) {
        to.clone_into(&mut self.to);
        self.folded = fold(to).into_owned();
    }

    /// Puts a line where it belongs; what is looked at stays. Whether it was put in.
    pub fn put(&mut self, line: TimelineLine) -> bool {
        let Some(place) = self.lines.put(line) else {
            return false;
        };
        if let ScrollPosition::At(spot) = &mut self.view
            && place <= spot.place
            && place != self.lines.places().start
        {
            spot.place += 1;
        }
        true
    }

    /// A notice, an error or a gap, behind the last message there is.
    pub fn remark(&mut self, what: LineKind, seq: u64, time: Timestamp) {
        let seq = seq.max(self.lines.last_seq());
        self.put(TimelineLine { seq, time, what });
    }

    /// The history ends with the message of that number now, and goes on with the next one,
    /// whatever was behind it before.
    pub fn end_with(&mut self, last: u64) {
        self.lines.end_with(last);
        self.left_at = self.left_at.filter(|left_at| *left_at <= last);
        if last == 0 {
            self.older = Older::Nothing;
        }
    }

    /// How many messages are below what is looked at.
    pub fn below(&self) -> usize {
        match self.view {
            ScrollPosition::End => 0,
            ScrollPosition::At(spot) => self.lines.said_from(spot.place + 1) + self.waiting.len(),
        }
    }

    /// Removes a waiting line that is recorded.
    pub fn recorded(&mut self, id: &str) -> Option<UnsentLine> {
        let index = self.waiting.iter().position(|waiting| waiting.id == id)?;
        Some(self.waiting.remove(index))
    }

    /// Marks a waiting line as failed; returns whether there is one.
    pub fn failed(&mut self, id: &str, reason: &str, seq: u64, time: Timestamp) -> bool {
        let Some(UnsentLine { id, text }) = self.recorded(id) else {
            return false;
        };
        let reason = lines(reason);
        let failed = FailedLine { id, text, reason };
        self.remark(LineKind::Failed(Box::new(failed)), seq, time);
        true
    }

    /// Takes the last line that failed, to be sent again.
    pub fn take_failed(&mut self) -> Option<FailedLine> {
        let is_failed = |(_, line): &(u64, &TimelineLine)| matches!(line.what, LineKind::Failed(_));
        let (place, _) = self.lines.iter().rfind(is_failed)?;
        match self.remove(place)?.what {
            LineKind::Failed(failed) => Some(*failed),
            _ => None,
        }
    }

    /// The next search begins with what is looked at.
    pub fn search_anew(&mut self) {
        self.found = None;
    }

    /// The place of the next message above the last one found that has `wanted`; if none was found,
    /// from what is looked at on.
    pub fn search(&mut self, wanted: &str) -> Option<u64> {
        let from = self.found.unwrap_or(match self.view {
            ScrollPosition::End => self.lines.places().end,
            ScrollPosition::At(spot) => spot.place + 1,
        });
        let is_it = |line: &TimelineLine| matches!(&line.what, LineKind::Said { text, .. } if matches(text, wanted));
        let mut above = self
            .lines
            .iter()
            .rev()
            .skip_while(|(place, _)| *place >= from);
        let found = above.find_map(|(place, line)| is_it(line).then_some(place));
        self.found = found.or(self.found);
        found
    }

    /// Takes a line out; what is looked at stays.
    pub fn remove(&mut self, place: u64) -> Option<TimelineLine> {
        let line = self.lines.remove(place)?;
        if let ScrollPosition::At(spot) = &mut self.view
            && place <= spot.place
        {
            spot.place = spot.place.saturating_sub(1).max(self.lines.places().start);
            spot.hidden = 0;
        }
        Some(line)
    }
}

/// Whether a text has what is searched for, which is folded.
pub fn matches(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(wanted)
}
