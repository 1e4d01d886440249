//! The page: the one door by which text comes to the terminal.
//!
//! Whatever is put into [`Words`] loses what could steer a terminal, so that neither a name in a packet
//! nor that of a file can; the only escape sequences on a page are its own colours. Lines are wrapped at
//! spaces alone: names have hyphens that are part of them.

use std::io::{self, Write};

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::report::wording::ink::{Ink, Words};

/// The narrowest page that is laid out; narrower terminals break its lines themselves.
const WIDTH_MIN: usize = 40;

/// How a page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    width: usize,
    coloured: bool,
}

impl Look {
    /// A page of so many columns, at least 40, with or without colours.
    pub fn new(width: usize, coloured: bool) -> Look {
        Look { width: width.max(WIDTH_MIN), coloured }
    }

    /// How many columns it has.
    pub fn width(self) -> usize {
        self.width
    }

    /// Whether it has colours.
    pub fn is_coloured(self) -> bool {
        self.coloured
    }
}

/// Writes paragraphs, wrapped.
#[derive(Debug)]
pub(super) struct Page<'w, W> {
    out: &'w mut W,
    look: Look,
}

impl<'w, W: Write> Page<'w, W> {
    /// Writes to `out`.
    pub fn new(out: &'w mut W, look: Look) -> Page<'w, W> {
        Page { out, look }
    }

    /// How many columns are left at an indent.
    pub fn room(&self, indent: usize) -> usize {
        self.look.width.saturating_sub(indent)
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A line that stands over what follows.
    pub fn title(&mut self, text: &str) -> io::Result<()> {
        self.gap()?;
        self.say(0, &Words::of(Ink::Strong, text))
    }

    /// A line that is laid out already, and is not wrapped.
    pub fn line(&mut self, words: &Words) -> io::Result<()> {
        writeln!(self.out, "{}", words.shown(self.look.coloured).trim_end())
    }

    /// A paragraph, indented.
    pub fn say(&mut self, indent: usize, words: &Words) -> io::Result<()> {
        self.paragraph(&" ".repeat(indent), indent, words)
    }

    /// One of several: its further lines stand under its text, not under its dash.
    pub fn item(&mut self, indent: usize, words: &Words) -> io::Result<()> {
        self.paragraph(&format!("{}- ", " ".repeat(indent)), indent + 2, words)
    }

    /// A paragraph with a word before it in a column of its own, `column` wide.
    pub fn entry(
        &mut self,
        indent: usize,
        column: usize,
        label: &str,
        words: &Words,
    ) -> io::Result<()> {
        let room = " ".repeat(column.saturating_sub(display_width(label)));
        let label = Words::of(Ink::Aside, label).shown(self.look.coloured);
        self.paragraph(&format!("{}{label}{room}", " ".repeat(indent)), indent + column, words)
    }

    fn paragraph(&mut self, first: &str, hanging: usize, words: &Words) -> io::Result<()> {
        let hanging = " ".repeat(hanging);
        let options = Options::new(self.look.width)
            .initial_indent(first)
            .subsequent_indent(&hanging)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&words.shown(self.look.coloured), options) {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(look: Look, write: impl FnOnce(&mut Page<'_, Vec<u8>>)) -> String {
        let mut out = Vec::new();
        write(&mut Page::new(&mut out, look));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_put_on_a_page_can_steer_the_terminal() {
        let hostile = "a\u{1b}[2Jb\r\nc\u{9b}31md\u{202e}e\u{200b}f\u{7f}";
        let shown = page(Look::new(200, false), |page| {
            page.say(0, &Words::plain(hostile)).unwrap();
            page.entry(2, 8, hostile, &Words::of(Ink::Flagged, hostile)).unwrap();
        });
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(
            shown.starts_with("a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{9b}31md\\u{202e}e\\u{200b}f\\u{7f}\n")
        );
        assert_eq!(shown.lines().count(), 2);
    }

    #[test]
    fn names_are_not_broken_at_their_hyphens() {
        let name = "www.microsoft.com-c-3.edgekey.net";
        let shown = page(Look::new(40, false), |page| {
            page.say(2, &Words::plain(&format!("it asked for {name}"))).unwrap();
        });
        assert_eq!(shown, format!("  it asked for\n  {name}\n"));
    }

    #[test]
    fn a_name_longer_than_a_line_is_broken_all_the_same() {
        let shown = page(Look::new(0, false), |page| {
            page.say(4, &Words::plain(&"x".repeat(100))).unwrap();
        });
        assert!(shown.lines().all(|line| line.len() <= WIDTH_MIN));
        assert_eq!(shown.matches('x').count(), 100);
    }

    #[test]
    fn colours_do_not_change_where_lines_end_nor_run_over_it() {
        let words = Words::plain("one two ").and(Ink::Caution, &"three ".repeat(20));
        let [bare, coloured] = [false, true].map(|coloured| {
            page(Look::new(50, coloured), |page| page.entry(2, 8, "label", &words).unwrap())
        });
        let stripped: String =
            coloured.split('\u{1b}').enumerate().fold(String::new(), |all, (place, part)| {
                all + if place == 0 { part } else { part.split_once('m').unwrap().1 }
            });
        assert_eq!(stripped, bare);
        for line in coloured.lines().filter(|line| line.contains("\u{1b}[")) {
            assert!(line.ends_with("\u{1b}[0m"), "{line:?}");
        }
    }
}
