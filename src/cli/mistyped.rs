//! A command line that cannot be understood. What was typed is not repeated: a key is as easily put in the wrong place as
//! anything else, and what is printed ends up in logs.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Prints the error without values, or the help that was asked for; the exit status.
pub(super) fn told(error: clap::Error) -> ExitCode {
    let status = if error.use_stderr() { 2 } else { 0 };
    // Nobody is left to tell when the output is closed.
    let _ = without_values(error).print();
    ExitCode::from(status)
}

fn without_values(mut error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return error;
        }
        // Where a value was refused the argument is one of ours, as it is declared.
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::TooManyValues => {
            for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
                let typed = match error.get(kind) {
                    Some(ContextValue::String(typed)) => typed.clone(),
                    _ => continue,
                };
                error.insert(kind, ContextValue::String(shown(&typed).to_owned()));
            }
            // It repeats the argument.
            error.remove(ContextKind::Suggested);
        }
        _ => {}
    }
    if error.get(ContextKind::InvalidValue).is_some() {
        error.insert(ContextKind::InvalidValue, ContextValue::String(HIDDEN.to_owned()));
    }
    error
}

/// A flag or a command is a few small letters; anything else may be a value.
fn shown(typed: &str) -> &str {
    let name = typed.trim_start_matches('-');
    let plain = name.len() <= LONGEST && name.chars().all(|char| char.is_ascii_lowercase() || char == '-');
    if plain && typed.starts_with("--") { typed } else { HIDDEN }
}

const HIDDEN: &str = "…";

/// Letters of a flag at most.
const LONGEST: usize = 24;
