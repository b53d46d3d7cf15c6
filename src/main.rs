//! The command line: arguments, configuration, telemetry, model, server.

mod cli;
mod silence;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    silence::onnx_runtime();
    cli::run(cli::Arguments::parse())
}
