//! What each kind of hostile request costs the process at two sizes, each in a process of its own; then what all of them
//! at once take, and what is left of that after a minute.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    Arguments, bodies,
    bodies::Request,
    dice::Dice,
    hostile::{BODIES, Family, TEXTS},
    load::{Driver, Sent, faults, millis, percentile},
    process::Process,
    upstream::Upstream,
};

/// How much longer the second text is.
const TIMES: usize = 4;

/// Of the process that is measured: two workers, and the time that a request may be held back by default.
const SETTINGS: [(&str, &str); 1] = [("HEADROOM_ENGINE__WORKERS", "2")];
const BUDGET: Duration = Duration::from_millis(1500);

/// What may come on top of the budget.
const GRACE: Duration = Duration::from_millis(300);

/// A kind of request, by its size.
struct Kind {
    name: String,
    size: usize,
    make: Box<dyn Fn(usize, u64) -> Request + Sync>,
}

fn kinds(only: &str) -> Vec<Kind> {
    let text = |family: &Family, role: &'static str| {
        let family = *family;
        let make = move |size, salt| family.text(size, salt, role);
        Kind { name: format!("{} ({role})", family.name), size: family.size, make: Box::new(make) }
    };
    let body = |family: &Family, packed: bool| {
        let family = *family;
        let make = move |size, _| family.body(size, packed);
        let name = if packed { "gzip" } else { "body" };
        Kind { name: format!("{name}: {}", family.name), size: family.size, make: Box::new(make) }
    };
    let texts = TEXTS.iter().flat_map(|family| ["user", "tool"].map(|role| text(family, role)));
    let bodies = BODIES.iter().flat_map(|family| [true, false].map(|packed| body(family, packed)));
    texts.chain(bodies).filter(|kind| kind.name.contains(only)).collect()
}

/// What one request took.
struct Cost {
    cpu: f64,
    memory: f64,
    sent: Sent,
}

pub(crate) fn run(arguments: &Arguments) {
    let upstream = Upstream::start(Duration::from_millis(arguments.provider_ms));
    let driver = Driver::new();
    let kinds = kinds(&arguments.only);
    println!(
        "{:<34}{:>8}{:>9}{:>9}{:>7}{:>8}{:>8}{:>9}{:>9}  outcome of both",
        "family", "KiB", "CPU ms", "x 4", "times", "MiB", "x 4", "ms", "x 4"
    );
    let mut late = Vec::new();
    for kind in &kinds {
        let [small, large] = [1, TIMES].map(|times| alone(arguments, &driver, &upstream, kind, times));
        let outcome = |cost: &Cost| cost.sent.fault.clone().unwrap_or_else(|| short(&cost.sent.outcome));
        let [ms, ms_large] = [&small, &large].map(|cost| cost.sent.last.as_secs_f64() * 1000.0);
        println!(
            "{:<34}{:>8}{:>9.1}{:>9.1}{:>7.1}{:>8.0}{:>8.0}{ms:>9.0}{ms_large:>9.0}  {} | {}",
            kind.name,
            kind.size >> 10,
            small.cpu,
            large.cpu,
            large.cpu / small.cpu.max(0.1),
            small.memory,
            large.memory,
            outcome(&small),
            outcome(&large),
        );
        late.extend([&small, &large].iter().filter(|cost| is_late(&cost.sent)).map(|_| kind.name.clone()));
    }
    println!("past the budget of {BUDGET:?} and {GRACE:?}: {late:?}");
    together(arguments, &driver, &upstream, &kinds);
    println!("what arrived: {:?}", upstream.seen.faults());
}

fn is_late(sent: &Sent) -> bool {
    sent.last > BUDGET + GRACE
}

fn short(outcome: &str) -> String {
    outcome.replace("unchanged; reason=", "").replace("passthrough; reason=", "passed: ")
}

/// One request to a new process, until it has done with it; that may be after the answer.
fn alone(arguments: &Arguments, driver: &Driver, upstream: &Upstream, kind: &Kind, times: usize) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::headroom(&arguments.headroom, upstream.address, folder.path(), &SETTINGS);
    // What is loaded with the first text is none of the family's.
    driver.once(process.address, bodies::retrieved(&mut Dice::new(7)));
    settle(&process);
    let (before, (resident, _)) = (process.cpu_of_threads(), process.resident());
    process.forget_peak();
    let sent = driver.once(process.address, (kind.make)(kind.size * times, 1));
    let after = settle(&process);
    let (_, peak) = process.resident();
    Cost { cpu: (after.saturating_sub(before)).as_secs_f64() * 1000.0, memory: (peak - resident).max(0.0), sent }
}

/// Waits until the process is at rest, two minutes at most; gives its time on a processor.
fn settle(process: &Process) -> Duration {
    let began = Instant::now();
    let mut last = process.cpu_of_threads();
    loop {
        thread::sleep(QUIET);
        let now = process.cpu_of_threads();
        // Timers and the watching thread take a little all the time.
        if now.saturating_sub(last) < QUIET / 100 || began.elapsed() > Duration::from_secs(120) {
            return now;
        }
        last = now;
    }
}

const QUIET: Duration = Duration::from_millis(200);

/// Every kind at both sizes, sent at the same moment.
fn together(arguments: &Arguments, driver: &Driver, upstream: &Upstream, kinds: &[Kind]) {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::headroom(&arguments.headroom, upstream.address, folder.path(), &SETTINGS);
    driver.once(process.address, bodies::retrieved(&mut Dice::new(7)));
    settle(&process);
    let (at_start, _) = process.resident();
    process.forget_peak();
    let requests: Vec<Request> =
        [1, TIMES].iter().flat_map(|times| kinds.iter().map(move |kind| (kind.make)(kind.size * times, 2))).collect();
    let sent: Vec<Sent> = thread::scope(|scope| {
        let address = process.address;
        let threads: Vec<_> =
            requests.into_iter().map(|request| scope.spawn(move || driver.once(address, request))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    settle(&process);
    let (_, peak) = process.resident();
    let times = millis(sent.iter().map(|sent| sent.last));
    let late = sent.iter().filter(|sent| is_late(sent)).count();
    println!(
        "all {} at once: p50 {:.0} ms, the longest {:.0} ms, {late} past the budget and grace; lost or wrong: {:?}",
        sent.len(),
        percentile(&times, 0.5),
        percentile(&times, 1.0),
        faults(&sent)
    );
    thread::sleep(Duration::from_secs(60));
    let (rest, _) = process.resident();
    println!("MiB: {at_start:.0} at the start, {peak:.0} at the peak, {rest:.0} after a minute's rest");
    assert!(process.is_alive(), "the proxy has ended");
}
