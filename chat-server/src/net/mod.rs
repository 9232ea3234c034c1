//! Everything that touches a socket.
//!
//! | file | what |
//! | --- | --- |
//! | [`worker`] | what serves people on one thread |
//! | [`acceptor`] | `Acceptor`, an actor per listener: takes connections, or refuses them |
//! | [`session`] | `Session`, an actor per connection: reads, at the pace that its limits allow |
//! | [`translate`] | a frame's request in the words of the core |
//! | [`pace`] | the message rate of a session |
//! | [`transport`] | what a session reads from and writes to |
//! | [`tls`] | such a layer: TLS |
//! | [`web`] | the page, its WebSocket, and what watches over the server |
//! | [`connection`] | one connection, as its session and the dispatcher share it |
//! | [`outbox`] | what waits to be written to one socket |
//! | [`table`] | the connections of a thread, by session and by channel |
//! | [`dispatcher`] | `Dispatcher`, an actor per thread: puts deliveries into outboxes and writes |

pub mod acceptor;
pub mod connection;
pub mod dispatcher;
pub mod outbox;
pub mod pace;
pub mod session;
pub mod table;
pub mod tls;
pub mod translate;
pub mod transport;
pub mod web;
pub mod worker;
