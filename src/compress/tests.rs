//! Promises of the whole pipeline.

use proptest::prelude::*;

use super::*;
use crate::model::ScriptedRewriter;

fn at(text: &str, query: &Query, ratio: Ratio) -> Condensation {
    let policy = Policy { ratio, min_tokens: 16, rewrite: false, ..Policy::default() };
    compress(text, query, &policy, &Encoding::O200k, None).unwrap()
}

fn condensed(text: &str, ratio: Ratio) -> Condensation {
    at(text, &Query::default(), ratio)
}

fn by(ratio: f32) -> Ratio {
    Ratio::By(Factor::new(ratio).unwrap())
}

fn article() -> String {
    let town = |n: usize| {
        let (year, people) = (1900 + n, n * 37);
        format!("In {year} the town of Arlen{n} had {people} people. It was as quiet as any other place.\n\n")
    };
    (0..40).map(town).collect()
}

/// The account's promise: spans concatenate to the source.
fn assert_accounted(text: &str, found: &Condensation) {
    let mut end = 0;
    for unit in &found.units {
        assert_eq!(unit.span.start, end, "a gap or an overlap at {end} of {text:?}");
        end = unit.span.end;
    }
    assert!(found.units.is_empty() || end == text.len(), "the account ends at {end} of {}", text.len());
}

#[test]
fn a_short_text_goes_on_as_it_is() {
    assert_eq!(condensed("Hello.", Ratio::Auto).outcome, Outcome::Unchanged(Reason::BelowMinimum));
}

#[test]
fn the_asked_ratio_is_met() {
    for ratio in [2.0, 5.0, 10.0, 20.0] {
        let found = condensed(&article(), by(ratio));
        let got = found.tokens_before as f32 / found.tokens_after as f32;
        assert!((got / ratio - 1.0).abs() < 0.1, "{ratio}: {got}");
    }
}

#[test]
fn the_question_inside_a_message_arrives_word_for_word() {
    let text = format!("Answer from these documents.\n\n{}how many people had arlen7", article());
    let found = condensed(&text, by(20.0));
    assert_accounted(&text, &found);
    let text = found.text().unwrap();
    assert!(text.ends_with("\n\nhow many people had arlen7") && text.contains("259"), "{text}");
}

#[test]
fn what_was_asked_before_decides_what_stays() {
    let query = Query { preceding: "Which town had 259 people?".into(), ..Query::default() };
    let text = at(&article(), &query, by(20.0)).text().unwrap().to_owned();
    assert!(text.contains("Arlen7 had 259 people"), "{text}");
}

#[test]
fn automatic_compression_cuts_only_what_is_said_twice() {
    let text = article().replace("It was as quiet as any other place.", "");
    let twice = format!("{text}{text}");
    assert_eq!(condensed(&twice, Ratio::Auto).text().unwrap().trim_end(), text.trim_end());
    assert_eq!(condensed(&text, Ratio::Auto).outcome, Outcome::Unchanged(Reason::NoGain));
}

#[test]
fn a_negation_never_leaves_what_it_turns() {
    let rule = "The tenant must not sublet the flat unless the owner agrees in writing. ";
    let text = format!("{rule}{}", article());
    for ratio in [2.0, 3.0, 5.0, 10.0] {
        let text = condensed(&text, by(ratio)).text().unwrap().to_owned();
        assert!(!text.contains("sublet") || text.contains("must not sublet"), "{ratio}: {text}");
    }
}

#[test]
fn sentences_of_other_languages_are_kept_or_left_out_whole() {
    let sentence = |n: usize| {
        format!("Im Jahr {} hatte die Stadt Arlen{n} nicht mehr als {} Einwohner und war sehr ruhig.", 1900 + n, n * 37)
    };
    let text: String = (0..40).map(|n| sentence(n) + "\n\n").collect();
    let found = condensed(&text, by(5.0));
    let kept = found.text().unwrap();
    assert!(
        kept.lines().filter(|line| !line.is_empty()).all(|line| text.contains(line) && line.starts_with("Im Jahr")),
        "{kept}"
    );
    assert!(found.tokens_after * 4 < found.tokens_before);
}

#[test]
fn a_request_for_json_keeps_the_word() {
    let text = format!("{}Write everything as JSON objects, please, and nothing else at all. {}", article(), article());
    assert!(condensed(&text, by(20.0)).text().unwrap().contains("JSON"));
}

#[test]
fn code_is_never_cut_into() {
    let code = "```rust\nfn main() {\n    let not_a_sentence = 5;\n    println!(\"{not_a_sentence}\");\n}\n```\n";
    let text = format!("{}{code}{}", article(), article());
    let found = condensed(&text, by(10.0));
    assert_accounted(&text, &found);
    assert!(found.text().unwrap().contains(code.trim()), "{}", found.text().unwrap());
}

#[test]
fn a_rewrite_stands_only_where_it_is_shorter_and_loses_nothing() {
    let text = article();
    let policy = Policy { ratio: by(2.0), min_tokens: 16, rewrite: true, ..Policy::default() };
    let mut scripted = ScriptedRewriter::new();
    let found = compress(&text, &Query::default(), &policy, &Encoding::O200k, Some(&mut scripted)).unwrap();
    assert_accounted(&text, &found);
    let source: Vec<&str> = text.split_whitespace().collect();
    for word in found.text().unwrap().split_whitespace() {
        assert!(source.iter().any(|known| known.trim_matches('.') == word.trim_matches('.')), "{word} was made up");
    }
}

#[test]
fn a_model_that_fails_decides_nothing() {
    let policy = Policy { ratio: by(2.0), min_tokens: 16, rewrite: true, ..Policy::default() };
    let mut failing = ScriptedRewriter::failing();
    let found = compress(&article(), &Query::default(), &policy, &Encoding::O200k, Some(&mut failing));
    assert!(matches!(found, Err(RewriteError::Failed(_))));
}

#[test]
fn hostile_texts_have_clean_outcomes() {
    let texts = [
        "word ".repeat(6_000),
        "Error: it failed.\n".repeat(800),
        "x".repeat(40_000),
        "👩‍👩‍👧‍👦🇳🇴".repeat(800),
        "東京は日本の首都です。人口は1400万人です。".repeat(500),
        "Привет мир. Это тест. ".repeat(1_000),
        "[[[[[[{{{{{{".repeat(800),
        "- a\n  - b\n    - c\n".repeat(2_000),
        "\u{202e}\u{200b}\u{0}\u{feff} ".repeat(2_000),
        "not ".repeat(3_000),
        "If if if unless not, ".repeat(800),
        "A. ".repeat(4_000),
    ];
    for text in texts {
        for ratio in [Ratio::Auto, by(20.0)] {
            let found = condensed(&text, ratio);
            assert!(found.tokens_after <= found.tokens_before);
            assert!(found.text().is_none_or(|text| !text.trim().is_empty()));
            assert_accounted(&text, &found);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_gets_a_shorter_text_or_none(
        parts in prop::collection::vec("(\\PC{0,30}|[A-Z][a-z]{2,9} (is|was|had) (not )?[a-z]{1,9} [0-9]{1,4}[.?!]|\\n\\n|\\n- |\\[[0-9]\\] | \\| |\\{\"a\": [0-9]\\})", 5..60),
        ratio in 2.0_f32..20.0,
        asked in "(|[a-z]{3,8} [A-Z][a-z]{3,8})",
    ) {
        let text = parts.join(" ");
        let query = Query { preceding: asked, ..Query::default() };
        let first = at(&text, &query, by(ratio));
        prop_assert!(first.tokens_after <= first.tokens_before);
        prop_assert!(first.text().is_none_or(|text| !text.trim().is_empty()));
        assert_accounted(&text, &first);
        prop_assert_eq!(at(&text, &query, by(ratio)), first);
    }

    #[test]
    fn no_number_name_or_negation_appears_that_was_not_there(
        sentences in prop::collection::vec(
            "(If|When|Although|Yesterday) [A-Z][a-z]{3,8} (did not pay|paid|must never pay|paid more than) [1-9][0-9]{0,3} (EUR|days|%), \
             (and|but|unless) [A-Z][a-z]{3,8} (sold|did not sell) the (old|red) (house|car) (in|to) [A-Z][a-z]{3,8}\\. ",
            8..40,
        ),
        ratio in 2.0_f32..20.0,
    ) {
        let text = sentences.concat();
        let found = condensed(&text, by(ratio));
        let shorter = found.text().unwrap_or_default();
        let known: std::collections::HashSet<&str> = text.split_whitespace().map(bare).collect();
        for atom in atoms::find(shorter) {
            let atom = shorter.get(atom.span).unwrap();
            prop_assert!(atom.split_whitespace().all(|word| known.contains(bare(word))), "{atom} in {shorter}");
        }
    }

    #[test]
    fn a_larger_budget_keeps_more(seed in 0_usize..1000) {
        let text: String = (0..60).map(|n| format!("Town {} has {} people and {} houses. ", n * 7 + seed, n * n, seed * n)).collect();
        let sizes: Vec<usize> = [20.0, 10.0, 5.0, 2.0].iter().map(|ratio| condensed(&text, by(*ratio)).tokens_after).collect();
        prop_assert!(sizes.is_sorted(), "{sizes:?}");
    }
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%')
}

/// Notes what the pipeline asks a model for.
#[derive(Default)]
struct Asked {
    meanings: Vec<String>,
    read: usize,
}

impl Rewriter for Asked {
    fn fingerprint(&self) -> &str {
        "asked"
    }

    fn read(&mut self, texts: &[&str], _: f32) -> Result<Vec<Encoded>, RewriteError> {
        self.read += texts.iter().map(|text| text.len()).sum::<usize>();
        Ok(vec![Encoded::default(); texts.len()])
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        self.meanings.extend(texts.iter().map(|text| (*text).to_owned()));
        Ok(vec![Vec::new(); texts.len()])
    }

    fn rewrite(&mut self, requests: &[RewriteRequest<'_>]) -> Result<Vec<Option<String>>, RewriteError> {
        self.read += requests.iter().map(|request| request.text.len()).sum::<usize>();
        Ok(vec![None; requests.len()])
    }
}

#[test]
fn what_a_model_is_asked_does_not_grow_with_a_long_text() {
    let policy = Policy { ratio: by(3.0), min_tokens: 16, ..Policy::default() };
    let asked = |text: &str, query: &Query| {
        let mut asked = Asked::default();
        compress(text, query, &policy, &Encoding::O200k, Some(&mut asked)).unwrap();
        asked
    };
    let query = Query { preceding: "How many people had Arlen7?".into(), ..Query::default() };
    let short = asked(&article(), &query);
    assert!(short.meanings.len() > 80, "all of a short text: {}", short.meanings.len());
    let long: String = (0..30).map(|n| article().replace("Arlen", &format!("Bree{n}x"))).collect();
    let of_long = asked(&long, &query);
    let bytes: usize = of_long.meanings.iter().map(String::len).sum();
    assert!((6_000..12_500).contains(&bytes), "{bytes}");
    let ends = ["Bree27x", "Bree28x", "Bree29x"];
    let last = of_long.meanings.iter().any(|unit| ends.iter().any(|end| unit.contains(end)));
    assert!(last, "also from the last tenth, where no word of the question stands");
    assert!(asked(&long, &Query::default()).read < 16_000, "without a question neither");
}

/// Finds that all texts mean the same.
struct Undiscerning;

impl Rewriter for Undiscerning {
    fn fingerprint(&self) -> &str {
        "undiscerning"
    }

    fn read(&mut self, texts: &[&str], _: f32) -> Result<Vec<Encoded>, RewriteError> {
        Ok(vec![Encoded::default(); texts.len()])
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        Ok(vec![vec![1.0, 0.0]; texts.len()])
    }

    fn rewrite(&mut self, requests: &[RewriteRequest<'_>]) -> Result<Vec<Option<String>>, RewriteError> {
        Ok(vec![None; requests.len()])
    }
}

#[test]
fn what_seems_to_say_the_same_is_told_and_never_cut_for_that_alone() {
    let twins = "John Smith bought the house in Rome in 1998 for 20,000 EUR. John Smith sold the house in Rome in 1998 for \
                 20,000 EUR. Thank you for reading. Thank you for reading all of this. Thank you for reading all of this.\n";
    let query = Query { preceding: "Who has the house?".into(), ..Query::default() };
    let policy = Policy { ratio: Ratio::Auto, min_tokens: 16, ..Policy::default() };
    let found = compress(twins, &query, &policy, &Encoding::O200k, Some(&mut Undiscerning)).unwrap();
    let sold =
        found.units.iter().find(|unit| twins.get(unit.span.clone()).is_some_and(|part| part.contains("sold"))).unwrap();
    assert!(sold.redundancy.semantic > 0.5 && sold.decision == Decision::Kept, "{sold:?}");
    assert!(found.units.iter().any(|unit| unit.decision == Decision::Dropped), "{found:?}");
}

#[test]
fn where_nothing_is_asked_a_duty_leaves_last_and_whole() {
    let filling = "Peter Sand met Marta Kowalska of Example Cloud in Berlin on 14 May 2024, as 12 people had hoped. "
        .to_owned()
        + "Jonas Weber drove from Hamburg to Leipzig on 3 April 2023 with 17 boxes of old paper for the archive. ";
    let duty = "we must not sign the extension before legal has seen it";
    let text = format!("{filling}By the way, {duty}, and the rest can wait. {filling}");
    let policy = Policy { ratio: "5".parse().unwrap(), min_tokens: 16, ..Policy::default() };
    let found = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
    assert!(found.text().unwrap().contains(duty), "{found:?}");
}

#[test]
fn a_condition_never_stands_without_what_it_limits() {
    let clauses = "If the 12 months of the Berlin pilot end in May 2025, the clerks look at everything again. "
        .to_owned()
        + "Peter Sand met Marta Kowalska of Example Cloud in Hamburg on 14 May 2024, as 12 people had hoped. ";
    let text = clauses.clone() + &clauses.replace("Berlin", "Leipzig").replace("12", "17").replace("May", "April");
    for ratio in ["2", "3", "5"] {
        let policy = Policy { ratio: ratio.parse().unwrap(), min_tokens: 16, ..Policy::default() };
        let found = compress(&text, &Query::default(), &policy, &Encoding::O200k, None).unwrap();
        let alone = |unit: &&Unit| unit.text.as_deref().is_some_and(|text| text.trim_end().ends_with("2025,"));
        assert_eq!(found.units.iter().find(alone), None, "{ratio}");
    }
}

#[test]
fn a_page_is_condensed_as_its_text() {
    let items: String =
        (0..60).map(|n| format!("<li><a href='/t/{n}'>Train {n} runs at {n} past the hour.</a></li>")).collect();
    let page = format!(
        "<!DOCTYPE html><html><head><style>p{{color:red}}</style></head><body><div class='a'><h1>Trains</h1><ul>{items}</ul>\
         <p>The harbour ferry leaves the old pier at 17:45.</p></div></body></html>"
    );
    let query = Query {
        preceding: "When does the harbour ferry leave?".into(),
        call: Some(ToolCall { name: "fetch".into(), arguments: "{}".into() }),
        ..Query::default()
    };
    let policy = Policy { ratio: "10".parse::<Ratio>().unwrap(), ..Policy::default() };
    let condensed = compress(&page, &query, &policy, &Encoding::O200k, None).unwrap();
    let text = condensed.text().unwrap();
    assert!(text.contains("ferry leaves the old pier at 17:45") && !text.contains('<'), "{text}");
    assert!(condensed.tokens_after * 8 < condensed.tokens_before, "{text}");
    assert_eq!(condensed.units.len(), 1);
    assert_eq!(condensed.units[0].span, 0..page.len());
}
