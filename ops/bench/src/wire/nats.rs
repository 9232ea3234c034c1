//! NATS, as far as a chat needs it: a channel is a subject, everyone in it subscribes to it.

use super::{Heard, Place, STAMP_BYTES, Stamp, Template};

fn subject(place: Place) -> String {
    match place {
        Place::Outside | Place::Lobby => "lobby".to_owned(),
        Place::Channel(number) => format!("c{number}"),
    }
}

/// The PONG that answers the last line says that the subscription stands.
pub(crate) fn hello(place: Place, out: &mut Vec<u8>) {
    let subject = subject(place);
    out.extend_from_slice(
        format!("CONNECT {{\"verbose\":false,\"pedantic\":false,\"echo\":true}}\r\nSUB {subject} 1\r\nPING\r\n").as_bytes(),
    );
}

pub(crate) fn say(place: Place, text_bytes: usize) -> Template {
    let head = format!("PUB {} {text_bytes}\r\n", subject(place));
    Template::new(head.as_bytes(), text_bytes, b"\r\n")
}

pub(crate) fn scan(bytes: &[u8], text_bytes: usize, on: &mut impl FnMut(Heard<'_>)) -> usize {
    let mut at = 0;
    while let Some(line_bytes) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + line_bytes];
        let after = at + line_bytes + 1;
        if !line.starts_with(b"MSG ") {
            on(hear(line));
            at = after;
            continue;
        }
        let Some(payload) = bytes.get(after..after + text_bytes + 2) else {
            break;
        };
        on(delivery(payload));
        at = after + text_bytes + 2;
    }
    at
}

/// All texts of a run are equally long, so the length in the `MSG` line need not be read: a payload that
/// does not end where it must shows itself here.
fn delivery(payload: &[u8]) -> Heard<'_> {
    let text = payload.strip_suffix(b"\r\n");
    match text.and_then(|text| Stamp::decode(&text[text.len() - STAMP_BYTES..])) {
        Some(stamp) => Heard::Delivery { seq: 0, stamp },
        None => Heard::Trouble(payload),
    }
}

fn hear(line: &[u8]) -> Heard<'_> {
    match line.first_chunk::<4>() {
        Some(b"PONG") => Heard::Welcomed,
        Some(b"PING") => Heard::Ping(b""),
        Some(b"-ERR") => Heard::Trouble(line),
        _ => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::tests::at_every_split;
    use super::*;

    #[test]
    fn what_the_server_says_is_heard_however_it_is_cut() {
        let stamp = Stamp {
            sender: 9,
            counter: 77,
        };
        let mut stream = b"INFO {\"server_id\":\"x\"}\r\nPONG\r\nMSG lobby 1 40\r\n".to_vec();
        Template::new(b"", 40, b"\r\n").append(stamp, &mut stream);
        stream.extend_from_slice(b"PING\r\n-ERR 'Slow Consumer'\r\n");
        let expected = [
            Heard::Other,
            Heard::Welcomed,
            Heard::Delivery { seq: 0, stamp },
            Heard::Ping(b""),
            Heard::Trouble(b"-ERR 'Slow Consumer'\r"),
        ];
        at_every_split(
            Wire::Nats,
            &stream,
            0,
            40,
            &expected.map(|one| format!("{one:?}")),
        );
    }
}
