//! What the forms promise; a reader of the lossless form shows that nothing is lost.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::compress::{Encoding, Query, ToolCall, content};

fn asked(question: &str) -> Relevance {
    Relevance::new(&Query { preceding: question.into(), ..Query::default() }, None)
}

fn within(text: &str, question: &str, budget: usize) -> String {
    content::render(text, Kind::Json, &asked(question), Budget::Tokens(budget), &Encoding::O200k).text
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
fn records_become_a_table_that_can_be_read_back() {
    let text = hotels(12);
    let rendered = content::render(&text, Kind::Json, &Relevance::default(), Budget::Auto, &Encoding::O200k);
    assert!(rendered.text.starts_with("each row: city=Oslo|note=null\nhotel_name|"), "{}", rendered.text);
    assert_eq!(read_back(&rendered.text), serde_json::from_str::<Value>(&text).unwrap());
    assert!(rendered.tokens * 3 < Encoding::O200k.count(&text), "{} tokens", rendered.tokens);
}

#[test]
fn nested_objects_are_lines_and_flattened_columns() {
    let value = json!({"total": 2, "next": null, "user": {"name": "Ada", "tags": ["a", "b|c"], "id": "007"},
        "items": [{"id": 1, "at": {"x": 1.5, "y": "a: b"}}, {"id": 2, "at": {"x": 2, "y": ""}, "why": "|"}]});
    let form = Document::of(&Node::parse(&value.to_string()).unwrap()).text();
    assert_eq!(
        form,
        "total: 2\nnext: null\nuser:\n name: Ada\n tags: [\"a\",\"b|c\"]\n id: 007\nitems[]:\nid|at.x|at.y|why\n\
         1|1.5|a: b|\n2|2|\"\"|\"|\""
    );
    assert_eq!(read_back(&form), value);
}

#[test]
fn a_field_asked_for_survives_at_every_ratio() {
    let text = hotels(60);
    let whole = Encoding::O200k.count(&text);
    for ratio in [2, 5, 10, 20, 50] {
        let short = within(&text, "What is the price per night of Inn number 41?", whole / ratio);
        let line = short.lines().find(|line| line.contains("Inn number 41")).unwrap_or_default();
        assert!(line.contains("367"), "{ratio}: {short}");
        assert!(Encoding::O200k.count(&short) <= whole / ratio, "{ratio}");
    }
}

#[test]
fn the_record_asked_for_is_told_in_full_where_others_are_not() {
    let rows: Vec<Value> = (0..40)
        .map(|n| {
            json!({"id": n, "title": format!("Issue of shard {n}"), "login": format!("user{}", n % 5),
                        "body": format!("It stops at step {n}. {}Thanks to all.", "This is long. ".repeat(9))})
        })
        .collect();
    let text = Value::from(rows).to_string();
    let short = within(&text, "Who wrote the issue of shard 14 and at which step does it stop?", 220);
    assert!(short.contains("user4") && short.contains("It stops at step 14."), "{short}");
    assert!(short.contains("Issue of shard 3"), "{short}");
}

#[test]
fn what_is_left_out_is_counted() {
    let text = hotels(60);
    let short = within(&text, "Which hotels are there?", Encoding::O200k.count(&text) / 30);
    let rows = short.lines().filter(|line| line.contains("Inn number")).count();
    assert!(rows < 60 && short.contains(&format!("{} of 60 rows", 60 - rows)), "{short}");
}

#[test]
fn a_budget_is_used_but_not_passed() {
    let text = hotels(80);
    for budget in [60, 120, 300, 600] {
        let spent = Encoding::O200k.count(&within(&text, "Which are cheap?", budget));
        assert!(spent <= budget && spent * 10 >= budget * 8, "{budget}: {spent}");
    }
}

#[test]
fn a_long_value_is_cut_at_sentences() {
    let story: String = (0..80).map(|n| format!("Sentence {n} tells of town {n}. ")).collect();
    let text = json!({"title": "Towns", "body": story + "The mayor of Arlen is Ann Oakley. "}).to_string();
    let short = within(&text, "Who is the mayor of Arlen?", 80);
    assert!(short.contains("title: Towns") && short.contains("The mayor of Arlen is Ann Oakley."), "{short}");
    assert!(short.contains("[…]"), "{short}");
}

#[test]
fn a_key_that_is_asked_for_survives_in_an_object() {
    let pairs: Map<String, Value> = (0..200).map(|n| (format!("setting_{n}_size"), json!(n * 31))).collect();
    let mut value = Value::Object(pairs);
    value["retry_limit"] = json!({"deep": {"retry_delay": "17s", "other": 1}});
    let short = within(&value.to_string(), "What is the retry delay?", 60);
    assert!(short.contains("  retry_delay: 17s") && short.contains("retry_limit:"), "{short}");
}

#[test]
fn the_arguments_of_the_call_name_what_is_asked() {
    let query = Query {
        preceding: "When does it leave?".into(),
        call: Some(ToolCall { name: "hotel".into(), arguments: r#"{"hotel_name":"Inn number 33"}"#.into() }),
        ..Query::default()
    };
    let ask = Relevance::new(&query, None);
    let short = content::render(&hotels(60), Kind::Json, &ask, Budget::Tokens(40), &Encoding::O200k).text;
    assert!(short.contains("Inn number 33"), "{short}");
}

#[test]
fn broken_values_and_keys_told_twice_stay_as_they_are() {
    for text in [r#"{"a": 1, "a": 2}"#.to_owned(), hotels(9) + "x", hotels(9).replace("]", ""), "[".repeat(500)] {
        let rendered = content::render(&text, Kind::Json, &asked("a"), Budget::Tokens(5), &Encoding::O200k);
        assert_eq!(rendered.text, text);
    }
}

#[test]
fn lines_of_json_are_one_table() {
    let text = "{\"id\": 1, \"word\": \"one of them\"}\n{\"id\": 2, \"word\": \"two of them\"}\n".to_owned();
    let blocks = content::blocks(&text);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    let rendered = content::render(&text, blocks[0].kind, &Relevance::default(), Budget::Auto, &Encoding::O200k);
    assert_eq!(rendered.text, "id|word\n1|one of them\n2|two of them\n");
    let spans: String = rendered.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
    assert_eq!(spans, text);
}

proptest! {
    #[test]
    fn any_value_is_read_back_from_its_form(value in value()) {
        let text = value.to_string();
        let document = Document::of(&Node::parse(&text).unwrap());
        if document.is_readable() && !document.parts.is_empty() {
            prop_assert_eq!(read_back(&document.text()), value, "{}", document.text());
        }
    }

    #[test]
    fn units_concatenate_and_nothing_grows(value in value(), budget in 0_usize..200) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let rendered = content::render(&text, Kind::Json, &asked("a b"), Budget::Tokens(budget), &Encoding::O200k);
        let spans: String = rendered.units.iter().map(|unit| text.get(unit.span.clone()).unwrap()).collect();
        prop_assert_eq!(spans, text.clone());
        prop_assert!(rendered.tokens <= Encoding::O200k.count(&text));
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

// A reader of the lossless form.

fn read_back(form: &str) -> Value {
    let lines: Vec<&str> = form.split('\n').collect();
    let first = lines[0].trim_start();
    let (_, rest) = key(first);
    if !first.starts_with("each row: ") && (rest.starts_with(':') || rest.starts_with("[]:")) {
        let mut at = 0;
        return Value::Object(read_object(&lines, &mut at, 0));
    }
    let mut at = 0;
    read_table(&lines, &mut at)
}

fn read_object(lines: &[&str], at: &mut usize, depth: usize) -> Map<String, Value> {
    let mut object = Map::new();
    while *at < lines.len() {
        let line = lines[*at];
        let content = line.trim_start_matches(' ');
        if line.len() - content.len() < depth {
            break;
        }
        *at += 1;
        let (name, rest) = key(content);
        let value = if rest == "[]:" {
            read_table(lines, at)
        } else if rest == ":" {
            Value::Object(read_object(lines, at, depth + 1))
        } else {
            cell(rest.strip_prefix(": ").unwrap(), '\n', false).0.unwrap()
        };
        object.insert(name.0, value);
    }
    object
}

fn read_table(lines: &[&str], at: &mut usize) -> Value {
    let mut constants = Vec::new();
    if let Some(mut rest) = lines[*at].strip_prefix("each row: ") {
        while !rest.is_empty() {
            let ((name, texts), after) = key(rest);
            let (value, after) = cell(after.strip_prefix('=').unwrap(), '|', texts);
            constants.push((name, value.unwrap()));
            rest = after.strip_prefix('|').unwrap_or(after);
        }
        *at += 1;
    }
    let mut names = Vec::new();
    let mut rest = lines[*at];
    loop {
        let (name, after) = key(rest);
        names.push(name);
        let Some(after) = after.strip_prefix('|') else { break };
        rest = after;
    }
    *at += 1;
    let mut rows = Vec::new();
    while *at < lines.len() && !lines[*at].is_empty() {
        let mut row = Value::Object(Map::new());
        for (name, value) in &constants {
            insert(&mut row, name, value.clone());
        }
        let mut rest = lines[*at];
        for (name, texts) in &names {
            let (value, after) = cell(rest, '|', *texts);
            if let Some(value) = value {
                insert(&mut row, name, value);
            }
            rest = after.strip_prefix('|').unwrap_or(after);
        }
        rows.push(row);
        *at += 1;
    }
    *at += 1;
    Value::Array(rows)
}

fn insert(row: &mut Value, path: &str, value: Value) {
    let (mut node, mut parts) = (row, path.split('.').peekable());
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            node[part] = value;
            return;
        }
        node = &mut node[part];
    }
}

/// A name, whether its column holds strings, and what follows.
fn key(text: &str) -> ((String, bool), &str) {
    if text.starts_with('"') {
        let length = value_length(text).unwrap();
        let name: String = serde_json::from_str(text.get(..length).unwrap()).unwrap();
        let plain = form::is_plain_name(&name);
        return ((name, plain), text.get(length..).unwrap());
    }
    let end = text.find(['|', '=', ':']).unwrap_or(text.len());
    let end = if text.get(..end).unwrap().ends_with("[]") { end - 2 } else { end };
    ((text.get(..end).unwrap().to_owned(), false), text.get(end..).unwrap())
}

fn cell(text: &str, mark: char, texts: bool) -> (Option<Value>, &str) {
    if text.starts_with(['"', '[', '{']) {
        let length = value_length(text).unwrap();
        return (serde_json::from_str(text.get(..length).unwrap()).ok(), text.get(length..).unwrap());
    }
    let end = text.find(mark).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let value = match word {
        "" => None,
        word if !texts && form::is_scalar(word) => serde_json::from_str(word).ok(),
        word => Some(Value::from(word)),
    };
    (value, rest)
}
