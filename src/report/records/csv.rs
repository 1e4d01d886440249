//! CSV (RFC 4180): a line for each sighting and client, for spreadsheets.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and a name in a packet
//! can begin with any of them. So before each of these, and before an apostrophe itself, stands an
//! apostrophe: a spreadsheet shows the cell as text, and a program takes one leading apostrophe off.

use std::io::{self, Write};

use super::row::{Row, confidence, number, rows};
use crate::attribution::Attribution;
use crate::frame::FrameId;
use crate::report::{Ending, Report, Subject};
use crate::text::printable;

/// Its name, and how it is read from a row.
type Column = (&'static str, fn(&Row<'_>) -> String);

/// The columns, in order. Columns are added at the end, never changed.
const COLUMNS: &[Column] = &[
    ("time", |row| row.time().to_string()),
    ("verdict", |row| row.attribution.verdict.as_str().to_owned()),
    ("client", |row| row.client.map(|c| c.address.to_string()).unwrap_or_default()),
    ("client_port", |row| row.client.map(|c| c.port.to_string()).unwrap_or_default()),
    ("client_mac", |row| row.mac().map(|mac| mac.to_string()).unwrap_or_default()),
    ("hostname", |row| row.hostname().unwrap_or_default().to_owned()),
    ("role", |row| row.client.map_or("", |c| c.role.as_str()).to_owned()),
    ("confidence", |row| row.client.map(|c| confidence(c.confidence_permille)).unwrap_or_default()),
    ("indicator", |row| row.indicator.value.to_owned()),
    ("indicator_kind", |row| row.indicator.kind.as_str().to_owned()),
    ("list", |row| row.list.to_owned()),
    ("list_line", |row| row.indicator.line.to_string()),
    ("asked", |row| row.client.map_or("", |c| &c.asked).to_owned()),
    ("asked_type", |row| row.client.map_or("", |c| &c.asked_type).to_owned()),
    ("asked_server", |row| row.client.map(|_| row.destination().to_string()).unwrap_or_default()),
    ("rcode", |row| row.client.and_then(|c| c.rcode).unwrap_or_default().to_owned()),
    ("chain", |row| row.chain().unwrap_or_default()),
    ("hops", |row| row.hops().join(" ")),
    ("contacted", |row| row.client.map_or("", |c| c.contact.as_str()).to_owned()),
    ("hints", |row| row.attribution.doubt_words().collect::<Vec<_>>().join(" ")),
    ("reason", |row| row.attribution.reason.clone().unwrap_or_default()),
    ("asked_frame", |row| frame(row.client.map_or(FrameId::NONE, |c| c.asked_frame))),
    ("asked_file", |row| file(row, row.client.map_or(FrameId::NONE, |c| c.asked_frame))),
    ("answer_frame", |row| frame(row.client.map_or(FrameId::NONE, |c| c.answer_frame))),
    ("answer_file", |row| file(row, row.client.map_or(FrameId::NONE, |c| c.answer_frame))),
    ("leg", |row| row.attribution.sighting.leg.as_str().to_owned()),
    ("where", |row| row.attribution.sighting.place.as_str().to_owned()),
    ("query_time", |row| row.attribution.sighting.time.to_string()),
    ("query_name", |row| row.attribution.sighting.name.clone()),
    ("query_type", |row| row.attribution.sighting.rtype.clone()),
    ("resolver", |row| row.attribution.sighting.resolver.to_string()),
    ("server", |row| row.attribution.sighting.server.to_string()),
    ("transport", |row| row.attribution.sighting.transport.as_str().to_owned()),
    ("query_rcode", |row| row.attribution.sighting.rcode.unwrap_or_default().to_owned()),
    ("outcome", |row| row.attribution.sighting.outcome.as_str().to_owned()),
    ("query_frame", |row| frame(row.attribution.sighting.frame)),
    ("query_file", |row| file(row, row.attribution.sighting.frame)),
    ("response_frame", |row| frame(row.attribution.sighting.response_frame)),
    ("response_file", |row| file(row, row.attribution.sighting.response_frame)),
    ("id", |row| row.attribution.id.clone()),
    ("resolution_id", |row| row.attribution.resolution_id.clone()),
    ("state", |row| row.attribution.state.as_str().to_owned()),
    ("list_description", |row| row.indicator.description.unwrap_or_default().to_owned()),
    ("list_confidence", |row| row.list_confidence().unwrap_or_default()),
    ("triage", |row| row.triage().unwrap_or_default().to_owned()),
];

/// Writes the columns' names, then a line for each sighting and client as soon as it is known.
pub struct Csv<'a, W: Write> {
    out: csv::Writer<W>,
    subject: Subject<'a>,
    begun: bool,
}

impl<'a, W: Write> Csv<'a, W> {
    /// Writes to `out`.
    pub fn new(out: W, subject: Subject<'a>) -> Csv<'a, W> {
        Csv { out: writer(out), subject, begun: false }
    }

    /// Writes lines that follow others: the columns' names stand there already.
    pub fn following(out: W, subject: Subject<'a>) -> Csv<'a, W> {
        Csv { out: writer(out), subject, begun: true }
    }

    /// Writes the columns' names alone.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn heading(out: W) -> io::Result<()> {
        let mut out = writer(out);
        out.write_record(COLUMNS.iter().map(|(name, _)| name))?;
        out.flush()
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        Ok(self.out.write_record(COLUMNS.iter().map(|(name, _)| name))?)
    }
}

impl<W: Write> Report for Csv<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.begin()?;
        for row in rows(attribution, self.subject) {
            self.out.write_record(COLUMNS.iter().map(|(_, read)| cell(&read(&row))))?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Ending<'_>) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

/// A writer of RFC 4180's lines.
pub(crate) fn writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

/// What stands in a cell so that no spreadsheet takes it for a formula, nor a terminal for a command.
pub(crate) fn cell(text: &str) -> String {
    let text = printable(text);
    match text.starts_with(['=', '+', '-', '@', '\'']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

fn frame(frame: FrameId) -> String {
    number(frame).map(|number| number.to_string()).unwrap_or_default()
}

fn file(row: &Row<'_>, frame: FrameId) -> String {
    row.files.of(frame).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-x.evil.com", "'-x.evil.com"),
            ("+49", "'+49"),
            ("'", "''"),
            ("\t=1", "\\u{9}=1"),
            ("10.0.0.1", "10.0.0.1"),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_cell_comes_back(cells in proptest::collection::vec(any::<String>(), 1..6)) {
            let mut out = Vec::new();
            let mut into = writer(&mut out);
            into.write_record(cells.iter().map(|text| cell(text))).unwrap();
            into.flush().unwrap();
            drop(into);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
            let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), 1);
            for (text, shown) in cells.iter().zip(&read[0]) {
                prop_assert!(!shown.starts_with(['=', '+', '-', '@']));
                prop_assert!(!shown.contains(char::is_control));
                prop_assert_eq!(shown.strip_prefix('\'').unwrap_or(shown), &*printable(text));
            }
        }
    }
}
