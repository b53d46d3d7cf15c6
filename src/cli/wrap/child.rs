//! The wrapped program: it has our terminal, and what is sent to us as a signal is meant for it.

use std::{
    io,
    process::{Command, ExitStatus},
};

/// Runs it to its end; the exit status as shells give it.
pub(super) async fn run(mut command: Command) -> io::Result<u8> {
    // Heeded before there is a child, so that none is lost in between.
    #[cfg(unix)]
    let mut signals = signals::Signals::new()?;
    let mut child = command.spawn()?;
    #[cfg(unix)]
    let id = child.id();
    let ended = tokio::task::spawn_blocking(move || child.wait());
    #[cfg(unix)]
    let ended = async {
        tokio::pin!(ended);
        loop {
            tokio::select! {
                ended = &mut ended => return ended,
                signal = signals.next() => signals::send(id, signal),
            }
        }
    };
    Ok(status(ended.await.map_err(io::Error::other)??))
}

/// A program that a signal ended has 128 and the signal's number, as in a shell.
fn status(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or_else(|| Some(128 + signal?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(unix)]
mod signals {
    use std::io::{self, IsTerminal as _};

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{self, SignalKind, signal};

    /// The signals that would end us.
    pub(super) struct Signals {
        terminate: unix::Signal,
        hang_up: unix::Signal,
        interrupt: unix::Signal,
        quit: unix::Signal,
        first: unix::Signal,
        second: unix::Signal,
        /// Whether the terminal sends the program its interrupts itself.
        terminal: bool,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                first: signal(SignalKind::user_defined1())?,
                second: signal(SignalKind::user_defined2())?,
                terminal: io::stdin().is_terminal(),
            })
        }

        /// The next one that the program has not had.
        pub(super) async fn next(&mut self) -> Signal {
            loop {
                let (signal, had) = tokio::select! {
                    _ = self.terminate.recv() => (Signal::TERM, false),
                    _ = self.hang_up.recv() => (Signal::HUP, false),
                    _ = self.interrupt.recv() => (Signal::INT, self.terminal),
                    _ = self.quit.recv() => (Signal::QUIT, self.terminal),
                    _ = self.first.recv() => (Signal::USR1, false),
                    _ = self.second.recv() => (Signal::USR2, false),
                };
                if !had {
                    return signal;
                }
            }
        }
    }

    pub(super) fn send(child: u32, signal: Signal) {
        let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
        // It may just have ended.
        let _ = pid.map(|pid| kill_process(pid, signal));
    }
}
