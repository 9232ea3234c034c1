//! The chat protocol, version 1, as PROTOCOL.md has it; written from that page alone.

use std::io::Write as _;

use memchr::memmem;

use super::{
    Heard, MIN_TEXT_BYTES, Place, STAMP_BYTES, Stamp, Template, append_frame, channel_name, nick,
    split_frames,
};

/// How every `message` begins: its fields have a fixed order.
const MESSAGE: &[u8] = br#"{"type":"message","seq":"#;
const TEXT: &[u8] = br#""text":""#;
const END: &[u8] = br#""}"#;

pub(crate) fn hello(me: u32, out: &mut Vec<u8>) {
    let nick = nick(me);
    append_frame(
        format!(r#"{{"type":"hello","version":1,"nick":"{nick}","client":"chat-bench"}}"#)
            .as_bytes(),
        out,
    );
}

/// The hello of somebody who has seen everything up to `after`; without a token it brings back `#lobby`.
pub(crate) fn resuming_hello(nick: &str, after: u64, out: &mut Vec<u8>) {
    append_frame(
        format!(r#"{{"type":"hello","version":1,"nick":"{nick}","after":{after}}}"#).as_bytes(),
        out,
    );
}

pub(crate) fn join(place: Place, out: &mut Vec<u8>) -> bool {
    let Place::Channel(_) = place else {
        return false;
    };
    let channel = channel_name(place);
    append_frame(
        format!(r#"{{"type":"join","channel":"{channel}"}}"#).as_bytes(),
        out,
    );
    true
}

pub(crate) fn pong(out: &mut Vec<u8>) {
    append_frame(br#"{"type":"pong"}"#, out);
}

pub(crate) fn history_request(before: Option<u64>, limit: u32, out: &mut Vec<u8>) {
    let before = before
        .map(|seq| format!(r#","before":{seq}"#))
        .unwrap_or_default();
    append_frame(
        format!(r##"{{"type":"history","with":"#lobby"{before},"limit":{limit}}}"##).as_bytes(),
        out,
    );
}

pub(crate) fn say(place: Place, text_bytes: usize) -> Template {
    let head = format!(r#"{{"type":"say","to":"{}","text":""#, channel_name(place));
    let length = u32::try_from(head.len() + text_bytes + END.len()).expect("a say is short");
    let mut before = length.to_be_bytes().to_vec();
    before.extend_from_slice(head.as_bytes());
    Template::new(&before, text_bytes, END)
}

/// One line of `chat_history.log`, as the server writes it, the `seq`-th one since midnight, two in each millisecond.
/// Its stamp has a sender that no run uses.
pub(crate) fn history_line(seq: u64, text_bytes: usize, out: &mut Vec<u8>) {
    let ms = seq / 2;
    let (hour, minute, second) = (ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1_000 % 60);
    let stamp = Stamp {
        sender: u32::MAX,
        counter: u32::try_from(seq & 0xFFFF_FFFF).unwrap_or_default(),
    };
    write!(
        out,
        r##"{{"type":"message","seq":{seq},"time":"2026-01-01T{hour:02}:{minute:02}:{second:02}.{:03}Z","from":"h{}","to":"#lobby","text":""##,
        ms % 1_000,
        seq % 100,
    )
    .expect("a Vec takes everything");
    out.extend(super::filler(text_bytes - STAMP_BYTES));
    out.extend_from_slice(&stamp.encode());
    out.extend_from_slice(b"\"}\n");
}

pub(crate) fn scan(
    bytes: &[u8],
    me: u32,
    text_bytes: usize,
    on: &mut impl FnMut(Heard<'_>),
) -> usize {
    let scanned = split_frames(bytes, |payload| on(hear(payload, me, text_bytes)));
    scanned.unwrap_or_else(|trouble| {
        on(trouble);
        bytes.len()
    })
}

pub(super) fn hear(payload: &[u8], me: u32, text_bytes: usize) -> Heard<'_> {
    // A server may send the newline of its log along: JSON allows white space after the object.
    let payload = payload.strip_suffix(b"\n").unwrap_or(payload);
    if let Some(rest) = payload.strip_prefix(MESSAGE) {
        return delivery(rest, text_bytes).unwrap_or(Heard::Trouble(payload));
    }
    match string_field(payload, br#""type":""#) {
        Some(b"welcome") => Heard::Welcomed,
        Some(b"joined") if string_field(payload, br#""nick":""#) == Some(nick(me).as_bytes()) => {
            Heard::InChannel
        }
        Some(b"ping") => Heard::Ping(b""),
        Some(b"history") => Heard::Page(payload),
        Some(b"message" | b"error" | b"bye") | None => Heard::Trouble(payload),
        Some(_) => Heard::Other,
    }
}

/// A message from behind `"seq":`; `None` if its text does not stand where a text of that length must.
fn delivery(rest: &[u8], text_bytes: usize) -> Option<Heard<'_>> {
    debug_assert!(text_bytes >= MIN_TEXT_BYTES, "the caller checked it");
    let seq = leading_number(rest)?;
    let rest = rest.strip_suffix(END)?;
    let text_at = rest.len().checked_sub(text_bytes)?;
    if !rest[..text_at].ends_with(TEXT) {
        return None;
    }
    Some(Heard::Delivery {
        seq,
        stamp: Stamp::decode(&rest[rest.len() - STAMP_BYTES..])?,
    })
}

fn leading_number(bytes: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                number = number
                    .checked_mul(10)?
                    .checked_add(u64::from(byte - b'0'))?
            }
            _ if at == 0 => return None,
            _ => return Some(number),
        }
    }
    None
}

/// The value behind `key`, up to the next quote: enough for types and nicks, which hold none.
fn string_field<'a>(payload: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let value = &payload[memmem::find(payload, key)? + key.len()..];
    Some(&value[..memchr::memchr(b'"', value)?])
}

/// What the check of a `history` answer needs of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HistoryPage {
    pub(crate) messages: u64,
    pub(crate) oldest: u64,
    pub(crate) newest: u64,
    pub(crate) more: bool,
}

impl HistoryPage {
    /// `None` for an empty page, or one whose `seq`s do not grow.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (mut messages, mut oldest, mut newest) = (0, 0, 0);
        for at in memmem::find_iter(payload, br#""seq":"#) {
            let seq = leading_number(&payload[at + 6..])?;
            if seq <= newest {
                return None;
            }
            newest = seq;
            messages += 1;
            if messages == 1 {
                oldest = seq;
            }
        }
        let more = memmem::find(payload, br#""more":true"#).is_some();
        (messages > 0).then_some(Self {
            messages,
            oldest,
            newest,
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::tests::at_every_split;
    use super::*;

    fn message(seq: u64, stamp: Stamp, ending: &str) -> Vec<u8> {
        let mut line = Vec::new();
        history_line(seq, 100, &mut line);
        let at = line.len() - STAMP_BYTES - 3;
        line[at..at + STAMP_BYTES].copy_from_slice(&stamp.encode());
        line.truncate(line.len() - 1);
        line.extend_from_slice(ending.as_bytes());
        line
    }

    #[test]
    fn what_the_server_says_is_heard_however_it_is_cut() {
        let stamp = Stamp {
            sender: 9,
            counter: 77,
        };
        let mut stream = Vec::new();
        append_frame(
            br#"{"type":"welcome","version":1,"nick":"b5"}"#,
            &mut stream,
        );
        append_frame(
            br##"{"type":"joined","channel":"#c1","nick":"b51","time":"x"}"##,
            &mut stream,
        );
        append_frame(
            br##"{"type":"joined","channel":"#c1","nick":"b5","time":"x"}"##,
            &mut stream,
        );
        append_frame(&message(41, stamp, ""), &mut stream);
        append_frame(&message(42, stamp, "\n"), &mut stream);
        append_frame(br#"{"type":"ping"}"#, &mut stream);
        let expected = [
            Heard::Welcomed,
            Heard::Other,
            Heard::InChannel,
            Heard::Delivery { seq: 41, stamp },
            Heard::Delivery { seq: 42, stamp },
            Heard::Ping(b""),
        ];
        at_every_split(
            Wire::Chat,
            &stream,
            5,
            100,
            &expected.map(|one| format!("{one:?}")),
        );
    }

    #[test]
    fn errors_and_misshapen_messages_are_trouble() {
        let reordered = br#"{"seq":1,"type":"message","text":"x"}"#.to_vec();
        let error = br#"{"type":"error","code":"slow_consumer","detail":"x"}"#.to_vec();
        let mut cut = message(
            1,
            Stamp {
                sender: 0,
                counter: 0,
            },
            "",
        );
        cut.drain(120..130);
        for payload in [reordered, error, cut, b"[]".to_vec()] {
            assert_eq!(hear(&payload, 0, 100), Heard::Trouble(&payload));
        }
    }

    #[test]
    fn a_page_tells_its_range() {
        let mut page = br##"{"type":"history","with":"#lobby","messages":["##.to_vec();
        for seq in 7..10 {
            page.extend(message(
                seq,
                Stamp {
                    sender: 0,
                    counter: 0,
                },
                ",",
            ));
        }
        page.truncate(page.len() - 1);
        page.extend_from_slice(br#"],"more":true}"#);
        assert_eq!(
            HistoryPage::read(&page),
            Some(HistoryPage {
                messages: 3,
                oldest: 7,
                newest: 9,
                more: true
            })
        );
        assert_eq!(
            HistoryPage::read(br#"{"type":"history","messages":[],"more":false}"#),
            None
        );
    }
}
