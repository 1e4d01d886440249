//! Times as people and devices write them, brought to UTC.
//!
//! Read are RFC 3339 and what is near it (`2026-03-02T09:17:42.5+0100`, `2026-03-02 09:17:42`), the
//! forms of firewalls (`2026:03:02-09:17:42`, `2026/03/02 09:17:42`, `Mar 02 2026 09:17:42`,
//! `02.03.2026 09:17`, `03/22/2026 9:17:42 AM`) and counts since the epoch in seconds, milli-, micro-
//! or nanoseconds. What could be two dates (`03/02/2026`) or lacks its year is not guessed at.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::{Timestamp, Zone};

/// A time, and whether its zone was said with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// When.
    pub time: Timestamp,
    /// It named no zone: it was taken to be of the one given.
    pub is_local: bool,
}

impl Written {
    /// Reads a time. None of what is not one, or could be several.
    pub fn parse(text: &str, zone: &Zone) -> Option<Written> {
        let text = text.trim();
        // The longest written form with a zone has some 40 characters.
        if text.is_empty() || text.len() > 64 {
            return None;
        }
        if let Some(time) = since_epoch(text) {
            return Some(Written { time, is_local: false });
        }
        let mut cursor = Cursor(text);
        let (year, month, day) = cursor.date()?;
        cursor.eat_any(&[' ', 'T', 't', '-', ',', '_']);
        let (hour, minute, second, nanos) = cursor.clock()?;
        let local = DateTime::new(year, month, day, hour, minute, second, nanos).ok()?;
        let said = cursor.0.trim();
        let (zone, is_local) = match said {
            "" => (zone.zone.clone(), true),
            "Z" | "z" | "UTC" | "GMT" => (TimeZone::UTC, false),
            _ => match fixed(said).or_else(|| TimeZone::get(said.trim_matches(['[', ']'])).ok()) {
                Some(zone) => (zone, false),
                // An abbreviation such as CST is the name of several zones.
                None if said.chars().all(|c| c.is_ascii_alphabetic()) && said.len() <= 5 => {
                    (zone.zone.clone(), true)
                }
                None => return None,
            },
        };
        let nanos = local.to_zoned(zone).ok()?.timestamp().as_nanosecond();
        Some(Written { time: Timestamp(i64::try_from(nanos).ok()?), is_local })
    }
}

/// A zone by its distance from UTC: `+01:00`, `-0330`, `+2`.
fn fixed(text: &str) -> Option<TimeZone> {
    if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
        return Some(TimeZone::UTC);
    }
    if !text.starts_with(['+', '-']) {
        return None;
    }
    Some(TimeZone::fixed(Offset::from_seconds(super::distance(text)?).ok()?))
}

/// A count since the epoch; how many digits it has says of what.
fn since_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let unit = match whole.len() {
        9..=11 => 1_000_000_000,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        18 | 19 => 1,
        _ => return None,
    };
    let nanos = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    // Of a fraction of anything but a second nobody has need.
    let fraction = if unit == 1_000_000_000 { nanos_of(fraction)? } else { 0 };
    Some(Timestamp(nanos.checked_add(i64::from(fraction))?))
}

/// The digits behind a decimal point as nanoseconds.
fn nanos_of(fraction: &str) -> Option<i32> {
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

/// What is still to be read.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !of(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn digits(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_digit())
    }

    fn small(&mut self) -> Option<i8> {
        let digits = self.digits();
        if matches!(digits.len(), 1 | 2) { digits.parse().ok() } else { None }
    }

    fn year(&mut self) -> Option<i16> {
        let digits = self.digits();
        if digits.len() == 4 { digits.parse().ok() } else { None }
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn eat_any(&mut self, of: &[char]) {
        self.0 = self.0.trim_start_matches(of);
    }

    /// A month's English name, or its beginning.
    fn month(&mut self) -> Option<i8> {
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let word = self.take_while(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let place = MONTHS.iter().position(|month| word.starts_with(month))?;
        i8::try_from(place + 1).ok()
    }

    fn date(&mut self) -> Option<(i16, i8, i8)> {
        const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let lower = self.0.get(..3).map(str::to_ascii_lowercase);
        if lower.is_some_and(|start| WEEKDAYS.contains(&start.as_str())) {
            self.take_while(|c| c.is_ascii_alphabetic());
            self.eat_any(&[',', ' ']);
        }
        if self.0.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let month = self.month()?;
            self.eat_any(&[' ']);
            let day = self.small()?;
            self.eat_any(&[',', ' ']);
            return Some((self.year()?, month, day));
        }
        let first = self.digits();
        let between = self.0.chars().next()?;
        self.eat(between)?;
        let is_word = self.0.starts_with(|c: char| c.is_ascii_alphabetic());
        match (first.len(), between) {
            (4, '-' | '/' | ':' | '.') => {
                let month = if is_word { self.month()? } else { self.small()? };
                self.eat(between)?;
                Some((first.parse().ok()?, month, self.small()?))
            }
            (1 | 2, '-' | '/' | ' ') if is_word => {
                let month = self.month()?;
                self.eat(between)?;
                Some((self.year()?, month, first.parse().ok()?))
            }
            (1 | 2, '.' | '/' | '-') => {
                let (first, second): (i8, i8) = (first.parse().ok()?, self.small()?);
                self.eat(between)?;
                let year = self.year()?;
                match between {
                    '.' => Some((year, second, first)),
                    _ if first > 12 || first == second => Some((year, second, first)),
                    _ if second > 12 => Some((year, first, second)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn clock(&mut self) -> Option<(i8, i8, i8, i32)> {
        let mut hour = self.small()?;
        self.eat(':')?;
        let minute = self.small()?;
        let (mut second, mut nanos) = (0, 0);
        if self.eat(':').is_some() {
            second = self.small()?;
            if self.0.starts_with(['.', ',']) {
                self.0 = self.0.get(1..)?;
                nanos = nanos_of(self.digits())?;
            }
        }
        let rest = self.0.trim_start();
        let half = rest.get(..2).map(str::to_ascii_uppercase);
        match half.as_deref() {
            Some("AM") if hour <= 12 => hour %= 12,
            Some("PM") if hour <= 12 => hour = hour % 12 + 12,
            _ => return Some((hour, minute, second, nanos)),
        }
        self.0 = rest.get(2..)?;
        Some((hour, minute, second, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Option<String> {
        Written::parse(text, &crate::time::UTC.clone()).map(|written| written.time.to_string())
    }

    #[test]
    fn one_instant_in_every_dress() {
        for text in [
            "2026-03-02T09:17:42Z",
            "2026-03-02T10:17:42+01:00",
            "2026-03-02T10:17:42.000+0100",
            "2026-03-02 09:17:42",
            "2026-03-02 09:17:42 UTC",
            "2026-03-02 9:17:42.000",
            "2026:03:02-09:17:42",
            "2026/03/02 09:17:42",
            "Mar 02 2026 09:17:42",
            "Mar 2 2026 09:17:42.000 UTC",
            "Mon, 02 Mar 2026 09:17:42 GMT",
            "02-Mar-2026 09:17:42",
            "02.03.2026 09:17:42",
            "02.03.2026, 09:17:42",
            "2026-03-02 09:17:42 AM",
            "1772443062",
            "1772443062.000000",
            "1772443062000",
            "1772443062000000",
            "1772443062000000000",
        ] {
            assert_eq!(utc(text).as_deref(), Some("2026-03-02T09:17:42.000000000Z"), "{text}");
        }
        assert_eq!(utc("22/03/2026 1:05 PM").as_deref(), Some("2026-03-22T13:05:00.000000000Z"));
        assert_eq!(utc("3/22/2026 12:05 am").as_deref(), Some("2026-03-22T00:05:00.000000000Z"));
    }

    #[test]
    fn a_local_time_is_of_the_zone_given_its_summer_included() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str| Written::parse(text, &berlin).unwrap();
        let winter = read("2026-03-02 10:17:42");
        assert_eq!(winter.time.to_string(), "2026-03-02T09:17:42.000000000Z");
        assert!(winter.is_local);
        let summer = read("2026:07:02-10:17:42");
        assert_eq!(summer.time.to_string(), "2026-07-02T08:17:42.000000000Z");
        assert!(!read("2026-03-02T10:17:42+0100").is_local);
        assert!(read("2026-03-02 10:17:42 CST").is_local, "it is the name of several zones");
        for (zone, hour) in [("+05:30", 4), ("-0330", 13), ("+2", 8), ("UTC", 10), ("Z", 10)] {
            let time = read(&format!("2026-03-02 10:17:42 {zone}"));
            assert_eq!((time.time.seconds() / 3600 % 24, time.is_local), (hour, false), "{zone}");
        }
        for zone in ["Europe/Atlantis", "+99:00", "+1:2:3:4", "five"] {
            assert!(Zone::parse(zone).is_none(), "{zone}");
        }
    }

    #[test]
    fn what_is_no_time_or_could_be_two_is_not_guessed_at() {
        for text in [
            "",
            "2026-03-02",
            "09:17:42",
            "Mar  2 09:17:42",
            "03/02/2026 09:17:42",
            "2026-13-02 09:17:42",
            "2026-02-30 09:17:42",
            "2026-03-02 25:17:42",
            "2026-03-02 09:17:42 and more",
            "99999999999999999999",
            "1234",
            "mi.kenal-cn.com",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,70}|[0-9:/. TZ+-]{0,30}") {
            let _ = Written::parse(&text, &crate::time::UTC.clone());
            let _ = Zone::parse(&text);
        }
    }
}
