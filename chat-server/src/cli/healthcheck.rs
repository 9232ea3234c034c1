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

/// The longest answer that is read.
const LONGEST: u64 = 16 * 1024;

/// Asks `/healthz` whether it is well; where there is none, whether the server is there.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    let page = config.listen.web.get().filter(|_| !config.web.tls);
    match (
        config.listen.metrics.get().or(page),
        config.listen.tcp.get(),
    ) {
        (Some(address), _) => ask_page(address),
        (None, Some(address)) => ask_for_pong(address),
        (None, None) => bail!("the configuration has no listener without TLS"),
    }
}

fn connect(address: &str) -> anyhow::Result<TcpStream> {
    // A server that listens everywhere is asked here.
    let address = address
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    let target = address
        .to_socket_addrs()?
        .next()
        .with_context(|| format!("{address} is no address"))?;
    let stream = TcpStream::connect_timeout(&target, DEADLINE)
        .with_context(|| format!("no server at {address}"))?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

fn ask_page(address: &str) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    let (head, words) = answer.split_once("\r\n\r\n").context("no answer")?;
    // A server that has no room for one more connection is well, and says nothing.
    if head.starts_with("HTTP/1.1 200 ") || words.is_empty() {
        return Ok(());
    }
    bail!("{}", words.trim_end())
}

/// Asks for a `pong` without a hello; that the server insists on one shows that it is alive.
fn ask_for_pong(address: &str) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
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
