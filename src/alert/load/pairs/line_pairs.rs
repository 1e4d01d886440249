//! The key/value pairs of one log line, in each of the ways that products write them.

use crate::alert::load::columns::time_words::SPANS;
use crate::alert::load::pairs::device_log;
use crate::alert::load::row::value::{is_destination, is_same_key, present_value};

/// How many pairs of a line are read; firewalls write some 60.
const PAIRS_MAX: usize = 512;

/// What only lines of Cisco have, as it is written there.
pub(crate) const FIREPOWER_SOURCE: &str = "SrcIP";

/// What a line says once, of those that tell of its destination.
const DESTINATIONS: [&str; 8] =
    ["qname", "query", "host", "hostname", "domain", "url", "dstip", "dst_ip"];

/// What keys are made of.
fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// `SrcIP`, `NAT_InitiatorPort`, `Prefilter Policy`.
fn is_firepower_key(key: &str) -> bool {
    key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '))
        && key.split(' ').count() <= 3
}

/// The pairs of a line, in their order.
pub(crate) struct LinePairs<'a>(pub(crate) Vec<(&'a str, &'a str)>);

impl<'a> LinePairs<'a> {
    pub(crate) fn of(line: &'a str) -> LinePairs<'a> {
        if let Some(pairs) = device_log::pairs(line) {
            return LinePairs(pairs);
        }
        let of_check_point = LinePairs::of_check_point(line);
        if of_check_point.0.len() >= 3 {
            return of_check_point;
        }
        if line.contains(": ") && line.contains(FIREPOWER_SOURCE) {
            return LinePairs::of_firepower(line);
        }
        let mut pairs = Vec::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('=') {
            let start = before.trim_end_matches(is_key).len();
            let key = before.get(start..).unwrap_or_default();
            // Asked first: what has no key is not looked through for its value's end.
            if key.is_empty() {
                rest = after;
                continue;
            }
            let (value, behind) = match after.strip_prefix('"') {
                // Within a field of CSV its quotes are doubled.
                Some(quoted) if is_doubled(quoted) => {
                    let quoted = quoted.get(1..).unwrap_or_default();
                    quoted.split_once("\"\"").unwrap_or((quoted, ""))
                }
                Some(quoted) => quoted_value(quoted),
                None => after.split_at(after.find([' ', '\t', ',', ';']).unwrap_or(after.len())),
            };
            pairs.push((key, value));
            rest = behind;
            if pairs.len() >= PAIRS_MAX {
                break;
            }
        }
        LinePairs(pairs)
    }

    /// As Check Point writes them: `src:"192.168.2.194"; dst:"198.51.100.7"; `.
    fn of_check_point(line: &'a str) -> LinePairs<'a> {
        let mut pairs = Vec::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(":\"") {
            let start = before.trim_end_matches(is_key).len();
            let key = before.get(start..).unwrap_or_default();
            let (value, behind) = if key.is_empty() { ("", after) } else { quoted_value(after) };
            if !key.is_empty() && behind.starts_with(';') {
                pairs.push((key, value));
            }
            rest = behind;
            if pairs.len() >= PAIRS_MAX {
                break;
            }
        }
        LinePairs(pairs)
    }

    /// As Cisco writes them: `SrcIP: 192.168.2.194, DstIP: 198.51.100.7, Message: MALWARE-CNC lookup, 2nd try`. Behind which
    /// comma no key stands, that is part of a value.
    fn of_firepower(line: &'a str) -> LinePairs<'a> {
        let mut pairs: Vec<(&str, usize, usize)> = Vec::new();
        let mut at = 0;
        for part in line.split(", ") {
            let end = at + part.len();
            // Before the first key stands what syslog puts there.
            let parted = match pairs.is_empty() {
                true => part.rsplit_once(": "),
                false => part.split_once(": "),
            };
            let parted = parted.or_else(|| Some((part.strip_suffix(':')?, "")));
            let key = parted.and_then(|(before, value)| {
                let key = before.rsplit(": ").next()?.trim();
                is_firepower_key(key).then_some((key, end - value.len(), end))
            });
            match (key, pairs.last_mut()) {
                (Some(pair), _) => pairs.push(pair),
                (None, Some((_, _, to))) => *to = end,
                (None, None) => {}
            }
            at = end + 2;
            if pairs.len() >= PAIRS_MAX {
                break;
            }
        }
        let value =
            |from, to| line.get(from..to).map_or("", |value| value.trim().trim_matches('"'));
        LinePairs(pairs.into_iter().map(|(key, from, to)| (key, value(from, to))).collect())
    }

    /// The value of the first of some keys that says something.
    pub(crate) fn first(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.all(key).find_map(present_value))
    }

    /// As `first`, of what can be a destination.
    pub(crate) fn first_destination(&self, keys: &[&str]) -> Option<&'a str> {
        let values = keys.iter().flat_map(|key| self.all(key)).filter_map(present_value);
        values.into_iter().find(|value| is_destination(value))
    }

    /// Whether a line of a log that is known tells of none.
    pub(crate) fn is_of_no_threat(&self) -> bool {
        self.0.first().is_some_and(|(key, _)| *key == device_log::LOG)
    }

    /// Whether another line stands behind: each begins with the same key, and has it once.
    pub(crate) fn is_joined(&self) -> bool {
        self.0.first().is_some_and(|(key, _)| self.all(key).nth(1).is_some())
            && DESTINATIONS
                .iter()
                .any(|key| self.all(key).filter_map(present_value).nth(1).is_some())
    }

    /// A first time and a last.
    pub(crate) fn ends(&self) -> Option<[&'a str; 2]> {
        let of = |word: &str| {
            let own = self.0.iter().filter(|(key, _)| is_same_key(key, word));
            own.filter_map(|(_, value)| present_value(value)).next()
        };
        SPANS.iter().find_map(|(first, last)| Some([of(first)?, of(last)?]))
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(key));
        own.map(|(_, value)| *value)
    }
}

/// Whether what stands behind a quote begins with another and then goes on.
fn is_doubled(quoted: &str) -> bool {
    let behind = quoted.strip_prefix('"').and_then(|behind| behind.chars().next());
    behind.is_some_and(|first| !first.is_whitespace() && !matches!(first, ',' | ';' | '"'))
}

/// A value up to its closing quote, and what is behind. A backslash takes the next character along.
fn quoted_value(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if !escaped => {
                return (text.get(..at).unwrap_or(text), text.get(at + 1..).unwrap_or_default());
            }
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    (text, "")
}
