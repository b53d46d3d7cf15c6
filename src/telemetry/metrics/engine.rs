//! The figures of engine and fidelity check, which count for themselves; they are taken over whenever they are read.

use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{BackoffLabels, ReasonLabel};

/// A counter of seconds.
pub type Seconds = Counter<f64, std::sync::atomic::AtomicU64>;

/// What the engine says of itself.
#[derive(Debug, Default)]
pub struct Engine {
    /// 1 once model and encodings are loaded, and until the drain begins.
    pub ready: Gauge,
    /// 1 while the model goes on after it was told to stop.
    pub model_stuck: Gauge,
    /// Calls of the model that have ended.
    pub model_calls: Counter,
    /// Time that they took together.
    pub model_seconds: Seconds,
    /// Texts that wait for a worker.
    pub queued: Gauge,
    /// Condensed texts that are kept, and what they weigh.
    pub cached: Gauge,
    /// Bytes of these.
    pub cached_bytes: Gauge,
    /// Texts that left the cache.
    pub evictions: Counter,
    /// Texts that waited for an equal one.
    pub joined: Counter,
    /// Known decisions that were written anew.
    pub replayed: Counter,
    /// Texts that were condensed by words alone for want of time.
    pub hurried: Counter,
    /// Texts that nobody waited for any more.
    pub cancelled: Counter,
    /// Texts that had to go on as they were, by reason.
    pub forced: Family<ReasonLabel, Counter>,
    /// Panics that were caught.
    pub panics: Counter,
    /// What is remembered of texts.
    pub remembered: Family<RememberedLabel, Gauge>,
}

/// What is remembered of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RememberedLabel {
    /// `choice` (what was chosen), `original` (that it had to go on as it was), `verdict` or `level` (of the check).
    pub what: &'static str,
}

impl Engine {
    pub(super) fn register(&self, all: &mut Registry) {
        all.register("ready", "Whether requests can be condensed: 1 or 0", self.ready.clone());
        all.register("model_stuck", "Whether the model hangs: 1 or 0", self.model_stuck.clone());
        all.register("model_calls", "Calls of the model that have ended", self.model_calls.clone());
        let help = "Time of all calls of the model together";
        all.register_with_unit("model_call", help, Unit::Seconds, self.model_seconds.clone());
        all.register("queue_texts", "Texts that wait for a worker", self.queued.clone());
        all.register("cache_texts", "Condensed texts that are kept", self.cached.clone());
        let help = "Memory that the condensed texts that are kept take";
        all.register_with_unit("cache", help, Unit::Bytes, self.cached_bytes.clone());
        all.register("cache_evictions", "Condensed texts that left the cache", self.evictions.clone());
        all.register("joined_texts", "Texts that waited for an equal one under work", self.joined.clone());
        all.register("replayed_texts", "Texts written anew from what was chosen before", self.replayed.clone());
        all.register("hurried_texts", "Texts condensed by words alone for want of time", self.hurried.clone());
        all.register("cancelled_texts", "Texts that nobody waited for any more", self.cancelled.clone());
        all.register("forced_texts", "Texts that had to go on as they were, by reason", self.forced.clone());
        all.register("panics", "Faults of its own that were caught", self.panics.clone());
        all.register("remembered_texts", "Texts of which a decision is remembered", self.remembered.clone());
    }
}

/// What the fidelity check says of itself.
#[derive(Debug, Default)]
pub struct Fidelity {
    /// Texts that were checked.
    pub checked: Counter,
    /// Texts that were flagged.
    pub flagged: Counter,
    /// Units that were put back.
    pub put_back: Counter,
    /// Condensed texts that were replaced before they were forwarded.
    pub replaced: Counter,
    /// Condensed texts that were replaced after they were forwarded once.
    pub replaced_late: Counter,
    /// Flags that a second look took back.
    pub false_alarms: Counter,
    /// Tokens given to the checking model and received from it.
    pub tokens: Counter,
    /// Time of its calls together.
    pub seconds: Seconds,
    /// Texts that were not checked, by reason.
    pub unchecked: Family<ReasonLabel, Counter>,
    /// Kinds of text, tenants and target models whose ratio is backed off.
    pub backed_off: Family<BackoffLabels, Gauge>,
}

impl Fidelity {
    pub(super) fn register(&self, all: &mut Registry) {
        let all = all.sub_registry_with_prefix("fidelity");
        all.register("checked_texts", "Texts that were checked", self.checked.clone());
        all.register("flagged_texts", "Texts that the check flagged", self.flagged.clone());
        all.register("units_put_back", "Units that the check put back", self.put_back.clone());
        all.register("replaced_texts", "Texts replaced before they were forwarded", self.replaced.clone());
        let help = "Texts replaced after they were forwarded once";
        all.register("replaced_after_forwarding_texts", help, self.replaced_late.clone());
        all.register("false_alarms", "Flags that a second look took back", self.false_alarms.clone());
        all.register("tokens", "Tokens of the checking model, given and received", self.tokens.clone());
        let help = "Time of all calls of the checking model together";
        all.register_with_unit("call", help, Unit::Seconds, self.seconds.clone());
        all.register("unchecked_texts", "Texts that were not checked, by reason", self.unchecked.clone());
        let help = "Kinds of text, tenants and models whose ratio is backed off, by level";
        all.register("backed_off", help, self.backed_off.clone());
    }
}

/// Takes over a count that is kept elsewhere and only rises.
pub fn take(counter: &Counter, count: u64) {
    counter.inner().store(count, Relaxed);
}

/// The same of a time.
pub fn take_seconds(counter: &Seconds, seconds: f64) {
    counter.inner().store(seconds.to_bits(), Relaxed);
}

/// Takes over a size.
pub fn level(gauge: &Gauge, size: u64) {
    gauge.set(i64::try_from(size).unwrap_or(i64::MAX));
}
