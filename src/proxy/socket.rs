//! Responses over a WebSocket: a client's `response.create` is a request like one that is posted, and is condensed like
//! it. Every other frame, of either side, passes as it came, and so does what cannot be read.
//!
//! Nothing of the handshake is changed. Where the sides agree on `permessage-deflate`, a client's messages are taken
//! apart to be read. They pass as they came until one is condensed; it is sent plain, which the extension allows at any
//! time. From then on all are, since a compressed one may refer to what the server never got.

mod frame;
mod inflate;
mod listener;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tungstenite::protocol::frame::{FrameHeader, coding::Data};

use super::{
    Proxy,
    account::{Account, Outcome, Passed, Route},
    body::{Answer, Upload},
    entry::Entry,
    headers,
    held::Held,
    intercept::{self, settle},
    passthrough::{Passage, exchange, refuse},
    record::Looked,
    room::Share,
    rules::Ruling,
    seen::Locate,
    slots::stage,
    tunnel::{self, Tunnel},
};
use crate::{
    engine::Tenant,
    wire::{self, Surface},
};
use frame::{Frames, Head, Next, masked, plain};
use inflate::Inflater;
use listener::Listener;

/// Whether a request opens such a connection.
pub(crate) fn opens(request: &Request<Incoming>) -> bool {
    let websocket =
        headers::upgrade(request.headers()).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    websocket && request.method() == Method::GET && request.uri().path().ends_with("/responses")
}

/// Forwards the request, and carries frames from then on if both sides agree.
pub(crate) async fn relay(
    proxy: &Arc<Proxy>,
    request: Request<Incoming>,
    mut account: Box<Account>,
) -> Response<Answer> {
    let (parts, body) = request.into_parts();
    let ruling = intercept::ruling(proxy, (Some(Surface::Responses), parts.uri.path(), &parts.headers));
    let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
    // Which model is asked for is said in frames, when the connection stands.
    let to = match proxy.address(&parts, None) {
        Ok(to) => to,
        Err(error) => return refuse(&error, account),
    };
    let passage = Passage::new(parts, Upload::streamed(body));
    account.outcome = Outcome::Passthrough(Passed::Upgrade);
    let (mut response, tunnel) = match exchange(&to, passage, &mut account).await {
        Ok(exchanged) => exchanged,
        Err(error) => return refuse(&error, account),
    };
    let Some(tunnel) = tunnel else {
        account.answered(response.status(), response.headers_mut());
        return response.map(|body| Answer::relayed(body, to.upstream.idle(), account));
    };
    let extension = Extension::of(response.headers());
    let session = match (ruling, extension) {
        (Err(why), _) => Err(Outcome::Unchanged(why.as_str())),
        (Ok(ruling), _) if ruling.is_off() => Err(Outcome::Passthrough(Passed::Off)),
        (Ok(_), Extension::Unknown) => Err(Outcome::Passthrough(Passed::Extension)),
        (Ok(ruling), extension) => {
            let deflated = extension == Extension::Deflate;
            let (socket, asked) = Default::default();
            let tenant = intercept::tenant(&headers);
            Ok(Session { proxy: Arc::clone(proxy), tenant, headers, uri, ruling, socket, asked, deflated })
        }
    };
    match session {
        Ok(session) => {
            account.outcome = Outcome::PerFrame;
            account.answered(response.status(), response.headers_mut());
            proxy.tunnels.run(carry(tunnel, session), account);
        }
        Err(outcome) => {
            account.outcome = outcome;
            account.answered(response.status(), response.headers_mut());
            proxy.tunnels.open(tunnel, account);
        }
    }
    response.map(|_| Answer::own(""))
}

/// What the sides agreed on besides frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    None,
    Deflate,
    Unknown,
}

impl Extension {
    fn of(headers: &HeaderMap) -> Self {
        let mut agreed = Self::None;
        for value in headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS) {
            for extension in value.to_str().unwrap_or("?").split(',') {
                match extension.split(';').next().unwrap_or_default().trim() {
                    "" => {}
                    "permessage-deflate" if agreed == Self::None => agreed = Self::Deflate,
                    _ => return Self::Unknown,
                }
            }
        }
        agreed
    }
}

/// One connection.
#[derive(Debug)]
struct Session {
    proxy: Arc<Proxy>,
    /// Of the request that opened it.
    headers: HeaderMap,
    tenant: Tenant,
    uri: Uri,
    ruling: Ruling,
    socket: Arc<Mutex<wire::Socket>>,
    asked: Asked,
    deflated: bool,
}

/// The requests whose responses are awaited; a connection has them answered in order.
type Asked = Arc<Mutex<VecDeque<Entry>>>;

/// More than this many at once nobody asks: the first of them then stands for itself.
const MOST_ASKED: usize = 16;

async fn carry(tunnel: Tunnel, session: Session) -> Result<(), tunnel::Broken> {
    let (client, upstream) = tokio::try_join!(tunnel.client, tunnel.upstream)?;
    let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
    let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
    let inflater = || session.deflated.then(Inflater::new);
    let listener = Listener::new(&session, inflater());
    let sender = Sender { inflater: inflater(), session, message: Message::None, changed: false };
    tokio::try_join!(sender.carry(from_client, to_upstream), listen(listener, from_upstream, to_client))?;
    Ok(())
}

/// The server's side.
async fn listen(
    mut listener: Listener,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut chunk = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut chunk).await?;
        let data = chunk.get(..length).unwrap_or_default();
        if data.is_empty() {
            return to.shutdown().await;
        }
        // Before the client can answer it.
        listener.see(data);
        to.write_all(data).await?;
        to.flush().await?;
    }
}

/// The client's side.
#[derive(Debug)]
struct Sender {
    session: Session,
    /// Reads compressed messages; `None` where there are none, or no longer can be.
    inflater: Option<Inflater>,
    message: Message,
    /// A compressed message was sent in another form.
    changed: bool,
}

/// The message under way: it may come in several frames, with control frames between them.
#[derive(Debug)]
enum Message {
    None,
    /// Its frames are held until it can be read.
    Held(Box<Whole>),
    /// Its frames pass as they come.
    Passing,
}

/// A message, as far as it is there.
#[derive(Debug)]
struct Whole {
    data: Data,
    compressed: bool,
    mask: [u8; 4],
    /// Its frames as they came.
    raw: Vec<u8>,
    payload: Vec<u8>,
    share: Share,
}

impl Sender {
    async fn carry(mut self, from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut frames = Frames::new(from);
        let pause = Duration::from_secs(self.session.proxy.config.client_timeout_seconds);
        loop {
            let head = match frames.next().await? {
                Next::Frame(head) => head,
                Next::Garbage => {
                    frames.pass_all(&mut to).await?;
                    return to.shutdown().await;
                }
                Next::End => return to.shutdown().await,
            };
            let Some(whole) = self.hold(&head) else {
                let before = self.let_go(&head)?;
                to.write_all(&before).await?;
                frames.pass(head.length(), &mut to).await?;
                continue;
            };
            // It fits the limit, so it fits.
            let length = usize::try_from(head.length()).map_err(io::Error::other)?;
            let frame = frames.take(length, pause).await?;
            if let Some(whole) = self.gather(whole, &head, &frame) {
                let frame = self.finish(*whole).await?;
                to.write_all(&frame).await?;
                to.flush().await?;
            }
        }
    }

    /// The message to which a frame belongs, if it is to be held; otherwise it passes.
    fn hold(&mut self, head: &Head) -> Option<Box<Whole>> {
        let data = head.data()?;
        let FrameHeader { rsv1, rsv2, rsv3, mask, .. } = head.header;
        let readable = !rsv2 && !rsv3 && mask.is_some() && (!rsv1 || self.inflater.is_some());
        let mut whole = match std::mem::replace(&mut self.message, Message::None) {
            Message::None if readable && (data == Data::Text || (data == Data::Binary && rsv1)) => Box::new(Whole {
                data,
                compressed: rsv1,
                mask: mask.unwrap_or_default(),
                raw: Vec::new(),
                payload: Vec::new(),
                share: self.session.proxy.room.of(self.session.tenant).share(),
            }),
            Message::Held(whole) if data == Data::Continue && readable && !rsv1 => whole,
            other => {
                self.message = other;
                return None;
            }
        };
        let length = (whole.payload.len() as u64).saturating_add(head.payload);
        let proxy = &self.session.proxy;
        // Once as it came and once as it reads.
        let fits = length <= proxy.limit() as u64
            && usize::try_from(length * 2).is_ok_and(|length| whole.share.grow_to(length));
        if fits {
            return Some(whole);
        }
        self.message = Message::Held(whole);
        None
    }

    /// A frame passes as it comes: what was held of its message goes before it.
    fn let_go(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        if head.data().is_none() {
            return Ok(Vec::new());
        }
        let ends = head.header.is_final;
        let after = if ends { Message::None } else { Message::Passing };
        let (raw, compressed) = match std::mem::replace(&mut self.message, after) {
            Message::Held(whole) => (whole.raw, whole.compressed),
            Message::None => (Vec::new(), head.header.rsv1),
            Message::Passing => (Vec::new(), false),
        };
        if compressed {
            self.lose()?;
        }
        Ok(raw)
    }

    /// A compressed message cannot be read, nor what comes after it. The server can, unless it got an earlier one in
    /// another form; then the connection is over.
    fn lose(&mut self) -> io::Result<()> {
        self.inflater = None;
        if self.changed { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }

    /// Takes a frame of a message; gives the message once it is whole.
    fn gather(&mut self, mut whole: Box<Whole>, head: &Head, frame: &[u8]) -> Option<Box<Whole>> {
        let mut payload = frame.get(head.bytes..).unwrap_or_default().to_vec();
        masked(&mut payload, head.header.mask.unwrap_or_default());
        whole.raw.extend_from_slice(frame);
        whole.payload.append(&mut payload);
        if head.header.is_final {
            return Some(whole);
        }
        self.message = Message::Held(whole);
        None
    }

    /// What is sent for a message.
    async fn finish(&mut self, whole: Whole) -> io::Result<Vec<u8>> {
        let Whole { data, compressed, mask, raw, payload, share } = whole;
        let payload = match &mut self.inflater {
            Some(inflater) if compressed => match inflater.message(&payload, self.session.proxy.limit()) {
                Ok(payload) => payload,
                Err(inflate::Lost) => {
                    self.lose()?;
                    return Ok(raw);
                }
            },
            _ => payload,
        };
        let payload = Bytes::from(payload);
        let condensed = if data == Data::Text { self.session.condense(payload.clone(), share).await } else { None };
        self.changed |= compressed && condensed.is_some();
        match condensed {
            Some(condensed) => plain(data, Some(mask), &condensed),
            None if compressed && self.changed => plain(data, Some(mask), &payload),
            None => Ok(raw),
        }
    }
}

impl Session {
    /// The message to send instead of a client's; `None` where it goes on as it came.
    async fn condense(&self, message: Bytes, share: Share) -> Option<Bytes> {
        let since = Instant::now();
        let (socket, text) = (Arc::clone(&self.socket), message.clone());
        let locate = move || socket.lock().unwrap_or_else(PoisonError::into_inner).locate(&text);
        let located = stage(message.len(), locate).await??;
        let proxy = &self.proxy;
        let mut account = Account::open(Arc::clone(&proxy.metrics), proxy.ids.next(), Method::GET, self.uri.clone());
        account.route = Route::Intercepted(Surface::Responses);
        proxy.follow(&mut account, &self.headers);
        let held = Held { bytes: message, trailers: None, share };
        let ruling = self.ruling.clone();
        let decided =
            intercept::decide(proxy, &self.headers, &held, Locate::by(move |_| located), ruling, &mut account);
        let decided = decided.await.map(Arc::new);
        let (outcome, condensed) = settle(&decided).await;
        account.outcome = outcome;
        let decided = decided.as_deref().ok();
        proxy.note(&mut account, &Looked { headers: &self.headers, mode: self.ruling.mode(), since, decided });
        self.ask(account.entry.take());
        account.framed(since);
        condensed
    }

    /// Awaits the response to a request.
    fn ask(&self, entry: Option<Entry>) {
        let Some(entry) = entry else { return };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push_back(entry);
        if asked.len() > MOST_ASKED {
            asked.pop_front();
        }
    }
}
