//! Each form's reading and writing, on texts of the pieces that it is made of: nothing panics, the units are the text, the
//! frame is word for word, the outcome is the same twice and never longer in tokens, putting any unit back works, and what
//! was chosen replays to the same bytes; a choice that is damaged replays to nothing or to units that are the text.

#![no_main]

#[path = "../../src/compress/tests/vocabulary.rs"]
mod vocabulary;

use headroom::compress::{
    Choice, Condensation, CountTokens, Encoding, Factor, Form, Nth, Outcome, Passages, Place, Policy, Query, Ratio, Seen,
    Style, ToolCall, compress, reexpand, replay,
};
use libfuzzer_sys::fuzz_target;
use vocabulary::FORMS;

fuzz_target!(|input: (u8, u8, u8, u8, Vec<u8>, Vec<(u16, u8)>)| {
    let (form, ratio, how, before, picks, damage) = input;
    let (_, pieces) = FORMS[usize::from(form) % FORMS.len()];
    let earlier = vocabulary::text(pieces, &picks[..picks.len().min(usize::from(before))]);
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
            2 => call("lookup"),
            _ => call("bash"),
        },
        seen: seen(&earlier, &text),
        ..Query::default()
    };
    let condense = || compress(&text, &query, &policy, &Encoding::O200k, None).expect("no model, no model's error");
    let found = condense();
    assert_eq!(found, condense());
    if let Outcome::Compressed(short) = &found.outcome {
        assert_eq!(found.tokens_after, Encoding::O200k.count(short));
        assert!(found.tokens_after < found.tokens_before);
    }
    if let Some(choice) = &found.choice {
        let again = |choice: &Choice| replay(&text, &query, &policy, &Encoding::O200k, choice);
        let same = again(choice).expect("a choice of this text");
        assert_eq!((&same.outcome, same.tokens_after), (&found.outcome, found.tokens_after));
        let mut bytes = choice.bytes().to_vec();
        for (at, flip) in damage.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
            let at = usize::from(*at) % bytes.len();
            bytes[at] ^= flip;
        }
        let damaged = Choice::from_bytes(&bytes).as_ref().and_then(again);
        damaged.into_iter().for_each(|damaged| of_the_text(&text, &damaged));
    }
    of_the_text(&text, &found);
    if found.units.is_empty() {
        return;
    }
    for unit in found.units.iter().filter(|unit| unit.form == Form::Frame) {
        assert_eq!(unit.text.as_deref(), text.get(unit.span.clone()));
    }
    let one = usize::from(how >> 4) % found.units.len();
    let put_back = reexpand(&text, &found, &[one], &Encoding::O200k);
    assert!(put_back.tokens_after <= found.tokens_before);
});

/// Every unit, or none, stands for its part of the text.
fn of_the_text(text: &str, found: &Condensation) {
    let units: String = found.units.iter().map(|unit| &text[unit.span.clone()]).collect();
    assert!(found.units.is_empty() || units == text);
}

/// What a text repeats of an earlier one.
fn seen(earlier: &str, text: &str) -> Vec<Seen> {
    let mut passages = Passages::of(&[earlier, text]);
    if passages.is_empty() {
        return Vec::new();
    }
    passages.note(0, &[0..earlier.len()], &[0..earlier.len()]);
    let seen = passages.seen(1, |_| Place::Tool(Some(("read_file", r#"{"path":"a.txt"}"#)), Nth { nth: 1, of: 1 }));
    let mut end = 0;
    for Seen { span, .. } in &seen {
        assert!(end <= span.start && text.get(span.clone()).is_some(), "passages stand apart and in order");
        end = span.end;
    }
    seen
}
