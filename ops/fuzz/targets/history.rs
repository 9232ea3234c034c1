//! A history of any bytes: read from both ends it has the same lines, or is damaged.
#![no_main]

use std::io::Write;

use chat_server::store::log::{Log, Place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("room for it");
    let log = Log::over("history".as_ref(), file);
    let end = log.end_of_lines(bytes.len() as u64).expect("it can be read");
    let (mut forward, mut backward) = (Vec::<Place>::new(), Vec::<Place>::new());
    let mut lines = log.forward(0, end);
    let ahead = loop {
        match lines.next_line() {
            Ok(Some((place, _))) => forward.push(place),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    let mut lines = log.backward(0, end);
    let back = loop {
        match lines.next_line() {
            Ok(Some((place, _))) => backward.push(place),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert_eq!(ahead, back);
    if ahead {
        backward.reverse();
        assert_eq!(forward, backward);
        for place in &forward {
            assert!(log.locate(place.seq, 0, end).is_ok());
        }
    }
});
