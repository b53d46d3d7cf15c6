//! What this replica has had of the others, in figures.

use crate::{
    engine::PeersStats,
    telemetry::metrics::{CallLabel, Peers, SharedLabel, level, take, take_seconds},
};

/// Brings the figures up to date.
pub(super) fn count(stats: &PeersStats, peers: &Peers) {
    level(&peers.up, stats.up.into());
    for (end, count) in [
        ("answered", stats.answered),
        ("late", stats.late),
        ("broken", stats.broken),
        ("refused", stats.refused),
        ("skipped", stats.skipped),
    ] {
        take(&peers.calls.get_or_create(&CallLabel { end }), count);
    }
    take_seconds(&peers.seconds, stats.time.as_secs_f64());
    for (what, count) in
        [("found", stats.found), ("missing", stats.missing), ("adopted", stats.adopted), ("lost", stats.lost)]
    {
        take(&peers.texts.get_or_create(&SharedLabel { what }), count);
    }
}
