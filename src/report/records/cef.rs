//! Common Event Format (ArcSight, CEF:0), one event a line.
//!
//! In the header `|` and `\` stand behind a backslash; in the extension `=` and `\`, and a line break is
//! `\n`. To a socket, an event goes as the text of a syslog message, as receivers of CEF expect.

use std::io::{self, Write};

use super::row::{Row, Severity, confidence, number, rows};
use super::syslog;
use crate::attribution::{Attribution, Verdict};
use crate::flow::Address;
use crate::report::{Ending, Report, Subject};
use crate::resolution::Leg;
use crate::text::{is_unseen, printable};

/// Writes one event a line for each sighting and client, each as soon as it is known.
#[derive(Debug)]
pub struct Cef<'a, W> {
    out: W,
    subject: Subject<'a>,
    in_syslog: bool,
}

impl<'a, W: Write> Cef<'a, W> {
    /// Writes to `out`; with `in_syslog`, each event as a syslog message (RFC 5424).
    pub fn new(out: W, subject: Subject<'a>, in_syslog: bool) -> Cef<'a, W> {
        Cef { out, subject, in_syslog }
    }
}

impl<W: Write> Report for Cef<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        for row in rows(attribution, self.subject) {
            if self.in_syslog {
                let head = syslog::header(syslog::severity(&row), Some(row.time()), "attribution");
                write!(self.out, "{head} - ")?;
            }
            writeln!(self.out, "{}", event(&row))?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Ending<'_>) -> io::Result<()> {
        self.out.flush()
    }
}

fn event(row: &Row<'_>) -> String {
    let name = match row.attribution.verdict {
        Verdict::Attributed => "Client behind a flagged DNS lookup",
        Verdict::NoClient => "Flagged DNS lookup without a client",
        Verdict::Undetermined => "Flagged DNS lookup of an unknown client",
    };
    // 0 to 10, 10 the most severe.
    let severity = match row.severity() {
        Severity::High => 9,
        Severity::Middle => 6,
        Severity::Low => 3,
    };
    let version = header_field(env!("CARGO_PKG_VERSION"));
    let class = header_field(row.attribution.verdict.as_str());
    let extension: Vec<String> = extension(row)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", extension_value(&value)))
        .collect();
    format!("CEF:0|whoasked|whoasked|{version}|{class}|{name}|{severity}|{}", extension.join(" "))
}

/// Keys of the CEF dictionary where it has one; else its custom strings and numbers with their labels.
fn extension(row: &Row<'_>) -> Vec<(&'static str, String)> {
    let (attribution, sighting) = (row.attribution, &row.attribution.sighting);
    let text = |text: &str| text.to_owned();
    let mut pairs = vec![
        ("rt", (row.time().0.div_euclid(1_000_000)).to_string()),
        ("externalId", attribution.id.clone()),
    ];
    pairs.extend(address("src", ("c6a2", "c6a2Label", "Source IPv6 Address"), row.source()));
    let to = ("c6a3", "c6a3Label", "Destination IPv6 Address");
    pairs.extend(address("dst", to, row.destination()));
    if let Some(client) = row.client {
        pairs.push(("spt", client.port.to_string()));
        pairs.push(("cfp1Label", text("confidence")));
        pairs.push(("cfp1", confidence(client.confidence_permille)));
        pairs.push(("cs3Label", text("role")));
        pairs.push(("cs3", text(client.role.as_str())));
        pairs.push(("cs4Label", text("contacted")));
        pairs.push(("cs4", text(client.contact.as_str())));
    }
    pairs.extend([
        ("smac", row.mac().map(|mac| mac.to_string()).unwrap_or_default()),
        ("shost", row.hostname().unwrap_or_default().to_owned()),
        ("proto", sighting.transport.as_str().to_ascii_uppercase()),
        ("app", text("DNS")),
        ("destinationDnsDomain", text(row.question().0)),
        ("outcome", text(row.rcode().unwrap_or("unanswered"))),
        ("cs1Label", text("indicator")),
        ("cs1", text(row.indicator.value)),
        ("cs2Label", text("chain")),
        ("cs2", row.chain().unwrap_or_else(|| sighting.name.clone())),
        ("cs5Label", text("list")),
        ("cs5", format!("{}:{}", row.list, row.indicator.line)),
        ("flexString1Label", text(row.indicator.description.map_or("", |_| "description"))),
        ("flexString1", text(row.indicator.description.unwrap_or_default())),
        ("flexString2Label", text(row.triage().map_or("", |_| "triage"))),
        ("flexString2", text(row.triage().unwrap_or_default())),
        ("reason", attribution.reason.clone().unwrap_or_default()),
    ]);
    if sighting.leg == Leg::Upstream {
        pairs.push(("cs6Label", text("server asked upstream")));
        pairs.push(("cs6", format!("{} by {}", sighting.server, sighting.resolver)));
    }
    if let Some(number) = number(row.frame()) {
        pairs.push(("cn1Label", text("frame")));
        pairs.push(("cn1", number.to_string()));
    }
    pairs.push(("fname", row.files.of(row.frame()).unwrap_or_default().to_owned()));
    pairs.push(("msg", row.sentence()));
    pairs
}

/// An address under the key for IPv4, or under the one for IPv6 with its label.
fn address(
    v4: &'static str,
    (v6, label, words): (&'static str, &'static str, &str),
    address: Address,
) -> Vec<(&'static str, String)> {
    match address.is_v4() {
        true => vec![(v4, address.to_string())],
        false => vec![(v6, address.to_string()), (label, words.to_owned())],
    }
}

fn header_field(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('|', "\\|")
}

fn extension_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '=' => out.push_str("\\="),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // Its own backslash has to stand behind another.
            c if is_unseen(c) => out.push_str(&format!("\\{}", c.escape_unicode())),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(value: &str) -> String {
        let mut out = String::new();
        let mut letters = value.chars();
        while let Some(c) = letters.next() {
            match (c, c == '\\') {
                (_, true) => match letters.next().unwrap() {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    c @ ('\\' | '=') => out.push(c),
                    c => panic!("an escape of {c:?}"),
                },
                ('=', _) => panic!("a bare ="),
                (c, _) => out.push(c),
            }
        }
        out
    }

    #[test]
    fn separators_are_escaped_where_they_separate() {
        assert_eq!(header_field("a|b\\c=d"), "a\\|b\\\\c=d");
        assert_eq!(extension_value("a|b\\c=d\n\u{1b}"), "a|b\\\\c\\=d\\n\\\\u{1b}");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_value_comes_back(text: String) {
            let value = extension_value(&text);
            prop_assert!(!value.contains(is_unseen));
            let breaks = |c: char| matches!(c, '\n' | '\r');
            let shown: String = text
                .split_inclusive(breaks)
                .map(|part| match part.ends_with(breaks) {
                    true => format!("{}{}", printable(&part[..part.len() - 1]), &part[part.len() - 1..]),
                    false => printable(part).into_owned(),
                })
                .collect();
            prop_assert_eq!(plain(&value), shown);
        }
    }
}
