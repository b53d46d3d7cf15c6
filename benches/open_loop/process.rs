//! Processes that stand in the middle, and what the kernel says of them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Until it was ready.
    pub(crate) took: Duration,
}

impl Process {
    /// Headroom before this provider, with a state folder of its own.
    pub(crate) fn headroom(binary: &Path, upstream: SocketAddr, folder: &Path, more: &[(&str, &str)]) -> Self {
        let address = free();
        let mut command = Command::new(fs::canonicalize(binary).unwrap());
        command.args(["serve", "--listen", &address.to_string(), "--upstream", &format!("http://{upstream}")]);
        command.args(["--log", "warn"]);
        // A file of settings where this was started from is none of ours.
        command
            .current_dir(folder)
            .env("XDG_STATE_HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .envs(more.iter().copied());
        command.stderr(fs::File::create(folder.join("headroom.log")).unwrap());
        Self::start(command, address, "/headroom/ready")
    }

    fn start(mut command: Command, address: SocketAddr, path: &str) -> Self {
        let began = Instant::now();
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut process =
            Self { child: child.unwrap_or_else(|error| panic!("{name}: {error}")), address, took: Duration::ZERO };
        while !answers(address, path) {
            assert!(began.elapsed() < Duration::from_secs(120), "{name} does not answer");
            assert!(process.child.try_wait().unwrap().is_none(), "{name} ended at once");
            thread::sleep(Duration::from_millis(2));
        }
        process.took = began.elapsed();
        process
    }

    /// The process and its children; nginx works in one.
    fn family(&self) -> Vec<u32> {
        let own = self.child.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }

    /// Time on a processor, of all threads, in user and system; the kernel counts in hundredths of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let ticks = |id: u32| -> Option<u64> {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
            Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
        };
        Duration::from_millis(10 * self.family().into_iter().filter_map(ticks).sum::<u64>())
    }

    /// Resident memory now and at its peak, in MiB.
    pub(crate) fn resident(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let of = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        (of("VmRSS:").unwrap_or_default() / 1024.0, of("VmHWM:").unwrap_or_default() / 1024.0)
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx's workers go with their master only where it is asked, not killed.
        if let Some(id) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Whether a GET is answered by anything but a 5xx.
fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        socket.read_exact(&mut head)?;
        Ok(head)
    };
    ask().is_ok_and(|head| head[9] != b'5')
}
