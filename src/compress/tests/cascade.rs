//! What a model is asked about: what may win or lose a place, and no more.

use super::*;
use crate::compress::worth::weights::{LEAST_COMPARED, MOST_COMPARED};

/// Notes what it is asked about, and finds every text equally near.
#[derive(Default)]
struct Notes {
    compared: Vec<String>,
    shortened: Vec<String>,
}

impl Rewriter for Notes {
    fn fingerprint(&self) -> &str {
        "notes"
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        // The question comes first.
        self.compared.extend(texts.iter().skip(1).map(|text| (*text).to_owned()));
        Ok(texts.iter().map(|_| vec![1.0]).collect())
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        self.shortened.extend(statements.iter().map(|text| (*text).to_owned()));
        Ok(vec![None; statements.len()])
    }
}

/// Passages of six statements under a heading each.
fn passages(count: usize) -> String {
    let goods = ["flour", "timber", "slate", "linen", "glass", "copper", "salt"];
    let deeds = ["sold its stock of", "bought new presses for", "closed its old stores of", "was praised for"];
    let statement = |at: usize| {
        let (good, deed) = (goods[at % 7], deeds[at / 7 % 4]);
        format!("In the year {} the branch of district {at} {deed} {good} before winter began.", 1700 + at % 200)
    };
    let passage = |of: usize| {
        let statements: Vec<String> = (0..6).map(|at| statement(of * 6 + at)).collect();
        format!("Ledger {of}\n{}", statements.join(" "))
    };
    (0..count).map(passage).collect::<Vec<_>>().join("\n\n")
}

fn asked(count: usize, ratio: Ratio) -> (Notes, usize) {
    let query = Query { preceding: "What did the branch of district 40 sell?".into(), ..Query::default() };
    let policy = Policy { ratio, ..Policy::default() };
    let mut notes = Notes::default();
    let found = compress(&passages(count), &query, &policy, &Encoding::O200k, Some(&mut notes)).unwrap();
    (notes, found.tokens_before)
}

fn by(factor: f32) -> Ratio {
    Ratio::By(Factor::new(factor).unwrap())
}

fn bytes(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

#[test]
fn meanings_are_compared_of_about_as_much_as_the_ratio_lets_through() {
    let read = |count, ratio| bytes(&asked(count, ratio).0.compared);
    assert_eq!(read(40, Ratio::Auto), 0, "nothing has to win a place");
    let (some, few) = (read(40, by(5.0)), read(40, by(20.0)));
    assert!(few <= LEAST_COMPARED && few < some && some < passages(40).len() / 3, "{few} {some}");
    assert!(read(400, by(2.0)) <= MOST_COMPARED);
}

#[test]
fn what_words_point_at_is_compared_first_and_a_heading_never_by_itself() {
    let (notes, _) = asked(40, by(20.0));
    assert!(notes.compared[0].contains("district 40 "), "{:?}", notes.compared);
    assert!(notes.compared.iter().all(|text| text.contains("district")), "{:?}", notes.compared);
}

#[test]
fn only_statements_about_which_the_budget_ends_are_read_to_be_shortened() {
    let (notes, tokens) = asked(40, by(5.0));
    let read: usize = notes.shortened.iter().map(|text| Encoding::O200k.count(text)).sum();
    assert!(read > 0 && read <= tokens / 5, "{read} of {tokens}");
    // It is in the question's own words: its place is certain.
    assert!(!notes.shortened.iter().any(|text| text.contains("district 40 ")), "{:?}", notes.shortened);
}
