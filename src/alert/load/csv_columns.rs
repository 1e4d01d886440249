//! CSV with a header that names its columns, apart by commas, semicolons, tabs or bars.

use csv::StringRecord;

use super::Rows;
use super::csv_words::{
    ADDRESS_PORTS, ADDRESSES, CLOCKS, DAYS, DEVICES, EITHERS_NAME, EVENTS, HOST_PORTS, HOSTS,
    NAMES, NUMBERS, THREATS, TIMES, spelt,
};
use super::row::{Row, is_address, is_destination, plain_key, said};
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
        let find =
            |names: &[&str]| names.iter().find_map(|name| keys.iter().position(|key| key == name));
        let places = |name: &&str| keys.iter().position(|key| key == *name);
        let names: Vec<usize> = NAMES.iter().filter_map(places).collect();
        let host = find(HOSTS).filter(|host| names.first() != Some(host));
        let names: Vec<usize> = names.into_iter().filter(|name| Some(*name) != host).collect();
        let others = HOSTS.iter().filter_map(places).filter(|place| !names.contains(place));
        let hosts: Vec<usize> =
            host.into_iter().chain(others.filter(|place| Some(*place) != host)).collect();
        let is_eithers = |place: &usize| keys.get(*place).is_some_and(|key| key == EITHERS_NAME);
        let (eithers, names): (Vec<usize>, Vec<usize>) = names.into_iter().partition(is_eithers);
        let columns = Columns {
            number: find(NUMBERS),
            time: find(TIMES),
            day: find(DAYS),
            clock: find(CLOCKS),
            hosts,
            host_port: find(HOST_PORTS),
            address: find(ADDRESSES).filter(|address| names.first() != Some(address)),
            address_port: find(ADDRESS_PORTS),
            threat: find(THREATS),
            events: find(EVENTS),
            device: find(DEVICES),
            names,
            eithers_name: eithers.first().copied(),
        };
        let has_destination =
            !columns.names.is_empty() || columns.address.or(columns.eithers_name).is_some();
        let has_more =
            !columns.hosts.is_empty() || columns.threat.is_some() || columns.time.is_some();
        (has_destination && has_more).then_some(columns)
    }

    /// What a record says in them, but for its time.
    pub(super) fn row<'r>(&self, record: &'r StringRecord) -> Row<'r> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let address = at(self.address).and_then(said);
        let texts = || self.names.iter().filter_map(|column| record.get(*column));
        let is_name = |text: &&str| is_destination(text) && !is_address(text);
        // A column that is named for both holds an address as well.
        let is_either = |text: &&str| is_name(text) || address.is_none() && is_address(text);
        let either = || at(self.eithers_name).filter(is_either);
        let name = texts().find(is_name).or_else(|| texts().find(is_either)).or_else(either);
        let host = self.hosts.iter().filter_map(|column| record.get(*column)).find_map(said);
        Row {
            number: at(self.number),
            time: None,
            host,
            host_port: at(self.host_port),
            name,
            address,
            address_port: at(self.address_port),
            threat: at(self.threat),
            events: at(self.events),
            device: at(self.device),
        }
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
