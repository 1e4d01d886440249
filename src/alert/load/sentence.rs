//! A sentence or two that somebody wrote about an alert: `At 09:17 on 2 March the firewall blocked C2 traffic to evil.com from DC1`.
//!
//! It is read only if there is one name, or else one address outside, that it can be about: which of two is meant only a person
//! can tell. The same goes for when, and for who.

use std::collections::BTreeSet;

use super::row::{Row, host_of, is_address, is_destination, is_outside, is_registered};
use super::{Rows, key_value};
use crate::time::{NoTime, UTC, Written};

/// A note has no more lines, and no more characters.
const LINES_MAX: usize = 8;
const LEN_MAX: usize = 1_500;
/// A sentence has so many words, at least.
const WORDS_MIN: usize = 5;
/// A time has no more words.
const TIME_WORDS_MAX: usize = 5;
/// Mails break no shorter line.
const BREAK_LEN_MIN: usize = 50;
/// Right behind one of these stands where something went; behind others who asked, or who told.
const TARGETS: [&str; 19] = [
    "to",
    "towards",
    "domain",
    "address",
    "destination",
    "contacted",
    "contacting",
    "zu",
    "nach",
    "domäne",
    "adresse",
    "ziel",
    "vers",
    "domaine",
    "hacia",
    "a",
    "dominio",
    "destino",
    "verso",
];
/// Unless one of these stands before it: `it belongs to pc1.example.com`.
const OTHERWISE: [&str; 11] = [
    "belongs",
    "belonging",
    "assigned",
    "due",
    "reported",
    "sent",
    "according",
    "gehört",
    "gemeldet",
    "gesendet",
    "thanks",
];
/// Right behind one of these stands what was asked for, if one of the others stands before it.
const OF: [&str; 4] = ["for", "of", "nach", "de"];
const QUERIES: [&str; 6] = ["lookup", "query", "request", "resolution", "anfrage", "requête"];
/// What a text about an alert says, in part of a word.
const ABOUT: [&str; 32] = [
    "alert",
    "alarm",
    "block",
    "command and control",
    "botnet",
    "malware",
    "malicious",
    "suspicious",
    "threat",
    "trojan",
    "virus",
    "sinkhole",
    "flagged",
    "detected",
    "bedrohung",
    "gesperrt",
    "schadsoftware",
    "gemeldet",
    "meldet",
    "verdächtig",
    "menace",
    "bloqué",
    "alerte",
    "malveillant",
    "amenaza",
    "bloque",
    "alerta",
    "malicios",
    "minaccia",
    "bloccat",
    "avviso",
    "dannos",
];

/// Whether a text is such a note.
pub(super) fn is_text(text: &str) -> bool {
    Note::of(text).is_some() && !super::lines(text).any(|(_, line)| key_value::is_line(line))
}

/// Reads it as one alert.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    let Some(note) = Note::of(text) else { return };
    let words = format!(
        "it is read as a sentence about {}, the only name or address outside in it; if that is not what was flagged, give what was",
        note.destination.escape_debug()
    );
    let words = super::Notice::file(&rows.file, &words);
    rows.notices.push(words);
    let time = rows.times.read(note.time.as_deref(), note.line);
    let row =
        Row { time, host: note.host.as_deref(), name: Some(&note.destination), ..Row::default() };
    rows.add(note.line, &note.shown, row);
}

struct Note {
    line: u32,
    shown: String,
    destination: String,
    host: Option<String>,
    time: Option<String>,
}

impl Note {
    fn of(text: &str) -> Option<Note> {
        let lines: Vec<(u32, &str)> = super::lines(text).take(LINES_MAX + 1).collect();
        let is_short = lines.len() <= LINES_MAX && text.len() <= LEN_MAX;
        if !is_short || lines.iter().any(|(_, line)| is_of_table(line)) {
            return None;
        }
        let lower = text.to_lowercase();
        if !ABOUT.iter().any(|word| lower.contains(word)) {
            return None;
        }
        let words: Vec<&str> =
            text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        let mails = words
            .iter()
            .filter_map(|word| word.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()));
        let own: BTreeSet<String> = mails.collect();
        let is_own = |name: &str| {
            own.iter().any(|domain| name == domain || name.ends_with(&format!(".{domain}")))
        };
        let is_name = |word: &str| {
            let host = host_of(word);
            let is_plain = !word.contains('@') && !word.contains(['(', '=']);
            is_plain
                && is_destination(word)
                && !is_address(&host)
                && is_registered(&host)
                && !is_own(&host)
        };
        let names: BTreeSet<String> =
            words.iter().filter(|word| is_name(word)).map(|word| host_of(word)).collect();
        let names: Vec<String> = names.into_iter().collect();
        let addresses: BTreeSet<&str> =
            words.iter().copied().filter(|word| is_address(word)).collect();
        let (far, near): (Vec<&str>, Vec<&str>) =
            addresses.into_iter().partition(|word| is_outside(word));
        // Beside a name the DNS server that was asked for it may be said.
        let is_asked = |end: &&str| end.ends_with(":53");
        let destination = match (names.as_slice(), far.as_slice()) {
            ([one], others) if others.iter().all(is_asked) => one.clone(),
            ([], [one]) if !is_asked(one) => (*one).to_owned(),
            _ => return None,
        };
        // Each time it stands there as what something went to; a link is there to read more.
        let word_at = |place: Option<usize>| {
            place
                .and_then(|place| words.get(place))
                .map_or_else(String::new, |word| word.to_lowercase())
        };
        let mut said = words
            .iter()
            .enumerate()
            .filter(|(_, word)| host_of(word) == host_of(&destination))
            .peekable();
        let is_told = said.peek().is_some();
        let are_targets = said.all(|(place, word)| {
            let (before, ahead) = (word_at(place.checked_sub(1)), word_at(place.checked_sub(2)));
            let is_link =
                ["http://", "https://"].iter().any(|start| word.to_lowercase().starts_with(start));
            let is_led = TARGETS.contains(&before.as_str()) && !OTHERWISE.contains(&ahead.as_str());
            let is_asked = OF.contains(&before.as_str()) && QUERIES.contains(&ahead.as_str());
            !is_link && (is_led || is_asked || word.contains("[.]") || word.contains("(.)"))
        });
        if !is_told || !are_targets {
            return None;
        }
        let holds = |line: &&(u32, &str)| {
            line.1.split_whitespace().map(bare).any(|word| host_of(word) == host_of(&destination))
        };
        let (line, shown) = *lines.iter().find(holds)?;
        // In a sentence it stands among words.
        if shown.trim().contains("  ") {
            return None;
        }
        let plain = shown.split_whitespace().filter(|word| word.contains(char::is_alphabetic));
        if plain.count() < WORDS_MIN {
            return None;
        }
        let hosts: BTreeSet<String> = near.iter().map(|end| without_port(end)).collect();
        let mut hosts = hosts.into_iter();
        let host = hosts.next().filter(|_| hosts.next().is_none());
        let time = if is_chat(shown) { None } else { time_in(&sentence(&lines, line)) };
        Some(Note { line, shown: shown.trim().to_owned(), destination, host, time })
    }
}

/// The line, and the one before if that only broke off where mails break lines.
fn sentence(lines: &[(u32, &str)], number: u32) -> String {
    let at = lines.iter().position(|(line, _)| *line == number).unwrap_or_default();
    let own = lines.get(at).map_or("", |(_, line)| line);
    let before = at.checked_sub(1).and_then(|before| lines.get(before));
    let is_broken =
        |(line, text): &&(u32, &str)| line + 1 == number && text.trim().len() >= BREAK_LEN_MIN;
    before.filter(is_broken).map_or_else(|| own.to_owned(), |(_, before)| format!("{before} {own}"))
}

/// Whether a line of a chat says before all else when it was written: that is later than what it tells of.
fn is_chat(line: &str) -> bool {
    let line = line.trim();
    let head: String = line.chars().take(30).collect();
    let is_stamped = head.starts_with(|c: char| c.is_ascii_digit()) && head.contains(" - ");
    line.starts_with('[') || is_stamped
}

/// An address alone.
fn without_port(end: &str) -> String {
    let plain = host_of(end);
    plain.parse::<std::net::SocketAddr>().map_or(plain, |end| end.ip().to_string())
}

/// Whether a line is of a table or a log, and of no sentence.
fn is_of_table(line: &str) -> bool {
    let is_packed = |mark: char| {
        let behind = line.split(mark).skip(1);
        behind.filter(|rest| rest.starts_with(|c: char| !c.is_whitespace())).count() >= 2
    };
    line.contains(['\t', '{', '|', '<']) || [',', ';', '='].into_iter().any(is_packed)
}

/// A word without the marks around it; an arrow is a word.
fn bare(word: &str) -> &str {
    if matches!(word, "->" | "=>" | "→" | "-->") {
        return "to";
    }
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.strip_suffix("'s").unwrap_or(word)
}

/// The only time in a text: a day and a clock beside one another, or apart if there is one of each.
fn time_in(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let parse = |text: &str| Written::parse(text, &UTC, None);
    let is_clock = |word: &str| word.contains(':') && parse(word) == Err(NoTime::NoDay);
    let trimmed =
        |text: &str| text.trim_matches(['(', ')', ',', ';', '[', ']', '"', '.']).to_owned();
    let clocks: BTreeSet<String> =
        words.iter().map(|word| trimmed(word)).filter(|word| is_clock(word)).collect();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    let mut at = 0;
    while at < words.len() {
        let longest = (1..=TIME_WORDS_MAX).rev().find_map(|count| {
            let part = trimmed(&words.get(at..at + count)?.join(" "));
            let starts = part.starts_with(char::is_alphanumeric);
            let is_time = starts
                && !matches!(
                    parse(&part),
                    Err(NoTime::Unknown | NoTime::NoDay | NoTime::FarOff | NoTime::NoZone)
                );
            is_time.then_some((count, part))
        });
        match longest {
            Some((count, part)) => {
                whole.insert(part);
                at += count;
            }
            None => at += 1,
        }
    }
    // A clock that stands in the time found is none of its own.
    let apart: Vec<&String> = clocks
        .iter()
        .filter(|clock| !whole.iter().any(|time| time.contains(clock.as_str())))
        .collect();
    let whole: Vec<&String> = whole.iter().collect();
    match (whole.as_slice(), apart.as_slice()) {
        ([one], []) => Some((*one).clone()),
        ([], [clock]) => Some(
            day_in(&words, clock).map_or_else(|| (*clock).clone(), |day| format!("{day} {clock}")),
        ),
        _ => None,
    }
}

/// The only day among words that makes a time with a clock.
fn day_in(words: &[&str], clock: &str) -> Option<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for count in (1..=3).rev() {
        for part in words.windows(count) {
            let day = part.join(" ");
            let day = day.trim_matches(['(', ')', ',', ';', '[', ']']);
            let read = Written::parse(&format!("{day} {clock}"), &UTC, None);
            let has_digits = day.contains(|c: char| c.is_ascii_digit()) && !day.contains(':');
            if has_digits
                && !matches!(
                    read,
                    Err(NoTime::Unknown | NoTime::NoDay | NoTime::FarOff | NoTime::NoZone)
                )
            {
                found.insert(day.to_owned());
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    let mut found = found.into_iter();
    let one = found.next()?;
    found.next().is_none().then_some(one)
}
