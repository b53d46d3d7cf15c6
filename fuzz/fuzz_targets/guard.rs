//! The guard, on a source and what claims to say the same: nothing panics, a text stands for itself, and a verdict is the
//! same twice.

#![no_main]

#[path = "../../src/compress/tests/vocabulary.rs"]
mod vocabulary;

use headroom::compress::guard::check;
use libfuzzer_sys::fuzz_target;
use vocabulary::FORMS;

fuzz_target!(|input: (&str, &str, Vec<u8>, Vec<u8>)| {
    let (source, rewrite, picks, kept) = input;
    assert_eq!(check(source, rewrite), check(source, rewrite));
    assert_eq!(check(source, source), Ok(()));
    let Some((_, pieces)) = FORMS.first() else { return };
    let (source, rewrite) = (vocabulary::text(pieces, &picks), vocabulary::text(pieces, &kept));
    assert_eq!(check(&source, &rewrite), check(&source, &rewrite));
});
