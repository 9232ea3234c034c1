//! Positions in the history file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The position of a line; `bytes` excludes the newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePosition {
    pub seq: u64,
    pub offset: u64,
    pub bytes: u32,
}

/// The end at which a bounded selection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// The end of the recorded lines, which bounds all readers.
#[derive(Debug, Clone, Default)]
pub struct RecordedEnd(Arc<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    end: AtomicU64,
    /// The file was truncated, so it need not have the lines before the end.
    is_truncated: AtomicBool,
}

impl RecordedEnd {
    pub fn new(end: u64) -> Self {
        let recorded = Recorded {
            end: AtomicU64::new(end),
            is_truncated: AtomicBool::new(false),
        };
        Self(Arc::new(recorded))
    }

    pub fn get(&self) -> u64 {
        self.0.end.load(Ordering::Acquire)
    }

    pub(in crate::store) fn set(&self, end: u64) {
        self.0.end.store(end, Ordering::Release);
    }

    /// Returns whether the recorder found the file shorter than its lines.
    pub fn is_truncated(&self) -> bool {
        self.0.is_truncated.load(Ordering::Relaxed)
    }

    pub(in crate::store) fn set_truncated(&self, is_truncated: bool) {
        self.0.is_truncated.store(is_truncated, Ordering::Relaxed);
    }
}
