//! A batch of effects under construction, in the order in which they are delivered.
//!
//! A [`Batch`] is built while the one before it is being recorded. Messages are encoded into one
//! buffer, frame behind frame, and all other events into a second one; each [`Effect`] points into
//! them. Every effect is part of the batch, including changes of membership and answers to pings.
//! Order therefore follows from the position: a user who joins behind a message does not receive
//! it.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use chat_proto::codec::{Heading, encode, encode_message};
use chat_proto::{ErrorCode, Event, Saying, Timestamp, Words};
use smol_str::SmolStr;

use super::command::Refusal;
use super::effect::{Audience, ByteRange, Effect};
use super::state_change::Changes;
use super::token::Id;
use super::{ChannelKey, SessionId};

/// Limits of a batch. They make the cost of a write per message negligible and the delay of a batch
/// short.
const MAX_MESSAGES: usize = 1024;
pub const MAX_BYTES: usize = 256 * 1024;

/// A message to encode as `message`.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    pub seq: u64,
    pub time: Timestamp,
    pub from: &'a str,
    pub to: &'a str,
    pub words: &'a Words,
    pub saying: Saying,
    pub id: Option<&'a Id>,
}

/// Consecutive messages from one sender to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRun {
    pub from: SmolStr,
    pub to: SmolStr,
    pub messages: usize,
}

/// Effects under construction.
#[derive(Debug, Default)]
pub struct Batch {
    frames: BytesMut,
    /// The sender and target of its messages.
    talks: Vec<SenderRun>,
    events: BytesMut,
    effects: Vec<Effect>,
    messages: usize,
    last_seq: Option<u64>,
    /// The sender, target and time of the last message.
    heading: Heading,
    /// When its first request arrived.
    since: Option<Instant>,
    /// The codes of rejected requests.
    refused: Vec<ErrorCode>,
    /// The changes of persistent state that its requests have caused.
    pub changes: Changes,
    /// The changes that it waits for, as counted by [`super::registry::Registry::change_count`].
    pub needs: u64,
}

/// A batch whose messages are recorded, for delivery.
#[derive(Debug)]
pub struct CommittedBatch {
    pub frames: Bytes,
    pub events: Bytes,
    pub effects: Vec<Effect>,
    /// The last message that was recorded before this batch.
    pub recorded: u64,
    /// When its first request arrived.
    pub since: Option<Instant>,
}

impl Batch {
    /// Takes the batch. The next one has an equal capacity, which avoids reallocation while it
    /// grows.
    pub fn take(&mut self) -> Self {
        let next = Self {
            frames: BytesMut::with_capacity(self.frames.len()),
            events: BytesMut::with_capacity(self.events.len()),
            effects: Vec::with_capacity(self.effects.len()),
            heading: std::mem::take(&mut self.heading),
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Returns the number of the last message.
    pub fn last_seq(&self) -> Option<u64> {
        self.last_seq
    }

    /// Returns whether the batch has reached the maximum of messages or `bytes` of them.
    pub fn is_full(&self, bytes: usize) -> bool {
        self.messages >= MAX_MESSAGES || self.frames.len() >= bytes
    }

    /// Returns the number of messages.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Notes that a request has arrived at `now`.
    pub fn begin(&mut self, now: impl FnOnce() -> Instant) {
        self.since.get_or_insert_with(now);
    }

    /// Returns the codes that were rejected since the last call.
    pub fn take_rejected(&mut self) -> Vec<ErrorCode> {
        std::mem::take(&mut self.refused)
    }

    /// Returns the messages as the recorder needs them: frame behind frame, each JSON text followed
    /// by a newline.
    pub fn frames(&mut self) -> Bytes {
        self.frames.split().freeze()
    }

    /// Returns the sender and target of the messages, in order.
    pub fn take_talks(&mut self) -> Vec<SenderRun> {
        std::mem::take(&mut self.talks)
    }

    /// Adds a message.
    pub fn message(&mut self, said: &NewMessage<'_>, sender: SessionId, audience: Audience) {
        let NewMessage {
            seq,
            time,
            from,
            to,
            words,
            saying,
            id,
        } = *said;
        if let Some(id) = id {
            self.ack(sender, id.clone(), seq, time);
        }
        let start = self.frames.len();
        let same_names = self.heading.set(time, from, to);
        match self.talks.last_mut() {
            Some(talk) if same_names => talk.messages += 1,
            _ => self.talks.push(SenderRun {
                from: from.into(),
                to: to.into(),
                messages: 1,
            }),
        }
        encode_message(seq, &self.heading, words, saying, &mut self.frames)
            .expect("names and texts of legal length fit into a frame");
        let frame = span(start, self.frames.len());
        self.messages += 1;
        self.last_seq = Some(seq);
        match self.effects.last_mut() {
            Some(Effect::Messages {
                last_seq,
                count,
                frames,
                audience: same_audience,
                sender: same_sender,
                is_acked: false,
            }) if id.is_none() && (*same_audience, *same_sender) == (audience, sender) => {
                (*last_seq, *count, frames.end) = (seq, *count + 1, frame.end);
            }
            _ => self.effects.push(Effect::Messages {
                last_seq: seq,
                count: 1,
                frames: frame,
                audience,
                sender,
                is_acked: id.is_some(),
            }),
        }
    }

    /// Acknowledges a message that is recorded as `seq`.
    pub fn ack(&mut self, to: SessionId, id: Id, seq: u64, time: Timestamp) {
        let event = self.event(&Event::Ack {
            id: (&*id).into(),
            seq: Some(seq),
            time,
        });
        self.effects.push(Effect::Ack { seq, to, id, event });
    }

    pub fn tell(&mut self, to: SessionId, event: &Event<'_>) {
        let event = self.event(event);
        self.effects.push(Effect::Tell { to, event });
    }

    pub fn tell_each(&mut self, to: Box<[SessionId]>, event: &Event<'_>) {
        let event = self.event(event);
        self.effects.push(Effect::TellEach { to, event });
    }

    pub fn tell_channel(&mut self, channel: ChannelKey, event: &Event<'_>) {
        let event = self.event(event);
        self.effects.push(Effect::TellChannel { channel, event });
    }

    pub fn reject(&mut self, to: SessionId, id: Option<&str>, refusal: Refusal) {
        let closes = refusal.closes();
        let strikes = refusal.code == ErrorCode::AuthFailed;
        self.refused.push(refusal.code);
        self.tell(
            to,
            &Event::Error {
                code: refusal.code,
                detail: refusal.detail,
                id: id.map(Into::into),
            },
        );
        if closes {
            self.effects.push(Effect::Close { session: to });
        } else if strikes {
            self.effects.push(Effect::AuthFailure { session: to });
        }
    }

    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Rejects the messages, because they cannot be recorded. Acks of message `failed` and later
    /// ones are rejected in their place.
    pub fn fail(&mut self, failed: u64) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Messages { is_acked: true, .. } => {}
                Effect::Messages { sender, count, .. } => {
                    (0..count).for_each(|_| self.reject(sender, None, not_recorded()));
                }
                Effect::Ack { seq, to, id, .. } if seq >= failed => {
                    self.reject(to, Some(id.as_str()), not_recorded());
                }
                Effect::Account { to, mut applicant } => {
                    applicant.last_seq = applicant.last_seq.min(failed - 1);
                    self.effects.push(Effect::Account { to, applicant });
                }
                other => self.effects.push(other),
            }
        }
        self.frames.clear();
        self.talks.clear();
        self.messages = 0;
        self.last_seq = None;
    }

    /// Returns the batch for delivery; `frames` are the messages that [`Batch::frames`] returned.
    pub fn release(self, frames: Bytes, recorded: u64) -> CommittedBatch {
        CommittedBatch {
            frames,
            events: self.events.freeze(),
            effects: self.effects,
            recorded,
            since: self.since,
        }
    }

    fn event(&mut self, event: &Event<'_>) -> ByteRange {
        let start = self.events.len();
        encode(event, &mut self.events).expect("an event fits into a frame");
        span(start, self.events.len())
    }
}

fn not_recorded() -> Refusal {
    Refusal::new(
        ErrorCode::NotRecorded,
        "cannot write the history; the message was not sent",
    )
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a batch ends soon after MAX_BYTES, far below 4 GiB"
)]
fn span(start: usize, end: usize) -> ByteRange {
    start as u32..end as u32
}
