//! CSV: tables whose cells are separated by commas, semicolons, tabs or bars.
//!
//! In: the text of such a table. Out: a row for each record, by its [`Columns`]. Nearly every firewall, SIEM and DNS filter
//! exports this. Decided here: where the header is, which rows are totals or another header, and how to read a table without
//! a header:
//!
//! - [`header`] finds the header, which may stand behind comments or a title;
//! - [`broken_rows`] joins rows that a web page broke into several lines;
//! - [`fixed_layout`] knows tables that never have a header (Cisco Umbrella, pfBlockerNG);
//! - [`headerless`] reads rows that somebody typed, by what each cell can only be;
//! - [`palo_alto`] reads the threat log of Palo Alto Networks, [`zeek`] the logs of Zeek, whose header is a `#fields` line.

mod broken_rows;
mod fixed_layout;
pub(crate) mod header;
pub(crate) mod headerless;
pub(crate) mod palo_alto;
pub(crate) mod zeek;

use csv::StringRecord;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::Columns;
use crate::alert::load::columns::words::RAW;
use crate::alert::load::csv::broken_rows::rows_in_lines;
use crate::alert::load::csv::fixed_layout::RowKind;
use crate::alert::load::csv::header::{TableHeader, fields};
use crate::alert::load::notice::Notice;
use crate::alert::load::pairs::{key_value, labels};
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_destination, normalized_key, present_value};
use crate::alert::load::sophos::table;
use crate::alert::load::text::numbered_lines;
use crate::rows as csv_rows;

/// What is passed over: `Total,,,,11`, `Page 2 of 3`.
const REMARKS: &str = "headers, totals or remarks";

/// Where a table without destinations keeps the lines that its rows were made of.
fn original_line_column(text: &str) -> Option<usize> {
    let (_, first) = numbered_lines(text).next()?;
    fields(first, b',')?.iter().position(|heading| normalized_key(heading) == RAW)
}

/// Whether a text is a table of lines in some other form.
pub(crate) fn has_originals(text: &str) -> bool {
    original_line_column(text).is_some()
}

/// Reads the lines that rows were made of.
fn read_originals(text: &str, column: usize, collector: &mut AlertCollector<'_>) {
    let count = numbered_lines(text).next().and_then(|(_, first)| fields(first, b','));
    let count = count.map(|fields| fields.len());
    let (mut whole, mut lines) = (String::new(), Vec::new());
    for_each_record(
        text,
        (b',', count, 1),
        collector,
        |line, record, shown, collector| match record.get(column).and_then(present_value) {
            Some(original) => {
                lines.push(line);
                whole.extend(original.chars().map(|c| if c == '\n' { ' ' } else { c }));
                whole.push('\n');
            }
            None => collector.skip(line, shown, "it lacks its original log line"),
        },
    );
    collector.read_originals(&whole, &lines);
}

/// How many cells of a row say anything.
fn filled_cells(record: &StringRecord) -> usize {
    record.iter().filter(|cell| !cell.trim().is_empty()).count()
}

/// Whether a row is what a table has below its alerts, and no alert that was cut.
fn is_remark(record: &StringRecord, row: &AlertRow<'_>) -> bool {
    const WORDS: [&str; 12] = [
        "total",
        "totals",
        "subtotal",
        "sum",
        "summe",
        "gesamt",
        "zwischensumme",
        "page",
        "seite",
        "count",
        "anzahl",
        "generated",
    ];
    let first = record.iter().find(|cell| !cell.trim().is_empty()).unwrap_or_default();
    let word = first.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    let is_word = |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let is_told = record.iter().any(is_destination);
    row.names_no_end() && !is_told && word.is_some_and(is_word)
}

/// Reads all records behind the header.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let joined = rows_in_lines(text);
    let (text, made) = match &joined {
        Some((whole, made)) => (whole.as_str(), Some(made)),
        None => (text, None),
    };
    let Some(header) = header::find(text) else {
        if let Some(column) = original_line_column(text) {
            return read_originals(text, column, collector);
        }
        if headerless::are_rows(text) {
            return headerless::read(text, collector);
        }
        let first = text.lines().next().unwrap_or_default();
        let why = "it names no destination; expected a header with the columns time, host, destination, threat and \
                   events in any order; destination and one more are required";
        return collector.skip(1, first, why);
    };
    let TableHeader { line: header_line, delimiter, count, mut cells, mut columns, said, layout } =
        header;
    for words in said {
        collector.notices.push(Notice::file(&collector.file, &words));
    }
    // A title is left out; an alert that stands there in another form is not lost without a word.
    let above = numbered_lines(text).take_while(|(line, _)| *line < header_line);
    for (line, title) in above {
        if labels::is_destination_line(title) || table::is_row(title) || key_value::is_line(title) {
            collector.skip(line, title, "it comes before the table's header and is not read");
        }
    }
    for_each_record(
        text,
        (delimiter, Some(count), header_line),
        collector,
        |line, record, shown, collector| {
            if record.get(0).is_some_and(|first| first.starts_with('#')) {
                return;
            }
            match layout.map_or(RowKind::Alert, |layout| (layout.kind_of)(record)) {
                RowKind::Alert => {}
                RowKind::Truncated => return collector.skip(line, shown, "it is cut"),
                RowKind::Other(what) => return collector.ignore(what),
            }
            if record.len() != count && made.is_some_and(|made| made.contains(&line)) {
                let why = format!("it has {} cells, but the header has {count}", record.len());
                return collector.skip(line, shown, &why);
            }
            let row = columns.row(record);
            match filled_cells(record) {
                0 => return,
                _ if *record == cells => return collector.ignore(REMARKS),
                _ if let Some(others) = Columns::of_repeated_header(record) => {
                    (cells, columns) = (record.clone(), others);
                    return collector.ignore(REMARKS);
                }
                few @ 1..=2 if count > few + 1 && is_remark(record, &row) => {
                    return collector.ignore(REMARKS);
                }
                _ => {}
            }
            let time = columns.time(record, line, collector);
            collector.add(line, shown, AlertRow { time, ..row });
        },
    );
}

/// Hands out each record behind a line, with its own line and text; `count` is how many fields it has, where that is
/// known.
pub(crate) fn for_each_record(
    text: &str,
    (delimiter, count, header): (u8, Option<usize>, u32),
    collector: &mut AlertCollector<'_>,
    mut each: impl FnMut(u32, &StringRecord, &str, &mut AlertCollector<'_>),
) {
    let mark = char::from(delimiter).to_string();
    for row in csv_rows::Rows::new(text, delimiter, count) {
        match row.fields {
            _ if row.line <= header => {}
            Ok(_) if collector.is_full() => collector.left_out += 1,
            Ok(fields) => {
                let shown = fields.iter().collect::<Vec<_>>().join(&mark);
                each(row.line, &fields, &shown, collector);
            }
            Err(why) => collector.skip(row.line, row.text, &why),
        }
    }
}
