//! Whatever the bytes: nothing panics, no edit changes nothing, and a spliced body has the new text in the slot that was
//! chosen and the old ones in the others.

#![no_main]

use headroom::wire::{Surface, locate, splice};
use libfuzzer_sys::fuzz_target;

const NEW: &str = "\u{1f980} \"\\\n\0";

const SURFACES: [Surface; 3] = [Surface::ChatCompletions, Surface::Responses, Surface::Messages];

fuzz_target!(|body: &[u8]| {
    assert_eq!(splice(body, &[]), body);
    SURFACES.into_iter().for_each(|surface| each_slot_alone(surface, body));
});

fn each_slot_alone(surface: Surface, body: &[u8]) {
    let Ok(located) = locate(surface, body) else { return };
    for (chosen, slot) in located.slots.iter().enumerate() {
        let spliced = splice(body, &[(slot.literal.clone(), NEW)]);
        let after = locate(surface, &spliced).expect("a spliced body is as readable as it was").slots;
        assert_eq!(after.len(), located.slots.len());
        assert_eq!(&spliced[..slot.literal.start], &body[..slot.literal.start]);
        assert!(spliced.ends_with(&body[slot.literal.end..]));
        for (index, (before, after)) in located.slots.iter().zip(&after).enumerate() {
            assert_eq!(&*after.text, if index == chosen { NEW } else { &*before.text });
            assert_eq!((after.message, after.part, after.role), (before.message, before.part, before.role));
        }
    }
}
