//! Text files written by people and their tools, in any wrapping: a file or standard input, plain, gzip or
//! Zstandard, UTF-8 or UTF-16.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How much of the beginning is looked at to see what the input is, in octets.
const HEAD_LEN: u64 = 64 * 1024;

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

/// Whether a character is not to be seen where it is written out: control characters, line breaks, and the marks that turn the
/// direction of writing or take no room. Some of them steer a terminal.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Text that others wrote, in which what is not to be seen is shown as `\u{1b}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_unseen(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Octets that others wrote, in which a backslash, a blank and what does not print is shown as `\DDD`, as in a
/// [name](crate::name::Name).
pub fn escaped(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'\\' | 0..=0x20 | 0x7f.. => shown.push_str(&format!("\\{octet:03}")),
            _ => shown.push(char::from(octet)),
        }
    }
    shown
}

/// Why the input is no text.
#[derive(Debug)]
pub enum NoText {
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

/// A text, unwrapped.
pub struct Text<'a> {
    /// The text, in UTF-8 if it was UTF-16 or is well-formed.
    pub octets: Box<dyn BufRead + 'a>,
    /// Its beginning, up to 64 KiB; it may end within a line.
    pub head: Vec<u8>,
}

impl<'a> Text<'a> {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// When it cannot be read, or holds no text.
    pub fn open(path: &Path) -> Result<Text<'static>, NoText> {
        if path.as_os_str() == "-" {
            return Text::new(Box::new(io::stdin().lock()));
        }
        Text::of(File::open(path)?)
    }

    /// Reads a file that was opened.
    ///
    /// # Errors
    /// As for one that is to be opened.
    pub fn of(file: File) -> Result<Text<'static>, NoText> {
        Text::new(Box::new(BufReader::with_capacity(64 * 1024, file)))
    }

    /// Unwraps what an input holds.
    ///
    /// # Errors
    /// When it cannot be read, or holds no text.
    pub fn new(input: Box<dyn BufRead + 'a>) -> Result<Text<'a>, NoText> {
        let (mut head, mut input) = peek(input)?;
        if head.starts_with(GZIP) {
            (head, input) = peek(Box::new(BufReader::new(MultiGzDecoder::new(input))))?;
        } else if head.starts_with(ZSTD) {
            (head, input) = peek(Box::new(BufReader::new(zstd::Decoder::with_buffer(input)?)))?;
        }
        if CAPTURES.iter().any(|magic| head.starts_with(magic)) {
            return Err(NoText::Capture);
        }
        if let Some((mark, unit_of)) = utf16_of(&head) {
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
        Ok(Text { octets: input, head })
    }
}

/// Reads the head of an input, and returns it with the input as it was.
fn peek<'a>(mut input: Box<dyn BufRead + 'a>) -> io::Result<(Vec<u8>, Box<dyn BufRead + 'a>)> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_LEN).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(whole)))
}

/// A text in UTF-16, as far as its octets are known to be one.
pub fn of_utf16(octets: &[u8]) -> Option<String> {
    let (mark, unit_of) = utf16_of(octets)?;
    let pairs = octets.get(mark..)?.as_chunks::<2>().0.iter();
    let units = pairs.map(|pair| unit_of(*pair));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// How two octets make a unit of UTF-16.
type UnitOf = fn([u8; 2]) -> u16;

/// Whether a text is UTF-16: how long its mark is, and how to read it. Without a mark it is known by the
/// zeros: in an English text, which the rest of a list is, nearly every second octet is one.
fn utf16_of(head: &[u8]) -> Option<(usize, UnitOf)> {
    if head.starts_with(UTF16_LE_MARK) {
        return Some((UTF16_LE_MARK.len(), u16::from_le_bytes));
    }
    if head.starts_with(UTF16_BE_MARK) {
        return Some((UTF16_BE_MARK.len(), u16::from_be_bytes));
    }
    let (mut even, mut odd, mut pairs) = (0u32, 0u32, 0u32);
    for pair in head.chunks_exact(2).take(4096) {
        pairs += 1;
        even += u32::from(pair.first() == Some(&0));
        odd += u32::from(pair.last() == Some(&0));
    }
    let is_mostly = |zeros: u32, others: u32| zeros * 10 > pairs * 8 && others * 10 < pairs;
    if pairs > 1 && is_mostly(odd, even) {
        Some((0, u16::from_le_bytes))
    } else if pairs > 1 && is_mostly(even, odd) {
        Some((0, u16::from_be_bytes))
    } else {
        None
    }
}

/// UTF-16 read as UTF-8. What is not well-formed becomes U+FFFD, as it is an error of its line alone.
struct Utf16<R> {
    input: R,
    unit_of: UnitOf,
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

/// A line without its comment, which begins with `#`, `;` or `//` at its start or behind white space, and without the white space
/// around it.
pub fn without_comment(line: &[u8]) -> &[u8] {
    before_comment(line, false)
}

/// Likewise, of what may have `;` between its parts: that begins a comment at the start only.
pub fn without_comment_of_parts(line: &str) -> &str {
    let parts = before_comment(line.as_bytes(), true);
    // It ends before a character of ASCII.
    std::str::from_utf8(parts).unwrap_or_default()
}

fn before_comment(line: &[u8], has_parts: bool) -> &[u8] {
    let mut space = true;
    let comment = line.iter().enumerate().position(|(at, &octet)| {
        let begins = match octet {
            b';' if has_parts => {
                line.get(..at).is_some_and(|before| before.trim_ascii().is_empty())
            }
            b'#' | b';' => space,
            b'/' => space && line.get(at + 1) == Some(&b'/'),
            _ => false,
        };
        space = octet.is_ascii_whitespace();
        begins
    });
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line).trim_ascii()
}

/// What people put before each line of a list.
const BULLETS: [&str; 8] = ["- ", "* ", "+ ", "• ", "· ", "▪ ", "– ", "→ "];

/// A line without the mark of a list before it, or its number: `- evil.com`, `1. evil.com`.
pub fn without_bullet(line: &str) -> &str {
    let bare = BULLETS.iter().find_map(|mark| line.strip_prefix(mark));
    bare.map_or_else(|| without_number(line), str::trim_start)
}

/// A line without what a list counts it by: `1. `, `2) `.
pub fn without_number(line: &str) -> &str {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let behind = line.get(digits..).filter(|_| (1..=3).contains(&digits));
    let behind = behind.and_then(|behind| behind.strip_prefix(['.', ')']));
    behind.filter(|behind| behind.starts_with([' ', '\t'])).map_or(line, str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn whole(octets: &[u8]) -> String {
        let Ok(mut text) = Text::new(Box::new(octets)) else { panic!("no text") };
        let mut whole = String::new();
        text.octets.read_to_string(&mut whole).unwrap();
        whole
    }

    fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(octets).collect()
    }

    #[test]
    fn the_same_text_comes_out_of_every_wrapping() {
        let text = "evil.com\r\n\nmünchen.example\n😀.example";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        for octets in [
            text.as_bytes().to_vec(),
            [UTF8_MARK, text.as_bytes()].concat(),
            gzip.finish().unwrap(),
            zstd::encode_all(text.as_bytes(), 1).unwrap(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            utf16(text, u16::to_le_bytes).split_off(2),
            utf16(text, u16::to_be_bytes).split_off(2),
        ] {
            assert_eq!(whole(&octets), text);
        }
    }

    #[test]
    fn lone_surrogates_are_replaced_and_the_next_unit_is_kept() {
        let octets = [0xff, 0xfe, 0x00, 0xd8, b'a', 0, 0x00, 0xdc, b'b', 0, 0x00, 0xd8, 0x7f];
        assert_eq!(whole(&octets), "\u{fffd}a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn captures_and_binaries_are_no_text() {
        let no_text = |octets: &[u8]| Text::new(Box::new(Cursor::new(octets.to_vec()))).err();
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
    fn comments_end_the_content() {
        for (line, content) in [
            ("evil.com", "evil.com"),
            ("  evil.com\t\r", "evil.com"),
            ("# evil.com", ""),
            ("; evil.com", ""),
            ("//evil.com", ""),
            ("evil.com # c2", "evil.com"),
            ("evil.com ; c2", "evil.com"),
            ("evil.com\t// c2", "evil.com"),
            ("http://evil.com/#a;b//c", "http://evil.com/#a;b//c"),
            ("evil.com / c2", "evil.com / c2"),
            ("", ""),
            (" \r", ""),
        ] {
            assert_eq!(without_comment(line.as_bytes()), content.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn the_marks_of_a_list_are_none_of_what_stands_in_it() {
        for (line, bare) in [
            ("- evil.com", "evil.com"),
            ("*  evil.com", "evil.com"),
            ("• evil.com", "evil.com"),
            ("1. evil.com", "evil.com"),
            ("12) evil.com", "evil.com"),
            ("*.evil.com", "*.evil.com"),
            ("1.2.3.4", "1.2.3.4"),
            ("evil.com", "evil.com"),
        ] {
            assert_eq!(without_bullet(line), bare);
        }
    }
}
