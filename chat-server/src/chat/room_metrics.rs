//! Counters of the room for monitoring. The room is the only writer.

use chat_proto::ErrorCode;

use crate::telemetry::counter::Counter;

/// The counters of one room.
#[derive(Debug, Default)]
pub struct RoomMetrics {
    /// Users who are online, and channels that exist.
    pub users: Counter,
    pub channels: Counter,
    /// Messages that wait for the recorder, and messages that are being recorded.
    pub gathered: Counter,
    pub recording: Counter,
    pub refusals: Refusals,
}

/// The number of errors of each code.
#[derive(Debug)]
pub struct Refusals([Counter; ErrorCode::ALL.len()]);

impl Default for Refusals {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
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
            .zip(self.0.iter().map(Counter::get))
    }
}
