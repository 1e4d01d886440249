//! An alert as somebody writes it down, or a mail has it: what each thing is stands before it.
//!
//! ```text
//! Threat Name: C2/Generic-A
//! Source: 192.168.2.194
//! Destination: mi.kenal-cn.com
//! ```
//!
//! The label may stand before its value with a colon or a tab between them, or above it in a line of its own; with marks of a
//! list or of emphasis around it: `- **Destination:** mi.kenal-cn.com`, `Threat name....: C2/Generic-A`.
//!
//! The labels are read as the header of a CSV file is. Mails are full of other labels, with links behind them, so a host, a
//! destination, and a threat or a time must all be named, and no link is a destination.

use csv::StringRecord;

use crate::alert::load::TOP_LINES;
use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::Columns;
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::time_words::{CLOCKS, DAYS, TIMES, ZONES};
use crate::alert::load::columns::words::{ADDRESSES, EITHER_END_ADDRESSES, HOSTS, NAMES};
use crate::alert::load::pairs::key_value;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{has_known_suffix, is_address, is_destination, is_public};
use crate::alert::load::text::numbered_lines;
use crate::text::without_number;
use crate::time::{NoTime, UTC, Written};

const THREAT: &str = "threat";
const HOST: &str = "host";
const DESTINATION: &str = "destination";
const TIME: &str = "time";
/// What quotes and lists put before a line.
const QUOTES: [char; 9] = ['>', ' ', '\t', '-', '*', '•', '·', '▪', '–'];
/// What is put around words to mark them.
const EMPHASIS: [char; 3] = ['*', '`', '_'];
/// No label has more octets.
const LABEL_LEN_MAX: usize = 40;
/// No line of labels has more tabs; a table may.
const TABS_MAX: usize = 16;
/// How Sophos UTM calls the host in a mail.
const SOPHOS_HOST: &str = "srcipaddressorhost";
/// A mail has a date of its own, and a rule or a message may be anything.
const THREATS: &[&str] = &[
    "threatname",
    "threat",
    // So Sophos Central has it.
    "whatwasdetected",
    "malware",
    "malwarename",
    "virus",
    "virusname",
    "signature",
    "signaturename",
    "attack",
    "attackname",
    "alert",
    "alertname",
    "bedrohung",
    "bedrohungsname",
    "schadsoftware",
    "menace",
    "nommenace",
    "nomdelamenace",
    "amenaza",
    "nombredeamenaza",
    "nombredelaamenaza",
    "minaccia",
    "nomeminaccia",
    "nomedellaminaccia",
];
/// What the header of a mail has.
const OF_MAIL: [&str; 15] = [
    "from", "to", "subject", "sent", "von", "an", "betreff", "gesendet", "objet", "envoyé",
    "asunto", "enviado", "para", "oggetto", "inviato",
];
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

/// Those of them that name what was asked for where a name stands alone behind them.
const NO_LINKS: &[&str] = &["question", "query", "resource", "indicator"];

/// A name outside, and nothing else.
fn is_bare_name(text: &str) -> bool {
    !text.contains(['/', ':', '@']) && is_destination(text) && !is_address(text) && is_public(text)
}

/// Whether a text holds such an alert.
pub(crate) fn is_text(text: &str) -> bool {
    blocks(text).iter().any(|block| block.columns().is_some())
}

/// Whether a text is to be read so though it may hold pairs of `key=value`.
pub(crate) fn has_no_pairs(text: &str) -> bool {
    !numbered_lines(text).any(|(_, line)| key_value::is_line(line)) && is_text(text)
}

/// Whether a line names where something went.
pub(crate) fn is_destination_line(line: &str) -> bool {
    pairs(line).iter().any(|pair| pair.kind == DESTINATION)
}

/// Whether a text holds such an alert whose labels have tabs behind them, as pages of two columns are pasted.
pub(crate) fn is_of_tabs(text: &str) -> bool {
    let by_tab = |line: &str| if line.contains('\t') { pairs(line).len() } else { 0 };
    numbered_lines(text).take(TOP_LINES).map(|(_, line)| by_tab(line)).sum::<usize>() >= 3
        && is_text(text)
}

/// Reads all alerts of a text.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    for block in blocks(text) {
        let shown = block.shown();
        let Some(columns) = block.columns() else {
            // A mail has labels of its own as well.
            if !(block.has(DESTINATION) || block.has(THREAT) && block.has(HOST)) {
                continue;
            }
            collector.skip(
                block.line,
                &shown,
                "it names no threat or time, no host or no destination",
            );
            continue;
        };
        let record = StringRecord::from(block.values());
        let time = columns.time(&record, block.line, collector);
        collector.add(block.line, &shown, AlertRow { time, ..columns.row(&record) });
    }
}

/// Labelled lines of one alert.
#[derive(Default)]
struct LabelBlock<'a> {
    line: u32,
    pairs: Vec<LabelledValue<'a>>,
    is_closed: bool,
    /// How many of them have a blank line before, and whether the next one has.
    gaps: usize,
    is_gap: bool,
}

/// A label, what it tells of, and what stands behind it.
struct LabelledValue<'a> {
    label: &'a str,
    key: String,
    kind: &'static str,
    value: &'a str,
    /// The last sign of the label, as it is written.
    label_end: char,
}

impl<'a> LabelBlock<'a> {
    fn columns(&self) -> Option<Columns> {
        let header: Vec<&str> = self.pairs.iter().map(|pair| pair.label).collect();
        if self.is_alert() { Columns::of(&StringRecord::from(header)) } else { None }
    }

    /// Whether it names a threat, a host and a destination that can be one.
    fn is_whole(&self) -> bool {
        let is_one =
            |pair: &LabelledValue<'_>| pair.kind == DESTINATION && is_destination(pair.value);
        self.has(THREAT) && self.has(HOST) && self.pairs.iter().any(is_one)
    }

    /// Whether it is whole, or says when instead of a threat.
    fn is_alert(&self) -> bool {
        let is_far = |pair: &LabelledValue<'_>| {
            pair.kind == DESTINATION && is_destination(pair.value) && is_public(pair.value)
        };
        let is_clock = |pair: &LabelledValue<'_>| {
            let is_time = || Written::parse(pair.value, &UTC, None) != Err(NoTime::Unknown);
            pair.kind == TIME && pair.value.contains(':') && is_time()
        };
        let is_timed = self.pairs.iter().any(is_clock) && self.pairs.iter().any(is_far);
        self.is_whole() || self.has(HOST) && is_timed
    }

    fn push(&mut self, pair: LabelledValue<'a>) {
        self.gaps += usize::from(self.is_gap);
        self.is_gap = false;
        self.pairs.push(pair);
    }

    /// Some mails have blank lines within, and some one between any two lines.
    fn pass_blank(&mut self) {
        let is_spaced = 2 * self.gaps >= self.pairs.len();
        self.is_gap = true;
        self.is_closed |= self.is_whole() && !is_spaced;
    }

    fn has(&self, wanted: &str) -> bool {
        self.pairs.iter().any(|pair| pair.kind == wanted)
    }

    /// Whether a label is the first of another alert: one that stands here already, or, once all is said, one of the
    /// kind that this one began with. Else one's host would be taken for the other's.
    fn is_left_by(&self, new: &LabelledValue<'_>) -> bool {
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

fn blocks(text: &str) -> Vec<LabelBlock<'_>> {
    let mut blocks: Vec<LabelBlock<'_>> = Vec::new();
    let is_blank = |line: &str| line.trim_matches(QUOTES).is_empty();
    let lines: Vec<&str> = text.lines().collect();
    let mut number = 0_u32;
    let mut taken = None;
    for paragraph in lines.split_inclusive(|line| is_blank(line)) {
        let has_date = !is_mail_header(paragraph);
        for content in paragraph {
            number += 1;
            if is_blank(content) {
                blocks.last_mut().into_iter().for_each(LabelBlock::pass_blank);
                continue;
            }
            if taken == Some(number) {
                continue;
            }
            let mut found = pairs(content);
            if found.is_empty() {
                let behind = usize::try_from(number).ok().and_then(|number| lines.get(number..));
                let mut behind = behind.unwrap_or_default().iter().zip(number + 1..);
                if let Some((line, place)) = behind.find(|(line, _)| !is_blank(line))
                    && let Some(pair) = pair_of_lines(content, line)
                {
                    found.push(pair);
                    taken = Some(place);
                }
            }
            for pair in found.into_iter().filter(|pair| is_known(pair, has_date)) {
                match blocks.last_mut().filter(|block| !block.is_left_by(&pair)) {
                    Some(block) => block.push(pair),
                    None => {
                        blocks.push(LabelBlock {
                            line: number,
                            pairs: vec![pair],
                            ..LabelBlock::default()
                        });
                    }
                }
            }
        }
    }
    blocks
}

/// Whether lines without a blank one between them are of a mail's header, or tell nothing of an alert: their date is that
/// of the mail, which is sent later.
fn is_mail_header(paragraph: &[&str]) -> bool {
    let pairs = || paragraph.iter().flat_map(|line| pairs(line));
    let is_of_mail = |pair: LabelledValue<'_>| OF_MAIL.contains(&pair.key.as_str());
    let is_of_alert = |pair: LabelledValue<'_>| [THREAT, HOST, DESTINATION].contains(&pair.kind);
    // A label above its value tells of an alert as well.
    let is_alone = |line: &&str| [THREAT, HOST, DESTINATION].contains(&kind(&key(label(line)), ""));
    pairs().any(is_of_mail) || !pairs().any(is_of_alert) && !paragraph.iter().any(is_alone)
}

/// A label without the marks around it.
fn label(text: &str) -> &str {
    let text = without_number(text.trim_start_matches(QUOTES));
    text.trim()
        .trim_matches(EMPHASIS)
        .trim_end_matches(':')
        .trim_end_matches(['.', ' '])
        .trim_matches(EMPHASIS)
}

fn value(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '`'))
}

/// The labels of a line, as headings are understood, and what stands behind each.
fn pairs(line: &str) -> Vec<LabelledValue<'_>> {
    let content = line.trim_matches([' ', '\r']);
    if (1..=TABS_MAX).contains(&content.bytes().filter(|octet| *octet == b'\t').count()) {
        let cells: Vec<&str> =
            content.trim_start_matches(QUOTES).split('\t').map(str::trim).collect();
        let cells: Vec<&str> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        let paired = cells.chunks_exact(2).filter_map(|pair| match pair {
            [label, value] => Some(LabelledValue::of(label, value)),
            _ => None,
        });
        let found: Vec<LabelledValue<'_>> = paired.collect();
        let is_of = |pair: &LabelledValue<'_>| !pair.kind.is_empty() || pair.label_end == ':';
        let are_values = found.iter().all(|pair| kind(&key(label(pair.value)), "").is_empty());
        if cells.len().is_multiple_of(2) && found.iter().all(is_of) && are_values {
            return found;
        }
    }
    let parted = line.trim_start_matches(QUOTES).split_once(':');
    let is_label = |label: &str| label.len() <= LABEL_LEN_MAX && !label.contains(['{', '"']);
    let parted = parted.filter(|(label, value)| is_label(label) && !value.trim().is_empty());
    parted.map(|(label, value)| LabelledValue::of(label, value)).into_iter().collect()
}

/// A label that stands alone, and the line below it, if that can be its value.
fn pair_of_lines<'a>(line: &'a str, below: &'a str) -> Option<LabelledValue<'a>> {
    let pair = LabelledValue::of(line.trim_start_matches(QUOTES), below);
    let value = pair.value;
    let is_value = match pair.kind {
        HOST => {
            is_address(value)
                || !value.contains(char::is_whitespace) && !has_known_suffix(&value.to_lowercase())
        }
        DESTINATION => is_destination(value),
        TIME => value.contains(|c: char| c.is_ascii_digit()),
        THREAT => true,
        _ => false,
    };
    let is_plain =
        |line: &str| !line.contains('\t') && pairs(line).iter().all(|pair| pair.kind.is_empty());
    let is_label = !kind(&key(label(below)), "").is_empty();
    (is_value && !is_label && is_plain(line) && is_plain(below)).then_some(pair)
}

impl<'a> LabelledValue<'a> {
    fn of(text: &'a str, said: &'a str) -> LabelledValue<'a> {
        let label_end = text.trim_end().chars().next_back().unwrap_or_default();
        let (label, value) = (label(text), value(said));
        let key = key(label);
        // Columns know it by the word that stands for it in any form.
        let label = if key == SOPHOS_HOST { "source" } else { label };
        LabelledValue { label, kind: kind(&key, value), key, value, label_end }
    }
}

fn key(label: &str) -> String {
    if label.len() > LABEL_LEN_MAX { String::new() } else { Heading::of(label).key().to_owned() }
}

fn is_known(pair: &LabelledValue<'_>, has_date: bool) -> bool {
    let key = pair.key.as_str();
    let is_link = LINKS.contains(&key) && !(NO_LINKS.contains(&key) && is_bare_name(pair.value));
    !pair.kind.is_empty() && !is_link && (has_date || !DAYS.contains(&key))
}

/// What a label tells of, with that value behind it.
fn kind(key: &str, value: &str) -> &'static str {
    // One's own address is that of the host.
    let is_own = EITHER_END_ADDRESSES.contains(&key) && is_address(value) && !is_public(value);
    if is_own || key == SOPHOS_HOST {
        return HOST;
    }
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
    use crate::alert::load::{AlertFormat, Alerts};

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
        assert_eq!((alerts.format, found.as_slice()), (AlertFormat::KeyValue, &expected[..]));
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
            assert!(error.to_string().contains("not recognised"), "{text}: {error}");
        }
    }
}
