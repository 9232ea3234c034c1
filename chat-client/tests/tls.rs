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
        Self::until(server, 4096, "127.0.0.1:0").unwrap()
    }

    /// With a certificate that ends with that year, where this machine has the address.
    fn until(server: &FakeServer, year: i32, listen: &'static str) -> Option<Self> {
        std::net::TcpListener::bind(listen).ok()?;
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cert.pem"), cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let (tell, told) = mpsc::channel();
        let behind = server.address();
        thread::spawn(move || {
            let relay = relay(TlsAcceptor::from(Arc::new(config)), listen, behind, tell);
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(relay);
        });
        let address = told.recv_timeout(DEADLINE).unwrap();
        Some(Self { address, dir })
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

async fn relay(tls: TlsAcceptor, listen: &str, behind: String, tell: mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind(listen).await.unwrap();
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

/// The only error of a client that never gets in, which says what to do.
fn refused(client: Client, code: &str, words: &[&str]) {
    let (exit, out, errors) = client.end();
    assert_eq!(
        (exit, out.len(), errors.len()),
        (Some(1), 0, 1),
        "{errors:?}"
    );
    assert!(errors[0].starts_with(&format!("! {code}: ")), "{errors:?}");
    for word in words {
        assert!(errors[0].contains(word), "{word:?} in {errors:?}");
    }
    for raw in [
        "InvalidContentType",
        "UnknownIssuer",
        "corrupt",
        "os error",
        "eof",
        "Context {",
    ] {
        assert!(!errors[0].contains(raw), "{raw:?} in {errors:?}");
    }
}

#[test]
fn a_certificate_that_is_refused_is_told_in_words() {
    let server = FakeServer::start();
    let front = Front::of(&server);
    let file = front.certificate();
    let file = file.to_str().unwrap();
    let code = "connection_refused";
    let words = ["no authority", "--tls-ca", "--tls-pin", "SHA-256 "];
    refused(front.client(&["--tls"]), code, &words);
    let other = Front::of(&server);
    let others = other.certificate();
    let client = front.client(&["--tls-ca", others.to_str().unwrap()]);
    refused(client, code, &["--tls-ca", "--tls-pin"]);
    // An authority of the issuer's name, with a key of another kind.
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let namesake = other.dir.path().join("namesake.pem");
    fs::write(&namesake, params.self_signed(&key).unwrap().pem()).unwrap();
    let client = front.client(&["--tls-ca", namesake.to_str().unwrap()]);
    refused(client, code, &["do not vouch", "--tls-ca", "--tls-pin"]);
    let by_number = front.address.to_string();
    let client = Client::start(&[&by_number, "--nick", "bot", "--tls-ca", file]);
    refused(client, code, &["another name", "127.0.0.1", "--tls-pin"]);

    let expired = Front::until(&server, 2001, "127.0.0.1:0").unwrap();
    let file = expired.certificate();
    let client = expired.client(&["--tls-ca", file.to_str().unwrap()]);
    refused(
        client,
        code,
        &["expired", "2001-01-01 00:00:00", "--tls-pin"],
    );
}

#[test]
fn a_client_without_tls_at_a_port_with_tls() {
    let server = FakeServer::start();
    let front = Front::of(&server);
    let words = ["speaks TLS", "--tls", "--tls-ca", "--tls-pin"];
    refused(front.client(&[]), "connection_refused", &words);
    // A server may also close without a word.
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &[]);
    drop(server.accept());
    refused(client, "connection_lost", &["--tls"]);
}

#[test]
fn a_client_with_tls_at_a_port_without() {
    let server = FakeServer::start();
    let pin = "00".repeat(32);
    for says in ["bad_frame", ""] {
        let client = Client::of(&server, "bot", &["--tls-pin", &pin]);
        let mut peer = server.accept();
        if !says.is_empty() {
            peer.send(&support::error(says, &json!(null)));
        }
        drop(peer);
        refused(client, "connection_refused", &["leave out --tls"]);
    }
}

/// The zone of an address is of this machine alone: no certificate names it.
#[test]
fn an_address_with_a_zone() {
    let server = FakeServer::start();
    let Some(front) = Front::until(&server, 4096, "[::1]:0") else {
        eprintln!("skipped: this machine has no IPv6");
        return;
    };
    let address = format!("[::1%1]:{}", front.address.port());
    let wrong = Client::start(&[&address, "--nick", "bot", "--tls-pin", &"00".repeat(32)]);
    let (_, _, errors) = wrong.end();
    let (_, pin) = errors[0].split_once("SHA-256 ").unwrap();
    let client = Client::start(&[&address, "--nick", "bot", "--tls-pin", pin.trim()]);
    is_recorded(&server, client);
}
