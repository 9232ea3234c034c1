//! Everything that touches a socket.
//!
//! | file | what |
//! | --- | --- |
//! | [`worker`] | what serves people on one thread |
//! | [`acceptor`] | `Acceptor`, an actor per listener: takes connections, or refuses them |
//! | [`barred`] | where nobody comes in from |
//! | [`places`] | how many connections there may be, and how fast they may come |
//! | [`session`] | `Session`, an actor per connection: reads, at the pace that its limits allow |
//! | [`translate`] | a frame's request in the words of the core |
//! | [`errand`] | what a session wants of the accounts, out and back |
//! | [`pace`] | the message rate of a session |
//! | [`transport`] | what a session reads from and writes to |
//! | [`tls`] | such a layer: TLS |
//! | [`web`] | the page, its WebSocket, and what watches over the server |
//! | [`connection`] | one connection, as its session and the dispatcher share it |
//! | [`outbox`] | what waits to be written to one socket |
//! | [`table`] | the connections of a thread, by session and by channel |
//! | `piece` | frames for many, in the form that each wants |
//! | `stage` | what is much and for many, sent without a copy for each |
//! | [`counts`] | what the connections of a thread come to |
//! | `delivery` | what a batch means for them, and the writing |
//! | `clock` | timeouts, pings, last words |
//! | `brake` | when deliveries are slowed for those who read |
//! | [`dispatcher`] | `Dispatcher`, an actor per thread: puts deliveries into outboxes and writes |

pub mod acceptor;
pub mod barred;
mod brake;
mod clock;
pub mod connection;
pub mod counts;
mod delivery;
pub mod dispatcher;
pub mod errand;
pub mod outbox;
pub mod pace;
mod piece;
pub mod places;
pub mod session;
mod stage;
pub mod table;
pub mod tls;
pub mod translate;
pub mod transport;
pub mod web;
pub mod worker;
