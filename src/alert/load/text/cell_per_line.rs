//! A table of which each cell stands in a line of its own, as browsers and mail clients paste some: made rows of again.
//!
//! ```text
//! Time
//! Source
//! Destination
//! 2026-03-02 09:17:42
//! 192.168.2.194
//! mi.kenal-cn.com
//! ```
//!
//! A cell that is missing would move all behind it into another column. So what is not whole, or does not hold in each column
//! what its heading says, is left as it is.

use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::time_words::{CLOCKS, DAYS, TIMES};
use crate::alert::load::columns::words::{ADDRESSES, EVENTS, HOSTS, NAMES};
use crate::alert::load::row::value::{has_known_suffix, is_address, is_destination, parse_count};
use crate::alert::load::sophos::table;
use crate::alert::load::text::numbered_lines;
use crate::alert::load::text::numbered_text::NumberedText;

/// Within so many lines the headings begin.
const TITLE_LINES: usize = 30;
/// So many cells a row has.
const CELLS: std::ops::RangeInclusive<usize> = 3..=24;
/// So many a row of Sophos' table has, with its number, with or without events and origin.
const CELLS_OF_SOPHOS: std::ops::RangeInclusive<usize> = 3..=6;
/// So many headings are known, at least.
const KNOWN_MIN: usize = 3;
/// No heading is longer, in characters.
const HEADING_LEN_MAX: usize = 40;

/// A line that says something, and where it stands.
type Cell<'t> = (u32, &'t str);

/// The text with a line for each row, and what to say of that; none of what is no such table.
pub(crate) fn rows_of_cells(text: &str) -> Option<(NumberedText, String)> {
    let top = || numbered_lines(text).take(TITLE_LINES).map(|(_, line)| line.trim());
    // Hardly any file comes further than this.
    if !top().any(|line| is_heading_of_any(line) || begins_row_of_sophos(line).is_some()) {
        return None;
    }
    let cells: Vec<Cell<'_>> =
        numbered_lines(text).map(|(place, line)| (place, line.trim())).collect();
    let mut starts = 0..cells.len().min(TITLE_LINES);
    let table = starts.find_map(|first| headed(&cells, first)).or_else(|| of_sophos(&cells))?;
    // Of a table that is not whole, or of which another page stands above, nothing may be lost.
    if cells.iter().take(table.first).any(|(_, cell)| is_of_row(cell)) {
        return None;
    }
    let words = format!("each line is one cell: read as {} rows of {}", table.rows, table.width);
    Some((table.rows(&cells), words))
}

/// Where the table stands among the cells.
struct CellTable {
    /// Where its headings begin, and how many there are.
    first: usize,
    headings: usize,
    /// How many cells a row has: one more where it has a number that nothing stands above.
    width: usize,
    rows: usize,
}

impl CellTable {
    /// The rows, with tabs between their cells; what stands before and behind as it is.
    fn rows(&self, cells: &[Cell<'_>]) -> NumberedText {
        let mut made = NumberedText::default();
        let (before, rest) = cells.split_at_checked(self.first).unwrap_or((cells, &[]));
        let (headings, rest) = rest.split_at_checked(self.headings).unwrap_or((rest, &[]));
        let (rows, behind) = rest.split_at_checked(self.width * self.rows).unwrap_or((rest, &[]));
        let mut push = |cells: &[Cell<'_>], start: &str| {
            if let Some((place, _)) = cells.first() {
                let line = in_line(cells);
                // The number of a row may stand in one line with its host.
                let is_row = self.headings == 0 && cells.len() == self.width;
                let line = if is_row { line.replacen(' ', "\t", 1) } else { line };
                made.push(&format!("{start}{line}"), *place);
            }
        };
        let start = if self.width > self.headings && self.headings > 0 { "\t" } else { "" };
        before.iter().for_each(|cell| push(&[*cell], ""));
        push(headings, start);
        rows.chunks(self.width).for_each(|row| push(row, ""));
        behind.iter().for_each(|cell| push(&[*cell], ""));
        made
    }
}

/// Cells with tabs between them.
fn in_line(cells: &[Cell<'_>]) -> String {
    cells.iter().map(|(_, cell)| *cell).collect::<Vec<_>>().join("\t")
}

/// The table whose headings begin at a cell, if there is exactly one.
fn headed(cells: &[Cell<'_>], first: usize) -> Option<CellTable> {
    if !is_heading_of_any(cells.get(first)?.1) {
        return None;
    }
    let mut found = CELLS.filter_map(|count| {
        let headings = cells.get(first..first + count)?;
        let kinds: Vec<ColumnKind> =
            headings.iter().map(|(_, cell)| ColumnKind::of(cell)).collect::<Option<_>>()?;
        let known = headings.iter().filter(|(_, cell)| Heading::of(cell).is_known()).count();
        let is_told = kinds.contains(&ColumnKind::Destination)
            && kinds.iter().filter(|kind| **kind != ColumnKind::Any).count() > 1;
        if known < KNOWN_MIN || !is_told {
            return None;
        }
        let rest = cells.get(first + count..)?;
        let of = |width: usize| {
            let kinds = [&vec![ColumnKind::Number; width - count], kinds.as_slice()].concat();
            let rows = rest.chunks_exact(width).take_while(|row| are_of(row, &kinds)).count();
            let behind = rest.get(width * rows..)?;
            (rows > 0 && !behind.iter().any(|(_, cell)| is_of_row(cell))).then_some(CellTable {
                first,
                headings: count,
                width,
                rows,
            })
        };
        of(count).or_else(|| of(count + 1))
    });
    let one = found.next()?;
    found.next().is_none().then_some(one)
}

/// Rows of Sophos' table with a number each, from whichever on.
fn of_sophos(cells: &[Cell<'_>]) -> Option<CellTable> {
    let first = cells
        .iter()
        .take(TITLE_LINES)
        .position(|(_, cell)| begins_row_of_sophos(cell).is_some())?;
    let begin = begins_row_of_sophos(cells.get(first)?.1)?;
    let rest = cells.get(first..)?;
    let mut found = CELLS_OF_SOPHOS.rev().filter_map(|width| {
        let is_row = |(place, row): &(usize, &[Cell<'_>])| {
            let is_next = row.first().and_then(|(_, cell)| begins_row_of_sophos(cell))
                == begin.checked_add(*place);
            is_next && table::is_row(&in_line(row).replacen(' ', "\t", 1))
        };
        let rows = rest.chunks_exact(width).enumerate().take_while(is_row).count();
        let behind = rest.get(width * rows..)?;
        (rows > 0 && !behind.iter().any(|(_, cell)| is_of_row(cell))).then_some(CellTable {
            first,
            headings: 0,
            width,
            rows,
        })
    });
    found.next()
}

/// The number that a row of Sophos' table begins with, if no more stands there than a host.
fn begins_row_of_sophos(cell: &str) -> Option<usize> {
    let mut words = cell.split_whitespace();
    let number = words.next()?;
    let host = words.next();
    let is_number = number.len() <= 4 && number.bytes().all(|octet| octet.is_ascii_digit());
    let is_begin = is_number && host.is_none_or(is_address) && words.next().is_none();
    if is_begin { number.parse().ok() } else { None }
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Time,
    Host,
    Destination,
    Events,
    Number,
    Any,
}

impl ColumnKind {
    /// By its heading; none of what can be none.
    fn of(cell: &str) -> Option<ColumnKind> {
        let is_plain =
            cell.chars().count() <= HEADING_LEN_MAX && !cell.contains(['\t', ',', ';', '|']);
        let is_value = is_destination(cell) || cell.starts_with(|c: char| c.is_ascii_digit());
        if !is_plain || is_value || !cell.contains(char::is_alphabetic) {
            return None;
        }
        let heading = Heading::of(cell);
        let is = |lists: &[&[&str]]| lists.iter().any(|words| heading.is_of(words));
        Some(match () {
            () if is(&[TIMES, DAYS, CLOCKS]) => ColumnKind::Time,
            () if is(&[NAMES, ADDRESSES]) => ColumnKind::Destination,
            () if is(&[HOSTS]) => ColumnKind::Host,
            () if is(&[EVENTS]) => ColumnKind::Events,
            () => ColumnKind::Any,
        })
    }

    /// Whether a cell can stand in such a column.
    fn has(self, cell: &str) -> bool {
        let is_short = cell.chars().count() <= 64;
        let has_letters = cell.contains(char::is_alphabetic);
        match self {
            ColumnKind::Time => is_time(cell),
            ColumnKind::Destination => is_destination(cell) && !is_time(cell),
            ColumnKind::Host => {
                is_address(cell)
                    || is_short
                        && has_letters
                        && !is_time(cell)
                        && !has_known_suffix(&cell.to_lowercase())
            }
            ColumnKind::Events => parse_count(cell).is_some(),
            ColumnKind::Number => cell.bytes().all(|octet| octet.is_ascii_digit()),
            ColumnKind::Any => !is_time(cell),
        }
    }
}

fn are_of(row: &[Cell<'_>], kinds: &[ColumnKind]) -> bool {
    row.len() == kinds.len() && row.iter().zip(kinds).all(|((_, cell), kind)| kind.has(cell))
}

/// Whether a line is a heading of what alerts tell.
fn is_heading_of_any(cell: &str) -> bool {
    ColumnKind::of(cell).is_some_and(|kind| kind != ColumnKind::Any)
        || ColumnKind::of(cell).is_some() && Heading::of(cell).is_known()
}

/// A day or a clock, or both.
fn is_time(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let is_marked = cell.contains([':', '-', '/', '.', ' ']) || digits >= 10;
    let is_start = cell.starts_with(|c: char| c.is_ascii_digit()) || cell.contains(':');
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    digits >= 3
        && is_marked
        && is_start
        && letters <= 24
        && !is_address(cell)
        && !has_known_suffix(cell)
}

/// Whether a cell can only be of another row.
fn is_of_row(cell: &str) -> bool {
    let is_whole = !cell.contains(char::is_whitespace);
    is_whole && (is_destination(cell) || is_address(cell))
        || cell.starts_with(|c: char| c.is_ascii_digit()) && is_time(cell)
}
