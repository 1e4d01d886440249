//! `whoasked`: runs the command line and turns its outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match whoasked::cli::run() {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            whoasked::cli::complain(&error);
            ExitCode::from(whoasked::cli::Outcome::Failed.exit_code())
        }
    }
}
