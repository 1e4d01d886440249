//! The text of a file of alerts: from a file or standard input, plain, gzip or Zstandard, UTF-8, UTF-16
//! with a byte order mark, or else Latin-1.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// The most text that is read of one file, in octets, unpacked.
pub(super) const TEXT_LEN_MAX: u64 = 256 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
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
    /// It is longer than is read.
    TooLong,
}

impl From<io::Error> for NoText {
    fn from(error: io::Error) -> NoText {
        NoText::Io(error)
    }
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(path: &Path) -> Result<String, NoText> {
    if path.as_os_str() == "-" { text(io::stdin().lock()) } else { text(File::open(path)?) }
}

/// The text of an input.
pub(super) fn text(input: impl Read) -> Result<String, NoText> {
    let mut octets = bounded(input)?;
    if octets.starts_with(GZIP) {
        octets = bounded(MultiGzDecoder::new(octets.as_slice()))?;
    } else if octets.starts_with(ZSTD) {
        octets = bounded(zstd::Decoder::with_buffer(octets.as_slice())?)?;
    }
    if CAPTURES.iter().any(|magic| octets.starts_with(magic)) {
        return Err(NoText::Capture);
    }
    let text = match octets.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            if octets.starts_with(UTF8_MARK) {
                octets.drain(..UTF8_MARK.len());
            }
            // What is no UTF-8 comes from a desktop that writes Latin-1; names and addresses are
            // ASCII in either.
            String::from_utf8(octets).unwrap_or_else(|error| {
                error.as_bytes().iter().map(|octet| char::from(*octet)).collect()
            })
        }
    };
    if text.contains('\0') { Err(NoText::Binary) } else { Ok(text) }
}

fn bounded(input: impl Read) -> Result<Vec<u8>, NoText> {
    let mut octets = Vec::new();
    input.take(TEXT_LEN_MAX + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > TEXT_LEN_MAX { Err(NoText::TooLong) } else { Ok(octets) }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_same_text_comes_out_of_every_wrapping() {
        let plain = "1 192.168.2.194 C2/Generic-A m\u{fc}ller.example 1 AFCd\r\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(plain.as_bytes()).unwrap();
        let utf16 = |octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(plain.encode_utf16()).flat_map(octets).collect()
        };
        let latin1: Vec<u8> = plain.chars().map(|c| c as u8).collect();
        for octets in [
            plain.as_bytes().to_vec(),
            [UTF8_MARK, plain.as_bytes()].concat(),
            gzip.finish().unwrap(),
            zstd::encode_all(plain.as_bytes(), 1).unwrap(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            latin1,
        ] {
            assert_eq!(text(octets.as_slice()).unwrap(), plain);
        }
    }

    #[test]
    fn captures_and_binaries_are_no_text() {
        for magic in CAPTURES {
            assert!(matches!(text(magic), Err(NoText::Capture)));
        }
        assert!(matches!(text(&b"a\0b"[..]), Err(NoText::Binary)));
        assert!(matches!(text(&[0x1f, 0x8b, 8, 0, 0][..]), Err(NoText::Io(_))));
    }
}
