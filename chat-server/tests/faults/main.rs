//! Faults of the world around the server: its disk, the power, the network, the clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod disk;
mod forced;
mod network;
mod power;
mod preload;
#[path = "../support/mod.rs"]
mod support;
