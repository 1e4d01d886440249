//! An alert as somebody writes it down, or a mail has it: what each thing is stands before it.
//!
//! ```text
//! Threat Name: C2/Generic-A
//! Source: 192.168.2.194
//! Destination: mi.kenal-cn.com
//! ```
//!
//! The labels are read as the header of a CSV file is. Mails are full of other labels, with links behind them, so a
//! threat, a host and a destination must all be named, and no link is a destination.

use csv::StringRecord;

use super::csv_columns::Columns;
use super::csv_words::{ADDRESSES, CLOCKS, DAYS, HOSTS, Heading, NAMES, TIMES, ZONES};
use super::row::{Row, is_destination};
use super::{Rows, key_value, lines};

const THREAT: &str = "threat";
const HOST: &str = "host";
const DESTINATION: &str = "destination";
const TIME: &str = "time";
/// What quotes and lists put before a line.
const QUOTES: [char; 5] = ['>', ' ', '\t', '-', '*'];
/// A mail has a date of its own, and a rule or a message may be anything.
const THREATS: &[&str] =
    &["threatname", "threat", "malware", "malwarename", "virus", "virusname", "signature"];
/// What links stand behind, and words of other things.
const LINKS: &[&str] = &[
    "url",
    "urls",
    "urlfilename",
    "urlfull",
    "urloriginal",
    "website",
    "question",
    "query",
    "resource",
    "indicator",
    "user",
    "username",
    "device",
    "start",
    "end",
    "created",
];

/// Whether a text holds such an alert.
pub(super) fn is_text(text: &str) -> bool {
    blocks(text).iter().any(|block| block.columns().is_some())
}

/// Whether a text is to be read so though it may hold pairs of `key=value`.
pub(super) fn has_no_pairs(text: &str) -> bool {
    !lines(text).any(|(_, line)| key_value::is_line(line)) && is_text(text)
}

/// Whether a line names where something went.
pub(super) fn is_destination_line(line: &str) -> bool {
    pair(line).is_some_and(|pair| pair.kind == DESTINATION)
}

/// Reads all alerts of a text.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    for block in blocks(text) {
        let shown = block.shown();
        let Some(columns) = block.columns() else {
            // A mail has labels of its own as well.
            if !(block.has(DESTINATION) || block.has(THREAT) && block.has(HOST)) {
                continue;
            }
            rows.skip(block.line, &shown, "it names no threat, no host or no destination");
            continue;
        };
        let record = StringRecord::from(block.values());
        let time = columns.time(&record, block.line, rows);
        rows.add(block.line, &shown, Row { time, ..columns.row(&record) });
    }
}

/// Labelled lines of one alert.
#[derive(Default)]
struct Block<'a> {
    line: u32,
    pairs: Vec<Pair<'a>>,
    is_closed: bool,
}

/// A label, what it tells of, and what stands behind it.
struct Pair<'a> {
    label: &'a str,
    key: String,
    kind: &'static str,
    value: &'a str,
}

impl<'a> Block<'a> {
    fn columns(&self) -> Option<Columns> {
        let header: Vec<&str> = self.pairs.iter().map(|pair| pair.label).collect();
        if self.is_whole() { Columns::of(&StringRecord::from(header)) } else { None }
    }

    /// Whether it names a threat, a host and a destination that can be one.
    fn is_whole(&self) -> bool {
        let is_one = |pair: &Pair<'_>| pair.kind == DESTINATION && is_destination(pair.value);
        self.has(THREAT) && self.has(HOST) && self.pairs.iter().any(is_one)
    }

    fn has(&self, wanted: &str) -> bool {
        self.pairs.iter().any(|pair| pair.kind == wanted)
    }

    /// Whether a label is the first of another alert: one that stands here already, or, once all is said, one of the
    /// kind that this one began with. Else one's host would be taken for the other's.
    fn is_left_by(&self, new: &Pair<'_>) -> bool {
        let is_again = self.pairs.iter().any(|pair| pair.key == new.key);
        let begins_alike = self.pairs.first().is_some_and(|pair| pair.kind == new.kind);
        self.is_closed || is_again || begins_alike && self.is_whole()
    }

    fn values(&self) -> Vec<&'a str> {
        self.pairs.iter().map(|pair| pair.value).collect()
    }

    fn shown(&self) -> String {
        let pairs: Vec<String> =
            self.pairs.iter().map(|pair| format!("{}: {}", pair.key, pair.value)).collect();
        pairs.join("; ")
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let is_blank = |line: &str| line.trim_matches(QUOTES).is_empty();
    let lines: Vec<&str> = text.lines().collect();
    let mut number = 0;
    for paragraph in lines.split_inclusive(|line| is_blank(line)) {
        let has_date = !is_mail_header(paragraph);
        for content in paragraph {
            number += 1;
            if is_blank(content) {
                // Some mails have blank lines within.
                blocks.last_mut().into_iter().for_each(|block| block.is_closed |= block.is_whole());
                continue;
            }
            let Some(pair) = pair(content).filter(|pair| is_known(pair, has_date)) else {
                continue;
            };
            match blocks.last_mut().filter(|block| !block.is_left_by(&pair)) {
                Some(block) => block.pairs.push(pair),
                None => {
                    blocks.push(Block { line: number, pairs: vec![pair], is_closed: false });
                }
            }
        }
    }
    blocks
}

/// Whether lines without a blank one between them are of a mail's header, or tell nothing of an alert: their date is that
/// of the mail, which is sent later.
fn is_mail_header(paragraph: &[&str]) -> bool {
    let pairs = || paragraph.iter().filter_map(|line| pair(line));
    let is_of_mail =
        |pair: Pair<'_>| ["from", "to", "subject", "sent"].contains(&pair.key.as_str());
    let is_of_alert = |pair: Pair<'_>| [THREAT, HOST, DESTINATION].contains(&pair.kind);
    pairs().any(is_of_mail) || !pairs().any(is_of_alert)
}

/// The label of a line, as headers are understood, and what stands behind it.
fn pair(line: &str) -> Option<Pair<'_>> {
    let (label, value) = line.trim_start_matches(QUOTES).split_once(':')?;
    let (label, value) = (label.trim(), value.trim());
    if label.len() > 40 || value.is_empty() {
        return None;
    }
    let heading = Heading::of(label);
    Some(Pair { label, kind: kind(heading.key()), key: heading.key().to_owned(), value })
}

fn is_known(pair: &Pair<'_>, has_date: bool) -> bool {
    let key = pair.key.as_str();
    !pair.kind.is_empty() && !LINKS.contains(&key) && (has_date || !DAYS.contains(&key))
}

/// What a label tells of.
fn kind(key: &str) -> &'static str {
    let kinds = [
        (THREAT, THREATS),
        (HOST, HOSTS),
        (DESTINATION, NAMES),
        (DESTINATION, ADDRESSES),
        (TIME, TIMES),
        (TIME, CLOCKS),
        (TIME, DAYS),
        (TIME, ZONES),
    ];
    kinds.iter().find(|(_, words)| words.contains(&key)).map_or("", |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{Alerts, Form};

    #[test]
    fn each_block_of_labels_is_an_alert() {
        let one =
            "Threat Name: C2/Generic-A\nSource: 192.168.2.194\nDestination: mi.kenal-cn.com\n";
        let two = "Threat: C2\nSource IP: 192.168.2.42\nDestination IP: 203.0.113.66\nTime: 2026-03-02 09:17:42\n";
        let mail = format!(
            "From: Bob\nDate: Mon, 2 Mar 2026\n\nsee this:\n\n{one}URL: https://support.sophos.com/x\n\n> {two}"
        );
        let alerts = Alerts::read("m.txt", &mail, None, &Zones::default()).unwrap();
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|alert| (alert.line, alert.host.as_deref(), alert.destination.as_str()))
            .collect();
        let expected = [
            (6, Some("192.168.2.194"), "mi.kenal-cn.com"),
            (11, Some("192.168.2.42"), "203.0.113.66"),
        ];
        assert_eq!((alerts.form, found.as_slice()), (Form::KeyValue, &expected[..]));
        assert_eq!(alerts.alerts[0].threat.as_deref(), Some("C2/Generic-A"));
        assert!(alerts.alerts[1].time.is_some());
    }

    #[test]
    fn the_date_of_an_alert_counts_and_that_of_a_mail_does_not() {
        let mail =
            "From: fw@office.example\nDate: Tue, 9 Jun 2026 09:40:00 +0000\nSubject: Alert\n";
        let alert = |when: &str| {
            format!(
                "Threat: C2/Generic-A\n{when}\nSource: 10.20.0.10\nDestination: mi.kenal-cn.com\n"
            )
        };
        let time = |text: &str| {
            let alerts = Alerts::read("m.txt", text, None, &Zones::default()).unwrap();
            assert_eq!(alerts.alerts.len(), 1, "{text}");
            let time = alerts.alerts[0].time;
            time.map_or(String::new(), |time| time.to_string()[..19].to_owned())
        };
        for when in [
            "Date: 2026-06-09 07:15:07",
            "Occurred: 2026-06-09 07:15:07",
            "Detected at: 2026-06-09 09:15:07 CEST",
            "Time (CEST): 2026-06-09 09:15:07",
            "Date: 2026-06-09\nTime: 07:15:07",
            "Time: 2026-06-09 09:15:07\nTime zone: +0200",
        ] {
            assert_eq!(time(&alert(when)), "2026-06-09T07:15:07", "{when}");
            assert_eq!(time(&format!("{mail}\n{}", alert(when))), "2026-06-09T07:15:07", "{when}");
        }
        assert_eq!(time(&format!("{mail}\n{}", alert("Severity: high"))), "");
        assert_eq!(time(&format!("{mail}{}", alert("Severity: high"))), "");
    }

    #[test]
    fn the_host_of_one_alert_is_never_that_of_the_next() {
        let text = "Source: 10.0.0.5\nThreat: C2\nDestination: one.com\nDestination IP: 192.0.2.1\n\
                    Source IP: 10.0.0.6\nThreat Name: C2\nDomain: two.com\n\n\
                    Threat: C2\nSource Host: dc1\n\nDestination: three.com\nTime: 2026-03-02 09:17:42\n";
        let alerts = Alerts::read("m.txt", text, None, &Zones::default()).unwrap();
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|alert| (alert.host.as_deref().unwrap_or_default(), alert.destination.as_str()))
            .collect();
        assert_eq!(found, [("10.0.0.5", "one.com"), ("10.0.0.6", "two.com"), ("dc1", "three.com")]);
    }

    #[test]
    fn what_names_no_host_no_threat_or_no_destination_is_none() {
        for text in [
            "Threat: C2\nDestination: evil.com\n",
            "Source: 10.0.0.5\nDestination: evil.com\n",
            "Threat: C2\nSource: 10.0.0.5\nURL: https://support.sophos.com/x\n",
            "Threat: C2\nSource: 10.0.0.5\nDestination: unknown\n",
        ] {
            let error = Alerts::read("m.txt", text, None, &Zones::default()).unwrap_err();
            assert!(error.to_string().contains("no form that is known"), "{text}: {error}");
        }
    }
}
