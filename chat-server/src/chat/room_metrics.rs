//! What the room counts for those who watch over the server: plain numbers, which it alone writes.

use chat_proto::ErrorCode;

use crate::count::Count;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct RoomMetrics {
    /// People who are here, and channels that exist.
    pub users: Count,
    pub channels: Count,
    /// Messages that are gathered for the recorder, and that it has.
    pub gathered: Count,
    pub recording: Count,
    pub refusals: Refusals,
}

/// How often each code was said.
#[derive(Debug)]
pub struct Refusals([Count; ErrorCode::ALL.len()]);

impl Default for Refusals {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

impl Refusals {
    pub fn add(&self, code: ErrorCode) {
        if let Some(count) = self.0.get(code as usize) {
            count.add(1);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (ErrorCode, u64)> {
        ErrorCode::ALL
            .into_iter()
            .zip(self.0.iter().map(Count::get))
    }
}
