//! What the form promises.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::compress::{Encoding, Factor, Policy, Query, Ratio, ToolCall, compress};

/// What arrives of a tool's result.
fn arrives(text: &str, question: &str, ratio: Option<f32>) -> String {
    let call = ToolCall { name: "list".into(), arguments: "{}".into() };
    called(text, question, ratio, call)
}

fn called(text: &str, question: &str, ratio: Option<f32>, call: ToolCall) -> String {
    let ratio = ratio.map_or(Ratio::Auto, |ratio| Ratio::By(Factor::new(ratio).unwrap()));
    let policy = Policy { ratio, min_tokens: 0, ..Policy::default() };
    let query = Query { preceding: question.into(), call: Some(call), ..Query::default() };
    let found = compress(text, &query, &policy, &Encoding::O200k, None).unwrap();
    let spans: String = found.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
    assert!(found.units.is_empty() || spans == text);
    found.text().unwrap_or(text).to_owned()
}

fn hotels(count: usize) -> String {
    let rows: Vec<Value> = (0..count)
        .map(|n| {
            json!({"hotel_name": format!("Inn number {n}"), "city": "Oslo", "price_per_night": (80 + n * 7).to_string(),
                   "stars": n % 5, "rating": format!("{}.{}", n % 9, n % 7), "has_wifi": n % 2 == 0, "note": null})
        })
        .collect();
    serde_json::to_string_pretty(&rows).unwrap()
}

#[test]
fn json_in_a_string_is_read_as_json() {
    let inner: Vec<Value> =
        (0..40).map(|n| json!({"sku": format!("SKU-{n:05}"), "stock": n * 37 % 91, "house": "MAD"})).collect();
    let text = json!([{"type": "text", "text": Value::from(inner).to_string()}]).to_string();
    let auto = arrives(&text, "What is there?", None);
    assert!(auto.contains("SKU-00007|77\n"), "{auto}");
}
