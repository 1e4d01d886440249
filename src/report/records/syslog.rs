//! Syslog messages (RFC 5424): a sentence for people, and the facts as structured data.
//!
//! The facility is local0; the severity is alert (1) for a client that is certain, warning (4) for what is
//! perhaps a false alarm or a client less than certain, notice (5) where nobody is named, informational (6)
//! for the last message, which says what the run came to. The host name is left to the receiver (`-`): a
//! capture says nothing of the machine it is read on, and the same capture gives the same messages.

use std::io::{self, Write};

use super::row::{Row, Severity, confidence, micros, number, rows};
use crate::attribution::Attribution;
use crate::report::{Ending, Report, Subject};
use crate::text::printable;
use crate::time::Timestamp;

/// local0, shifted to where a priority has it (RFC 5424 section 6.2.1).
const FACILITY: u8 = 16 << 3;
/// Under which the parameters stand. 32473 is the number that RFC 5612 sets aside for those who have none.
const DATA_ID: &str = "whoasked@32473";
/// The longest value of a parameter, in octets: with 20 of them a message stays below the 8 KiB that
/// daemons take by default. A name escaped throughout has 1,004.
const VALUE_OCTETS_MAX: usize = 1_024;

/// The header of a message, up to where its structured data begins.
pub(super) fn header(severity: u8, time: Option<Timestamp>, kind: &str) -> String {
    let time = time.map_or("-".to_owned(), |time| micros(time) + "Z");
    format!("<{}>1 {time} - whoasked - {kind}", FACILITY | severity)
}

/// The severity of a row (RFC 5424 section 6.2.1).
pub(super) fn severity(row: &Row<'_>) -> u8 {
    match row.severity() {
        Severity::High => 1,
        Severity::Middle => 4,
        Severity::Low => 5,
    }
}

/// Writes one message a line for each sighting and client, each as soon as it is known.
#[derive(Debug)]
pub struct Syslog<'a, W> {
    out: W,
    subject: Subject<'a>,
}

impl<'a, W: Write> Syslog<'a, W> {
    /// Writes to `out`, which had better be buffered, or take a line for a message.
    pub fn new(out: W, subject: Subject<'a>) -> Syslog<'a, W> {
        Syslog { out, subject }
    }
}

impl<W: Write> Report for Syslog<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        for row in rows(attribution, self.subject) {
            let head = header(severity(&row), Some(row.time()), "attribution");
            let (data, words) = (data(&facts(&row)), cut(&printable(&row.sentence())).to_owned());
            writeln!(self.out, "{head} {data} {words}")?;
        }
        Ok(())
    }

    /// What the run came to: so that silence is no message that was lost.
    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let last = ending.coverage.span.map(|(_, last)| last);
        let (verdicts, lacked) = (ending.verdicts, ending.lacked);
        let facts = [
            ("messages", lacked.decoded.messages.to_string()),
            ("attributed", verdicts.attributed.to_string()),
            ("no_client", verdicts.no_client.to_string()),
            ("undetermined", verdicts.undetermined.to_string()),
            ("damage", lacked.damage.len().to_string()),
            ("interrupted", lacked.interrupted.to_string()),
        ];
        let words = format!(
            "{} DNS messages read, {} flagged queries",
            lacked.decoded.messages,
            verdicts.total()
        );
        writeln!(self.out, "{} {} {words}", header(6, last, "coverage"), data(&facts))?;
        self.out.flush()
    }
}

fn facts(row: &Row<'_>) -> Vec<(&'static str, String)> {
    let (attribution, sighting) = (row.attribution, &row.attribution.sighting);
    let mut facts = vec![
        ("id", attribution.id.clone()),
        ("verdict", attribution.verdict.as_str().to_owned()),
        ("indicator", row.indicator.value.to_owned()),
        ("list", row.list.to_owned()),
        ("line", row.indicator.line.to_string()),
        ("resolver", sighting.resolver.to_string()),
        ("server", sighting.server.to_string()),
        ("query", sighting.name.clone()),
    ];
    if let Some(client) = row.client {
        facts.extend([
            ("client", client.address.to_string()),
            ("port", client.port.to_string()),
            ("role", client.role.as_str().to_owned()),
            ("confidence", confidence(client.confidence_permille)),
            ("asked", client.asked.clone()),
            ("type", client.asked_type.clone()),
            ("chain", row.chain().unwrap_or_default()),
            ("contacted", client.contact.as_str().to_owned()),
        ]);
    }
    let more = [
        ("triage", row.triage().map(ToOwned::to_owned)),
        ("mac", row.mac().map(|mac| mac.to_string())),
        ("host", row.hostname().map(ToOwned::to_owned)),
        ("rcode", row.rcode().map(ToOwned::to_owned)),
        ("reason", attribution.reason.clone()),
        ("description", row.indicator.description.map(ToOwned::to_owned)),
        ("list_confidence", row.list_confidence()),
        ("frame", number(row.frame()).map(|number| number.to_string())),
        ("file", row.files.of(row.frame()).map(ToOwned::to_owned)),
    ];
    facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    facts
}

/// `[whoasked@32473 name="value" ...]`.
fn data(facts: &[(&str, String)]) -> String {
    let mut out = format!("[{DATA_ID}");
    for (name, value) in facts {
        out.push_str(&format!(" {name}=\"{}\"", escaped(cut(&printable(value)))));
    }
    out + "]"
}

/// A value of a parameter: `"`, `\` and `]` behind a backslash (RFC 5424 section 6.3.3).
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// At most so much of a text as a value may have.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(VALUE_OCTETS_MAX)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads structured data as RFC 5424 section 6.3 has it, whole or not at all.
    fn read(data: &str) -> Option<Vec<(String, String)>> {
        let mut rest = data.strip_prefix(&format!("[{DATA_ID}"))?;
        let mut facts = Vec::new();
        while rest != "]" {
            let (name, value) = rest.strip_prefix(' ')?.split_once("=\"")?;
            let (mut plain, mut letters) = (String::new(), value.char_indices());
            rest = loop {
                match letters.next()? {
                    (at, '"') => break value.get(at + 1..)?,
                    (_, '\\') => plain.push(letters.next()?.1),
                    (_, ']') => return None,
                    (_, c) => plain.push(c),
                }
            };
            facts.push((name.to_owned(), plain));
        }
        Some(facts)
    }

    #[test]
    fn a_header_is_that_of_the_rfc() {
        let time = Timestamp(1_575_015_901_123_456_789);
        let head = header(1, Some(time), "attribution");
        assert_eq!(head, "<129>1 2019-11-29T08:25:01.123456Z - whoasked - attribution");
        assert_eq!(header(6, None, "coverage"), "<134>1 - - whoasked - coverage");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_parameter_comes_back(values in proptest::collection::vec("\\PC{0,40}", 0..6)) {
            let facts: Vec<_> = values.iter().map(|value| ("name", value.clone())).collect();
            let line = data(&facts);
            prop_assert!(!line.contains(char::is_control));
            let read = read(&line).expect(&line);
            let read: Vec<&String> = read.iter().map(|(_, value)| value).collect();
            let shown: Vec<String> = values.iter().map(|v| printable(v).into_owned()).collect();
            prop_assert_eq!(read, shown.iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_text_makes_one_short_line(text: String, times in 0usize..2_000) {
            let line = data(&[("a", text.clone()), ("b", text.repeat(times))]);
            prop_assert!(!line.contains(char::is_control) && line.len() < 5_000);
            prop_assert!(read(&line).is_some(), "{}", line);
        }
    }
}
