//! Words and the ink that they are written in.
//!
//! Whatever is put into [`Words`] loses what could steer a terminal, so that neither a name in a packet nor that of a file
//! can.

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use crate::text::printable;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Nothing special.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What was flagged.
    Flagged,
    /// What can be skipped.
    Aside,
    /// What should not be overlooked.
    Caution,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Plain => Style::new(),
            Ink::Strong => Style::new().bold(),
            Ink::Flagged => AnsiColor::Red.on_default().bold(),
            Ink::Aside => Style::new().dimmed(),
            Ink::Caution => AnsiColor::Yellow.on_default(),
        }
    }
}

/// Text in several inks, without control characters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Vec<(Ink, String)>);

impl Words {
    /// Words in one ink.
    pub fn of(ink: Ink, text: &str) -> Words {
        Words::default().and(ink, text)
    }

    /// Words without colour.
    pub fn plain(text: &str) -> Words {
        Words::of(Ink::Plain, text)
    }

    /// Followed by more.
    pub fn and(mut self, ink: Ink, text: &str) -> Words {
        self.push(ink, text);
        self
    }

    /// Adds more.
    pub fn push(&mut self, ink: Ink, text: &str) {
        self.0.push((ink, printable(text).into_owned()));
    }

    /// The text without its inks.
    pub fn plain_text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Adds others.
    pub fn append(&mut self, mut other: Words) {
        self.0.append(&mut other.0);
    }

    /// With room before them.
    pub fn indented(mut self, columns: usize) -> Words {
        self.0.insert(0, (Ink::Plain, " ".repeat(columns)));
        self
    }

    /// With room behind them, up to a width.
    pub fn padded(mut self, width: usize) -> Words {
        let room = width.saturating_sub(self.width());
        self.0.push((Ink::Plain, " ".repeat(room)));
        self
    }

    /// Cut in the middle, each piece by itself, where they are wider than this: both ends of a name tell
    /// something.
    pub fn elided(mut self, width: usize) -> Words {
        for (_, text) in &mut self.0 {
            *text = elided(text, width);
        }
        self
    }

    /// The pieces, each in one ink.
    pub fn pieces(&self) -> impl Iterator<Item = (Ink, &str)> {
        self.0.iter().map(|(ink, text)| (*ink, text.as_str()))
    }

    /// How many columns they take on one line.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| display_width(text)).sum()
    }

    /// As written. Each word is coloured for itself, so that a colour never runs over a line's end.
    pub fn shown(&self, coloured: bool) -> String {
        let mut shown = String::new();
        for (ink, text) in &self.0 {
            let style = ink.style();
            for (place, word) in text.split(' ').enumerate() {
                if place > 0 {
                    shown.push(' ');
                }
                if coloured && !word.is_empty() && *ink != Ink::Plain {
                    shown.push_str(&format!("{style}{word}{style:#}"));
                } else {
                    shown.push_str(word);
                }
            }
        }
        shown
    }
}

/// A text of at most `width` columns: its beginning and its end.
fn elided(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let (head, tail) = (width.saturating_sub(1).div_ceil(2), width.saturating_sub(1) / 2);
    let take = |letters: &mut dyn Iterator<Item = char>, room: usize| -> Vec<char> {
        let mut used = 0;
        let fits = letters.take_while(|letter| {
            used += display_width(letter.encode_utf8(&mut [0; 4]));
            used <= room
        });
        fits.collect()
    };
    let head: String = take(&mut text.chars(), head).into_iter().collect();
    let tail: String = take(&mut text.chars().rev(), tail).into_iter().rev().collect();
    format!("{head}…{tail}")
}
