//! The command line: arguments, configuration, telemetry, model, server.

mod cli;
mod panics;
mod silence;

use std::process::ExitCode;

/// Gives back what a large text took once it is done: pages that stay free for ten seconds go to the system, by a thread
/// of the allocator's own, also while nothing else happens. The system's allocator keeps them.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    panics::say_place_alone();
    silence::onnx_runtime();
    cli::start()
}
