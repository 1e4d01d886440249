//! `whoasked completions SHELL`: what a shell needs to complete the arguments.

use std::io::{self, Write};

use anyhow::Context;
use clap::CommandFactory;

use super::Outcome;
use super::args::{Args, CompletionsArgs};
use super::output::is_closed_pipe;

pub fn run(args: &CompletionsArgs) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "whoasked", &mut script);
    let mut out = io::stdout().lock();
    match out.write_all(&script).and_then(|()| out.flush()) {
        Err(error) if !is_closed_pipe(&error) => Err(error).context("cannot write the script"),
        _ => Ok(Outcome::Clean),
    }
}
