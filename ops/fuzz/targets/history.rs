//! A history of any bytes: read from both ends it has the same lines, or is damaged.
#![no_main]

use std::io::Write;

use chat_server::store::log::{LinePosition, Log, ReadLine};
use libfuzzer_sys::fuzz_target;

/// Whether all can be read, and what can.
fn all(mut lines: impl ReadLine) -> (bool, Vec<LinePosition>) {
    let mut places = Vec::new();
    loop {
        match lines.next_line() {
            Ok(Some(entry)) => places.push(entry.position),
            Ok(None) => return (true, places),
            Err(_) => return (false, places),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("room for it");
    let log = Log::over("history".as_ref(), file);
    let end = log
        .end_of_lines(bytes.len() as u64)
        .expect("it can be read");
    let (ahead, forward) = all(log.forward(0, end));
    let (back, mut backward) = all(log.backward(0, end));
    assert_eq!(ahead, back);
    if ahead {
        backward.reverse();
        assert_eq!(forward, backward);
        for place in &forward {
            assert!(log.locate(place.seq, 0, end).is_ok());
        }
    }
});
