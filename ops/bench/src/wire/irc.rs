//! IRC, as far as a chat needs it (RFC 2812).

use super::{Heard, Place, STAMP_BYTES, Stamp, Template, channel_name, nick};

pub(crate) fn hello(me: u32, out: &mut Vec<u8>) {
    let nick = nick(me);
    out.extend_from_slice(format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n").as_bytes());
}

/// Everyone `Outside` is on the server and in no channel: 19,000 joins into one would be told
/// 19,000 times each.
pub(crate) fn join(place: Place, out: &mut Vec<u8>) -> bool {
    if place == Place::Outside {
        return false;
    }
    out.extend_from_slice(format!("JOIN {}\r\n", channel_name(place)).as_bytes());
    true
}

pub(crate) fn pong(token: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"PONG ");
    out.extend_from_slice(token);
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn say(place: Place, text_bytes: usize) -> Template {
    Template::new(
        format!("PRIVMSG {} :", channel_name(place)).as_bytes(),
        text_bytes,
        b"\r\n",
    )
}

pub(crate) fn scan(bytes: &[u8], on: &mut impl FnMut(Heard<'_>)) -> usize {
    let mut at = 0;
    while let Some(line_bytes) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + line_bytes];
        on(hear(line.strip_suffix(b"\r").unwrap_or(line)));
        at += line_bytes + 1;
    }
    at
}

fn hear(line: &[u8]) -> Heard<'_> {
    if let Some(token) = line.strip_prefix(b"PING ") {
        return Heard::Ping(token);
    }
    if line.starts_with(b"ERROR") {
        return Heard::Trouble(line);
    }
    // `:who COMMAND ...`
    let Some(space) = memchr::memchr(b' ', line) else {
        return Heard::Other;
    };
    let command = &line[space + 1..];
    if command.starts_with(b"PRIVMSG ") {
        let stamp = line
            .len()
            .checked_sub(STAMP_BYTES)
            .and_then(|at| Stamp::decode(&line[at..]));
        return stamp.map_or(Heard::Trouble(line), |stamp| Heard::Delivery {
            seq: 0,
            stamp,
        });
    }
    match command.first_chunk::<3>() {
        Some(b"001") => Heard::Welcomed,
        // RPL_ENDOFNAMES: the answer to JOIN is complete.
        Some(b"366") => Heard::InChannel,
        // ERR_NOMOTD is the one error that everyone gets.
        Some(b"422") => Heard::Other,
        Some([b'4' | b'5', b'0'..=b'9', b'0'..=b'9']) => Heard::Trouble(line),
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
        let mut stream =
            b":irc.test 001 b1 :Welcome\r\n:irc.test 422 b1 :no motd\r\n:b1 JOIN :#lobby\r\n"
                .to_vec();
        stream.extend_from_slice(
            b":irc.test 366 b1 #lobby :End\r\nPING :x\r\n:b2!~b2@127.0.0.1 PRIVMSG #lobby :",
        );
        Template::new(b"", 40, b"\r\n").append(stamp, &mut stream);
        stream.extend_from_slice(b":irc.test 433 b1 :taken\r\n");
        let expected = [
            Heard::Welcomed,
            Heard::Other,
            Heard::Other,
            Heard::InChannel,
            Heard::Ping(b":x"),
            Heard::Delivery { seq: 0, stamp },
            Heard::Trouble(b":irc.test 433 b1 :taken"),
        ];
        at_every_split(
            Wire::Irc,
            &stream,
            1,
            40,
            &expected.map(|one| format!("{one:?}")),
        );
    }
}
