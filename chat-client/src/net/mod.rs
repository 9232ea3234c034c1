//! The connection to the server: addresses, TCP and TLS.

pub mod address;
pub mod connection;
pub mod race;
pub mod tls;
