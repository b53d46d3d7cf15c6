//! What a text marks as exact stays, whatever is asked of the rest.

use super::*;
use crate::compress::text::exact::{is_tagged, untagged};

/// Prose and a log with `passage` between their lines, and after a sentence.
fn texts(passage: &str) -> [String; 3] {
    let marked = format!("<headroom:exact>{passage}</headroom:exact>");
    let prose = |at: usize| {
        format!(
            "The committee talked about harbour {at} at great length, and most people were rather tired of it by then."
        )
    };
    let log = |at: usize| format!("2026-01-31 14:05:{:02} INFO worker {at}: poll finished, nothing to do", at % 60);
    let lines = |line: &dyn Fn(usize) -> String, from: usize| -> String {
        (from..from + 30).map(line).collect::<Vec<_>>().join("\n")
    };
    [
        format!("{}\n{marked}\n{}", lines(&prose, 0), lines(&prose, 30)),
        format!("{}\n\n{} So {marked} was said.\n\n{}", lines(&prose, 0), prose(99), lines(&prose, 30)),
        format!("{}\n{marked}\n{}", lines(&log, 0), lines(&log, 30)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn a_marked_passage_is_exact_at_every_ratio(passage in "[a-z0-9é\\[\\]{},.:;\"' \n]{1,120}", factor in 2.0_f32..20.0) {
        let call = ToolCall { name: "lookup".into(), arguments: "{}".into() };
        for (text, call) in texts(&passage).iter().flat_map(|text| [(text, None), (text, Some(call.clone()))]) {
            for ratio in [Ratio::Auto, Ratio::By(Factor::new(factor).unwrap())] {
                let found = condense(text, &Query { call: call.clone(), ..Query::default() }, ratio);
                let condensed = found.text().unwrap_or(text);
                prop_assert!(condensed.contains(&format!("<headroom:exact>{passage}</headroom:exact>")), "{condensed}");
                prop_assert!(untagged(condensed).contains(&passage) && !is_tagged(&untagged(condensed)));
            }
        }
    }
}

#[test]
fn what_stands_around_a_marked_passage_is_condensed() {
    for text in texts("KEEP   this \t exactly") {
        let query =
            Query { call: Some(ToolCall { name: "lookup".into(), arguments: "{}".into() }), ..Query::default() };
        let found = condense(&text, &query, Ratio::By(Factor::new(5.0).unwrap()));
        assert!(found.tokens_after * 2 < found.tokens_before, "{:?}", found.outcome);
    }
}
