//! The rig: a proxy between a client and an upstream that are plain TCP connections in the test's hands.

use std::{error::Error, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use headroom::{
    compress::Policy,
    engine::{self, Backend, Engine},
    explain,
    fidelity::{self, Reviewer},
    ledger::{self, Holdout, Ledger},
    proxy::{
        self, Access, Current, Proxy, Upstreams, access,
        clients::{Client, Clients},
        rules::Rules,
        upstream::{self, Named},
    },
    server,
    telemetry::{AccessLog, Metrics, Otlp, otlp},
};
use http_body::Body;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// Variables by their names.
pub(crate) type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// What the rig runs with.
pub(crate) struct Settings {
    pub(crate) engine: engine::Config,
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    pub(crate) model: Backend,
    pub(crate) server: server::Config,
    pub(crate) proxy: proxy::Config,
    pub(crate) upstream: upstream::Config,
    pub(crate) upstreams: Vec<Named>,
    /// Where keys and proxies on the way are looked up; a test must not change its own environment.
    pub(crate) environment: Environment,
    pub(crate) access: access::Config,
    /// Whether records are kept, and how.
    pub(crate) explain: Option<explain::Config>,
    pub(crate) fidelity: fidelity::Config,
    pub(crate) otlp: otlp::Config,
    pub(crate) clients: Vec<Client>,
    /// The file of the access log.
    pub(crate) access_log: Option<PathBuf>,
    pub(crate) ledger: ledger::Config,
    /// Where decisions and figures are kept.
    pub(crate) state: Option<PathBuf>,
}

impl Default for Settings {
    /// Selection without a model, in memory alone.
    fn default() -> Self {
        Self {
            engine: engine::Config { decisions_file: String::new(), time_budget_ms: 0, ..engine::Config::default() },
            policy: Policy::default(),
            rules: Rules::default(),
            model: Backend::None,
            server: server::Config::default(),
            proxy: proxy::Config::default(),
            upstream: upstream::Config::default(),
            upstreams: Vec::new(),
            environment: Box::new(|name| std::env::var(name).ok()),
            access: access::Config::default(),
            explain: None,
            fidelity: fidelity::Config::default(),
            otlp: otlp::Config::default(),
            clients: Vec::new(),
            access_log: None,
            ledger: ledger::Config::default(),
            state: None,
        }
    }
}

/// A running proxy and the upstream's listener.
pub(crate) struct Rig {
    pub(crate) proxy: SocketAddr,
    pub(crate) upstream: TcpListener,
    pub(crate) engine: Engine,
    pub(crate) otlp: Option<Arc<Otlp>>,
    /// Where figures go.
    pub(crate) ledger: Arc<Ledger>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", upstream.local_addr().unwrap());
        let mut settings = Settings::default();
        settings.upstream.url = url;
        change(&mut settings);
        let client = Upstreams::with(&settings.upstream, &settings.environment).unwrap();
        let client = client.and(&settings.upstreams, &settings.upstream, &settings.environment).unwrap();
        let engine = Engine::start(&settings.engine, settings.state.as_deref(), settings.model).unwrap();
        let records = settings.explain.map(|config| Arc::new(explain::Store::new(&config)));
        let metrics = Arc::new(Metrics::default());
        let reviewer = Reviewer::new(&settings.fidelity, engine.clone(), Some("checker-key".to_owned())).unwrap();
        let otlp = Otlp::start(&settings.otlp, |_| None, metrics.otlp_lost.clone()).unwrap();
        let clients = Clients::new(&settings.clients, |name| Some(format!("{name}-key"))).unwrap();
        let access_log = settings
            .access_log
            .map(|to| AccessLog::start(to.to_str().unwrap(), metrics.access_log_lost.clone()).unwrap());
        let proxy = Proxy::new(settings.proxy, settings.policy, client, engine.clone(), metrics)
            .traced(otlp.clone())
            .named(clients)
            .logged(access_log);
        let proxy = proxy.guarded(Access::new(&settings.access).unwrap()).ruled(settings.rules);
        let ledger = Arc::new(Ledger::open(&settings.ledger, settings.state.as_deref()).unwrap());
        let holdout = Holdout::new(settings.ledger.holdout);
        let proxy = proxy.explained(records).reviewed(reviewer).entered(Some(Arc::clone(&ledger)), holdout);
        let proxy = Arc::new(Current::new(proxy));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server::run(listener, &settings.server, proxy, shutdown).await
        });
        Self { proxy: address, upstream, engine, otlp, ledger, stop: Some(stop), served }
    }

    pub(crate) async fn client(&self) -> Conn {
        Conn(TcpStream::connect(self.proxy).await.unwrap())
    }

    /// A client that speaks HTTP/2 by prior knowledge.
    pub(crate) async fn http_2<B>(&self) -> SendRequest<B>
    where
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(self.client().await.0)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// The proxy's next connection.
    pub(crate) async fn accept(&self) -> Conn {
        Conn(soon(self.upstream.accept()).await.unwrap().0)
    }

    pub(crate) fn authority(&self) -> String {
        self.upstream.local_addr().unwrap().to_string()
    }

    /// Sends `request`, lets the upstream give `answer` to it, and says what each side received.
    pub(crate) async fn exchange(&self, request: &[u8], answer: &[u8]) -> (Message, Message) {
        let mut client = self.client().await;
        client.write(request).await;
        let mut upstream = self.accept().await;
        let got = upstream.message().await;
        upstream.write(answer).await;
        // Closed before the answer is read: the proxy knows of it by the time of the next request, and opens another one.
        drop(upstream);
        let head = request.starts_with(b"HEAD ");
        let answer = if head { client.head_only().await } else { client.message().await };
        (got, answer)
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn stopped(self) {
        soon(self.served).await.unwrap().unwrap();
    }
}

/// A connection, read and written as bytes.
pub(crate) struct Conn(pub(crate) TcpStream);

/// A message as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Start line and headers, without the empty line.
    pub(crate) head: String,
    /// The body with its framing: chunk sizes stay.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n").skip(1);
        let mut pairs = lines.filter_map(|line| line.split_once(": "));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The head without the proxy's own headers.
    pub(crate) fn head_of_upstream(&self) -> String {
        let lines: Vec<&str> = self.head.split("\r\n").filter(|line| !line.starts_with("x-headroom-")).collect();
        lines.join("\r\n")
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Conn {
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    pub(crate) async fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        soon(self.0.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Reads until `end` was read.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            match soon(self.0.read_u8()).await {
                Ok(byte) => bytes.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    pub(crate) async fn head(&mut self) -> String {
        self.read_until("\r\n\r\n").await.trim_end_matches("\r\n\r\n").to_owned()
    }

    pub(crate) async fn head_only(&mut self) -> Message {
        Message { head: self.head().await, body: Vec::new() }
    }

    /// Reads a head and the body that it announces.
    pub(crate) async fn message(&mut self) -> Message {
        let mut message = self.head_only().await;
        if message.header("transfer-encoding").is_some() {
            message.body = self.read_until("0\r\n").await.into_bytes();
            loop {
                let line = self.read_until("\r\n").await;
                message.body.extend(line.as_bytes());
                if line == "\r\n" {
                    return message;
                }
            }
        }
        let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
        message.body = self.read(length).await;
        message
    }

    /// Reads to the connection's end, however it ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is an end too.
        let _ = soon(self.0.read_to_end(&mut bytes)).await;
        bytes
    }
}

/// Waits for what must come soon.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future).await.expect("nothing came")
}

/// A POST of JSON.
pub(crate) fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// An answer with a body of plain text.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Some four thousand bytes of prose with much to leave out.
pub(crate) fn long_text() -> String {
    let topics = ["harbour", "library", "railway", "school", "market", "theatre", "bridge", "museum", "garden", "mill"];
    let mut text = String::new();
    for (index, topic) in topics.iter().enumerate() {
        let year = 1950 + index * 7;
        text.push_str(&format!(
            "The committee met again to talk about the {topic} and about everything that people had said of it before. \
             It was, as it had always been, a long and rather tiring evening for nearly everyone who was there. \
             In {year} the {topic} was opened with {index}20 members and a budget of {year} pounds. \
             Many of those present felt that the talk about the {topic} went on for very much too long. \
             In the end it was decided that the {topic} must not be closed before May {year}. "
        ));
    }
    text.trim_end().to_owned()
}
