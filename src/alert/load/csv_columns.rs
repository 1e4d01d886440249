//! CSV with a header that names its columns, apart by commas, semicolons, tabs or bars.

use csv::StringRecord;

use super::Rows;
use super::csv_words::{
    ADDRESS_PORTS, ADDRESSES, CLOCKS, DAYS, DEVICES, EITHERS_NAME, EVENTS, HOST_PORTS, HOSTS,
    LOOSE_NAMES, NAMES, NUMBERS, THREATS, TIMES, spelt,
};
use super::row::{Row, is_address, is_destination, is_outside, plain_key, said};
use crate::rows as csv_rows;

/// Where each thing stands.
#[derive(Debug, Default)]
pub(super) struct Columns {
    number: Option<usize>,
    time: Option<usize>,
    day: Option<usize>,
    clock: Option<usize>,
    /// All that may tell of the host, as with names.
    hosts: Vec<usize>,
    host_port: Option<usize>,
    /// All that may hold a name: in an export many stay empty, or hold something else.
    names: Vec<usize>,
    /// What may hold a name, or a path, or who was attacked.
    loose_names: Vec<usize>,
    /// What holds a name that may be the host's as well.
    eithers_name: Option<usize>,
    address: Option<usize>,
    address_port: Option<usize>,
    threat: Option<usize>,
    events: Option<usize>,
    device: Option<usize>,
}

impl Columns {
    /// By a header. None of one that names no destination, or nothing else.
    pub(super) fn of(header: &StringRecord) -> Option<Columns> {
        let keys: Vec<String> = header.iter().map(spelt).collect();
        let places = |words: &[&str]| -> Vec<usize> {
            words.iter().filter_map(|word| keys.iter().position(|key| key == word)).collect()
        };
        let find = |words: &[&str]| places(words).first().copied();
        let columns = Columns {
            number: find(NUMBERS),
            time: find(TIMES),
            day: find(DAYS),
            clock: find(CLOCKS),
            hosts: places(HOSTS),
            host_port: find(HOST_PORTS),
            names: places(NAMES),
            loose_names: places(LOOSE_NAMES),
            eithers_name: find(&[EITHERS_NAME]),
            address: find(ADDRESSES),
            address_port: find(ADDRESS_PORTS),
            threat: find(THREATS),
            events: find(EVENTS),
            device: find(DEVICES),
        };
        let has_more =
            !columns.hosts.is_empty() || columns.threat.is_some() || columns.time.is_some();
        (columns.has_destination() && has_more).then_some(columns)
    }

    fn has_destination(&self) -> bool {
        let has_name = !self.names.is_empty() || !self.loose_names.is_empty();
        let is_other_end = self.eithers_name.is_some() && self.sources().next().is_some();
        has_name || self.address.is_some() || is_other_end
    }

    /// The columns of the host alone: a name of either end beside them is that of the other.
    fn sources(&self) -> impl Iterator<Item = usize> {
        self.hosts.iter().copied().take_while(|place| Some(*place) != self.eithers_name)
    }

    /// What a record says in them, but for its time.
    pub(super) fn row<'r>(&self, record: &'r StringRecord) -> Row<'r> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let row = Row {
            number: at(self.number),
            time: None,
            host: self.hosts.iter().find_map(|column| said(record.get(*column)?)),
            host_port: at(self.host_port),
            name: None,
            address: at(self.address).and_then(said),
            address_port: at(self.address_port),
            threat: at(self.threat),
            events: at(self.events),
            device: at(self.device),
        };
        Row { name: self.name(record, &row), ..row }
    }

    /// What its columns of names say of the destination; none where the address tells more. A firewall flags what is
    /// outside, so a name of one's own is only taken where nothing else is said.
    fn name<'r>(&self, record: &'r StringRecord, row: &Row<'r>) -> Option<&'r str> {
        let at =
            |column: usize| record.get(column).and_then(said).filter(|text| is_destination(text));
        let named = || self.names.iter().filter_map(|column| at(*column));
        let addresses = || named().filter(|text| is_address(text));
        let is_address_said = row.address.is_some() || addresses().next().is_some();
        let is_named = |text: &&str| text.contains("://") || !is_address_said;
        let loose = || self.loose_names.iter().filter_map(|column| at(*column)).filter(is_named);
        let has_source = self.sources().any(|place| record.get(place).and_then(said).is_some());
        let either = self.eithers_name.filter(|_| has_source && !is_address_said).and_then(at);
        let names = || named().chain(loose()).chain(either).filter(|text| !is_address(text));
        if let Some(name) = names().find(|text| is_outside(text)) {
            return Some(name);
        }
        if row.far_address().is_some_and(is_outside) {
            return None;
        }
        let address = addresses().find(|text| is_outside(text));
        address.or_else(|| names().next()).or_else(|| {
            let all = || named().chain(loose()).chain(either);
            all().next().filter(|_| row.address.is_none())
        })
    }

    /// Its time.
    pub(super) fn time(
        &self,
        record: &StringRecord,
        line: u32,
        rows: &mut Rows<'_>,
    ) -> Option<crate::time::Written> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        if self.day.is_some() && self.clock.is_some() {
            return rows.times.read_two(at(self.day), at(self.clock), None, line);
        }
        rows.times.read(at(self.time).or_else(|| at(self.day)), line)
    }
}

/// A header.
struct Header {
    line: u32,
    delimiter: u8,
    /// How many columns there are.
    count: usize,
    columns: Columns,
}

/// The header, which may stand behind comments.
fn header(text: &str) -> Option<Header> {
    let (line, header) = super::lines(text).find(|(_, line)| {
        let content = line.trim_start();
        !(content.starts_with("//") || content.starts_with('#') && !content.contains([',', ';']))
    })?;
    // Feeds write their header as a comment.
    let header = header.trim_start().trim_start_matches('#').trim_start();
    [b',', b';', b'\t', b'|'].into_iter().find_map(|delimiter| {
        let record = fields(header, delimiter)?;
        let columns = Columns::of(&record)?;
        Some(Header { line, delimiter, count: record.len(), columns })
    })
}

/// Whether a text begins with a header that names a destination. A pasted table of Sophos does as well,
/// yet its columns and its header do not stand under one another.
pub(super) fn has_header(text: &str) -> bool {
    let is_table = super::lines(text).take(10).any(|(_, line)| {
        let key = plain_key(line);
        key.contains("userhost")
            && key.contains("events")
            && key.contains("origin")
            && !line.contains([',', ';'])
    });
    !is_table && header(text).is_some()
}

/// The fields of a line, which need not be as many as a row has.
pub(super) fn fields(line: &str, delimiter: u8) -> Option<StringRecord> {
    csv_rows::Rows::new(line, delimiter, None).next()?.fields.ok()
}

/// Reads all records behind the header.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    let Some(Header { line: header_line, delimiter, count, columns }) = header(text) else {
        let first = text.lines().next().unwrap_or_default();
        let why = "it names no destination; expected a header with the columns time, host, destination, \
                   threat and events, in any order, of which destination and one more must be there";
        return rows.skip(1, first, why);
    };
    each_record(text, (delimiter, Some(count)), rows, |line, record, shown, rows| {
        let is_comment = record.get(0).is_some_and(|first| first.starts_with('#'));
        if line <= header_line || is_comment {
            return;
        }
        let time = columns.time(record, line, rows);
        rows.add(line, shown, Row { time, ..columns.row(record) });
    });
}

/// Hands out each record with its line and text; `count` is how many fields it has, where that is known.
pub(super) fn each_record(
    text: &str,
    (delimiter, count): (u8, Option<usize>),
    rows: &mut Rows<'_>,
    mut each: impl FnMut(u32, &StringRecord, &str, &mut Rows<'_>),
) {
    let mark = char::from(delimiter).to_string();
    for row in csv_rows::Rows::new(text, delimiter, count) {
        match row.fields {
            Ok(_) if rows.is_full() => rows.left_out += 1,
            Ok(fields) => {
                let shown = fields.iter().collect::<Vec<_>>().join(&mark);
                each(row.line, &fields, &shown, rows);
            }
            Err(why) => rows.skip(row.line, row.text, &why),
        }
    }
}
