//! What may go from statements whose syntax is given, for `training/`: one JSON object a line in and out.
//!
//! In: `{"text": …, "words": [[start, end, head, relation, tag, certain], …]}`, places in characters. Out:
//! `{"gone": [[start, end], …], "forms": [[text, keeps], …]}`: the optional constituents, and the statement's shorter forms
//! with the share of its worth that each keeps. The argument is how sure of a constituent the model must be, 0–1.

use std::io::{self, BufRead, Write};

use headroom::compress::{Relation, Syntax, Tag, Word, forms};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let certain = std::env::args().nth(1).and_then(|share| share.parse().ok()).unwrap_or(0.0);
    let mut out = io::BufWriter::new(io::stdout());
    for line in io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let text = row["text"].as_str().unwrap_or_default();
        let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        bytes.push(text.len());
        let words = row["words"].as_array().into_iter().flatten().filter_map(|word| {
            let place = |at: usize| usize::try_from(word[at].as_u64()?).ok();
            let byte = |at: usize| bytes.get(place(at)?).copied();
            Some(Word {
                span: byte(0)?..byte(1)?,
                head: place(2)?,
                relation: Relation::named(word[3].as_str()?),
                tag: Tag::named(word[4].as_str()?),
                certain: word[5].as_f64()? as f32,
            })
        });
        let (gone, forms) = forms(text, &Syntax { words: words.collect() }, certain);
        let place = |byte: usize| bytes.partition_point(|at| *at < byte);
        let gone: Vec<[usize; 2]> = gone.into_iter().map(|span| [place(span.start), place(span.end)]).collect();
        writeln!(out, "{}", json!({"gone": gone, "forms": forms}))?;
    }
    out.flush()
}
