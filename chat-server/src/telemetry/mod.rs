//! What the server tells about itself.
//!
//! | file | content |
//! | --- | --- |
//! | [`counter`] | a number that one thread writes and others read |
//! | [`health`] | the faults that `/healthz` reports |
//! | [`supervisor`] | the end of an actor that the server cannot do without |

pub mod counter;
pub mod health;
pub mod supervisor;
