//! CSV with a header that names its columns, apart by commas, semicolons, tabs or bars.

use csv::{ReaderBuilder, StringRecord};

use super::Rows;
use super::row::{Row, is_address, is_destination, plain_key};

/// What people call the columns, without case, blanks and marks; the first that is there counts.
const TIMES: &[&str] = &[
    "timestamp",
    "datetime",
    "eventtime",
    "generatetime",
    "generatedtime",
    "receivetime",
    "time",
    "firstseen",
    "starttime",
    "logtime",
    "when",
    "zeit",
    "zeitpunkt",
];
const DAYS: &[&str] = &["date", "day", "datum"];
const CLOCKS: &[&str] = &["time", "clock", "uhrzeit"];
const HOSTS: &[&str] = &[
    "userhost",
    "sourceaddress",
    "srcip",
    "sourceip",
    "src",
    "source",
    "srcaddress",
    "sourcehost",
    "srchost",
    "clientip",
    "client",
    "host",
    "hostname",
    "user",
    "device",
    "quelle",
];
const NAMES: &[&str] = &[
    "destination",
    "domain",
    "domainname",
    "fqdn",
    "dnsname",
    "qname",
    "query",
    "dnsquery",
    "destinationhost",
    "desthost",
    "dsthost",
    "dstdomain",
    "destinationname",
    "hostname",
    "urlfilename",
    "url",
    "indicator",
    "target",
    "ziel",
];
const ADDRESSES: &[&str] = &[
    "destinationaddress",
    "dstip",
    "destip",
    "destinationip",
    "dst",
    "dstaddress",
    "remoteip",
    "destination",
];
const THREATS: &[&str] = &[
    "threatname",
    "threatcontentname",
    "threatid",
    "threat",
    "signature",
    "malware",
    "attack",
    "virus",
    "alert",
    "rule",
    "category",
    "bedrohung",
];
const EVENTS: &[&str] =
    &["events", "eventcount", "count", "hits", "repeatcount", "numberofevents", "ereignisse"];
const NUMBERS: &[&str] = &["no", "nr", "number", "row"];

/// Where each thing stands.
#[derive(Debug, Default)]
pub(super) struct Columns {
    number: Option<usize>,
    time: Option<usize>,
    day: Option<usize>,
    clock: Option<usize>,
    host: Option<usize>,
    host_port: Option<usize>,
    /// All that may hold a name: in an export many stay empty, or hold something else.
    names: Vec<usize>,
    address: Option<usize>,
    address_port: Option<usize>,
    threat: Option<usize>,
    events: Option<usize>,
}

impl Columns {
    /// By a header. None of one that names no destination, or nothing else.
    pub(super) fn of(header: &StringRecord) -> Option<Columns> {
        let keys: Vec<String> = header.iter().map(plain_key).collect();
        let find =
            |names: &[&str]| names.iter().find_map(|name| keys.iter().position(|key| key == name));
        let places = |name: &&str| keys.iter().position(|key| key == *name);
        let names: Vec<usize> = NAMES.iter().filter_map(places).collect();
        let host = find(HOSTS).filter(|host| names.first() != Some(host));
        let names: Vec<usize> = names.into_iter().filter(|name| Some(*name) != host).collect();
        let columns = Columns {
            number: find(NUMBERS),
            time: find(TIMES),
            day: find(DAYS),
            clock: find(CLOCKS),
            host,
            host_port: find(&["sourceport", "srcport", "sport"]),
            address: find(ADDRESSES).filter(|address| names.first() != Some(address)),
            address_port: find(&["destinationport", "dstport", "destport", "dport"]),
            threat: find(THREATS),
            events: find(EVENTS),
            names,
        };
        let has_destination = !columns.names.is_empty() || columns.address.is_some();
        let has_more = columns.host.is_some() || columns.threat.is_some() || columns.time.is_some();
        (has_destination && has_more).then_some(columns)
    }

    /// What a record says in them, but for its time.
    pub(super) fn row<'r>(&self, record: &'r StringRecord) -> Row<'r> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let address = at(self.address);
        // A column that is named for both holds an address as well.
        let is_name =
            |text: &&str| is_destination(text) && !(is_address(text) && address.is_some());
        let name = self.names.iter().filter_map(|column| record.get(*column)).find(is_name);
        Row {
            number: at(self.number),
            time: None,
            host: at(self.host),
            host_port: at(self.host_port),
            name,
            address,
            address_port: at(self.address_port),
            threat: at(self.threat),
            events: at(self.events),
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

/// The header, which may stand behind comments, and what parts its columns.
fn header(text: &str) -> Option<(u32, u8, Columns)> {
    let (line, header) = super::lines(text).find(|(_, line)| {
        let content = line.trim_start();
        !(content.starts_with("//") || content.starts_with('#') && !content.contains([',', ';']))
    })?;
    // Feeds write their header as a comment.
    let header = header.trim_start().trim_start_matches('#').trim_start();
    [b',', b';', b'\t', b'|'].into_iter().find_map(|delimiter| {
        let mut reader = reader(header, delimiter);
        let record = reader.records().next()?.ok()?;
        Columns::of(&record).map(|columns| (line, delimiter, columns))
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

/// A reader of records that may be of any length.
pub(super) fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// Reads all records behind the header.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    let Some((header_line, delimiter, columns)) = header(text) else {
        let first = text.lines().next().unwrap_or_default();
        let why = "it names no destination; expected a header with the columns time, host, destination, \
                   threat and events, in any order, of which destination and one more must be there";
        return rows.skip(1, first, why);
    };
    each_record(text, delimiter, rows, |line, record, shown, rows| {
        let is_comment = record.get(0).is_some_and(|first| first.starts_with('#'));
        if line <= header_line || is_comment {
            return;
        }
        let time = columns.time(record, line, rows);
        rows.add(line, shown, Row { time, ..columns.row(record) });
    });
}

/// Hands out each record with its line and text. Where quotes open that do not end, that costs the line and nothing
/// behind it.
pub(super) fn each_record(
    text: &str,
    delimiter: u8,
    rows: &mut Rows<'_>,
    mut each: impl FnMut(u32, &StringRecord, &str, &mut Rows<'_>),
) {
    let mark = char::from(delimiter).to_string();
    // As many fields as the header has; notes before it have less.
    let mut fields = 0;
    let (mut rest, mut line): (&str, u32) = (text, 0);
    while let Some(first) = rest.split_inclusive('\n').next() {
        let has_all = |record: &Result<StringRecord, csv::Error>| {
            record.as_ref().is_ok_and(|record| record.len() == fields)
        };
        let quotes_end = quotes_of(first).is_multiple_of(2);
        let over_lines = || {
            let (octets, lines) = end_of_quotes(rest)?;
            let mut records = reader(rest.get(..octets)?, delimiter).into_records();
            let record = records.next().filter(has_all)?;
            records.next().is_none().then_some((record, octets, lines))
        };
        // A single quote within a field may also be meant.
        let (record, octets, lines) = match (!quotes_end).then(over_lines).flatten() {
            Some((record, octets, lines)) => (Some(record), octets, lines),
            None => (reader(first, delimiter).into_records().next(), first.len(), 1),
        };
        let number = line.saturating_add(1);
        (rest, line) = (rest.get(octets..).unwrap_or_default(), line.saturating_add(lines));
        match record {
            None => {}
            Some(record) if lines == 1 && !quotes_end && !has_all(&record) => {
                rows.skip(number, first.trim_end(), "it has a quote that opens and does not end");
            }
            Some(Ok(record)) => {
                fields = fields.max(record.len());
                let shown = record.iter().collect::<Vec<_>>().join(&mark);
                each(number, &record, &shown, rows);
            }
            Some(Err(error)) => rows.skip(number, first.trim_end(), &error.to_string()),
        }
    }
}

/// So many lines a record may have: fields of logs hold some.
const LINES_MAX: usize = 32;

/// How many octets and lines there are until quotes that the first line opens have ended.
fn end_of_quotes(text: &str) -> Option<(usize, u32)> {
    let (mut octets, mut quotes) = (0, 0);
    for (lines, line) in (1..).zip(text.split_inclusive('\n').take(LINES_MAX)) {
        octets += line.len();
        quotes += quotes_of(line);
        if quotes % 2 == 0 {
            return Some((octets, lines));
        }
    }
    None
}

/// How many quotes are in a line. One within a quoted field is written twice, so that they are even where a field ends.
fn quotes_of(line: &str) -> usize {
    line.bytes().filter(|octet| *octet == b'"').count()
}
