//! TLS towards clients. Certificate and key are read again when their files change or the process gets a SIGHUP; what
//! cannot be used changes nothing.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::setting::Invalid;

/// `[server.tls]`: by which certificate clients know this proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A PEM file with the certificate, and with those that lead to an authority. Not set: clients connect without TLS.
    pub certificate_file: Option<PathBuf>,
    /// A PEM file with the key of the certificate.
    pub key_file: Option<PathBuf>,
}

impl Config {
    /// Whether clients connect by TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.certificate_file.is_some()
    }

    /// Whether there are both files or none. Only who serves has to be able to read them.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        match (&self.certificate_file, &self.key_file) {
            (Some(certificate), None) => {
                Err(Invalid::path("tls.certificate_file", certificate, "give its key too: `tls.key_file`"))
            }
            (None, Some(key)) => {
                Err(Invalid::path("tls.key_file", key, "give its certificate too: `tls.certificate_file`"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the files can be used, where there are any.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn check_files(&self) -> Result<(), Invalid> {
        Tls::new(self).map(drop)
    }
}

/// What connections are accepted with.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    identity: Arc<Identity>,
}

impl Tls {
    /// Reads the files; `None` where clients connect without TLS.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub(super) fn new(config: &Config) -> Result<Option<Self>, Invalid> {
        config.check()?;
        let (Some(certificate), Some(key)) = (&config.certificate_file, &config.key_file) else { return Ok(None) };
        let files = Files { certificate: certificate.clone(), key: key.clone() };
        let identity = Arc::new(Identity { now: ArcSwap::new(files.read()?), files });
        let provider = Arc::new(ring::default_provider());
        let unusable =
            |_| Invalid::path("tls.certificate_file", &identity.files.certificate, "TLS cannot be used here");
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let resolver = Arc::clone(&identity) as Arc<dyn ResolvesServerCert>;
        let mut config = config.map_err(unusable)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(config)), identity }))
    }

    /// Agrees with a client. One that speaks plain HTTP is told so.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE] {
            return Err(refuse(stream).await);
        }
        self.acceptor.accept(stream).await
    }
}

/// Reads the files again whenever they change, and on SIGHUP.
pub(super) async fn follow(tls: Option<Tls>) -> std::convert::Infallible {
    let Some(Tls { identity, .. }) = tls else { return std::future::pending().await };
    let (mut hang_ups, mut seen) = (HangUps::new(), identity.files.stamp());
    loop {
        let told = tokio::select! {
            () = hang_ups.next() => true,
            () = sleep(LOOK) => false,
        };
        let stamp = identity.files.stamp();
        if told || stamp != seen {
            seen = stamp;
            identity.renew();
        }
    }
}

/// What clients are shown, and where it is read.
struct Identity {
    files: Files,
    now: ArcSwap<CertifiedKey>,
}

impl Identity {
    fn renew(&self) {
        match self.files.read() {
            Ok(new) if new.cert == self.now.load().cert => {}
            Ok(new) => {
                self.now.store(new);
                tracing::info!("the TLS certificate was read again; new connections are shown it");
            }
            // A file that is being written looks like this too: the next change is looked at again.
            Err(invalid) => {
                let (file, remedy) = (invalid.key, invalid.remedy);
                tracing::warn!(file, remedy, "the TLS certificate cannot be read again; the one in effect stays");
            }
        }
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.load_full())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// Where certificate and key are.
#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// By which a file that was written again is known: when, and its length.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Files {
    fn read(&self) -> Result<Arc<CertifiedKey>, Invalid> {
        let wrong = |remedy| Invalid::path("tls.certificate_file", &self.certificate, remedy);
        let bytes = read(&self.certificate).map_err(wrong)?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("it holds a PEM block that is damaged"))?;
        if certificates.is_empty() {
            return Err(wrong("it holds no certificate: name a PEM file with `-----BEGIN CERTIFICATE-----`"));
        }
        let wrong = |remedy| Invalid::path("tls.key_file", &self.key, remedy);
        let bytes = read(&self.key).map_err(wrong)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
            wrong("it holds no key: name a PEM file with `-----BEGIN PRIVATE KEY-----`, without a password")
        })?;
        let key = ring::sign::any_supported_type(&key)
            .map_err(|_| wrong("its kind of key is not supported: use ECDSA (P-256 or P-384), Ed25519 or RSA"))?;
        let certified = CertifiedKey::new(certificates, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Arc::new(certified)),
            Err(_) => Err(wrong("it is not the key of the first certificate in `tls.certificate_file`")),
        }
    }

    fn stamp(&self) -> Stamp {
        [&self.certificate, &self.key].map(|file| {
            let about = fs::metadata(file).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, &'static str> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file",
        ErrorKind::PermissionDenied => "the user that runs the proxy may not read it",
        _ => "it cannot be read",
    })
}

/// Tells a client that speaks plain HTTP what it should speak.
async fn refuse(mut stream: TcpStream) -> io::Error {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let plain = io::Error::new(ErrorKind::InvalidData, "plain HTTP where TLS is spoken");
    let body = "{\"error\": {\"message\": \"headroom: this port speaks TLS; use https:// in the base URL\", \
                \"type\": \"headroom_needs_tls\", \"param\": null, \"code\": \"needs_tls\"}}";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nx-headroom-error: needs_tls\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // What was sent is read before the end, for a connection that is closed over unread bytes is reset, answer and all.
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MOST_READ), &mut tokio::io::sink()).await
    };
    match timeout(FAREWELL, told).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => plain,
    }
}

/// The hang-ups of this process, where there are such.
#[cfg(unix)]
struct HangUps(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl HangUps {
    fn new() -> Self {
        Self(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok())
    }

    async fn next(&mut self) {
        let hung_up = match &mut self.0 {
            Some(signals) => signals.recv().await.is_some(),
            None => false,
        };
        if !hung_up {
            std::future::pending().await
        }
    }
}

#[cfg(not(unix))]
struct HangUps;

#[cfg(not(unix))]
impl HangUps {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 0x16;

/// How long a client that speaks plain HTTP may take to hear that it should not, and how much it may say meanwhile.
const FAREWELL: Duration = Duration::from_secs(1);
const MOST_READ: u64 = 64 << 10;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn refused(certificate: &str, key: &str) -> Invalid {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            if text != "absent" {
                fs::write(&path, text).unwrap();
            }
            Some(path)
        };
        let config = Config { certificate_file: file("cert.pem", certificate), key_file: file("key.pem", key) };
        config.check_files().unwrap_err()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_reason() {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        let (key, other) = (key.serialize_pem(), KeyPair::generate().unwrap().serialize_pem());
        for (certificate, key, at, why) in [
            ("absent", key.as_str(), "tls.certificate_file", "no such file"),
            (&key, &key, "tls.certificate_file", "no certificate"),
            (&certificate, "absent", "tls.key_file", "no such file"),
            (&certificate, &certificate, "tls.key_file", "no key"),
            (&certificate, &other, "tls.key_file", "not the key of"),
        ] {
            let invalid = refused(certificate, key);
            assert_eq!(invalid.key, at, "{why}");
            assert!(invalid.remedy.contains(why), "{}", invalid.remedy);
        }
        let alone = Config { certificate_file: Some("cert.pem".into()), key_file: None };
        assert_eq!(alone.check().unwrap_err().key, "tls.certificate_file");
        assert!(Config::default().check_files().is_ok() && !Config::default().is_on());
    }
}
