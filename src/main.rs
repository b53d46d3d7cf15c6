//! The command line: arguments, configuration, telemetry, model, server.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // The default hook prints the panic's message, and a message may quote the text that was at hand. The place says
    // enough to find the fault; whoever catches the panic counts it and passes the original on.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of the program: please report this place");
    }));
    cli::run(cli::Arguments::parse())
}
