//! What passing through costs under open-loop load, and whether it can go on for hours.
//!
//! ```text
//! cargo bench --bench open_loop                            # direct, nginx, Headroom: a table and a plot
//! cargo bench --bench open_loop -- --replicas 1,2,4        # replicas behind an nginx, sharing a Valkey or Redis server
//! cargo bench --bench open_loop -- --beside                # short requests alone and beside condensing that never ends
//! cargo bench --bench open_loop -- --soak 60               # an hour of hostile, RAG and short requests: the RSS curve
//! cargo bench --bench open_loop -- --families              # what each kind of hostile request costs at two sizes
//! ```
//!
//! Needs nginx, and for replicas valkey-server or redis-server (Debian packages nginx-light, redis-server).
//!
//! *Open loop*: requests leave when their time has come, however many are still on their way, and latency counts from
//! the moment at which one was meant to leave. A closed loop (as `wrk` and `overhead.py` have it) waits for answers and
//! so leaves out just the time in which a proxy stalls. Arrivals are Poisson's, and the same for each way.
//!
//! Every answer is compared byte by byte. The stand-in provider counts arrivals, so that nothing is lost or sent twice
//! without being told, compares what has to arrive as it was sent, and sees to it that a text once forwarded is always
//! forwarded in the same form. CPU is the kernel's account of the process in the middle.

#![allow(clippy::print_stdout, reason = "printing a table is what this program is for")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot run is to stop")]

mod beside;
mod bodies;
mod compare;
mod dice;
mod families;
mod hostile;
mod load;
mod plot;
mod process;
mod soak;
mod upstream;

use std::path::PathBuf;

use clap::Parser;

/// Open-loop load on loopback.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_headroom"))]
    headroom: PathBuf,
    /// Minutes of hostile, RAG and short requests at once, in place of the comparison.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<f64>,
    /// Short requests alone and beside condensing that never ends, in place of the comparison.
    #[arg(long)]
    beside: bool,
    /// Each kind of hostile text and body at two sizes, then all at once, in place of the comparison.
    #[arg(long)]
    families: bool,
    /// Compares these numbers of replicas behind an nginx.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    replicas: Vec<usize>,
    /// Rounds, in each of which every way is measured once under every load.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Seconds of a load on a way in a round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Only loads, or families, whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Times the usual rates.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Milliseconds that the provider takes.
    #[arg(long, default_value_t = 0)]
    provider_ms: u64,
    /// Where figures and plot are written.
    #[arg(long, default_value = "target/open_loop")]
    out: PathBuf,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _entered = runtime.enter();
    match arguments.soak {
        Some(minutes) => soak::run(&arguments, minutes),
        None if arguments.beside => beside::run(&arguments),
        None if arguments.families => families::run(&arguments),
        None => compare::run(&arguments),
    }
}
