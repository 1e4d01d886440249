//! Times that are mere numbers: counts since the beginning of some calendar.
//!
//! How many digits a count has says of what it is, and its size whether it is one: a firewall's alert is of this century.
//! What was written for people without marks, `260302091742`, would as a count be of 1978.

use jiff::civil::DateTime;

use super::Timestamp;

/// The alerts are of these years: from 2001-01-01 to 2100-01-01, in seconds.
const FIRST: i64 = 978_307_200;
const LAST: i64 = 4_102_444_800;
/// From 1601, where Windows begins to count, to 1970, in seconds.
const WINDOWS: i64 = 11_644_473_600;
/// From the year 1, where .NET begins, to 1970, in seconds.
const DOT_NET: i64 = 62_135_596_800;
/// Both count in units of 100 ns.
const UNITS: i64 = 10_000_000;

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// A time.
    Time(Timestamp),
    /// A day and a clock of no zone: so .NET counts.
    Local(DateTime),
    /// It has the digits of a count, and is none of this century.
    FarOff,
}

impl Count {
    /// Of a text that is nothing but a number, with a fraction or without. None of what has the digits of none, or of
    /// those that people write, `20260302091742`.
    pub(super) fn of(text: &str) -> Option<Count> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let units = match whole.len() {
            9..=11 => 1,
            12 | 13 => 1_000,
            15 | 16 => 1_000_000,
            18 => return Some(of_18(whole.parse().ok()?)),
            19 => 1_000_000_000,
            20..=64 => return Some(Count::FarOff),
            _ => return None,
        };
        let Ok(count) = whole.parse::<i64>() else { return Some(Count::FarOff) };
        // Of a fraction of anything but a second nobody has need.
        let fraction = if units == 1 { nanos_of(fraction)? } else { 0 };
        Some(since_1970(count, units, fraction.into()))
    }
}

fn since_1970(count: i64, units: i64, fraction: i64) -> Count {
    if !(FIRST..LAST).contains(&(count / units)) {
        return Count::FarOff;
    }
    let nanos = count.checked_mul(1_000_000_000 / units).and_then(|n| n.checked_add(fraction));
    nanos.map_or(Count::FarOff, |nanos| Count::Time(Timestamp(nanos)))
}

/// Eighteen digits are of this century by one of the three ways to count at most.
fn of_18(count: i64) -> Count {
    let since = |beginning: i64| {
        let nanos = count.checked_sub(beginning * UNITS)?.checked_mul(100)?;
        (FIRST..LAST).contains(&(nanos / 1_000_000_000)).then_some(nanos)
    };
    if let Some(nanos) = since(WINDOWS) {
        return Count::Time(Timestamp(nanos));
    }
    let local = since(DOT_NET).and_then(|nanos| {
        let seen = jiff::Timestamp::from_nanosecond(nanos.into()).ok()?;
        Some(jiff::tz::TimeZone::UTC.to_datetime(seen))
    });
    local.map_or_else(|| since_1970(count, 1_000_000_000, 0), Count::Local)
}

/// The digits behind a decimal point as nanoseconds.
pub(super) fn nanos_of(fraction: &str) -> Option<i32> {
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_time_of_this_century_or_none() {
        let time = Timestamp(1_772_443_062_000_000_000);
        for text in [
            "1772443062",
            "1772443062.0",
            "1772443062000",
            "1772443062000000",
            "1772443062000000000",
            // FILETIME, as LDAP and Windows have it.
            "134169166620000000",
        ] {
            assert_eq!(Count::of(text), Some(Count::Time(time)), "{text}");
        }
        let local = jiff::civil::date(2026, 3, 2).at(9, 17, 42, 0);
        assert_eq!(Count::of("639080398620000000"), Some(Count::Local(local)));
        for text in [
            // YYMMDDhhmmss and DDMMYYhhmmss: as milliseconds they would be of 1978 and 1970.
            "260302091742",
            "020326091742",
            "999999999",
            "99999999999",
            "499999999999999999",
            "5000000000000000000",
            "202603020917420",
            "9999999999999999999",
            "99999999999999999999",
        ] {
            let expected = match text {
                // Of 2001.
                "999999999" => Some(Count::Time(Timestamp(999_999_999_000_000_000))),
                _ => Some(Count::FarOff),
            };
            assert_eq!(Count::of(text), expected, "{text}");
        }
        for text in ["", "1234", "20260302", "20260302091742", "17724430x2", "1.2.3"] {
            assert_eq!(Count::of(text), None, "{text}");
        }
    }
}
