//! The command line: arguments, configuration, telemetry, model, server.

mod cli;
mod panics;
mod silence;

use std::process::ExitCode;

fn main() -> ExitCode {
    panics::say_place_alone();
    silence::onnx_runtime();
    cli::start()
}
