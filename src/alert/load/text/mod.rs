//! From the octets of a file to plain lines in which its format can be recognised.
//!
//! In: a file as people have it, which may be a saved mail, a web page, or a paste of either. Out: [`PlainText`], a text whose
//! lines each know where they stood in the file, so that a notice can name the line that the reader sees. Nothing here knows
//! what an alert is; it only undoes what mail programs, browsers and consoles do to text:
//!
//! - [`file_text`] decodes the file (UTF-8, or else Latin-1) and refuses what is too long or not text;
//! - [`mail`] takes the text out of a MIME mail, [`html`] out of a web page;
//! - [`marks`] removes quote marks, links, invisible characters and defanged dots; [`gateway_links`] replaces the links of
//!   mail gateways by those that they lead to;
//! - [`drawn_table`] removes the rules of tables drawn with `+---+` or `|---|`; [`cell_per_line`] puts the cells of a row
//!   back into one line;
//! - [`entity_table`] turns the tables of Microsoft Sentinel and Defender into JSON.

mod cell_per_line;
mod drawn_table;
mod entity_table;
pub(crate) mod file_text;
mod gateway_links;
mod html;
mod mail;
mod marks;
mod numbered_text;

use std::borrow::Cow;

use crate::alert::load::text::numbered_text::NumberedText;

/// A text without what mails, pages and pastes put around alerts and into them.
#[derive(Debug)]
pub(crate) struct PlainText<'t> {
    pub text: Cow<'t, str>,
    /// The same text, its lines numbered as in the file; none if they still stand where they did.
    numbered: Option<NumberedText>,
    /// What the user should know of how it was made, a sentence each.
    pub notices: Vec<String>,
    /// Whether its lines are JSON objects that were made from a table.
    pub is_from_entity_table: bool,
}

impl<'t> PlainText<'t> {
    pub(crate) fn of(text: &'t str) -> PlainText<'t> {
        let text = marks::with_line_feeds(text);
        let (text, numbered) = match mail::text(&text).or_else(|| html::text(&text)) {
            Some(inner) => (marks::clean_lines(inner.text()).into_owned().into(), Some(inner)),
            None => (marks::and_then(text, marks::clean_lines), None),
        };
        let mut plain =
            PlainText { text, numbered, notices: Vec::new(), is_from_entity_table: false };
        if let Some((rows, words)) = cell_per_line::rows_of_cells(&plain.text) {
            plain.replace_by(rows);
            plain.notices.push(words);
        }
        if let Some(objects) = entity_table::objects(&plain.text) {
            plain.replace_by(objects);
            plain.is_from_entity_table = true;
        }
        plain
    }

    /// Goes on with a text that was made from this one.
    fn replace_by(&mut self, made: NumberedText) {
        let made = match &self.numbered {
            Some(numbered) => numbered.renumbered(made),
            None => made,
        };
        self.text = Cow::Owned(made.text().to_owned());
        self.numbered = Some(made);
    }

    /// The number that a line has in the file.
    pub(crate) fn original_line(&self, line: u32) -> u32 {
        self.numbered.as_ref().map_or(line, |numbered| numbered.original_line(line))
    }
}

/// The lines of a text with their numbers, from 1; blank lines are left out.
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (u32, &str)> + Clone {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(at, line)| (u32::try_from(at + 1).unwrap_or(u32::MAX), line))
        .filter(|(_, line)| !line.trim().is_empty())
}
