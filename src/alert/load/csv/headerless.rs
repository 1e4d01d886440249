//! Rows without a header of which each cell can only be one thing, as people type them.
//!
//! ```text
//! 2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com
//! 2026-03-02 09:17:42 mi.kenal-cn.com
//! 192.168.2.194 mi.kenal-cn.com
//! ```
//!
//! A time, the address of a host of one's own, and a name or an address outside: a row has one destination, and one of the other
//! two at least. If one row does not fit, none is read so.

use std::net::IpAddr;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::names::LIST_LINES;
use crate::alert::load::notice::Notice;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_address, is_destination, is_public};
use crate::alert::load::text::numbered_lines;
use crate::alert::load::when::spans;
use crate::text::without_comment_of_parts;

/// No such row is longer, in octets, or has more words.
const LINE_LEN_MAX: usize = 400;
const WORDS_MAX: usize = 12;
/// No time has more words: `Mon Mar 2 09:17:42 CET 2026`, with blanks or in cells apart.
const TIME_WORDS_MAX: usize = 6;

/// What a row says.
struct TypedRow<'a> {
    time: Option<String>,
    host: Option<&'a str>,
    destination: &'a str,
}

/// Whether all rows of a text are such.
pub(crate) fn are_rows(text: &str) -> bool {
    let (mut rows, mut times) = (0, 0);
    for (_, line) in contents(text) {
        let Some(cells) = TypedRow::of(line) else { return false };
        rows += 1;
        times += usize::from(cells.time.is_some());
    }
    // Many addresses with names are a hosts file, or a list of what a sinkhole answers.
    rows > 0 && (times > 0 || rows < LIST_LINES)
}

/// Reads all rows.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let words = "it has no header: each cell was recognised by its content as a time, a host of yours, or a \
                 destination";
    collector.notices.push(Notice::file(&collector.file, words));
    for (number, line) in contents(text) {
        let Some(cells) = TypedRow::of(line) else { continue };
        let time = collector.times.read(cells.time.as_deref(), number);
        let (host, name) = (cells.host, Some(cells.destination));
        collector.add(number, line, AlertRow { time, host, name, ..AlertRow::default() });
    }
}

/// What lines hold beside their comments.
fn contents(text: &str) -> impl Iterator<Item = (u32, &str)> {
    numbered_lines(text).filter_map(|(number, line)| {
        let content = without_comment_of_parts(line);
        (!content.is_empty()).then_some((number, content))
    })
}

impl<'a> TypedRow<'a> {
    fn of(line: &'a str) -> Option<TypedRow<'a>> {
        if line.len() > LINE_LEN_MAX {
            return None;
        }
        let marks = ['\t', ';', ',', '|'].into_iter().filter(|mark| line.contains(*mark));
        // A time may have a comma, and blanks around it.
        marks.map(Some).chain([None]).find_map(|mark| TypedRow::split_at(line, mark))
    }

    /// With a mark between the cells, or blanks.
    fn split_at(line: &'a str, mark: Option<char>) -> Option<TypedRow<'a>> {
        let is_mark = |c: char| mark.map_or(c.is_whitespace(), |mark| c == mark);
        let trim = |word: &'a str| word.trim().trim_matches(['"', '\'']).trim();
        let words = line.split(is_mark).map(trim).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.take(WORDS_MAX + 1).collect();
        if words.len() > WORDS_MAX {
            return None;
        }
        let (mut time, mut host, mut destination) = (None, None, None);
        let mut rest = words.as_slice();
        while let [word, behind @ ..] = rest {
            let known = match () {
                () if is_own_address(word) => &mut host,
                () if is_public_destination(word) => &mut destination,
                () => {
                    let (text, count) = time_of(rest)?;
                    if time.replace(text).is_some() {
                        return None;
                    }
                    rest = rest.get(count..)?;
                    continue;
                }
            };
            if known.replace(*word).is_some() {
                return None;
            }
            rest = behind;
        }
        let destination = destination.filter(|_| time.is_some() || host.is_some())?;
        Some(TypedRow { time, host, destination })
    }
}

/// The address of a host of one's own, and none of what hosts files have.
fn is_own_address(word: &str) -> bool {
    let is_host = |ip: IpAddr| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast();
    is_address(word) && !is_public(word) && word.parse::<IpAddr>().is_ok_and(is_host)
}

fn is_public_destination(word: &str) -> bool {
    let is_one = !word.contains(char::is_whitespace) && !word.starts_with('*');
    is_one && is_destination(word) && is_public(word)
}

/// The time that some words begin with, and of how many it is.
fn time_of(words: &[&str]) -> Option<(String, usize)> {
    let is_of_time = |word: &&&str| !is_own_address(word) && !is_public_destination(word);
    let most = words.iter().take(TIME_WORDS_MAX).take_while(is_of_time).count();
    (1..=most).rev().find_map(|count| {
        let text = words.get(..count)?.join(" ");
        // `9.8` may be a score, and `5/7` so many of so many.
        let has_year = || text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 4);
        let is_time = (text.contains(':') || has_year()) && spans::is_time(&text);
        is_time.then_some((text, count))
    })
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<String> {
        let alerts = Alerts::read("a.txt", text, None, &Zones::default());
        let alerts = alerts.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(alerts.format, AlertFormat::Csv, "{text}");
        let shown = |alert: &crate::alert::Alert| {
            let time =
                alert.time.map_or("-".to_owned(), |time| time.to_string()[11..19].to_owned());
            let host = alert.host.as_deref().unwrap_or("-");
            format!("{time} {host} {}", alert.destination)
        };
        alerts.alerts.iter().map(shown).collect()
    }

    const DC: &str = "192.168.2.194";

    #[test]
    fn each_cell_is_what_it_can_only_be() {
        for (text, row) in [
            (
                "2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com",
                "09:17:42 192.168.2.194 mi.kenal-cn.com",
            ),
            (
                "2026-03-02,09:17:42,192.168.2.194,mi.kenal-cn.com",
                "09:17:42 192.168.2.194 mi.kenal-cn.com",
            ),
            (
                "2026-03-02 09:17:42;mi.kenal-cn.com\n2026-03-02 10:05:20;x1.ad-sync.net",
                "09:17:42 - mi.kenal-cn.com",
            ),
            (
                "192.168.2.194\tmi.kenal-cn.com\t2026-03-02 09:17:42",
                "09:17:42 192.168.2.194 mi.kenal-cn.com",
            ),
            ("2026-03-02T09:17:42Z mi.kenal-cn.com", "09:17:42 - mi.kenal-cn.com"),
            (
                "mi.kenal-cn.com ; 2026-03-02 09:17:42 ; 192.168.2.194",
                "09:17:42 192.168.2.194 mi.kenal-cn.com",
            ),
            ("2026-03-02 10:17:42 CET 203.0.113.66", "09:17:42 - 203.0.113.66"),
            ("Mar 2, 2026 9:17:42 AM mi[.]kenal-cn[.]com", "09:17:42 - mi[.]kenal-cn[.]com"),
            ("2026-03-02 09:17 - 10:00 mi.kenal-cn.com", "09:17:00 - mi.kenal-cn.com"),
            ("# mine\n192.168.2.194 mi.kenal-cn.com # C2\n", "- 192.168.2.194 mi.kenal-cn.com"),
            ("mi.kenal-cn.com 192.168.2.194", "- 192.168.2.194 mi.kenal-cn.com"),
            (
                "2026-03-02 | 192.168.2.194 | mi.kenal-cn.com",
                "00:00:00 192.168.2.194 mi.kenal-cn.com",
            ),
        ] {
            assert_eq!(rows(text).first().map(String::as_str), Some(row), "{text}");
        }
    }

    #[test]
    fn what_could_be_something_else_is_refused_as_a_whole() {
        for text in [
            "0.0.0.0 evil.com\n0.0.0.0 bad.example.com",
            "127.0.0.1 evil.com",
            "2026-03-02 09:17:42",
            "192.168.2.194 192.168.2.42",
            "192.168.2.194 one.com two.com",
            "2026-03-02 09:17:42 mi.kenal-cn.com C2",
            "2026-03-02 09:17:42 mi.kenal-cn.com\nand one more",
            "2026-03-02 09:17:42 198.51.100.7 203.0.113.66",
            "12 evil.com",
            "9.8 evil.com\n7.5 bad.example.com",
            "5/7 evil.com",
        ] {
            let read = Alerts::read("a.txt", text, None, &Zones::default());
            assert!(read.is_err(), "{text}: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn any_rows_are_taken(text in "([0-9:./ ,;\t-]{0,40}|10\\.0\\.0\\.5|evil\\.com|\n| |,){0,12}") {
            let _ = super::are_rows(&format!("{DC} {text}"));
        }
    }
}
