//! Capture time: nanoseconds since the Unix epoch, as frames are stamped.
//!
//! Everything from `packet` to `attribution` takes its time from the frames; no clock is read there.

mod count;
mod incomplete;
mod month_words;
mod written;
mod zone_words;

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, Sub};

use jiff::tz::{Offset, TimeZone};

pub use written::{DateOrder, NoTime, Written};
pub use zone_words::names_zone;

/// An instant of capture time, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A span of capture time, in nanoseconds; negative when frames stand out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Timestamp {
    /// Seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// From a text such as `2026-03-02T08:00:00Z` (RFC 3339); `None` of anything else.
    pub fn from_rfc3339(text: &str) -> Option<Timestamp> {
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok().map(Timestamp)
    }

    /// Nanoseconds within the second, 0 to 999,999,999.
    pub fn subsec_nanos(self) -> i64 {
        self.0.rem_euclid(1_000_000_000)
    }
}

impl Span {
    /// The longest span.
    pub const MAX: Span = Span(i64::MAX);

    /// A span of whole seconds.
    pub const fn from_secs(seconds: i64) -> Span {
        Span(seconds * 1_000_000_000)
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: i64) -> Span {
        Span(millis * 1_000_000)
    }

    /// A span of whole microseconds.
    pub const fn from_micros(micros: i64) -> Span {
        Span(micros * 1_000)
    }

    /// A span of so many seconds, to the nanosecond; `None` of what is no number or too far.
    pub fn from_secs_f64(seconds: f64) -> Option<Span> {
        let nanos = (seconds * 1e9).round();
        // Two hundred years: whatever is added to a time that can be, is one.
        (nanos.abs() < 6.4e18).then_some(Span(nanos as i64))
    }

    /// The span in seconds, for display and scoring only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Its distance from zero.
    pub fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// The time zone in which times are said to people.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    name: Cow<'static, str>,
}

/// Coordinated universal time.
pub static UTC: Zone = Zone { zone: TimeZone::UTC, name: Cow::Borrowed("UTC") };

/// A time as a zone's clocks and calendars show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Civil {
    /// `2019-11-29`.
    pub date: String,
    /// `08:25:01`.
    pub clock: String,
    /// How far the zone is from UTC then, in seconds, east positive.
    pub offset: i32,
}

impl Zone {
    /// The zone of this machine (`TZ`, or else `/etc/localtime`); UTC if it has none.
    pub fn local() -> Zone {
        match TimeZone::try_system() {
            Ok(zone) if !zone.is_unknown() => {
                let name = zone.iana_name().unwrap_or("local time").to_owned();
                let is_utc = ["UTC", "Etc/UTC", "Etc/Universal", "Zulu"].contains(&name.as_str());
                if is_utc { UTC.clone() } else { Zone { zone, name: Cow::Owned(name) } }
            }
            _ => UTC.clone(),
        }
    }

    /// A time of day: `08:25:01`. What lies beyond all calendars is shown as a number.
    pub fn clock(&self, time: Timestamp) -> String {
        self.civil(time).map_or_else(|| time.to_string(), |civil| civil.clock)
    }

    /// By what a person calls it: `UTC`, `local`, a name of the IANA database such as `Europe/Berlin`, its distance from UTC,
    /// `+01:00`, or an abbreviation that is used for one zone, `CEST`. None if there is no such zone.
    pub fn parse(name: &str) -> Option<Zone> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("utc") {
            return Some(UTC.clone());
        }
        if name.eq_ignore_ascii_case("local") {
            return Some(Zone::local());
        }
        if name.starts_with(['+', '-']) {
            let zone = TimeZone::fixed(Offset::from_seconds(distance(name)?).ok()?);
            return Some(Zone { zone, name: Cow::Borrowed("") });
        }
        let zone = match TimeZone::get(name) {
            Ok(zone) => zone,
            Err(_) => {
                let zone = zone_words::of_one_zone(name)?;
                return Some(Zone { zone, name: Cow::Borrowed("") });
            }
        };
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Some(Zone { zone, name: Cow::Owned(name) })
    }

    /// A time by this zone's clocks; none if it is out of all calendars.
    pub fn civil(&self, time: Timestamp) -> Option<Civil> {
        let time = jiff::Timestamp::from_second(time.seconds()).ok()?;
        let offset = self.zone.to_offset(time);
        let civil = offset.to_datetime(time);
        Some(Civil {
            date: civil.date().to_string(),
            clock: civil.time().to_string(),
            offset: offset.seconds(),
        })
    }

    /// The hour of the day, 0 to 23.
    pub fn hour(&self, time: Timestamp) -> u8 {
        let second = time.seconds();
        let offset = jiff::Timestamp::from_second(second)
            .map_or(0, |time| i64::from(self.zone.to_offset(time).seconds()));
        ((second + offset).rem_euclid(86_400) / 3_600) as u8
    }

    /// As the output names it at a time: `UTC`, `Europe/Berlin (UTC+1)`, `Asia/Kolkata (UTC+5:30)`.
    pub fn name_at(&self, time: Timestamp) -> String {
        match (self.name.as_ref(), self.distance_at(time)) {
            ("UTC" | "", distance) => distance,
            (name, distance) => format!("{name} ({distance})"),
        }
    }

    /// How far it is from UTC at a time: `UTC`, `UTC+1`, `UTC+5:30`.
    pub fn distance_at(&self, time: Timestamp) -> String {
        match self.civil(time) {
            Some(civil) if self.name != "UTC" => {
                let minutes = civil.offset.unsigned_abs() / 60;
                let sign = if civil.offset < 0 { '-' } else { '+' };
                match minutes % 60 {
                    0 => format!("UTC{sign}{}", minutes / 60),
                    rest => format!("UTC{sign}{}:{rest:02}", minutes / 60),
                }
            }
            _ => "UTC".to_owned(),
        }
    }
}

/// No clock on earth is further from UTC.
const DISTANCE_MAX: i32 = 14 * 3600;

/// A distance from UTC in seconds: `+01:00`, `-0330`, `+2`.
fn distance(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let rest = text.get(1..)?;
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some((hours, minutes)), 4 | 5) if minutes.len() == 2 => (hours, minutes),
        (None, 1 | 2) => (rest, "0"),
        (None, 4) => rest.split_at_checked(2)?,
        _ => return None,
    };
    let is_number = hours.bytes().chain(minutes.bytes()).all(|octet| octet.is_ascii_digit());
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    (is_number && minutes < 60 && seconds <= DISTANCE_MAX).then_some(sign * seconds)
}

/// RFC 3339 in UTC with nine decimals: `2019-11-29T08:25:01.123456789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(time) => write!(f, "{time:.9}"),
            Err(_) => write!(f, "{}.{:09}s", self.seconds(), self.subsec_nanos()),
        }
    }
}

/// The unit a person would choose: `85 us`, `3.2 ms`, `1.50 s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        match nanos.unsigned_abs() {
            0..1_000_000 => write!(f, "{} us", nanos / 1_000),
            1_000_000..1_000_000_000 => write!(f, "{:.1} ms", nanos as f64 / 1e6),
            1_000_000_000..60_000_000_000 => write!(f, "{:.2} s", nanos as f64 / 1e9),
            _ => write!(f, "{} min {:02} s", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60),
        }
    }
}

/// A period as a person would say it: `45 s`, `5 min`, `1 min 30 s`, `2 h`, `1 h 30 min`, `1 d 2 h`.
pub(crate) fn period(span: Span) -> String {
    let seconds = span.0.saturating_add(500_000_000) / 1_000_000_000;
    let (large, small, of) = match seconds {
        ..60 => return format!("{seconds} s"),
        60..3_600 => ("min", "s", (seconds / 60, seconds % 60)),
        // What rounds to a whole day is one.
        3_600..86_370 => {
            let minutes = (seconds + 30) / 60;
            ("h", "min", (minutes / 60, minutes % 60))
        }
        _ => {
            let hours = (seconds + 1_800) / 3_600;
            ("d", "h", (hours / 24, hours % 24))
        }
    };
    match of {
        (whole, 0) => format!("{whole} {large}"),
        (whole, part) => format!("{whole} {large} {part} {small}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nine_decimals_in_utc() {
        let time = Timestamp(1_575_015_901_123_456_789);
        assert_eq!(time.to_string(), "2019-11-29T08:25:01.123456789Z");
        assert_eq!(
            Timestamp(1_575_015_901_000_000_000).to_string(),
            "2019-11-29T08:25:01.000000000Z"
        );
    }

    #[test]
    fn a_zone_says_its_clock_and_how_far_it_is_from_utc() {
        let time = Timestamp(1_575_015_901_123_456_789);
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let civil = berlin.civil(time).unwrap();
        assert_eq!((civil.date.as_str(), civil.clock.as_str()), ("2019-11-29", "09:25:01"));
        assert_eq!((berlin.hour(time), civil.offset), (9, 3600));
        assert_eq!(Zone::parse("-0930").unwrap().hour(time), 22, "of the day before");
        assert_eq!(berlin.name_at(time), "Europe/Berlin (UTC+1)");
        assert_eq!(Zone::parse("Asia/Kolkata").unwrap().name_at(time), "Asia/Kolkata (UTC+5:30)");
        assert_eq!(
            Zone::parse("America/New_York").unwrap().name_at(time),
            "America/New_York (UTC-5)"
        );
        assert_eq!(Zone::parse("utc").unwrap().name_at(time), "UTC");
        for (text, name) in [("+01:00", "UTC+1"), ("-0330", "UTC-3:30"), ("+2", "UTC+2")] {
            assert_eq!(Zone::parse(text).unwrap().name_at(time), name);
        }
        for wrong in ["+", "+1:2:3", "+99", "-01:60", "+é"] {
            assert!(Zone::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Zone::parse("Mars/Olympus").is_none() && Zone::parse("").is_none());
        assert_eq!(UTC.civil(Timestamp(i64::MAX)).map(|c| c.date.len()), Some(10));
    }

    #[test]
    fn subtracting_below_the_epoch_keeps_seconds_and_nanos_apart() {
        let time = Timestamp(-1);
        assert_eq!((time.seconds(), time.subsec_nanos()), (-1, 999_999_999));
    }

    #[test]
    fn spans_read_as_a_person_would_say_them() {
        assert_eq!(Span(85_000).to_string(), "85 us");
        assert_eq!(Span(3_200_000).to_string(), "3.2 ms");
        assert_eq!(Span(1_500_000_000).to_string(), "1.50 s");
        assert_eq!(Span(125_000_000_000).to_string(), "2 min 05 s");
    }
}
