//! A list line by line, or as blocks of lines.

use std::io::{self, BufRead, Read};

use crate::text::Text;

/// The longest line that is read, in octets.
pub(super) const LINE_LEN_MAX: usize = 64 * 1024;
/// How much is read at a time, in octets: a few of the longest lines.
const BLOCK_LEN: usize = 256 * 1024;

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: Text<'a>,
    /// What is read at a time: `block[at..end]` is not used yet.
    block: Vec<u8>,
    at: usize,
    end: usize,
    /// Nothing more is to be read.
    is_over: bool,
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
        Lines { text, block: vec![0; BLOCK_LEN], at: 0, end: 0, is_over: false }
    }

    /// The beginning of the text, up to 64 KiB; it may end within a line.
    pub(super) fn head(&self) -> &[u8] {
        &self.text.head
    }

    /// What was read and is not used yet: at least one line, unless it is longer than 64 KiB or the last.
    pub(super) fn block(&mut self) -> io::Result<&[u8]> {
        if !self.is_over && self.end - self.at < LINE_LEN_MAX {
            self.block.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            while let Some(room) = self.block.get_mut(self.end..).filter(|room| !room.is_empty()) {
                match self.text.octets.read(room) {
                    Ok(0) => {
                        self.is_over = true;
                        break;
                    }
                    Ok(read) => self.end += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(self.block.get(self.at..self.end).unwrap_or_default())
    }

    /// Takes so many octets of the block as used.
    pub(super) fn consume(&mut self, len: usize) {
        self.at = self.end.min(self.at + len);
    }

    /// The next line; `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.block()?;
        let at = self.at;
        let block = self.block.get(at..self.end).unwrap_or_default();
        if block.is_empty() {
            return Ok(None);
        }
        let looked_at = block.get(..LINE_LEN_MAX).unwrap_or(block);
        let (len, used) = match looked_at.iter().position(|&octet| octet == b'\n') {
            Some(len) => (len, len + 1),
            None => (looked_at.len(), looked_at.len()),
        };
        self.at += used;
        let is_cut = len == used && len == LINE_LEN_MAX;
        if is_cut {
            // Behind what was read, and in what was.
            let rest = self.block.get(self.at..self.end).unwrap_or_default();
            match rest.iter().position(|&octet| octet == b'\n') {
                Some(end) => self.at += end + 1,
                None => {
                    self.at = self.end;
                    self.text.octets.skip_until(b'\n')?;
                }
            }
        }
        let line = self.block.get(at..at + len).unwrap_or_default();
        Ok(Some(if is_cut { Line::TooLong(line) } else { Line::Whole(line) }))
    }

    /// All that is left, if it is no longer than `len_max`.
    pub(super) fn rest(&mut self, len_max: usize) -> io::Result<Option<Vec<u8>>> {
        let mut rest = self.block()?.to_vec();
        self.at = self.end;
        let room = (len_max + 1).saturating_sub(rest.len()) as u64;
        (&mut self.text.octets).take(room).read_to_end(&mut rest)?;
        Ok(Some(rest).filter(|rest| rest.len() <= len_max))
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
        let long = "a".repeat(LINE_LEN_MAX);
        let lines = lines(format!("{long}{long}\nevil.com").as_bytes());
        assert_eq!(lines, [long.as_str(), "evil.com"]);
    }

    #[test]
    fn a_text_longer_than_the_head_is_read_to_its_end() {
        let text = "evil.com\n".repeat(100_000);
        assert_eq!(lines(text.as_bytes()).len(), 100_000);
    }
}
