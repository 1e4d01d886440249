//! Bare names and addresses, one a line, as people note what an alert was about; or several in a line with commas or semicolons
//! between them, or with the marks of a list before each.
//!
//! A list of indicators is bare names as well. What has few lines and nothing but them and comments is taken for alerts; a long
//! one, or one with the marks of lists, is not: it is to be looked for as a list.

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::is_destination;
use crate::alert::load::text::numbered_lines;
use crate::text::{without_bullet, without_comment_of_parts};

/// So many lines are a list.
pub(crate) const LIST_LINES: usize = 50;

/// Whether a text is a few bare names.
pub(crate) fn is_few(text: &str) -> bool {
    (1..LIST_LINES).contains(&count(text))
}

/// Whether it begins with more of them than a few.
pub(crate) fn are_many(text: &str) -> bool {
    count(text) >= LIST_LINES
}

/// Whether some line of a text is a bare name.
pub(crate) fn has_any(text: &str) -> bool {
    let mut top = numbered_lines(text).take(LIST_LINES);
    top.any(|(_, line)| names(line).next().is_some() && names(line).all(is_name))
}

/// How many bare names it begins with, counted to the number that a list has; none if something else is among them.
fn count(text: &str) -> usize {
    let mut count = 0;
    let all = numbered_lines(text).take(LIST_LINES).flat_map(|(_, line)| names(line));
    let are_names = all.take(LIST_LINES).inspect(|_| count += 1).all(is_name);
    if are_names { count } else { 0 }
}

/// Reads all lines, each as an alert without time and host, or several.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    for (number, line) in numbered_lines(text) {
        for name in names(line) {
            if is_name(name) {
                collector.add(number, line, AlertRow { name: Some(name), ..AlertRow::default() });
            } else {
                collector.skip(number, line, "it is not just a name or address");
            }
        }
    }
}

/// What a line holds, without the marks of a list.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let bare = without_bullet(without_comment_of_parts(line));
    // The path of a URL may have either.
    let is_between = |c: char| matches!(c, ',' | ';') && !bare.contains("://");
    bare.split(is_between).map(str::trim).filter(|name| !name.is_empty())
}

/// The name or address that somebody asks about: without the quotes around it, or the label that it was pasted with,
/// `Destination: evil.com`. What is more is left as it is.
pub fn name_asked(text: &str) -> &str {
    let bare = without_quotes(text);
    let labelled =
        bare.split_once(": ").filter(|(label, _)| Heading::of(label).is_of_destination());
    let name = labelled.map_or(bare, |(_, value)| without_quotes(value));
    if is_name(name) { name } else { text }
}

fn without_quotes(text: &str) -> &str {
    const QUOTES: [(char, char); 8] = [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('“', '”'),
        ('„', '“'),
        ('‘', '’'),
        ('«', '»'),
        ('<', '>'),
    ];
    let text = text.trim();
    let inside = |(open, close): &(char, char)| text.strip_prefix(*open)?.strip_suffix(*close);
    QUOTES.iter().find_map(inside).map_or(text, str::trim)
}

/// A word that can be a destination, and neither a network nor all below a name: those are for lists.
fn is_name(line: &str) -> bool {
    let word = line.trim();
    let is_network = word.split_once('/').is_some_and(|(_, length)| {
        !length.is_empty() && length.bytes().all(|octet| octet.is_ascii_digit())
    });
    let is_one = !word.contains(char::is_whitespace) && !word.starts_with('*');
    is_one && is_destination(word) && !is_network
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};

    fn format(text: &str) -> Result<AlertFormat, String> {
        let read = Alerts::read("a.txt", text, None, &Zones::default());
        read.map(|alerts| alerts.format).map_err(|error| error.to_string())
    }

    #[test]
    fn each_line_is_an_alert_without_time_and_host() {
        let text =
            "mi.kenal-cn.com\r\n\r\n 192.55.83.30 \r\nhxxp://x1.ad-sync[.]net/a\r\n2001:db8::1\r\n";
        let alerts = Alerts::read("a.txt", text, None, &Zones::default()).unwrap();
        assert_eq!(alerts.format, AlertFormat::Names);
        let found: Vec<_> =
            alerts.alerts.iter().map(|alert| (alert.line, alert.destination.as_str())).collect();
        let expected = [
            (1, "mi.kenal-cn.com"),
            (3, "192.55.83.30"),
            (4, "hxxp://x1.ad-sync[.]net/a"),
            (5, "2001:db8::1"),
        ];
        assert_eq!(found, expected);
        assert!(alerts.alerts.iter().all(|alert| alert.time.is_none() && alert.host.is_none()));
    }

    #[test]
    fn a_list_of_indicators_is_none() {
        let long = |count: usize| (0..count).map(|n| format!("n{n}.example\n")).collect::<String>();
        assert_eq!(format(&long(LIST_LINES - 1)), Ok(AlertFormat::Names));
        for list in [
            &long(LIST_LINES),
            "0.0.0.0 evil.com\n0.0.0.0 bad.example\n",
            "=evil.com\n",
            "evil.com\n*.bad.example\n",
            "||evil.com^\n",
            "evil.com\n192.0.2.0/24\n",
        ] {
            let error = format(list).unwrap_err();
            assert!(error.contains("with --indicators"), "{list:?}: {error}");
        }
    }

    #[test]
    fn names_stand_behind_the_marks_of_a_list_or_in_one_line() {
        for text in [
            "- mi.kenal-cn.com\n- 192.55.83.30\n",
            "* mi.kenal-cn.com\n* 192.55.83.30\n",
            "• mi[.]kenal-cn[.]com\n• 192[.]55[.]83[.]30\n",
            "1. mi.kenal-cn.com\n2. 192.55.83.30\n",
            "1) mi.kenal-cn.com\n2) 192.55.83.30\n",
            "mi.kenal-cn.com, 192.55.83.30\n",
            "mi.kenal-cn.com; 192.55.83.30;\n",
            "mi.kenal-cn.com ; 192.55.83.30 # both\n; and no more\n",
            "mi[dot]kenal-cn[dot]com; 192{.}55{.}83{.}30\n",
        ] {
            let alerts = Alerts::read("a.txt", text, None, &Zones::default()).unwrap();
            let found: Vec<_> =
                alerts.alerts.iter().map(|a| a.destination.replace("[.]", ".")).collect();
            assert_eq!(found, ["mi.kenal-cn.com", "192.55.83.30"], "{text}");
        }
        for text in [
            "3.50\n12.99\n7.20\n",
            "- 3.50\n- 12.99\n",
            "1. 3.50 EUR\n2. 12.99 EUR\n",
            "mi.kenal-cn.com;C2\nup.telemetry-sync.net;C2\n",
            "call mi.kenal-cn.com, or x1.ad-sync.net\n",
        ] {
            assert!(format(text).is_err(), "{text}");
        }
    }

    #[test]
    fn comments_are_passed_over() {
        for text in [
            "# of Monday\nmi.kenal-cn.com\n\n; more\n// and\n192.55.83.30\n",
            "mi.kenal-cn.com # seen\n192.55.83.30\n",
        ] {
            let alerts = Alerts::read("a.txt", text, None, &Zones::default()).unwrap();
            let found: Vec<&str> = alerts.alerts.iter().map(|a| a.destination.as_str()).collect();
            assert_eq!(found, ["mi.kenal-cn.com", "192.55.83.30"], "{text}");
            assert!(alerts.notices.is_empty(), "{:?}", alerts.notices);
        }
        assert!(format("# nothing\n").is_err());
        let error = format("mi.kenal-cn.com\nsee there\n").unwrap_err();
        assert!(error.contains("--alerts-format names"), "{error}");
    }

    #[test]
    fn a_name_that_is_asked_for_may_have_quotes_or_its_label() {
        for text in [
            "evil.com",
            " evil.com ",
            "\"evil.com\"",
            "'evil.com'",
            "„evil.com“",
            "<evil.com>",
            "Destination: evil.com",
            "Domain: \"evil.com\"",
        ] {
            assert_eq!(name_asked(text).trim(), "evil.com", "{text}");
        }
        for text in ["Host: evil.com", "\"evil.com", "evil.com, other.com", "\"1 a b\"", "\"\"", ""]
        {
            assert_eq!(name_asked(text), text);
        }
    }

    #[test]
    fn a_form_that_is_said_has_no_limit_and_may_have_remarks() {
        let text = format!("# Monday\n{}a b\n", "evil.com\n".repeat(LIST_LINES));
        let alerts =
            Alerts::read("a.txt", &text, Some(AlertFormat::Names), &Zones::default()).unwrap();
        assert_eq!(alerts.alerts.len(), LIST_LINES);
        assert!(alerts.notices[0].to_string().contains("not just a name"), "{:?}", alerts.notices);
    }
}
