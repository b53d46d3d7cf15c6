//! What a proxy has counted, read from its metrics.

use std::collections::BTreeMap;

/// Since the proxy's start, or between two looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Target tokens of the texts considered, as they came.
    pub(super) before: u64,
    /// The same, as they were forwarded.
    pub(super) after: u64,
    /// Requests that were meant for the upstream.
    pub(super) requests: BTreeMap<Kind, u64>,
}

/// What became of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// A surface, or `passthrough`.
    pub(super) route: String,
    /// As in `x-headroom-outcome`.
    pub(super) outcome: String,
    /// Why, or empty.
    pub(super) reason: String,
}

impl Figures {
    /// From the text format of OpenMetrics.
    pub(super) fn of(metrics: &str) -> Self {
        let mut figures = Self::default();
        for line in metrics.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<u64>() else { continue };
            match name.split_once('{') {
                None if name == "headroom_tokens_before_total" => figures.before = value,
                None if name == "headroom_tokens_after_total" => figures.after = value,
                Some(("headroom_requests_total", labels)) => {
                    let label = |name: &str| {
                        let value = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
                        value.and_then(|value| value.split('"').next()).unwrap_or_default().to_owned()
                    };
                    let kind = Kind { route: label("route"), outcome: label("outcome"), reason: label("reason") };
                    if !matches!(kind.route.as_str(), "own" | "handed") {
                        *figures.requests.entry(kind).or_default() += value;
                    }
                }
                _ => {}
            }
        }
        figures
    }

    /// What has been added since an earlier look.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let requests = self.requests.iter().filter_map(|(kind, now)| {
            let new = now.saturating_sub(earlier.requests.get(kind).copied().unwrap_or_default());
            (new > 0).then(|| (kind.clone(), new))
        });
        Self {
            before: self.before.saturating_sub(earlier.before),
            after: self.after.saturating_sub(earlier.after),
            requests: requests.collect(),
        }
    }

    /// What became of the texts considered; `None` where there was none.
    pub(super) fn saving(&self) -> Option<String> {
        let Self { before, after, .. } = self;
        let share = (100 * before.saturating_sub(*after)).checked_div(*before)?;
        Some(format!("long texts of {before} tokens went on as {after} ({share} % less)"))
    }

    /// How many requests there were.
    pub(super) fn count(&self) -> u64 {
        self.requests.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"# TYPE headroom_requests counter
headroom_requests_total{route="own",outcome="passthrough",reason="",status="200"} 7
headroom_requests_total{route="responses",outcome="unchanged",reason="no_slots",status="200"} 2
headroom_requests_total{route="responses",outcome="unchanged",reason="no_slots",status="401"} 1
headroom_requests_total{route="messages",outcome="compressed",reason="",status="200"} 4
headroom_tokens_before_total 900
headroom_tokens_after_total 300
headroom_overhead_seconds_sum 0.5
"#;

    #[test]
    fn requests_are_summed_by_what_became_of_them() {
        let figures = Figures::of(METRICS);
        let kinds: Vec<_> = figures.requests.iter().map(|(kind, count)| (kind.reason.as_str(), *count)).collect();
        assert_eq!((figures.before, figures.after, figures.count()), (900, 300, 7));
        assert_eq!(kinds, [("", 4), ("no_slots", 3)]);
    }

    #[test]
    fn what_others_did_before_is_not_counted() {
        let earlier = Figures::of(METRICS);
        let now = Figures::of(&METRICS.replace("} 4", "} 6").replace("total 900", "total 1000"));
        let new = now.since(&earlier);
        assert_eq!((new.before, new.after, new.count()), (100, 0, 2));
        assert_eq!(earlier.saving().unwrap(), "long texts of 900 tokens went on as 300 (66 % less)");
        assert_eq!(earlier.since(&earlier).saving(), None);
    }
}
