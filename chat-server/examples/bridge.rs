//! `bridge LISTEN WEB`: takes the frames of TCP at one address and speaks over the WebSocket at the other, until
//! it is killed. `.ci/run` plays the contract cases over it.

#[path = "../tests/support/bridge.rs"]
mod bridge;

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread::{park, sleep};
use std::time::Duration;

/// How often it is looked whether the server is there.
const TURN: Duration = Duration::from_millis(10);

fn main() -> Result<(), Box<dyn Error>> {
    let mut addresses = std::env::args().skip(1);
    let (Some(listen), Some(web)) = (addresses.next(), addresses.next()) else {
        return Err("bridge LISTEN WEB, each HOST:PORT".into());
    };
    let web = web.parse()?;
    // Who can connect here is to be answered.
    while TcpStream::connect(web).is_err() {
        sleep(TURN);
    }
    bridge::serve(TcpListener::bind(listen)?, web);
    loop {
        park();
    }
}
