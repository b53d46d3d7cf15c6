//! How much an item has to do with what is asked: words (BM25), meanings where a model knows them, and its passage.
//!
//! A cascade: words are counted in everything, and let expect what an item means. A model reads the items that would then
//! be worth most, about as many as the ratio lets through, and more where no item has the question's words; what it doesn't
//! read counts as words let expect.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

use super::weights::{
    COMPARED, EXPECTED, LEAST_COMPARED, LOG_ASKED, MEANING, MOST_COMPARED, NAMED, PASSAGE, SILENT, STEEPNESS, STRANGE,
};
use crate::compress::{
    ask::Wanted,
    form::{Form, Item, Page},
    outcome::Noun,
    rewrite::{RewriteError, Rewriter},
    text::{
        lexicon::signs::{self, Sign},
        segment,
        word::{stem, words},
    },
};

/// The relevance of each item, 0–1 beside the best; 1 for all where nothing is asked. `worths` is what each is worth but for
/// that, `room` the target tokens for which they compete.
pub(super) fn relevance(
    page: &Page<'_>,
    wanted: &Wanted,
    worths: &[f32],
    room: usize,
    model: Option<&mut dyn Rewriter>,
) -> Result<Vec<f32>, RewriteError> {
    if wanted.is_empty() {
        return Ok(vec![1.0; page.items.len()]);
    }
    let own: Vec<&str> = page.items.iter().map(said).collect();
    let told = signed(page, &own, wanted);
    let mut ranked = wanted.rank(&told.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    // Beside rows, which have no labels, statements that have some would win by them alone; and each row has numbers.
    let statements = page.items.iter().all(|item| matches!(item.noun, Noun::Sentences | Noun::Lines | Noun::FileLines));
    let owned = |item: &Item<'_>| statements || item.noun == Noun::Values;
    ranked = labelled(page, &ranked, owned);
    let words = shares(&ranked);
    let passages = if statements { passages(page, &own, wanted) } else { vec![0.0; own.len()] };
    let named = if statements && names_some(&own, wanted) { NAMED } else { 1.0 };
    let found = Found { page, own, words, passages, named };
    // What compares meanings was trained on English.
    let meanings = match model.filter(|_| wanted.wordings().next().is_some()) {
        Some(model) => meanings(&found, wanted, worths, room, model)?,
        None => None,
    };
    let score = |at: usize| found.score(at, meanings.as_ref().and_then(|all| all.get(at)).copied().unwrap_or(0.0));
    let scores: Vec<f32> = (0..found.own.len()).map(score).collect();
    let scores = shares(&scores);
    // Beside prose a log is told by the question as that is; by itself it is told by what surprises.
    let counts = |item: &&Item<'_>| !item.fixed && item.count > 0;
    let logged = page.items.iter().filter(counts).all(Item::is_event);
    let own = |share: f32| {
        let share = share.powf(STEEPNESS);
        if logged { 1.0 + LOG_ASKED * share } else { share.max(LEAST) }
    };
    Ok(scores.into_iter().map(own).collect())
}

/// What words say of each item.
struct Found<'p> {
    page: &'p Page<'p>,
    /// Its own words.
    own: Vec<&'p str>,
    /// Its BM25 score, with its labels', as a share of the best.
    words: Vec<f32>,
    /// The same of its passage; 0 where passages don't count.
    passages: Vec<f32>,
    /// What words count beside meanings: more where the question names something by a number, of which meanings know
    /// nothing.
    named: f32,
}

impl Found<'_> {
    fn score(&self, at: usize, meaning: f32) -> f32 {
        let (words, passage) = self.of(at);
        (self.named * words + MEANING * meaning.max(0.0)) * (1.0 + PASSAGE * passage)
    }

    /// The similarity of meaning that an item's words let expect.
    fn expected(&self, at: usize) -> f32 {
        let (words, passage) = self.of(at);
        STRANGE + EXPECTED * (words + passage)
    }

    fn of(&self, at: usize) -> (f32, f32) {
        let of = |shares: &[f32]| shares.get(at).copied().unwrap_or(0.0);
        (of(&self.words), of(&self.passages))
    }
}

/// The relevance of what shares nothing with the question: any small number, so that a budget which the relevant leaves is
/// still filled by information.
const LEAST: f32 = 1e-4;

/// Whether the question names something by a number that some items have: `version 0.11.0`, `in 1907`.
fn names_some(own: &[&str], wanted: &Wanted) -> bool {
    let numbers = wanted.stems().filter(|stem| stem.len() > 1 && stem.contains(|c: char| c.is_ascii_digit()));
    let numbers: Vec<&str> = numbers.collect();
    let has = |text: &&&str| numbers.iter().any(|number| text.contains(number));
    let holders = if numbers.is_empty() { 0 } else { own.iter().filter(has).count() };
    holders > 0 && holders * 4 <= own.len()
}

/// The scores with what the labels score of each item that is `owned`: a statement is also about whoever makes it and what
/// it stands under, and a value is its key's.
fn labelled(page: &Page<'_>, scores: &[f32], owned: impl Fn(&Item<'_>) -> bool) -> Vec<f32> {
    let score = |at: usize| scores.get(at).copied().unwrap_or(0.0);
    let labels = |at: usize| {
        let needs = page.bonds.of(at).iter().copied();
        let labels = needs.filter(|of| page.items.get(*of).is_some_and(|of| of.is_label() || of.is_key()));
        labels.map(score).sum::<f32>()
    };
    let scored = |(at, item)| score(at) + if owned(item) { labels(at) } else { 0.0 };
    page.items.iter().enumerate().map(scored).collect()
}

/// The words of rows and lines, with the word of the question that asks for a sign which they bear: to what is asked to be
/// in trouble, `Exited (137)` says so.
fn signed<'o>(page: &Page<'_>, own: &[&'o str], wanted: &Wanted) -> Vec<Cow<'o, str>> {
    let mut asked: Vec<(Sign, &str)> = Vec::new();
    let denied = wanted.denied();
    for word in words(wanted.wording()).filter_map(|span| wanted.wording().get(span)) {
        let sign = signs::asks_for(&word.to_lowercase()).filter(|_| wanted.stress(word) > 0.0);
        // Who has no space left asks for what is full; who asks what did not fail, for nothing that failed.
        let sign = sign.filter(|sign| *sign == Sign::Full || !denied.contains(&stem(word)));
        if let Some(sign) = sign.filter(|sign| asked.iter().all(|(known, _)| known != sign)) {
            asked.push((sign, word));
        }
    }
    let listed =
        |item: &Item<'_>| !item.fixed && !matches!(item.form, Form::Frame | Form::Prose | Form::Html | Form::Code);
    let mut told: Vec<Cow<'o, str>> = own.iter().map(|text| Cow::Borrowed(*text)).collect();
    deny(page, &mut told, &denied);
    for ((item, text), told) in page.items.iter().zip(own).zip(&mut told).filter(|((item, _), _)| listed(item)) {
        // How telling trouble is in a log its form says.
        let tells = |sign: Sign| !(item.is_event() && sign == Sign::Trouble) && signs::bears(text, sign);
        for (_, word) in asked.iter().filter(|(sign, _)| tells(*sign)) {
            told.to_mut().push(' ');
            told.to_mut().push_str(word);
        }
    }
    told
}

/// Where it is asked which rows are not so, those that are not have the word, and those that are lack it.
fn deny(page: &Page<'_>, told: &mut [Cow<'_, str>], denied: &HashSet<String>) {
    let has = |text: &str| words(text).filter_map(|span| text.get(span)).any(|word| denied.contains(&stem(word)));
    let listed = |item: &Item<'_>| item.noun == Noun::Rows || matches!(item.form, Form::Columns | Form::Listing);
    let rows = page.items.iter().map(|item| !item.fixed && item.count > 0 && listed(item));
    let having: Vec<Option<bool>> =
        rows.zip(told.iter()).map(|(row, text)| (row && !denied.is_empty()).then(|| has(text))).collect();
    if !having.contains(&Some(true)) || !having.contains(&Some(false)) {
        return;
    }
    let all = denied.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ");
    for (text, has) in told.iter_mut().zip(having) {
        match has {
            Some(true) => {
                let stays = |word: &&str| !denied.contains(&stem(word));
                let left: Vec<&str> = words(text).filter_map(|span| text.get(span)).filter(stays).collect();
                *text = Cow::Owned(left.join(" "));
            }
            Some(false) => {
                text.to_mut().push(' ');
                text.to_mut().push_str(&all);
            }
            None => {}
        }
    }
}

/// An item's own words; none for what is addressed to the model.
fn said<'i>(item: &'i Item<'_>) -> &'i str {
    if item.form == Form::Frame { "" } else { segment::after_label(item.text().trim()) }
}

/// Each as a share of the largest.
fn shares(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    scores.iter().map(|score| score / most).collect()
}

/// What the passage that each item stands in has of the question, as a share of the best passage's. What is asked about is
/// often named once, where its passage begins, and what is asked for says "it".
fn passages(page: &Page<'_>, own: &[&str], wanted: &Wanted) -> Vec<f32> {
    let mut texts: Vec<String> = Vec::new();
    let mut places = Vec::with_capacity(own.len());
    let mut before = None;
    for (item, text) in page.items.iter().zip(own) {
        match texts.last_mut().filter(|_| before.is_some_and(|before| !ends(before, item))) {
            Some(passage) => {
                passage.push(' ');
                passage.push_str(text);
            }
            None => texts.push((*text).to_owned()),
        }
        places.push(texts.len() - 1);
        before = Some(item);
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ranked = shares(&wanted.rank(&texts));
    places.into_iter().map(|at| ranked.get(at).copied().unwrap_or(0.0)).collect()
}

/// Whether a passage ends between two items: at a blank line, another form or another owner.
fn ends(before: &Item<'_>, item: &Item<'_>) -> bool {
    before.white().matches('\n').nth(1).is_some() || before.form != item.form || before.owner != item.owner
}

/// An item's words under those of what it needs: a row with its head, a statement with its heading.
fn titled(page: &Page<'_>, own: &[&str], at: usize) -> String {
    let above = |of: &&usize| **of < at && page.items.get(**of).is_some_and(|item| !item.fixed);
    let bounded = |text: &'_ &str| text.len() <= LONGEST_TITLE;
    let needs = page.bonds.of(at).iter().filter(above).filter_map(|of| own.get(*of)).copied().filter(bounded);
    needs.take(MOST_TITLES).chain(own.get(at).copied()).collect::<Vec<_>>().join(". ")
}

/// What an item stands under is read up to so many items of it: an encoder reads no more anyway.
const MOST_TITLES: usize = 3;
/// Longer ones, in bytes, are left out: a head of a thousand columns is not read again for each row.
const LONGEST_TITLE: usize = 400;

/// Whether an item says something in sentences: rows of values and places are near to every question or to none, and so are
/// numbers and identifiers (`door-344` is as near to a question about `door-417` as that is).
fn means(item: &Item<'_>) -> bool {
    let says = |text: &str| text.contains(char::is_alphabetic) && !text.contains(|c: char| c.is_ascii_digit());
    let bare = item.noun == Noun::Values && !says(item.text());
    !item.fixed && item.count > 0 && !is_row(item) && !bare
}

fn is_row(item: &Item<'_>) -> bool {
    matches!(item.form, Form::Columns | Form::Hits | Form::Listing)
}

/// The similarity of each item's meaning with the question's; `None` where the model knows no meanings.
fn meanings(
    found: &Found<'_>,
    wanted: &Wanted,
    worths: &[f32],
    room: usize,
    model: &mut dyn Rewriter,
) -> Result<Option<Vec<f32>>, RewriteError> {
    let silent = wanted.most_mentioned(&found.own) < SILENT;
    let most = if silent { MOST_COMPARED } else { (COMPARED * room).clamp(LEAST_COMPARED, MOST_COMPARED) };
    let compared = compared(found, worths, most);
    let asked: Vec<&str> = wanted.wordings().collect();
    let texts: Vec<&str> = asked.iter().copied().chain(compared.iter().map(|(_, text)| text.as_str())).collect();
    let mut meanings = model.meanings(&texts)?.into_iter();
    let asked: Vec<_> = meanings.by_ref().take(asked.len()).filter(|asked| !asked.is_empty()).collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let unread = |(at, item)| if means(item) { found.expected(at) } else { 0.0 };
    let mut all: Vec<f32> = found.page.items.iter().enumerate().map(unread).collect();
    let meanings: Vec<Vec<f32>> = meanings.collect();
    let near = |asked: &Vec<f32>| -> Vec<f32> {
        meanings.iter().map(|meaning| asked.iter().zip(meaning).map(|(a, b)| a * b).sum()).collect()
    };
    for ((at, _), near) in compared.iter().zip(nearest(asked.iter().map(near).collect())) {
        if let Some(place) = all.get_mut(*at) {
            *place = near;
        }
    }
    Ok(Some(all))
}

/// How near each item is to the wording that it is nearest to. Of several things that are asked, what is nearest to one of
/// them is lifted as its words are ([`Wanted::rank`]): the answer to one may be far from the others.
fn nearest(wordings: Vec<Vec<f32>>) -> Vec<f32> {
    let best = |all: &[f32]| all.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let most = wordings.first().map_or(1.0, |whole| best(whole));
    let mut wordings = wordings.into_iter();
    let mut found = wordings.next().unwrap_or_default();
    for wording in wordings {
        let lift = (most / best(&wording)).sqrt().max(1.0);
        for (held, near) in found.iter_mut().zip(wording) {
            *held = held.max(near * if near > 0.0 { lift } else { 1.0 });
        }
    }
    found
}

/// The items whose meaning may decide whether they stand, with what is read of them: those that are worth most by what
/// their words let expect, `most` bytes of them.
fn compared(found: &Found<'_>, worths: &[f32], most: usize) -> Vec<(usize, String)> {
    let worth = |at: usize| worths.get(at).copied().unwrap_or(0.0);
    let likely = |(at, item): (usize, &Item<'_>)| {
        let likely = worth(at) * found.score(at, found.expected(at)).powf(STEEPNESS);
        // A label comes along with what it owns, and is worth nothing by itself.
        (means(item) && likely > 0.0).then_some((at, likely))
    };
    let mut order: Vec<(usize, f32)> = found.page.items.iter().enumerate().filter_map(likely).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut left = most;
    let mut compared = Vec::new();
    for (at, _) in order {
        let text = titled(found.page, &found.own, at);
        let Some(rest) = left.checked_sub(text.len()) else { break };
        left = rest;
        compared.push((at, text));
    }
    compared
}
