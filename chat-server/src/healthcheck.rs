//! Whether the server of a configuration answers: for a container's health check.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::BytesMut;
use chat_proto::codec::{HEADER_BYTES, encode, split_frame};
use chat_proto::{Envelope, Event, Request};
use chat_server::config::Config;

const DEADLINE: Duration = Duration::from_secs(3);

/// Asks for a `pong` without a hello; that the server insists on one shows that it is alive.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let address = config
        .listen
        .tcp
        .get()
        .context("the configuration has no tcp listener")?;
    // A server that listens everywhere is asked here.
    let address = address
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    let target = address
        .to_socket_addrs()?
        .next()
        .with_context(|| format!("{address} is no address"))?;
    let mut stream = TcpStream::connect_timeout(&target, DEADLINE)
        .with_context(|| format!("no server at {address}"))?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let mut frame = BytesMut::new();
    encode(&Envelope::new(Request::Ping), &mut frame)?;
    stream.write_all(&frame)?;
    let mut answer = vec![0; HEADER_BYTES];
    stream.read_exact(&mut answer)?;
    let mut byte = [0];
    loop {
        if let Some(json) = split_frame(&answer)? {
            match Event::parse(json)? {
                Event::Error { .. } | Event::Pong { .. } => return Ok(()),
                other => bail!("an unexpected answer: {other:?}"),
            }
        }
        stream.read_exact(&mut byte)?;
        answer.extend_from_slice(&byte);
    }
}
