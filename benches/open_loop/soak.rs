//! Hours of hostile, RAG and short requests at once: does memory settle, is anything lost or sent twice, do short requests
//! stay quick?

use std::{
    fs::File,
    io::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Arguments, bodies,
    dice::Dice,
    hostile,
    load::{Answers, Driver, Make, Mix, Sent, faults, millis, percentile},
    plot::{self, Panel},
    process::Process,
    upstream::Upstream,
};

/// One look.
#[derive(Debug)]
struct Look {
    minute: f64,
    resident: f64,
    /// Of short requests since the last one.
    p50: f64,
    p99: f64,
}

/// What is sent, a second, on a machine with two cores.
fn mix(rate: f64) -> (Vec<&'static str>, Mix<'static>) {
    let mut asked: Vec<bodies::Request> = Vec::new();
    let again = move |dice: &mut Dice| {
        // A third of the prompts come again, as conversations do.
        if asked.len() > 50 && dice.below(3) == 0 {
            return dice.pick(&asked).clone();
        }
        let request = bodies::retrieved(dice);
        if asked.len() > 200 {
            asked.remove(0);
        }
        asked.push(request.clone());
        request
    };
    let kinds: Vec<(&str, f64, Make<'_>)> = vec![
        ("short", 15.0, Box::new(|_| bodies::short())),
        ("streamed", 4.0, Box::new(|dice| bodies::streamed(1 + dice.below(40)))),
        ("RAG", 0.5, Box::new(again)),
        ("hostile text", 0.4, Box::new(hostile::text)),
        ("hostile body", 0.5, Box::new(hostile::body)),
        ("client leaves", 0.2, Box::new(hostile::leaving)),
        ("passed through", 2.0, Box::new(|dice| bodies::passthrough(1000 << dice.below(10)))),
        ("conversation", 0.5, Box::new(|dice| bodies::conversation(100_000, dice.next() % 8))),
    ];
    let names = kinds.iter().map(|(name, ..)| *name).collect();
    (names, kinds.into_iter().map(|(_, each, make)| (each * rate, make)).collect())
}

pub(crate) fn run(arguments: &Arguments, minutes: f64) {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(Duration::from_millis(arguments.provider_ms));
    let headroom = Process::headroom(&arguments.headroom, upstream.address, folder.path(), &[]);
    let (at_start, _) = headroom.resident();
    println!("ready after {:.2} s; {at_start:.0} MiB at the start", headroom.took.as_secs_f64());
    let (names, mut mix) = mix(arguments.rate);
    let told_to_end = ctrl_c();
    let answers: Answers = Arc::default();
    let (done, address) = (AtomicBool::new(false), headroom.address);
    let headroom = Mutex::new(headroom);
    let (looks, all) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(arguments, &headroom, &answers, &done));
        let goes_on = || !told_to_end.load(Relaxed) && headroom.lock().unwrap().is_alive();
        Driver::new().run(address, &mut mix, minutes * 60.0, (1, 2), &answers, goes_on);
        done.store(true, Relaxed);
        watch.join().unwrap()
    });
    let mut headroom = headroom.into_inner().unwrap();
    let cpu = headroom.cpu();
    println!("\n{:<16}{:>9}{:>10}{:>10}{:>10}{:>8}", "request", "sent", "p50 ms", "p99 ms", "most ms", "wrong");
    for (kind, name) in names.iter().enumerate() {
        let of = || all.iter().filter(move |sent| sent.kind == kind);
        let times = millis(of().map(|sent| sent.last));
        let (p50, p99, most) = (percentile(&times, 0.5), percentile(&times, 0.99), percentile(&times, 1.0));
        let wrong = of().filter(|sent| sent.fault.is_some()).count();
        println!("{name:<16}{:>9}{p50:>10.1}{p99:>10.1}{most:>10.1}{wrong:>8}", times.len());
    }
    let lag = millis(all.iter().map(|sent| sent.lag));
    println!("the driver itself left p99 {:.2} ms late", percentile(&lag, 0.99));
    println!("lost or wrong answers: {:?}", faults(&all));
    println!("what arrived: {:?}", upstream.seen.faults());
    let busy = looks.iter().map(|look| look.resident).fold(0.0, f64::max);
    let seconds = all.iter().map(|sent| sent.at).fold(0.0, f64::max);
    println!("CPU {:.0} s in {seconds:.0} s", cpu.as_secs_f64());
    slope(&looks);
    report(arguments, &looks);
    if !headroom.is_alive() {
        panic!("the proxy has ended");
    }
    println!("a minute of rest …");
    thread::sleep(Duration::from_secs(60.min((minutes * 60.0) as u64)));
    let (rest, peak) = headroom.resident();
    println!(
        "RSS: {at_start:.0} MiB at the start, {busy:.0} at most when looked at, {peak:.0} at the peak, {rest:.0} after a rest"
    );
}

/// Looks at the process until the load is over; gives the looks and every answer.
fn watch(
    arguments: &Arguments,
    headroom: &Mutex<Process>,
    answers: &Answers,
    done: &AtomicBool,
) -> (Vec<Look>, Vec<Sent>) {
    let mut file = File::create(arguments.out.join("soak.csv")).unwrap();
    writeln!(file, "minute,rss_mib,cpu_s,answers,wrong,short_p50_ms,short_p99_ms").unwrap();
    let (mut looks, mut all) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while !done.load(Relaxed) {
        for _ in 0..EVERY.as_millis() / 100 {
            if !done.load(Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
        }
        let new = std::mem::take(&mut *answers.lock().unwrap());
        let short = millis(new.iter().filter(|sent| sent.kind == 0).map(|sent| sent.last));
        let wrong = new.iter().filter(|sent| sent.fault.is_some()).count();
        let (resident, cpu) = {
            let headroom = headroom.lock().unwrap();
            (headroom.resident().0, headroom.cpu().as_secs_f64())
        };
        let look = Look {
            minute: began.elapsed().as_secs_f64() / 60.0,
            resident,
            p50: percentile(&short, 0.5),
            p99: percentile(&short, 0.99),
        };
        let Look { minute, p50, p99, .. } = look;
        writeln!(file, "{minute:.2},{resident:.1},{cpu:.2},{},{wrong},{p50:.2},{p99:.2}", new.len()).unwrap();
        if looks.len() % 6 == 0 {
            println!(
                "{minute:6.1} min  {resident:6.0} MiB  CPU {cpu:6.0} s  short p50 {p50:6.1} p99 {p99:6.1} ms  wrong {wrong}"
            );
            report(arguments, &looks);
        }
        looks.push(look);
        all.extend(new);
    }
    (looks, all)
}

const EVERY: Duration = Duration::from_secs(10);

/// Least squares over the looks after the first third, in which caches fill.
fn slope(looks: &[Look]) {
    let late = &looks[looks.len() / 3..];
    let count = late.len() as f64;
    if count < 3.0 {
        return;
    }
    let mean = |of: &dyn Fn(&Look) -> f64| late.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|look| look.minute), mean(&|look| look.resident));
    let spread: f64 = late.iter().map(|look| (look.minute - x).powi(2)).sum();
    let slope = late.iter().map(|look| (look.minute - x) * (look.resident - y)).sum::<f64>() / spread;
    let rest: f64 = late.iter().map(|look| (look.resident - y - slope * (look.minute - x)).powi(2)).sum();
    let noise = (rest / (count - 2.0)).sqrt();
    let risen = slope * (late[late.len() - 1].minute - late[0].minute);
    println!(
        "RSS over the last two thirds: mean {y:.1} MiB, {:+.2} MiB an hour; {risen:+.1} MiB in all where looks stray by {noise:.1} ({})",
        slope * 60.0,
        if risen.abs() <= 2.0 * noise { "within noise" } else { "past noise" }
    );
}

fn report(arguments: &Arguments, looks: &[Look]) {
    let curve = |of: &dyn Fn(&Look) -> f64| looks.iter().map(|look| (look.minute, of(look))).collect::<Vec<_>>();
    let across = "minutes".to_owned();
    let memory = Panel {
        title: "resident memory".to_owned(),
        across: across.clone(),
        up: "MiB".to_owned(),
        curves: vec![("RSS".to_owned(), curve(&|look| look.resident))],
        ..Panel::default()
    };
    let latency = Panel {
        title: "short requests beside hostile and RAG".to_owned(),
        across,
        up: "ms from the intended send time".to_owned(),
        log: true,
        curves: vec![("p50".to_owned(), curve(&|look| look.p50)), ("p99".to_owned(), curve(&|look| look.p99))],
        ..Panel::default()
    };
    plot::write(&arguments.out.join("soak.svg"), &[memory, latency]);
}

/// Whether an end was asked for by Ctrl-C: then what was seen by then is told.
fn ctrl_c() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        told.store(true, Relaxed);
    });
    asked
}
