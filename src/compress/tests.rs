//! Promises of the whole pipeline.

mod cascade;
mod families;
mod tagged;
mod vocabulary;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use proptest::{collection::vec, prelude::*};

use super::*;
use families::{FAMILIES, Family};
use vocabulary::FORMS;

fn condense(text: &str, query: &Query, ratio: Ratio) -> Condensation {
    let policy = Policy { ratio, min_tokens: 0, ..Policy::default() };
    compress(text, query, &policy, &Encoding::O200k, None).unwrap()
}

#[test]
fn units_concatenate_to_the_source() {
    let text = "Please read this.\n\nThe mill is old. It was built in 1830.\n\n```\ncode()\n```\n";
    let query = Query { call: Some(ToolCall { name: "lookup".into(), arguments: "{}".into() }), ..Query::default() };
    for ratio in [Ratio::Auto, Ratio::By(Factor::new(2.0).unwrap())] {
        let found = condense(text, &query, ratio);
        let spans: String = found.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
        assert_eq!(spans, text);
    }
}

#[test]
fn a_hostile_flood_of_lines_goes_on_as_it_is_before_anything_is_built() {
    let text = "a\n".repeat(600_000);
    let (found, steps) = fuel::counted(|| {
        compress(&text, &Query::default(), &Policy::default(), &Counts(str::len), None).unwrap().outcome
    });
    assert_eq!((found, steps), (Outcome::Unchanged(Reason::Costly), 0));
}

/// Counts as it is told.
struct Counts(fn(&str) -> usize);

impl CountTokens for Counts {
    fn count(&self, text: &str) -> usize {
        (self.0)(text)
    }
}

/// A user's message with a question before it, and a tool's result: what the families are read as.
fn readings() -> [(Query, Ratio); 3] {
    let call = || Some(ToolCall { name: "lookup".into(), arguments: "{}".into() });
    let by = |factor| Ratio::By(Factor::new(factor).unwrap());
    let asked = Query {
        preceding: "When did pump 7 and job 150 start, and which valve is not open?".into(),
        ..Query::default()
    };
    [
        (asked, by(10.0)),
        (Query { call: call(), ..Query::default() }, by(2.0)),
        (Query { call: call(), ..Query::default() }, Ratio::Auto),
    ]
}

/// A share of the families, for tests that run side by side.
fn share(number: usize) -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().skip(number).step_by(SHARES)
}

const SHARES: usize = 4;

/// What is promised of every text: its units are the text, what is condensed is no longer, and it is the same each time.
fn holds(name: &str, text: &str, query: &Query, ratio: Ratio) {
    let found = condense(text, query, ratio);
    assert_eq!(found, condense(text, query, ratio), "{name}");
    assert_eq!(found.tokens_before, Encoding::O200k.count(text), "{name}");
    if let Outcome::Compressed(short) = &found.outcome {
        assert_eq!(found.tokens_after, Encoding::O200k.count(short), "{name}");
        assert!(found.tokens_after < found.tokens_before, "{name}");
    }
    let units: String = found.units.iter().filter_map(|unit| text.get(unit.span.clone())).collect();
    assert!(found.units.is_empty() || units == text, "{name}");
    // What is addressed to the model arrives word for word.
    let frame = |unit: &&Unit| unit.form == Form::Frame;
    assert!(found.units.iter().filter(frame).all(|unit| unit.text.as_deref() == text.get(unit.span.clone())), "{name}");
}

fn holds_for(number: usize) {
    for (at, (name, make)) in share(number).enumerate() {
        let (query, ratio) = &readings()[at % 3];
        holds(name, &make(1_000 + 17 * at), query, *ratio);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_the_pieces_of_a_form_every_promise_is_kept(
        form in 0..FORMS.len(),
        picks in vec(any::<u8>(), 1..160),
        reading in 0_usize..3,
    ) {
        let (name, pieces) = FORMS[form];
        let (query, ratio) = &readings()[reading];
        holds(name, &vocabulary::text(pieces, &picks), query, *ratio);
    }
}

/// What is generated here, and by the fuzz targets, is read as every form that there is.
#[test]
fn every_form_is_made_of_some_pieces() {
    let mut found = std::collections::BTreeSet::new();
    let mut picks = blake3::Hasher::new().finalize_xof();
    for (_, pieces) in FORMS {
        for (query, ratio) in readings().iter().cycle().take(24) {
            let mut drawn = [0; 64];
            picks.fill(&mut drawn);
            let units = condense(&vocabulary::text(pieces, &drawn), query, *ratio).units;
            found.extend(units.iter().map(|unit| unit.form));
        }
    }
    let all = [
        Form::Frame,
        Form::Prose,
        Form::Json,
        Form::JsonLines,
        Form::Log,
        Form::Table,
        Form::Csv,
        Form::Columns,
        Form::Hits,
        Form::Listing,
        Form::Code,
        Form::Diff,
        Form::Html,
        Form::Keyed,
        Form::Opaque,
    ];
    let missing: Vec<&Form> = all.iter().filter(|form| !found.contains(form)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What a text takes, in steps, and its bytes.
fn steps((name, make): &Family, size: usize, (query, ratio): &(Query, Ratio)) -> (u64, u64) {
    let text = make(size);
    let (found, steps) = fuel::counted(|| condense(&text, query, *ratio));
    assert_ne!(found.outcome, Outcome::Unchanged(Reason::Costly), "{name}");
    (steps, text.len() as u64)
}

/// No text takes more than a part of the steps that it is given.
fn is_cheap_for(number: usize) {
    for (at, family) in share(number).enumerate() {
        let (steps, bytes) = steps(family, SMALL, &readings()[at % 3]);
        assert!(steps <= MOST_STEPS_A_BYTE * bytes + SMALL as u64, "{}: {steps} steps for {bytes} bytes", family.0);
    }
}

/// Bytes of a small text.
const SMALL: usize = 1_500;

/// A part of what a text is given before it is left as it is.
const MOST_STEPS_A_BYTE: u64 = 200;

/// Four times the text takes about four times the steps: what was once quadratic, at lengths that show it.
#[test]
fn steps_grow_with_the_text_and_no_faster() {
    let found: Vec<String> = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || FORMERLY.iter().skip(half).step_by(2).filter_map(grows).collect::<Vec<_>>())
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// A complaint about a family whose steps grow faster than its text.
fn grows(name: &&str) -> Option<String> {
    let family = FAMILIES.iter().find(|family| family.0 == *name).unwrap();
    let reading = &readings()[usize::from(name.starts_with("html") && *name != "html comments")];
    let ((few, short), (many, long)) = (steps(family, 8_000, reading), steps(family, 32_000, reading));
    let wanted = 1.4 * few as f64 * long as f64 / short as f64;
    (many as f64 > wanted).then(|| format!("{name}: {few} steps for {short} bytes, {many} for {long}"))
}

/// Families in which a step was quadratic.
const FORMERLY: &[&str] = &[
    "newlines",
    "crlf",
    "newlines before words",
    "crlf before words",
    "bracket lines",
    "cjk",
    "one sentence",
    "emoji",
    "drawn orders",
    "nested bullets",
    "round brackets in prose",
    "notes without end",
    "closing brackets in prose",
    "counted log",
    "causes",
    "json distinct keys",
    "json constant columns",
    "html unmatched",
    "html quotes",
    "html nested links",
    "drawn letters",
    "html comments",
    "open comments in a line",
    "html long row spans",
    "html 400 lists",
];

/// What kind of text one is may be asked on a request's own thread.
#[test]
fn the_form_of_a_text_is_told_in_the_steps_that_it_brings() {
    let took = |(name, make): &Family, size: usize| {
        let text = make(size);
        (*name, text.len() as u64, fuel::counted(|| form_of(&text)).1)
    };
    let found: Vec<_> = FAMILIES.iter().map(|family| took(family, 8_000)).collect();
    let dear = found.iter().filter(|(_, bytes, steps)| *steps > MOST_STEPS_A_BYTE * bytes + SMALL as u64);
    assert_eq!(dear.collect::<Vec<_>>(), Vec::<&(&str, u64, u64)>::new());
}

/// Wherever a job is told to end, the pipeline is left at once, and what it answers is why.
fn stops_for(number: usize) {
    for (at, (name, make)) in share(number).enumerate() {
        let (query, ratio) = &readings()[at % 3];
        let text = make(SMALL / 2);
        let asked = Arc::new(AtomicUsize::new(0));
        let run =
            |left: usize| {
                let count = Arc::clone(&asked);
                count.store(0, Relaxed);
                let interrupt = Interrupt::new(move || {
                    if count.fetch_add(1, Relaxed) < left { Ok(()) } else { Err(RewriteError::Cancelled) }
                });
                interruptible(&interrupt, || fuel::counted(|| condense(&text, query, *ratio)).1)
            };
        let Ok(steps) = run(usize::MAX) else { panic!("{name}: nobody told it to end") };
        let steps = steps as usize;
        let all = asked.load(Relaxed);
        // Between two questions lie few steps, whatever the text.
        assert!(steps <= (all + 1) * (LONGEST_UNASKED + text.len()), "{name}: asked {all} times in {steps} steps");
        for left in [all / 3, all / 2] {
            if left + 1 < all {
                assert!(matches!(run(left), Err(RewriteError::Cancelled)), "{name}");
                assert_eq!(asked.load(Relaxed), left + 1, "{name}: it went on");
            }
        }
    }
}

/// Steps after which it is asked anew, and as much again.
const LONGEST_UNASKED: usize = 10_000;

macro_rules! for_each_share {
    ($($name:ident $number:literal)*) => { $(
        mod $name {
            #[test]
            fn hostile_texts_keep_every_promise() { super::holds_for($number); }

            #[test]
            fn hostile_texts_take_a_part_of_their_steps() { super::is_cheap_for($number); }

            #[test]
            fn hostile_texts_are_left_as_soon_as_nobody_waits() { super::stops_for($number); }
        }
    )* };
}

for_each_share! { first 0 second 1 third 2 fourth 3 }
