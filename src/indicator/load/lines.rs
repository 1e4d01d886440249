//! A list line by line.

use std::io::{self, BufRead, Read};

use crate::text::Text;

/// The longest line that is read, in octets.
const LINE_LEN_MAX: u64 = 64 * 1024;

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: Text<'a>,
    line: Vec<u8>,
}

/// One line, without what ends it.
pub(super) enum Line<'a> {
    /// Its octets.
    Whole(&'a [u8]),
    /// The beginning of one that is too long.
    TooLong(&'a [u8]),
}

impl<'a> Lines<'a> {
    /// Of a text, from its beginning.
    pub(super) fn of(text: Text<'a>) -> Lines<'a> {
        Lines { text, line: Vec::new() }
    }

    /// The beginning of the text, up to 64 KiB; it may end within a line.
    pub(super) fn head(&self) -> &[u8] {
        &self.text.head
    }

    /// The next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut bounded = (&mut self.text.octets).take(LINE_LEN_MAX);
        if bounded.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(Line::Whole(line))),
            None if (self.line.len() as u64) < LINE_LEN_MAX => Ok(Some(Line::Whole(&self.line))),
            None => {
                self.text.octets.skip_until(b'\n')?;
                Ok(Some(Line::TooLong(&self.line)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(octets: &[u8]) -> Vec<String> {
        let Ok(text) = Text::new(Box::new(octets)) else { panic!("no text") };
        let mut text = Lines::of(text);
        let mut lines = Vec::new();
        while let Some(line) = text.next_line().unwrap() {
            let (Line::Whole(line) | Line::TooLong(line)) = line;
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        lines
    }

    #[test]
    fn lines_end_at_line_feeds_and_the_last_one_at_the_end() {
        let text = "evil.com\r\n\nmünchen.example\n😀.example";
        let expected = ["evil.com\r", "", "münchen.example", "😀.example"];
        assert_eq!(lines(text.as_bytes()), expected);
    }

    #[test]
    fn a_line_of_64_kib_is_cut_and_the_next_one_is_whole() {
        let long = "a".repeat(LINE_LEN_MAX as usize);
        let lines = lines(format!("{long}{long}\nevil.com").as_bytes());
        assert_eq!(lines, [long.as_str(), "evil.com"]);
    }

    #[test]
    fn a_text_longer_than_the_head_is_read_to_its_end() {
        let text = "evil.com\n".repeat(100_000);
        assert_eq!(lines(text.as_bytes()).len(), 100_000);
    }
}
