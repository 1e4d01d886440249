//! The command line: arguments as typed, settings as validated, one file a subcommand.

mod alerts;
mod analysis;
mod args;
mod completions;
mod config;
mod explain;
mod indicators;
mod live;
mod manual;
mod messages;
mod output;
mod outputs;
mod place;
mod progress;
mod read;
mod settings;
mod stderr;
mod usage;

use std::panic::{UnwindSafe, catch_unwind};

use anyhow::bail;
use clap::{CommandFactory, FromArgMatches};

use stderr::say;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was flagged.
    Clean,
    /// Something was flagged.
    Flagged,
    /// The input or the usage was at fault; what could be used was.
    Failed,
}

impl Outcome {
    /// 0, 1 or 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Clean => 0,
            Outcome::Flagged => 1,
            Outcome::Failed => 2,
        }
    }
}

/// Runs what the command line asks for.
///
/// # Errors
/// When the settings make no sense, no input can be used, or the output cannot be written.
pub fn run() -> anyhow::Result<Outcome> {
    caught(run_asked)
}

/// What the work came to. A panic is an error as others are: whoever runs it gets the exit code that is documented.
fn caught(work: impl FnOnce() -> anyhow::Result<Outcome> + UnwindSafe) -> anyhow::Result<Outcome> {
    catch_unwind(work).unwrap_or_else(|_| {
        bail!(
            "ended by a defect of whoasked, without an answer: please report it, with what stands above"
        )
    })
}

fn run_asked() -> anyhow::Result<Outcome> {
    let command = args::Args::command();
    let arguments = config::arguments(&command, std::env::args_os().collect())?;
    let parsed = command.clone().args_override_self(true).try_get_matches_from(&arguments.all);
    let args = parsed.and_then(|mut matches| args::Args::from_arg_matches_mut(&mut matches));
    let args = args.unwrap_or_else(|error| {
        if let Some(origin) = arguments.origin(&error) {
            say(&format!("whoasked: {origin}:"));
        }
        match usage::instead(&error, &command, &arguments.all) {
            Some(words) => {
                say(&format!("whoasked: {words}"));
                std::process::exit(Outcome::Failed.exit_code().into())
            }
            None => error.exit(),
        }
    });
    match args.command {
        args::Command::Read(args) => read::run(settings::Read::new(args)?),
        args::Command::Live(args) => live::run(settings::Live::new(args)?),
        args::Command::Explain(args) => explain::run(settings::Explain::new(args)?),
        args::Command::Messages(args) => messages::run(settings::Messages::new(args)?),
        args::Command::Completions(args) => completions::run(&args),
        args::Command::Man(args) => manual::run(&args),
        args::Command::Indicators(args) => match args.command {
            args::IndicatorsCommand::Check(args) => indicators::check(&settings::Check::new(args)?),
        },
    }
}

/// Says on stderr what went wrong.
pub fn complain(error: &anyhow::Error) {
    say(&format!("whoasked: {error:#}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_as_others_are() {
        let error = caught(|| panic!("the test wants this panic")).unwrap_err();
        assert!(error.to_string().contains("a defect of whoasked"));
        assert_eq!(caught(|| Ok(Outcome::Flagged)).unwrap(), Outcome::Flagged);
    }
}
