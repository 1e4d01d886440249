//! A day and a clock that stand in columns of their own, each of which may hold more than that.
//!
//! Spreadsheets keep a day as its midnight and a clock as one of 1899, databases write both in full in each, and people
//! put the weekday beside the date and the zone beside the clock.

/// Days on which spreadsheets and databases put a clock that has none.
const NO_DAYS: [&str; 6] =
    ["1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "30.12.1899", "12/30/1899"];
const WEEKDAYS: [&str; 28] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mo",
    "di",
    "mi",
    "do",
    "fr",
    "sa",
    "so",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
];

/// One text of a day and a clock; none where both name a day, or a clock, and not the same.
pub(crate) fn date_and_clock(day: &str, clock: &str) -> Option<String> {
    let (own_day, own_clock) = split_clock(day);
    let (other_day, other_clock) = split_clock(clock);
    let own_day = without_weekday(own_day);
    let other_day = without_weekday(other_day);
    let is_no_day = other_day.is_empty() || NO_DAYS.contains(&other_day.as_str());
    let is_one_day = is_no_day || other_day == own_day;
    let is_one_clock = own_clock.is_empty() || is_midnight(own_clock) || own_clock == other_clock;
    let is_whole = !own_day.is_empty() && !other_clock.is_empty();
    (is_whole && is_one_day && is_one_clock).then(|| format!("{own_day} {other_clock}"))
}

/// What stands before a clock, and the clock with what is behind it.
pub(crate) fn split_clock(text: &str) -> (&str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
        let hour = text.get(..*at).unwrap_or_default();
        let digits = hour.len() - hour.trim_end_matches(is_digit).len();
        let minute = text.get(at + 1..).unwrap_or_default();
        // `2026:03:02-09:17:42` has its day apart likewise.
        (1..=2).contains(&digits)
            && minute.starts_with(is_digit)
            && !hour.trim_end_matches(is_digit).ends_with(':')
    });
    let Some(colon) = colon else { return (text.trim(), "") };
    let start = text.get(..colon).map_or(0, |hour| hour.trim_end_matches(is_digit).len());
    let (day, clock) = text.split_at_checked(start).unwrap_or((text, ""));
    (day.trim_end_matches(['T', 't', ' ', ',', '_', '@', '-']), clock)
}

fn without_weekday(day: &str) -> String {
    let is_weekday = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        WEEKDAYS.contains(&bare.as_str())
    };
    let words: Vec<&str> = day.split_whitespace().filter(|word| !is_weekday(word)).collect();
    words.join(" ")
}

/// Whether a clock only stands there because a day had to have one.
fn is_midnight(clock: &str) -> bool {
    let bare = clock.split(['Z', '+', '-', ' ']).next().unwrap_or_default();
    let is_twelve = bare.starts_with("12:00") && clock.to_ascii_uppercase().contains("AM");
    let shown = if is_twelve { bare.trim_start_matches("12") } else { bare };
    shown.chars().all(|c| matches!(c, '0' | ':' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_clock_are_taken_from_what_holds_more() {
        for (day, clock, text) in [
            ("2026-03-02", "09:17:42", "2026-03-02 09:17:42"),
            ("Mon 2026-03-02", "09:17:42 (UTC)", "2026-03-02 09:17:42 (UTC)"),
            ("02.03.2026 (Mo)", "9:17 Uhr", "02.03.2026 9:17 Uhr"),
            ("2026-03-02T00:00:00Z", "09:17:42", "2026-03-02 09:17:42"),
            ("3/2/2026 12:00:00 AM", "9:17:42 PM", "3/2/2026 9:17:42 PM"),
            ("2026-03-02 00:00:00", "1899-12-30 09:17:42", "2026-03-02 09:17:42"),
            ("2026-03-02", "2026-03-02 09:17:42+01:00", "2026-03-02 09:17:42+01:00"),
            ("2026-03-02 09:17:42", "09:17:42", "2026-03-02 09:17:42"),
            ("2026-03-02 09:17:42", "2026-03-02 09:17:42", "2026-03-02 09:17:42"),
            ("Monday, 2 March 2026", "09:17:42", "2 March 2026 09:17:42"),
        ] {
            assert_eq!(date_and_clock(day, clock).as_deref(), Some(text), "{day} / {clock}");
        }
        for (day, clock) in [
            ("2026-03-02", "2026-03-03 09:17:42"),
            ("2026-03-02 08:00:00", "09:17:42"),
            ("2026-03-02", "42"),
            ("Monday", "09:17:42"),
            ("", ""),
        ] {
            assert_eq!(date_and_clock(day, clock), None, "{day} / {clock}");
        }
    }
}
