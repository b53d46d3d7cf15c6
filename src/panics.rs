//! What a panic says: its place and its kind. Its message may quote a text or a key.

use std::{panic::PanicHookInfo, thread};

use headroom::telemetry;

/// Every panic of the process says no more than that from now on.
pub(crate) fn say_place_alone() {
    std::panic::set_hook(Box::new(|panic| telemetry::line(&line(panic))));
}

fn line(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
    let payload = panic.payload();
    let kind = if payload.is::<&str>() || payload.is::<String>() { "a message, not shown" } else { "another payload" };
    let thread = thread::current();
    format!(
        "headroom panicked at {} in thread {} with {kind}",
        place.as_deref().unwrap_or("an unknown place"),
        thread.name().unwrap_or("without a name"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "a panic is what is looked at")]
    fn a_panic_says_its_place_and_never_its_message() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            written.lock().unwrap_or_else(PoisonError::into_inner).push(line(panic));
        }));
        let text = "SECRET".to_owned();
        let ended = thread::Builder::new().name("planted".to_owned()).spawn(move || panic!("not for {text}"));
        assert!(ended.is_ok_and(|thread| thread.join().is_err()));
        std::panic::set_hook(before);
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        assert!(lines.contains(file!()) && lines.contains("in thread planted with a message"), "{lines}");
        assert!(!lines.contains("SECRET"), "{lines}");
    }
}
