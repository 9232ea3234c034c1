//! `chat-server certificate new`: a certificate of one's own, for servers that no authority vouches for.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chat_server::config::Config;
use clap::Subcommand;
use jiff::ToSpan as _;
use sha2::{Digest as _, Sha256};

/// How long a certificate is valid, in years: nobody renews it but by making a new one.
const VALID_YEARS: i32 = 10;

/// What can be done with certificates.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Certificate {
    /// Make a self-signed certificate and print its fingerprint, for `chat-client --tls-pin`
    ///
    /// Files that exist are left alone. Clients that have the certificate itself can be given it with
    /// --tls-ca instead. A running server takes up new files on SIGHUP.
    New {
        /// A name or an address by which the server is reached; may be given several times
        #[arg(long = "name", value_name = "HOST", default_values = ["localhost", "127.0.0.1", "::1"])]
        names: Vec<String>,
        /// Where the certificate goes [default: cert of [tls], or cert.pem]
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
        /// Where the private key goes, for its owner's eyes only [default: key of [tls], or key.pem]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub(crate) fn run(config: &Config, command: &Certificate) -> anyhow::Result<()> {
    let Certificate::New { names, cert, key } = command;
    let configured = config.tls.as_ref();
    let or_default = |file: &Option<PathBuf>, configured: Option<&PathBuf>, name: &str| {
        let file = file.as_ref().or(configured);
        file.cloned().unwrap_or_else(|| name.into())
    };
    let cert = or_default(cert, configured.map(|tls| &tls.cert), "cert.pem");
    let key = or_default(key, configured.map(|tls| &tls.key), "key.pem");

    let mut params = rcgen::CertificateParams::new(names.clone()).context("--name")?;
    let today = jiff::ZonedDateTime::now().date();
    let date = |date: jiff::civil::Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = date(today - 1.day());
    params.not_after = date(today + VALID_YEARS.years());
    params.distinguished_name = rcgen::DistinguishedName::new();
    let name = names.first().map_or("chat-server", String::as_str);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let pair = rcgen::KeyPair::generate()?;
    let certificate = params.self_signed(&pair)?;

    create(&key, 0o600, &pair.serialize_pem())?;
    create(&cert, 0o644, &certificate.pem())?;
    let fingerprint: Vec<String> = Sha256::digest(certificate.der())
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    writeln!(
        std::io::stdout(),
        "certificate: {}\nkey:         {}\nSHA-256:     {}",
        cert.display(),
        key.display(),
        fingerprint.join(":")
    )
    .context("cannot print the fingerprint")
}

fn create(path: &Path, mode: u32, pem: &str) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(pem.as_bytes()))
        .with_context(|| path.display().to_string())
}
