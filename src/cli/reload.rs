//! SIGHUP: the configuration is read again. What decides of single requests (where they go, which rules hold, how far to
//! condense) is in effect from then on; what threads, memory, files and connections were set up by is named, and waits for
//! the next start. A configuration that cannot be used changes nothing.

use std::convert::Infallible;

use headroom::{
    config::{Config, Loaded},
    proxy::Current,
    redact,
};

use super::{Failure, serve::not_itself};

/// Hang-ups, of which none is lost and none ends the process once this exists.
#[cfg(unix)]
pub(super) struct HangUps(std::io::Result<tokio::signal::unix::Signal>);

#[cfg(not(unix))]
pub(super) struct HangUps;

impl HangUps {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()))
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self
    }

    /// Heeds them: `load` reads the configuration, `running` is the one in effect.
    #[cfg(unix)]
    pub(super) async fn heed(
        self,
        load: impl Fn() -> Result<Loaded, Failure>,
        mut running: Config,
        current: &Current,
    ) -> Infallible {
        let Ok(mut hang_ups) = self.0 else { return std::future::pending().await };
        while hang_ups.recv().await.is_some() {
            match load().and_then(|loaded| reload(&loaded, &running, current)) {
                Ok(config) => running = config,
                Err(Failure::Status(_)) => {}
                Err(Failure::Setup(error) | Failure::Work(error)) => {
                    let error = redact::text(&error.to_string());
                    tracing::error!(error, "SIGHUP: the configuration cannot be used; the one in effect stays");
                }
            }
        }
        std::future::pending().await
    }

    #[cfg(not(unix))]
    pub(super) async fn heed(self, _: impl Fn() -> Result<Loaded, Failure>, _: Config, _: &Current) -> Infallible {
        std::future::pending().await
    }
}

/// Puts what has changed into effect, as far as it can be; the configuration that is in effect then.
fn reload(loaded: &Loaded, running: &Config, current: &Current) -> Result<Config, Failure> {
    not_itself(loaded, &running.server.listen)?;
    let config = running.with_live_of(&loaded.config);
    // Files and lists that the configuration names may have changed where it has not.
    let renewed = current
        .proxy()
        .renewed(config.proxy.clone(), config.compress.policy(), loaded.upstreams().map_err(Failure::setup)?)
        .guarded(loaded.access().map_err(Failure::setup)?)
        .ruled(loaded.rules().map_err(Failure::setup)?);
    current.replace(renewed);
    let (changed, waiting) = (running.changed(&config), config.changed(&loaded.config));
    match (changed.is_empty(), waiting.is_empty()) {
        (true, true) => {
            tracing::info!("SIGHUP: the configuration is the one in effect; files that it names were read again")
        }
        (false, true) => tracing::info!(in_effect = changed.join(", "), "SIGHUP: the configuration was read again"),
        (_, false) => {
            let (in_effect, at_the_next_start) = (changed.join(", "), waiting.join(", "));
            tracing::warn!(
                in_effect,
                at_the_next_start,
                "SIGHUP: the configuration was read again, and a part of it waits"
            );
        }
    }
    if changed.iter().any(|key| CONDENSES.iter().any(|of| key.starts_with(of))) {
        tracing::warn!(
            "SIGHUP: texts may be condensed otherwise from now on; where they are, a conversation that is under way has its \
             cached prefix written anew at the provider, once"
        );
    }
    Ok(config)
}

/// Settings by which a text gets another form.
const CONDENSES: [&str; 4] = ["rules", "profile", "compress.", "proxy.mode"];
