//! Clients that speak TLS.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::{DEADLINE, Home};

pub(crate) type Encrypted = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn new_certificate(home: &Home) {
    let made = home
        .program()
        .args(["certificate", "new"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Connects as one who trusts the certificate that is in the file now.
pub(crate) fn connect(
    home: &Home,
    address: SocketAddr,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<Encrypted> {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(home.file("cert.pem")).unwrap();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection =
        ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let socket = TcpStream::connect_timeout(&address, DEADLINE)?;
    socket.set_read_timeout(Some(DEADLINE))?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}
