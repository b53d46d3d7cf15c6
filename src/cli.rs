//! What a person types, and what becomes of it. One file a command.

mod account;
mod audit;
mod completions;
mod compress;
mod config;
mod demo;
mod doctor;
mod endpoint;
mod exchange;
mod explain;
mod fidelity;
mod figures;
mod health;
mod man;
mod mcp;
mod mistyped;
mod model;
mod page;
mod pinned;
mod profile;
mod reload;
mod report;
mod restore;
mod running;
mod serve;
mod settings;
mod wrap;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use headroom::redact;

/// A transparent, OpenAI-compatible proxy that condenses long messages before they are forwarded.
///
/// Without a command, `headroom` serves. Point an application at it with
/// `export OPENAI_BASE_URL=http://127.0.0.1:8787/v1`.
#[derive(Debug, Parser)]
#[command(name = "headroom", version, args_conflicts_with_subcommands = true, after_help = AFTER, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the proxy (the default).
    #[command(after_help = serve::AFTER)]
    Serve(serve::Arguments),
    /// Runs a program (codex, claude, opencode, aider, …) whose requests go through a proxy; nothing else changes.
    #[command(after_help = wrap::AFTER)]
    Wrap(wrap::Arguments),
    /// Says whether requests come through, on which surface, whether they can be condensed, and if not, why.
    #[command(after_help = doctor::AFTER)]
    Doctor(doctor::Arguments),
    /// Condenses a text and prints it, to look before trusting.
    #[command(after_help = compress::AFTER)]
    Compress(compress::Arguments),
    /// Says what was done with a request that went through a running proxy, and why.
    #[command(after_help = explain::AFTER)]
    Explain(explain::Arguments),
    /// Prints the link to the page of a running proxy: savings, requests, a text to try.
    #[command(after_help = page::AFTER)]
    Page(page::Arguments),
    /// Gives back the original text of such a request, bit for bit.
    #[command(after_help = restore::AFTER)]
    Restore(restore::Arguments),
    /// Lets a model read what was left out: an MCP server on standard input and output, for an agent to start.
    #[command(after_help = mcp::AFTER)]
    Mcp(mcp::Arguments),
    /// Says what condensing would save: on recorded requests, or on what a proxy in audit mode has seen.
    #[command(after_help = audit::AFTER)]
    Audit(audit::Arguments),
    /// Says what requests cost, what was saved, and whether condensed conversations do as well as others.
    #[command(after_help = report::AFTER)]
    Report(report::Arguments),
    /// Checks or shows the configuration.
    Config(config::Arguments),
    /// Prints the rules of a profile as TOML, to read, paste and change.
    Profile(profile::Arguments),
    /// Says which model is used, or how to use another.
    Model(model::Arguments),
    /// Sends a long document through the real proxy to an upstream of its own, and shows what arrives there.
    #[command(after_help = demo::AFTER)]
    Demo(demo::Arguments),
    /// Measures the model that checks what was condensed.
    Fidelity(fidelity::Arguments),
    /// Asks a running proxy whether it is ready; for containers.
    Health(health::Arguments),
    /// Prints what a shell needs to complete commands and flags.
    #[command(after_help = completions::AFTER)]
    Completions(completions::Arguments),
    /// Prints the manual page, or writes all of them into a folder.
    #[command(after_help = man::AFTER)]
    Man(man::Arguments),
}

/// Why a command failed; decides the exit status.
#[derive(Debug)]
enum Failure {
    /// The arguments or the configuration have to be corrected.
    Setup(anyhow::Error),
    /// It went wrong on the way.
    Work(anyhow::Error),
    /// All is said; only the exit status is left to pass on.
    Status(u8),
}

impl Failure {
    fn setup(error: impl Into<anyhow::Error>) -> Self {
        Self::Setup(error.into())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Work(error.into())
    }
}

/// Reads the command line and runs its command to the end.
pub(crate) fn start() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        Err(error) => mistyped::told(error),
    }
}

fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        None => serve::run(&arguments.serve),
        Some(Command::Serve(arguments)) => serve::run(&arguments),
        Some(Command::Wrap(arguments)) => wrap::run(&arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&arguments),
        Some(Command::Compress(arguments)) => compress::run(&arguments),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::Page(arguments)) => page::run(&arguments),
        Some(Command::Restore(arguments)) => restore::run(&arguments),
        Some(Command::Mcp(arguments)) => mcp::run(&arguments),
        Some(Command::Audit(arguments)) => audit::run(&arguments),
        Some(Command::Report(arguments)) => report::run(&arguments),
        Some(Command::Config(arguments)) => config::run(&arguments),
        Some(Command::Profile(arguments)) => profile::run(&arguments),
        Some(Command::Model(arguments)) => model::run(&arguments),
        Some(Command::Demo(arguments)) => demo::run(&arguments),
        Some(Command::Fidelity(arguments)) => fidelity::run(&arguments),
        Some(Command::Health(arguments)) => health::run(&arguments),
        Some(Command::Completions(arguments)) => completions::run(&arguments),
        Some(Command::Man(arguments)) => man::run(&arguments),
    };
    let (status, error) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Status(status)) => return ExitCode::from(status),
        Err(Failure::Setup(error)) => (2, error),
        Err(Failure::Work(error)) if is_broken_pipe(&error) => return ExitCode::SUCCESS,
        Err(Failure::Work(error)) => (1, error),
    };
    let causes: Vec<String> = error.chain().skip(1).map(|cause| format!("\n  cause:  {cause}")).collect();
    let told = redact::text(&format!("error: {error}{}", causes.concat()));
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{told}");
    ExitCode::from(status)
}

/// `headroom … | head` has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

const AFTER: &str = "\
Examples:
  headroom                                            serve on 127.0.0.1:8787, forward to api.openai.com
  headroom --upstream http://127.0.0.1:11434 --ratio 5
  headroom wrap claude                                one program's requests alone
  headroom doctor                                     do my requests come through?
  headroom compress report.txt --ratio 5 --explain    look at what would be forwarded
  headroom demo                                       the whole way on one page, without a key

Exit status: 0 done, 1 failed, 2 the arguments or the configuration have to be corrected.";
