//! `headroom model`: which one is used, and how to use another.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::Instant,
};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use headroom::{config::ModelConfig, model::Info};

use super::{
    Failure,
    settings::{NoModel, Settings, in_words, load_model},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Loads the configured model and says what it is
    Info {
        #[command(flatten)]
        settings: Settings,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Tries a model and prints the lines of configuration that make it the one in use
    Use {
        /// Folder of the model: our own export, or what optimum writes of any T5
        folder: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match &arguments.action {
        Action::Info { settings, json } => {
            let config = settings.load(Vec::new())?.config.model;
            let start = Instant::now();
            let Some(model) = load_model(&config).map_err(Failure::setup)? else {
                return Err(Failure::setup(anyhow!("no model is in use: `model.enabled` is false")));
            };
            let took = start.elapsed().as_millis();
            if *json {
                serde_json::to_writer_pretty(&mut out, model.info())?;
                writeln!(out)?;
            } else {
                print(&mut out, model.info())?;
                writeln!(out, "loaded in    {took} ms, warm")?;
            }
        }
        Action::Use { folder } => {
            let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            let config = ModelConfig { path: Some(folder.clone()), ..ModelConfig::default() };
            let Some(model) = load_model(&config).map_err(Failure::setup)? else {
                return Err(Failure::setup(NoModel::NotBundled));
            };
            writeln!(out, "# {} can be used. In config.toml:", in_words(model.info()))?;
            writeln!(out, "[model]\npath = {}", serde_json::to_string(&folder)?)?;
        }
    }
    Ok(())
}

fn print(out: &mut impl io::Write, info: &Info) -> io::Result<()> {
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "not said".to_owned());
    writeln!(out, "model        {} {}", info.name, info.version.as_deref().unwrap_or(""))?;
    writeln!(out, "fingerprint  {}", info.fingerprint)?;
    writeln!(out, "format       {}", info.format)?;
    writeln!(out, "folder       {}", info.folder.display())?;
    if let Some(parameters) = info.parameters {
        writeln!(out, "parameters   {parameters}")?;
    }
    writeln!(out, "vocabulary   {} tokens", info.vocabulary)?;
    writeln!(out, "window       {} tokens", info.window)?;
    writeln!(out, "licence      {}", said(&info.licence))?;
    writeln!(out, "trained on   {}", said(&info.trained_on))?;
    writeln!(out, "recipe       {}", said(&info.recipe))?;
    if let Some(card) = &info.card {
        writeln!(out, "card         {}", card.display())?;
    }
    writeln!(out, "relevance    {}", info.sentence_encoder.as_deref().unwrap_or("this model's own states"))?;
    writeln!(out, "threads      {}", info.threads)?;
    let checked =
        if info.library_checked { "checksum compared" } else { "no checksum to compare with: ORT_DYLIB_SHA256" };
    writeln!(out, "runtime      {} ({}, {checked})", info.runtime, info.library.display())?;
    for file in &info.files {
        let checked = if file.verified { "" } else { ", no checksum to compare with" };
        writeln!(out, "file         {} ({} bytes, sha256 {}{checked})", file.name, file.bytes, file.sha256)?;
    }
    Ok(())
}
