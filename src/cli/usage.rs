//! What to write instead of a flag that there is not: people expect flags by what other programs have.
//!
//! clap names the flag that is spelt most alike, which is seldom the one that was meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, ValueEnum};

use super::args::Format;
use super::settings::list_for_interface;
use crate::capture::live::is_interface;

/// What writes a page.
pub const PAGE_FLAG: &str = "--report FILE.html";

/// What to say in the place of clap's words, if what was meant is known.
pub fn instead(error: &clap::Error, all: &Command, typed: &[OsString]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let command = typed.iter().skip(1).filter_map(|word| word.to_str());
    let command = command.into_iter().find(|word| !word.starts_with('-'))?;
    if command == "live" && error.kind() == ErrorKind::MissingRequiredArgument {
        return interfaces(all, typed).iter().find_map(|name| list_for_interface(name));
    }
    let flag = text(ContextKind::InvalidArg)?;
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_flag(command, flag),
        ErrorKind::InvalidValue if flag.starts_with("--format") => {
            is_page(text(ContextKind::InvalidValue)?)
                .then(|| format!("--format: {}", page(command)))
        }
        _ => None,
    }
}

/// What was given as interfaces, though something else is missing.
fn interfaces(all: &Command, typed: &[OsString]) -> Vec<String> {
    let lenient = all.clone().ignore_errors(true).try_get_matches_from(typed);
    let given = lenient.ok().and_then(|matches| {
        let names = matches.subcommand_matches("live")?.get_many::<String>("interface")?;
        Some(names.cloned().collect())
    });
    given.unwrap_or_default()
}

/// A flag that is called as a form of the answer is.
fn unknown_flag(command: &str, flag: &str) -> Option<String> {
    match (command, flag) {
        ("explain", "-i" | "--indicators") => {
            return Some(format!(
                "`explain` has no option {flag}: it takes a name or an address, or --alerts FILE; for a list, use \
                 `whoasked read CAPTURE --indicators LIST`"
            ));
        }
        ("live", name) if is_interface(name) => {
            return Some(format!("give the interface with -i: `whoasked live -i {name} ...`"));
        }
        _ => {}
    }
    let word = flag.strip_prefix("--")?.split('=').next()?;
    let form = if word.eq_ignore_ascii_case("json") { "jsonl" } else { word };
    match command {
        "messages" if form == "jsonl" => {
            Some(format!("there is no option {flag}: messages are always printed as JSON lines"))
        }
        "read" | "explain" | "live" if is_page(word) => {
            Some(format!("there is no option {flag}: {}", page(command)))
        }
        "read" | "explain" | "live" => Format::from_str(form, true).ok().map(|_| {
            format!(
                "there is no option {flag}: --format {form} writes this format on stdout, -o {form}=FILE writes it \
                 to a file beside the text"
            )
        }),
        _ => None,
    }
}

/// Whether a form is called as pages are.
pub fn is_page(word: &str) -> bool {
    ["html", "htm"].iter().any(|page| word.eq_ignore_ascii_case(page))
}

fn page(command: &str) -> String {
    match command {
        "live" => {
            format!("a page covers whole captures: `read` or `explain` writes one with {PAGE_FLAG}")
        }
        _ => format!("an HTML page is written to a file beside the answer, with {PAGE_FLAG}"),
    }
}
