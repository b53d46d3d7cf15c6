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
    pub(crate) name: String,
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
        Self::start(command, address, || answers(address, "/headroom/ready"))
    }

    /// An nginx that passes everything on, to each of these in turn.
    pub(crate) fn nginx(to: &[SocketAddr], folder: &Path) -> Self {
        let address = free();
        let home = folder.join(format!("nginx-{}", address.port()));
        fs::create_dir_all(&home).unwrap();
        let servers: String = to.iter().map(|to| format!("server {to}; ")).collect();
        let (home, conf) = (home.display().to_string(), home.join("nginx.conf"));
        let told = NGINX.replace("HOME", &home).replace("ADDRESS", &address.to_string()).replace("SERVERS", &servers);
        fs::write(&conf, told).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-p", &home, "-c", &conf.display().to_string()]).stderr(Stdio::null());
        Self::start(command, address, || TcpStream::connect(address).is_ok())
    }

    /// A Valkey or Redis server that keeps nothing on disk.
    pub(crate) fn shared(program: &str, folder: &Path) -> Self {
        let address = free();
        let mut command = Command::new(program);
        command.args([
            "--port",
            &address.port().to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(["--dir", &folder.display().to_string()]).stderr(Stdio::null());
        Self::start(command, address, || TcpStream::connect(address).is_ok())
    }

    fn start(mut command: Command, address: SocketAddr, is_ready: impl Fn() -> bool) -> Self {
        let began = Instant::now();
        let program = Path::new(command.get_program()).file_name().unwrap_or_default();
        let name = program.to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut process = Self { child, name: name.clone(), address, took: Duration::ZERO };
        while !is_ready() {
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
        self.family().into_iter().filter_map(cpu).sum()
    }

    /// The same of the threads that it has now, to the nanosecond.
    pub(crate) fn cpu_of_threads(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let on_cpu = |task: fs::DirEntry| -> Option<u64> {
            fs::read_to_string(task.path().join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
        };
        Duration::from_nanos(tasks.filter_map(on_cpu).sum())
    }

    /// The same of this process.
    pub(crate) fn own_cpu() -> Duration {
        cpu(std::process::id()).unwrap_or_default()
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

    /// Lets the peak begin anew from what is resident now.
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
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

fn cpu(id: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(10 * ticks))
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

const NGINX: &str = "
daemon off; worker_processes 1; pid HOME/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; client_max_body_size 64m; client_body_buffer_size 2m; proxy_buffering off;
  client_body_temp_path HOME; proxy_temp_path HOME; fastcgi_temp_path HOME; uwsgi_temp_path HOME; scgi_temp_path HOME;
  upstream up { SERVERS keepalive 256; keepalive_requests 100000000; }
  server {
    listen ADDRESS;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_read_timeout 120s; }
  }
}
";
