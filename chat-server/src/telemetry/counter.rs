//! A number that one thread writes and any may read, for as little as an addition: without a locked
//! instruction, as nobody else writes it.

use std::sync::atomic::{AtomicU64, Ordering};

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: u64) {
        self.set(self.get().wrapping_add(more));
    }

    pub fn sub(&self, fewer: u64) {
        self.set(self.get().wrapping_sub(fewer));
    }

    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
