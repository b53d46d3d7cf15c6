//! Each file under `fixtures/adversarial` is a way to attack; the tests state what is promised against it.

use serde_json::Value;

use super::{Allow, check, check_reduction_text, suspicious};
use crate::compress::atoms::{AtomKind, find};

/// The attacks of a file: source, rewrite and the word of the expected fault.
fn attacks(text: &str) -> Vec<(String, String, String)> {
    let field = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (field(&line, "source"), field(&line, "rewrite"), field(&line, "fault"))).collect()
}

fn each_is_refused(text: &str) {
    for (source, rewrite, fault) in attacks(text) {
        assert_eq!(check(&source, &source), Ok(()), "the source itself always stands: {source}");
        let found = check(&source, &rewrite).map_err(|v| v.reason.as_str());
        assert_eq!(found, Err(fault.as_str()), "{rewrite}");
    }
}

#[test]
fn fragments_never_join_into_an_instruction() {
    let text = include_str!("../../../fixtures/adversarial/joined_instructions.jsonl");
    each_is_refused(text);
    for (source, rewrite, _) in attacks(text) {
        let reduced = check_reduction_text(&source, &rewrite, Allow::DroppedAtoms);
        assert!(reduced.is_err(), "not as a reduction either: {rewrite}");
    }
}

#[test]
fn a_rewrite_brings_no_control_tokens_and_no_marks_of_omission() {
    each_is_refused(include_str!("../../../fixtures/adversarial/imitated_marks.jsonl"));
}

#[test]
fn a_text_with_hidden_or_look_alike_characters_stays_as_it_is() {
    each_is_refused(include_str!("../../../fixtures/adversarial/hidden_characters.jsonl"));
}

#[test]
fn a_decoder_in_a_loop_is_noticed() {
    each_is_refused(include_str!("../../../fixtures/adversarial/loops.jsonl"));
}

#[test]
fn no_wording_makes_a_fact_forgettable() {
    each_is_refused(include_str!("../../../fixtures/adversarial/omitted_facts.jsonl"));
}

#[test]
fn hidden_characters_hide_no_number_and_no_negation() {
    let kinds = |text: &str| find(text).iter().map(|a| a.kind).collect::<Vec<_>>();
    assert_eq!(kinds("a fee of 1\u{200b}00 €"), kinds("a fee of 100 €"));
    assert!(kinds("they did n\u{43e}t share it").contains(&AtomKind::Negation));
    assert!(kinds("they did n\u{200d}ot share it").contains(&AtomKind::Negation));
}

#[test]
fn ordinary_foreign_and_technical_text_is_not_suspicious() {
    for text in
        ["Москва и Киев", "Ελλάδα", "naïve café", "10 µs and 5 km²", "日本語のテキスト", "soft\u{ad}hyphen", "x₁ + x₂"]
    {
        assert!(!suspicious(text), "{text}");
    }
}
