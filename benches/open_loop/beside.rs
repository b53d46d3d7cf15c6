//! Short requests alone and beside condensing that never ends, by turns: what one waits for the other.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use super::{
    Arguments, bodies,
    dice::Dice,
    load::{Answers, Driver, Mix, Sent, faults, millis, percentile},
    process::Process,
    upstream::Upstream,
};

/// Who has prompts condensed, each one after another: more than there are cores.
const SENDERS: u64 = 3;

/// Short requests a second.
const RATE: f64 = 50.0;

pub(crate) fn run(arguments: &Arguments) {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(Duration::from_millis(arguments.provider_ms));
    let headroom = Process::headroom(&arguments.headroom, upstream.address, folder.path(), &[]);
    let (driver, condensed) = (Driver::new(), AtomicU64::new(0));
    let address = headroom.address;
    for _ in 0..20 {
        driver.once(address, bodies::short());
    }
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        alone.append(&mut short(&driver, &headroom, arguments, round));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (driver, done, condensed) = (&driver, &done, &condensed);
                let mut dice = Dice::new(1 + round * SENDERS + sender);
                scope.spawn(move || {
                    while !done.load(Relaxed) {
                        driver.once(address, bodies::retrieved(&mut dice));
                        condensed.fetch_add(1, Relaxed);
                    }
                });
            }
            // Until all are under way.
            thread::sleep(Duration::from_millis(200));
            beside.append(&mut short(&driver, &headroom, arguments, round));
            done.store(true, Relaxed);
        });
    }
    println!("{:<12}{:>8}{:>9}{:>9}{:>9}{:>9}", "short", "sent", "p50 ms", "p99 ms", "p99.9", "late ms");
    tell("alone", &alone);
    tell("beside", &beside);
    let condensed = condensed.load(Relaxed) as f64 / (arguments.seconds * arguments.rounds as f64);
    println!("{condensed:.1} prompts of 3k tokens a second beside; what arrived: {:?}", upstream.seen.faults());
}

fn short(driver: &Driver, headroom: &Process, arguments: &Arguments, round: u64) -> Vec<Sent> {
    let answers: Answers = Arc::default();
    let mut mix: Mix<'_> = vec![(RATE * arguments.rate, Box::new(|_| bodies::short()))];
    driver.run(headroom.address, &mut mix, arguments.seconds, (1 + round, 1), &answers, || true);
    std::mem::take(&mut *answers.lock().unwrap_or_else(PoisonError::into_inner))
}

fn tell(name: &str, sent: &[Sent]) {
    let last = millis(sent.iter().map(|sent| sent.last));
    let lag = millis(sent.iter().map(|sent| sent.lag));
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| percentile(&last, share));
    let late = percentile(&lag, 0.99);
    println!("{name:<12}{:>8}{p50:>9.2}{p99:>9.2}{p999:>9.2}{late:>9.2}", sent.len());
    for (fault, count) in faults(sent) {
        println!("    {count} x {fault}");
    }
}
