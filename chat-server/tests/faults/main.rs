//! Faults of the world around the server: its disk, the power, the clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod disk;
mod forced;
mod power;
mod preload;
#[path = "../support/mod.rs"]
mod support;
