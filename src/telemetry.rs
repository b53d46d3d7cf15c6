//! What the operator sees: log lines and figures. Never message text, keys or query strings.
//!
//! Log lines of other crates are held at warnings whatever level is asked for: at their finest, the HTTP crates print
//! headers.

pub mod access_log;
mod lines;
pub mod metrics;
pub mod otlp;

use std::{
    fmt::Debug,
    io::{self, Write as _},
    sync::OnceLock,
};

use serde::{Deserialize, Serialize};
use tracing::{field::Field, level_filters::LevelFilter};
use tracing_subscriber::{
    field::MakeExt as _,
    filter::Targets,
    fmt::{self, MakeWriter, format::Writer},
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

pub use access_log::AccessLog;
pub use lines::Written;
pub use metrics::Metrics;
pub use otlp::Otlp;

use lines::Lines;

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
/// When a log was started before, or there is no thread for it.
pub fn start(config: &Config) -> Result<Written, Started> {
    let (lines, written) = Lines::start(io::stderr()).map_err(|_| Started)?;
    let writer = lines.clone();
    start_with(config, move || writer.clone())?;
    // Nobody else sets it: a second log is an error already.
    let _ = LOG.set(lines);
    Ok(written)
}

/// How many lines of the log were lost.
pub fn lost_lines() -> u64 {
    LOG.get().map_or(0, Lines::lost)
}

/// Writes a line to where the log goes without waiting for it, or to standard error before there is a log.
pub fn line(line: &str) {
    let line = format!("{line}\n");
    match LOG.get() {
        Some(lines) => lines.add(line.as_bytes()),
        // Nobody is left to tell when standard error is closed.
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// The log of this process.
static LOG: OnceLock<Lines> = OnceLock::new();

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
        Format::Text => {
            let fields = fmt::format::debug_fn(field).delimited(" ");
            registry().with(config.level.targets()).with(lines.with_ansi(false).fmt_fields(fields)).try_init()
        }
        Format::Json => registry().with(config.level.targets()).with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|_| Started)
}

/// A field of a line for people. The usual way would have each of its parts coloured, also where there are no colours.
fn field(to: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    match field.name() {
        "message" => write!(to, "{value:?}"),
        name => write!(to, "{name}={value:?}"),
    }
}

/// A log was started before, or there is no thread for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log was started before, or no thread can be started for it")]
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
