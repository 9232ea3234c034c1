//! Everything that outlives the process.
//!
//! | file | what |
//! | --- | --- |
//! | [`log`] | the history file: its lines, forward, backward, by number; what is damaged |
//! | [`open`] | opening it at the start: the torn end, the tail |
//! | [`recorder`] | `Recorder`, the actor that appends to it |
//! | `forced` | having it on the disk, also after the disk has refused once |
//! | `appender` | writes and takes back lines |
//! | [`guard`] | notices a history file that was renamed, deleted, replaced, truncated or extended |
//! | [`ledger`] | a file beside the history: how far it had got, and whether it was lost |
//! | [`known`] | refuses a history that is shorter than what else is known |
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
mod appender;
pub mod attempts;
mod forced;
pub mod guard;
pub mod history;
pub mod index;
pub mod keeper;
pub mod known;
pub mod ledger;
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
