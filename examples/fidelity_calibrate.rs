//! Prints what a checking model notices of planted corruptions, and how often it is wrong about faithful rewrites.
//!
//! `cargo run --example fidelity_calibrate -- BASE_URL MODEL EACH TEXT…`: each TEXT is a file with one unit a line; up to
//! EACH of them are tried for every kind.

#![allow(clippy::print_stdout, reason = "a table for people to read")]

use std::fs;

use headroom::fidelity::{Checker, Config, Mode, calibrate};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: fidelity_calibrate BASE_URL MODEL EACH TEXT…";
    let (base_url, model) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let each = arguments.next().ok_or(usage)?.parse()?;
    let texts = arguments.map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
    let units: Vec<String> = texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    let config = Config { mode: Mode::Inline, base_url, model, timeout_ms: 120_000, ..Config::default() };
    let checker = Checker::new(&config, None)?;
    let found = calibrate(&checker, &units, each, |done| eprint!("\r{done} checked")).await;
    eprintln!();
    println!("{found}");
    Ok(())
}
