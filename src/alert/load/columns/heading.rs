//! A heading, brought to the one spelling in which the lists of words are written.
//!
//! `Source Address`, `source_ip`, `Src. IP` and `srcip` are all `srcip`.

use crate::alert::load::columns::stems::{DESTINATION_STEMS, OWN_SIDE_STEMS, RELATED_NAME_STEMS};
use crate::alert::load::columns::time_words::{CLOCKS, DAYS, HOURS, TIMES, ZONES};
use crate::alert::load::columns::words::{
    ADDRESS_PORTS, ADDRESSES, DEVICES, EITHER_END_ADDRESSES, EITHER_END_NAME, EVENTS,
    FALLBACK_NAMES, FLAGGED_STEMS, HOST_PORTS, HOSTS, NAMES, NUMBERS, SERVICES, THREATS,
};
use crate::alert::load::row::value::normalized_key;
use crate::time::names_zone;

/// How the two ends of a connection are written, in full and in short.
const SIDES: [(&str, &str); 3] = [("source", "src"), ("destination", "dst"), ("dest", "dst")];
/// How an address is written behind what it is the address of.
const ADDRESS_ENDINGS: [&str; 4] = ["ipaddress", "ipaddr", "address", "addr"];
/// How a name is written behind the end whose name it is.
const NAME_ENDINGS: [&str; 4] = ["machinename", "hostname", "host", "dnsname"];

/// What a heading calls its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    /// In the one spelling, all of it.
    whole: String,
    /// Without what stands in brackets behind it, or the zone that it names.
    bare: String,
    /// The time zone that it names: `Time (CEST)`, `TimeGenerated [UTC]`, `timestamp_utc`.
    pub zone: Option<String>,
}

impl Heading {
    pub(crate) fn of(text: &str) -> Heading {
        let whole = canonical_spelling(text);
        let (bare, zone) = without_zone(text.trim().trim_matches('"'));
        Heading {
            bare: bare.map_or_else(|| whole.clone(), |bare| canonical_spelling(&bare)),
            whole,
            zone,
        }
    }

    /// Whether it is a word.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.whole == word || self.bare == word
    }

    /// Whether it is one of some words.
    pub(crate) fn is_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// As it is held against words.
    pub(crate) fn key(&self) -> &str {
        &self.bare
    }

    /// Whether it is a word for a name that may be anybody's.
    pub(crate) fn is_of_either(&self) -> bool {
        self.is(EITHER_END_NAME) || self.is_of(FALLBACK_NAMES)
    }

    /// What what stands below it tells of, beside a destination.
    pub(crate) fn alert_field(&self) -> Option<AlertField> {
        let kinds = [
            (AlertField::Time, &[TIMES, DAYS, CLOCKS, HOURS, ZONES][..]),
            (AlertField::Host, &[HOSTS, HOST_PORTS]),
            (AlertField::Threat, &[THREATS]),
            (AlertField::Events, &[EVENTS]),
            (AlertField::Device, &[DEVICES]),
        ];
        let known = kinds.iter().find(|(_, lists)| lists.iter().any(|words| self.is_of(words)));
        known.map(|(beside, _)| *beside)
    }

    /// Whether what stands below it is a destination, if it can be one.
    pub(crate) fn is_of_destination(&self) -> bool {
        self.is_of(NAMES) || self.is_of(ADDRESSES)
    }

    /// Whether it tells of what was asked for, or talked to, by a name, and not of one's own side, nor of what belongs to such a
    /// name: `Destination DNS Hostname`, `dnsQuestionText`.
    pub(crate) fn names_what_was_queried(&self) -> bool {
        let has = |stems: &[&str]| stems.iter().any(|stem| self.bare.contains(stem));
        self.is_of(NAMES)
            || !self.is_known()
                && has(DESTINATION_STEMS)
                && !has(OWN_SIDE_STEMS)
                && !has(RELATED_NAME_STEMS)
    }

    /// Whether what stands below it is flagged, if it can be.
    pub(crate) fn is_of_flagged(&self) -> bool {
        self.is_of_destination() && FLAGGED_STEMS.iter().any(|stem| self.bare.contains(stem))
    }

    /// Whether what stands below it says when.
    pub(crate) fn is_of_time(&self) -> bool {
        [TIMES, DAYS, CLOCKS, HOURS, ZONES].iter().any(|words| self.is_of(words))
    }

    /// Whether it is a word for anything that is looked for.
    pub(crate) fn is_known(&self) -> bool {
        LISTS.iter().any(|words| self.is_of(words)) || self.is(EITHER_END_NAME)
    }
}

/// What an alert says beside its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertField {
    Time,
    Host,
    Threat,
    Events,
    Device,
}

/// All words.
const LISTS: [&[&str]; 17] = [
    TIMES,
    DAYS,
    CLOCKS,
    HOURS,
    ZONES,
    HOSTS,
    HOST_PORTS,
    NAMES,
    FALLBACK_NAMES,
    ADDRESSES,
    ADDRESS_PORTS,
    EITHER_END_ADDRESSES,
    THREATS,
    SERVICES,
    EVENTS,
    DEVICES,
    NUMBERS,
];

/// A heading without what stands in brackets at its end, or the zone that it names in words; and that zone.
fn without_zone(text: &str) -> (Option<String>, Option<String>) {
    let bracketed = text.rfind(['(', '[']).and_then(|at| {
        let (before, inside) = text.split_at_checked(at)?;
        let inside = inside.strip_suffix([')', ']'])?.get(1..)?;
        (!before.trim().is_empty()).then_some((before, inside.trim()))
    });
    if let Some((before, inside)) = bracketed {
        // What looks like a zone and is none that is known is kept, so that its times are refused and not misread.
        let is_abbreviation =
            (3..=5).contains(&inside.len()) && inside.bytes().all(|o| o.is_ascii_uppercase());
        let is_zone = names_zone(inside) || is_abbreviation && !NO_ZONES.contains(&inside);
        return (Some(before.to_owned()), is_zone.then(|| inside.to_owned()));
    }
    let plain = normalized_key(text);
    for utc in ["utc", "gmt"] {
        let bare = plain.strip_suffix(utc).or_else(|| plain.strip_prefix(utc));
        if let Some(bare) = bare.filter(|bare| TIMES.contains(bare) || CLOCKS.contains(bare)) {
            return (Some(bare.to_owned()), Some(utc.to_owned()));
        }
    }
    match text.rsplit_once(' ') {
        Some((before, zone)) if !zone.contains(char::is_lowercase) && names_zone(zone) => {
            (Some(before.to_owned()), Some(zone.to_owned()))
        }
        _ => (None, None),
    }
}

/// What stands in brackets behind a time and is no zone.
const NO_ZONES: [&str; 5] = ["ISO", "EPOCH", "UNIX", "LOCAL", "NTP"];

/// The one spelling of a heading.
pub(crate) fn canonical_spelling(heading: &str) -> String {
    let plain = normalized_key(heading);
    let (side, rest) = side_of(&plain);
    let ending = |endings: &[&str]| endings.iter().find_map(|ending| rest.strip_suffix(ending));
    let is_said = |before: &&str| !side.is_empty() || !before.is_empty();
    if let Some(before) = ending(&ADDRESS_ENDINGS).filter(is_said) {
        return format!("{side}{before}ip");
    }
    // Of a word alone, or of a user, a host is no name of an end.
    let before = ending(&NAME_ENDINGS).filter(|before| before.is_empty() && !side.is_empty());
    match before {
        Some(_) => format!("{side}name"),
        None => format!("{side}{rest}"),
    }
}

/// A word without the end it begins with, and that end in short; none if it is all of the word.
fn side_of(plain: &str) -> (&str, &str) {
    let sides = SIDES.iter().chain(&[("src", "src"), ("dst", "dst"), ("client", "client")]);
    let stripped =
        sides.filter_map(|(full, short)| Some((*short, plain.strip_prefix(full)?))).next();
    stripped.filter(|(_, rest)| !rest.is_empty()).unwrap_or(("", plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::load::columns::time_words::SPANS;
    use crate::alert::load::columns::words::CLIENTS;

    #[test]
    fn a_thing_has_one_spelling_however_it_is_written() {
        for (spelling, headings) in [
            ("srcip", &["Source Address", "source_ip", "Src. IP", "srcip", "SrcIpAddr"][..]),
            ("dstip", &["Destination IP Address", "dest-ip", "Dst. IP", "destinationAddress"]),
            ("srcname", &["Source Host", "src_hostname", "Source Machine Name", "Src. Name"]),
            ("dstname", &["destination_host", "Dst. Name", "dst dns name", "DestHost"]),
            ("internalip", &["Internal Ip", "InternalIP", "internal address"]),
            ("clientip", &["Client IP", "client_address", "clientIp"]),
            ("clientname", &["Client Name", "client_hostname"]),
            ("source", &["Source"]),
            ("destination", &["Destination"]),
            ("userhost", &["User/Host"]),
            ("hostname", &["Hostname"]),
            ("resource", &["Resource"]),
            ("address", &["Address"]),
        ] {
            for heading in headings {
                assert_eq!(canonical_spelling(heading), spelling, "{heading}");
            }
        }
    }

    #[test]
    fn a_heading_is_known_beside_its_zone_and_what_stands_in_brackets() {
        for (text, key, zone) in [
            ("Time (UTC)", "time", Some("UTC")),
            ("Timestamp (CEST)", "timestamp", Some("CEST")),
            ("TimeGenerated [UTC]", "timegenerated", Some("UTC")),
            ("Event Time (GMT+2)", "eventtime", Some("GMT+2")),
            ("Time (XYZ)", "time", Some("XYZ")),
            ("Time (Europe/Berlin)", "time", Some("Europe/Berlin")),
            ("Time CEST", "time", Some("CEST")),
            ("timestamp_utc", "timestamp", Some("utc")),
            ("UTC Time", "time", Some("utc")),
            ("Time (local)", "time", None),
            ("Time (ms)", "time", None),
            ("URL (custom)", "url", None),
            ("Time", "time", None),
            ("(UTC)", "utc", None),
        ] {
            let heading = Heading::of(text);
            assert_eq!((heading.key(), heading.zone.as_deref()), (key, zone), "{text}");
        }
        assert!(Heading::of("Source (IP)").is("srcip"));
    }

    #[test]
    fn every_word_is_spelt_as_headings_are() {
        for word in LISTS.concat() {
            assert_eq!(canonical_spelling(word), word, "nothing is ever spelt so");
        }
        for word in CLIENTS {
            assert!(HOSTS.contains(word), "{word} is of no host");
        }
        for word in SPANS.iter().flat_map(|(first, last)| [first, last]) {
            assert!(TIMES.contains(word), "{word} is of no time");
        }
    }
}
