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
        all(&mut passages, at, text);
    }
    let place = |of: usize| {
        Place::Tool(Some(("read_file", r#"{"path": "src/db.rs"}"#)), Nth { nth: of + 1, of: texts.len() - 1 })
    };
    passages.seen(texts.len() - 1, place)
}

/// All of a text stands as it is.
fn all(passages: &mut Passages, of: usize, text: &str) {
    let whole = 0..text.len();
    let whole = std::slice::from_ref(&whole);
    passages.note(of, whole, whole);
}

/// The numbers of the lines seen, here and there.
fn numbers(texts: &[&str]) -> Vec<((usize, usize), (usize, usize))> {
    seen(texts).into_iter().map(|seen| (seen.lines.unwrap_or_default(), seen.earlier)).collect()
}

#[test]
fn a_file_that_is_read_again_was_seen_whole() {
    let file = file(0..40);
    let found = seen(&[&file, "a user's word", &file]);
    assert_eq!(found.iter().map(|seen| (seen.span.clone(), seen.whole)).collect::<Vec<_>>(), [(0..file.len(), true)]);
    assert_eq!(seen(&[&file]), []);
}

#[test]
fn of_a_changed_file_the_changed_lines_are_new() {
    let (before, after) = (file(0..60), file(0..20) + "    changed();\n" + &file(21..60));
    assert_eq!(numbers(&[&before, &after]), [((1, 20), (1, 20)), ((22, 60), (22, 60))]);
    let found = seen(&[&before, &after]);
    assert_eq!(after.get(found[0].span.end..found[1].span.start), Some("    changed();\n"));
}

#[test]
fn lines_that_moved_have_both_places() {
    let (before, after) = (file(0..40), "    first();\n".to_owned() + &file(0..40));
    assert_eq!(numbers(&[&before, &after]), [((2, 41), (1, 40))]);
    let (before, after) = (view(0..40, 7), "     7\tuse std;\n".to_owned() + &view(0..40, 8));
    assert_eq!(numbers(&[&before, &after]), [((8, 47), (7, 46))]);
    assert!(seen(&[&before, &after])[0].numbered);
}

#[test]
fn a_view_of_what_stands_without_numbers_is_found_by_the_places_of_its_lines() {
    let plain: String = (0..40).map(|line| format!("let value_{line} = compute(x);\n")).collect();
    for (first, numbers_of) in [(1, ((1, 40), (1, 40))), (101, ((101, 140), (1, 40)))] {
        let found = seen(&[&plain, &view(0..40, first)]);
        assert_eq!(found.iter().map(|seen| (seen.lines.unwrap(), seen.earlier)).collect::<Vec<_>>(), [numbers_of]);
        assert!(found[0].numbered && !found[0].whole, "it has its numbers besides");
    }
    assert_eq!(numbers(&[&plain, &view(10..40, 11)]), [((11, 40), (11, 40))]);
    assert_eq!(seen(&[&view(0..40, 1), &plain]), [], "nobody can tell lines without numbers from a view");
    let uneven: String = (0..40).map(|at| format!("{}\tlet value_{at} = compute(x);\n", at * 7 + 1)).collect();
    assert_eq!(seen(&[&plain, &uneven]), []);
}

#[test]
fn what_the_assistant_gave_to_a_tool_is_named_by_the_call() {
    let call = ("write_file", r#"{"path": "src/db.py"}"#);
    let told = |given, nth, of| Place::Given(given, call, Nth { nth, of }).to_string();
    assert_eq!(told(Given::Argument("content"), 1, 1), "the content given to write_file(src/db.py)");
    assert_eq!(told(Given::Argument("content"), 2, 3), "the content given to the 2nd write_file(src/db.py)");
    assert_eq!(told(Given::Added, 1, 1), "the file added by write_file(src/db.py)");
    let long = "x".repeat(100);
    assert!(told(Given::Argument(&long), 1, 1).len() < 80);
}

#[test]
fn numbers_that_do_not_count_up_are_content() {
    let (before, after): (String, String) =
        (0..40).map(|at| (format!("{}\tname {at}\n", at * 7), format!("{}\tname {at}\n", at * 7 + 1))).unzip();
    assert_eq!(seen(&[&before, &after]), []);
}

#[test]
fn the_earliest_exact_text_is_named_by_its_number() {
    let (one, two) = (file(0..40), file(40..80));
    let all = one.clone() + &two;
    let places: Vec<String> = seen(&[&one, &two, &all]).into_iter().map(|seen| seen.place).collect();
    assert_eq!(places, ["the 1st result of read_file(src/db.rs)", "the 2nd result of read_file(src/db.rs)"]);
}

#[test]
fn only_what_is_forwarded_exact_is_referred_to() {
    let file = file(0..60);
    let mut passages = Passages::of(&[&file, &file]);
    let line = file.len() / 60;
    assert_eq!(passages.seen(1, |_| USER), []);
    let exact = [0..line / 2, line * 30..file.len()];
    passages.note(0, &exact, &exact);
    let found = passages.seen(1, |_| USER);
    assert_eq!(found.iter().map(|seen| seen.lines).collect::<Vec<_>>(), [Some((31, 60))]);
    assert_eq!(found[0].place, "the user's message");
    assert_eq!(passages.referred(1).collect::<Vec<_>>(), [0]);
}

#[test]
fn what_refers_to_an_earlier_text_is_found_there() {
    let [one, two] = [20, 30].map(|at| file(0..at) + "    changed();\n" + &file(at + 1..60));
    let texts = [one.as_str(), &two, &two];
    let mut passages = Passages::of(&texts);
    all(&mut passages, 0, &one);
    let second = passages.seen(1, |_| USER);
    assert_eq!(second.len(), 3);
    // Forwarded are the lines between the passages.
    let exact = [second[0].span.end..second[1].span.start, second[1].span.end..second[2].span.start];
    passages.note(1, &exact, &exact);
    let third = passages.seen(2, |_| USER);
    let spans = |seen: &[Seen]| seen.iter().map(|seen| seen.span.clone()).collect::<Vec<_>>();
    assert_eq!(spans(&third), spans(&second));
    assert_eq!(third, second);
}

#[test]
fn what_stands_in_another_form_without_loss_is_said_to() {
    let file = file(0..60);
    let mut passages = Passages::of(&[&file, &file]);
    let half = file.lines().take(30).map(|line| line.len() + 1).sum::<usize>();
    passages.note(0, std::slice::from_ref(&(0..half)), std::slice::from_ref(&(0..file.len())));
    let found: Vec<_> = passages.seen(1, |_| USER).into_iter().map(|seen| (seen.lines, seen.verbatim)).collect();
    assert_eq!(found, [(Some((1, 30)), true), (Some((31, 60)), false)]);
}

#[test]
fn what_is_short_stands_for_itself() {
    assert_eq!(seen(&["}\n}\n}\n", "}\n}\n}\n"]), []);
    let few = file(0..3);
    assert_eq!(seen(&[&few, &few]), []);
}

#[test]
fn elements_of_a_list_on_one_line_are_found_by_themselves() {
    let row = |at: usize| format!("{{\"id\": {at}, \"name\": \"item {at}\", \"state\": \"open\"}}");
    let list = |rows: Range<usize>| format!("[{}]", rows.map(row).collect::<Vec<_>>().join(", "));
    let (before, after) = (list(0..40), list(20..60));
    let found = seen(&[&before, &after]);
    assert_eq!((found.len(), found[0].lines), (1, None));
    let passage = after.get(found[0].span.clone()).unwrap();
    assert!(passage.contains("item 21") && passage.contains("item 38") && !passage.contains("item 40"), "{passage}");
}

#[test]
fn a_call_is_named_in_a_few_words_on_one_line() {
    let arguments = format!("{{\"command\": \"cat\\n{}\"}}", "x".repeat(200));
    let place = Place::Tool(Some(("bash", &arguments)), ONE).to_string();
    assert!(place.len() < 100 && !place.contains('\n') && place.starts_with("the result of bash(cat xx"), "{place}");
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
