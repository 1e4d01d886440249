//! The table of Sophos UTM9's Advanced Threat Protection page, as people paste it.
//!
//! ```text
//!   User/Host Threat Name Destination Events Origin
//! 1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd
//! 4     DNS_Server     C2/Generic-A     e13678.dspb.akamaiedge.net     1 473    AFCd
//! ```
//!
//! People also write such a row by hand, with the time first and the host behind the threat:
//!
//! ```text
//! 02.03.2026 09:17 C2/Generic-A 192.168.2.194 mi.kenal-cn.com
//! ```
//!
//! Columns stand apart by one blank, several, or a tab; the row's number may be missing; the host may be a
//! name of the firewall's own, with blanks in it; thousands may stand apart.

use std::collections::BTreeSet;

use crate::alert::load::collector::{AlertCollector, JOINED_ROWS};
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_address, is_destination, is_public, parse_count};
use crate::alert::load::text::numbered_lines;
use crate::time::names_zone;

const NO_ROW: &str = "it is not a row of the table; expected number, host, threat, destination, events, origin; or \
                      time, threat, host, destination";

/// Reads all rows. What stands before the first one is the page's furniture, or a mail's text.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    // A host that has no marks of one is known once a row that is surely one has named it.
    let mut hosts = BTreeSet::new();
    for (number, line) in numbered_lines(text) {
        match SophosRow::of(line) {
            Some(cells) if !cells.is_row() && !cells.has_known_host(&hosts) => {
                collector.skip(number, line, NO_ROW);
            }
            Some(cells) if cells.is_joined => collector.skip(number, line, JOINED_ROWS),
            Some(cells) => {
                let time = collector.times.read(cells.time.as_deref(), number);
                collector.add(number, line, AlertRow { time, ..cells.row() });
                hosts.insert(cells.host);
            }
            None if is_page_heading(line) || is_remark(line) => {}
            None if collector.alerts.is_empty() && !is_like_row(line) => {}
            None if is_of_words(line) => collector.ignore("words around the table"),
            None => collector.skip(number, line, NO_ROW),
        }
    }
}

/// Whether a line is a row of the table and can hardly be anything else.
pub(crate) fn is_row(line: &str) -> bool {
    SophosRow::of(line).is_some_and(|cells| cells.is_row())
}

/// Whether a line that is no row was to be one: it has a number, an address and a threat's name.
fn is_like_row(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    let is_number = |word: &&str| word.bytes().all(|octet| octet.is_ascii_digit());
    let has_number = words.peek().is_some_and(is_number);
    let (mut has_address, mut has_threat) = (false, false);
    for word in words {
        has_address |= is_address(word);
        has_threat |= is_threat(word);
    }
    has_threat && (has_number || has_address)
}

/// Whether a line has only words of a language: no name, no address, no number and no threat, as all rows have.
fn is_of_words(line: &str) -> bool {
    let is_word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_said = bare.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'));
        let is_mark = !bare.chars().skip(1).any(char::is_uppercase) || bare.len() <= 3;
        is_said && is_mark
    };
    !line.contains('\t') && line.split_whitespace().all(is_word)
}

/// Whether a cell is a threat's name, family and kind: `C2/Generic-A`, `Troj/Agent-X`; not `and/or`.
fn is_threat(cell: &str) -> bool {
    cell.split_once('/').is_some_and(|(family, kind)| {
        family.len() >= 2
            && family.starts_with(|c: char| c.is_ascii_alphabetic())
            && family.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-' || o == b'_')
            && !kind.is_empty()
            && cell.contains(|c: char| c.is_uppercase() || c.is_ascii_digit())
    })
}

/// Whether a word is written as hosts are and words of a sentence are not: `192.168.2.194`, `dns_server`, `DC`.
fn is_host(word: &str) -> bool {
    let is_mark = |c: char| c.is_ascii_digit() || "_-.".contains(c);
    let is_marked = word.contains(is_mark) || word.chars().all(char::is_uppercase);
    let is_word = !word.contains(char::is_whitespace) && word.contains(char::is_alphabetic);
    is_address(word) || is_word && is_marked
}

/// The page's heading, where it stands before a row in one line.
fn without_heading(line: &str) -> &str {
    let is_heading = line.trim_start().to_ascii_lowercase().starts_with("user/host");
    let behind = line.split_once("Origin ").filter(|_| is_heading);
    behind.map_or(line, |(_, behind)| behind)
}

/// Headings and totals of the page, which a paste of several pages repeats.
fn is_page_heading(line: &str) -> bool {
    let line = line.trim().to_ascii_lowercase();
    let known =
        ["advanced threat protection", "total events", "user/host", "threat name", "#", "page "];
    known.iter().any(|start| line.starts_with(start))
}

/// Whether somebody noted something on a line of its own.
fn is_remark(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// A row, taken apart.
#[derive(Debug)]
struct SophosRow<'a> {
    number: Option<&'a str>,
    time: Option<String>,
    host: String,
    threat: String,
    destination: &'a str,
    events: String,
    /// The cell behind the events.
    origin: &'a str,
    /// Whether what can only be of another row stands behind its destination.
    is_joined: bool,
}

impl<'a> SophosRow<'a> {
    fn of(line: &'a str) -> Option<SophosRow<'a>> {
        let line = without_heading(line);
        // A note is no cell of the table: so a list of names with remarks is not taken for alerts. Nor is what names
        // the rest of its line, as mails have it: `Details........: http://...`.
        let is_label = |cell: &str| cell.ends_with(':') && !is_address(cell);
        if line.split_whitespace().any(|cell| cell.starts_with('#') || is_label(cell)) {
            return None;
        }
        let wide: Vec<&str> =
            line.split('\t').flat_map(|part| part.split("  ")).map(str::trim).collect();
        let wide: Vec<&str> = wide.into_iter().filter(|cell| !cell.is_empty()).collect();
        let narrow: Vec<&str> = line.split_whitespace().collect();
        // Blanks within a cell can only be told from those between cells if these are wider.
        if wide.len() >= 4 { SophosRow::from(&wide) } else { None }
            .or_else(|| SophosRow::from(&narrow))
    }

    fn from(cells: &[&'a str]) -> Option<SophosRow<'a>> {
        let is_number = |cell: &str| cell.trim_end_matches('.').bytes().all(|o| o.is_ascii_digit());
        let (number, cells) = match cells {
            [first, rest @ ..] if is_number(first) => (Some(first.trim_end_matches('.')), rest),
            all => (None, all),
        };
        let (time, cells) = time_before(cells);
        let is_joined = |behind: usize| {
            let mut behind = cells.iter().skip(behind);
            behind.any(|cell| is_threat(cell) || is_destination(cell) && is_public(cell))
        };
        if let [threat, host, destination, ..] = cells
            && is_threat(threat)
            && is_destination(host)
            && is_destination(destination)
        {
            return Some(SophosRow {
                number,
                time,
                host: (*host).to_owned(),
                threat: (*threat).to_owned(),
                destination,
                events: String::new(),
                origin: "",
                is_joined: is_joined(3),
            });
        }
        let threat = cells.iter().skip(1).position(|cell| is_threat(cell)).map(|place| place + 1);
        let place = match threat {
            Some(threat) => threat + 1,
            None => cells.iter().skip(1).position(|cell| is_destination(cell))? + 1,
        };
        let destination = cells.get(place).filter(|cell| is_destination(cell))?;
        // A blank within the name: `evil. com`.
        let is_parted = |next: &&str| next.chars().all(char::is_lowercase);
        if destination.ends_with('.') && cells.get(place + 1).is_some_and(is_parted) {
            return None;
        }
        let host_end = threat.unwrap_or(1);
        let is_count = |cell: &&&str| {
            cell.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || ",.'".contains(c))
        };
        let events: Vec<&str> =
            cells.iter().skip(place + 1).take_while(is_count).copied().collect();
        Some(SophosRow {
            number,
            time,
            host: cells.get(..host_end)?.join(" "),
            threat: cells.get(host_end..place)?.join(" "),
            destination,
            origin: cells.get(place + 1 + events.len()).copied().unwrap_or_default(),
            events: events.join(" "),
            is_joined: is_joined(place + 1),
        })
    }

    /// Whether it is a row of the table and no sentence with a name in it.
    fn is_row(&self) -> bool {
        let is_counted = parse_count(&self.events).is_some();
        if !is_threat(&self.threat) {
            let is_whole = self.number.is_some() && is_counted && is_address(&self.host);
            return is_whole && !self.threat.is_empty();
        }
        let is_whole = self.number.is_some() || self.origin.contains(char::is_uppercase);
        is_host(&self.host) || is_counted && is_whole
    }

    /// Whether it is one because a row was of the same host.
    fn has_known_host(&self, hosts: &BTreeSet<String>) -> bool {
        is_threat(&self.threat) && hosts.contains(&self.host)
    }

    fn row(&self) -> AlertRow<'_> {
        AlertRow {
            number: self.number,
            host: Some(&self.host),
            name: Some(self.destination),
            threat: Some(&self.threat),
            events: Some(self.events.as_str()).filter(|events| !events.is_empty()),
            ..AlertRow::default()
        }
    }
}

/// A day and a clock that stand before all else, and the cells behind them.
fn time_before<'c, 'a>(cells: &'c [&'a str]) -> (Option<String>, &'c [&'a str]) {
    let is_of = |cell: &str, marks: &[char]| {
        cell.starts_with(|c: char| c.is_ascii_digit())
            && cell.contains(marks)
            && cell.chars().all(|c| c.is_ascii_digit() || marks.contains(&c) || "TZ".contains(c))
            && !is_address(cell)
    };
    let is_day = |cell: &str| is_of(cell, &['/', '-', '.']) && cell.len() >= 8;
    let is_clock = |cell: &str| is_of(cell, &[':', '.', '+', '-']);
    let is_half = |cell: &str| ["AM", "PM"].contains(&cell.to_uppercase().as_str());
    // A host may be called as a zone is, though seldom in capitals.
    let is_zone = |cell: &str| !cell.contains(char::is_lowercase) && names_zone(cell);
    let count = match cells {
        [day, clock, half, zone, ..]
            if is_day(day) && is_clock(clock) && is_half(half) && is_zone(zone) =>
        {
            4
        }
        [day, clock, half, ..]
            if is_day(day) && is_clock(clock) && (is_half(half) || is_zone(half)) =>
        {
            3
        }
        [day, clock, ..] if is_day(day) && is_clock(clock) => 2,
        [both, ..] if is_of(both, &['/', '-', '.', ':', '+']) && both.contains(':') => 1,
        // In a table of wide columns they have one.
        [both, ..] if both.split_once(' ').is_some_and(|(d, c)| is_day(d) && is_clock(c)) => 1,
        _ => 0,
    };
    let (time, rest) = cells.split_at(count);
    ((count > 0).then(|| time.join(" ")), rest)
}
