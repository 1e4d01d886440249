//! Words onto the screen: wrapped, cut, in colours or without.
//!
//! Names come from packets. They get here as [`Words`], in which nothing is left that could steer a terminal,
//! and are laid into cells by their width.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use textwrap::core::display_width;

use crate::report::{Ink, Words};

/// How inks look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// Whether there are colours; without them, what matters is bold or underlined.
    pub is_coloured: bool,
}

impl Paint {
    fn style(self, ink: Ink) -> Style {
        let style = Style::new();
        match (ink, self.is_coloured) {
            (Ink::Plain, _) => style,
            (Ink::Strong, _) => style.add_modifier(Modifier::BOLD),
            (Ink::Flagged, true) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Ink::Flagged, false) => style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            (Ink::Aside, _) => style.add_modifier(Modifier::DIM),
            (Ink::Caution, true) => style.fg(Color::Yellow),
            (Ink::Caution, false) => style.add_modifier(Modifier::BOLD),
        }
    }

    /// Puts words on a line of an area, cut at its right edge.
    pub fn put(self, buffer: &mut Buffer, area: Rect, line: u16, words: &Words) {
        let Some(y) = area.y.checked_add(line).filter(|y| *y < area.bottom()) else { return };
        let mut x = area.x;
        for (ink, text) in words.pieces() {
            let room = usize::from(area.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(x, y, text, room, self.style(ink));
        }
    }

    /// Puts lines on an area from its top, and says how many there was room for.
    pub fn put_all(self, buffer: &mut Buffer, area: Rect, lines: &[Words]) -> u16 {
        let mut put = 0;
        for (line, words) in (0..area.height).zip(lines) {
            self.put(buffer, area, line, words);
            put = line + 1;
        }
        put
    }
}

/// The lines of an area that begin at one of them, down to its bottom.
pub(super) fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

/// Words turned round, over the whole width of a line: a bar.
pub(super) fn bar(buffer: &mut Buffer, area: Rect, line: u16) {
    let row = Rect { height: 1, ..below(area, line) };
    buffer.set_style(row.intersection(area), Style::new().add_modifier(Modifier::REVERSED));
}

/// The beginning of words, of a width at most.
pub(super) fn cut(words: &Words, width: usize) -> Words {
    let mut short = Words::default();
    let mut used = 0;
    for (ink, text) in words.pieces() {
        let fits = text.char_indices().take_while(|(_, letter)| {
            used += display_width(letter.encode_utf8(&mut [0; 4]));
            used <= width
        });
        let end = fits.last().map_or(0, |(at, letter)| at + letter.len_utf8());
        short.push(ink, text.get(..end).unwrap_or_default());
        if end < text.len() {
            break;
        }
    }
    short
}

/// Words on as many lines of a width as they take. Lines end at blanks; only what is longer than a line is
/// broken elsewhere: names have hyphens and dots that are part of them.
pub(super) fn wrapped(words: &Words, width: usize) -> Vec<Words> {
    let width = width.max(1);
    let (mut lines, mut line) = (Vec::new(), Words::default());
    for token in tokens(words) {
        let wide: usize = token.iter().map(|(_, text)| display_width(text)).sum();
        let used = line.width();
        if used > 0 && used + 1 + wide > width {
            lines.push(std::mem::take(&mut line));
        } else if used > 0 {
            line.push(Ink::Plain, " ");
        }
        for (ink, text) in token {
            for letter in text.chars() {
                let mut octets = [0; 4];
                let letter = letter.encode_utf8(&mut octets);
                if line.width() + display_width(letter) > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(ink, letter);
            }
        }
    }
    lines.push(line);
    lines
}

/// What stands between blanks, each in its inks.
fn tokens(words: &Words) -> Vec<Vec<(Ink, &str)>> {
    let mut tokens: Vec<Vec<(Ink, &str)>> = vec![Vec::new()];
    for (ink, text) in words.pieces() {
        for (place, part) in text.split(' ').enumerate() {
            if place > 0 {
                tokens.push(Vec::new());
            }
            if let Some(token) = tokens.last_mut().filter(|_| !part.is_empty()) {
                token.push((ink, part));
            }
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Words wrapped beside a label that stands in a column of its own.
pub(super) fn entry(label: &str, column: usize, words: &Words, width: usize) -> Vec<Words> {
    let lines = wrapped(words, width.saturating_sub(column)).into_iter().enumerate();
    let labelled = lines.map(|(place, line)| {
        let mut whole = Words::of(Ink::Aside, if place == 0 { label } else { "" }).padded(column);
        whole.append(line);
        whole
    });
    labelled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Words]) -> Vec<String> {
        lines.iter().map(|line| line.pieces().map(|(_, text)| text).collect()).collect()
    }

    #[test]
    fn lines_end_at_blanks_and_long_names_anywhere() {
        let words = Words::plain("it asked ")
            .and(Ink::Flagged, "www.a-b.example")
            .and(Ink::Plain, ", twice");
        assert_eq!(texts(&wrapped(&words, 17)), ["it asked", "www.a-b.example,", "twice"]);
        assert_eq!(texts(&wrapped(&Words::plain("abcdefgh"), 3)), ["abc", "def", "gh"]);
        assert_eq!(texts(&wrapped(&Words::plain("漢字漢字"), 5)), ["漢字", "漢字"]);
        assert_eq!(texts(&wrapped(&Words::plain(""), 5)), [""]);
        assert_eq!(wrapped(&Words::plain("a b"), 0).len(), 2);
    }

    #[test]
    fn what_is_hostile_does_not_leave_its_cells() {
        let area = Rect::new(0, 0, 12, 2);
        let mut buffer = Buffer::empty(area);
        let words = Words::plain("a\u{1b}[2J\u{202e}b\r\nc");
        for (line, words) in (0..).zip(wrapped(&words, 12)) {
            Paint { is_coloured: true }.put(&mut buffer, area, line, &words);
        }
        let shown: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
        assert_eq!(shown, "a\\u{1b}[2J\\u{202e}b\\u{d}");
        // Nothing is drawn outside.
        Paint { is_coloured: true }.put(&mut buffer, area, 9, &Words::plain("x"));
        bar(&mut buffer, area, 9);
    }
}
