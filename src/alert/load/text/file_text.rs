//! The whole text of a file of alerts: what is no UTF-8 comes from a desktop that writes Latin-1.

use std::io::Read;

use crate::text::{NoText, Text};

/// The most text that is read of one file, in octets, unpacked.
pub(crate) const TEXT_LEN_MAX: u64 = 256 << 20;

/// All of a text; none of one that is longer than is read.
pub(crate) fn whole(text: Text<'_>) -> Result<Option<String>, NoText> {
    let mut octets = Vec::new();
    text.octets.take(TEXT_LEN_MAX + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > TEXT_LEN_MAX {
        return Ok(None);
    }
    // Names and addresses are ASCII in either.
    let text = String::from_utf8(octets)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|octet| char::from(*octet)).collect());
    if text.contains('\0') { Err(NoText::Binary) } else { Ok(Some(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Result<Option<String>, NoText> {
        whole(Text::new(Box::new(octets))?)
    }

    #[test]
    fn latin_1_is_read_as_such() {
        let plain = "1 192.168.2.194 C2/Generic-A m\u{fc}ller.example 1 AFCd\r\n";
        let latin1: Vec<u8> = plain.chars().map(|c| c as u8).collect();
        for octets in [plain.as_bytes(), &latin1] {
            assert_eq!(read(octets).unwrap().unwrap(), plain);
        }
    }

    #[test]
    fn a_binary_is_no_text_however_late_it_shows() {
        let late = ["a".repeat(1 << 20).as_bytes(), b"\0"].concat();
        assert!(matches!(read(&late), Err(NoText::Binary)));
    }
}
