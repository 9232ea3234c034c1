//! A town in which people come, go, talk, are cut off and come back, for as long as one likes, and the
//! question whether anyone ever missed or heard twice a word.
//!
//! Each person keeps a [`tally`] of what they were sent from their first word to their last; in the end
//! the history says what that should have been, byte for byte.

mod heard;
mod line;
mod person;
mod random;
mod tally;
mod town;

pub(crate) use tally::check;
pub(crate) use town::Town;
