//! `whoasked man [DIR]`: the manual pages, made from what `--help` says.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Outcome;
use super::args::{Args, ManualArgs};
use super::output::is_closed_pipe;

pub fn run(args: &ManualArgs) -> anyhow::Result<Outcome> {
    let mut command = Args::command();
    command.build();
    match &args.directory {
        Some(directory) => {
            fs::create_dir_all(directory)
                .with_context(|| format!("{} cannot be made", directory.display()))?;
            write_pages(&command, directory)?;
        }
        None => {
            let page = page(&command).context("the manual page cannot be made")?;
            let mut out = io::stdout().lock();
            match out.write_all(&page).and_then(|()| out.flush()) {
                Err(error) if !is_closed_pipe(&error) => {
                    return Err(error).context("cannot write the manual page");
                }
                _ => {}
            }
        }
    }
    Ok(Outcome::Clean)
}

/// A page for a command and each below it that is not hidden: `whoasked.1`, `whoasked-read.1`.
fn write_pages(command: &Command, directory: &Path) -> anyhow::Result<()> {
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            write_pages(below, directory)?;
        }
    }
    // A subcommand that was built knows its whole name, with hyphens.
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = directory.join(format!("{name}.1"));
    let page = page(command).context("the manual page cannot be made")?;
    fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
