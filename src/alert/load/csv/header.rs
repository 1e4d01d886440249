//! The header of a CSV table: where it is, and which column holds what.

use csv::StringRecord;

use crate::alert::load::TOP_LINES;
use crate::alert::load::columns::{Columns, by_content};
use crate::alert::load::csv::broken_rows::rows_in_lines;
use crate::alert::load::csv::fixed_layout::{self, FixedLayout};
use crate::alert::load::row::value::normalized_key;
use crate::alert::load::text::numbered_lines;
use crate::rows as csv_rows;

/// A header.
pub(crate) struct TableHeader {
    pub line: u32,
    pub delimiter: u8,
    /// How many columns there are.
    pub count: usize,
    /// What it calls them; nothing if it is not there.
    pub cells: StringRecord,
    pub columns: Columns,
    /// What should be known of how its columns were understood.
    pub said: Vec<String>,
    /// The convention that it is by, where it is not said.
    pub layout: Option<&'static FixedLayout>,
}

/// Within so many lines the header stands, behind a report's title.
pub(crate) const TITLE_LINES: usize = 20;

/// The header that a log has by convention, and does not say.
fn fixed_header(text: &str) -> Option<TableHeader> {
    let layout = fixed_layout::of(text)?;
    let columns = Columns::of(&layout.headings.iter().collect())?;
    let count = layout.headings.len();
    let layout = Some(layout);
    let (cells, said) = (StringRecord::new(), Vec::new());
    Some(TableHeader { line: 0, delimiter: b',', count, cells, columns, said, layout })
}

/// The header, which may stand behind comments and a title.
pub(crate) fn find(text: &str) -> Option<TableHeader> {
    if let Some(header) = fixed_header(text) {
        return Some(header);
    }
    let is_comment = |line: &str| {
        let content = line.trim_start();
        content.starts_with("//") || content.starts_with('#') && !content.contains([',', ';', '\t'])
    };
    let mut lines = numbered_lines(text).filter(|(_, line)| !is_comment(line)).take(TITLE_LINES);
    let (line, first) = lines.next()?;
    if let Some(header) = header_at(text, line, first) {
        return Some(header);
    }
    // What is no more than words of a title has no row of as many columns behind it.
    let mut behind = numbered_lines(text).filter(|(_, line)| !is_comment(line)).skip(2);
    lines.zip(behind.by_ref()).find_map(|((line, title), (_, row))| {
        let header = header_at(text, line, title)?;
        let is_table = fields(row, header.delimiter).is_some_and(|row| row.len() == header.count);
        (is_table && header.count >= 3 && header.columns.name_who_and_why()).then_some(header)
    })
}

/// Whether the first line is a header that names the columns of destinations, of hosts, and of times or threats, and the next
/// ones have as many cells.
pub(crate) fn begins_as_table(text: &str) -> bool {
    const ROWS: usize = 5;
    let whole = rows_in_lines(text);
    let text = whole.as_ref().map_or(text, |(whole, _)| whole);
    let first = numbered_lines(text).next();
    let Some(header) = first.and_then(|(line, first)| header_at(text, line, first)) else {
        return false;
    };
    let rows = csv_rows::Rows::new(text, header.delimiter, Some(header.count));
    let mut rows = rows.filter(|row| row.line > header.line).take(ROWS).peekable();
    let is_row = |row: csv_rows::Row| row.fields.is_ok_and(|row| row.len() == header.count);
    let is_told =
        header.count >= 3 && header.columns.name_who_and_why() && header.columns.has_destination();
    is_told && rows.peek().is_some() && rows.all(is_row)
}

/// A line as the header.
fn header_at(text: &str, line: u32, header: &str) -> Option<TableHeader> {
    // Feeds write their header as a comment. A first cell may be empty, so a tab stays.
    let header = header.trim_start_matches(' ').trim_start_matches('#').trim_start_matches(' ');
    [b',', b';', b'\t', b'|'].into_iter().find_map(|delimiter| {
        let record = fields(header, delimiter)?;
        let (count, mut columns) = (record.len(), Columns::by_words(&record));
        if count < 2 || !columns.name_more_than_destination() {
            return None;
        }
        let rows = || {
            let rows = csv_rows::Rows::new(text, delimiter, Some(count));
            let behind = rows.filter(|row| row.line > line).filter_map(|row| row.fields.ok());
            behind.filter(|row| row.len() == count)
        };
        let said = by_content::complete_by_content(&mut columns, &record, rows());
        let layout = None;
        let header = TableHeader { line, delimiter, count, cells: record, columns, said, layout };
        header.columns.is_sufficient().then_some(header)
    })
}

/// Whether a text begins with a header that names a destination. A pasted table of Sophos does as well,
/// yet its columns and its header do not stand under one another.
pub(crate) fn has_header(text: &str) -> bool {
    let is_table = numbered_lines(text).take(10).any(|(_, line)| {
        let key = normalized_key(line);
        let is = |words: &[&str]| words.iter().any(|word| key.contains(word));
        is(&["userhost", "benutzerhost", "utilisateurhôte", "usuariohost", "utentehost"])
            && is(&["events", "ereignisse", "événements", "eventos", "eventi"])
            && is(&["origin", "herkunft", "origen"])
            && !line.contains([',', ';'])
    });
    !is_table && find(rows_in_lines(text).as_ref().map_or(text, |(whole, _)| whole)).is_some()
}

/// Headings that only lists of what to look for have, such as those of abuse.ch.
const INDICATOR_LIST_KEYS: [&str; 8] = [
    "iocvalue",
    "ioctype",
    "fkmalware",
    "malwareprintable",
    "urlhauslink",
    "urlstatus",
    "c2status",
    "lastonline",
];

/// Whether a table is a list of what to look for, by its header, which may be a comment.
pub(crate) fn is_list(text: &str) -> bool {
    numbered_lines(text).take(TOP_LINES).any(|(_, line)| {
        let header = line.trim_start_matches(['#', ' ']);
        [b',', b';', b'\t'].into_iter().filter_map(|delimiter| fields(header, delimiter)).any(
            |headings| {
                let keys = headings.iter().map(normalized_key);
                keys.filter(|key| INDICATOR_LIST_KEYS.contains(&key.as_str())).count() >= 2
            },
        )
    })
}

/// The fields of a line, which need not be as many as a row has.
pub(crate) fn fields(line: &str, delimiter: u8) -> Option<StringRecord> {
    csv_rows::Rows::new(line, delimiter, None).next()?.fields.ok()
}
