//! What the operator sees: log lines and figures. Never message text, keys or query strings.
//!
//! Log lines of other crates are held at warnings whatever level is asked for: at their finest, the HTTP crates print
//! headers.

pub mod access_log;
pub mod metrics;
pub mod otlp;

use std::{
    io::{self, Write},
    sync::OnceLock,
};

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

pub use access_log::AccessLog;
pub use metrics::Metrics;
pub use otlp::Otlp;

/// `[telemetry]`: what is logged, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The least important kind of line that is written: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    pub level: Level,
    /// `text` for people, `json` for machines.
    pub format: Format,
    /// The file of the access log; `-` is standard output.
    pub access_log: Option<String>,
    /// What a collector is sent.
    pub otlp: otlp::Config,
}

/// The least important kind of line that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing.
    Off,
    /// What broke.
    Error,
    /// What may break.
    Warn,
    /// One line a request.
    #[default]
    Info,
    /// Connections too.
    Debug,
    /// Everything.
    Trace,
}

/// How a line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Writes the log to standard error from now on, by a thread of its own. Who reads it slowly, or not at all, holds nothing
/// up: lines that find no room are lost and counted ([`lost_lines`]). What waits is written when the guard is dropped.
///
/// # Errors
/// When a log was started before.
pub fn start(config: &Config) -> Result<WorkerGuard, Started> {
    let (lines, guard) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING).thread_name("log").finish(io::stderr());
    start_with(config, lines.clone())?;
    // Nobody else sets it: a second log is an error already.
    let _ = LOG.set((lines.error_counter(), lines));
    Ok(guard)
}

/// How many lines of the log were lost.
pub fn lost_lines() -> u64 {
    LOG.get().map_or(0, |(lost, _)| lost.dropped_lines().try_into().unwrap_or(u64::MAX))
}

/// Writes a line to where the log goes without waiting for it, or to standard error before there is a log.
pub fn line(line: &str) {
    let line = format!("{line}\n");
    // Nobody is left to tell when standard error is closed.
    let _ = match LOG.get() {
        Some((_, lines)) => lines.clone().write_all(line.as_bytes()),
        None => io::stderr().write_all(line.as_bytes()),
    };
}

/// The log of this process.
static LOG: OnceLock<(ErrorCounter, NonBlocking)> = OnceLock::new();

/// Lines that may wait.
const WAITING: usize = 4096;

/// Writes the log to `writer` from now on.
///
/// # Errors
/// When a log was started before.
pub fn start_with<W>(config: &Config, writer: W) -> Result<(), Started>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_target(false);
    let started = match config.format {
        Format::Text => registry().with(config.level.targets()).with(lines.with_ansi(false)).try_init(),
        Format::Json => registry().with(config.level.targets()).with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|_| Started)
}

/// A log was started before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log was started before")]
pub struct Started;

impl Level {
    fn targets(self) -> Targets {
        let own = match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        };
        Targets::new().with_default(own.min(OTHERS)).with_target(env!("CARGO_PKG_NAME"), own)
    }
}

/// The finest level of the dependencies' lines.
const OTHERS: LevelFilter = LevelFilter::WARN;
