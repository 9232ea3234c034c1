//! Positions in the history file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Where a line stands; its length without the newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePosition {
    pub seq: u64,
    pub offset: u64,
    pub bytes: u32,
}

/// Which end to begin at, where not all is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// Where the recorded lines end; readers look no further.
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

    pub(super) fn set(&self, end: u64) {
        self.0.end.store(end, Ordering::Release);
    }

    /// Whether the recorder has found the file shorter than its lines.
    pub fn is_truncated(&self) -> bool {
        self.0.is_truncated.load(Ordering::Relaxed)
    }

    pub(super) fn set_truncated(&self, is_truncated: bool) {
        self.0.is_truncated.store(is_truncated, Ordering::Relaxed);
    }
}
