//! Promises of the whole pipeline.

use super::*;

fn condense(text: &str, query: &Query, ratio: Ratio) -> Condensation {
    let policy = Policy { ratio, min_tokens: 0, ..Policy::default() };
    compress(text, query, &policy, &Encoding::O200k, None).unwrap()
}

#[test]
fn units_concatenate_to_the_source() {
    let text = "Please read this.\n\nThe mill is old. It was built in 1830.\n\n```\ncode()\n```\n";
    let query = Query { call: Some(ToolCall { name: "lookup".into(), arguments: "{}".into() }), ..Query::default() };
    for ratio in [Ratio::Auto, Ratio::By(Factor::new(2.0).unwrap())] {
        let found = condense(text, &query, ratio);
        let spans: String = found.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
        assert_eq!(spans, text);
    }
}
