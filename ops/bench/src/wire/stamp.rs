//! The last 16 bytes of every text say who sent it and the how-manieth of that sender it is. They are
//! letters of `@A..O`, four bits each, so that they survive JSON, IRC and NATS and are read back in a
//! few instructions: the check must not cost more than the delivery.

pub(crate) const STAMP_BYTES: usize = 16;

const LETTER: u64 = 0x4040_4040_4040_4040;
const LETTER_MASK: u64 = 0xF0F0_F0F0_F0F0_F0F0;

/// Which message this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Senders are numbered through all channels, from 0.
    pub(crate) sender: u32,
    /// From 0 for each sender.
    pub(crate) counter: u32,
}

impl Stamp {
    pub(crate) fn encode(self) -> [u8; STAMP_BYTES] {
        let mut bytes = [0; STAMP_BYTES];
        bytes[..8].copy_from_slice(&spread(self.sender));
        bytes[8..].copy_from_slice(&spread(self.counter));
        bytes
    }

    /// `None` if these are not the letters of a stamp.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (sender, counter) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            sender: gather(*sender)?,
            counter: gather(*counter.first_chunk::<8>()?)?,
        })
    }
}

/// One letter for every four bits, the most significant first.
fn spread(number: u32) -> [u8; 8] {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
    bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    (bits | LETTER).to_be_bytes()
}

fn gather(letters: [u8; 8]) -> Option<u32> {
    let mut bits = u64::from_be_bytes(letters);
    if bits & LETTER_MASK != LETTER {
        return None;
    }
    bits &= !LETTER_MASK;
    bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF;
    bits = (bits | bits >> 16) & 0x0000_0000_FFFF_FFFF;
    u32::try_from(bits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_as_it_was_written() {
        for (sender, counter) in [
            (0, 0),
            (1, 2),
            (0x1234_5678, 0x9ABC_DEF0),
            (u32::MAX, u32::MAX),
        ] {
            let stamp = Stamp { sender, counter };
            assert_eq!(Stamp::decode(&stamp.encode()), Some(stamp));
        }
    }

    #[test]
    fn other_text_is_no_stamp() {
        assert_eq!(Stamp::decode(b"just some letter"), None);
        assert_eq!(Stamp::decode(b"@@@@"), None);
    }
}
