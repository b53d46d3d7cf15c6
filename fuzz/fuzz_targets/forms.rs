//! Each form's reading and writing, on texts of the pieces that it is made of: nothing panics, the units are the text, the
//! frame is word for word, the outcome is the same twice and never longer in tokens, and putting any unit back works.

#![no_main]

#[path = "../../src/compress/tests/vocabulary.rs"]
mod vocabulary;

use headroom::compress::{
    CountTokens, Encoding, Factor, Form, Outcome, Policy, Query, Ratio, Style, ToolCall, compress, reexpand,
};
use libfuzzer_sys::fuzz_target;
use vocabulary::FORMS;

fuzz_target!(|input: (u8, u8, u8, Vec<u8>)| {
    let (form, ratio, how, picks) = input;
    let (_, pieces) = FORMS[usize::from(form) % FORMS.len()];
    let text = vocabulary::text(pieces, &picks);
    let ratio = Factor::new(f32::from(ratio)).map_or(Ratio::Auto, Ratio::By);
    let style = if how & 1 == 0 { Style::Statements } else { Style::Telegram };
    let policy = Policy { ratio, style, min_tokens: 1, rewrite: false, ..Policy::default() };
    let call = |name: &str| Some(ToolCall { name: name.into(), arguments: r#"{"path":"a.txt"}"#.into() });
    let query = Query {
        preceding: if how & 2 == 0 { String::new() } else { "Which pump failed, and which is not open?".to_owned() },
        call: match how >> 2 & 3 {
            0 => None,
            1 => call("read_file"),
            _ => call("lookup"),
        },
        ..Query::default()
    };
    let condense = || compress(&text, &query, &policy, &Encoding::O200k, None).expect("no model, no model's error");
    let found = condense();
    assert_eq!(found, condense());
    if let Outcome::Compressed(short) = &found.outcome {
        assert_eq!(found.tokens_after, Encoding::O200k.count(short));
        assert!(found.tokens_after < found.tokens_before);
    }
    if found.units.is_empty() {
        return;
    }
    let units: String = found.units.iter().map(|unit| &text[unit.span.clone()]).collect();
    assert_eq!(units, text);
    for unit in found.units.iter().filter(|unit| unit.form == Form::Frame) {
        assert_eq!(unit.text.as_deref(), text.get(unit.span.clone()));
    }
    let one = usize::from(how >> 4) % found.units.len();
    let put_back = reexpand(&text, &found, &[one], &Encoding::O200k);
    assert!(put_back.tokens_after <= found.tokens_before);
});
