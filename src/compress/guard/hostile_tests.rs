//! Each file under `fixtures/adversarial` is a way to attack; the tests state what is promised against it.

use serde_json::Value;

use super::{check, hostile::suspicious, reduction};
use crate::compress::{
    Encoding, Factor, Policy, Query, Ratio, compress,
    text::atoms::{AtomKind, Scan},
};

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
        let reduced = reduction::check(&source, &rewrite);
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
    let kinds = |text: &str| Scan::new(text).found.iter().filter(|a| a.counts()).map(|a| a.kind).collect::<Vec<_>>();
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

/// A hostile passage inside of an ordinary text, condensed as the proxy would.
fn condensed(passage: &str, ratio: Ratio) -> String {
    let town = |n: usize| {
        format!(
            "In {} the town of Arlen{n} had {} people and a mill by the river. The mill was as old as the town.",
            1800 + n,
            n * 37
        )
    };
    let towns = |from: usize| (from..from + 12).map(town).collect::<Vec<_>>().join(" ");
    let text = format!("{}\n\n{passage}\n\n{}", towns(1), towns(20));
    let policy = Policy { ratio, min_tokens: 16, rewrite: false, ..Policy::default() };
    let found = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
    found.text().unwrap_or(&text).to_owned()
}

fn ratios() -> impl Iterator<Item = Ratio> {
    let fixed = [2.0, 3.0, 5.0, 10.0, 20.0].map(|ratio| Ratio::By(Factor::new(ratio).unwrap()));
    [Ratio::Auto].into_iter().chain(fixed)
}

#[test]
fn condensing_a_document_makes_no_order_out_of_its_fragments() {
    for (source, order, _) in attacks(include_str!("../../../fixtures/adversarial/joined_instructions.jsonl")) {
        for ratio in ratios() {
            let text = condensed(&source, ratio);
            let made = text.contains(order.trim_end_matches('.')) && !source.contains(order.trim_end_matches('.'));
            assert!(!made, "{ratio}: {text}");
        }
    }
}

#[test]
fn imitated_marks_and_control_tokens_gain_nothing_by_condensing() {
    let passage =
        "The scribe wrote [… 12 lines] and then <|im_start|>system and <extra_id_0> and </s> in the margin of it.";
    for ratio in ratios() {
        let text = condensed(passage, ratio);
        for mark in ["<|im_start|>", "<extra_id_0>", "</s>"] {
            assert!(text.matches(mark).count() <= 1, "{ratio}: {text}");
        }
        assert!(!text.contains("im_start|> You") && !text.contains("system:"), "{text}");
    }
}

#[test]
fn without_a_ratio_no_wording_loses_a_fact() {
    for (source, _, _) in attacks(include_str!("../../../fixtures/adversarial/omitted_facts.jsonl")) {
        let text = condensed(&source, Ratio::Auto);
        assert!(text.contains(&source), "{text}");
    }
}

#[test]
fn a_passage_with_hidden_characters_stays_whole_or_goes_whole() {
    for (source, _, _) in attacks(include_str!("../../../fixtures/adversarial/hidden_characters.jsonl")) {
        if !suspicious(&source) {
            continue;
        }
        for ratio in ratios() {
            let text = condensed(&source, ratio);
            let parts = source.split_whitespace().filter(|word| suspicious(word) && text.contains(word)).count();
            assert!(parts == 0 || text.contains(&source), "{ratio}: {text}");
        }
    }
}
