//! Rows of a tab-separated table that a web page broke into several lines, put together again.

use std::collections::BTreeSet;

use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::time_words::{DAYS, TIMES};
use crate::alert::load::csv::header::TITLE_LINES;
use crate::alert::load::text::numbered_lines;

/// A table between whose cells tabs stand, each row in one line: a page puts an address and what else stands in its cell
/// below one another. What it makes of more than one line is left as empty ones.
pub(crate) fn rows_in_lines(text: &str) -> Option<(String, BTreeSet<u32>)> {
    let tabs = |text: &str| text.bytes().filter(|octet| *octet == b'\t').count();
    let header = numbered_lines(text).take(TITLE_LINES).find(|(_, line)| {
        let first = line.split('\t').next().unwrap_or_default();
        let heading = Heading::of(first);
        tabs(line) >= 3 && (heading.is_of(TIMES) || heading.is_of(DAYS))
    });
    let (number, header) = header?;
    let wanted = tabs(header);
    // Only where each row begins with its day it can be told from the next.
    let is_first = |line: &str| {
        let day = line.split(['\t', ' ', 'T']).next().unwrap_or_default();
        let is_day = |c: char| c.is_ascii_digit() || matches!(c, '/' | '-' | '.');
        day.len() >= 6 && day.chars().all(is_day) && day.contains(['/', '-', '.'])
    };
    let is_broken = numbered_lines(text)
        .any(|(line, content)| line > number && is_first(content) && tabs(content) < wanted);
    if !is_broken {
        return None;
    }
    let (mut whole, mut made) = (String::with_capacity(text.len()), BTreeSet::new());
    let (mut below, mut first) = (0, 0);
    for (place, line) in text.lines().enumerate() {
        let is_behind = u32::try_from(place).is_ok_and(|place| place >= number);
        match is_behind && !is_first(line) && below > 0 {
            true => {
                whole.push(' ');
                whole.push_str(line.trim_end());
                below += 1;
                made.insert(first);
            }
            false => {
                whole.extend(std::iter::repeat_n('\n', below));
                whole.push_str(line.trim_end_matches(['\r', ' ']));
                (below, first) = (1, u32::try_from(place + 1).unwrap_or(u32::MAX));
            }
        }
    }
    Some((whole, made))
}
