//! What our own work costs a request, beside a yardstick of the same run: `cargo bench --bench throughput`.
//!
//! Machines are noisy: read the ratios.

#![allow(clippy::print_stdout, reason = "printing a table is what this program is for")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run is to stop")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use headroom::{
    compress::{Encoding, Policy, Query},
    engine::{Backend, Config, Engine, Job, Tenant},
    wire::{Surface, locate, splice},
};
use serde_json::{Value, json, value::RawValue};

fn main() {
    wire_format();
    cached_path();
}

/// Locating and splicing, against reading the same bytes without keeping anything and against a full parse.
fn wire_format() {
    println!("{:<28}{:>9}{:>12}{:>12}{:>12}{:>12}", "body", "kB", "scan ms", "parse ms", "locate ms", "splice ms");
    for (name, messages, length) in [
        ("20 long messages", 20, 50_000),
        ("1000 messages", 1000, 1000),
        ("20000 short messages", 20_000, 30),
        ("40000 short messages", 40_000, 30),
    ] {
        let body = conversation(messages, length);
        let located = locate(Surface::ChatCompletions, &body).unwrap();
        let edits: Vec<_> = located.slots.iter().map(|slot| (slot.literal.clone(), "A shorter text.")).collect();
        let scan = time(|| serde_json::from_slice::<&RawValue>(&body).unwrap().get().len());
        let parse = time(|| serde_json::from_slice::<Value>(&body).unwrap());
        let locating = time(|| locate(Surface::ChatCompletions, &body).unwrap());
        let splicing = time(|| splice(&body, &edits));
        println!(
            "{name:<28}{:>9}{:>12.2}{:>12.2}{:>12.2}{:>12.2}",
            body.len() / 1000,
            millis(scan),
            millis(parse),
            millis(locating),
            millis(splicing)
        );
    }
}

/// A job that is known, against one that has to be computed by selection alone.
fn cached_path() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let config = Config { time_budget_ms: 0, ..Config::default() };
    let engine = Engine::start(&config, None, Backend::None).unwrap();
    runtime.block_on(engine.loaded());
    println!("\n{:<28}{:>9}{:>12}{:>12}", "text", "kB", "first ms", "again ms");
    for sentences in [20, 200, 2000] {
        let text: Arc<str> = (0..sentences).map(sentence).collect::<String>().into();
        let policy = Policy { ratio: "5".parse().unwrap(), ..Policy::default() };
        let query = Query { preceding: "Who paid the invoice of 7 March?".to_owned(), ..Query::default() };
        let job =
            Job { text: Arc::clone(&text).into(), query, policy, encoding: Encoding::O200k, tenant: Tenant::default() };
        let began = Instant::now();
        runtime.block_on(engine.condense(job.clone(), None));
        let first = began.elapsed();
        let again = time(|| runtime.block_on(engine.condense(job.clone(), None)));
        println!(
            "{:<28}{:>9}{:>12.2}{:>12.4}",
            format!("{sentences} sentences"),
            text.len() / 1000,
            millis(first),
            millis(again)
        );
    }
}

fn sentence(number: usize) -> String {
    format!(
        "Invoice {number} over {} EUR was sent on {} March and paid by branch {} after the second reminder. ",
        number * 37 % 1000,
        number % 28 + 1,
        number % 7
    )
}

/// A conversation of users and tools.
fn conversation(messages: usize, length: usize) -> Vec<u8> {
    let text = |number: usize| {
        (number..).map(sentence).scan(0, |sum, sentence| {
            *sum += sentence.len();
            Some((*sum, sentence))
        })
    };
    let texts = (0..messages).map(|number| {
        let mut content: String =
            text(number).take_while(|(sum, _)| *sum < length + 100).map(|(_, text)| text).collect();
        content.truncate(length);
        let call =
            json!({"id": format!("call_{number}"), "function": {"name": "ledger", "arguments": "{\"year\": 2024}"}});
        match number % 3 {
            0 => json!({"role": "user", "content": content}),
            1 => json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            _ => json!({"role": "tool", "tool_call_id": format!("call_{}", number - 1), "content": content}),
        }
    });
    json!({"model": "gpt-4o", "messages": texts.collect::<Vec<_>>()}).to_string().into_bytes()
}

/// The median of some runs.
fn time<T>(work: impl Fn() -> T) -> Duration {
    let mut runs: Vec<Duration> = (0..15)
        .map(|_| {
            let began = Instant::now();
            black_box(work());
            began.elapsed()
        })
        .collect();
    runs.sort_unstable();
    runs.get(runs.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
