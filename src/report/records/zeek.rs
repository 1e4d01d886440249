//! Tab-separated values with the header lines of a Zeek log: `zeek-cut` and what else reads those.
//!
//! Escaping is Zeek's: an octet that does not print, is not ASCII, or is a backslash, is `\xHH`; so is a
//! comma inside a set. A value that would read as unset or empty has its first octet escaped.

use std::io::{self, Write};

use super::row::{Row, confidence, number, rows};
use crate::attribution::Attribution;
use crate::report::{Ending, Report, Subject};
use crate::time::Timestamp;

const UNSET: &str = "-";
const EMPTY: &str = "(empty)";

/// What stands in a column.
enum Value {
    Unset,
    Text(String),
    Many(Vec<String>),
}

impl Value {
    fn maybe(text: Option<impl ToString>) -> Value {
        text.map_or(Value::Unset, |text| Value::Text(text.to_string()))
    }
}

/// Its name, its Zeek type, and how it is read from a row.
type Column = (&'static str, &'static str, fn(&Row<'_>) -> Value);

/// The columns, in order. Columns are added at the end, never changed.
const COLUMNS: &[Column] = &[
    ("ts", "time", |row| Value::Text(epoch(row.time()))),
    ("uid", "string", |row| Value::Text(row.attribution.id.clone())),
    ("id.orig_h", "addr", |row| Value::Text(row.source().to_string())),
    ("id.orig_p", "port", |row| Value::maybe(row.client.map(|client| client.port))),
    ("id.resp_h", "addr", |row| Value::Text(row.destination().to_string())),
    ("proto", "enum", |row| Value::maybe(Some(row.attribution.sighting.transport.as_str()))),
    ("query", "string", |row| Value::maybe(Some(row.question().0))),
    ("qtype_name", "string", |row| Value::maybe(Some(row.question().1))),
    ("rcode_name", "string", |row| Value::maybe(row.rcode())),
    ("verdict", "enum", |row| Value::maybe(Some(row.attribution.verdict.as_str()))),
    ("role", "enum", |row| Value::maybe(row.client.map(|client| client.role.as_str()))),
    ("confidence", "double", |row| {
        Value::maybe(row.client.map(|client| confidence(client.confidence_permille)))
    }),
    ("indicator", "string", |row| Value::maybe(Some(row.indicator.value))),
    ("list", "string", |row| Value::maybe(Some(row.list))),
    ("list_line", "count", |row| Value::maybe(Some(row.indicator.line))),
    ("chain", "vector[string]", |row| match row.client {
        Some(client) => Value::Many(client.chain.iter().map(|step| step.name.clone()).collect()),
        None => Value::Unset,
    }),
    ("hops", "vector[addr]", |row| Value::Many(row.hops())),
    ("mac", "string", |row| Value::maybe(row.mac())),
    ("hostname", "string", |row| Value::maybe(row.hostname())),
    ("contacted", "string", |row| Value::maybe(row.client.map(|client| client.contact.as_str()))),
    ("hints", "set[string]", |row| {
        Value::Many(row.attribution.doubt_words().map(str::to_owned).collect())
    }),
    ("reason", "string", |row| Value::maybe(row.attribution.reason.as_deref())),
    ("asked_frame", "count", |row| {
        Value::maybe(row.client.and_then(|client| number(client.asked_frame)))
    }),
    ("answer_frame", "count", |row| {
        Value::maybe(row.client.and_then(|client| number(client.answer_frame)))
    }),
    ("file", "string", |row| Value::maybe(row.files.of(row.frame()))),
    ("leg", "enum", |row| Value::maybe(Some(row.attribution.sighting.leg.as_str()))),
    ("where", "enum", |row| Value::maybe(Some(row.attribution.sighting.place.as_str()))),
    ("query_ts", "time", |row| Value::Text(epoch(row.attribution.sighting.time))),
    ("flagged_query", "string", |row| Value::maybe(Some(&row.attribution.sighting.name))),
    ("resolver", "addr", |row| Value::maybe(Some(row.attribution.sighting.resolver))),
    ("server", "addr", |row| Value::maybe(Some(row.attribution.sighting.server))),
    ("query_frame", "count", |row| Value::maybe(number(row.attribution.sighting.frame))),
    ("response_frame", "count", |row| {
        Value::maybe(number(row.attribution.sighting.response_frame))
    }),
    ("list_description", "string", |row| Value::maybe(row.indicator.description)),
    ("list_confidence", "count", |row| Value::maybe(row.list_confidence())),
    ("triage", "enum", |row| Value::maybe(row.triage())),
];

/// Writes header lines, then a line for each sighting and client as soon as it is known.
#[derive(Debug)]
pub struct Zeek<'a, W> {
    out: W,
    subject: Subject<'a>,
    begun: bool,
}

impl<'a, W: Write> Zeek<'a, W> {
    /// Writes to `out`, which had better be buffered.
    pub fn new(out: W, subject: Subject<'a>) -> Zeek<'a, W> {
        Zeek { out, subject, begun: false }
    }

    /// Writes lines that follow others: the header stands there already.
    pub fn following(out: W, subject: Subject<'a>) -> Zeek<'a, W> {
        Zeek { out, subject, begun: true }
    }

    /// Writes the header alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn heading(out: &mut W, opened: Option<Timestamp>) -> io::Result<()> {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
        let types: Vec<&str> = COLUMNS.iter().map(|(_, kind, _)| *kind).collect();
        writeln!(out, "#separator \\x09\n#set_separator\t,")?;
        writeln!(out, "#empty_field\t{EMPTY}\n#unset_field\t{UNSET}\n#path\twhoasked")?;
        writeln!(out, "#open\t{}", opened.map_or(UNSET.to_owned(), at))?;
        writeln!(out, "#fields\t{}\n#types\t{}", names.join("\t"), types.join("\t"))
    }

    /// A run over the same capture gives the same log, so that the times of opening and closing are the
    /// capture's.
    fn begin(&mut self, opened: Option<Timestamp>) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        Self::heading(&mut self.out, opened)
    }
}

impl<W: Write> Report for Zeek<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        for row in rows(attribution, self.subject) {
            self.begin(Some(row.time()))?;
            let fields: Vec<String> = COLUMNS.iter().map(|(.., read)| field(&read(&row))).collect();
            writeln!(self.out, "{}", fields.join("\t"))?;
        }
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let span = ending.coverage.span;
        self.begin(span.map(|(first, _)| first))?;
        writeln!(self.out, "#close\t{}", span.map_or(UNSET.to_owned(), |(_, last)| at(last)))?;
        self.out.flush()
    }
}

fn field(value: &Value) -> String {
    match value {
        Value::Unset => UNSET.to_owned(),
        Value::Text(text) => escaped(text, false),
        Value::Many(texts) if texts.is_empty() => EMPTY.to_owned(),
        Value::Many(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| escaped(text, true)).collect();
            texts.join(",")
        }
    }
}

/// A text as it stands in a field, or as one of many in it.
fn escaped(text: &str, is_element: bool) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let reads_as_nothing = text == UNSET || text == EMPTY;
    let mut out = String::with_capacity(text.len());
    for (place, octet) in text.bytes().enumerate() {
        let plain = matches!(octet, b' '..=b'~') && octet != b'\\';
        let separates = is_element && octet == b',';
        if !plain || separates || (reads_as_nothing && place == 0) {
            out.push_str(&format!("\\x{octet:02x}"));
        } else {
            out.push(char::from(octet));
        }
    }
    out
}

/// Seconds since the epoch with six decimals, as Zeek writes times.
fn epoch(time: Timestamp) -> String {
    let sign = if time.0 < 0 { "-" } else { "" };
    let micros = time.0.unsigned_abs() / 1_000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// `2019-11-29-08-25-01`.
fn at(time: Timestamp) -> String {
    time.to_string().get(..19).unwrap_or(UNSET).replace(['T', ':'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader makes of a field that is not unset.
    fn read(field: &str) -> Vec<u8> {
        let mut octets = field.bytes();
        let mut out = Vec::new();
        if field == EMPTY {
            return out;
        }
        while let Some(octet) = octets.next() {
            if octet != b'\\' {
                out.push(octet);
                continue;
            }
            assert_eq!(octets.next(), Some(b'x'));
            let digits = [octets.next().unwrap(), octets.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
        }
        out
    }

    #[test]
    fn what_reads_as_nothing_is_escaped() {
        assert_eq!(escaped("-", false), "\\x2d");
        assert_eq!(escaped("(empty)", true), "\\x28empty)");
        assert_eq!(escaped("", false), "(empty)");
        assert_eq!(escaped("-a", false), "-a");
        assert_eq!(field(&Value::Many(vec!["a,b".into(), "-".into()])), "a\\x2cb,\\x2d");
        assert_eq!(
            (field(&Value::Many(vec![])), field(&Value::Unset)),
            (EMPTY.into(), UNSET.into())
        );
    }

    #[test]
    fn times_have_six_decimals() {
        assert_eq!(epoch(Timestamp(1_575_015_901_123_456_789)), "1575015901.123456");
        assert_eq!(epoch(Timestamp(-1_500_000_000)), "-1.500000");
        assert_eq!(at(Timestamp(1_575_015_901_123_456_789)), "2019-11-29-08-25-01");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_field_comes_back(texts in proptest::collection::vec(any::<String>(), 1..5)) {
            for text in &texts {
                let shown = escaped(text, false);
                prop_assert!(shown.bytes().all(|octet| matches!(octet, b' '..=b'~')));
                prop_assert_ne!(&shown, UNSET);
                prop_assert_eq!(read(&shown), text.as_bytes());
            }
            let all = field(&Value::Many(texts.clone()));
            let elements: Vec<&str> = all.split(',').collect();
            prop_assert_eq!(elements.len(), texts.len());
            for (element, text) in elements.iter().zip(&texts) {
                prop_assert_eq!(read(element), text.as_bytes());
            }
        }
    }
}
