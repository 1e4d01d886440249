//! What the user should know of how a file was read.

use std::fmt;

/// How much of a row is shown, in characters.
const SHOWN_LEN_MAX: usize = 80;

/// Something that should be known of a file, or of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file.
    pub file: String,
    /// The line, from 1; none if it is about the whole file.
    pub line: Option<u32>,
    /// What stands there, escaped and shortened.
    pub text: String,
    /// What is the matter, and what was done.
    pub words: String,
    /// What is missing by it.
    pub unread: Option<UnreadPart>,
}

/// What alerts lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadPart {
    /// So many rows make no alerts, as they could not be read, or there were too many.
    Rows(u64),
    /// So many times could not be read.
    Times(u64),
}

impl Notice {
    pub(crate) fn file(file: &str, words: &str) -> Notice {
        let (file, words) = (file.into(), words.into());
        Notice { file, line: None, text: String::new(), words, unread: None }
    }

    /// Of several rows.
    pub(crate) fn rows(file: &str, count: u64, words: &str) -> Notice {
        Notice { unread: Some(UnreadPart::Rows(count)), ..Notice::file(file, words) }
    }

    pub(crate) fn row(file: &str, line: u32, text: &str, words: &str) -> Notice {
        Notice { line: Some(line), text: shown(text), ..Notice::rows(file, 1, words) }
    }

    /// Of times.
    pub(crate) fn times(file: &str, count: u64, words: &str) -> Notice {
        Notice { unread: Some(UnreadPart::Times(count)), ..Notice::file(file, words) }
    }

    /// How many rows make no alerts by it.
    pub fn rows_unread(&self) -> u64 {
        if let Some(UnreadPart::Rows(count)) = self.unread { count } else { 0 }
    }

    /// Whether it is about one row.
    pub fn is_of_row(&self) -> bool {
        self.line.is_some()
    }

    /// Whether it is about times that could not be read.
    pub fn is_of_times(&self) -> bool {
        matches!(self.unread, Some(UnreadPart::Times(_)))
    }
}

/// `atp.txt line 3: "...": it names no destination: skipped`.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notice { file, line, text, words, .. } = self;
        match line {
            Some(line) => write!(f, "{file} line {line}: \"{text}\": {words}"),
            None => write!(f, "{file}: {words}"),
        }
    }
}

pub(crate) fn shown(text: &str) -> String {
    let mut chars = text.trim().chars();
    let start: String = chars.by_ref().take(SHOWN_LEN_MAX).collect();
    let mut shown = start.escape_debug().to_string();
    if chars.next().is_some() {
        shown.push_str("...");
    }
    shown
}
