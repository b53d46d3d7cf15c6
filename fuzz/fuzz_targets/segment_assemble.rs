//! Whatever the text: nothing panics, the units are the text, the outcome is the same twice and never longer in tokens.

#![no_main]

use headroom::compress::{CountTokens, Encoding, Factor, Outcome, Policy, Query, Ratio, compress};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str, &str)| {
    let (ratio, asked, text) = input;
    let ratio = Factor::new(f32::from(ratio)).map_or(Ratio::Auto, Ratio::By);
    let policy = Policy { ratio, min_tokens: 1, rewrite: false, ..Policy::default() };
    let query = Query { preceding: asked.to_owned(), ..Query::default() };
    let condense = || compress(text, &query, &policy, &Encoding::O200k, None).expect("no model, no model's error");
    let found = condense();
    assert_eq!(found, condense());
    assert_eq!(found.tokens_before, Encoding::O200k.count(text));
    if let Outcome::Compressed(short) = &found.outcome {
        assert_eq!(found.tokens_after, Encoding::O200k.count(short));
        assert!(found.tokens_after < found.tokens_before);
    }
    if !found.units.is_empty() {
        let units: String = found.units.iter().map(|unit| &text[unit.span.clone()]).collect();
        assert_eq!(units, text);
    }
});
