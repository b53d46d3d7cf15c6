//! An upstream behind TLS: only whom the system or the operator vouches for.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::support::{Rig, ok, post, soon};

/// An authority of the test's own, and a server that it vouches for.
pub(crate) fn vouched_as(name: &str) -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], key)
        .unwrap();
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

fn vouched() -> (String, TlsAcceptor) {
    vouched_as("localhost")
}

async fn rig(ca: &str, connect_timeout_seconds: u64) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca).unwrap();
    Rig::with(|settings| {
        settings.upstream.url = settings.upstream.url.replace("http://127.0.0.1", "https://localhost");
        settings.upstream.ca_file = Some(file);
        settings.upstream.connect_timeout_seconds = connect_timeout_seconds;
    })
    .await
}

#[tokio::test]
async fn the_operators_own_authority_is_trusted() {
    let (ca, acceptor) = vouched();
    let rig = rig(&ca, 20).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let mut upstream = soon(acceptor.accept(rig.accept().await.0)).await.unwrap();
    let mut head = vec![0; 17];
    soon(upstream.read_exact(&mut head)).await.unwrap();
    assert_eq!(head, b"POST /v1/x HTTP/1");
    soon(upstream.write_all(ok("over TLS").as_bytes())).await.unwrap();
    soon(upstream.flush()).await.unwrap();
    assert_eq!(client.message().await.text(), "over TLS");
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    let (_, acceptor) = vouched();
    let (other, _) = vouched();
    let rig = rig(&other, 20).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let shaken = soon(acceptor.accept(rig.accept().await.0)).await;
    assert!(shaken.is_err());
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.header("x-headroom-error")), (502, Some("upstream_unreachable")));
}

#[tokio::test]
async fn an_upstream_that_never_shakes_hands_is_given_up() {
    let (ca, _) = vouched();
    let rig = rig(&ca, 1).await;
    let mut client = rig.client().await;
    client.write(post("/v1/x", "{}")).await;
    let _silent = rig.accept().await;
    assert_eq!(client.message().await.header("x-headroom-error"), Some("upstream_unreachable"));
}
