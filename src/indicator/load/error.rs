//! What can be wrong with a list, and with one line of it.

use std::fmt;
use std::io;

use super::FILES_MAX;
use super::form::Form;
use crate::indicator::ENTRIES_MAX;

/// What is wrong or doubtful about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The list's path as given.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What stands there, escaped and shortened.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
    /// What was done about it: `skipped`, or how it was read.
    pub done: &'static str,
}

/// `flagged.txt line 3: "a..b": it has an empty label: skipped`.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { file, line, text, why, done } = self;
        if text.is_empty() {
            return write!(f, "{file}: {why}: {done}");
        }
        write!(f, "{file} line {line}: \"{text}\": {why}: {done}")
    }
}

/// Why a list cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No list was given.
    #[error("no list of indicators given")]
    NoLists,
    /// More than 65,535 were.
    #[error("{0} lists of indicators are too many")]
    TooManyLists(usize),
    /// It cannot be opened, or read to its end.
    #[error("cannot read the list {file}{}{}", after(*.lines), create(.source))]
    Read {
        /// Its path.
        file: String,
        /// How many lines had been read.
        lines: u32,
        /// What the system said.
        source: io::Error,
    },
    /// It is a packet capture: the arguments were likely mixed up.
    #[error(
        "{0} is a packet capture, not a list; give captures without an option, as in `whoasked read CAPTURE \
         --indicators LIST`"
    )]
    Capture(String),
    /// It holds NUL octets.
    #[error("{0} is binary; expected a list of names and addresses as UTF-8 or UTF-16 text")]
    Binary(String),
    /// It is a firewall's table of alerts.
    #[error(
        "{0} looks like a table of alerts, not a list; to find the clients behind them, use `whoasked explain \
         --alerts {0} CAPTURE`; to watch for their destinations from now on, `whoasked live -i IFACE --alerts {0}`"
    )]
    Alerts(String),
    /// It is JSON of another kind.
    #[error(
        "{0} is JSON, but neither a STIX bundle nor a MISP export; if it holds alerts, use \
         `whoasked explain --alerts {0} CAPTURE`"
    )]
    OtherJson(String),
    /// It is HTML or XML: likely what a server sent in the place of the list.
    #[error("{0} is a web page or XML, not a list; was it downloaded from the right address?")]
    Page(String),
    /// It holds what the form that it has, or is said to have, does not allow, so that nobody knows
    /// what else it would list.
    #[error("cannot read {file} as {form}: {why}")]
    Broken {
        /// Its path.
        file: String,
        /// The form that was found or given.
        form: Form,
        /// What is wrong.
        why: String,
    },
    /// A directory holds no file.
    #[error("no list in the directory {0} (hidden files are ignored)")]
    EmptyDirectory(String),
    /// A directory holds very many.
    #[error("the directory {0} holds more than {FILES_MAX} files; is it the right one?")]
    TooManyFiles(String),
    /// No line of it could be used.
    #[error(
        "no usable entry in {file} (read as {form}): {} read, {skipped} skipped{}",
        lines_of(*.lines),
        example(.first)
    )]
    Nothing {
        /// Its path.
        file: String,
        /// How it was read.
        form: Form,
        /// How many lines it has.
        lines: u32,
        /// How many lines, or names of a hosts line, were skipped.
        skipped: u32,
        /// The first of them.
        first: Option<Box<Warning>>,
    },
    /// The lists together are longer than can be kept.
    #[error(
        "the lists hold more than {ENTRIES_MAX} entries or 4 GiB of text; line {line} of {file} was the last"
    )]
    TooMany {
        /// The path of the list that was being read.
        file: String,
        /// The line that found no room.
        line: u32,
    },
}

fn lines_of(lines: u32) -> String {
    if lines == 1 { "1 line".into() } else { format!("{lines} lines") }
}

fn after(lines: u32) -> String {
    if lines == 0 { String::new() } else { format!(" after line {lines}") }
}

fn create(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::NotFound { " (file not found)" } else { "" }
}

fn example(first: &Option<Box<Warning>>) -> String {
    let Some(first) = first else {
        return "; expected one entry per line, such as evil.example, 203.0.113.7 or 203.0.113.0/24"
            .to_owned();
    };
    let Warning { line, text, why, .. } = first.as_ref();
    format!("; first: line {line}: \"{text}\": {why}")
}
