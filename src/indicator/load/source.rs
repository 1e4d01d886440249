//! The text of a list, line by line, whatever it is wrapped in: a file or standard input, plain, gzip
//! or Zstandard, UTF-8 or UTF-16.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How much of the beginning is looked at to see what the input is, in octets.
const HEAD_LEN: u64 = 64 * 1024;
/// The longest line that is read, in octets.
pub(super) const LINE_LEN_MAX: usize = 64 * 1024;
/// How much is read at a time, in octets: a few of the longest lines.
const BLOCK_LEN: usize = 256 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF16_LE_MARK: &[u8] = &[0xff, 0xfe];
const UTF16_BE_MARK: &[u8] = &[0xfe, 0xff];
/// How captures begin: pcap with micro- and nanoseconds in both byte orders, and pcapng.
const CAPTURES: [&[u8]; 5] = [
    &[0xa1, 0xb2, 0xc3, 0xd4],
    &[0xd4, 0xc3, 0xb2, 0xa1],
    &[0xa1, 0xb2, 0x3c, 0x4d],
    &[0x4d, 0x3c, 0xb2, 0xa1],
    &[0x0a, 0x0d, 0x0d, 0x0a],
];

/// Why the input is no text.
#[derive(Debug)]
pub(super) enum NoText {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is a packet capture.
    Capture,
    /// It holds octets that no text holds.
    Binary,
}

impl From<io::Error> for NoText {
    fn from(error: io::Error) -> NoText {
        NoText::Io(error)
    }
}

/// A list's text.
pub(super) struct Source {
    text: Box<dyn BufRead>,
    /// What is read at a time: `block[at..end]` is not used yet.
    block: Vec<u8>,
    at: usize,
    end: usize,
    /// Nothing more is to be read.
    is_over: bool,
    head: Vec<u8>,
}

/// One line, without what ends it.
pub(super) enum Line<'a> {
    /// Its octets.
    Whole(&'a [u8]),
    /// The beginning of one that is too long.
    TooLong(&'a [u8]),
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Source, NoText> {
        if path.as_os_str() == "-" {
            return Source::new(Box::new(io::stdin().lock()));
        }
        Source::new(Box::new(BufReader::with_capacity(64 * 1024, File::open(path)?)))
    }

    /// Unwraps what an input holds.
    pub(super) fn new(input: Box<dyn BufRead>) -> Result<Source, NoText> {
        let (mut head, mut input) = peek(input)?;
        if head.starts_with(GZIP) {
            (head, input) = peek(Box::new(BufReader::new(MultiGzDecoder::new(input))))?;
        } else if head.starts_with(ZSTD) {
            (head, input) = peek(Box::new(BufReader::new(zstd::Decoder::with_buffer(input)?)))?;
        }
        if CAPTURES.iter().any(|magic| head.starts_with(magic)) {
            return Err(NoText::Capture);
        }
        let utf16 = if head.starts_with(UTF16_LE_MARK) {
            Some((UTF16_LE_MARK.len(), u16::from_le_bytes as fn([u8; 2]) -> u16))
        } else if head.starts_with(UTF16_BE_MARK) {
            Some((UTF16_BE_MARK.len(), u16::from_be_bytes as fn([u8; 2]) -> u16))
        } else {
            unmarked_utf16(&head).map(|unit_of| (0, unit_of))
        };
        if let Some((mark, unit_of)) = utf16 {
            input.consume(mark);
            (head, input) =
                peek(Box::new(BufReader::new(Utf16 { input, unit_of, pending: None })))?;
        } else if head.starts_with(UTF8_MARK) {
            input.consume(UTF8_MARK.len());
            head.drain(..UTF8_MARK.len());
        }
        if head.contains(&0) {
            return Err(NoText::Binary);
        }
        Ok(Source { text: input, block: vec![0; BLOCK_LEN], at: 0, end: 0, is_over: false, head })
    }

    /// The beginning of the text, up to 64 KiB; it may end within a line.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What was read and is not used yet: at least one line, unless it is longer than 64 KiB or the last.
    pub(super) fn block(&mut self) -> io::Result<&[u8]> {
        if !self.is_over && self.end - self.at < LINE_LEN_MAX {
            self.block.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            while let Some(room) = self.block.get_mut(self.end..).filter(|room| !room.is_empty()) {
                match self.text.read(room) {
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
                    self.text.skip_until(b'\n')?;
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
        self.text.by_ref().take(room).read_to_end(&mut rest)?;
        Ok(Some(rest).filter(|rest| rest.len() <= len_max))
    }
}

/// How to read UTF-16 that has no byte order mark: nearly every second octet of an English text is zero.
fn unmarked_utf16(head: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let (mut even, mut odd, mut pairs) = (0u32, 0u32, 0u32);
    for pair in head.chunks_exact(2).take(4096) {
        pairs += 1;
        even += u32::from(pair.first() == Some(&0));
        odd += u32::from(pair.last() == Some(&0));
    }
    match (even, odd) {
        (even, odd) if pairs > 1 && odd * 10 > pairs * 8 && even * 10 < pairs => {
            Some(u16::from_le_bytes)
        }
        (even, odd) if pairs > 1 && even * 10 > pairs * 8 && odd * 10 < pairs => {
            Some(u16::from_be_bytes)
        }
        _ => None,
    }
}

/// Reads the head of an input, and returns it with the input as it was.
fn peek(mut input: Box<dyn BufRead>) -> io::Result<(Vec<u8>, Box<dyn BufRead>)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_LEN).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(whole)))
}

/// UTF-16 read as UTF-8. What is not well-formed becomes U+FFFD, as it is an error of its line alone.
struct Utf16<R> {
    input: R,
    unit_of: fn([u8; 2]) -> u16,
    /// A unit that was read and belongs to the next character.
    pending: Option<u16>,
}

impl<R: BufRead> Utf16<R> {
    fn next_char(&mut self) -> io::Result<Option<char>> {
        let first = match self.pending.take() {
            Some(unit) => Some(unit),
            None => self.next_unit()?,
        };
        let Some(first) = first else { return Ok(None) };
        let second = if (0xd800..0xdc00).contains(&first) { self.next_unit()? } else { None };
        match char::decode_utf16([first].into_iter().chain(second)).next() {
            Some(Ok(character)) => Ok(Some(character)),
            _ => {
                self.pending = second;
                Ok(Some(char::REPLACEMENT_CHARACTER))
            }
        }
    }

    /// A single octet at the very end is dropped.
    fn next_unit(&mut self) -> io::Result<Option<u16>> {
        let mut octets = [0; 2];
        match self.input.read_exact(&mut octets) {
            Ok(()) => Ok(Some((self.unit_of)(octets))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(room) = out.get_mut(written..written + 4) {
            let Some(character) = self.next_char()? else { break };
            written += character.encode_utf8(room).len();
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(octets: Vec<u8>) -> Vec<String> {
        let Ok(mut source) = Source::new(Box::new(Cursor::new(octets))) else { panic!("no text") };
        let mut lines = Vec::new();
        while let Some(line) = source.next_line().unwrap() {
            let (Line::Whole(line) | Line::TooLong(line)) = line;
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        lines
    }

    fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(octets).collect()
    }

    #[test]
    fn the_same_text_comes_out_of_every_wrapping() {
        let text = "evil.com\r\n\nmünchen.example\n😀.example";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        let marked = [UTF8_MARK, text.as_bytes()].concat();
        let expected = ["evil.com\r", "", "münchen.example", "😀.example"];
        for octets in [
            text.as_bytes().to_vec(),
            marked,
            gzip.finish().unwrap(),
            zstd,
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            utf16(text, u16::to_le_bytes).split_off(2),
            utf16(text, u16::to_be_bytes).split_off(2),
        ] {
            assert_eq!(lines(octets), expected);
        }
    }

    #[test]
    fn lone_surrogates_are_replaced_and_the_next_unit_is_kept() {
        let octets = [0xff, 0xfe, 0x00, 0xd8, b'a', 0, 0x00, 0xdc, b'b', 0, 0x00, 0xd8, 0x7f];
        assert_eq!(lines(octets.to_vec()), ["\u{fffd}a\u{fffd}b\u{fffd}"]);
    }

    #[test]
    fn captures_and_binaries_are_no_text() {
        let no_text = |octets: &[u8]| Source::new(Box::new(Cursor::new(octets.to_vec()))).err();
        for magic in CAPTURES {
            assert!(matches!(no_text(magic), Some(NoText::Capture)));
            let packed = zstd::encode_all(magic, 1).unwrap();
            assert!(matches!(no_text(&packed), Some(NoText::Capture)));
        }
        assert!(matches!(no_text(b"e\0vil\0"), Some(NoText::Binary)));
        assert!(matches!(no_text(&[0; 64]), Some(NoText::Binary)));
        assert!(matches!(no_text(&[0x1f, 0x8b, 8, 0, 0]), Some(NoText::Io(_))));
    }

    #[test]
    fn a_line_of_64_kib_is_cut_and_the_next_one_is_whole() {
        let long = "a".repeat(LINE_LEN_MAX);
        let lines = lines(format!("{long}{long}\nevil.com").into_bytes());
        assert_eq!(lines, [long.as_str(), "evil.com"]);
    }

    #[test]
    fn a_text_longer_than_the_head_is_read_to_its_end() {
        let text = "evil.com\n".repeat(100_000);
        assert_eq!(lines(zstd::encode_all(text.as_bytes(), 1).unwrap()).len(), 100_000);
    }
}
