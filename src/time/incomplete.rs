//! Times that lack their year. Another time, that of the capture, has it.

use jiff::tz::TimeZone;

use super::month_words::in_english;
use super::written::{DateOrder, NoTime, Written};
use super::{Span, Timestamp, Zone};

/// How far from a capture a date is at most that could be two.
const BEFORE: Span = Span::from_secs(86_400);
const BEHIND: Span = Span::from_secs(13 * 86_400);

impl Written {
    /// Reads a time that lacks its year, in the year in which it is nearest to another. What could be two dates is as the order
    /// has it, and else the one that is within a day before that and some days behind it, if the other is not.
    ///
    /// # Errors
    /// As [`Written::parse`].
    pub fn parse_near(
        text: &str,
        zone: &Zone,
        near: Timestamp,
        order: Option<DateOrder>,
    ) -> Result<Written, NoTime> {
        let year = jiff::Timestamp::from_second(near.seconds()).map_err(|_| NoTime::NoYear)?;
        let year = TimeZone::UTC.to_datetime(year).year();
        let mut read = Err(NoTime::NoYear);
        for year in year.saturating_sub(1)..=year.saturating_add(1) {
            let Some(text) = with_year(text.trim(), year) else { return Err(NoTime::NoYear) };
            match (of_two(&text, zone, near, order), &read) {
                (Ok(new), Ok(known)) if far(&new, near) >= far(known, near) => {}
                // No other year has a 29 February.
                (Err(_), Ok(_)) => {}
                (new, _) => read = new,
            }
        }
        read
    }
}

/// A time, the one of two that its date can be which is about when another is.
fn of_two(
    text: &str,
    zone: &Zone,
    near: Timestamp,
    order: Option<DateOrder>,
) -> Result<Written, NoTime> {
    let read = Written::parse(text, zone, order);
    if read != Err(NoTime::TwoDates) {
        return read;
    }
    let orders = [DateOrder::DayFirst, DateOrder::MonthFirst];
    let is_about = |written: &Written| (near - BEFORE..=near + BEHIND).contains(&written.time);
    let mut fits = orders
        .into_iter()
        .filter_map(|order| Written::parse(text, zone, Some(order)).ok().filter(is_about));
    match (fits.next(), fits.next()) {
        (Some(one), None) => Ok(one),
        // In other years it is not either, so it lacks more than that.
        _ => Err(NoTime::NoYear),
    }
}

fn far(written: &Written, from: Timestamp) -> super::Span {
    (written.time - from).abs()
}

/// A time without its year with one: `Mar  2 09:17:42` of syslog, `03/02-09:17:42.5` of Snort, whose month comes first, `2 Mar
/// 09:17`, `02.03. 09:17`, `03/02 09:17`.
fn with_year(text: &str, year: i16) -> Option<String> {
    let is_letter = |c: char| c.is_ascii_alphabetic();
    if text.starts_with(is_letter)
        || text.split_whitespace().nth(1).is_some_and(|word| word.starts_with(is_letter))
    {
        let english = in_english(text);
        let text = english.as_deref().unwrap_or(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (day, clock) = words.split_at(words.iter().position(|word| word.contains(':'))?);
        return Some(format!("{} {year} {}", day.join(" ").trim_end_matches(','), clock.join(" ")));
    }
    if let Some((day, clock)) = text.split_once('-')
        && !day.contains(':')
    {
        let (month, day) = day.split_once('/')?;
        return Some(format!("{year}-{month}-{day} {clock}"));
    }
    let (day, clock) = text.split_once([' ', ','])?;
    let clock = clock.trim();
    match day.trim_end_matches('.').split_once('.') {
        Some((day, month)) => Some(format!("{day}.{month}.{year} {clock}")),
        None => Some(format!("{day}/{year} {clock}")),
    }
}

/// A time with its year before its clock, if it ends with one: `Mon Mar 02 10:17:42 CET 2026`, as `date` and Java write it.
pub(super) fn with_year_first(text: &str) -> Option<String> {
    let (rest, year) = text.rsplit_once(' ')?;
    let is_year = year.len() == 4 && year.bytes().all(|octet| octet.is_ascii_digit());
    let words: Vec<&str> = rest.split_whitespace().collect();
    let clock = words.iter().position(|word| word.contains(':')).filter(|_| is_year)?;
    let (day, clock) = words.split_at(clock);
    Some(format!("{} {year} {}", day.join(" "), clock.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_that_is_missing_is_that_in_which_the_time_is_nearest_to_another() {
        let near = |text: &str, near: &str| {
            let written = Written::parse_near(
                text,
                &crate::time::UTC,
                Timestamp::from_rfc3339(near).unwrap(),
                None,
            );
            written.map(|written| written.time.to_string()[..10].to_owned())
        };
        for (text, capture, day) in [
            ("Mar  2 09:17:42", "2026-03-02T08:00:00Z", "2026-03-02"),
            ("Mon Mar  2 09:17:42", "2026-03-02T08:00:00Z", "2026-03-02"),
            ("03/02-09:17:42.123456", "2026-03-02T08:00:00Z", "2026-03-02"),
            ("Dec 31 23:59:59", "2026-01-01T00:00:30Z", "2025-12-31"),
            ("Jan  1 00:00:10", "2025-12-31T23:59:00Z", "2026-01-01"),
            ("Feb 29 09:17:42", "2025-03-02T08:00:00Z", "2024-02-29"),
        ] {
            assert_eq!(near(text, capture), Ok(day.to_owned()), "{text}");
        }
        for text in
            ["03/02 09:17:42", "02/03 09:17", "02.03. 09:17:42", "2. März 09:17", "2 Mar, 09:17"]
        {
            assert_eq!(near(text, "2026-03-02T08:00:00Z"), Ok("2026-03-02".to_owned()), "{text}");
        }
        // The capture tells them apart only if one of the two dates is of its time.
        for (text, capture) in [
            ("03/02 09:17:42", "2026-07-02T08:00:00Z"),
            ("03/04 09:17", "2026-03-30T08:00:00Z"),
            ("09:17:42", "2026-03-02T08:00:00Z"),
            ("", "2026-03-02T08:00:00Z"),
            ("Feb 30 09:17:42", "2026-03-02T08:00:00Z"),
        ] {
            assert!(near(text, capture).is_err() || text == "03/04 09:17", "{text}");
        }
        let last =
            Written::parse_near("Mar  2 09:17:42", &crate::time::UTC, Timestamp(i64::MAX), None);
        assert!(last.is_ok());
        // What the other dates of a file show comes before what is near.
        let near = Timestamp::from_rfc3339("2026-03-02T08:00:00Z").unwrap();
        let order = Some(DateOrder::DayFirst);
        let read = Written::parse_near("03/02 09:17:42", &crate::time::UTC, near, order).unwrap();
        assert_eq!(read.time.to_string()[..10], *"2026-02-03");
    }
}
