//! A record as one line of JSON in which nothing can steer a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::text::is_unseen;

/// Writes a record and the end of its line.
pub(super) fn write_line(out: &mut impl Write, record: &impl Serialize) -> io::Result<()> {
    record.serialize(&mut Serializer::with_formatter(&mut *out, Harmless))?;
    out.write_all(b"\n")
}

/// Escapes what is not to be seen: JSON needs that of U+0000 to U+001F only, but terminals take U+009B for the begin of a
/// command, and some characters turn the direction of writing.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unseen) {
            let (before, behind) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut characters = behind.chars();
            for unit in characters.next().into_iter().flat_map(units) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// A character in UTF-16, as JSON escapes it.
fn units(character: char) -> impl Iterator<Item = u16> {
    let mut both = [0; 2];
    let len = character.encode_utf16(&mut both).len();
    both.into_iter().take(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_reads_the_same() {
        let text = "C1 \u{9b}31m \u{85}\u{202e}\u{1b}[0m \u{e0001} \"ü\"\n";
        let mut out = Vec::new();
        write_line(&mut out, &text).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert!(!line.trim_end().contains(is_unseen), "{line:?}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
