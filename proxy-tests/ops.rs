//! What `ops/` asks a monitoring system to watch is what the program counts.

use std::{collections::BTreeSet, fs, path::Path};

use headroom::telemetry::{
    Metrics,
    metrics::{BackoffLabels, CallLabel, ReasonLabel, RequestLabels, TokenLabel},
};
use regex::Regex;

/// Every name under which a figure can be asked for.
fn counted() -> BTreeSet<String> {
    let metrics = Metrics::default();
    // What has labels is not there before it is counted once.
    let request = RequestLabels { route: "responses", outcome: "compressed", reason: "", status: 200 };
    metrics.requests.get_or_create(&request).inc();
    metrics.slot(false, None, (2, 1), None);
    metrics.upstream_failed(Some("main"), "upstream_timeout");
    metrics.usage.get_or_create(&TokenLabel { gen_ai_token_type: "input" }).inc();
    metrics.peers.calls.get_or_create(&CallLabel { end: "late" }).inc();
    metrics.engine.forced.get_or_create(&ReasonLabel { reason: "deadline" }).inc();
    metrics.fidelity.unchecked.get_or_create(&ReasonLabel { reason: "down" }).inc();
    metrics.fidelity.backed_off.get_or_create(&BackoffLabels { dimension: "kind", level: "gentle" }).inc();
    let text = metrics.to_text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let suffixes = |kind: &str| -> &[&str] {
        match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        }
    };
    types.flat_map(|(name, kind)| suffixes(kind).iter().map(move |suffix| format!("{name}{suffix}"))).collect()
}

#[test]
fn dashboard_and_alerts_name_only_figures_that_there_are() {
    let (counted, name) = (counted(), Regex::new(r"headroom_[a-z_]+").unwrap());
    for (file, least) in
        [("grafana/headroom.json", 20), ("prometheus/alerts.yml", 9), ("prometheus/alerts.test.yml", 9)]
    {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(file)).unwrap();
        let named: BTreeSet<&str> = name.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(named.len() >= least, "{file} names {}", named.len());
        let unknown: Vec<&&str> = named.iter().filter(|name| !counted.contains(**name)).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}

#[test]
fn no_panel_lies_over_another_and_each_says_what_it_shows() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/grafana/headroom.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (mut taken, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()));
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for (x, y) in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
            assert!(x < 24 && taken.insert((x, y)), "{}", panel["title"]);
        }
        let told = panel["type"] == "row" || panel["description"].as_str().is_some_and(|text| text.ends_with('.'));
        assert!(told, "{}", panel["title"]);
    }
}
