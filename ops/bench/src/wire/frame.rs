//! Frames over TCP: a 4-byte big-endian length, then that many bytes (PROTOCOL.md, 1.1 and 1.2).

use super::Heard;

/// The longest frame of protocol version 1.
const MAX_FRAME_BYTES: usize = 65_536;

pub(crate) fn append_frame(payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).expect("a frame of the generator is short");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Hands each complete payload to `on` and returns how many bytes they took with their lengths.
/// After a length that cannot be, everything counts as used: there is no way to go on.
pub(crate) fn split_frames(
    bytes: &[u8],
    mut on: impl FnMut(&[u8]),
) -> std::result::Result<usize, Heard<'static>> {
    let mut at = 0;
    while let Some((length, rest)) = bytes[at..].split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > MAX_FRAME_BYTES {
            return Err(Heard::Trouble(b"a frame of impossible length"));
        }
        let Some(payload) = rest.get(..length) else {
            break;
        };
        on(payload);
        at += 4 + length;
    }
    Ok(at)
}
