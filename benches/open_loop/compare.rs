//! Direct, through nginx, through Headroom: the same requests at the same times, in rounds. Or through nginx and several
//! replicas of Headroom that share a server.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, PoisonError},
    time::Duration,
};

use serde_json::json;

use super::{
    Arguments, bodies,
    dice::Dice,
    load::{Answers, Driver, Mix, Sent, faults, millis, percentile},
    plot::{self, Panel},
    process::Process,
    upstream::Upstream,
};

/// A way to the provider.
struct Way {
    name: String,
    address: SocketAddr,
    /// What stands in it; their CPU is counted.
    processes: Vec<Process>,
}

/// What one way did under one load, over all rounds.
#[derive(Default)]
struct Measured {
    sent: Vec<Sent>,
    seconds: f64,
    cpu: Duration,
}

struct Load {
    name: &'static str,
    /// Requests a second.
    rate: f64,
    /// What is sent before, so that it is seen content.
    again: Vec<bodies::Request>,
    /// Makes them; new ones in each round and way.
    mix: fn(f64, &[bodies::Request]) -> Mix<'static>,
}

fn loads(arguments: &Arguments) -> Vec<Load> {
    let load = |name, rate, again: Vec<bodies::Request>, mix| Load { name, rate: rate * arguments.rate, again, mix };
    let conversation = |length| vec![bodies::conversation(length, 7)];
    let mut all = vec![
        load("passed through 2 kB", 200.0, vec![], |rate, _| vec![(rate, Box::new(|_| bodies::passthrough(2000)))]),
        load("short", 200.0, vec![], |rate, _| vec![(rate, Box::new(|_| bodies::short()))]),
        load("short, 20 events", 50.0, vec![], |rate, _| vec![(rate, Box::new(|_| bodies::streamed(20)))]),
        load("seen 100 kB", 20.0, conversation(100_000), again),
        load("seen 1 MB", 3.0, conversation(1_000_000), again),
        load("new RAG, 3k tokens", 1.0, vec![], |rate, _| vec![(rate, Box::new(bodies::retrieved))]),
        load("mixed", 60.0, conversation(100_000), |rate, seen| {
            let mut mix = again(0.08 * rate, seen);
            mix.push((0.8 * rate, Box::new(|_| bodies::short())));
            mix.push((0.11 * rate, Box::new(|_| bodies::streamed(20))));
            mix.push((0.01 * rate, Box::new(bodies::retrieved)));
            mix
        }),
    ];
    all.retain(|load| load.name.contains(&arguments.only));
    all
}

fn again(rate: f64, seen: &[bodies::Request]) -> Mix<'static> {
    let seen = seen.to_vec();
    vec![(rate, Box::new(move |dice: &mut Dice| dice.pick(&seen).clone()))]
}

pub(crate) fn run(arguments: &Arguments) {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(Duration::from_millis(arguments.provider_ms));
    let ways = if arguments.replicas.is_empty() {
        ways(arguments, upstream.address, folder.path())
    } else {
        replicas(arguments, upstream.address, folder.path())
    };
    let (driver, loads) = (Driver::new(), loads(arguments));
    let mut measured: Vec<Vec<Measured>> = Vec::new();
    for round in 0..arguments.rounds {
        for (of, load) in loads.iter().enumerate() {
            if measured.len() <= of {
                measured.push(ways.iter().map(|_| Measured::default()).collect());
            }
            for at in 0..ways.len() {
                // Nobody is always first.
                let at = (at + round as usize) % ways.len();
                let seed = 1 + round * 100 + at as u64;
                measure(&driver, arguments, load, &ways[at], (round, seed), &mut measured[of][at]);
            }
        }
    }
    let table = table(&loads, &ways, &measured);
    print!("{table}");
    println!("\nwhat arrived: {:?}", upstream.seen.faults());
    for way in &ways {
        for process in &way.processes {
            let ((now, peak), took) = (process.resident(), process.took.as_secs_f64());
            println!(
                "{:<12} {:<14} ready after {took:.2} s; {now:.0} MiB now, {peak:.0} at the peak",
                way.name, process.name
            );
        }
    }
    let own = Process::own_cpu().as_secs_f64();
    println!("driver and provider themselves: {own:.1} s of CPU");
    fs::write(arguments.out.join("compare.txt"), &table).unwrap();
    figures(arguments, &loads, &ways, &measured);
    draw(arguments, &loads, &ways, &measured);
    println!("table, figures and plot: {}", arguments.out.display());
}

/// Each alone, with a processor's worth of nginx as the yardstick.
fn ways(arguments: &Arguments, upstream: SocketAddr, folder: &Path) -> Vec<Way> {
    let nginx = Process::nginx(&[upstream], folder);
    let headroom = Process::headroom(&arguments.headroom, upstream, &home(folder, "headroom"), &[]);
    vec![
        Way { name: "direct".to_owned(), address: upstream, processes: Vec::new() },
        Way { name: "nginx".to_owned(), address: nginx.address, processes: vec![nginx] },
        Way { name: "headroom".to_owned(), address: headroom.address, processes: vec![headroom] },
    ]
}

/// An nginx before so many replicas, each time with a server of their own that they share.
fn replicas(arguments: &Arguments, upstream: SocketAddr, folder: &Path) -> Vec<Way> {
    let way = |count: &usize| {
        let folder = home(folder, &format!("replicas-{count}"));
        let server = ["valkey-server", "redis-server"]
            .into_iter()
            .find(|name| Command::new(name).arg("--version").output().is_ok());
        let server = server.unwrap_or_else(|| panic!("there is no valkey-server or redis-server in PATH"));
        let server = Process::shared(server, &folder);
        let url = format!("redis://{}", server.address);
        let more = [("HEADROOM_DECISIONS__SERVER", url.as_str())];
        let start = |at| Process::headroom(&arguments.headroom, upstream, &home(&folder, &format!("{at}")), &more);
        let mut processes: Vec<Process> = (0..*count).map(start).collect();
        let addresses: Vec<SocketAddr> = processes.iter().map(|process| process.address).collect();
        let nginx = Process::nginx(&addresses, &folder);
        let address = nginx.address;
        processes.extend([nginx, server]);
        Way { name: format!("{count} replicas"), address, processes }
    };
    arguments.replicas.iter().map(way).collect()
}

fn home(folder: &Path, name: &str) -> std::path::PathBuf {
    let home = folder.join(name);
    fs::create_dir_all(&home).unwrap();
    home
}

fn measure(
    driver: &Driver,
    arguments: &Arguments,
    load: &Load,
    way: &Way,
    (round, seed): (u64, u64),
    measured: &mut Measured,
) {
    let cpu = || way.processes.iter().map(Process::cpu).sum::<Duration>();
    // Replicas take turns, so that each has seen it.
    for request in load.again.iter().cycle().take(load.again.len() * way.processes.len().max(1)) {
        driver.once(way.address, request.clone());
    }
    let mut mix = (load.mix)(load.rate, &load.again);
    // Connections, and what a process does once.
    let mut others = Dice::new(1_000_000 + seed);
    for _ in 0..2 * way.processes.len().max(1) {
        driver.once(way.address, mix[0].1(&mut others));
    }
    let answers: Answers = Arc::default();
    let before = cpu();
    // The same times in each way; new texts of its own.
    driver.run(way.address, &mut mix, arguments.seconds, (1 + round, seed), &answers, || true);
    measured.cpu += cpu() - before;
    measured.seconds += arguments.seconds;
    measured.sent.append(&mut answers.lock().unwrap_or_else(PoisonError::into_inner));
}

fn table(loads: &[Load], ways: &[Way], measured: &[Vec<Measured>]) -> String {
    let mut table = format!(
        "{:<20}{:<12}{:>8}{:>9}{:>9}{:>9}{:>9}{:>11}{:>8}{:>8}{:>7}\n",
        "load", "way", "sent/s", "p50 ms", "p99 ms", "first ms", "x first", "CPU ms/req", "x first", "late ms", "wrong"
    );
    let first = |value: f64, of: &mut Option<f64>| {
        let of = *of.get_or_insert(value);
        if of > 0.0 { format!("{:.2}", value / of) } else { "-".to_owned() }
    };
    for (load, each) in loads.iter().zip(measured) {
        let (mut first_p50, mut first_cpu) = (None, None);
        for (way, Measured { sent, seconds, cpu }) in ways.iter().zip(each) {
            let last = millis(sent.iter().map(|sent| sent.last));
            let begun = millis(sent.iter().map(|sent| sent.first));
            let lag = millis(sent.iter().map(|sent| sent.lag));
            let (p50, p99) = (percentile(&last, 0.5), percentile(&last, 0.99));
            let cpu = cpu.as_secs_f64() * 1000.0 / sent.len().max(1) as f64;
            let (shown, times) = match way.processes.is_empty() {
                true => ("-".to_owned(), "-".to_owned()),
                false => (format!("{cpu:.3}"), first(cpu, &mut first_cpu)),
            };
            table += &format!(
                "{:<20}{:<12}{:>8.1}{p50:>9.2}{p99:>9.2}{:>9.2}{:>9}{shown:>11}{times:>8}{:>8.2}{:>7}\n",
                load.name,
                way.name,
                sent.len() as f64 / seconds,
                percentile(&begun, 0.5),
                first(p50, &mut first_p50),
                percentile(&lag, 0.99),
                sent.iter().filter(|sent| sent.fault.is_some()).count(),
            );
            for (fault, count) in faults(sent) {
                table += &format!("    {count} x {fault}\n");
            }
        }
    }
    table
}

fn figures(arguments: &Arguments, loads: &[Load], ways: &[Way], measured: &[Vec<Measured>]) {
    let figure = |load: &Load, way: &Way, Measured { sent, seconds, cpu }: &Measured| {
        let last = millis(sent.iter().map(|sent| sent.last));
        let shares = [0.5, 0.9, 0.99, 0.999, 1.0].map(|share| percentile(&last, share));
        let cpu = cpu.as_secs_f64() * 1000.0;
        json!({"load": load.name, "way": way.name, "seconds": seconds, "requests": sent.len(), "faults": faults(sent),
            "ms_at_50_90_99_999_100": shares, "cpu_ms": cpu})
    };
    let all: Vec<_> = loads
        .iter()
        .zip(measured)
        .flat_map(|(load, each)| ways.iter().zip(each).map(move |(way, measured)| figure(load, way, measured)))
        .collect();
    fs::write(arguments.out.join("compare.json"), serde_json::to_string_pretty(&all).unwrap()).unwrap();
}

/// Latency by the share of requests that it is not passed by, a panel a load.
fn draw(arguments: &Arguments, loads: &[Load], ways: &[Way], measured: &[Vec<Measured>]) {
    let tail = |share: f64| -(1.0 - share).log10();
    let curve = |Measured { sent, .. }: &Measured| {
        let last = millis(sent.iter().map(|sent| sent.last));
        let most = 1.0 - 1.0 / last.len().max(2) as f64;
        let shares = (0..=60).map(|step| 1.0 - 10_f64.powf(-0.05 * f64::from(step)));
        shares.filter(|share| *share <= most).map(|share| (tail(share), percentile(&last, share))).collect()
    };
    let panel = |(load, each): (&Load, &Vec<Measured>)| Panel {
        title: format!("{}, {:.0} a second", load.name, load.rate),
        across: "share of requests, %".to_owned(),
        up: "ms from the intended send time".to_owned(),
        log: true,
        curves: ways.iter().zip(each).map(|(way, measured)| (way.name.clone(), curve(measured))).collect(),
        marks: [0.0, 0.5, 0.9, 0.99, 0.999].map(|share| (tail(share), format!("{}", share * 100.0))).to_vec(),
    };
    let panels: Vec<Panel> = loads.iter().zip(measured).map(panel).collect();
    plot::write(&arguments.out.join("compare.svg"), &panels);
}
