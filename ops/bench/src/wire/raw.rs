//! The language of the `limit` server: the frames of the chat protocol without their meaning. The sender
//! itself makes the whole `message` object, so that the bytes that go out to everyone are as many as
//! chat-server's, and the server passes them on as they are.

use super::{Heard, Place, STAMP_BYTES, Stamp, Template, append_frame, split_frames};

const HELLO: &[u8] = br#"{"type":"hello","room":""#;
const ROOM_DIGITS: usize = 10;

/// The first frame of a connection names its room; 0 is the lobby.
pub(crate) fn hello(place: Place, out: &mut Vec<u8>) {
    let room = match place {
        Place::Outside | Place::Lobby => 0,
        Place::Channel(number) => number + 1,
    };
    let mut payload = HELLO.to_vec();
    payload.extend_from_slice(format!("{room:0ROOM_DIGITS$}\"}}").as_bytes());
    append_frame(&payload, out);
}

/// What the `limit` server reads in a hello.
pub(crate) fn room_of_hello(payload: &[u8]) -> Option<u32> {
    let digits = payload.strip_prefix(HELLO)?.get(..ROOM_DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// About as long as the welcome of chat-server in a chat with few channels.
pub(crate) fn welcome() -> Vec<u8> {
    let mut out = Vec::new();
    append_frame(
        br##"{"type":"welcome","version":1,"nick":"b12345","server":"limit/0.1.0","token":"0123456789abcdef0123456789abcdef","seq":0,"time":"2026-01-01T00:00:00.000Z","joined":["#lobby"],"channels":[{"name":"#lobby","users":12345}],"resumed":false,"gap":false}"##,
        &mut out,
    );
    out
}

pub(crate) fn say(place: Place, text_bytes: usize) -> Template {
    let to = super::channel_name(place);
    let head = format!(
        r#"{{"type":"message","seq":1000000,"time":"2026-01-01T00:00:00.000Z","from":"b0000","to":"{to}","text":""#
    );
    let mut framed = Vec::new();
    let payload_bytes = head.len() + text_bytes + 2;
    append_frame(&vec![b' '; payload_bytes], &mut framed);
    framed.truncate(4);
    framed.extend_from_slice(head.as_bytes());
    Template::new(&framed, text_bytes, br#""}"#)
}

pub(crate) fn scan(bytes: &[u8], on: &mut impl FnMut(Heard<'_>)) -> usize {
    let scanned = split_frames(bytes, |payload| on(hear(payload)));
    scanned.unwrap_or_else(|trouble| {
        on(trouble);
        bytes.len()
    })
}

fn hear(payload: &[u8]) -> Heard<'_> {
    if payload.starts_with(br#"{"type":"welcome""#) {
        return Heard::Welcomed;
    }
    let stamp = payload
        .len()
        .checked_sub(STAMP_BYTES + 2)
        .and_then(|at| Stamp::decode(&payload[at..]));
    match stamp {
        Some(stamp) => Heard::Delivery { seq: 0, stamp },
        None => Heard::Trouble(b"a frame that nobody sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::at_every_split;
    use super::super::{Stamp, Wire};
    use super::*;

    #[test]
    fn welcome_and_messages_are_heard_however_they_are_cut() {
        let stamp = Stamp {
            sender: 1,
            counter: 2,
        };
        let mut stream = welcome();
        say(Place::Lobby, 100).append(stamp, &mut stream);
        let expected =
            [Heard::Welcomed, Heard::Delivery { seq: 0, stamp }].map(|one| format!("{one:?}"));
        at_every_split(Wire::Raw, &stream, 0, 100, &expected);
    }

    #[test]
    fn the_room_of_a_hello_is_read_back() {
        let mut out = Vec::new();
        hello(Place::Channel(41), &mut out);
        assert_eq!(room_of_hello(&out[4..]), Some(42));
        assert_eq!(room_of_hello(b"{}"), None);
    }

    #[test]
    fn a_message_is_about_as_long_as_the_servers() {
        let length = say(Place::Lobby, 100).bytes.len();
        assert!((205..=215).contains(&length), "{length}");
    }
}
