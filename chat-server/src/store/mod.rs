//! Everything that outlives the process.
//!
//! | file | what |
//! | --- | --- |
//! | [`log`] | the history file: its lines, forward, backward, by number; what is damaged |
//! | [`open`] | opening it at the start: the torn end, the tail |
//! | [`recorder`] | `Recorder`, the actor that appends to it |
//! | `forced` | having it on the disk, also after the disk has refused once |
//! | [`index`] | which lines belong to which conversation, in a file beside it |
//! | [`history`] | `History`, the actors that read pages and what somebody missed |
//! | [`read_queue`] | the queue before them |
//! | [`sqlite`] | the file of the accounts: schema, migrations, queries |
//! | [`password`] | argon2id |
//! | [`accounts`] | `Accounts`, the actors that check passwords and change accounts |
//! | [`attempts`] | the wrong passwords of an address |
//! | [`keeper`] | `Keeper`, the actor that tells the room which nicks are protected |
//! | [`tokens`] | `Tokens`, the actor that keeps who may come back |
//! | `line` | the queue of logins before them |
//! | [`turns`] | in which order logins are looked at |
//! | `selection` | which lines make a page |

pub mod accounts;
pub mod attempts;
mod forced;
pub mod history;
pub mod index;
pub mod keeper;
mod line;
pub mod log;
pub mod open;
pub mod password;
pub mod read_queue;
pub mod recorder;
mod selection;
pub mod sqlite;
pub mod tokens;
pub mod turns;
