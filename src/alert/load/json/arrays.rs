//! JSON as tables have it: what the fields are called once, and each record an array.
//!
//! ```text
//! {"fields":["_time","src","query"],"rows":[["2026-03-02 09:17:42","192.168.2.194","mi.kenal-cn.com"], ...]}
//! {"tables":[{"columns":[{"name":"TimeGenerated","type":"datetime"}, ...],"rows":[[...], ...]}]}
//! {"data":[["1772443062","A","mi.kenal-cn.com","192.168.2.42","2", ...], ...]}
//! ```
//!
//! Splunk, Azure and databases write so. Pi-hole does as well, and does not say what its fields are called.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::alert::load::columns::Columns;
use crate::alert::load::json::objects::StringTracker;
use crate::alert::load::json::records::{JsonRecord, RecordResult};
use crate::alert::load::row::value::is_destination;

/// So many arrays are told apart, and so many stand open at once.
const ARRAYS_MAX: usize = 1 << 20;
const OPEN_MAX: usize = 1 << 12;
/// A row has at least so many fields.
const FIELDS_MIN: usize = 2;
/// Under these keys an object has what a column is called.
const NAMES: &[&str] = &["name", "ColumnName", "columnName", "text", "field", "label"];
/// What Pi-hole has in its first fields, and the least it has of them.
const PI_HOLES: &[&str] = &["time", "type", "query", "client", "status"];
const PI_HOLES_MIN: usize = 8;

/// Whether a text may be such a table.
pub(crate) fn is_table(text: &str) -> bool {
    ArrayTable::of(text).is_some()
}

/// The records of such a text; none of another.
pub(crate) fn records(text: &str) -> Option<impl Iterator<Item = RecordResult<'_>>> {
    ArrayTable::of(text).map(|table| table.records(text))
}

/// Where the rows of a text are, and what their fields are called.
struct ArrayTable {
    headings: Vec<String>,
    rows: Vec<Range<usize>>,
}

impl ArrayTable {
    fn of(text: &str) -> Option<ArrayTable> {
        let Arrays { rows, heads } = arrays(text);
        let first = rows.iter().find_map(|row| items(text, row))?;
        let said = heads.iter().chain(rows.first()).find_map(|range| {
            let headings = headings(&items(text, range)?)?;
            let is_whole = Columns::of(&headings.iter().map(String::as_str).collect()).is_some();
            (is_whole && (headings.len() == first.len() || rows.first() == Some(range)))
                .then_some((headings, range.clone()))
        });
        if let Some((headings, head)) = said {
            let rows = rows.into_iter().filter(|row| *row != head).collect();
            return Some(ArrayTable { headings, rows });
        }
        let headings = PI_HOLES.iter().map(|name| (*name).to_owned()).collect();
        is_pi_holes(&first).then_some(ArrayTable { headings, rows })
    }

    fn records(self, text: &str) -> impl Iterator<Item = RecordResult<'_>> {
        let (mut at, mut line) = (0, 1_u32);
        self.rows.into_iter().map(move |row| {
            let passed = text.get(at..row.start).unwrap_or_default();
            let lines = passed.bytes().filter(|octet| *octet == b'\n').count();
            line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            at = row.start;
            let shown = text.get(row.clone()).unwrap_or_default();
            let items: Vec<Value> = serde_json::from_str(shown)
                .map_err(|error| (line, shown, format!("it is not a JSON array ({error})")))?;
            if items.len() < self.headings.len() {
                let why =
                    format!("it has {} fields instead of {}", items.len(), self.headings.len());
                return Err((line, shown, why));
            }
            let fields = self.headings.iter().cloned().zip(items).collect::<Map<_, _>>();
            Ok(JsonRecord { line, text: shown, fields, repeated: None, nested: None })
        })
    }
}

fn items(text: &str, range: &Range<usize>) -> Option<Vec<Value>> {
    let items: Vec<Value> = serde_json::from_str(text.get(range.clone())?).ok()?;
    (items.len() >= FIELDS_MIN).then_some(items)
}

/// What columns are called: words, or objects that each have one.
fn headings(items: &[Value]) -> Option<Vec<String>> {
    let heading = |item: &Value| match item {
        Value::String(name) => Some(name.clone()),
        Value::Object(column) => {
            let name = NAMES.iter().find_map(|key| column.get(*key)?.as_str());
            name.map(ToOwned::to_owned)
        }
        _ => None,
    };
    items.iter().map(heading).collect()
}

/// Whether a row is one of Pi-hole's questions: when, of which type, for what and by whom.
fn is_pi_holes(row: &[Value]) -> bool {
    let text = |place: usize| row.get(place).and_then(Value::as_str).unwrap_or_default();
    let time = row.first().map(Value::to_string).unwrap_or_default();
    let time = time.trim_matches('"');
    let is_type = |text: &str| {
        let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        (1..=10).contains(&text.len()) && text.chars().all(is_plain)
    };
    row.len() >= PI_HOLES_MIN
        && (10..=13).contains(&time.len())
        && time.bytes().all(|octet| octet.is_ascii_digit())
        && is_type(text(1))
        && is_destination(text(2))
        && !text(3).is_empty()
}

/// The arrays of a text.
struct Arrays {
    /// Those that stand in another array.
    rows: Vec<Range<usize>>,
    /// Those that hold none, and are what a key says.
    heads: Vec<Range<usize>>,
}

/// An array or object that stands open.
struct OpenBracket {
    start: usize,
    is_array: bool,
    is_item: bool,
    has_arrays: bool,
}

fn arrays(text: &str) -> Arrays {
    let mut found = Arrays { rows: Vec::new(), heads: Vec::new() };
    let mut open: Vec<OpenBracket> = Vec::new();
    let (mut rows_open, mut quotes) = (0_usize, StringTracker::default());
    for (at, octet) in text.bytes().enumerate() {
        if quotes.hold(octet) {
            continue;
        }
        match octet {
            b'"' => quotes.begin(),
            b'[' | b'{' => {
                let is_array = octet == b'[';
                let is_item = open.last().is_some_and(|above| above.is_array) && is_array;
                if let Some(above) = open.last_mut() {
                    above.has_arrays |= is_array;
                }
                rows_open += usize::from(is_item);
                open.push(OpenBracket { start: at, is_array, is_item, has_arrays: false });
            }
            b']' | b'}' => {
                let Some(last) = open.pop() else { continue };
                rows_open -= usize::from(last.is_item);
                let is_inner = rows_open > 0;
                if !last.is_array || octet != b']' || is_inner {
                    continue;
                }
                let range = last.start..at + 1;
                match (last.is_item, last.has_arrays) {
                    (true, _) => found.rows.push(range),
                    (false, false) => found.heads.push(range),
                    (false, true) => {}
                }
            }
            _ => {}
        }
        if open.len() > OPEN_MAX || found.rows.len() + found.heads.len() > ARRAYS_MAX {
            break;
        }
    }
    found
}
