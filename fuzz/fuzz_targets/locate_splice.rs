//! Whatever the bytes: nothing panics, no edit changes nothing, and a spliced body has the new text in the slot that was
//! chosen and the old ones in the others. Of a WebSocket each line is a frame, which the server says and the client sends.

#![no_main]

use headroom::wire::{Located, Socket, Surface, Unreadable, locate, locate_any, model, splice};
use libfuzzer_sys::fuzz_target;

const NEW: &str = "\u{1f980} \"\\\n\0";

const SURFACES: [Surface; 3] = [Surface::ChatCompletions, Surface::Responses, Surface::Messages];

/// Frames of a conversation at most.
const MOST_FRAMES: usize = 8;

fuzz_target!(|body: &[u8]| {
    assert_eq!(splice(body, &[]), body);
    let _ = model(body);
    SURFACES.into_iter().for_each(|surface| each_slot_alone(body, |body| locate(surface, body)));
    // Which surface it is taken for may depend on its texts, not that it can be read.
    if let Ok(Located { slots, .. }) = locate_any(body) {
        let edits: Vec<_> = slots.iter().map(|slot| (slot.literal.clone(), NEW)).collect();
        assert!(locate_any(&splice(body, &edits)).is_ok());
    }
    let frames: Vec<&[u8]> = body.split(|byte| *byte == b'\n').take(MOST_FRAMES).collect();
    for (at, frame) in frames.iter().enumerate() {
        each_slot_alone(frame, |last| {
            let mut socket = Socket::default();
            for frame in &frames[..at] {
                socket.hear(frame);
                let _ = socket.locate(frame);
            }
            socket.locate(last).unwrap_or(Err(Unreadable::UnknownShape))
        });
    }
});

fn each_slot_alone(body: &[u8], locate: impl Fn(&[u8]) -> Result<Located, Unreadable>) {
    let Ok(located) = locate(body) else { return };
    for (chosen, slot) in located.slots.iter().enumerate() {
        let spliced = splice(body, &[(slot.literal.clone(), NEW)]);
        let after = locate(&spliced).expect("a spliced body is as readable as it was").slots;
        assert_eq!(after.len(), located.slots.len());
        assert_eq!(&spliced[..slot.literal.start], &body[..slot.literal.start]);
        assert!(spliced.ends_with(&body[slot.literal.end..]));
        for (index, (before, after)) in located.slots.iter().zip(&after).enumerate() {
            assert_eq!(&*after.text, if index == chosen { NEW } else { &*before.text });
            assert_eq!((after.message, after.part, after.role), (before.message, before.part, before.role));
        }
    }
}
