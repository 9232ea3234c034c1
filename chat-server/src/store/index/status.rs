//! State of the index file, shared by the readers and the indexer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by the readers and the indexer.
#[derive(Debug, Clone, Default)]
pub struct IndexStatus(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// A reader could not read the index.
    is_damaged: AtomicBool,
    /// How often the index was opened or made again.
    generation: AtomicU64,
}

impl IndexStatus {
    /// Reports an index that cannot be read; the indexer makes it again.
    pub fn report_damage(&self) {
        self.0.is_damaged.store(true, Ordering::Release);
    }

    /// Returns the number of the present index: 0 while there is none.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Notes a new index, which readers have to open.
    pub(super) fn publish(&self) {
        self.0.is_damaged.store(false, Ordering::Release);
        self.0.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.0.is_damaged.load(Ordering::Acquire)
    }
}
