//! What the form promises.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::compress::{CountTokens, Encoding, Factor, Policy, Query, Ratio, ToolCall, compress};

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

#[test]
fn a_table_in_each_record_is_a_table_and_its_rows_stand_under_what_names_the_record() {
    let stop = |tour: usize, n: usize| json!({"parcel": format!("BR-{tour}{n:03}"), "kg": n % 7, "state": if (tour, n) == (3, 5) { "missing" } else { "delivered" }});
    let tours: Vec<Value> = (1..6)
        .map(|tour| json!({"tour": format!("T-{tour}"), "stops": (0..9).map(|n| stop(tour, n)).collect::<Vec<_>>(), "driver": format!("Driver {tour}")}))
        .collect();
    let text = json!({"depot": "BRE", "tours": tours}).to_string();
    let auto = arrives(&text, "What is there?", None);
    assert!(auto.contains("BR-3005|5|missing\n") && auto.len() * 10 < text.len() * 7, "{auto}");
    let left = arrives(&text, "What happened to parcel BR-3005, and who was the driver?", Some(5.0));
    assert!(left.contains("BR-3005|5|missing"), "{left}");
    let (before, after) = left.split_once("BR-3005").unwrap();
    assert!(before.rfind("T-3").unwrap() > before.rfind("T-2").unwrap_or(0), "{left}");
    assert!(after.contains("Driver 3") || before.contains("Driver 3"), "{left}");
}

#[test]
fn a_passage_stands_with_its_id_and_as_far_as_it_is_asked_for() {
    let says = |n: usize| {
        match n {
        4 => "The pump was painted by the scouts. Petrol may not be carried over the jetty in open cans. The hose is rolled up.".into(),
        _ => format!("Shed {n} was built by hand. In it lie oars and masts of {n} boats. The floor is swept on Sundays."),
    }
    };
    let hits: Vec<Value> = (0..9)
        .map(|n| json!({"doc_id": format!("H-{n:02}"), "title": format!("Shed {n}"), "score": 0.9, "passage": says(n)}))
        .collect();
    let left = arrives(&json!({"hits": hits}).to_string(), "May petrol be carried over the jetty?", Some(6.0));
    assert!(left.contains("\nH-04|"), "{left}");
    assert!(left.contains("Petrol may not be carried over the jetty in open cans."), "{left}");
    assert!(!left.contains("scouts"), "{left}");
}

/// The long texts within a value, those in strings within strings too.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Object(pairs) => pairs.values().flat_map(texts).collect(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) if text.starts_with('{') => texts(&serde_json::from_str(text).unwrap()),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[test]
fn a_long_text_in_json_is_condensed_within_its_quotes() {
    let line = |n: usize| match n {
        150 => "2026-01-01 00:00:30 ERROR \"worker\" 7: C:\\jobs is full\n".to_owned(),
        _ => format!("2026-01-01 00:00:{:02} INFO worker {n} took {} jobs\n", n % 60, n * 7 % 31),
    };
    let lines: String = (0..200).map(line).collect();
    let pages: Vec<Value> =
        (0..4).map(|n| json!({"url": format!("https://x.example/{n}"), "content": lines})).collect();
    let inner = json!({"output": lines}).to_string();
    let values = [
        json!({"output": lines, "metadata": {"exit_code": 1}}),
        json!({"stdout": lines.repeat(3), "stderr": "", "code": 0}),
        json!([{"type": "text", "text": inner}]),
        Value::from(pages),
    ];
    let around = |value: &Value| -> Vec<String> {
        let minor = |line: &&str| ["exit_code", "stderr", "url", "code"].iter().any(|key| line.contains(key));
        serde_json::to_string_pretty(value).unwrap().lines().filter(minor).map(str::to_owned).collect()
    };
    for value in values {
        let text = value.to_string();
        for ratio in [2.0, 5.0, 10.0] {
            let short = arrives(&text, "What failed?", Some(ratio));
            let told: Value = serde_json::from_str(&short).unwrap();
            assert!((short.len() as f32) < 1.3 * text.len() as f32 / ratio, "{ratio}: {} {short}", text.len());
            assert_eq!(around(&told), around(&value), "{short}");
            for text in texts(&told).iter().filter(|text| text.contains('\n')) {
                let whole = |line: &&str| lines.lines().any(|own| own.ends_with(line)) || line.starts_with("[…");
                assert_eq!(text.lines().find(|line| !whole(line)), None, "{text}");
                assert!(text.contains("[… "), "{text}");
            }
            assert!(texts(&told).iter().any(|text| text.contains("C:\\jobs is full\n")), "{short}");
        }
    }
}

#[test]
fn of_a_text_in_json_that_ends_too_early_whole_lines_stand() {
    let lines: String =
        (0..300).map(|n| format!("2026-01-01 00:00:{:02} INFO job {n} of {} in \"a\"\n", n % 60, n * 7 % 31)).collect();
    let text = json!({"exit_code": 3, "output": lines}).to_string();
    for cut in 3000..3040 {
        let text = text.get(..cut).unwrap();
        let short = arrives(text, "What is job 7?", Some(5.0));
        let told = short.strip_prefix("{\"exit_code\":3,\"output\":\"");
        assert!(short.len() * 3 < text.len(), "{short}");
        assert!(told.unwrap().split("\\n").all(|line| line.starts_with("[…") || text.contains(line)), "{short}");
    }
}

#[test]
fn of_many_texts_in_json_those_that_answer_stand_whole() {
    let page = |n: usize| {
        let told =
            format!("The ferry at mill {n} takes {} people an hour across the river and costs them a crown. ", n + 7);
        json!({"id": n, "content": told.repeat(14)})
    };
    let text = Value::from((0..60).map(page).collect::<Vec<_>>()).to_string();
    let short = arrives(&text, "How many people does the ferry at mill 41 take?", Some(5.0));
    assert!(short.contains("mill 41 takes 48") && short.len() * 4 < text.len(), "{short}");
}

#[test]
fn a_long_string_without_words_may_go() {
    let text = json!({"name": "scan", "image": "iVBORw0KGgoAAAANSUhEUg".repeat(200), "pages": 3}).to_string();
    let short = arrives(&text, "How many pages are there?", Some(5.0));
    assert!(short.contains("pages") && short.len() * 5 < text.len(), "{short}");
}

#[test]
fn records_become_a_table_and_every_value_is_there() {
    let text = hotels(30);
    let auto = arrives(&text, "", None);
    assert!(
        auto.starts_with("each row: city=Oslo|note=null\nhotel_name|\"price_per_night\"|stars|\"rating\"|has_wifi\n"),
        "{auto}"
    );
    assert!(auto.contains("\nInn number 7|129|2|7.0|false\n"), "{auto}");
    assert!(Encoding::O200k.count(&auto) * 3 < Encoding::O200k.count(&text));
}

#[test]
fn the_record_asked_for_stands_whole_under_the_keys() {
    for ratio in [5.0, 10.0, 20.0] {
        let short = arrives(&hotels(60), "What is the price per night of Inn number 41?", Some(ratio));
        assert!(short.contains("hotel_name|\"price_per_night\""), "{ratio}: {short}");
        assert!(short.lines().any(|line| line.starts_with("Inn number 41|367")), "{ratio}: {short}");
        assert!(short.contains("; source complete]") || short.contains("[… source complete]"), "{short}");
    }
}

#[test]
fn the_failed_and_the_odd_record_stand_whatever_is_asked() {
    let rows: Vec<Value> = (0..80)
        .map(|n| {
            json!({"id": n, "state": if n == 33 { "error" } else { "done" }, "took": if n == 57 { 99_000 } else { 300 + n * 7 % 31 },
                   "note": if n == 61 { Value::from("belt jammed") } else { Value::Null }})
        })
        .collect();
    for question in ["What is the state of 12?", "Summarise this."] {
        let short = arrives(&Value::from(rows.clone()).to_string(), question, Some(10.0));
        for row in ["33|error|", "57|done|99000|", "belt jammed"] {
            assert!(short.contains(row), "{row}: {short}");
        }
    }
}

#[test]
fn totals_beside_a_list_stay() {
    let value = json!({"items": (0..80).map(|n| json!({"sku": format!("A-{n}"), "stock": n * 13 % 71})).collect::<Vec<_>>(), "total": 4711});
    let short = arrives(&value.to_string(), "What is the stock of A-7?", Some(8.0));
    assert!(short.contains("total: 4711") && short.contains("A-7|20\n"), "{short}");
}

#[test]
fn objects_by_id_are_rows_and_a_huge_map_of_unlike_ones_is_read_in_linear_room() {
    let map: Map<String, Value> =
        (0..50).map(|n| (format!("u{n}"), json!({"name": format!("Name {n}"), "age": n * 3 % 40}))).collect();
    let auto = arrives(&Value::Object(map).to_string(), "", None);
    assert!(auto.starts_with("{50}:\n{key}|name|age\n") && auto.contains("\nu7|Name 7|21\n"), "{auto}");
    let unlike: Map<String, Value> =
        (0..4000).map(|n| (format!("k{n}"), json!({format!("a{n}"): n, format!("b{n}"): 1}))).collect();
    let text = Value::Object(unlike).to_string();
    arrives(&text, "What is a7?", Some(5.0));
}

#[test]
fn scalars_stay_what_they_are() {
    let text = r#"{"rows": [{"a": 1.50, "b": "true", "c": "007"}, {"a": -0e3, "b": true, "c": "x"}, {"a": 12345678901234567890, "b": null, "c": "1e5"}, {"a": 2, "b": "null", "c": ""}], "a": 1, "a": 2}"#;
    let node = Node::parse(text, false).unwrap();
    let Value::Object(..) = serde_json::from_str(text).unwrap() else { panic!() };
    let call = ToolCall::default();
    let query = Query { call: Some(call), ..Query::default() };
    let wanted = crate::compress::ask::Wanted::new(&query, None);
    let tokens = Encoding::O200k;
    let reader = Reader {
        wanted: &wanted,
        query: &query,
        of_file: false,
        ratio: Ratio::Auto,
        style: crate::compress::Style::default(),
        tokens: &tokens,
    };
    let mut walk = Walk::new(&reader, false, 3.0);
    walk.value(At::root(&Places::source(0), 0), &node);
    let told: String = walk.pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(
        told,
        "rows[4]:\na|b|\"c\"\n1.50|\"true\"|007\n-0e3|true|x\n12345678901234567890|null|1e5\n2|\"null\"|\"\"\n\na: 1\na: 2\n"
    );
}

#[test]
fn a_response_that_is_cut_off_is_read_as_far_as_it_goes() {
    let text = hotels(40);
    let cut = text.get(..text.len() - 90).unwrap();
    let auto = arrives(cut, "", None);
    assert!(auto.contains("Inn number 37|") && auto.len() * 2 < cut.len(), "{auto}");
    let last = cut.rsplit('\n').next().unwrap().trim();
    assert!(auto.contains(last), "{last}: {auto}");
}

#[test]
fn lines_of_json_are_one_table() {
    let text: String =
        (0..40).map(|n| format!("{{\"level\": \"info\", \"n\": {n}, \"msg\": \"step {n} done\"}}\n")).collect();
    let text = text.replace("step 9 done", "cannot reach the database");
    let auto = arrives(&text, "", None);
    assert!(auto.starts_with("each row: level=info\nn|msg\n0|step 0 done\n"), "{auto}");
    let short = arrives(&text, "What happened?", Some(6.0));
    assert!(short.contains("9|cannot reach the database"), "{short}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn at_auto_every_value_arrives(value in value()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let auto = arrives(&text, "", None);
        for leaf in leaves(&value) {
            let written = leaf.to_string();
            let stands = leaf.as_str().is_some_and(|bare| auto.contains(bare)) || auto.contains(&written);
            prop_assert!(stands, "{written} in {auto}");
        }
    }

    #[test]
    fn at_a_ratio_each_row_is_one_of_the_source(values in prop::collection::vec((0_u32..9999, "[a-z]{3,9}", any::<bool>()), 12..40)) {
        let rows: Vec<Value> = values.iter().map(|(n, word, is)| json!({"n": n, "word": word, "is": is})).collect();
        let short = arrives(&Value::from(rows).to_string(), "", Some(5.0));
        for line in short.lines().filter(|line| line.matches('|').count() == 2 && !line.starts_with("n|")) {
            prop_assert!(values.iter().any(|(n, word, is)| line == format!("{n}|{word}|{is}")), "{line}");
        }
    }
}

fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(pairs) => pairs.values().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

/// Values with what the form could stumble over.
fn value() -> impl Strategy<Value = Value> {
    let word = prop_oneof!["[a-c]{1,2}", r#"[a|":= \\\[{.\-0-9\n…é]{0,4}"#, Just("true".into()), Just("1e5".into())];
    let leaf = prop_oneof![
        word.clone().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let object = prop::collection::vec((word.clone(), inner.clone()), 0..5)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..4), prop::collection::vec(object.clone(), 0..4)]
            .prop_map(Value::Array)
            .boxed()
            .prop_union(object.boxed())
    })
}
