//! The way of the log to standard error: a thread of its own writes it, and those who log never wait. Lines of a moment are
//! written together, since to wake that thread costs a short request more than all of its line.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Where lines are handed over.
#[derive(Debug, Clone)]
pub(super) struct Lines(Arc<Shared>);

/// Has what waits written when it is dropped.
#[derive(Debug)]
pub struct Written(Lines);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: usize,
    lost: u64,
    /// Nobody waits for more.
    ending: bool,
    /// Nothing more is written.
    ended: bool,
}

impl Lines {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<(Self, Written)> {
        let lines = Self(Arc::default());
        let own = lines.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || own.write_to(out))?;
        Ok((lines.clone(), Written(lines)))
    }

    /// Lines that found no room.
    pub(super) fn lost(&self) -> u64 {
        self.waiting().lost
    }

    /// Hands over a line with its break; it is lost where too many wait.
    pub(super) fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.lines == MOST {
            waiting.lost += 1;
            return;
        }
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
        if waiting.lines == 1 {
            self.0.changed.notify_all();
        }
    }

    fn write_to(&self, mut out: impl Write) {
        let mut waiting = self.waiting();
        while !(waiting.ending && waiting.lines == 0) {
            waiting = self.wait(waiting, None, |waiting| waiting.lines == 0 && !waiting.ending);
            waiting = self.wait(waiting, Some(GATHERS), |waiting| !waiting.ending);
            waiting.lines = 0;
            let bytes = std::mem::take(&mut waiting.bytes);
            drop(waiting);
            // Nobody is left to tell when standard error is closed.
            let _ = out.write_all(&bytes);
            waiting = self.waiting();
        }
        waiting.ended = true;
        self.0.changed.notify_all();
    }

    /// Waits while something holds, but no longer than a while.
    fn wait<'w>(
        &self,
        waiting: MutexGuard<'w, Waiting>,
        most: Option<Duration>,
        holds: impl Fn(&Waiting) -> bool,
    ) -> MutexGuard<'w, Waiting> {
        let changed = &self.0.changed;
        match most {
            None => changed.wait_while(waiting, |waiting| holds(waiting)).unwrap_or_else(PoisonError::into_inner),
            Some(most) => {
                let waited = changed.wait_timeout_while(waiting, most, |waiting| holds(waiting));
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One event is one call.
impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let Self(lines) = self;
        let mut waiting = lines.waiting();
        waiting.ending = true;
        lines.0.changed.notify_all();
        drop(lines.wait(waiting, Some(LAST_WAIT), |waiting| !waiting.ended));
    }
}

/// Lines that may wait.
const MOST: usize = 4096;

/// How long the first line waits for others.
const GATHERS: Duration = Duration::from_millis(20);

/// The longest that the end of the process waits for who reads the log.
const LAST_WAIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Tells what is written, and goes on only when that was taken.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Lines, Written, Receiver<Vec<u8>>) {
        let (out, read) = sync_channel(0);
        let (lines, written) = Lines::start(Slow(out)).unwrap();
        (lines, written, read)
    }

    #[test]
    fn every_line_is_written_once_and_in_order() {
        let (lines, written, read) = slow();
        let reader = thread::spawn(move || read.iter().flatten().collect::<Vec<u8>>());
        let told: Vec<String> = (0..1000).map(|at| format!("line {at}\n")).collect();
        told.iter().for_each(|line| lines.add(line.as_bytes()));
        drop(written);
        drop(lines);
        assert_eq!(reader.join().unwrap(), told.concat().into_bytes());
    }

    #[test]
    fn who_reads_nothing_costs_lines() {
        let (lines, _written, read) = slow();
        for _ in 0..3 * MOST {
            lines.add(b"line\n");
        }
        // Those that the thread has taken make room for as many at most.
        assert!((MOST as u64..=2 * MOST as u64).contains(&lines.lost()));
        drop(read);
    }
}
