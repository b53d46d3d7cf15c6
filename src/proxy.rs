//! Decides the way of a request: answered here, intercepted, or passed through.

pub mod access;
mod account;
mod body;
pub mod clients;
mod coding;
mod current;
mod entry;
mod error;
mod explained;
mod handed;
mod headers;
mod held;
mod intercept;
mod life;
mod mcp;
mod own;
pub mod page;
mod passthrough;
mod peers;
mod reader;
mod record;
mod review;
mod room;
pub mod rules;
mod seen;
mod settings;
mod slots;
mod socket;
mod tunnel;
pub mod upstream;
mod usage;

use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response, request::Parts};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use access::Access;
pub use body::{Answer, BrokenOff};
pub use clients::Clients;
pub use current::Current;
pub use record::{Rehearsal, rehearse};
pub use upstream::Upstreams;

use crate::{
    audit,
    compress::Policy,
    engine::{Engine, Readiness},
    explain,
    fidelity::Reviewer,
    ledger::{Holdout, Ledger},
    originals::Originals,
    setting::Invalid,
    telemetry::{AccessLog, Metrics, Otlp, otlp},
    wire::Surface,
};
use account::{Account, Ids, Outcome, Passed};
use body::Upload;
use error::Error;
use life::Life;
use passthrough::{Addressed, Passage};
use room::Room;
use rules::Rules;
use seen::Conversations;
use tunnel::Tunnels;
use upstream::Server;

/// `[proxy]`: what is intercepted, and within which bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What happens to requests that say nothing else: `compress`, `audit` (measure and forward the original)
    /// or `off`.
    pub mode: Mode,
    /// MiB of a body that is looked at, as it comes and when decoded; a longer one is relayed as it is.
    pub body_limit_mib: usize,
    /// MiB for the bodies held at the same time: as they come, decoded, and some five times their length while they are
    /// read. A body for which there is no room is relayed as it is.
    pub held_bodies_mib: usize,
    /// Seconds that a client may pause within a body.
    pub client_timeout_seconds: u64,
    /// Seconds that a request to `/headroom/compress` may take; past them its texts come back as they are.
    pub compress_timeout_seconds: u64,
    /// What the provider charges for a cached prompt token, as a share (0–1) of a fresh one; for the figures only.
    pub cached_token_price: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Compress,
            body_limit_mib: 64,
            held_bodies_mib: 512,
            client_timeout_seconds: 60,
            compress_timeout_seconds: 60,
            cached_token_price: 0.25,
        }
    }
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(&self) -> Result<(), Invalid> {
        if !(1..=1024).contains(&self.body_limit_mib) {
            return Err(Invalid::new("body_limit_mib", self.body_limit_mib, "give a number of MiB from 1 to 1024"));
        }
        if !(self.body_limit_mib..=1 << 20).contains(&self.held_bodies_mib) {
            let remedy = "give a number of MiB from `body_limit_mib` on, so that one body fits";
            return Err(Invalid::new("held_bodies_mib", self.held_bodies_mib, remedy));
        }
        for (key, value) in [
            ("client_timeout_seconds", self.client_timeout_seconds),
            ("compress_timeout_seconds", self.compress_timeout_seconds),
        ] {
            if !(1..=86_400).contains(&value) {
                return Err(Invalid::new(key, value, "give a number of seconds from 1 to 86400"));
            }
        }
        if !(0.0..=1.0).contains(&self.cached_token_price) {
            return Err(Invalid::new("cached_token_price", self.cached_token_price, "give a share from 0 to 1"));
        }
        Ok(())
    }
}

/// What happens to a request of a surface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Relayed without a look.
    Off,
    /// Measured, and forwarded as it came.
    Audit,
    /// Condensed.
    #[default]
    Compress,
}

impl Mode {
    fn parse(word: &str) -> Option<Self> {
        [("off", Self::Off), ("audit", Self::Audit), ("compress", Self::Compress)]
            .into_iter()
            .find_map(|(name, mode)| name.eq_ignore_ascii_case(word).then_some(mode))
    }
}

/// The proxy: its upstreams, one engine, and what they have in common.
#[derive(Debug)]
pub struct Proxy {
    config: Config,
    /// What may be done where a request says nothing else.
    policy: Policy,
    /// Which texts are an exception.
    rules: Rules,
    upstreams: Upstreams,
    engine: Engine,
    metrics: Arc<Metrics>,
    /// Has what was condensed checked; `None` where that is off.
    reviewer: Option<Reviewer>,
    room: Room,
    ids: Arc<Ids>,
    /// Where requests are accounted for; `None` where nothing is kept.
    records: Option<Arc<explain::Store>>,
    /// The sums behind the page.
    books: Arc<page::Books>,
    about: page::About,
    /// Reports to a collector; `None` where there is none.
    otlp: Option<Arc<Otlp>>,
    access_log: Option<AccessLog>,
    /// What whoever brings a key may ask for.
    clients: Arc<Clients>,
    /// With which the operator reads all of them.
    reader: Option<explain::ReaderKey>,
    access: Access,
    /// Sums over the audits since the start.
    audit: Arc<Mutex<audit::Report>>,
    life: Arc<Life>,
    tunnels: Tunnels,
    /// Where figures go; `None` where none are kept.
    ledger: Option<Arc<Ledger>>,
    /// Which conversations are left alone.
    holdout: Option<Arc<Holdout>>,
    /// Where originals are kept for the model to read; `None` where there is no way back.
    originals: Option<Arc<Originals>>,
    /// The conversations that were read and compared last.
    conversations: Arc<Conversations>,
    decoders: Arc<Semaphore>,
}

impl Proxy {
    /// A proxy before `upstreams`. While `engine` is not ready, requests pass unchanged.
    #[must_use]
    pub fn new(config: Config, policy: Policy, upstreams: Upstreams, engine: Engine, metrics: Arc<Metrics>) -> Self {
        let life = Arc::new(Life::default());
        let tunnels = Tunnels { tasks: life.tasks.clone(), abort: life.abort.clone() };
        let room = Room::new(config.held_bodies_mib << 20, config.body_limit_mib << 20);
        Self {
            config,
            policy,
            rules: Rules::default(),
            upstreams,
            engine,
            metrics,
            reviewer: None,
            room,
            ids: Arc::new(Ids::new()),
            records: None,
            books: Arc::default(),
            about: page::About::default(),
            otlp: None,
            access_log: None,
            clients: Arc::default(),
            reader: None,
            access: Access::default(),
            audit: Arc::default(),
            life,
            tunnels,
            ledger: None,
            holdout: None,
            originals: None,
            conversations: Arc::default(),
            decoders: Arc::new(Semaphore::new(DECODERS)),
        }
    }

    /// What goes on as this one, and has what it holds, with other settings.
    #[must_use]
    pub fn renewed(&self, config: Config, policy: Policy, upstreams: Upstreams) -> Self {
        Self {
            config,
            policy,
            rules: self.rules.clone(),
            upstreams,
            engine: self.engine.clone(),
            metrics: Arc::clone(&self.metrics),
            reviewer: self.reviewer.clone(),
            room: self.room.clone(),
            ids: Arc::clone(&self.ids),
            records: self.records.clone(),
            books: self.books.renewed(),
            about: self.about.clone(),
            otlp: self.otlp.clone(),
            access_log: self.access_log.clone(),
            clients: Arc::clone(&self.clients),
            reader: self.reader.clone(),
            access: self.access.clone(),
            audit: Arc::clone(&self.audit),
            life: Arc::clone(&self.life),
            tunnels: self.tunnels.clone(),
            ledger: self.ledger.clone(),
            holdout: self.holdout.clone(),
            originals: self.originals.clone(),
            conversations: Arc::clone(&self.conversations),
            decoders: Arc::clone(&self.decoders),
        }
    }

    /// The same, keeping the account of each request that is looked at.
    #[must_use]
    pub fn explained(self, records: Option<Arc<explain::Store>>) -> Self {
        Self { records, ..self }
    }

    /// The same, with a key to every account.
    #[must_use]
    pub fn read_with(self, reader: Option<explain::ReaderKey>) -> Self {
        Self { reader, ..self }
    }

    /// The same, with what the page says of it.
    #[must_use]
    pub fn described(self, about: page::About) -> Self {
        Self { about, ..self }
    }

    /// The same, with traces and figures for a collector.
    #[must_use]
    pub fn traced(self, otlp: Option<Arc<Otlp>>) -> Self {
        if let Some(otlp) = &otlp {
            let (engine, metrics) = (self.engine.clone(), Arc::clone(&self.metrics));
            otlp.observe(move || {
                let (stats, ready) = (engine.stats(), engine.readiness() == Readiness::Ready);
                let in_flight = u64::try_from(metrics.in_flight.get()).unwrap_or(0);
                otlp::Levels { ready, queued: stats.queued, cached_bytes: stats.cached_bytes, in_flight }
            });
        }
        Self { otlp, ..self }
    }

    /// The same, writing an access log.
    #[must_use]
    pub fn logged(self, access_log: Option<AccessLog>) -> Self {
        Self { access_log, ..self }
    }

    /// The same, with what whoever brings a key may ask for.
    #[must_use]
    pub fn named(self, clients: Clients) -> Self {
        Self { clients: Arc::new(clients), ..self }
    }

    /// The same, with rules for what is an exception.
    #[must_use]
    pub fn ruled(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The same, with who may spend the operator's key.
    #[must_use]
    pub fn guarded(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The same, with a check of what was condensed.
    #[must_use]
    pub fn reviewed(self, reviewer: Option<Reviewer>) -> Self {
        Self { reviewer, ..self }
    }

    /// Where requests go, for people.
    #[must_use]
    pub fn forwards_to(&self) -> Vec<String> {
        self.upstreams.described()
    }

    /// The same, keeping the figures of requests, and leaving some conversations alone.
    #[must_use]
    pub fn entered(self, ledger: Option<Arc<Ledger>>, holdout: Option<Holdout>) -> Self {
        Self { ledger, holdout: holdout.map(Arc::new), ..self }
    }

    /// The same, with a way back to the originals.
    #[must_use]
    pub fn keeping(self, originals: Option<Arc<Originals>>) -> Self {
        Self { originals, ..self }
    }

    /// Waits until the figures of what was served are written, but not for long.
    pub async fn settle(&self) {
        if let Some(ledger) = self.ledger.clone() {
            let _ = tokio::task::spawn_blocking(move || ledger.flush()).await;
        }
    }

    pub(crate) fn life(&self) -> &Life {
        &self.life
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Answers one request; `local` says that it comes from this machine.
    pub(crate) async fn answer(self: &Arc<Self>, mut request: Request<Incoming>, local: bool) -> Response<Answer> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let mut account = Account::open(Arc::clone(&self.metrics), self.ids.next(), method, uri.clone());
        // The rarer ways are boxed, so that a passage keeps its small future.
        if uri.path().starts_with(own::PREFIX) {
            return Box::pin(own::answer(self, request, account, local)).await;
        }
        self.follow(&mut account, request.headers());
        if let Err(error) = self.charge(&mut account, request.headers()) {
            return passthrough::refuse_unread(&error, account, request.version(), request.into_body());
        }
        if uri.path() == handed::PATH {
            return Box::pin(handed::answer(self, request, account)).await;
        }
        if local {
            request.extensions_mut().insert(access::Local);
        }
        if socket::opens(&request) {
            return Box::pin(socket::relay(self, request, account)).await;
        }
        match way(&request) {
            Way::Intercept(surface) => return Box::pin(intercept::intercept(self, request, surface, account)).await,
            Way::Pass(why) => account.outcome = Outcome::Passthrough(why),
        }
        let (parts, body) = request.into_parts();
        let to = match self.address(&parts, None) {
            Ok(to) => to,
            Err(error) => return passthrough::refuse_unread(&error, account, parts.version, body),
        };
        let passage = Passage::new(parts, Upload::streamed(body));
        passthrough::relay(&to, &self.tunnels, passage, account).await
    }

    /// A request is told of to a collector and in the access log, where there are such.
    fn follow(&self, account: &mut Account, headers: &HeaderMap) {
        account.traced = self.otlp.as_ref().map(|otlp| otlp.open(headers));
        account.access_log.clone_from(&self.access_log);
    }

    /// Takes a request out of the budget of whoever sends it.
    fn charge(&self, account: &mut Account, headers: &HeaderMap) -> Result<(), Error> {
        let holder = self.clients.take(headers, &self.metrics)?;
        account.client = holder.map(|holder| (Arc::clone(&self.clients), holder));
        Ok(())
    }

    /// Where a request goes, and with which credentials: the only place that decides either.
    fn address(&self, parts: &Parts, model: Option<&str>) -> Result<Addressed, Error> {
        let Server { upstream, takes_client_credentials } = self.upstreams.of(parts.uri.path(), &parts.headers, model);
        let lends = upstream.credential().is_some();
        let keys = self.access.keys(parts, *takes_client_credentials, lends)?;
        Ok(Addressed { upstream: Arc::clone(upstream), keys })
    }

    /// Bytes of a body that is looked at.
    fn limit(&self) -> usize {
        self.config.body_limit_mib << 20
    }
}

/// Coded answers that are read at the same time; a decoder takes some MiB. What comes besides is relayed all the same, and
/// its usage is not known.
const DECODERS: usize = 32;

/// What is to be done with a request to the upstream.
enum Way {
    /// Its body is looked at.
    Intercept(Surface),
    /// It isn't, and why.
    Pass(Passed),
}

fn way(request: &Request<Incoming>) -> Way {
    let Some(surface) = Surface::of_path(request.uri().path()) else { return Way::Pass(Passed::NoSurface) };
    if headers::upgrade(request.headers()).is_some() {
        return Way::Pass(Passed::Upgrade);
    }
    if request.method() != http::Method::POST {
        return Way::Pass(Passed::Method);
    }
    if !headers::is_json(request.headers()) {
        return Way::Pass(Passed::ContentType);
    }
    Way::Intercept(surface)
}
