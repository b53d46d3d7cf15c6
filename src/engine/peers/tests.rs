//! What the link promises, before a server of which a test says how it behaves.

use std::{collections::HashMap, net::SocketAddr, sync::Mutex};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    compress::{Encoding, Policy, Query, Reason},
    engine::{Job, Tenant, decisions::Forced, stop::lock},
};

/// The key of some text.
pub(in crate::engine) fn key(number: usize) -> Key {
    Key::of(&Job {
        text: format!("text {number}").into(),
        query: Query::default(),
        policy: Policy::default(),
        encoding: Encoding::O200k,
        tenant: Tenant::default(),
    })
}

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Behaves {
    Well,
    /// It takes everything and says nothing.
    Hangs,
    /// It answers each round trip when the next one comes.
    Late,
    /// What it says is none of the protocol.
    Babbles,
    /// It closes each connection on which it is asked something.
    Closes,
    /// It lets nobody do anything.
    Refuses,
    /// It knows nobody's password.
    Unknown,
}

/// As much of a server as replicas need.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Server {
    pub(in crate::engine) address: SocketAddr,
    behaves: Arc<Mutex<Behaves>>,
    values: watch::Sender<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Server {
    pub(in crate::engine) async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, behaves: Arc::new(Mutex::new(Behaves::Well)), values: watch::Sender::default() };
        let served = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, tls) = (served.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => server.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                server.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    pub(in crate::engine) fn behave(&self, behaves: Behaves) {
        *lock(&self.behaves) = behaves;
    }

    pub(in crate::engine) fn forget(&self) {
        self.values.send_replace(HashMap::new());
    }

    /// Once it holds so many values.
    pub(in crate::engine) async fn holds(&self, count: usize) {
        self.values.subscribe().wait_for(|values| values.len() >= count).await.unwrap();
    }

    pub(in crate::engine) fn config(&self, timeout_ms: u64) -> Config {
        Config { server: Some(format!("redis://{}", self.address)), timeout_ms, ..Config::default() }
    }

    /// A replica's link, once it is up.
    pub(in crate::engine) async fn peers(&self, timeout_ms: u64) -> Peers {
        let peers = Peers::start(&self.config(timeout_ms), |_| None).unwrap().unwrap();
        peers.link.up().await;
        peers
    }

    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let (mut bytes, mut held) = (Vec::new(), Vec::new());
        while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
            let mut answer = Vec::new();
            while let Some((command, length)) = command(&bytes) {
                bytes.drain(..length);
                answer.extend(self.answer(&command));
            }
            let said = match *lock(&self.behaves) {
                Behaves::Hangs => Vec::new(),
                Behaves::Late => std::mem::replace(&mut held, answer),
                Behaves::Babbles => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
                Behaves::Closes => return,
                Behaves::Well | Behaves::Refuses | Behaves::Unknown => answer,
            };
            if stream.write_all(&said).await.is_err() || stream.flush().await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, command: &[Vec<u8>]) -> Vec<u8> {
        let behaves = *lock(&self.behaves);
        let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        match words.as_slice() {
            [b"AUTH", ..] if behaves == Behaves::Unknown => b"-WRONGPASS invalid username-password pair\r\n".to_vec(),
            [b"AUTH", ..] => b"+OK\r\n".to_vec(),
            _ if behaves == Behaves::Refuses => b"-NOPERM no permissions\r\n".to_vec(),
            [b"GETRANGE", name, ..] => {
                let values = self.values.borrow();
                let value = values.get(*name).cloned().unwrap_or_default();
                [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat()
            }
            [b"SET", name, value, rest @ ..] => {
                let mut set = false;
                self.values.send_if_modified(|values| {
                    set = !rest.contains(&b"NX".as_slice()) || !values.contains_key(*name);
                    if set {
                        values.insert(name.to_vec(), value.to_vec());
                    }
                    set
                });
                if set { b"+OK\r\n".to_vec() } else { b"$-1\r\n".to_vec() }
            }
            [b"EXPIRE", ..] => b":1\r\n".to_vec(),
            _ => b"-ERR unknown command\r\n".to_vec(),
        }
    }
}

/// The command that bytes begin with, and how long it is.
fn command(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut at = 0;
    let mut number = |sign: u8| -> Option<usize> {
        let rest = bytes.get(at..)?;
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        assert_eq!(rest.first(), Some(&sign));
        at += end + 2;
        std::str::from_utf8(&rest[1..end]).unwrap().parse().ok()
    };
    let count = number(b'*')?;
    let mut words = Vec::new();
    let mut from = at;
    for _ in 0..count {
        let rest = bytes.get(from..)?;
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length: usize = std::str::from_utf8(rest.get(1..end)?).unwrap().parse().unwrap();
        words.push(rest.get(end + 2..end + 2 + length)?.to_vec());
        from += end + 4 + length;
    }
    (from <= bytes.len()).then_some((words, from))
}

fn raw(tokens: usize) -> Record {
    Fate::Raw(Forced { reason: Reason::Deadline, tokens }).into()
}

/// Long enough for a busy machine.
const PATIENT: u64 = 1000;

#[tokio::test]
async fn who_comes_first_decides_and_the_second_is_told() {
    let server = Server::start().await;
    let (one, two) = (server.peers(PATIENT).await, server.peers(PATIENT).await);
    assert_eq!(one.recall(&[key(1), key(2)]).await, []);
    assert_eq!(one.agree(key(1), &raw(1), |_| true).await, None);
    assert_eq!(two.agree(key(1), &raw(2), |_| true).await, Some(raw(1)));
    assert_eq!(two.agree(key(2), &raw(2), |_| true).await, None);
    assert_eq!(one.recall(&[key(1), key(2), key(3)]).await, [(key(1), raw(1)), (key(2), raw(2))]);
    let (one, two) = (one.stats(), two.stats());
    assert_eq!((one.found, one.missing, one.adopted, two.adopted), (2, 3, 0, 1));
    assert_eq!((one.answered, one.late, one.broken, one.skipped, one.up), (3, 0, 0, 0, true));
}

#[tokio::test]
async fn what_cannot_be_taken_or_opened_is_replaced() {
    let server = Server::start().await;
    let peers = server.peers(PATIENT).await;
    peers.agree(key(1), &raw(1), |_| true).await;
    assert_eq!(peers.agree(key(1), &raw(2), |_| false).await, None);
    while peers.recall(&[key(1)]).await != [(key(1), raw(2))] {}
    // Somebody else's value.
    server.values.send_modify(|values| values.values_mut().for_each(|value| value.reverse()));
    assert_eq!(peers.recall(&[key(1)]).await, []);
    assert_eq!(peers.agree(key(1), &raw(3), |_| true).await, None);
    while peers.recall(&[key(1)]).await != [(key(1), raw(3))] {}
}

#[tokio::test]
async fn a_server_that_hangs_or_is_late_costs_three_time_limits_and_then_nothing() {
    for behaves in [Behaves::Hangs, Behaves::Late] {
        let server = Server::start().await;
        let peers = server.peers(50).await;
        server.behave(behaves);
        for _ in 0..20 {
            assert_eq!(peers.recall(&[key(1)]).await, []);
        }
        let stats = peers.stats();
        assert_eq!((stats.late, stats.broken, stats.skipped, stats.up), (3, 0, 17, false), "{behaves:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_babbles_costs_one_round_trip() {
    for behaves in [Behaves::Closes, Behaves::Babbles] {
        let server = Server::start().await;
        let peers = server.peers(PATIENT).await;
        server.behave(behaves);
        for _ in 0..20 {
            assert_eq!(peers.recall(&[key(1)]).await, []);
        }
        let stats = peers.stats();
        assert_eq!((stats.late, stats.broken, stats.skipped, stats.up), (0, 1, 19, false), "{behaves:?}");
    }
}

#[tokio::test]
async fn what_was_decided_without_the_server_is_offered_when_it_is_back() {
    let server = Server::start().await;
    let peers = server.peers(PATIENT).await;
    server.behave(Behaves::Closes);
    assert_eq!(peers.agree(key(1), &raw(1), |_| true).await, None);
    assert_eq!(peers.agree(key(2), &raw(2), |_| true).await, None);
    server.behave(Behaves::Well);
    server.holds(2).await;
    let other = server.peers(PATIENT).await;
    assert_eq!(other.recall(&[key(1), key(2)]).await, [(key(1), raw(1)), (key(2), raw(2))]);
}

#[tokio::test]
async fn a_refusal_leaves_the_link_up_and_is_counted() {
    let server = Server::start().await;
    let peers = server.peers(PATIENT).await;
    server.behave(Behaves::Refuses);
    assert_eq!(peers.recall(&[key(1)]).await, []);
    assert_eq!(peers.agree(key(1), &raw(1), |_| true).await, None);
    let stats = peers.stats();
    assert_eq!((stats.refused, stats.lost, stats.broken, stats.up), (2, 1, 0, true));
}

#[tokio::test]
async fn more_offers_than_may_wait_are_lost_and_counted() {
    let server = Server::start().await;
    let peers = server.peers(PATIENT).await;
    server.behave(Behaves::Closes);
    peers.recall(&[key(0)]).await;
    for number in 0..WAITING + 9 {
        peers.replace(key(number), &raw(number));
    }
    assert!((1..=9).contains(&peers.stats().lost));
}

#[tokio::test]
async fn a_check_says_why_a_server_cannot_be_used() {
    let server = Server::start().await;
    let variable = |_: &str| Some("SECRET".to_owned());
    let config = Config { password_env: Some("WORD".into()), ..server.config(PATIENT) };
    assert!(Peers::check(&Config::default(), variable).await.is_none());
    Peers::check(&config, variable).await.unwrap().unwrap();
    for (behaves, said) in [
        (Behaves::Unknown, "refuses user or password"),
        (Behaves::Refuses, "may not read"),
        (Behaves::Babbles, "none of the protocol"),
        (Behaves::Closes, "connected to"),
    ] {
        server.behave(behaves);
        let told = Peers::check(&config, variable).await.unwrap().unwrap_err();
        assert!(told.contains(said) && !told.contains("SECRET"), "{behaves:?}: {told}");
    }
    let nobody = Config { server: Some("redis://127.0.0.1:1".into()), ..Config::default() };
    assert!(Peers::check(&nobody, variable).await.unwrap().unwrap_err().contains("connected to"));
}

#[tokio::test]
async fn over_tls_the_name_and_the_authority_have_to_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["valkey.test".into(), "127.0.0.1".into()]).unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let server = Server::start_with(Some(TlsAcceptor::from(Arc::new(tls)))).await;
    let at = |host: &str| Some(format!("rediss://{host}:{}", server.address.port()));
    let config = Config { server: at("127.0.0.1"), ca_file: Some(file), ..server.config(PATIENT) };
    Peers::check(&config, |_| None).await.unwrap().unwrap();
    for config in [Config { server: at("localhost"), ..config.clone() }, Config { ca_file: None, ..config.clone() }] {
        let told = Peers::check(&config, |_| None).await.unwrap().unwrap_err();
        assert!(told.contains("certificate is not trusted"), "{told}");
    }
    let plain = Config { server: Some(format!("redis://{}", server.address)), ..config };
    assert!(Peers::check(&plain, |_| None).await.unwrap().is_err(), "a file of authorities asks for TLS");
}
