//! `--json`: the server's own objects, a line each.

use serde::de::IgnoredAny;

use super::escape::is_escaped;

/// The JSON text of `frame` on a single line: white space between its tokens is left out, and what
/// a terminal must not be sent is written as JSON writes it (`\u202e`), so the value is the same
/// and fields that this client does not know are there too. `None` where the frame is not JSON.
pub fn line(frame: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(frame).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut line = String::with_capacity(text.len());
    let (mut in_string, mut after_backslash) = (false, false);
    for c in text.chars() {
        if in_string {
            if is_escaped(c) {
                line += &format!("\\u{:04x}", u32::from(c));
            } else {
                line.push(c);
            }
            in_string = after_backslash || c != '"';
            after_backslash = c == '\\' && !after_backslash;
        } else if !c.is_ascii_whitespace() {
            in_string = c == '"';
            line.push(c);
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_compact_and_the_same_value() {
        for (frame, want) in [
            ("{\"a\":1}\n", "{\"a\":1}"),
            (
                "{\n \"b\" : [ 1.50 , true ],\t\"a\" : \"x  y\"\r\n}",
                "{\"b\":[1.50,true],\"a\":\"x  y\"}",
            ),
            (
                r#"{"a" : "\" b \\" , "c" : "d e"}"#,
                r#"{"a":"\" b \\","c":"d e"}"#,
            ),
            (
                "{\"a\":\"\u{202e}\u{9b}\u{7f}ñ\"}",
                "{\"a\":\"\\u202e\\u009b\\u007fñ\"}",
            ),
        ] {
            let line = line(frame.as_bytes()).unwrap();
            assert_eq!(line, want);
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                value,
                serde_json::from_str::<serde_json::Value>(frame).unwrap()
            );
        }
    }

    #[test]
    fn what_is_no_json_is_not_shown() {
        for frame in [
            &b"hola"[..],
            b"",
            b"{",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\x1b\"}",
        ] {
            assert_eq!(line(frame), None, "{frame:?}");
        }
    }
}
