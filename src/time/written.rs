//! Times as people and devices write them, brought to UTC.
//!
//! Read are RFC 3339 and what is near it (`2026-03-02T09:17:42.5+0100`, `2026-03-02 09:17:42`), the
//! forms of firewalls (`2026:03:02-09:17:42`, `2026/03/02 09:17:42`, `Mar 02 2026 09:17:42`,
//! `02.03.2026 09:17`, `03/22/2026 9:17:42 AM`) and counts ([`Count`]); and what else logs and exports write
//! (`20260302T091742Z`, `02/Mar/2026:09:17:42 +0000`, `2Mar2026 9:17:42`, `2-Mar-26 9:17 p.m.`,
//! `Mon Mar 02 10:17:42 CET 2026`, `Mar 2, 2026 @ 09:17:42`, `2026-03-02 09:17:42 +0000 UTC`). What could be two dates
//! (`03/02/2026`) is read in the order that another date of the same writer shows; without one, it is not guessed at,
//! and neither is what lacks its year, or names a zone that is not known.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::count::{Count, nanos_of};
use super::incomplete::with_year_first;
use super::month_words::in_english;
use super::zone_words::ZoneWord;
use super::{Timestamp, Zone};

/// A time, and whether its zone was said with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// When: the first time, where clocks were set back and showed it twice.
    pub time: Timestamp,
    /// The second time.
    pub again: Option<Timestamp>,
    /// Until when, where it stands for longer than a moment: a day without a clock, a first and a last time.
    pub until: Option<Timestamp>,
    /// It named no zone: it was taken to be of the one given.
    pub is_local: bool,
    /// The order of day and month that its date shows, since no month has its other number.
    pub shows: Option<DateOrder>,
    /// It says its second to a part of it, or counts.
    pub is_fine: bool,
    /// Its clock has no seconds.
    pub is_of_minute: bool,
    /// It names the time that Europe has in winter, and is of its summer: some write that all the year.
    pub is_winter_in_summer: bool,
}

/// Which of day and month comes first in a date such as `03/02/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `14/03/2026`.
    DayFirst,
    /// `03/14/2026`.
    MonthFirst,
}

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTime {
    /// It is not written as any that is known.
    Unknown,
    /// It could be of two dates.
    TwoDates,
    /// It lacks its year.
    NoYear,
    /// It is a clock alone.
    NoDay,
    /// Its zone is called as others are, and the one given is none of them.
    ManyZones,
    /// What stands behind its clock is no zone that is known.
    NoZone,
    /// It is a number, which as a count would not be of this century.
    FarOff,
}

impl Written {
    /// Reads a time, its day and month in the order given where they could be either.
    ///
    /// # Errors
    /// Of what is not one, or could be several.
    pub fn parse(text: &str, zone: &Zone, order: Option<DateOrder>) -> Result<Written, NoTime> {
        let text = text.trim();
        // The longest written form with a zone has some 60 characters.
        if text.is_empty() || text.len() > 80 {
            return Err(NoTime::Unknown);
        }
        let plain = plain(text);
        let text = plain.as_ref();
        let mut cursor = Cursor::new(text, order);
        match Written::read(text, &mut cursor, zone) {
            Some(read) => read,
            None if cursor.is_two_dates => Err(NoTime::TwoDates),
            None if Cursor::new(text, order).lacks_year() => match with_year_first(text) {
                Some(text) => Written::parse(&text, zone, order),
                None => Err(NoTime::NoYear),
            },
            None if Cursor::new(text, order).lacks_day() => Err(NoTime::NoDay),
            // What is in English now does not come here again, or changes once more.
            None => match in_english(text).filter(|english| english.len() < text.len()) {
                Some(english) => Written::parse(&english, zone, order),
                None => Err(NoTime::Unknown),
            },
        }
    }

    /// None of what is not written as a time is.
    fn read(text: &str, cursor: &mut Cursor<'_>, zone: &Zone) -> Option<Result<Written, NoTime>> {
        let local = match Count::of(text) {
            Some(Count::Time(time)) => {
                return Some(Ok(Written {
                    time,
                    again: None,
                    until: None,
                    is_local: false,
                    shows: None,
                    is_fine: true,
                    is_of_minute: false,
                    is_winter_in_summer: false,
                }));
            }
            Some(Count::FarOff) => return Some(Err(NoTime::FarOff)),
            Some(Count::Local(local)) => {
                cursor.rest = "";
                local
            }
            None => {
                let (year, month, day) = cursor.date()?;
                cursor.eat_any(&[' ', 'T', 't', '-', ',', '_', '@', ':']);
                let (hour, minute, second, nanos) = cursor.clock()?;
                DateTime::new(year, month, day, hour, minute, second, nanos).ok()?
            }
        };
        let said = cursor.rest.trim();
        // `9:17 Uhr`.
        let said = said.strip_prefix("Uhr").map_or(said, str::trim);
        let mut is_winter_in_summer = false;
        let (zone, is_local) = match ZoneWord::of(said) {
            _ if said.is_empty() => (zone.zone.clone(), true),
            ZoneWord::Zone(zone) => (zone, false),
            ZoneWord::EuropesWinter(east) => {
                is_winter_in_summer = is_europes_summer(local);
                (TimeZone::fixed(Offset::from_seconds(east).ok()?), false)
            }
            // The zone given says which is meant.
            ZoneWord::OneOf(easts) if easts.contains(&distance_then(&zone.zone, local)?) => {
                (zone.zone.clone(), false)
            }
            ZoneWord::OneOf(_) => return Some(Err(NoTime::ManyZones)),
            ZoneWord::Unknown => return Some(Err(NoTime::NoZone)),
        };
        let of = |time: jiff::Timestamp| i64::try_from(time.as_nanosecond()).ok().map(Timestamp);
        let read = zone.to_ambiguous_timestamp(local);
        let time = of(read.compatible().ok()?)?;
        let is_twice = matches!(read.offset(), AmbiguousOffset::Fold { .. });
        let again = if is_twice { of(read.later().ok()?) } else { None };
        let Cursor { shows, is_fine, is_of_minute, .. } = *cursor;
        let until = None;
        Some(Ok(Written {
            time,
            again,
            until,
            is_local,
            shows,
            is_fine,
            is_of_minute,
            is_winter_in_summer,
        }))
    }
}

/// How far a zone is from UTC when its clocks show a time, in seconds.
fn distance_then(zone: &TimeZone, local: DateTime) -> Option<i32> {
    let time = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(zone.to_offset(time).seconds())
}

/// Whether Europe has its summer time then; all of it changes at one moment.
fn is_europes_summer(local: DateTime) -> bool {
    let berlin = TimeZone::get("Europe/Berlin").ok();
    berlin.and_then(|berlin| distance_then(&berlin, local)).is_some_and(|east| east > 3_600)
}

/// With one kind of blank, half days without dots, and without what Go tells of its own clock: `p.m.`, ` m=+0.001`.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.split_once(" m=").map_or(text, |(time, _)| time);
    let mut plain = Cow::Borrowed(text);
    if text.contains(['\u{a0}', '\u{202f}']) {
        plain = text.replace(['\u{a0}', '\u{202f}'], " ").into();
    }
    for (dotted, half) in [("a.m.", "AM"), ("p.m.", "PM"), ("a. m.", "AM"), ("p. m.", "PM")] {
        let lower = plain.to_ascii_lowercase();
        if let Some((before, behind)) = lower.find(dotted).and_then(|at| {
            Some((plain.get(..at)?.to_owned(), plain.get(at + dotted.len()..)?.to_owned()))
        }) {
            plain = format!("{before}{half}{behind}").into();
        }
    }
    plain
}

/// No month is beyond.
const MONTHS: i8 = 12;

/// What is still to be read, and what was learned of the order of day and month.
struct Cursor<'a> {
    rest: &'a str,
    order: Option<DateOrder>,
    shows: Option<DateOrder>,
    is_two_dates: bool,
    /// Its clock has a part of a second,
    is_fine: bool,
    /// or not even seconds.
    is_of_minute: bool,
    /// A clock without marks, `091742`, that stood behind its day.
    packed_clock: Option<&'a str>,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str, order: Option<DateOrder>) -> Cursor<'a> {
        let (shows, packed_clock) = (None, None);
        let (is_two_dates, is_fine, is_of_minute) = (false, false, false);
        Cursor { rest: text, order, shows, is_two_dates, is_fine, is_of_minute, packed_clock }
    }

    fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
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

    /// Where a year stands last it is often cut to two digits; alerts are of this century.
    fn year_of_two_or_four(&mut self) -> Option<(i16, bool)> {
        let digits = self.digits();
        let year: i16 = digits.parse().ok()?;
        // `2 Mar 09:17:42` has none, and its clock no more than three parts.
        let is_clock = self.rest.starts_with(':') && self.rest.matches(':').count() < 3;
        match digits.len() {
            2 if is_clock => None,
            2 => Some((2_000 + year, true)),
            4 => Some((year, false)),
            _ => None,
        }
    }

    /// `20260302T091742`, `20260302091742`, with thousandths behind `20260302091742123`: digits without marks, of the clock what stands behind stays to be read.
    fn packed(&mut self, digits: &'a str) -> Option<(i16, i8, i8)> {
        let (day, clock) = digits.split_at_checked(8)?;
        let part = |from: usize, to: usize| day.get(from..to);
        let date =
            (part(0, 4)?.parse().ok()?, part(4, 6)?.parse().ok()?, part(6, 8)?.parse().ok()?);
        if !clock.is_empty() {
            self.packed_clock = Some(clock);
        } else {
            self.eat_any(&[' ', 'T', 't', '-', '_']);
            let rest = self.rest;
            let clock = self.digits();
            // Else it has its marks: `20260302 09:17:42`.
            match clock.len() {
                6 => self.packed_clock = Some(clock),
                _ => self.rest = rest,
            }
        }
        Some(date)
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn eat_any(&mut self, of: &[char]) {
        self.rest = self.rest.trim_start_matches(of);
    }

    /// A month's English name, or its beginning.
    fn month(&mut self) -> Option<i8> {
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let word = self.take_while(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let place = MONTHS.iter().position(|month| word.starts_with(month))?;
        i8::try_from(place + 1).ok()
    }

    fn eat_weekday(&mut self) {
        const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let lower = self.rest.get(..3).map(str::to_ascii_lowercase);
        if lower.is_some_and(|start| WEEKDAYS.contains(&start.as_str())) {
            self.take_while(|c| c.is_ascii_alphabetic());
            self.eat_any(&[',', ' ']);
        }
    }

    fn date(&mut self) -> Option<(i16, i8, i8)> {
        self.eat_weekday();
        if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let month = self.month()?;
            // MikroTik writes `mar/02/2026`.
            self.eat_any(&[' ', '/']);
            let day = self.small()?;
            self.eat_any(&[',', ' ', '/']);
            return Some((self.year()?, month, day));
        }
        let first = self.digits();
        if matches!(first.len(), 8 | 14 | 17) {
            return self.packed(first);
        }
        if matches!(first.len(), 1 | 2) && self.rest.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let (day, month) = (first.parse().ok()?, self.month()?);
            return Some((self.year_of_two_or_four()?.0, month, day));
        }
        let between = self.rest.chars().next()?;
        self.eat(between)?;
        let is_word = self.rest.starts_with(|c: char| c.is_ascii_alphabetic());
        match (first.len(), between) {
            (4, '-' | '/' | ':' | '.') => {
                let month = if is_word { self.month()? } else { self.small()? };
                self.eat(between)?;
                Some((first.parse().ok()?, month, self.small()?))
            }
            (1 | 2, '-' | '/' | ' ') if is_word => {
                let month = self.month()?;
                self.eat(between)?;
                // Who writes the month as a word writes the day first.
                Some((self.year_of_two_or_four()?.0, month, first.parse().ok()?))
            }
            (1 | 2, '.' | '/' | '-') => {
                let (first, second): (i8, i8) = (first.parse().ok()?, self.small()?);
                self.eat(between)?;
                let (year, is_cut) = self.year_of_two_or_four()?;
                // `26/03/02` may have its year first.
                self.is_two_dates = is_cut && between != '.' && first > MONTHS;
                if self.is_two_dates {
                    return None;
                }
                let order = match between {
                    '.' => DateOrder::DayFirst,
                    _ => self.order_of(first, second)?,
                };
                Some(match order {
                    DateOrder::DayFirst => (year, second, first),
                    DateOrder::MonthFirst => (year, first, second),
                })
            }
            _ => None,
        }
    }

    /// Which of two numbers is the day: the one that is no month, else as the order given has it.
    fn order_of(&mut self, first: i8, second: i8) -> Option<DateOrder> {
        self.shows = match (first > MONTHS, second > MONTHS) {
            (true, _) => Some(DateOrder::DayFirst),
            (_, true) => Some(DateOrder::MonthFirst),
            _ => None,
        };
        let either = || (first == second).then_some(DateOrder::DayFirst);
        let order = self.shows.or_else(either).or(self.order);
        self.is_two_dates = order.is_none();
        order
    }

    /// Whether a day and a clock stand there without a year: `Mar  2 09:17:42`, `03/02-09:17:42`, `2 Mar 09:17`, `02.03. 09:17`.
    fn lacks_year(&mut self) -> bool {
        self.eat_weekday();
        let day = match self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => {
                let month = self.month();
                self.eat_any(&[' ', '/']);
                month.and_then(|_| self.small())
            }
            false => self.small().and_then(|first| match self.rest.chars().next()? {
                '/' => self.eat('/').and_then(|()| self.small()),
                '.' => {
                    self.eat('.')?;
                    self.small()?;
                    self.eat_any(&['.']);
                    Some(first)
                }
                ' ' => {
                    self.eat_any(&[' ']);
                    self.month()?;
                    Some(first)
                }
                _ => None,
            }),
        };
        self.eat_any(&[' ', '-', ',']);
        day.is_some() && self.clock().is_some()
    }

    /// Whether a clock stands there alone, or with a zone.
    fn lacks_day(&mut self) -> bool {
        let is_read = self.clock().is_some();
        let behind = self.rest.trim();
        let is_zone = || !matches!(ZoneWord::of(behind), ZoneWord::Unknown);
        is_read && (behind.is_empty() || behind == "Uhr" || is_zone())
    }

    fn clock(&mut self) -> Option<(i8, i8, i8, i32)> {
        let part = |clock: &str, from: usize| clock.get(from..from + 2)?.parse::<i8>().ok();
        let mut nanos = 0;
        let (mut hour, minute, second) = match self.packed_clock.take() {
            Some(clock) => {
                nanos = nanos_of(clock.get(6..)?)?;
                (part(clock, 0)?, part(clock, 2)?, Some(part(clock, 4)?))
            }
            None => {
                let hour = self.small()?;
                self.eat(':')?;
                let minute = self.small()?;
                (hour, minute, if self.eat(':').is_some() { Some(self.small()?) } else { None })
            }
        };
        if second.is_some() && self.rest.starts_with(['.', ',']) {
            self.rest = self.rest.get(1..)?;
            nanos = nanos_of(self.digits())?;
            self.is_fine = true;
        }
        self.is_of_minute = second.is_none();
        let second = second.unwrap_or(0);
        let rest = self.rest.trim_start();
        // `AMT` is a zone.
        let is_word = !rest.get(2..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
        let half = rest.get(..2).filter(|_| is_word).map(str::to_ascii_uppercase);
        match half.as_deref() {
            Some("AM") if hour <= 12 => hour %= 12,
            Some("PM") if hour <= 12 => hour = hour % 12 + 12,
            _ => return Some((hour, minute, second, nanos)),
        }
        self.rest = rest.get(2..)?;
        Some((hour, minute, second, nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Option<String> {
        read(text, None).map(|written| written.time.to_string()).ok()
    }

    fn read(text: &str, order: Option<DateOrder>) -> Result<Written, NoTime> {
        Written::parse(text, &crate::time::UTC.clone(), order)
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
            "20260302T091742Z",
            "20260302T091742.000Z",
            "20260302091742",
            "20260302 09:17:42",
            "02/Mar/2026:09:17:42 +0000",
            "2Mar2026  9:17:42",
            "02Mar2026 09:17:42",
            "Mon Mar 02 10:17:42 CET 2026",
            "2. März 2026 09:17:42",
            "Montag, 2. März 2026, 09:17:42 Uhr",
            "2 mars 2026 à 09:17:42",
            "2 de marzo de 2026 a las 9:17:42",
            "2 marzo 2026 alle ore 09:17:42",
            "Mar 2, 2026 at 9:17:42 AM",
            "mar/02/2026 09:17:42",
            "Mon Mar  2 09:17:42 2026",
            "Mar 2, 2026 @ 09:17:42.000",
            "Mar 2, 2026, 9:17:42 AM",
            "02.03.26 09:17:42",
            "02.03.26, 09:17:42",
            "2026-03-02 10:17:42 CET",
            "2026-03-02 05:17:42 AM EDT",
            "2026-03-02 10:17:42 GMT+1",
            "2026-03-02 05:17:42 (UTC-4)",
            "2026-03-02T10:17:42+01:00[Europe/Berlin]",
            "Mon, 02 Mar 2026 10:17:42 +0100 (CET)",
            "02.03.2026 9:17:42 Uhr",
            "02-Mar-26 09:17:42",
            "2-Mar-26 9:17:42",
            "2-Mar-26, 9:17:42 a.m.",
            "2 Mar 26 09:17:42",
            "2Mar26 09:17:42",
            "02-Mar-2026 09:17:42.000 AM",
            "02.03.2026 9:17:42 a. m.",
            "2026-03-02 9:17:42\u{202f}AM",
            "2026-03-02\u{a0}09:17:42",
            "2026-03-02 09:17:42 +0000 UTC",
            "2026-03-02 09:17:42.000000000 +0000 UTC m=+0.000123456",
            "2026-03-02 10:17:42 +0100 CET",
            "2026-03-02 12:17:42 +0300 +03",
            "2026-03-02 04:17:42 -0500 EST",
            "20260302091742000",
            "134169166620000000",
            "639080398620000000",
            "1772443062",
            "1772443062.000000",
            "1772443062000",
            "1772443062000000",
            "1772443062000000000",
        ] {
            assert_eq!(utc(text).as_deref(), Some("2026-03-02T09:17:42.000000000Z"), "{text}");
        }
        assert_eq!(utc("22/03/2026 1:05 PM").as_deref(), Some("2026-03-22T13:05:00.000000000Z"));
        assert_eq!(utc("22-Mar-26 1:05 P.M.").as_deref(), Some("2026-03-22T13:05:00.000000000Z"));
        assert_eq!(utc("3/22/2026 12:05 am").as_deref(), Some("2026-03-22T00:05:00.000000000Z"));
    }

    #[test]
    fn a_local_time_is_of_the_zone_given_its_summer_included() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str| Written::parse(text, &berlin, None).unwrap();
        let winter = read("2026-03-02 10:17:42");
        assert_eq!(winter.time.to_string(), "2026-03-02T09:17:42.000000000Z");
        assert!(winter.is_local);
        let summer = read("2026:07:02-10:17:42");
        assert_eq!(summer.time.to_string(), "2026-07-02T08:17:42.000000000Z");
        assert!(!read("2026-03-02T10:17:42+0100").is_local);
        for (zone, hour) in [("+05:30", 4), ("-0330", 13), ("+2", 8), ("UTC", 10), ("Z", 10)] {
            let time = read(&format!("2026-03-02 10:17:42 {zone}"));
            assert_eq!((time.time.seconds() / 3600 % 24, time.is_local), (hour, false), "{zone}");
        }
        for (zone, hour) in [("CEST", 8), ("mesz", 8), ("EEST", 7), ("EDT", 14)] {
            let zone = Zone::parse(zone).unwrap();
            let time = Written::parse("2026-03-02 10:17:42", &zone, None).unwrap();
            assert_eq!(time.time.seconds() / 3600 % 24, hour, "{zone:?}");
        }
        for zone in ["Europe/Atlantis", "+99:00", "+1:2:3:4", "five", "BST", "IST", "MEZ", "GMT+25"]
        {
            assert!(Zone::parse(zone).is_none(), "{zone}");
        }
    }

    #[test]
    fn a_zone_that_is_not_understood_is_refused_unless_the_one_given_says_which_is_meant() {
        let read = |zone: &str, text: &str| {
            let written = Written::parse(text, &Zone::parse(zone).unwrap(), None);
            written.map(|written| (written.time.to_string()[11..16].to_owned(), written.is_local))
        };
        let at = |clock: &str| Ok((clock.to_owned(), false));
        for (zone, text, expected) in [
            ("Europe/Berlin", "2026-03-02 10:17:42 CST", Err(NoTime::ManyZones)),
            ("America/Chicago", "2026-03-02 10:17:42 CST", at("16:17")),
            ("Asia/Shanghai", "2026-03-02 10:17:42 CST", at("02:17")),
            ("America/New_York", "2026-03-02 10:17:42 EST", at("15:17")),
            // In summer it is written there by mistake, or stands for itself.
            ("America/New_York", "2026-07-02 10:17:42 EST", Err(NoTime::ManyZones)),
            ("-05:00", "2026-07-02 10:17:42 EST", at("15:17")),
            ("UTC", "2026-03-02 10:17:42 XYZ", Err(NoTime::NoZone)),
            ("UTC", "2026-03-02 10:17:42 AM Europe/Atlantis", Err(NoTime::NoZone)),
            ("UTC", "2026-03-02 10:17:42 W. Europe Standard Time", Err(NoTime::NoZone)),
        ] {
            assert_eq!(read(zone, text), expected, "{zone}: {text}");
        }
    }

    #[test]
    fn a_winters_zone_means_what_it_says_in_summer_too_and_that_is_told() {
        for (text, hour, is_told) in [
            ("2026-07-02 10:17:42 CET", "09", true),
            ("2026-07-02 10:17:42 EET", "08", true),
            ("2026-03-02 10:17:42 CET", "09", false),
            ("2026-07-02 10:17:42 CEST", "08", false),
        ] {
            let written = read(text, None).unwrap();
            assert_eq!(&written.time.to_string()[11..13], hour, "{text}");
            assert_eq!(written.is_winter_in_summer, is_told, "{text}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_read_both_ways() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let read = |text: &str| {
            let written = Written::parse(text, &berlin, None).unwrap();
            let again = written.again.map(|again| again.to_string()).unwrap_or_default();
            (written.time.to_string(), again)
        };
        let (first, second) = ("2026-10-25T00:30:00.000000000Z", "2026-10-25T01:30:00.000000000Z");
        assert_eq!(read("2026-10-25 02:30"), (first.to_owned(), second.to_owned()));
        assert_eq!(read("2026-10-25 02:30 Europe/Berlin"), (first.to_owned(), second.to_owned()));
        for (text, time) in [
            ("2026-10-25 02:30+01:00", second),
            ("2026-10-25 03:00", "2026-10-25T02:00:00.000000000Z"),
            // The hour that summer time leaves out.
            ("2026-03-29 02:30", "2026-03-29T01:30:00.000000000Z"),
        ] {
            assert_eq!(read(text), (time.to_owned(), String::new()), "{text}");
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
            "20260302",
            "20261302T091742",
            "20260302T0917",
            "02.03.026 09:17:42",
            "99999999999999999999",
            "260302091742",
            "946684800",
            "20260302091742123456",
            "2026-03-02 09:17:42 AMX",
            "1234",
            "mi.kenal-cn.com",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn why_a_text_is_no_time_is_told_apart() {
        for (text, why) in [
            ("03/02/2026 09:17:42", NoTime::TwoDates),
            ("3-2-2026 09:17", NoTime::TwoDates),
            ("Mar  2 09:17:42", NoTime::NoYear),
            ("03/02-09:17:42.123456", NoTime::NoYear),
            ("2026-03-02", NoTime::Unknown),
            ("260302091742", NoTime::FarOff),
            ("2026-03-02 09:17:42 AMT", NoTime::ManyZones),
            ("02/03", NoTime::Unknown),
            ("09:17:42", NoTime::NoDay),
            ("9:17 AM", NoTime::NoDay),
            ("09:17 Uhr", NoTime::NoDay),
            ("03/02 09:17", NoTime::NoYear),
            ("02.03. 09:17", NoTime::NoYear),
            ("2. März, 09:17", NoTime::NoYear),
            ("2 Mar 09:17", NoTime::NoYear),
            ("00:1b:21:3c:00:1c", NoTime::Unknown),
            ("Mon Mar  2 09:17:42", NoTime::NoYear),
            ("02/03/26 09:17", NoTime::TwoDates),
            ("26/03/02 09:17", NoTime::TwoDates),
        ] {
            assert_eq!(read(text, None), Err(why), "{text}");
        }
    }

    #[test]
    fn a_date_shows_in_which_order_another_is_read() {
        let (day, month) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
        for (text, shows) in [
            ("14/03/2026 09:17", day),
            ("03-14-2026 09:17", month),
            ("03/03/2026 09:17", None),
            ("14.03.2026 09:17", None),
            ("2026/03/14 09:17", None),
        ] {
            assert_eq!(read(text, None).unwrap().shows, shows, "{text}");
        }
        let of = |order| read("02/03/2026 09:17:42", order).unwrap().time.to_string();
        assert_eq!(of(day), "2026-03-02T09:17:42.000000000Z");
        assert_eq!(of(month), "2026-02-03T09:17:42.000000000Z");
        // What a date shows itself comes first.
        assert_eq!(read("14/03/2026 09:17", month), read("14/03/2026 09:17", None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,70}|[0-9:/. TZ+-]{0,30}") {
            for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)] {
                let _ = read(&text, order);
            }
            let _ = Written::parse_near(&text, &crate::time::UTC, Timestamp(0), None);
            let _ = Zone::parse(&text);
        }
    }
}
