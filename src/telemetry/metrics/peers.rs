//! The figures of the server by which replicas share decisions.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::Seconds;

/// What is told of that server.
#[derive(Debug, Default)]
pub struct Peers {
    /// 1 while it is asked.
    pub up: Gauge,
    /// Round trips, by how they ended.
    pub calls: Family<CallLabel, Counter>,
    /// Time of those that were answered.
    pub seconds: Seconds,
    /// Texts, by what was known of them.
    pub texts: Family<SharedLabel, Counter>,
}

/// How a round trip ended: `answered`, `late`, `broken`, `refused`, or `skipped` while the server isn't asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabel {
    /// One word.
    pub end: &'static str,
}

/// What was known of a text: `found` or `missing` where it was asked for; `adopted` where another replica came first with
/// a decision; `lost` where others will not know of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SharedLabel {
    /// One word.
    pub what: &'static str,
}

impl Peers {
    pub(super) fn register(&self, all: &mut Registry) {
        let all = all.sub_registry_with_prefix("decisions_server");
        all.register("up", "Whether the server that shares decisions is asked: 1 or 0", self.up.clone());
        all.register("calls", "Round trips to it, by how they ended", self.calls.clone());
        let help = "Time of the round trips that were answered together";
        all.register_with_unit("call", help, Unit::Seconds, self.seconds.clone());
        all.register("texts", "Texts that were asked for or offered there", self.texts.clone());
    }
}
