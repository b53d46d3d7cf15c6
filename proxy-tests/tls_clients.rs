//! Clients that connect by TLS: both versions of HTTP, and a certificate that is read again while the proxy runs.

use std::{fs, path::Path, sync::Arc};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{Rig, ok, soon};

/// Writes a certificate for localhost and its key; the certificate.
pub(crate) fn write_identity(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()
}

async fn rig(folder: &Path) -> Rig {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| Some(folder.join(name)));
    Rig::with(|settings| {
        settings.server.tls.certificate_file = certificate;
        settings.server.tls.key_file = key;
    })
    .await
}

/// Connects as a client that trusts this certificate and speaks these protocols.
async fn connect(
    rig: &Rig,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(rig.proxy).await?;
    soon(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream)).await
}

#[tokio::test]
async fn a_client_chooses_its_version_of_http() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_identity(folder.path());
    let rig = rig(folder.path()).await;
    for (offered, agreed) in [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)] {
        let client = connect(&rig, &certificate, offered).await.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol(), agreed.map(str::as_bytes));
    }
    let mut client = connect(&rig, &certificate, &["http/1.1"]).await.unwrap();
    client.write_all(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut upstream = rig.accept().await;
    assert!(upstream.message().await.head.starts_with("GET /v1/models HTTP/1.1"));
    upstream.write(ok("through")).await;
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("through"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_is_written_anew_is_shown_and_one_that_is_damaged_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_identity(folder.path());
    let rig = rig(folder.path()).await;
    let mut kept = connect(&rig, &first, &["http/1.1"]).await.unwrap();
    fs::write(folder.path().join("cert.pem"), "half a certifi").unwrap();
    assert!(connect(&rig, &first, &[]).await.is_ok());
    let second = write_identity(folder.path());
    let renewed = async { while connect(&rig, &second, &[]).await.is_err() {} };
    soon(renewed).await;
    assert!(connect(&rig, &first, &[]).await.is_err());
    // Whoever was connected stays so.
    kept.write_all(b"GET /headroom/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(kept.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn plain_http_is_told_to_use_tls() {
    let folder = tempfile::tempdir().unwrap();
    write_identity(folder.path());
    let rig = rig(folder.path()).await;
    let mut client = rig.client().await;
    client.write("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (400, Some("needs_tls")));
    assert!(answer.text().contains("https://"));
}
