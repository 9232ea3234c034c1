//! Whom an encrypted connection is trusted to lead to: the real binary against a scripted server
//! behind TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

use serde_json::json;
use support::terminal::Terminal;
use support::{Client, DEADLINE, FakeServer, command};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// TLS in front of a server, with a certificate of its own for `localhost`.
struct Front {
    address: SocketAddr,
    /// Has `cert.pem`, and is the state folder of clients.
    dir: TempDir,
}

impl Front {
    fn of(server: &FakeServer) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let (tell, told) = mpsc::channel();
        let behind = server.address();
        thread::spawn(move || {
            let relay = relay(TlsAcceptor::from(Arc::new(config)), behind, tell);
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(relay);
        });
        let address = told.recv_timeout(DEADLINE).unwrap();
        Self { address, dir }
    }

    fn server(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    fn certificate(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    fn client(&self, args: &[&str]) -> Client {
        let server = self.server();
        let mut all = vec![server.as_str(), "--nick", "bot"];
        all.extend(args);
        Client::spawn(command(&all).env("XDG_STATE_HOME", self.dir.path()))
    }

    fn terminal(&self) -> Terminal {
        Terminal::shell(&format!(
            "XDG_STATE_HOME={:?} exec \"$CLIENT\" {} --plain --nick ana --tls",
            self.dir.path(),
            self.server()
        ))
    }
}

async fn relay(tls: TlsAcceptor, behind: String, tell: mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    tell.send(listener.local_addr().unwrap()).unwrap();
    while let Ok((socket, _)) = listener.accept().await {
        // A client that refuses the certificate is none of the server's business.
        if let Ok(mut stream) = tls.accept(socket).await {
            let mut server = TcpStream::connect(&behind).await.unwrap();
            tokio::io::copy_bidirectional(&mut stream, &mut server)
                .await
                .ok();
        }
    }
}

fn is_recorded(server: &FakeServer, mut client: Client) {
    let mut peer = server.greet();
    client.type_line("hola");
    client.end_input();
    peer.record("bot", 1);
    peer.goodbye();
    assert_eq!(client.end().0, Some(0));
}

#[test]
fn who_has_the_certificate_or_its_fingerprint_is_let_through() {
    let server = FakeServer::start();
    let front = Front::of(&server);
    let file = front.certificate();
    is_recorded(&server, front.client(&["--tls-ca", file.to_str().unwrap()]));

    let refused = front.client(&["--tls-pin", &"00".repeat(32)]);
    let (code, _, errors) = refused.end();
    assert_eq!(code, Some(1));
    // What is refused is named by its fingerprint.
    let (_, pin) = errors[0].split_once("SHA-256 ").unwrap();
    is_recorded(&server, front.client(&["--tls-pin", pin.trim()]));
}

#[test]
fn a_pipe_does_not_talk_to_a_server_that_nobody_vouches_for() {
    let server = FakeServer::start();
    let front = Front::of(&server);
    let (code, _, errors) = front.client(&["--tls"]).end();
    assert_eq!(code, Some(1));
    assert!(
        errors[0].starts_with("! connection_refused: "),
        "{errors:?}"
    );
    let (code, _, errors) = front.client(&["--tls-ca", "/dev/null"]).end();
    assert_eq!(code, Some(1));
    assert!(errors[0].contains("/dev/null"), "{errors:?}");
}

#[test]
fn a_person_is_asked_once() {
    let server = FakeServer::start();
    let front = Front::of(&server);
    let mut no = front.terminal();
    no.sees("trusted from now on? [y/N]");
    no.keys("\r");
    assert_eq!(no.end(), 1);

    for question in [true, false] {
        let mut terminal = front.terminal();
        if question {
            terminal.sees("Nobody vouches for the certificate of localhost");
            terminal.keys("y\r");
        }
        let mut peer = server.greet();
        peer.expect("users");
        peer.send(&json!({
            "type": "users", "channel": "#lobby", "users": ["ana"], "total": 1, "more": false
        }));
        terminal.sees("* you are ana on fake/1\n#lobby>");
        terminal.keys(".q\r");
        peer.goodbye();
        assert_eq!(terminal.end(), 0);
    }
    // A script of the same person profits.
    is_recorded(&server, front.client(&["--tls"]));
}
