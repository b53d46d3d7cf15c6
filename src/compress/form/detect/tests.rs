use super::*;

fn kinds(text: &str) -> Vec<Form> {
    let found = blocks(text, 0..text.len(), &Query::default());
    let joined: String = found.iter().filter_map(|block| text.get(block.span.clone())).collect();
    assert_eq!(joined, text);
    found.into_iter().map(|block| block.form).collect()
}

const RECORDS: &str = r#"{"results": [{"id": 1, "name": "one of the many", "state": "open"}, {"id": 2, "name": "another one of them", "state": "open"}, {"id": 3, "name": "the last one", "state": "closed"}]}"#;

#[test]
fn a_mixed_message_is_cut_into_its_parts() {
    let text = format!(
        "Please look at this.\n\n```rust\nfn main() {{}}\n```\n\nThe server said:\n\n{RECORDS}\n\nAnd the log:\n\
         2024-05-01 10:00:00 INFO a\n2024-05-01 10:00:01 ERROR b\n    at x.Y(Z.java:1)\n2024-05-01 10:00:02 INFO c\n\n\
         a | b | c\n1 | 2 | 3\n4 | 5 | 6\n\nWhat is wrong?\n"
    );
    use Form::{Code, Json, Log, Prose, Table};
    assert_eq!(kinds(&text), [Prose, Code, Prose, Json, Prose, Log, Prose, Table, Prose]);
}

#[test]
fn a_value_in_the_middle_of_a_line_is_found() {
    assert_eq!(kinds(&format!("Response: {RECORDS}\nThanks.")), [Form::Prose, Form::Json, Form::Prose]);
}

#[test]
fn whole_texts_are_known() {
    assert_eq!(kinds(&format!("  {RECORDS}\n")), [Form::Json]);
    assert_eq!(kinds("<!DOCTYPE html><html><body><p>x</p></body></html>"), [Form::Html]);
    assert_eq!(kinds(&"iVBORw0KGgoAAAANSUhEUgAA".repeat(50)), [Form::Opaque]);
    assert_eq!(kinds("name,size,kind\na,1,x\nb,2,y\n"), [Form::Csv]);
    assert_eq!(kinds("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"), [Form::Diff]);
    assert_eq!(kinds("name: x\nimage: y:1\nports: 80\nrestart: always\n"), [Form::Keyed]);
    assert_eq!(kinds("1:use a;\n2:\n3:fn b() {\n4:    c()\n5:}\n"), [Form::Code]);
}

#[test]
fn code_in_a_fence_is_code_whoever_quotes_it() {
    let text = "Minutes.\n\n> Ann wrote:\n>\n> ```ini\n> [a]\n>\n> b = 2\n> ```\n> So it is.\n\nThe end.\n";
    assert_eq!(kinds(text), [Form::Prose, Form::Code, Form::Prose]);
    // What nobody closes ends with the quotation.
    assert_eq!(kinds("> ~~~\n> a = 1\n\nThe end of it.\n"), [Form::Code, Form::Prose]);
}

#[test]
fn hits_in_code_are_hits() {
    let hits: String = (3..9).map(|n| format!("till.py:{n}1:9:    if line.sum_of(item{n}):\n")).collect();
    assert_eq!(kinds(&hits), [Form::Hits]);
}

#[test]
fn what_is_said_again_and_again_is_output() {
    let text = format!("$ ./until-ready printer\n{}printer: ready\n", "printer: still warming up\n".repeat(9));
    let call = crate::compress::ToolCall { name: "bash".into(), arguments: "{}".into() };
    let query = Query { call: Some(call), ..Query::default() };
    let found = blocks(&text, 0..text.len(), &query);
    assert_eq!(found.into_iter().map(|block| block.form).collect::<Vec<_>>(), [Form::Log]);
}

#[test]
fn talk_and_contracts_are_prose() {
    for text in [
        "PhD C: Well , I {disfmarker}\nPhD D: Yes {disfmarker}\nGrad E: {vocalsound} Yeah .\nPhD C: So .\nPhD C: Well {pause}\n",
        "User: Yes please.\nSystem: It is booked.\nUser: Thank you.\nSystem: Good bye.\n",
        "The parties agree:\n(a) the buyer pays;\n(b) the seller delivers (at its cost);\n(c) the carrier carries;\n",
        "He saves 400 because 4 x 100 = 400.\nShe needs 8 - 2 = 6 more.\nThey have 6 + 2 = 8 now.\n",
        "",
        "\n\n",
    ] {
        assert_eq!(kinds(text), [Form::Prose], "{text}");
    }
}

#[test]
fn hostile_texts_are_cut_and_rendered_cleanly() {
    for text in [
        "[".repeat(20_000),
        "{\"a\":".repeat(20_000),
        "[\n".repeat(300) + &"1,\n".repeat(20_000),
        "```x\n".repeat(20_000),
        "~~~\n```\n".repeat(10_000),
        "\u{1f600}\u{1f3fd}".repeat(5_000),
        "٣٤:٥٥ | ١٢ | ٣\n".repeat(2_000),
        "\0".repeat(20_000),
        "a,b,c\n1,2\n".repeat(5_000),
        "key: value\r\n".repeat(5_000),
        "\u{2028}\u{a0}".repeat(5_000),
        "x".repeat(100_000),
    ] {
        kinds(&text);
    }
}

#[test]
fn dated_records_are_no_output_of_a_program_that_runs() {
    let record = |n: usize| {
        format!(
            "changeset: 11{n}:5c0f\nuser:      Ann <a@x>\ndate:      Tue Nov 05 18:2{n}:41 2024 -0300\nsummary:   sync {n}\n\n"
        )
    };
    let text: String = (1..7).map(record).collect();
    let query = Query { call: Some(crate::compress::ToolCall::default()), ..Query::default() };
    assert!(blocks(&text, 0..text.len(), &query).iter().all(|block| block.form != Form::Log));
    let job: String =
        (1..9).map(|n| format!("$ step {n}\nrunning it now\n ✓ src/a{n}.test.ts > is told 3ms\n")).collect();
    assert!(blocks(&job, 0..job.len(), &query).iter().all(|block| block.form == Form::Log));
}
