//! The figures of the way back.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// How often originals were read, and what is kept of them.
#[derive(Debug, Default)]
pub struct Originals {
    /// Reads by what came of them.
    pub reads: Family<ReadLabels, Counter>,
    /// Originals kept; set whenever it is read.
    pub kept: Gauge,
    /// Their bytes.
    pub bytes: Gauge,
    /// Texts that could not be kept.
    pub lost: Counter,
}

/// What a read is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReadLabels {
    /// `read`; `nothing` where the original has no such lines or nothing was found; `gone` where no original is kept
    /// under the name; `refused` where the call cannot be understood.
    pub outcome: &'static str,
}

impl Originals {
    pub(super) fn register(&self, all: &mut Registry) {
        let help = "Calls of headroom_read for text that was left out, by what came of them";
        all.register("original_reads", help, self.reads.clone());
        all.register("originals_kept", "Originals kept for headroom_read", self.kept.clone());
        let help = "Originals kept for headroom_read, sealed";
        all.register_with_unit("originals_kept", help, Unit::Bytes, self.bytes.clone());
        all.register("originals_lost", "Originals that could not be kept", self.lost.clone());
    }
}
