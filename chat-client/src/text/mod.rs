//! What arrives from outside, as text that is safe to show. Pure: no I/O.

pub mod escape;
pub mod format;
pub mod json;
pub mod moderation;
pub mod spinner;
pub mod wording;
