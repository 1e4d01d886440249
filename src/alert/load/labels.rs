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
use super::csv_words::{ADDRESSES, CLOCKS, HOSTS, NAMES, TIMES, spelt};
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
const LINKS: &[&str] = &["url", "urlfilename", "query", "indicator", "user", "username", "device"];

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
    pair(line).is_some_and(|(key, _)| kind(&key) == DESTINATION)
}

/// Reads all alerts of a text.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    for block in blocks(text) {
        let shown = block.shown();
        let Some(columns) = block.columns() else {
            // A mail has labels of its own as well.
            if !block.has(DESTINATION) {
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
    pairs: Vec<(String, &'a str)>,
    is_closed: bool,
}

impl<'a> Block<'a> {
    fn columns(&self) -> Option<Columns> {
        let header: Vec<&str> = self.pairs.iter().map(|(key, _)| key.as_str()).collect();
        if self.is_whole() { Columns::of(&StringRecord::from(header)) } else { None }
    }

    /// Whether it names a threat, a host and a destination that can be one.
    fn is_whole(&self) -> bool {
        let is_one =
            |(key, value): &(String, &str)| kind(key) == DESTINATION && is_destination(value);
        self.has(THREAT) && self.has(HOST) && self.pairs.iter().any(is_one)
    }

    fn has(&self, wanted: &str) -> bool {
        self.pairs.iter().any(|(key, _)| kind(key) == wanted)
    }

    /// Whether a label is the first of another alert: one that stands here already, or, once all is said, one of the
    /// kind that this one began with. Else one's host would be taken for the other's.
    fn is_left_by(&self, label: &str) -> bool {
        let is_again = self.pairs.iter().any(|(key, _)| key == label);
        let begins_alike = self.pairs.first().is_some_and(|(key, _)| kind(key) == kind(label));
        self.is_closed || is_again || begins_alike && self.is_whole()
    }

    fn values(&self) -> Vec<&'a str> {
        self.pairs.iter().map(|(_, value)| *value).collect()
    }

    fn shown(&self) -> String {
        let pairs: Vec<String> =
            self.pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        pairs.join("; ")
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim_matches(QUOTES).is_empty() {
            // Some mails have blank lines within.
            blocks.last_mut().into_iter().for_each(|block| block.is_closed |= block.is_whole());
            continue;
        }
        let Some((key, value)) = pair(content).filter(|(key, _)| is_known(key)) else { continue };
        match blocks.last_mut().filter(|block| !block.is_left_by(&key)) {
            Some(block) => block.pairs.push((key, value)),
            None => blocks.push(Block { line, pairs: vec![(key, value)], is_closed: false }),
        }
    }
    blocks
}

/// The label of a line, in the spelling of headers, and what stands behind it.
fn pair(line: &str) -> Option<(String, &str)> {
    let (label, value) = line.trim_start_matches(QUOTES).split_once(':')?;
    let value = value.trim();
    (label.len() <= 40 && !value.is_empty()).then(|| (spelt(label), value))
}

fn is_known(key: &str) -> bool {
    !kind(key).is_empty() && !LINKS.contains(&key)
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
