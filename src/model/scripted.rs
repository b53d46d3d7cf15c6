//! A rewriter with fixed rules for tests: no weights, no native library, equal answers on every machine.
//!
//! It stands behind the same trait as the real ones. Nothing but tests may build one.

use std::{
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::compress::{Interrupt, RewriteError, Rewriter, Shorter};

/// Compares texts by their letters, and shortens a statement to its first words.
#[derive(Debug, Default)]
pub struct ScriptedRewriter {
    fault: Option<Fault>,
    interrupt: Interrupt,
    calls: Calls,
}

/// How a [`ScriptedRewriter`] goes wrong.
#[derive(Debug)]
enum Fault {
    /// Every call fails.
    Fail,
    /// Every call stops at the gate, as one inside of native code would, and asks its interrupt afterwards.
    Hang(Gate),
}

impl ScriptedRewriter {
    /// One that works.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose every call fails.
    #[must_use]
    pub fn failing() -> Self {
        Self { fault: Some(Fault::Fail), ..Self::default() }
    }

    /// One whose every call waits at `gate`.
    #[must_use]
    pub fn hanging(gate: &Gate) -> Self {
        Self { fault: Some(Fault::Hang(gate.clone())), ..Self::default() }
    }

    /// Counts its calls; stays valid when the rewriter has moved to another thread.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }

    fn begin(&self, count: fn(&mut Counts)) -> Result<(), RewriteError> {
        count(&mut lock(&self.calls.0));
        match &self.fault {
            Some(Fault::Fail) => return Err(RewriteError::Failed("scripted to fail".into())),
            Some(Fault::Hang(gate)) => gate.pass(),
            None => {}
        }
        self.interrupt.check()
    }
}

impl Rewriter for ScriptedRewriter {
    fn fingerprint(&self) -> &str {
        "scripted/1"
    }

    fn interrupt(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        self.begin(|counts| counts.meanings += 1)?;
        Ok(texts.iter().map(|text| meaning(text)).collect())
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        self.begin(|counts| counts.shortened += 1)?;
        Ok(statements.iter().map(|text| first_half(text).map(Shorter::Text)).collect())
    }
}

/// The shares of the 26 letters, of length one.
fn meaning(text: &str) -> Vec<f32> {
    let mut letters = [0.0_f32; 26];
    for byte in text.bytes().filter(u8::is_ascii_alphabetic) {
        letters[usize::from(byte.to_ascii_lowercase() - b'a')] += 1.0;
    }
    let length = letters.iter().map(|count| count * count).sum::<f32>().sqrt().max(1.0);
    letters.iter().map(|count| count / length).collect()
}

/// The source up to the end of the first half of its words; `None` where that would be all of it.
fn first_half(text: &str) -> Option<String> {
    let words = words(text);
    let most = (words.len() / 2).max(1);
    let last = words.get(most - 1).filter(|_| most < words.len())?;
    text.get(..last.end).map(|text| text.trim_start().to_owned())
}

/// The byte spans of runs without whitespace.
fn words(text: &str) -> Vec<Range<usize>> {
    let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|word| start_of(word)..start_of(word) + word.len()).collect()
}

/// How often a [`ScriptedRewriter`] was asked.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    meanings: usize,
    shortened: usize,
}

impl Calls {
    /// Calls of [`Rewriter::meanings`].
    #[must_use]
    pub fn meanings(&self) -> usize {
        lock(&self.0).meanings
    }

    /// Calls of [`Rewriter::shorten`].
    #[must_use]
    pub fn shortened(&self) -> usize {
        lock(&self.0).shortened
    }
}

/// Where a hanging rewriter waits: closed until a test opens it, for good.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Debug, Default)]
struct GateState {
    open: bool,
    arrived: usize,
}

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everyone through who waits or comes later.
    pub fn open(&self) {
        lock(&self.0.0).open = true;
        self.0.1.notify_all();
    }

    /// Blocks until `count` calls have arrived at the gate, so that a test acts while they hang.
    pub fn wait_for_arrivals(&self, count: usize) {
        let (state, changed) = &*self.0;
        drop(changed.wait_while(lock(state), |state| state.arrived < count).unwrap_or_else(PoisonError::into_inner));
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = lock(state);
        state.arrived += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.open).unwrap_or_else(PoisonError::into_inner));
    }
}

/// A test that panicked elsewhere must not hide its message behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_first_words() {
        let mut rewriter = ScriptedRewriter::new();
        let texts = ["one  two three four", "", "été 日本 \u{1F980}"];
        assert_eq!(rewriter.meanings(&texts).unwrap()[1], vec![0.0; 26]);
        let halves =
            ["one  two", "", "été"].map(|text| Some(Shorter::Text(text.to_owned())).filter(|_| !text.is_empty()));
        assert_eq!(rewriter.shorten(&texts).unwrap(), halves);
        assert_eq!((rewriter.calls().meanings(), rewriter.calls().shortened()), (1, 1));
    }

    #[test]
    fn a_failing_one_fails_and_an_interrupted_one_says_why() {
        assert!(matches!(ScriptedRewriter::failing().meanings(&["a"]), Err(RewriteError::Failed(_))));
        let mut rewriter = ScriptedRewriter::new();
        rewriter.interrupt(Interrupt::new(|| Err(RewriteError::Deadline)));
        assert!(matches!(rewriter.meanings(&["a"]), Err(RewriteError::Deadline)));
    }

    #[test]
    fn a_hanging_one_waits_until_its_gate_opens() {
        let gate = Gate::new();
        let mut rewriter = ScriptedRewriter::hanging(&gate);
        let caller = std::thread::spawn(move || rewriter.meanings(&["a"]).is_ok());
        gate.wait_for_arrivals(1);
        assert!(!caller.is_finished());
        gate.open();
        assert!(caller.join().unwrap());
    }
}
