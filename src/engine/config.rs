//! The engine's settings.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::setting::Invalid;

/// Threads, queues, time and memory of the engine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Worker threads that run the pipeline, besides one that stands by for whoever has no text under work. 0: one for
    /// each core, at most 8.
    pub workers: usize,
    /// Texts that may wait for a worker, of which half may be of batches (`/headroom/compress`). Past it a text goes on as
    /// it is: one of whoever has the most.
    pub queue: usize,
    /// Milliseconds that compression may hold a request back. Past three fifths of them words alone choose, without the
    /// model; past all of them texts go on as they are. 0: no limit.
    pub time_budget_ms: u64,
    /// MiB of condensed texts to keep. 0: none.
    pub cache_mib: u64,
    /// Seconds after which a condensed text that nobody asked for is forgotten. 0: never.
    pub cache_idle_s: u64,
    /// KiB of the longest text that is condensed; longer ones go on as they are.
    pub longest_slot_kib: usize,
    /// Milliseconds that the model may go on after it was told to stop. Past them it counts as hanging, and texts are
    /// condensed by words alone without waiting for it, until it answers.
    pub stuck_after_ms: u64,
    /// Texts whose decisions to remember, in numbers, so that they keep their form when their conversation goes on. One
    /// that takes many numbers counts for several.
    pub decisions: usize,
    /// File that keeps these across restarts: hashes and numbers, no text. Processes may share it. `auto`: in the user's
    /// state directory. `off`: none.
    pub decisions_file: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 0,
            queue: 64,
            time_budget_ms: 1500,
            cache_mib: 16,
            cache_idle_s: 24 * 60 * 60,
            longest_slot_kib: 2048,
            stuck_after_ms: 250,
            decisions: 100_000,
            decisions_file: "auto".to_owned(),
        }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        let within = |key, value: usize, most: usize, remedy| {
            if (1..=most).contains(&value) { Ok(()) } else { Err(Invalid::new(key, value, remedy)) }
        };
        if self.workers > 256 {
            return Err(Invalid::new("workers", self.workers, "a number from 0 (one for each core) to 256"));
        }
        within("queue", self.queue, 100_000, "a number from 1 to 100000")?;
        within("longest_slot_kib", self.longest_slot_kib, 64 * 1024, "a number from 1 to 65536")?;
        within("decisions", self.decisions, 10_000_000, "a number from 1 to 10000000")?;
        if self.cache_mib > 1024 * 1024 {
            return Err(Invalid::new("cache_mib", self.cache_mib, "a number from 0 to 1048576"));
        }
        if self.time_budget_ms > 3_600_000 {
            return Err(Invalid::new("time_budget_ms", self.time_budget_ms, "a number from 0 (no limit) to 3600000"));
        }
        if self.cache_idle_s > 31_536_000 {
            return Err(Invalid::new("cache_idle_s", self.cache_idle_s, "a number from 0 (never) to 31536000"));
        }
        if self.stuck_after_ms > 60_000 {
            return Err(Invalid::new("stuck_after_ms", self.stuck_after_ms, "a number from 0 to 60000"));
        }
        Ok(())
    }

    pub(super) fn worker_threads(&self) -> usize {
        match self.workers {
            0 => thread::available_parallelism().map_or(2, usize::from).min(8),
            workers => workers,
        }
    }

    pub(super) fn time_budget(&self) -> Option<Duration> {
        (self.time_budget_ms > 0).then(|| Duration::from_millis(self.time_budget_ms))
    }

    pub(super) fn stuck_after(&self) -> Duration {
        Duration::from_millis(self.stuck_after_ms)
    }

    /// The file of the forced decisions, and whether the operator named it.
    pub(super) fn decisions_path(&self, state: Option<&Path>) -> Option<(PathBuf, bool)> {
        match self.decisions_file.as_str() {
            "" | "off" => None,
            "auto" => Some((state?.join("decisions"), false)),
            named => Some((PathBuf::from(named), true)),
        }
    }
}

/// Where this user's programs keep state, by the environment: `$XDG_STATE_HOME/headroom`, else
/// `~/.local/state/headroom`, else `%LOCALAPPDATA%\headroom`. `None` where none of these is known.
///
/// The first two follow the XDG base directory specification.
#[must_use]
pub fn state_directory(environment: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| environment(name).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    let base = absolute("XDG_STATE_HOME").or_else(home).or_else(|| absolute("LOCALAPPDATA"))?;
    Some(base.join("headroom"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_decisions_can_be_named_found_or_switched_off() {
        let path = |file: &str| {
            Config { decisions_file: file.into(), ..Config::default() }.decisions_path(Some(Path::new("/state")))
        };
        assert_eq!(path("auto"), Some((PathBuf::from("/state/decisions"), false)));
        assert_eq!(path("/srv/decisions"), Some((PathBuf::from("/srv/decisions"), true)));
        assert_eq!((path("off"), path("")), (None, None));
    }
}
