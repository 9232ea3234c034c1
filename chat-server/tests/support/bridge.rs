//! Whoever speaks the frames of TCP speaks over the WebSocket of a server here: the scenes of the tests, and
//! the contract cases, are then played over it as they are. It shares no code with the server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// A text message that is whole, and a close: of a client, so masked, by nothing.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];

/// Takes connections until the process ends.
pub(crate) fn serve(listener: TcpListener, web: SocketAddr) {
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // Who is refused or goes is closed, and that is all that is to be said.
            thread::spawn(move || connect(client, web).ok());
        }
    });
}

fn connect(mut client: TcpStream, web: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(web)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    write!(
        server,
        "GET /ws HTTP/1.1\r\nHost: {web}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    let mut answers = BufReader::new(server.try_clone()?);
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if line.starts_with("HTTP/1.1 503 ") {
        // What is said over HTTP instead.
        let full = br#"{"type":"error","code":"server_full","detail":"HTTP 503"}"#;
        let length = u8::try_from(full.len()).map_err(io::Error::other)?;
        client.write_all(&[0, 0, 0, length])?;
        return client.write_all(full);
    }
    if !line.starts_with("HTTP/1.1 101 ") {
        return Err(io::Error::other(line));
    }
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line)?;
    }
    let mut told = client.try_clone()?;
    let telling = thread::spawn(move || {
        let ended = tell(&mut answers, &mut told);
        // The server may have gone without a word; the client sees it go all the same.
        told.shutdown(Shutdown::Write).ok();
        ended
    });
    ask(&mut client, &mut server)?;
    telling.join().map_err(|_| io::Error::other("a panic"))?
}

/// From the client to the server, a text for each frame.
fn ask(client: &mut impl Read, server: &mut impl Write) -> io::Result<()> {
    let mut header = [0; 4];
    let mut input = BufReader::new(client);
    while input.read_exact(&mut header).is_ok() {
        let length = u64::from(u32::from_be_bytes(header));
        let mut message = vec![TEXT];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => message.push(MASKED | short),
            (_, Ok(long)) => {
                message.push(MASKED | 126);
                message.extend(long.to_be_bytes());
            }
            _ => {
                message.push(MASKED | 127);
                message.extend(length.to_be_bytes());
            }
        }
        message.extend(MASK);
        server.write_all(&message)?;
        // As it comes: a frame that is not whole is no whole message.
        if io::copy(&mut input.by_ref().take(length), server)? < length {
            break;
        }
    }
    server.write_all(&[CLOSE, MASKED, MASK[0], MASK[1], MASK[2], MASK[3]])
}

/// From the server to the client, a frame for each text.
fn tell(server: &mut impl Read, client: &mut impl Write) -> io::Result<()> {
    let mut head = [0; 2];
    loop {
        server.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                server.read_exact(&mut length)?;
                u32::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                server.read_exact(&mut length)?;
                u32::try_from(u64::from_be_bytes(length)).map_err(io::Error::other)?
            }
            short => u32::from(short),
        };
        let mut payload = server.take(length.into());
        if head[0] == TEXT {
            client.write_all(&length.to_be_bytes())?;
            io::copy(&mut payload, client)?;
        } else {
            return Ok(());
        }
    }
}
