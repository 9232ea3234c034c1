//! TLS: which certificates of a server are trusted.
//!
//! The system's authorities vouch for a server, or those in a file (`--tls-ca`), or its fingerprint
//! is given (`--tls-pin`). A user at a terminal may accept an unverifiable
//! certificate once; its fingerprint is kept in `known_servers`.

use std::io::{self, BufRead as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat_proto::Timestamp;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use super::known_servers::{Fingerprint, KnownServers};
use super::race::reach;

/// How long a server may take to present the certificate that the user is asked about.
const PROBE: Duration = Duration::from_secs(10);

/// Who vouches for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrust {
    /// The authorities of the system, and the known servers.
    System,
    /// Only the certificates in this file.
    Authority(PathBuf),
    /// Only the certificate with this fingerprint.
    Pinned(Fingerprint),
}

/// Why no TLS configuration can be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("--tls-ca {}", path.display())]
    Authority { path: PathBuf, source: pem::Error },
    #[error("--tls-ca {}: the file has no certificate that can be used", .0.display())]
    NoAuthority(PathBuf),
    #[error("{}", path.display())]
    Known { path: PathBuf, source: io::Error },
    #[error("the certificate of {0} is not trusted")]
    Declined(String),
    #[error("the terminal")]
    Terminal(#[source] io::Error),
}

/// What connections are made with. Where `person` is at the terminal and the server's certificate
/// is unknown, they are asked, once.
///
/// # Errors
/// A file cannot be read or written, or the person does not trust the certificate.
pub fn prepare(
    trust: &TlsTrust,
    host: &str,
    port: u16,
    person: bool,
) -> Result<Arc<ClientConfig>, TlsError> {
    match trust {
        TlsTrust::Pinned(pin) => Ok(Verifier::new(None, Some(*pin)).into_config()),
        TlsTrust::Authority(path) => {
            let authorities = authorities(path)?;
            Ok(Verifier::new(Some(authorities), None).into_config())
        }
        TlsTrust::System => {
            let known = KnownServers::of_this_user();
            let server = format!("{host}:{port}");
            let system = system_authorities();
            let mut pin = known.as_ref().and_then(|known| known.get(&server));
            if pin.is_none()
                && person
                && let Some(unknown) = unknown_certificate(system.clone(), host, port)
            {
                if !asked(&server, unknown).map_err(TlsError::Terminal)? {
                    return Err(TlsError::Declined(server));
                }
                if let Some(known) = &known {
                    known
                        .add(&server, unknown)
                        .map_err(|source| TlsError::Known {
                            path: known.path(),
                            source,
                        })?;
                }
                pin = Some(unknown);
            }
            Ok(Verifier::of_system(system, pin).into_config())
        }
    }
}

fn authorities(path: &Path) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| TlsError::Authority {
            path: path.to_owned(),
            source,
        })?;
    roots.add_parsable_certificates(certificates);
    verifier(roots).ok_or_else(|| TlsError::NoAuthority(path.to_owned()))
}

/// `None` on a system that knows none.
fn system_authorities() -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        log::debug!("an authority of the system cannot be read: {error}");
    }
    roots.add_parsable_certificates(loaded.certs);
    verifier(roots)
}

fn verifier(roots: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
    let provider = Arc::new(ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .ok()
}

/// Returns the fingerprint of an unverifiable certificate, if the server can be reached.
fn unknown_certificate(
    system: Option<Arc<WebPkiServerVerifier>>,
    host: &str,
    port: u16,
) -> Option<Fingerprint> {
    let verifier = Verifier::new(system, None);
    let refused = verifier.refused.clone();
    let name = server_name(host).ok()?;
    let mut connection = ClientConnection::new(verifier.into_config(), name).ok()?;
    let mut socket = reached(host, port).ok()?;
    socket.set_read_timeout(Some(PROBE)).ok()?;
    // Whatever else is wrong is said when the connection is made.
    connection.complete_io(&mut socket).err()?;
    *refused.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects as [`link`](crate::net::connection) does, before the actors' runtime runs.
fn reached(host: &str, port: u16) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stream = runtime.block_on(reach(host, port))?.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Returns the name that the server's certificate has to be for: a zone (`%eth0`) is of this
/// machine alone (RFC 6874).
///
/// # Errors
/// No certificate can be for it.
pub fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    let name = match address.parse::<Ipv6Addr>() {
        Ok(address) => return Ok(IpAddr::V6(address).into()),
        Err(_) => host.to_owned(),
    };
    ServerName::try_from(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// Returns why there is no encrypted connection, with the option that may help.
pub fn failure(error: &io::Error) -> String {
    const PLAIN: &str = "leave out --tls, --tls-ca and --tls-pin, or name the port that has TLS";
    log::debug!("no TLS: {error}");
    let inner = error.get_ref();
    match inner.and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::General(words)) => words.clone(),
        Some(Error::InvalidMessage(_)) => format!("that port does not speak TLS; {PLAIN}"),
        Some(Error::AlertReceived(_)) => {
            "the server refuses this TLS connection, perhaps for want of a common version"
                .to_owned()
        }
        Some(_) => format!("the TLS handshake failed; if that port does not speak TLS, {PLAIN}"),
        None if error.kind() == io::ErrorKind::InvalidInput => {
            format!("no certificate can be for that name ({error}); use another name for --tls")
        }
        None if error.kind() == io::ErrorKind::TimedOut => {
            format!("no TLS answer came in time; if that port does not speak TLS, {PLAIN}")
        }
        None => {
            let closed = "the server closed the connection when TLS was to begin";
            format!("{closed}; if that port does not speak TLS, {PLAIN}")
        }
    }
}

/// Returns why a certificate is refused, with the option that may help.
fn untrusted(error: &Error, fingerprint: Fingerprint, system: bool) -> String {
    log::debug!("the certificate is refused: {error}");
    let Error::InvalidCertificate(error) = error else {
        return format!("its certificate cannot be verified: SHA-256 {fingerprint}");
    };
    let pin = format!("--tls-pin trusts it nonetheless: SHA-256 {fingerprint}");
    let date = |time: &UnixTime| {
        let millis = i64::try_from(time.as_secs() * 1000).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis).to_string()
    };
    match error {
        // The signature is none of an authority that has the name of the issuer.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            if system {
                format!(
                    "no authority that this machine trusts vouches for its certificate; --tls-ca \
                     FILE names an authority, {pin}"
                )
            } else {
                format!("the certificates of --tls-ca do not vouch for its certificate; {pin}")
            }
        }
        CertificateError::Expired => format!("its certificate has expired; {pin}"),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!(
                "its certificate has expired: it ended {}; {pin}",
                date(not_after)
            )
        }
        CertificateError::NotValidYet => format!("its certificate is not valid yet; {pin}"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let begins = date(not_before);
            format!("its certificate is not valid before {begins}; {pin}")
        }
        CertificateError::NotValidForName => {
            format!("its certificate is for another name; {pin}")
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            let name = expected.to_str();
            format!("its certificate is for another name than {name}; {pin}")
        }
        _ => format!("its certificate cannot be verified; {pin}"),
    }
}

fn asked(server: &str, fingerprint: Fingerprint) -> io::Result<bool> {
    let mut terminal = io::stdout().lock();
    write!(
        terminal,
        "Nobody vouches for the certificate of {server}.\nSHA-256: {fingerprint}\n\
         Is this the fingerprint that you were told, and is it to be trusted from now on? [y/N] "
    )?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Accepts certificates of the authorities and the certificate with the known fingerprint.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<Fingerprint>,
    /// The authorities are those of the system.
    system: bool,
    algorithms: WebPkiSupportedAlgorithms,
    /// The last certificate that was rejected because no authority issued it.
    refused: Arc<Mutex<Option<Fingerprint>>>,
}

impl Verifier {
    fn new(authorities: Option<Arc<WebPkiServerVerifier>>, pin: Option<Fingerprint>) -> Self {
        Self {
            authorities,
            pin,
            system: false,
            algorithms: ring::default_provider().signature_verification_algorithms,
            refused: Arc::default(),
        }
    }

    /// Returns a verifier that trusts the system's authorities, and what was trusted before.
    fn of_system(authorities: Option<Arc<WebPkiServerVerifier>>, pin: Option<Fingerprint>) -> Self {
        let system = true;
        Self {
            system,
            ..Self::new(authorities, pin)
        }
    }

    fn into_config(self) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self))
            .with_no_client_auth();
        Arc::new(config)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = Fingerprint::of(certificate);
        if self.pin == Some(fingerprint) {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(
                certificate,
                intermediates,
                server,
                ocsp_response,
                now,
            ),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        match verified {
            Ok(verified) => Ok(verified),
            Err(_) if self.pin.is_some() => {
                let trusted = if self.system {
                    "that was trusted before (known_servers); --tls-pin trusts another one"
                } else {
                    "that --tls-pin names"
                };
                Err(Error::General(format!(
                    "its certificate is not the one {trusted}: SHA-256 {fingerprint}"
                )))
            }
            Err(error) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
                Err(Error::General(untrusted(&error, fingerprint, self.system)))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_no_part_of_the_name() {
        for (host, name) in [
            ("fe80::1%eth0", "fe80::1"),
            ("fe80::1%3", "fe80::1"),
            ("::1", "::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("chat.example", "chat.example"),
        ] {
            assert_eq!(server_name(host).unwrap().to_str(), name);
        }
        assert!(server_name("a%b").is_err());
    }
}
