//! Why a file of alerts cannot be used at all.

use std::io;

use crate::alert::load::format::AlertFormat;
use crate::alert::load::names;
use crate::alert::load::notice::{Notice, shown};
use crate::alert::load::row::threat_text;
use crate::alert::load::sophos::mail;
use crate::alert::load::text::file_text::TEXT_LEN_MAX;
use crate::number::{count, list};

/// How many names are mentioned that stand in a text that is not understood.
const NAMES_MAX: usize = 3;

/// Why a file of alerts cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be opened or read.
    #[error("cannot read the alerts in {file}")]
    Read {
        /// Its path.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty; expected firewall alerts")]
    Empty(String),
    /// It is a packet capture: the arguments were likely mixed up.
    #[error(
        "{0} is a packet capture; --alerts takes a file of firewall alerts, and captures come after it"
    )]
    Capture(String),
    /// It holds NUL octets, or is a document.
    #[error(
        "{0} is not text; expected firewall alerts as text; if it is a spreadsheet or a document, save it as CSV \
         and try again"
    )]
    Binary(String),
    /// It is longer than is read.
    #[error("{0} is longer than {max} MiB; keep only the time that the capture covers", max = TEXT_LEN_MAX >> 20)]
    TooLong(String),
    /// It is a mail about an alert.
    #[error(
        "{0} is a Sophos notification mail: it names the threat and the host, but not the destination, so there is \
         nothing to look for. The destination is in the firewall's WebAdmin, under Logging & Reporting, Network \
         Protection, Advanced Threat Protection: save the rows of that table, or the log of Advanced Threat \
         Protection, in a file for --alerts"
    )]
    Mail(String),
    /// It holds bare names, more than a person asks about.
    #[error(
        "{0} holds only names or addresses, and many of them: if it is a list of indicators, give it to `read` or \
         `live` with --indicators; if each is an alert, use --alerts-format names"
    )]
    List(String),
    /// It is a table of indicators.
    #[error(
        "{0} is a list of indicators, by its header, not alerts: give it to `read` or `live` with --indicators"
    )]
    Feed(String),
    /// It is of no form that is known.
    #[error(
        "alert format of {file} not recognised (known: {}); its first line is \"{first}\". {}Name the format with \
         --alerts-format{}, or make it a CSV file with the columns time, host, destination and threat. Give a list \
         of indicators to `read` or `live` with --indicators",
        AlertFormat::list(),
        by_name(names),
        if *has_names { " (for only names or addresses, one per line, use --alerts-format names)" } else { "" }
    )]
    Unknown {
        /// Its path.
        file: String,
        /// Its first line, escaped and shortened.
        first: String,
        /// Names that stand in it, a few of them.
        names: Vec<String>,
        /// Whether some line is a bare name.
        has_names: bool,
    },
    /// No row of it could be used.
    #[error(
        "no alert in {file}, read as {format}: {}; expected rows such as {}",
        without(*.skipped, *.others, .first),
        format.example()
    )]
    Nothing {
        /// Its path.
        file: String,
        /// The form it was read in.
        format: AlertFormat,
        /// How many rows could not be understood.
        skipped: u64,
        /// How many are no alerts, and what they are.
        others: Option<(u64, &'static str)>,
        /// The first that could not be understood.
        first: Option<Box<Notice>>,
    },
}

impl LoadError {
    /// Of a text that has no form that is known.
    pub(crate) fn unknown(file: &str, text: &str) -> LoadError {
        if text.starts_with("%PDF-") || text.starts_with("{\\rtf") {
            return LoadError::Binary(file.to_owned());
        }
        if mail::is_notification(text) {
            return LoadError::Mail(file.to_owned());
        }
        if names::are_many(text) {
            return LoadError::List(file.to_owned());
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let names = threat_text::names_within(text, NAMES_MAX);
        let has_names = names::has_any(text);
        LoadError::Unknown { file: file.to_owned(), first: shown(first), names, has_names }
    }
}

/// What can be asked of a text that nobody understands.
fn by_name(names: &[String]) -> String {
    match names.first() {
        Some(first) => format!(
            "It mentions {}; if that was flagged, use `whoasked explain {first} CAPTURE`. ",
            list(names)
        ),
        None => String::new(),
    }
}

fn without(skipped: u64, others: Option<(u64, &str)>, first: &Option<Box<Notice>>) -> String {
    let mut parts = Vec::new();
    if let Some((others, what)) = others {
        parts.push(format!("{} ignored ({what})", count(others, "row was", "rows were")));
    }
    match first {
        Some(first) => parts.push(format!(
            "{} not understood, the first in line {}: \"{}\": {}",
            count(skipped, "row was", "rows were"),
            first.line.unwrap_or_default(),
            first.text,
            first.words,
        )),
        None if parts.is_empty() => parts.push("it has no rows".to_owned()),
        None => {}
    }
    parts.join("; ")
}
