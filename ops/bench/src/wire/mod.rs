//! The languages the generator speaks, each in a file: what to say on arrival, how a message is said, and
//! what was heard. Nothing here touches a socket.
//!
//! `scan` gets what was read and tells each thing it heard in it; what is left over is the beginning of
//! something that has not arrived yet. The path of a delivery does no allocation and no search.

mod chat;
mod frame;
mod irc;
mod nats;
mod raw;
mod stamp;
mod web;

pub(crate) use chat::{HistoryPage, history_line, history_request, resuming_hello};
pub(crate) use frame::{append_frame, split_frames};
pub(crate) use raw::{room_of_hello, welcome as raw_welcome};
pub(crate) use stamp::{STAMP_BYTES, Stamp};

/// A text must hold its stamp and the eight bytes that are looked at to see where it begins.
pub(crate) const MIN_TEXT_BYTES: usize = STAMP_BYTES + 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Raw,
    Chat,
    /// The same over WebSocket.
    Web,
    Nats,
    Irc,
}

/// Where somebody is after they arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Welcomed and no more. In the chat protocol that is `#lobby` all the same.
    Outside,
    Lobby,
    Channel(u32),
}

/// One thing that a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// A message of the generator. `seq` is 0 where the protocol has none.
    Delivery {
        seq: u64,
        stamp: Stamp,
    },
    Welcomed,
    /// The channel that was asked for is entered.
    InChannel,
    /// To be answered with `Wire::pong` and these bytes.
    Ping(&'a [u8]),
    /// A whole `history` answer.
    Page(&'a [u8]),
    /// A refusal, or something that must not be: the run counts as failed.
    Trouble(&'a [u8]),
    Other,
}

impl Wire {
    /// Does the sender of a message get it too? Not on IRC.
    pub(crate) fn echoes(self) -> bool {
        self != Self::Irc
    }

    /// What a newcomer says first.
    pub(crate) fn hello(self, me: u32, place: Place, out: &mut Vec<u8>) {
        match self {
            Self::Raw => raw::hello(place, out),
            Self::Chat => chat::hello(me, out),
            Self::Web => web::hello(me, out),
            Self::Nats => nats::hello(place, out),
            Self::Irc => irc::hello(me, out),
        }
    }

    /// What they say once welcomed; `false` if there is nothing more to say.
    pub(crate) fn join(self, place: Place, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Raw | Self::Nats => false,
            Self::Chat => chat::join(place, out),
            Self::Web => web::join(place, out),
            Self::Irc => irc::join(place, out),
        }
    }

    pub(crate) fn pong(self, token: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Raw => {}
            Self::Chat => chat::pong(out),
            Self::Web => web::pong(out),
            Self::Nats => out.extend_from_slice(b"PONG\r\n"),
            Self::Irc => irc::pong(token, out),
        }
    }

    /// A message of `text_bytes` to a place, complete but for its stamp.
    pub(crate) fn say(self, place: Place, text_bytes: usize) -> Template {
        match self {
            Self::Raw => raw::say(place, text_bytes),
            Self::Chat => chat::say(place, text_bytes),
            Self::Web => web::say(place, text_bytes),
            Self::Nats => nats::say(place, text_bytes),
            Self::Irc => irc::say(place, text_bytes),
        }
    }

    /// Tells `on` everything that `bytes` hold completely and returns how many bytes that was.
    /// `me` is the number of the connection, `text_bytes` the length of the generator's texts.
    pub(crate) fn scan(
        self,
        bytes: &[u8],
        me: u32,
        text_bytes: usize,
        on: &mut impl FnMut(Heard<'_>),
    ) -> usize {
        match self {
            Self::Raw => raw::scan(bytes, on),
            Self::Chat => chat::scan(bytes, me, text_bytes, on),
            Self::Web => web::scan(bytes, me, text_bytes, on),
            Self::Nats => nats::scan(bytes, text_bytes, on),
            Self::Irc => irc::scan(bytes, on),
        }
    }
}

/// A message ready to be sent but for its stamp.
#[derive(Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    stamp_at: usize,
}

impl Template {
    /// `before` the text, a text of `text_bytes`, and what comes `after` it.
    fn new(before: &[u8], text_bytes: usize, after: &[u8]) -> Self {
        let mut bytes = before.to_vec();
        bytes.extend(filler(text_bytes));
        bytes.extend_from_slice(after);
        Self {
            stamp_at: before.len() + text_bytes - STAMP_BYTES,
            bytes,
        }
    }

    /// Puts the message behind `out`.
    pub(crate) fn append(&self, stamp: Stamp, out: &mut Vec<u8>) {
        let at = out.len() + self.stamp_at;
        out.extend_from_slice(&self.bytes);
        out[at..at + STAMP_BYTES].copy_from_slice(&stamp.encode());
    }
}

/// Text to fill a message with, and room for the stamp at its end.
fn filler(text_bytes: usize) -> impl Iterator<Item = u8> {
    b"the quick brown fox jumps over the lazy dog and on "
        .iter()
        .copied()
        .cycle()
        .take(text_bytes)
}

/// The nick of a connection.
fn nick(me: u32) -> String {
    format!("b{me}")
}

fn channel_name(place: Place) -> String {
    match place {
        Place::Outside | Place::Lobby => "#lobby".to_owned(),
        Place::Channel(number) => format!("#c{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a scanner must make of `stream`, however it is cut in two.
    pub(super) fn at_every_split(
        wire: Wire,
        stream: &[u8],
        me: u32,
        text_bytes: usize,
        expected: &[String],
    ) {
        for split in 0..=stream.len() {
            let mut heard = Vec::new();
            let used = wire.scan(&stream[..split], me, text_bytes, &mut |one| {
                heard.push(format!("{one:?}"))
            });
            assert!(used <= split);
            let rest = wire.scan(&stream[used..], me, text_bytes, &mut |one| {
                heard.push(format!("{one:?}"))
            });
            assert_eq!(used + rest, stream.len(), "all is used, cut at {split}");
            assert_eq!(heard, expected, "cut at {split}");
        }
    }

    #[test]
    fn a_message_carries_its_stamp_at_the_end_of_its_text() {
        let stamp = Stamp {
            sender: 3,
            counter: 700,
        };
        for wire in [Wire::Raw, Wire::Chat, Wire::Nats, Wire::Irc] {
            let template = wire.say(Place::Channel(7), 100);
            let mut out = Vec::new();
            template.append(stamp, &mut out);
            assert_eq!(out.len(), template.bytes.len());
            let at = out
                .windows(STAMP_BYTES)
                .position(|window| window == stamp.encode());
            assert_eq!(at, Some(template.stamp_at), "{wire:?}");
        }
    }
}
