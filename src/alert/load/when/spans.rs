//! Times that stand for more than a moment, as they are written: a day without a clock, an hour of a day, a first and a last
//! time in one text.

use crate::alert::load::row::value::normalized_key;
use crate::alert::load::when::day_and_clock::split_clock;
use crate::time::{NoTime, UTC, Written, names_zone};

/// No text of a first and a last time is longer.
const TEXT_LEN_MAX: usize = 160;
/// So many ways to take one apart are tried.
const TRIES_MAX: usize = 12;
/// What stands between a first and a last time.
const BETWEEN: [&str; 12] = [
    " - ",
    " \u{2013} ",
    " \u{2014} ",
    "\u{2013}",
    "\u{2014}",
    " to ",
    " until ",
    " through ",
    " bis ",
    " -> ",
    " \u{2192} ",
    "/",
];
/// Where it may be the mark of a date, a clock must stand behind it.
const HYPHEN: &str = "-";

/// Whether a text says when, if only a day: as several dates may, or without a year.
pub(crate) fn is_time(text: &str) -> bool {
    let is = |text: &str| {
        let read = Written::parse(text, &UTC, None);
        matches!(read, Ok(_) | Err(NoTime::TwoDates | NoTime::NoYear | NoTime::ManyZones))
    };
    let is_day = |text: &str| is(text) || of_day(text).any(|[first, _]| is(&first));
    is_day(text) || first_and_last(text).iter().any(|both| both.iter().all(|text| is_day(text)))
}

/// The first and the last moment of a day that is written without a clock, `2026-03-02`, or with a zone behind it: as they are
/// written, in the two ways that this can be.
pub(crate) fn of_day(text: &str) -> impl Iterator<Item = [String; 2]> {
    let text = text.trim();
    let is_day = text.contains(|c: char| c.is_ascii_digit()) && !text.contains(':');
    let with_zone = text.rsplit_once(' ').filter(|(_, zone)| names_zone(zone));
    let whole = [(text, "")].into_iter().chain(with_zone).filter(move |_| is_day);
    whole.map(|(day, zone)| {
        ["00:00:00", "23:59:59.999999999"]
            .map(|clock| format!("{day} {clock} {zone}").trim().to_owned())
    })
}

/// The first and the last moment of an hour of a day: `9`, `09`, `9 AM`, `09h`.
pub(crate) fn of_hour(day: &str, hour: &str) -> Option<[String; 2]> {
    let plain = normalized_key(hour);
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let (number, behind) = plain.split_at_checked(digits)?;
    let number: u8 = number.parse().ok().filter(|_| digits <= 2)?;
    let half = match behind {
        "" | "h" | "uhr" if number < 24 => "",
        "am" | "pm" if (1..=12).contains(&number) => behind,
        _ => return None,
    };
    let (day, _) = split_clock(day);
    Some(["00:00", "59:59.999999999"].map(|rest| {
        let text = format!("{day} {number:02}:{rest} {half}");
        text.trim_end().to_owned()
    }))
}

/// A first and a last time that stand in one text, in the ways that it can be taken apart: `2026-03-02 09:17:42 - 09:30:00`. The
/// last one is of the first one's day, if it says none, and the first one of the last one's zone.
pub(crate) fn first_and_last(text: &str) -> Vec<[String; 2]> {
    if text.len() > TEXT_LEN_MAX || !text.contains(|c: char| c.is_ascii_digit()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for mark in BETWEEN.iter().chain([&HYPHEN]) {
        for (at, _) in text.match_indices(mark) {
            if found.len() >= TRIES_MAX {
                return found;
            }
            let (first, last) = (text.get(..at), text.get(at + mark.len()..));
            let (Some(first), Some(last)) = (first.map(str::trim), last.map(str::trim)) else {
                continue;
            };
            let (day, _) = split_clock(first);
            let (own_day, clock) = split_clock(last);
            let last = match own_day.is_empty() && !clock.is_empty() {
                true => format!("{day} {clock}"),
                false if *mark == HYPHEN => continue,
                false => last.to_owned(),
            };
            let zone = last.rsplit_once(' ').map(|(_, zone)| zone).filter(|zone| names_zone(zone));
            if let Some(zone) = zone.filter(|_| !first.ends_with(|c: char| c.is_alphabetic())) {
                found.push([format!("{first} {zone}"), last.clone()]);
            }
            found.push([first.to_owned(), last]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_of_its_day() {
        let begin = |hour| of_hour("2026-03-02", hour).map(|[begin, _]| begin);
        for (hour, text) in [
            ("9", "2026-03-02 09:00:00"),
            ("09", "2026-03-02 09:00:00"),
            ("23", "2026-03-02 23:00:00"),
            ("9 PM", "2026-03-02 09:00:00 pm"),
            ("09h", "2026-03-02 09:00:00"),
        ] {
            assert_eq!(begin(hour).as_deref(), Some(text), "{hour}");
        }
        for hour in ["", "24", "13 PM", "123", "x", "-"] {
            assert_eq!(begin(hour), None, "{hour}");
        }
    }

    #[test]
    fn a_last_time_without_a_day_is_of_the_first_ones() {
        for (text, first, last) in [
            ("2026-03-02 09:17:42 - 09:30:00", "2026-03-02 09:17:42", "2026-03-02 09:30:00"),
            ("2026-03-02 09:17-09:30", "2026-03-02 09:17", "2026-03-02 09:30"),
            ("2026-03-02 09:17 \u{2013} 2026-03-03 09:30", "2026-03-02 09:17", "2026-03-03 09:30"),
            ("2026-03-02 09:17 to 09:30 UTC", "2026-03-02 09:17 UTC", "2026-03-02 09:30 UTC"),
        ] {
            let found = first_and_last(text);
            assert_eq!(found.first(), Some(&[first.to_owned(), last.to_owned()]), "{text}");
        }
    }
}
