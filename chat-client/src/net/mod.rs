//! The connection to the server: addresses, TCP and TLS.

pub mod address;
pub mod connection;
pub mod known_servers;
pub mod race;
pub mod tls;
