//! Common Event Format, as ArcSight defines it and many firewalls send it.
//!
//! ```text
//! CEF:0|Vendor|Product|Version|Id|Name|Severity|src=192.168.2.194 dhost=mi.kenal-cn.com rt=1772443062000
//! ```

use crate::alert::load::collector::{AlertCollector, JOINED_ROWS};
use crate::alert::load::columns::time_words::SPANS;
use crate::alert::load::pairs::key_value;
use crate::alert::load::row::value::{is_destination, is_same_key, normalized_key, present_value};
use crate::alert::load::row::{AlertRow, threat_text};
use crate::alert::load::text::numbered_lines;

/// What stands before the extension, `CEF:0` included.
const HEADER_FIELDS: usize = 7;

/// How keys of a product's own end that tell when, and the zone that they name.
const STAMP_ENDINGS: [(&str, Option<&str>); 4] =
    [("utctime", Some("UTC")), ("eventtime", None), ("timestamp", None), ("datetime", None)];

/// Whether a line is an event.
pub(crate) fn is_event(line: &str) -> bool {
    header_at(line).is_some()
}

fn header_at(line: &str) -> Option<&str> {
    let at = line.find("CEF:")?;
    let event = line.get(at..)?;
    let version = event.get(4..)?.split('|').next()?;
    (!version.is_empty() && version.trim().bytes().all(|o| o.is_ascii_digit())).then_some(event)
}

/// Reads all events.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    for (number, line) in numbered_lines(text) {
        if header_at(line).and_then(|event| header_at(event.get(4..)?)).is_some() {
            collector.skip(number, line, JOINED_ROWS);
            continue;
        }
        let Some(event) = header_at(line).and_then(CefEvent::of) else {
            collector.skip(
                number,
                line,
                "it is not a CEF event; expected CEF:0| and seven fields, then keys",
            );
            continue;
        };
        let zone = event.first(&["dtz", "deviceTimeZone", "tz"]);
        // For want of a better: its own, or what syslog puts before it.
        let beside = |collector: &mut AlertCollector<'_>| match event.own_stamp() {
            Some((stamp, own)) => collector.times.read_in(Some(stamp), own.or(zone), number),
            None => collector.times.read_in(key_value::stamp_before(line).as_deref(), zone, number),
        };
        let time = match event.ends() {
            Some([first, last]) => {
                let stamp = event.first(&["rt", "deviceReceiptTime"]);
                let moment = collector.times.read_in(stamp, zone, number);
                let between = collector.times.read_between((first, zone), (last, zone), number);
                collector.times.either(moment, between, number).or_else(|| beside(collector))
            }
            None => match event.first(&["rt", "start", "end", "deviceReceiptTime"]) {
                None => beside(collector),
                stamp => collector.times.read_in(stamp, zone, number),
            },
        };
        let threat = event.first(&["threatname", "cat"]).or_else(|| present_value(&event.name));
        let row = AlertRow {
            time,
            host: event.first(&["src", "shost", "sourceAddress"]),
            host_port: event.first(&["spt"]),
            name: event.destination(),
            address: event.first(&["dst", "destinationAddress", "destinationTranslatedAddress"]),
            address_port: event.first(&["dpt"]),
            threat: event.labelled(&["threatname", "threat", "malware"]).or(threat),
            words: event.words(),
            service: event.first(&["app", "service"]),
            events: event.first(&["cnt"]),
            device: event.first(&["dvchost", "deviceExternalId", "dvc"]),
            ..AlertRow::default()
        };
        let fields = event.keys.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let name = row.queried_name_in(fields).or(row.name);
        collector.add(number, line, AlertRow { name, ..row });
    }
}

struct CefEvent {
    name: String,
    keys: Vec<(String, String)>,
}

impl CefEvent {
    fn of(text: &str) -> Option<CefEvent> {
        let mut fields = Vec::new();
        let (mut start, mut escaped) = (0, false);
        for (at, octet) in text.bytes().enumerate() {
            match octet {
                b'|' if !escaped => {
                    fields.push(text.get(start..at)?);
                    start = at + 1;
                    if fields.len() == HEADER_FIELDS {
                        break;
                    }
                    escaped = false;
                }
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        if fields.len() < HEADER_FIELDS {
            return None;
        }
        let name = unescaped(fields.get(5)?);
        Some(CefEvent { name, keys: keys(text.get(start..)?) })
    }

    fn first(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| {
            let own = self.keys.iter().filter(|(own, _)| own.eq_ignore_ascii_case(key));
            own.map(|(_, value)| value.as_str()).find_map(present_value)
        })
    }

    /// When, by a key of the product's own, `UNIFIutcTime`; and the zone that it names.
    fn own_stamp(&self) -> Option<(&str, Option<&'static str>)> {
        let is = |key: &str, ending: &str| {
            let at = key.len().checked_sub(ending.len());
            at.and_then(|at| key.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
        };
        STAMP_ENDINGS.iter().find_map(|(ending, zone)| {
            let mut own = self.keys.iter().filter(|(key, _)| is(key, ending));
            own.find_map(|(_, value)| present_value(value)).map(|stamp| (stamp, *zone))
        })
    }

    /// A first time and a last, if they are not one.
    fn ends(&self) -> Option<[&str; 2]> {
        let of = |word: &str| {
            let own = self.keys.iter().filter(|(key, _)| is_same_key(key, word));
            own.filter_map(|(_, value)| present_value(value)).next()
        };
        let mut ends = SPANS.iter().filter_map(|(first, last)| Some([of(first)?, of(last)?]));
        ends.find(|[first, last]| first != last)
    }

    /// The value of a custom field by its label: `cs1Label=Domain cs1=evil.com`.
    fn labelled(&self, labels: &[&str]) -> Option<&str> {
        let label = |(key, label): &&(String, String)| {
            key.ends_with("Label") && labels.contains(&normalized_key(label).as_str())
        };
        self.keys
            .iter()
            .filter(label)
            .find_map(|(key, _)| self.first(&[key.trim_end_matches("Label")]))
    }

    /// What it says in words that names something: `UNIFIipsSignature=ET MALWARE DNS Query to evil.com`.
    fn words(&self) -> Option<&str> {
        let is_text = |key: &str| {
            let key = key.to_ascii_lowercase();
            ["msg", "message", "reason", "signature"].iter().any(|ending| key.ends_with(ending))
        };
        let mut texts = self.keys.iter().filter(|(key, _)| is_text(key));
        texts.find(|(_, text)| threat_text::names_any(text)).map(|(_, text)| text.as_str())
    }

    fn destination(&self) -> Option<&str> {
        let labels = [
            "domain",
            "dns",
            "dnsquery",
            "dnsname",
            "query",
            "queryname",
            "qname",
            "fqdn",
            "hostname",
            "url",
            "destinationdomain",
            "maliciousdomain",
            "requesteddomain",
            "dnsdomain",
            "indicator",
            "ioc",
        ];
        let keys = [
            "destinationDnsDomain",
            "fqdn",
            "qname",
            "query",
            "dnsQuery",
            "dhost",
            "request",
            "requestUrl",
            "url",
            "domain",
            "resource",
        ];
        // Some say of what they watch only what it is called; a firewall beside an address is none of it.
        let has_address = self.first(&["dst"]).is_some();
        let watched = if has_address { None } else { self.first(&["dvchost"]) };
        let own = keys.iter().filter_map(|key| self.first(&[key])).chain(watched);
        let own = own.into_iter().find(|name| is_destination(name));
        self.labelled(&labels).filter(|name| is_destination(name)).or(own)
    }
}

/// The keys of an extension. A value may hold blanks: it ends where the next key begins.
fn keys(text: &str) -> Vec<(String, String)> {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    // Where each key begins, and where its value does.
    let mut places: Vec<(usize, usize)> = Vec::new();
    let (mut escaped, mut word) = (false, 0);
    for (at, character) in text.char_indices() {
        match character {
            '=' if !escaped => {
                let key = text.get(word..at).unwrap_or_default();
                if !key.is_empty() && key.chars().all(is_key) {
                    places.push((word, at + 1));
                }
            }
            ' ' | '\t' => word = at + 1,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    let ends = places.iter().skip(1).map(|(key, _)| *key).chain([text.len()]);
    let pairs = places.iter().zip(ends).filter_map(|((key, value), end)| {
        let name = text.get(*key..value.checked_sub(1)?)?;
        Some((name.to_owned(), unescaped(text.get(*value..end)?.trim())))
    });
    pairs.collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(character) = chars.next() {
        match character {
            '\\' => match chars.next() {
                Some('n' | 'r') => out.push(' '),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}
