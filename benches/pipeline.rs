//! Where the time of condensing goes, by kind and length of text: `cargo bench --bench pipeline`.
//!
//! Milliseconds per 1,000 tokens of each step, at about 1,000, 10,000 and 100,000 tokens; a row that does not grow to
//! the right is linear. Each row begins with nothing remembered; `again` is the same text once more. Machines are
//! noisy: read the ratios.

#![allow(clippy::print_stdout, reason = "printing a table is what this program is for")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run is to stop")]

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use headroom::{
    compress::{Encoding, Policy, Query, RewriteError, Rewriter, Shorter, compress},
    model::{Model, Options, bundled},
};

fn main() {
    let mut model = bundled().map(|folder| Model::load(&folder, &Options::default()).unwrap());
    if let Some(model) = &mut model {
        model.warm().unwrap();
    }
    Encoding::O200k.warm();
    let mut tenant = 0;
    let head = ["ratio", "tokens", "total", "meanings", "shorten", "rest", "again"];
    println!("{:<32}{}", "ms per 1,000 tokens", row(&head.map(str::to_owned)));
    let question = "Which branch paid the invoice of 7 March after the second reminder?";
    for ratio in ["2", "5"] {
        for (name, make, question, with_model) in [
            ("prose, question", prose as fn(usize) -> String, question, true),
            ("prose, question, no model", prose, question, false),
            ("prose", prose, "", true),
            ("prose, no model", prose, "", false),
            ("JSON", json, question, true),
            ("log", log, question, true),
        ] {
            for size in [1_000, 10_000, 100_000] {
                let mut rewriter = model.as_mut().filter(|_| with_model);
                if let Some(model) = &mut rewriter {
                    // What was read for one tenant serves no other: each row begins cold.
                    tenant += 1;
                    model.tenant([tenant; 16]);
                }
                measure(name, &make(size * 4), question, ratio, rewriter);
            }
        }
    }
}

fn measure(name: &str, text: &str, question: &str, ratio: &str, model: Option<&mut Model>) {
    let policy = Policy { ratio: ratio.parse().unwrap(), ..Policy::default() };
    let query = Query { preceding: question.to_owned(), ..Query::default() };
    let mut timed = model.map(|model| Timed { model, spent: [Duration::ZERO; 2] });
    let mut once = || {
        let began = Instant::now();
        let rewriter = timed.as_mut().map(|timed| timed as &mut dyn Rewriter);
        let found = compress(text, &query, &policy, &Encoding::O200k, rewriter).unwrap();
        let spent = timed.as_mut().map(|timed| std::mem::take(&mut timed.spent)).unwrap_or_default();
        (began.elapsed(), spent, found.tokens_before)
    };
    let (total, spent, tokens) = once();
    let (again, ..) = once();
    let per = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e6 / tokens as f64);
    let [meanings, shorten] = spent;
    let rest = total.saturating_sub(meanings + shorten);
    let cells = [total, meanings, shorten, rest, again].map(per);
    let cells: Vec<String> = [ratio.to_owned(), tokens.to_string()].into_iter().chain(cells).collect();
    println!("{name:<32}{}", row(&cells));
}

fn row(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("{cell:>10}")).collect()
}

/// The model with a stopwatch on each kind of call.
struct Timed<'a> {
    model: &'a mut Model,
    spent: [Duration; 2],
}

impl Timed<'_> {
    fn time<T>(&mut self, which: usize, call: impl FnOnce(&mut Model) -> T) -> T {
        let began = Instant::now();
        let answer = call(self.model);
        if let Some(spent) = self.spent.get_mut(which) {
            *spent += began.elapsed();
        }
        answer
    }
}

impl Rewriter for Timed<'_> {
    fn fingerprint(&self) -> &str {
        self.model.fingerprint()
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        self.time(0, |model| model.meanings(texts))
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        self.time(1, |model| model.shorten(statements))
    }
}

/// Pieces until there are so many bytes; the number makes each another, and each row of the table has its own.
fn filled(bytes: usize, piece: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    let mut number = bytes;
    while text.len() < bytes {
        piece(&mut text, number);
        number += 1;
    }
    text
}

fn prose(bytes: usize) -> String {
    const TRADES: [&str; 7] = ["baker", "joiner", "printer", "glazier", "mason", "tailor", "cooper"];
    const DEEDS: [&str; 5] = [
        "asked for a longer term because of the floods",
        "paid in full after the second reminder",
        "sent the goods back, which were damaged on the way",
        "disputed the price and was granted a discount of a tenth",
        "closed the branch in the old harbour and moved inland",
    ];
    filled(bytes, |text, number| {
        let trade = TRADES.get(number % 7).unwrap();
        let deed = DEEDS.get(number / 7 % 5).unwrap();
        let day = number % 28 + 1;
        let _ = write!(text, "On {day} March the {trade} of branch {number} {deed}. ");
        text.push_str(if number % 6 == 0 { "\n\n" } else { "" });
    })
}

fn json(bytes: usize) -> String {
    let rows = filled(bytes, |text, number| {
        let _ =
            writeln!(text, "{{\"id\": {number}, \"branch\": \"b{}\", \"paid\": {}}},", number % 9, number * 37 % 1000);
    });
    format!("[{}]", rows.trim_end().trim_end_matches(','))
}

fn log(bytes: usize) -> String {
    filled(bytes, |text, number| {
        let second = number % 60;
        let _ = writeln!(text, "2024-03-07T10:00:{second:02}Z INFO worker-{} took job {number}", number % 4);
    })
}
