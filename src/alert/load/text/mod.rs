//! From the octets of a file to plain lines in which its format can be recognised.
//!
//! In: a file as people have it, which may be a saved mail, a web page, or a paste of either. Out: [`Paste`], a text whose
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

use crate::alert::load::text::marks::without_marks;
use crate::alert::load::text::numbered_text::Lined;

/// A text as its form is looked for.
#[derive(Debug)]
pub(crate) struct Paste<'t> {
    pub text: Cow<'t, str>,
    /// Where its lines stood, unless they are where they were.
    pub made: Option<Lined>,
    /// What should be known of how it was made.
    pub said: Vec<String>,
    /// Its lines are objects of JSON that were made of a table.
    pub has_objects: bool,
}

impl<'t> Paste<'t> {
    pub(crate) fn of(text: &'t str) -> Paste<'t> {
        let text = marks::in_lines(text);
        let unwrapped = mail::text(&text).or_else(|| html::text(&text));
        let mut paste = match unwrapped {
            Some(lined) => {
                let text = without_marks(lined.text()).into_owned();
                Paste {
                    text: Cow::Owned(text),
                    made: Some(lined),
                    said: Vec::new(),
                    has_objects: false,
                }
            }
            None => {
                let plain = match without_marks(&text) {
                    Cow::Owned(plain) => Some(plain),
                    Cow::Borrowed(_) => None,
                };
                let text = plain.map_or(text, Cow::Owned);
                Paste { text, made: None, said: Vec::new(), has_objects: false }
            }
        };
        if let Some((joined, words)) = cell_per_line::joined(&paste.text) {
            let joined = match &paste.made {
                Some(lined) => lined.through(joined),
                None => joined,
            };
            paste.text = Cow::Owned(joined.text().to_owned());
            paste.made = Some(joined);
            paste.said.push(words);
        }
        if let Some(objects) = entity_table::objects(&paste.text) {
            let objects = match &paste.made {
                Some(lined) => lined.through(objects),
                None => objects,
            };
            paste.text = Cow::Owned(objects.text().to_owned());
            (paste.made, paste.has_objects) = (Some(objects), true);
        }
        paste
    }

    /// Where a line stood in the file.
    pub(crate) fn place(&self, line: u32) -> u32 {
        self.made.as_ref().map_or(line, |lined| lined.place(line))
    }
}

/// The lines of a text by number, blank ones left out.
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (u32, &str)> + Clone {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(at, line)| (u32::try_from(at + 1).unwrap_or(u32::MAX), line))
        .filter(|(_, line)| !line.trim().is_empty())
}
