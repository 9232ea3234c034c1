//! The same protocol over WebSocket: an object a text message (RFC 6455), masked by nothing. Written from that
//! page alone.

use super::{Heard, Place, Template, chat};

/// A text message that is whole.
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];
const FRAME_HEADER: usize = 4;

/// Asks for the WebSocket, and says hello without waiting for the answer.
pub(crate) fn hello(me: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    reframed(out, |frame| chat::hello(me, frame));
}

pub(crate) fn join(place: Place, out: &mut Vec<u8>) -> bool {
    let mut frame = Vec::new();
    let says = chat::join(place, &mut frame);
    if says {
        reframed(out, |whole| *whole = frame);
    }
    says
}

pub(crate) fn pong(out: &mut Vec<u8>) {
    reframed(out, chat::pong);
}

pub(crate) fn say(place: Place, text_bytes: usize) -> Template {
    let Template { bytes, stamp_at } = chat::say(place, text_bytes);
    let head = header(bytes.len() - FRAME_HEADER);
    Template {
        stamp_at: stamp_at - FRAME_HEADER + head.len(),
        bytes: [&head, &bytes[FRAME_HEADER..]].concat(),
    }
}

pub(crate) fn scan(
    bytes: &[u8],
    me: u32,
    text_bytes: usize,
    on: &mut impl FnMut(Heard<'_>),
) -> usize {
    let mut at = 0;
    if bytes.starts_with(b"HTTP/") {
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
            return 0;
        };
        if !bytes.starts_with(b"HTTP/1.1 101 ") {
            on(Heard::Trouble(&bytes[..end]));
        }
        at = end + 4;
    }
    while let Some(&[kind, short, ..]) = bytes.get(at..) {
        let (head, length) = match (short, bytes.get(at + 2..at + 4)) {
            (126, Some(&[high, low])) => (4, usize::from(u16::from_be_bytes([high, low]))),
            (126, _) => break,
            // The generator asks for nothing that is answered by so much.
            (127.., _) => {
                on(Heard::Trouble(b"a message of impossible length"));
                return bytes.len();
            }
            (short, _) => (2, usize::from(short)),
        };
        let Some(payload) = bytes.get(at + head..at + head + length) else {
            break;
        };
        on(match kind {
            TEXT => chat::hear(payload, me, text_bytes),
            _ => Heard::Trouble(b"no text message"),
        });
        at += head + length;
    }
    at
}

/// Puts one frame of the protocol behind `out`, as a message.
fn reframed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut frame = Vec::new();
    write(&mut frame);
    out.extend(header(frame.len() - FRAME_HEADER));
    out.extend_from_slice(&frame[FRAME_HEADER..]);
}

fn header(length: usize) -> Vec<u8> {
    let mut header = vec![TEXT];
    match u8::try_from(length) {
        Ok(short @ 0..=125) => header.push(MASKED | short),
        _ => {
            let long = u16::try_from(length).expect("what the generator says is short");
            header.push(MASKED | 126);
            header.extend(long.to_be_bytes());
        }
    }
    header.extend(MASK);
    header
}

#[cfg(test)]
mod tests {
    use super::super::tests::at_every_split;
    use super::super::{Stamp, Wire};
    use super::*;

    #[test]
    fn what_a_server_says_is_heard_however_it_is_cut() {
        let mut stream = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n".to_vec();
        let mut message = |json: &[u8]| {
            stream.push(TEXT);
            match u8::try_from(json.len()) {
                Ok(short @ 0..=125) => stream.push(short),
                _ => {
                    stream.push(126);
                    stream.extend(u16::try_from(json.len()).unwrap().to_be_bytes());
                }
            }
            stream.extend_from_slice(json);
        };
        message(br#"{"type":"welcome","version":1}"#);
        let stamp = Stamp {
            sender: 1,
            counter: 2,
        };
        let mut line = Vec::new();
        chat::history_line(7, 100, &mut line);
        let text_at = memchr::memmem::find(&line, br#""text":""#).unwrap() + 8;
        let at = text_at + 100 - super::super::STAMP_BYTES;
        line[at..at + super::super::STAMP_BYTES].copy_from_slice(&stamp.encode());
        message(&line);
        let expected = [Heard::Welcomed, Heard::Delivery { seq: 7, stamp }];
        let expected = expected.map(|heard| format!("{heard:?}"));
        at_every_split(Wire::Web, &stream, 0, 100, &expected);
    }

    #[test]
    fn a_message_is_masked_and_has_its_stamp_at_the_same_place() {
        let (stamp, mut web, mut tcp) = (
            Stamp {
                sender: 3,
                counter: 9,
            },
            Vec::new(),
            Vec::new(),
        );
        say(Place::Lobby, 200).append(stamp, &mut web);
        chat::say(Place::Lobby, 200).append(stamp, &mut tcp);
        let length = u16::try_from(tcp.len() - FRAME_HEADER)
            .unwrap()
            .to_be_bytes();
        let head = [TEXT, MASKED | 126, length[0], length[1], 0, 0, 0, 0];
        assert_eq!(web, [&head, &tcp[FRAME_HEADER..]].concat());
    }
}
