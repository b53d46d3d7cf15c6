//! One small request to a proxy on this machine, without a client library.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustls::StreamOwned;

use super::endpoint::Endpoint;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// Whether a proxy of ours gave it.
    pub(super) fn is_ours(&self) -> bool {
        self.header("x-headroom-request-id").is_some()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// A page of the proxy's own.
pub(super) fn page(proxy: &Endpoint, page: &str) -> anyhow::Result<Answer> {
    Request { path: &format!("/headroom/{page}"), headers: &[], body: None, patience: PATIENCE }.send(proxy)
}

/// A request: a GET, or a POST of JSON where it has a body.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a str>,
    /// How long each step may take.
    pub(super) patience: Duration,
}

impl Request<'_> {
    /// Sends it and waits for the answer; a body past the limit is cut there.
    pub(super) fn send(&self, proxy: &Endpoint) -> anyhow::Result<Answer> {
        let session = proxy.session()?;
        let stream = self.connect(proxy)?;
        match session {
            None => self.over(stream, proxy),
            Some(session) => self.over(StreamOwned::new(session, stream), proxy),
        }
    }

    fn connect(&self, proxy: &Endpoint) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(proxy.address(), PATIENCE);
        let stream = stream.with_context(|| format!("nothing answers on {}", proxy.address()))?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        Ok(stream)
    }

    fn over(&self, mut stream: impl Read + Write, proxy: &Endpoint) -> anyhow::Result<Answer> {
        let address = proxy.address();
        stream.write_all(self.text(proxy).as_bytes()).context("the request broke off")?;
        let mut answer = Vec::new();
        let read = stream.take(LONGEST).read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            read.context("the proxy's answer broke off")?;
            bail!("{address} does not answer as a proxy does");
        };
        let Some(status) = head.split(' ').nth(1).and_then(|status| status.parse().ok()) else {
            bail!("{address} does not answer as a proxy does");
        };
        Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }

    fn text(&self, proxy: &Endpoint) -> String {
        let address = proxy.address();
        let mut headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        if let Some(body) = self.body {
            headers += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let (path, body) = (self.path, self.body.unwrap_or_default());
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n{body}")
    }
}

pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of an answer at most.
const LONGEST: u64 = 1 << 20;
