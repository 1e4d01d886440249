//! JSON documents: read whole, and taken apart piece by piece, so that one broken object costs only
//! itself and each is known by its line.

use serde_json::value::RawValue;

use super::lines::Lines;
use super::loader::{Loader, Stop};

/// The longest document that is read, in octets.
const DOCUMENT_LEN_MAX: usize = 1 << 30;

/// The text of a document, to tell on which line a piece of it stands.
pub(super) struct Places<'a> {
    text: &'a str,
    /// How far lines were counted, and how many there were.
    at: usize,
    line: u32,
}

impl<'a> Places<'a> {
    /// The line of a piece of the text. Pieces are asked for in their order.
    pub(super) fn line_of(&mut self, piece: &RawValue) -> u32 {
        // The piece was read out of the text in place.
        let at = (piece.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        if let Some(between) = self.text.as_bytes().get(self.at..at) {
            let ends = between.iter().filter(|&&octet| octet == b'\n').count();
            self.line = self.line.saturating_add(ends as u32);
            self.at = at;
        }
        self.line
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }
}

/// Reads a document and hands it to `read`; one document a line, if there are several.
pub(super) fn load(
    loader: &mut Loader,
    lines: &mut Lines<'_>,
    read: fn(&mut Loader, &mut Places<'_>, &RawValue) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let Some(octets) = lines.rest(DOCUMENT_LEN_MAX)? else {
        return Err(Stop::Broken("it is longer than 1 GiB; split it".into()));
    };
    let text = String::from_utf8(octets)
        .map_err(|_| Stop::Broken("it is not UTF-8 text, as JSON must be".into()))?;
    let mut places = Places { text: &text, at: 0, line: 1 };
    let values = serde_json::Deserializer::from_str(places.text()).into_iter::<&RawValue>();
    for value in values {
        // A document that is cut is damaged: what stood behind the cut is lost, and nobody would know.
        let value =
            value.map_err(|error| Stop::Broken(format!("it is not valid JSON: {error}")))?;
        loader.line = places.line_of(value);
        read(loader, &mut places, value)?;
    }
    let all = text.bytes().filter(|&octet| octet == b'\n').count();
    loader.line =
        u32::try_from(all).unwrap_or(u32::MAX).saturating_add(u32::from(!text.ends_with('\n')));
    Ok(())
}
