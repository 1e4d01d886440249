//! The threat log of Palo Alto Networks: exported as CSV with a header, or as syslog sends it, without.
//!
//! An alert on DNS has the name it is about under `URL/Filename`, or within the threat's name:
//! `Suspicious DNS Query (generic:mi.kenal-cn.com)(4000000)`.

use csv::StringRecord;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::Columns;
use crate::alert::load::csv::for_each_record;
use crate::alert::load::csv::header::fields;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_destination, normalized_key, present_value};

/// Where things stand in a line of syslog (PAN-OS, threat log fields).
mod place {
    pub(crate) const SERIAL: usize = 2;
    pub(crate) const KIND: usize = 3;
    pub(crate) const GENERATED: usize = 6;
    pub(crate) const SOURCE: usize = 7;
    pub(crate) const DESTINATION: usize = 8;
    pub(crate) const REPEATS: usize = 23;
    pub(crate) const SOURCE_PORT: usize = 24;
    pub(crate) const DESTINATION_PORT: usize = 25;
    pub(crate) const URL: usize = 31;
    pub(crate) const THREAT: usize = 32;
}

/// Whether a line is the header of an export, or a line of syslog.
pub(crate) fn is_line(line: &str) -> bool {
    if is_header(line) {
        return true;
    }
    fields(line, b',').is_some_and(|record| record.len() > place::THREAT && is_threat(&record))
}

fn is_header(line: &str) -> bool {
    line.contains("Threat/Content")
}

fn is_threat(record: &StringRecord) -> bool {
    record.get(place::KIND).is_some_and(|kind| kind.eq_ignore_ascii_case("THREAT"))
}

/// Reads all records, by the header where there is one.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let mut columns: Option<(Columns, Option<usize>)> = None;
    let header = text.lines().find(|line| is_header(line));
    let count = header.and_then(|line| fields(line, b',')).map(|fields| fields.len());
    for_each_record(text, (b',', count, 0), collector, |line, record, shown, collector| {
        if is_header(shown) {
            let kind = record.iter().position(|name| normalized_key(name) == "type");
            columns = Columns::of(record).map(|columns| (columns, kind));
            return;
        }
        match &columns {
            Some((columns, kind)) => {
                let kind = kind.and_then(|kind| record.get(kind)).and_then(present_value);
                if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("THREAT")) {
                    return collector.ignore("no threat");
                }
                let time = columns.time(record, line, collector);
                let row = columns.row(record);
                let name = row.name.or_else(|| row.threat.and_then(name_in_threat));
                collector.add(line, shown, AlertRow { time, name, ..row });
            }
            None if record.len() <= place::THREAT => {
                collector.skip(line, shown, "it has fewer fields than a line of the threat log");
            }
            None if !is_threat(record) => collector.ignore("no threat"),
            None => {
                let row = syslog(record, line, collector);
                collector.add(line, shown, row);
            }
        }
    });
}

fn syslog<'r>(
    record: &'r StringRecord,
    line: u32,
    collector: &mut AlertCollector<'_>,
) -> AlertRow<'r> {
    let threat = record.get(place::THREAT);
    let url = record.get(place::URL).filter(|url| is_destination(url));
    AlertRow {
        time: collector.times.read(record.get(place::GENERATED), line),
        host: record.get(place::SOURCE),
        host_port: record.get(place::SOURCE_PORT),
        name: url.or_else(|| threat.and_then(name_in_threat)),
        address: record.get(place::DESTINATION),
        address_port: record.get(place::DESTINATION_PORT),
        threat,
        events: record.get(place::REPEATS),
        device: record.get(place::SERIAL),
        ..AlertRow::default()
    }
}

/// The name within a threat's: `... (generic:evil.com)(4000000)`.
fn name_in_threat(threat: &str) -> Option<&str> {
    let inside = threat.split(['(', ')']).filter_map(|part| part.split_once(':'));
    inside.map(|(_, name)| name.trim()).find(|name| is_destination(name))
}
