//! Time zones as people and devices write them behind a clock: `CEST`, `GMT+2`, `(UTC-4)`, `Europe/Berlin`.
//!
//! An abbreviation means what it says: `CET` is an hour from UTC in summer, too, whatever the clocks there show then.
//! Many are used for several zones (`EST` in New York and in Sydney, `IST` in India, Ireland and Israel); such a one tells
//! which are meant at most, and the reader has to say the rest.

use jiff::tz::{Offset, TimeZone};

use super::distance;

/// What stands behind a clock.
#[derive(Clone, Debug)]
pub(super) enum ZoneWord {
    /// A zone, by its distance from UTC or its full name.
    Zone(TimeZone),
    /// The time that Europe has in winter, so many seconds from UTC; some write it all the year.
    EuropesWinter(i32),
    /// What several zones are called, by their distances from UTC in seconds.
    OneOf(&'static [i32]),
    /// Nothing that is known.
    Unknown,
}

const HOUR: i32 = 3_600;
const HALF: i32 = 1_800;
const QUARTER: i32 = 900;

/// What is used for one zone, or for all but a few people.
const KNOWN: &[(&str, i32)] = &[
    ("UTC", 0),
    ("UCT", 0),
    ("GMT", 0),
    ("Z", 0),
    ("ZULU", 0),
    ("WEST", HOUR),
    ("WESZ", HOUR),
    ("WAT", HOUR),
    ("CEST", 2 * HOUR),
    ("MESZ", 2 * HOUR),
    ("MEST", 2 * HOUR),
    ("SAST", 2 * HOUR),
    ("CAT", 2 * HOUR),
    ("EEST", 3 * HOUR),
    ("OESZ", 3 * HOUR),
    ("MSK", 3 * HOUR),
    ("TRT", 3 * HOUR),
    ("EAT", 3 * HOUR),
    ("IDT", 3 * HOUR),
    ("MSD", 4 * HOUR),
    ("PKT", 5 * HOUR),
    ("NPT", 5 * HOUR + 3 * QUARTER),
    ("ICT", 7 * HOUR),
    ("WIB", 7 * HOUR),
    ("WITA", 8 * HOUR),
    ("HKT", 8 * HOUR),
    ("SGT", 8 * HOUR),
    ("MYT", 8 * HOUR),
    ("PHT", 8 * HOUR),
    ("AWST", 8 * HOUR),
    ("JST", 9 * HOUR),
    ("KST", 9 * HOUR),
    ("WIT", 9 * HOUR),
    ("ACST", 9 * HOUR + HALF),
    ("AEST", 10 * HOUR),
    ("ACDT", 10 * HOUR + HALF),
    ("AEDT", 11 * HOUR),
    ("NZST", 12 * HOUR),
    ("NZDT", 13 * HOUR),
    ("NDT", -2 * HOUR - HALF),
    ("NST", -3 * HOUR - HALF),
    ("BRT", -3 * HOUR),
    ("ART", -3 * HOUR),
    ("UYT", -3 * HOUR),
    ("CLST", -3 * HOUR),
    ("CLT", -4 * HOUR),
    ("VET", -4 * HOUR),
    ("EDT", -4 * HOUR),
    ("COT", -5 * HOUR),
    ("PET", -5 * HOUR),
    ("CDT", -5 * HOUR),
    ("MDT", -6 * HOUR),
    ("PDT", -7 * HOUR),
    ("AKDT", -8 * HOUR),
    ("AKST", -9 * HOUR),
    ("HDT", -9 * HOUR),
    ("HST", -10 * HOUR),
];

/// Of Europe in winter.
const WINTER: &[(&str, i32)] = &[
    ("WET", 0),
    ("WEZ", 0),
    ("CET", HOUR),
    ("MEZ", HOUR),
    ("MET", HOUR),
    ("EET", 2 * HOUR),
    ("OEZ", 2 * HOUR),
];

/// What is used for several, each by many.
const SEVERAL: &[(&str, &[i32])] = &[
    // America, Australia in winter and in summer.
    ("EST", &[-5 * HOUR, 10 * HOUR, 11 * HOUR]),
    // America, Cuba, China, Australia.
    ("CST", &[-6 * HOUR, -5 * HOUR, 8 * HOUR, 9 * HOUR + HALF]),
    // America, Myanmar, Malaysia.
    ("MST", &[-7 * HOUR, 6 * HOUR + HALF, 8 * HOUR]),
    // America, the Philippines.
    ("PST", &[-8 * HOUR, 8 * HOUR]),
    // Britain in summer, Bangladesh, Bougainville.
    ("BST", &[HOUR, 6 * HOUR, 11 * HOUR]),
    // Ireland in summer, Israel, India.
    ("IST", &[HOUR, 2 * HOUR, 5 * HOUR + HALF]),
    // The Atlantic, Arabia.
    ("AST", &[-4 * HOUR, 3 * HOUR]),
    ("ADT", &[-3 * HOUR, 4 * HOUR]),
    // The Amazon, Armenia.
    ("AMT", &[-4 * HOUR, 4 * HOUR]),
    // The Gulf, South Georgia.
    ("GST", &[4 * HOUR, -2 * HOUR]),
    // Samoa, Singapore.
    ("SST", &[-11 * HOUR, 8 * HOUR]),
    // Australia, Samoa.
    ("WST", &[8 * HOUR, 13 * HOUR]),
    // America: in winter or in summer.
    ("ET", &[-5 * HOUR, -4 * HOUR]),
    ("CT", &[-6 * HOUR, -5 * HOUR]),
    ("MT", &[-7 * HOUR, -6 * HOUR]),
    ("PT", &[-8 * HOUR, -7 * HOUR]),
];

impl ZoneWord {
    /// The zone that a text names: an abbreviation, a distance from UTC, a full name, or a distance and behind it, in
    /// brackets, what that is called.
    pub(super) fn of(text: &str) -> ZoneWord {
        let text = text.trim();
        let bare = unbracketed(text);
        match bare.find(['(', '[']).filter(|at| *at > 0).and_then(|at| bare.split_at_checked(at)) {
            // `+02:00[Europe/Berlin]`, `+0200 (CEST)`: the distance is the surer of the two.
            Some((distance, name)) => match ZoneWord::alone(distance) {
                ZoneWord::OneOf(_) => ZoneWord::alone(unbracketed(name)),
                word => word,
            },
            None => match bare.split_once(' ') {
                // `+0000 UTC`, `-0500 EST`, `+0300 +03` of Go: likewise.
                Some((distance, name)) if distance.starts_with(['+', '-']) && is_name(name) => {
                    ZoneWord::alone(distance)
                }
                _ => ZoneWord::alone(bare),
            },
        }
    }

    fn alone(text: &str) -> ZoneWord {
        let text = text.trim();
        let is_called = |name: &str| name.eq_ignore_ascii_case(text);
        if let Some((_, east)) = KNOWN.iter().find(|(name, _)| is_called(name)) {
            return ZoneWord::fixed(*east);
        }
        if let Some((_, east)) = WINTER.iter().find(|(name, _)| is_called(name)) {
            return ZoneWord::EuropesWinter(*east);
        }
        if let Some((_, easts)) = SEVERAL.iter().find(|(name, _)| is_called(name)) {
            return ZoneWord::OneOf(easts);
        }
        // `GMT+2`, `UTC -04:00`; a name such as `Etc/GMT+2` counts the other way round, and is asked for as one.
        let is_utc = text.get(..3).is_some_and(|start| {
            start.eq_ignore_ascii_case("UTC") || start.eq_ignore_ascii_case("GMT")
        });
        let from_utc = if is_utc { text.get(3..).unwrap_or_default().trim_start() } else { text };
        if from_utc.starts_with(['+', '-']) {
            return distance(from_utc).map_or(ZoneWord::Unknown, ZoneWord::fixed);
        }
        // Only a place: names such as `EST5EDT` or `PRC` stand in no log.
        let is_place = text.contains('/');
        let named = is_place.then(|| TimeZone::get(text).ok()).flatten();
        named.map_or(ZoneWord::Unknown, ZoneWord::Zone)
    }

    fn fixed(east: i32) -> ZoneWord {
        Offset::from_seconds(east)
            .map_or(ZoneWord::Unknown, |offset| ZoneWord::Zone(TimeZone::fixed(offset)))
    }
}

/// The zone that an abbreviation stands for, if it is used for one. What Europe calls its winter's time some mean all the year.
pub(super) fn of_one_zone(text: &str) -> Option<TimeZone> {
    let is_word = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphabetic());
    match ZoneWord::alone(text) {
        ZoneWord::Zone(zone) if is_word => Some(zone),
        _ => None,
    }
}

/// Whether a word that stands behind a clock, or in a heading of one, names a zone, be it one of several.
pub fn names_zone(text: &str) -> bool {
    !text.trim().is_empty() && !matches!(ZoneWord::of(text), ZoneWord::Unknown)
}

/// Whether it is written as an abbreviation of a zone is, or as what Go writes for one that has none.
fn is_name(text: &str) -> bool {
    let is_short = (1..=6).contains(&text.len());
    let is_abbreviation = text.bytes().all(|octet| octet.is_ascii_uppercase());
    is_short && (is_abbreviation || text.starts_with(['+', '-']) && distance(text).is_some())
}

/// Without the brackets around all of it.
fn unbracketed(text: &str) -> &str {
    let text = text.trim();
    let within = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
    within('(', ')').or_else(|| within('[', ']')).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far it is from UTC in summer, in minutes.
    fn east(text: &str) -> Option<i32> {
        let summer = jiff::Timestamp::from_second(1_780_989_307).unwrap();
        match ZoneWord::of(text) {
            ZoneWord::Zone(zone) => Some(zone.to_offset(summer).seconds() / 60),
            ZoneWord::EuropesWinter(east) => Some(east / 60),
            _ => None,
        }
    }

    #[test]
    fn a_zone_is_known_by_its_abbreviation_its_distance_and_its_name() {
        for (text, minutes) in [
            ("CEST", 120),
            ("cest", 120),
            ("MESZ", 120),
            ("CET", 60),
            ("EDT", -240),
            ("NZST", 720),
            ("NST", -210),
            ("Z", 0),
            ("+0530", 330),
            ("GMT+2", 120),
            ("UTC-4", -240),
            ("UTC +02:00", 120),
            ("(UTC-4)", -240),
            ("[UTC]", 0),
            ("Europe/Berlin", 120),
            ("[Europe/Berlin]", 120),
            ("+02:00[Europe/Berlin]", 120),
            ("-0700 (PDT)", -420),
            ("Z[UTC]", 0),
            ("CST (America/Chicago)", -300),
            ("+0000 UTC", 0),
            ("-0500 EST", -300),
            ("+0300 +03", 180),
            ("Etc/GMT+2", -120),
        ] {
            assert_eq!(east(text), Some(minutes), "{text}");
        }
    }

    #[test]
    fn what_several_zones_are_called_or_none_is_no_zone() {
        for text in ["EST", "CST", "IST", "BST", "PST", "MST"] {
            assert!(matches!(ZoneWord::of(text), ZoneWord::OneOf(_)), "{text}");
        }
        for text in [
            "",
            "XYZ",
            "Europe/Atlantis",
            "UTC+99",
            "GMT+2:3",
            "PRC",
            "EST5EDT",
            "()",
            "+0200 and more",
            "+9900 CET",
            "(UTC+01:00) Amsterdam, Berlin",
            "W. Europe Standard Time",
        ] {
            assert!(matches!(ZoneWord::of(text), ZoneWord::Unknown), "{text}");
        }
    }

    #[test]
    fn no_abbreviation_stands_in_two_lists() {
        let one = KNOWN.iter().chain(WINTER).map(|(name, _)| *name);
        let mut names: Vec<&str> = one.chain(SEVERAL.iter().map(|(name, _)| *name)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
