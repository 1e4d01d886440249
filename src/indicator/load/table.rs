//! Tables (CSV): feeds of abuse.ch and any other whose columns have names, or whose first column that
//! looks like names and addresses tells what is listed.
//!
//! abuse.ch comments its header out (`# "first_seen_utc","ioc_id","ioc_value"`) and puts blanks behind
//! the commas, which RFC 4180 does not know; [`Cleaned`] takes both away.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::lines::{LINE_LEN_MAX, Line, Lines};
use super::loader::{Loader, Stop};
use super::word::{Meaning, WordReader};
use crate::indicator::building::Remark;

/// Columns that hold what is listed, whatever that is. The first that a table has is the one.
const ANYTHING: [&str; 9] = [
    "ioc_value",
    "ioc",
    "indicator",
    "indicator_value",
    "observable",
    "observable_value",
    "value",
    "destination",
    "entry",
];
/// Columns that hold names, URLs or addresses. All that a table has are read, if it has none of the above.
const NAMES: [&str; 16] = [
    "domain",
    "domain_name",
    "domainname",
    "host",
    "hostname",
    "host_name",
    "fqdn",
    "url",
    "uri",
    "dst_ip",
    "dstip",
    "dest_ip",
    "ip",
    "ip_address",
    "ipaddress",
    "address",
];
/// Columns that say what a row is about.
const TYPES: [&str; 4] = ["ioc_type", "indicator_type", "type", "observable_type"];
/// Columns that describe it; the first two that a table has are kept.
const DESCRIPTIONS: [&str; 9] = [
    "malware_printable",
    "malware",
    "threat",
    "threat_type",
    "description",
    "signature",
    "tags",
    "comment",
    "reason",
];
const CONFIDENCES: [&str; 3] = ["confidence_level", "confidence", "confidence_percent"];
/// Words in a type that say that the row is about no name and no address.
const OTHER_TYPES: [&str; 6] = ["hash", "md5", "sha", "file", "mail", "envelope"];

/// How many lines an open quote may go on for.
const QUOTED_LINES_MAX: usize = 100;
/// How many columns are looked at.
const COLUMNS_MAX: usize = 256;
/// How many lines of the head are looked at.
const HEAD_LINES_MAX: usize = 200;

/// Where in a row things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Columns {
    delimiter: u8,
    values: Vec<usize>,
    kind: Option<usize>,
    descriptions: Vec<usize>,
    confidence: Option<usize>,
    /// Which line names them, from 1; none if no line does, or a comment.
    header: Option<u32>,
    /// How to say it.
    reading: String,
}

/// Whether the text begins with a line that names a column.
pub(super) fn has_header(head: &str) -> bool {
    header_of(head).is_some()
}

/// Whether a line, its comment left out, looks like a row with a name or an address in it.
pub(super) fn is_row(content: &str) -> bool {
    b",;\t|".iter().any(|&delimiter| {
        let fields = fields_of(content, delimiter);
        fields.len() > 1 && fields.iter().any(|field| is_listable(field))
    })
}

/// The fields of a line, roughly: to guess by.
pub(super) fn fields_of(line: &str, delimiter: u8) -> Vec<&str> {
    let fields = line.split(char::from(delimiter)).take(COLUMNS_MAX);
    fields.map(|field| field.trim().trim_matches('"').trim()).collect()
}

/// Whether a field is a name of several labels, an address, or a URL.
pub(super) fn is_listable(field: &str) -> bool {
    let is_one_word = !field.is_empty() && !field.contains(char::is_whitespace);
    is_one_word
        && match WordReader::default().read(field) {
            Ok(Meaning::Name(_, name)) => name.contains('.'),
            Ok(_) => true,
            Err(_) => false,
        }
}

/// The columns by the line that names them: the last comment before the first row that does so with
/// words alone, as prose hardly ever does; else the first row.
fn header_of(head: &str) -> Option<Columns> {
    let mut comment = None;
    for (number, line) in (1..).zip(head.lines().take(HEAD_LINES_MAX)) {
        let line = line.trim();
        if let Some(text) = line.strip_prefix(['#', ';']) {
            let text = text.trim_start_matches('#').trim();
            let is_word = |field: &&str| !field.contains(char::is_whitespace);
            let named = columns_of(text);
            let named = named.filter(|named| fields_of(text, named.delimiter).iter().all(is_word));
            comment = named.or(comment);
        } else if !line.is_empty() {
            let first = columns_of(line).map(|columns| Columns { header: Some(number), ..columns });
            return comment.or(first);
        }
    }
    comment
}

fn columns_of(line: &str) -> Option<Columns> {
    b",;\t|".iter().find_map(|&delimiter| {
        let names: Vec<String> = fields_of(line, delimiter)
            .iter()
            .map(|name| name.to_ascii_lowercase().replace([' ', '-', '.'], "_"))
            .collect();
        let place = |wanted: &&str| names.iter().position(|name| name == wanted);
        let mut values: Vec<usize> = ANYTHING.iter().find_map(&place).into_iter().collect();
        if values.is_empty() {
            values = NAMES.iter().filter_map(place).collect();
            values.sort_unstable();
        }
        // One word alone is a list of one, and a row with an address, a URL or a number names nothing.
        let is_data = |name: &String| {
            matches!(WordReader::default().read(name), Ok(Meaning::Network(_)))
                || name.contains("://")
                || !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_digit())
        };
        if values.is_empty() || names.len() < 2 || names.iter().any(is_data) {
            return None;
        }
        let shown: Vec<&str> =
            values.iter().filter_map(|&at| Some(names.get(at)?.as_str())).collect();
        let reading = match shown.as_slice() {
            [one] => format!("column {one}"),
            several => format!("columns {}", several.join(", ")),
        };
        Some(Columns {
            delimiter,
            values,
            kind: TYPES.iter().find_map(&place),
            descriptions: DESCRIPTIONS.iter().filter_map(place).take(2).collect(),
            confidence: CONFIDENCES.iter().find_map(place),
            header: None,
            reading,
        })
    })
}

/// The columns of a table that does not name them: the first in which most rows have something listable.
fn columns_by_rows(head: &str) -> Option<Columns> {
    let is_row = |line: &&str| !line.trim().is_empty() && !line.starts_with(['#', ';']);
    let rows: Vec<&str> = head.lines().filter(is_row).take(HEAD_LINES_MAX).collect();
    let delimiter = b",;\t|".iter().copied().max_by_key(|&delimiter| {
        rows.iter().filter(|row| row.contains(char::from(delimiter))).count()
    })?;
    let mut counts: Vec<usize> = Vec::new();
    for row in &rows {
        for (place, field) in fields_of(row, delimiter).into_iter().enumerate() {
            if counts.len() <= place {
                counts.push(0);
            }
            if let Some(count) = counts.get_mut(place) {
                *count += usize::from(is_listable(field));
            }
        }
    }
    let place = counts.iter().position(|count| count * 2 > rows.len())?;
    let reading = format!("column {}, because no line names the columns", place + 1);
    Some(Columns { delimiter, values: vec![place], reading, ..Columns::default() })
}

/// Reads a table.
pub(super) fn load(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    let head = String::from_utf8_lossy(lines.head()).into_owned();
    let columns = header_of(&head).or_else(|| columns_by_rows(&head)).ok_or_else(|| {
        Stop::Broken(
            "no line names a column such as domain, host, url, ip or indicator, and no column consists mostly of \
             names or addresses"
                .into(),
        )
    })?;
    loader.list.reading = Some(columns.reading.clone());
    let cleaned = Cleaned::new(lines, columns.delimiter);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(columns.delimiter)
        .from_reader(cleaned);
    let mut record = csv::ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record);
        for (line, text, why) in reader.get_mut().dropped.drain(..) {
            loader.line = line;
            loader.skip(&text, why);
        }
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(Stop::Io(error)),
                other => {
                    return Err(Stop::Broken(format!("cannot be read as a table: {other:?}")));
                }
            },
        }
        // The first field is the line's number.
        let number = record.get(0).and_then(|field| std::str::from_utf8(field).ok()?.parse().ok());
        loader.line = number.unwrap_or(0);
        if Some(loader.line) == columns.header {
            continue;
        }
        row(loader, &columns, &record)?;
    }
    loader.line = reader.get_ref().line;
    Ok(())
}

fn row(loader: &mut Loader, columns: &Columns, record: &csv::ByteRecord) -> Result<(), Stop> {
    let cell = |place: usize| {
        let cell = std::str::from_utf8(record.get(place + 1)?.trim_ascii()).ok()?;
        Some(cell).filter(|cell| !matches!(*cell, "" | "-" | "N/A" | "n/a" | "None" | "null"))
    };
    let shown = || {
        let fields: Vec<_> = record.iter().skip(1).map(String::from_utf8_lossy).collect();
        fields.join(", ")
    };
    let kind = columns.kind.and_then(cell).unwrap_or_default().to_ascii_lowercase();
    if OTHER_TYPES.iter().any(|other| kind.contains(other)) {
        let kind: String = kind.chars().take(32).collect();
        loader.skip(&shown(), &format!("its type, {kind}, is not a name or address"));
        return Ok(());
    }
    let described: Vec<&str> =
        columns.descriptions.iter().filter_map(|&place| cell(place)).collect();
    let description = described.join(", ");
    let confidence = columns.confidence.and_then(cell);
    let confidence = confidence.and_then(|cell| cell.trim_end_matches('%').trim_end().parse().ok());
    let confidence = confidence.filter(|confidence| *confidence <= 100);
    let mut found = false;
    for value in columns.values.iter().filter_map(|&place| cell(place)) {
        found = true;
        loader.value(value, Remark { description: &description, confidence })?;
    }
    if !found {
        let why = match columns.values.iter().all(|&place| place + 1 >= record.len()) {
            true => "it has too few columns",
            false => "the columns that are read are empty",
        };
        loader.skip(&shown(), why);
    }
    Ok(())
}

/// A table as RFC 4180 wants it: no comments, no blanks before a quote, each quote closed; and before each
/// row the number of its line, as a field of its own.
struct Cleaned<'a, 't> {
    lines: &'a mut Lines<'t>,
    delimiter: u8,
    /// How many lines were read.
    line: u32,
    /// What was read and is not handed out yet, from `at` on.
    out: Vec<u8>,
    at: usize,
    /// Lines read ahead in search of the end of a quote.
    ahead: VecDeque<Vec<u8>>,
    /// Whether something stands between the end of a quote and that of its cell.
    is_odd: bool,
    /// What was left out, with its line and the reason.
    dropped: Vec<(u32, String, &'static str)>,
}

impl<'a, 't> Cleaned<'a, 't> {
    fn new(lines: &'a mut Lines<'t>, delimiter: u8) -> Cleaned<'a, 't> {
        Cleaned {
            lines,
            delimiter,
            line: 0,
            out: Vec::new(),
            at: 0,
            ahead: VecDeque::new(),
            is_odd: false,
            dropped: Vec::new(),
        }
    }

    /// The next line; an empty one in the place of one that is too long.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        self.read_line()
    }

    fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let number = self.line + 1 + self.ahead.len() as u32;
        Ok(match self.lines.next_line()? {
            None => None,
            Some(Line::Whole(line)) => Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec()),
            Some(Line::TooLong(line)) => {
                let text = String::from_utf8_lossy(line.get(..256).unwrap_or(line)).into_owned();
                self.dropped.push((number, text, "it is longer than 64 KiB"));
                Some(Vec::new())
            }
        })
    }

    /// Puts the next row into `out`, nothing if it is a comment. False at the end.
    fn next_row(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.at = 0;
        let Some(line) = self.next_line()? else { return Ok(false) };
        self.line = self.line.saturating_add(1);
        let content = line.trim_ascii_start();
        if content.is_empty() || content.starts_with(b"#") {
            return Ok(true);
        }
        self.out.extend_from_slice(self.line.to_string().as_bytes());
        self.out.push(self.delimiter);
        let number = self.out.len();
        let mut open = self.clean_from(&line, false);
        self.is_odd = false;
        // The rest of a quoted cell stands on the lines behind.
        let mut joined = 0;
        let whole = self.out.len();
        while open && joined < QUOTED_LINES_MAX && self.out.len() < LINE_LEN_MAX {
            while self.ahead.len() <= joined {
                match self.read_line()? {
                    Some(line) => self.ahead.push_back(line),
                    None => break,
                }
            }
            let Some(more) = self.ahead.get(joined).cloned() else { break };
            self.out.push(b'\n');
            open = self.clean_from(&more, true);
            joined += 1;
            // What closed it was the opening of another: that line is whole, and this one broken.
            if self.is_odd {
                open = true;
                break;
            }
        }
        if open {
            let text = self.out.get(number..whole.min(256)).unwrap_or_default();
            let text = String::from_utf8_lossy(text).into_owned();
            self.dropped.push((self.line, text, "a quote in it is not closed"));
            self.out.clear();
            return Ok(true);
        }
        self.ahead.drain(..joined);
        self.line = self.line.saturating_add(joined as u32);
        self.out.push(b'\n');
        Ok(true)
    }

    /// Appends a line without the blanks before its quotes; returns whether a quote is open at its end.
    fn clean_from(&mut self, line: &[u8], mut quoted: bool) -> bool {
        let (mut at_start, mut just_closed) = (!quoted, false);
        for &octet in line {
            let was_closed = std::mem::take(&mut just_closed);
            match octet {
                b' ' if at_start => continue,
                b'"' if quoted || at_start => {
                    just_closed = quoted;
                    quoted = !quoted;
                }
                // The second of a doubled quote opens again what the first had closed.
                b'"' if was_closed => quoted = true,
                b' ' | b'\t' => just_closed = was_closed,
                _ => self.is_odd |= was_closed && octet != self.delimiter,
            }
            at_start = !quoted && octet == self.delimiter;
            self.out.push(octet);
        }
        quoted
    }
}

impl Read for Cleaned<'_, '_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.out.len() {
            if !self.next_row()? {
                return Ok(0);
            }
        }
        let rest = self.out.get(self.at..).unwrap_or_default();
        let len = rest.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        self.at += len;
        Ok(len)
    }
}
