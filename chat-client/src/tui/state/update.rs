//! Applies events of the Session to the state.

use chat_proto::mention::mentions;
use chat_proto::name::fold;
use chat_proto::{Event, LOBBY, Message, Timestamp};

use super::conversation::{ConversationState, Fetch, Older, ScrollPosition, UnsentLine};
use super::incoming::IncomingMessage;
use super::picker::Picker;
use super::timeline::{LineKind, TimelineLine};
use super::{ConnectionStatus, Mode, TuiState};
use crate::prompt::PromptKind;
use crate::text::escape::{lines, word};
use crate::text::wording::sentence;
use crate::tui::event::SessionEvent;
use crate::tui::request::AppRequest;

/// The prompt while the rest of a password is read that nothing waits for any more.
pub(in crate::tui) const DROPPED: &str = "Not sent (Enter): ";
/// The errors that are kept until a key is pressed.
const MAX_LAST_WORDS: usize = 20;

impl TuiState {
    /// Something happened, at that time of this machine's clock.
    pub fn apply(&mut self, event: SessionEvent, now: Timestamp) {
        if !matches!(
            event,
            SessionEvent::Busy(_) | SessionEvent::Asked { .. } | SessionEvent::Waiting { .. }
        ) {
            self.heard_at(now);
        }
        match event {
            SessionEvent::Busy(what) => self.busy = what.map(|what| word(&what)),
            SessionEvent::Asked { prompt, purpose } => self.ask(prompt, purpose),
            SessionEvent::Welcomed { .. } => self.welcomed(event, now),
            SessionEvent::Away => {
                self.connection = ConnectionStatus::Away;
                for conversation in &mut self.conversations {
                    // A page on its way is requested again with the next connection.
                    conversation.refused = None;
                }
            }
            SessionEvent::Heard => {}
            SessionEvent::Message { message, fresh } => self.message(&message, fresh),
            SessionEvent::Waiting { id, to, text } => self.waiting(id, &to, text),
            SessionEvent::Recorded { id, seq, time } => self.recorded(&id, seq, time),
            SessionEvent::Failed { id, reason } => self.failed(&id, &reason, now),
            SessionEvent::Presence(event) => self.presence(&event),
            SessionEvent::People {
                channel,
                nicks,
                total,
            } => self.people(&channel, nicks, total),
            SessionEvent::Page {
                with,
                messages,
                more,
            } => self.page(&with, &messages, more),
            SessionEvent::NoPage { with } => self.no_page(&with),
            SessionEvent::Gap {
                with,
                after,
                before,
            } => self.gap(with.as_deref(), after, before, now),
            SessionEvent::Notice { text, time } => {
                let newest = self.newest;
                self.here_mut()
                    .remark(LineKind::Notice(text.into()), newest, time);
            }
            SessionEvent::Topic { .. } => self.topic(event),
            SessionEvent::Error { code, detail } => self.error(&code, &detail, now),
            SessionEvent::Answered => self.answered(),
            SessionEvent::Here(to) => self.go_to(&to),
            SessionEvent::Parted(channel) => self.close(&channel),
            SessionEvent::Choose(people) => {
                if !matches!(self.mode, Mode::Asked(..)) {
                    self.mode = Mode::Choose(Picker::new(people));
                }
            }
        }
        // Notices and errors take memory too, and a server can send them without an end.
        self.forget();
    }

    fn heard_at(&mut self, now: Timestamp) {
        if self.connection == ConnectionStatus::Up {
            self.heard = Some(Timestamp::from_millis(now.as_millis() + self.ahead));
        }
    }

    fn people(&mut self, channel: &str, mut nicks: Vec<String>, total: usize) {
        if let Some(conversation) = self.find(channel) {
            conversation.set_people(&nicks, total);
        }
        if fold(channel) == LOBBY && std::mem::take(&mut self.arriving) {
            nicks.retain(|nick| fold(nick) != fold(&self.me));
            // A user who types already talks to everyone.
            if !nicks.is_empty() && self.mode == Mode::Talk && self.entry.is_empty() {
                self.mode = Mode::Choose(Picker::on_arrival(nicks));
            }
        }
    }

    pub(in crate::tui) fn ask(&mut self, prompt: String, purpose: PromptKind) {
        self.entry.set_purpose(purpose);
        self.mode = Mode::Asked(prompt, purpose);
    }

    /// The keyboard is for talking again. Where a password is half typed, its rest is read and
    /// dropped first.
    pub fn answered(&mut self) {
        let half =
            matches!(self.mode, Mode::Asked(_, PromptKind::Password)) && !self.entry.is_empty();
        if half {
            self.mode = Mode::Asked(DROPPED.to_owned(), PromptKind::Password);
        } else {
            self.talk();
        }
    }

    pub(in crate::tui) fn talk(&mut self) {
        self.mode = Mode::Talk;
        self.entry.set_purpose(PromptKind::Chat);
    }

    fn welcomed(&mut self, event: SessionEvent, now: Timestamp) {
        let SessionEvent::Welcomed {
            nick,
            joined,
            seen,
            last,
            clock,
            ..
        } = event
        else {
            return;
        };
        // Only the question for the password of the nick ends with it; another one is the user's.
        let first = self.connection == ConnectionStatus::New;
        if first || !matches!(self.mode, Mode::Asked(_, PromptKind::Password)) {
            self.answered();
        }
        self.ahead = clock.as_millis() - now.as_millis();
        self.heard = Some(clock);
        self.connection = ConnectionStatus::Up;
        self.last_words.clear();
        self.me = nick;
        // A history that was begun anew counts from 1 again, and one that lost its end from there.
        if !first && last < self.newest {
            for conversation in &mut self.conversations {
                conversation.end_with(last);
            }
        }
        self.newest = if first { last } else { self.newest.min(last) };
        // Those that there are come next.
        for conversation in &mut self.conversations {
            conversation.topic.clear();
        }
        for channel in joined {
            self.open(&channel);
            self.request(AppRequest::People(channel));
        }
        let unknown = self.choose_at_first && self.remembered.seen(&self.me).is_none();
        self.arriving = first && (self.choose_on_arrival || unknown);
        if first && seen < last {
            for conversation in &mut self.conversations {
                conversation.left_at = Some(seen);
            }
        }
        self.look_at_once();
    }

    fn message(&mut self, message: &Message<'static>, fresh: bool) {
        let mine = fold(&message.from) == fold(&self.me);
        let direct = !message.to.starts_with('#');
        let with = if direct && !mine {
            &message.from
        } else {
            &message.to
        };
        let index = self.open(with);
        let mention = !mine && !direct && mentions(&message.text, &self.me);
        if let Some(id) = message.id.as_deref().filter(|_| mine)
            && self.conversations[index].recorded(id).is_some()
        {
            self.said_elsewhere(index);
        }
        let looked_at = self.is_looked_at(index);
        let conversation = &mut self.conversations[index];
        let before = conversation.lines.last_seq();
        if !conversation.put(said(message, mention)) {
            return;
        }
        if !mine && !looked_at {
            conversation.left_at.get_or_insert(before);
            conversation.unread += 1;
            conversation.mentions += usize::from(mention || direct);
        }
        if !mine {
            let muted = conversation.muted;
            let seen = looked_at && self.focus == Some(true);
            self.arrived
                .push(IncomingMessage::new(message, fresh, muted, seen));
        }
        self.newest = self.newest.max(message.seq);
    }

    fn is_looked_at(&self, index: usize) -> bool {
        index == self.current
            && self.here().view == ScrollPosition::End
            && self.focus != Some(false)
    }

    fn waiting(&mut self, id: String, to: &str, text: String) {
        let index = self.open(to);
        let conversation = &mut self.conversations[index];
        conversation.waiting.push(UnsentLine { id, text });
        conversation.view = ScrollPosition::End;
    }

    /// The acknowledgement may come before the message itself, and may be all that comes.
    fn recorded(&mut self, id: &str, seq: u64, time: Timestamp) {
        let from = self.me.as_str();
        for (index, conversation) in self.conversations.iter_mut().enumerate() {
            if let Some(waiting) = conversation.recorded(id) {
                let what = LineKind::Said {
                    from: from.into(),
                    text: waiting.text.into(),
                    mention: false,
                };
                conversation.put(TimelineLine { seq, time, what });
                self.newest = self.newest.max(seq);
                return self.said_elsewhere(index);
            }
        }
    }

    /// Said where one looks too: it may be about what `/tell` said somewhere else.
    fn failed(&mut self, id: &str, reason: &str, now: Timestamp) {
        let newest = self.newest;
        let mut each = self.conversations.iter_mut();
        let failed = each.position(|other| other.failed(id, reason, newest, now));
        if let Some(index) = failed.filter(|index| *index != self.current) {
            let to = word(&self.conversations[index].to);
            let text = format!("not said to {to}: {}", lines(reason));
            self.here_mut()
                .remark(LineKind::Error(text.into()), newest, now);
        }
    }

    /// Nothing would seem to have happened where one looks at another conversation.
    fn said_elsewhere(&mut self, index: usize) {
        if index != self.current {
            let to = word(&self.conversations[index].to);
            self.hint = Some(format!("said to {to}"));
        }
    }

    fn presence(&mut self, event: &Event<'_>) {
        let newest = self.newest;
        let me = fold(&self.me).into_owned();
        match event {
            Event::Joined { channel, nick, .. } if *fold(nick) == *me => {
                let index = self.open(channel);
                if self.conversations[index].people.count() == 0 {
                    self.request(AppRequest::People(channel.clone().into_owned()));
                }
            }
            Event::Renamed { nick, to, .. } if *fold(nick) == *me => {
                self.me = to.clone().into_owned();
            }
            _ => {}
        }
        for conversation in &mut self.conversations {
            conversation.presence(event, newest);
        }
        if let Event::Renamed { nick, to, .. } = event
            && self.find(to).is_none()
            && let Some(conversation) = self.find(nick)
        {
            conversation.rename(to);
        }
    }

    fn page(&mut self, with: &str, messages: &[Message<'static>], more: bool) {
        let me = self.me.clone();
        let Some(conversation) = self.find(with) else {
            return;
        };
        let oldest = messages.first().map(|message| message.seq);
        for message in messages.iter().rev() {
            let other = fold(&message.from) != fold(&me) && message.to.starts_with('#');
            let mention = other && mentions(&message.text, &me);
            conversation.put(said(message, mention));
        }
        match conversation.fetching.take() {
            Some(Fetch::Top) => {
                conversation.older = if more { Older::More } else { Older::Nothing };
            }
            Some(Fetch::Gap(after)) if !more || oldest.is_none_or(|oldest| oldest <= after + 1) => {
                let gap = conversation.lines.gap(after);
                gap.map(|place| conversation.remove(place));
            }
            Some(Fetch::Gap(_)) | None => {}
        }
        let last = conversation.lines.last_seq();
        self.newest = self.newest.max(last);
        self.look_at_once();
    }

    /// The server had no page.
    fn no_page(&mut self, with: &str) {
        let Some(conversation) = self.find(with) else {
            return;
        };
        if let Some(Fetch::Gap(after)) = conversation.fetching.take() {
            conversation.refused = Some(after);
        }
        if conversation.older == Older::Unknown {
            conversation.older = Older::Nothing;
        }
    }

    /// Marks where messages may be missing: between the last message that was here and the first
    /// one that came again. Without an older message the top of the conversation leads there.
    fn gap(&mut self, with: Option<&str>, after: u64, before: Option<u64>, now: Timestamp) {
        let concerned = |other: &&mut ConversationState| with.is_none_or(|with| other.is(with));
        for conversation in self.conversations.iter_mut().filter(concerned) {
            if let Some(place) = conversation.lines.gap(after) {
                conversation.remove(place);
            }
            // An own message may be acknowledged, and its number unseen otherwise.
            let last = conversation.lines.said_before(before.unwrap_or(after + 1));
            match last {
                Some(last) => {
                    conversation.put(TimelineLine {
                        seq: last.max(after),
                        time: now,
                        what: LineKind::Gap(after),
                    });
                }
                None if conversation.older == Older::Nothing => conversation.older = Older::More,
                None => {}
            }
        }
    }

    /// Said in the channel itself, if one is in it.
    fn topic(&mut self, event: SessionEvent) {
        let SessionEvent::Topic {
            channel,
            topic,
            text,
            time,
        } = event
        else {
            return;
        };
        let newest = self.newest;
        let conversation = match self.find(&channel) {
            Some(conversation) => {
                conversation.topic = topic;
                conversation
            }
            None => self.here_mut(),
        };
        conversation.remark(LineKind::Notice(text.into()), newest, time);
    }

    fn error(&mut self, code: &str, detail: &str, now: Timestamp) {
        let text = lines(&sentence(code, detail, &self.theme.zone));
        if self.last_words.len() == MAX_LAST_WORDS {
            self.last_words.remove(0);
        }
        self.last_words.push(format!("! {text}"));
        let newest = self.newest;
        if self.connection != ConnectionStatus::New {
            self.here_mut()
                .remark(LineKind::Error(text.into()), newest, now);
        }
    }
}

fn said(message: &Message<'_>, mention: bool) -> TimelineLine {
    TimelineLine {
        seq: message.seq,
        time: message.time,
        what: LineKind::Said {
            from: message.from.as_ref().into(),
            text: message.text.as_ref().into(),
            mention,
        },
    }
}
