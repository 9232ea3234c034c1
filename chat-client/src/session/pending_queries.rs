//! Queries whose answers come in pages: users, history, bans.

use std::collections::VecDeque;

use actix::Context;
use chat_proto::moderation::BanInfo;
use chat_proto::name::fold;
use chat_proto::{
    Channel, HistoryQuery, MAX_FRAME_BYTES, MAX_PAGE, Message, Nick, Record, Request, Secret, Text,
    UsersQuery,
};

use super::pending_requests::CompletionRule;
use super::replay::size;
use super::{Asked, Session};
use crate::prompt::PromptKind;
use crate::text::escape::word;
use crate::text::format;
use crate::tui::event::SessionEvent;

/// The approximate memory limit of a list of users or bans.
pub(super) const MAX_LIST_BYTES: usize = 32 * 1024 * 1024;

/// The requests that may wait for an answer because of what the server sends.
const MAX_QUESTIONS: usize = 1024;

/// Bounds what is gathered page by page: a server can say without an end that there is more.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageBudget {
    bytes: usize,
    most: usize,
}

impl PageBudget {
    /// Returns a bound of about `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { bytes: 0, most }
    }

    /// Counts the parts of a page; returns whether they are within the bound.
    pub(super) fn takes(&mut self, sizes: impl Iterator<Item = usize>) -> bool {
        self.bytes += sizes.sum::<usize>();
        self.bytes <= self.most
    }
}

/// A query, until its answer is complete.
#[derive(Debug)]
pub(super) enum PendingQuery {
    /// Who is there.
    Users {
        channel: Channel,
        nicks: Vec<String>,
        gathered: PageBudget,
        purpose: ListPurpose,
    },
    /// Whether there is such a channel, which is entered then.
    Exists { channel: Channel },
    /// What was said, gathered page by page, oldest first.
    History {
        with: String,
        wanted: u16,
        messages: VecDeque<Message<'static>>,
        gathered: PageBudget,
    },
    /// A page for the full screen, scrolled up.
    Older { with: String },
    /// What was said in a channel while one was away.
    Missed { with: String },
    /// Which channels there are.
    Channels,
    /// What a channel is about.
    Topic { channel: Channel },
    /// Which bans there are, gathered page by page.
    Bans {
        channel: Option<Channel>,
        bans: Vec<BanInfo<'static>>,
        gathered: PageBudget,
    },
    /// Whether the account is as one wishes; its password from then on.
    Account { keep: Option<Secret<'static>> },
    /// Whether one may enter a channel, and where one was before.
    Join { channel: Channel, before: Channel },
}

/// The purpose of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListPurpose {
    /// To be shown.
    Show,
    /// To choose one of them.
    Choose,
    /// To choose one of them on arrival, or everyone.
    Arrive,
    /// To complete their names.
    Learn,
}

impl Session {
    /// Asks who is in a channel; the answer goes with the purpose. A list for completion is not
    /// requested while a request for it is open.
    pub(super) fn list(&mut self, channel: Channel, purpose: ListPurpose) {
        let wanted = &channel;
        let is_it = |question: &PendingQuery| match question {
            PendingQuery::Users {
                channel, purpose, ..
            } => *purpose == ListPurpose::Learn && channel == wanted,
            _ => false,
        };
        let open = self.queries.iter().any(|(_, question)| is_it(question));
        // The server has a say in how often names are learned, so that is bounded.
        if purpose != ListPurpose::Learn || !open && self.queries.len() < MAX_QUESTIONS {
            self.ask_users(
                channel,
                Vec::new(),
                PageBudget::new(MAX_LIST_BYTES),
                purpose,
            );
        }
    }

    /// A question is given up: the server ended each connection instead of an answer.
    pub(super) fn not_answered(&mut self, id: &str) {
        let position = self.queries.iter().position(|(known, _)| known == id);
        let Some((_, question)) = position.and_then(|position| self.queries.remove(position))
        else {
            return;
        };
        let what = match question {
            PendingQuery::Users {
                purpose: ListPurpose::Learn,
                ..
            } => return,
            PendingQuery::Older { with } => {
                return self.transcript.tell(|| SessionEvent::NoPage { with });
            }
            PendingQuery::Missed { with } => return self.missed(&with, Vec::new(), true),
            PendingQuery::Users {
                channel, purpose, ..
            } => {
                self.choosing &= !matches!(purpose, ListPurpose::Choose | ListPurpose::Arrive);
                format!("who is in {channel}")
            }
            PendingQuery::History { with, .. } => format!("the history of {}", word(&with)),
            PendingQuery::Channels => "which channels there are".to_owned(),
            PendingQuery::Topic { channel } => format!("the topic of {channel}"),
            PendingQuery::Bans { .. } => "which bans there are".to_owned(),
            PendingQuery::Account { .. } => "whether your account was changed".to_owned(),
            PendingQuery::Exists { channel } => format!("whether there is {channel}"),
            PendingQuery::Join { channel, .. } => format!("whether you may enter {channel}"),
        };
        let detail = format!("the server did not say {what}");
        self.refused("no_answer", &detail);
    }

    /// Asks whether there is such a channel; enters it if so.
    pub(super) fn join_existing(&mut self, channel: Channel) {
        let request = Request::Users(UsersQuery {
            channel: channel.as_str().into(),
            after: None,
            limit: 1,
        });
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            self.queries
                .push_back((id, PendingQuery::Exists { channel }));
        }
    }

    /// Returns whether it is not known yet whether a channel exists that is to be entered.
    pub(super) fn asks_for_a_channel(&self) -> bool {
        let is_it =
            |(_, question): &(_, PendingQuery)| matches!(question, PendingQuery::Exists { .. });
        self.queries.iter().any(is_it)
    }

    /// Gives up an answer that is larger than any server's list.
    pub(super) fn too_much(&mut self, id: &str, ctx: &mut Context<Self>) {
        self.choosing = false;
        let detail = "the server's answer does not end, and is given up";
        self.refused("too_much", detail);
        self.settle_answered(id, ctx);
        if self.options.task.is_some() {
            self.leave(None, ctx);
        }
    }

    /// Requests the next page of users.
    fn ask_users(
        &mut self,
        channel: Channel,
        nicks: Vec<String>,
        gathered: PageBudget,
        purpose: ListPurpose,
    ) {
        let request = Request::Users(UsersQuery {
            channel: channel.as_str().into(),
            after: nicks.last().map(|nick| nick.as_str().into()),
            limit: MAX_PAGE,
        });
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            let question = PendingQuery::Users {
                channel,
                nicks,
                gathered,
                purpose,
            };
            self.queries.push_back((id, question));
        }
    }

    /// Asks for the last messages of a conversation.
    pub(super) fn ask_history(&mut self, with: String, wanted: u16) {
        // As many of the longest messages, and a frame more.
        let most = usize::from(wanted) * (Text::MAX_BYTES + 1024) + MAX_FRAME_BYTES;
        self.ask_before(with, wanted, VecDeque::new(), PageBudget::new(most));
    }

    /// Asks for the page of messages before those that are known.
    fn ask_before(
        &mut self,
        with: String,
        wanted: u16,
        messages: VecDeque<Message<'static>>,
        gathered: PageBudget,
    ) {
        let known = u16::try_from(messages.len()).unwrap_or(wanted);
        let request = Request::History(HistoryQuery {
            with: with.as_str().into(),
            before: messages.front().map(|message| message.seq),
            after: None,
            limit: (wanted - known).min(MAX_PAGE),
        });
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            let question = PendingQuery::History {
                with,
                wanted,
                messages,
                gathered,
            };
            self.queries.push_back((id, question));
        }
    }

    /// Takes out the question that this answers. Answers come in the order of the questions; those
    /// of older servers bear no `id`.
    pub(super) fn answered(
        &mut self,
        is_it: impl Fn(&PendingQuery) -> bool,
    ) -> Option<(String, PendingQuery)> {
        let position = self
            .queries
            .iter()
            .position(|(_, question)| is_it(question))?;
        self.queries.remove(position)
    }

    pub(super) fn settle_answered(&mut self, id: &str, ctx: &mut Context<Self>) {
        self.pending.settle(id);
        self.flush(ctx);
        self.settled(ctx);
    }

    pub(super) fn users(
        &mut self,
        name: &str,
        users: Vec<String>,
        (total, more): (usize, bool),
        ctx: &mut Context<Self>,
    ) {
        let folded = fold(name);
        let asked_for = |question: &PendingQuery| match question {
            PendingQuery::Users { channel, .. } | PendingQuery::Exists { channel } => {
                channel.folded() == &*folded
            }
            _ => false,
        };
        let Some((id, question)) = self.answered(asked_for) else {
            return;
        };
        let (channel, mut nicks, mut gathered, purpose) = match question {
            PendingQuery::Users {
                channel,
                nicks,
                gathered,
                purpose,
            } => (channel, nicks, gathered, purpose),
            PendingQuery::Exists { channel } => {
                self.join(channel);
                return self.settle_answered(&id, ctx);
            }
            _ => return,
        };
        let more = more
            && !users.is_empty()
            && !matches!(purpose, ListPurpose::Learn | ListPurpose::Arrive);
        let ends = users.last() != nicks.last();
        // The allocation of a nick takes more than its letters.
        let fits = gathered.takes(users.iter().map(|nick| nick.len() + 64)) && (ends || !more);
        if !fits {
            return self.too_much(&id, ctx);
        }
        nicks.extend(users);
        if more {
            self.ask_users(channel, nicks, gathered, purpose);
        } else {
            match purpose {
                ListPurpose::Show => self.show_notice(&format::users(name, &nicks)),
                ListPurpose::Choose => {
                    nicks.retain(|nick| !self.location.is_me(nick));
                    self.choose(nicks, ctx);
                }
                ListPurpose::Arrive => {
                    nicks.retain(|nick| !self.location.is_me(nick));
                    self.choose_on_arrival(nicks, ctx);
                }
                ListPurpose::Learn => self.transcript.tell(|| SessionEvent::People {
                    channel: name.to_owned(),
                    nicks,
                    total,
                }),
            }
        }
        self.settle_answered(&id, ctx);
    }

    pub(super) fn history(
        &mut self,
        name: &str,
        records: Vec<Record<'static>>,
        more: bool,
        ctx: &mut Context<Self>,
    ) {
        let asked_for = |question: &PendingQuery| match question {
            PendingQuery::History { with, .. }
            | PendingQuery::Older { with }
            | PendingQuery::Missed { with } => fold(with) == fold(name),
            PendingQuery::Users { .. }
            | PendingQuery::Exists { .. }
            | PendingQuery::Channels
            | PendingQuery::Topic { .. }
            | PendingQuery::Bans { .. }
            | PendingQuery::Account { .. }
            | PendingQuery::Join { .. } => false,
        };
        let Some((id, question)) = self.answered(asked_for) else {
            return;
        };
        let (with, wanted, mut messages, mut gathered) = match question {
            PendingQuery::History {
                with,
                wanted,
                messages,
                gathered,
            } => (with, wanted, messages, gathered),
            PendingQuery::Older { with } => {
                self.tell_page(with, records, more);
                return self.settle_answered(&id, ctx);
            }
            _ => return self.missed(name, records, more),
        };
        let more = more && !records.is_empty();
        let sizes = records.iter().map(|Record::Message(message)| size(message));
        if !gathered.takes(sizes) {
            return self.too_much(&id, ctx);
        }
        for Record::Message(message) in records.into_iter().rev() {
            messages.push_front(message);
        }
        // A server may send more than it was asked for.
        messages.drain(..messages.len().saturating_sub(usize::from(wanted)));
        // A page is bounded by the size of a frame too, so it may be shorter than asked for.
        if more && messages.len() < usize::from(wanted) {
            self.ask_before(with, wanted, messages, gathered);
        } else if self.transcript.tui().is_some() {
            // They are where they belong; without a word nothing would seem to have happened.
            let notice = match messages.len() {
                0 => "no messages".to_owned(),
                1 => "the last message is above".to_owned(),
                count => format!("the last {count} messages are above"),
            };
            let records = messages.into_iter().map(Record::Message).collect();
            self.tell_page(with, records, more);
            self.show_notice(&notice);
        } else {
            self.show_notice(&format::history(&with, messages.len()));
            for message in &messages {
                self.transcript.past(message, self.location.channel());
            }
            self.show_notice("end of the history");
        }
        self.settle_answered(&id, ctx);
    }

    /// What was said in a channel that was entered again.
    pub(super) fn missed(&mut self, with: &str, records: Vec<Record<'static>>, more: bool) {
        if let Some(replay) = &mut self.replay {
            let messages = records.into_iter().map(|Record::Message(message)| message);
            replay.page(with, messages, more);
            self.replay_grew();
        }
    }

    /// Asks the user to choose one of `people`.
    fn choose(&mut self, people: Vec<String>, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.choosing, false) {
            return;
        }
        if people.is_empty() {
            self.transcript.notice("nobody else is here");
            return self.ask(ctx);
        }
        if let Some(tui) = self.transcript.tui() {
            return tui.tell(SessionEvent::Choose(people));
        }
        for line in format::choices(&people) {
            self.transcript.notice(&line);
        }
        self.asked = Asked::Choice(people);
        let prompt = "Number or nick (Enter for nobody): ".to_owned();
        self.ask_person(prompt, PromptKind::Choice);
    }

    /// Offers everyone, and each of `people`.
    fn choose_on_arrival(&mut self, people: Vec<String>, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.choosing, false) {
            return;
        }
        if people.is_empty() {
            return self.ask(ctx);
        }
        self.transcript.notice(&format::arrival(&people));
        self.ask_arrival(people);
    }

    fn ask_arrival(&mut self, people: Vec<String>) {
        self.asked = Asked::Arrival(people);
        let prompt = "Talk to (number or nick, Enter for everyone): ".to_owned();
        self.ask_person(prompt, PromptKind::Choice);
    }

    /// Takes the answer: what is no choice is a line like any other.
    pub(super) fn arrived_with(
        &mut self,
        line: &str,
        people: Vec<String>,
        ctx: &mut Context<Self>,
    ) {
        let answer = line.trim();
        let is_number = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_digit());
        let number: usize = answer.parse().unwrap_or(usize::MAX);
        let person = if is_number {
            number.checked_sub(2).and_then(|index| people.get(index))
        } else {
            people.iter().find(|nick| fold(nick) == fold(answer))
        };
        match person.map(|nick| Nick::new(nick)) {
            Some(Ok(nick)) => self.location.set_query(Some(nick)),
            _ if answer.is_empty() || answer == "1" || answer == "everyone" => {}
            _ if is_number => {
                self.refused("no_such_user", "the list has no such number");
                self.ask_arrival(people);
            }
            _ => self.line(Asked::Line, line, ctx),
        }
    }

    pub(super) fn chosen(&mut self, line: &str, people: &[String]) {
        if line.is_empty() {
            return;
        }
        let number: Option<usize> = line.parse().ok();
        let person = match number {
            Some(number) => number.checked_sub(1).and_then(|index| people.get(index)),
            None => people.iter().find(|nick| fold(nick) == fold(line)),
        };
        match person.map(|nick| Nick::new(nick)) {
            Some(Ok(nick)) => self.location.set_query(Some(nick)),
            _ => self.refused("no_such_user", "the list has no such number or nick"),
        }
    }
}
