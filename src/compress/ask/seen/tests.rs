use proptest::prelude::*;

use super::*;

const ONE: Nth = Nth { nth: 1, of: 1 };
const USER: Place<'_> = Place::User(ONE);

fn file(lines: Range<usize>) -> String {
    lines.map(|line| format!("    let value_{line} = compute({line}); // step {line}\n")).collect()
}

fn view(lines: Range<usize>, from: usize) -> String {
    lines.enumerate().map(|(at, line)| format!("{:>6}\tlet value_{line} = compute(x);\n", at + from)).collect()
}

/// What is seen of the last text, where all others are exact; each comes from one call.
fn seen(texts: &[&str]) -> Vec<Seen> {
    let mut passages = Passages::of(texts);
    for (at, text) in texts.iter().enumerate() {
        passages.note(at, std::slice::from_ref(&(0..text.len())));
    }
    let place = |of: usize| {
        Place::Tool(Some(("read_file", r#"{"path": "src/db.rs"}"#)), Nth { nth: of + 1, of: texts.len() - 1 })
    };
    passages.seen(texts.len() - 1, texts[texts.len() - 1], place)
}

fn references(texts: &[&str]) -> Vec<String> {
    seen(texts).into_iter().map(|seen| seen.reference).collect()
}

#[test]
fn a_file_that_is_read_again_is_the_same() {
    let file = file(0..40);
    assert_eq!(references(&[&file, &file]), ["[… the same as the result of read_file(src/db.rs) above]"]);
    assert_eq!(references(&[&file, "a user's word", &file]).len(), 1);
    assert_eq!(references(&[&file]), [""; 0]);
}

#[test]
fn of_a_changed_file_the_changed_lines_are_new() {
    let (before, after) = (file(0..60), file(0..20) + "    changed();\n" + &file(21..60));
    let found = seen(&[&before, &after]);
    assert_eq!(
        found.iter().map(|seen| seen.reference.as_str()).collect::<Vec<_>>(),
        [
            "[… lines 1–20 as in the result of read_file(src/db.rs) above, from “let value_0 = compute(0)…” to \
             “let value_19 = compute(1…”]",
            "[… lines 22–60 as in the result of read_file(src/db.rs) above, from “let value_21 = compute(2…” to \
             “let value_59 = compute(5…”]",
        ]
    );
    assert_eq!(after.get(found[0].span.end..found[1].span.start), Some("    changed();\n"));
}

#[test]
fn lines_that_moved_name_both_places() {
    let (before, after) = (file(0..40), "    first();\n".to_owned() + &file(0..40));
    assert!(references(&[&before, &after])[0].starts_with("[… lines 2–41 as in lines 1–40 of the result of"));
    let (before, after) = (view(0..40, 1), "     1\tuse std;\n".to_owned() + &view(0..40, 2));
    assert_eq!(
        references(&[&before, &after]),
        ["[… lines 2–41 as in lines 1–40 of the result of read_file(src/db.rs) above]"]
    );
}

#[test]
fn numbers_that_do_not_count_up_are_content() {
    let (before, after): (String, String) =
        (0..40).map(|at| (format!("{}\tname {at}\n", at * 7), format!("{}\tname {at}\n", at * 7 + 1))).unzip();
    assert_eq!(references(&[&before, &after]), [""; 0]);
}

#[test]
fn the_earliest_exact_text_is_named_by_its_number() {
    let (one, two) = (file(0..40), file(40..80));
    let all = one.clone() + &two;
    let found = references(&[&one, &two, &all]);
    assert!(
        found[0].contains("the 1st result of read_file") && found[1].contains("the 2nd result of read_file"),
        "{found:?}"
    );
}

#[test]
fn only_what_is_forwarded_exact_is_referred_to() {
    let file = file(0..60);
    let mut passages = Passages::of(&[&file, &file]);
    let line = file.len() / 60;
    assert_eq!(passages.seen(1, &file, |_| USER), []);
    passages.note(0, &[0..line / 2, line * 30..file.len()]);
    let found = passages.seen(1, &file, |_| USER);
    assert_eq!(found.len(), 1);
    assert!(found[0].reference.contains("lines 31–60 as in the user's message above"), "{found:?}");
    assert_eq!(passages.referred(1), [0]);
}

#[test]
fn what_refers_to_an_earlier_text_is_found_there() {
    let [one, two] = [20, 30].map(|at| file(0..at) + "    changed();\n" + &file(at + 1..60));
    let texts = [one.as_str(), &two, &two];
    let mut passages = Passages::of(&texts);
    passages.note(0, std::slice::from_ref(&(0..one.len())));
    let second = passages.seen(1, &two, |_| USER);
    assert_eq!(second.len(), 3);
    // Forwarded are the lines between the passages.
    passages.note(1, &[second[0].span.end..second[1].span.start, second[1].span.end..second[2].span.start]);
    let third = passages.seen(2, &two, |_| USER);
    let spans = |seen: &[Seen]| seen.iter().map(|seen| seen.span.clone()).collect::<Vec<_>>();
    assert_eq!(spans(&third), spans(&second));
    assert_eq!(third, second);
}

#[test]
fn what_is_short_stands_for_itself() {
    assert_eq!(references(&["}\n}\n}\n", "}\n}\n}\n"]), [""; 0]);
    let few = file(0..3);
    assert_eq!(references(&[&few, &few]), [""; 0]);
}

#[test]
fn a_long_line_is_a_passage_by_itself() {
    let row = format!("{{\"rows\": [{}]}}", "1, ".repeat(200));
    assert_eq!(references(&[&row, &row]).len(), 1);
}

#[test]
fn a_call_is_named_in_a_few_words_on_one_line() {
    let file = file(0..40);
    let mut passages = Passages::of(&[&file, &file]);
    passages.note(0, std::slice::from_ref(&(0..file.len())));
    let arguments = format!("{{\"command\": \"cat\\n{}\"}}", "x".repeat(200));
    let found = passages.seen(1, &file, |_| Place::Tool(Some(("bash", &arguments)), ONE));
    assert!(found[0].reference.len() < 150 && !found[0].reference.contains('\n'), "{found:?}");
}

#[test]
fn comparing_is_linear_however_alike_texts_are() {
    let text = "aaaa\n".repeat(40_000);
    let texts: Vec<&str> = std::iter::repeat_n(text.as_str(), 8).collect();
    assert_eq!(seen(&texts).len(), 1);
}

proptest! {
    #[test]
    fn each_passage_is_whole_lines_and_stands_in_an_earlier_text(
        texts in prop::collection::vec(prop::collection::vec(0..40_usize, 1..120), 2..5),
    ) {
        let texts: Vec<String> = texts
            .iter()
            .map(|lines| lines.iter().map(|line| format!("line {} of some length, {}\n", line / 10, "x".repeat(line / 10))).collect())
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let own = texts[texts.len() - 1];
        let mut end = 0;
        for Seen { span, .. } in seen(&texts) {
            let before = own.get(..span.start).unwrap();
            prop_assert!(span.start >= end && (before.is_empty() || before.ends_with('\n')));
            let passage = own.get(span.clone()).unwrap();
            prop_assert!(texts.iter().rev().skip(1).any(|text| text.contains(passage)));
            end = span.end;
        }
    }
}
