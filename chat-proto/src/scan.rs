//! Classifies the bytes of a text, many at once.

/// The number of bytes that one step classifies.
const LANES: usize = 32;

/// Returns the OR of `class(b)` over all bytes; each bit is a class. `class(b' ')` must be 0.
///
/// The loop has no branches, even for the last bytes, and the compiler vectorises it.
pub(crate) fn classes(bytes: &[u8], class: impl Fn(u8) -> u8) -> u8 {
    debug_assert_eq!(class(b' '), 0);
    let (chunks, rest) = bytes.as_chunks();
    let mut short = [b' '; LANES];
    // The last chunk overlaps the one before it, which is faster than a copy of the rest.
    let last = bytes.last_chunk().unwrap_or_else(|| {
        short[..rest.len()].copy_from_slice(rest);
        &short
    });
    let mut found = [0; LANES];
    let mut look = |chunk: &[u8; LANES]| {
        for (found, &byte) in found.iter_mut().zip(chunk) {
            *found |= class(byte);
        }
    };
    chunks.iter().for_each(&mut look);
    look(last);
    found.iter().fold(0, |all, one| all | one)
}

/// Returns `class` if `is_in`, else 0.
pub(crate) const fn bit(class: u8, is_in: bool) -> u8 {
    if is_in { class } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_anywhere_is_found() {
        for length in 0..100 {
            for at in 0..length {
                let mut bytes = vec![b' '; length];
                let look = |bytes: &[u8]| {
                    classes(bytes, |byte| bit(1, byte == b'a') | bit(2, byte > b'a'))
                };
                assert_eq!(look(&bytes), 0);
                bytes[at] = b'a';
                assert_eq!(look(&bytes), 1);
                bytes[0] = 0xff;
                assert_eq!(look(&bytes), if at == 0 { 2 } else { 3 });
            }
        }
    }
}
