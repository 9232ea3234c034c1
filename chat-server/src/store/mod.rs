//! Everything that outlives the process.
//!
//! | file | what |
//! | --- | --- |
//! | [`log`] | the history file: its lines, forward, backward, by number; what is damaged |
//! | [`open`] | opening it at the start: the torn end, the tail |
//! | [`recorder`] | `Recorder`, the actor that appends to it |
//! | [`index`] | which lines belong to which conversation, in a file beside it |
//! | [`history`] | `History`, the actors that read pages and what somebody missed |
//! | `selection` | which lines make a page |

pub mod history;
pub mod index;
pub mod log;
pub mod open;
pub mod recorder;
mod selection;
