//! What to write instead of a flag that there is not: people expect flags by what other programs have.
//!
//! clap names the flag that is spelt most alike, which is seldom the one that was meant.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Format;

/// What writes a page.
pub const PAGE_FLAG: &str = "--report FILE.html";

/// What to say in the place of clap's words, if what was meant is known.
pub fn instead(error: &clap::Error, typed: &[OsString]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let command = typed.iter().skip(1).filter_map(|word| word.to_str());
    let command = command.into_iter().find(|word| !word.starts_with('-'))?;
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

/// A flag that is called as a form of the answer is.
fn unknown_flag(command: &str, flag: &str) -> Option<String> {
    let word = flag.strip_prefix("--")?.split('=').next()?;
    let form = if word.eq_ignore_ascii_case("json") { "jsonl" } else { word };
    match command {
        "messages" if form == "jsonl" => {
            Some(format!("there is no flag {flag}: messages are printed as JSON lines anyway"))
        }
        "read" | "explain" | "live" if is_page(word) => {
            Some(format!("there is no flag {flag}: {}", page(command)))
        }
        "read" | "explain" | "live" => Format::from_str(form, true).ok().map(|_| {
            format!(
                "there is no flag {flag}: --format {form} writes this form on stdout, -o {form}=FILE to a file beside \
                 the text"
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
            format!("a page is of whole captures: {PAGE_FLAG} of `read` or `explain` writes one")
        }
        _ => format!("a page of HTML is written to a file beside the answer, by {PAGE_FLAG}"),
    }
}
