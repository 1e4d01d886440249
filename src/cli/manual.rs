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

/// When this version was released, as the head of each page has it: the day of building would make each build another.
const RELEASED: &str = "2026-12-01";

pub fn run(args: &ManualArgs) -> anyhow::Result<Outcome> {
    let mut command = Args::command();
    command.build();
    match &args.directory {
        Some(directory) => {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
            write_pages(&command, directory)?;
        }
        None => {
            let page = page(&command).context("cannot create the manual page")?;
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
    let page = page(command).context("cannot create the manual page")?;
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

/// A page; what stands below the flags in `--help` becomes sections of its own.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let source = concat!("whoasked ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone().after_help(""));
    let man = man.date(RELEASED).source(source).manual("User Commands");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    for paragraph in after.split("\n\n") {
        if let Some(lines) = paragraph.strip_prefix("Examples:\n") {
            write!(page, ".SH EXAMPLES\n.nf\n{}\n.fi\n", escaped(lines))?;
        } else if let Some(text) = paragraph.strip_prefix("Exit status: ") {
            write!(page, ".SH \"EXIT STATUS\"\n{}\n", escaped(text))?;
        } else if !paragraph.is_empty() {
            write!(page, ".SH NOTES\n{}\n", escaped(paragraph))?;
        }
    }
    Ok(page)
}

/// Text as roff takes it, line by line.
fn escaped(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line,
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
