//! Columns that are not called by any word known, found by what they hold.
//!
//! To pass over the name that was asked for, and to look for the address of the server that was asked instead, gives an
//! answer that looks right and is about something else. So what is not used is said.

use csv::StringRecord;

use super::csv_columns::Columns;
use super::csv_words::Heading;
use super::row::{is_address, is_destination, is_outside, said};
use crate::time::{NoTime, UTC, Written};

/// So many rows are looked at.
const ROWS_MAX: usize = 200;
/// So many of a column's values, in percent, are alike.
const ALIKE: usize = 90;

/// In headings of what was asked for.
const ASKED: &[&str] = &[
    "domain",
    "url",
    "dns",
    "fqdn",
    "query",
    "question",
    "qname",
    "rrname",
    "ioc",
    "indicator",
    "observable",
    "website",
    "hostname",
    "blocked",
    "malicious",
    "requested",
    "contacted",
    "destination",
    "remote",
];
/// In headings of one's own side, and of links to read more: their names are no destinations.
const OWN: &[&str] = &[
    "source",
    "src",
    "client",
    "user",
    "account",
    "login",
    "owner",
    "mail",
    "sender",
    "recipient",
    "device",
    "machine",
    "computer",
    "endpoint",
    "agent",
    "sensor",
    "observer",
    "collector",
    "origin",
    "internal",
    "local",
    "workgroup",
    "netbios",
    "activedirectory",
    "tenant",
    "organization",
    "company",
    "customer",
    "vendor",
    "product",
    "reference",
    "referer",
    "referrer",
    "link",
    "alert",
    "event",
    "incident",
    "case",
    "console",
    "report",
    "support",
    "help",
    "info",
    "portal",
    "doc",
    "article",
    "advisory",
    "answer",
    "response",
    "resolver",
    "firewall",
    "gateway",
    "server",
];

/// Takes columns by what the rows hold where words tell of no time, or of no name; and what is to be said of that.
///
/// 1. Of times: the only column that holds them.
/// 2. Of names: the only column that holds public ones and is not called as something of one's own. Beside addresses it is
///    taken if its heading tells of names, or the addresses are of DNS servers; else it may be anything, and is said.
pub(super) fn complete(
    columns: &mut Columns,
    header: &StringRecord,
    rows: impl Iterator<Item = StringRecord>,
) -> Vec<String> {
    let rows: Vec<StringRecord> = rows.take(ROWS_MAX).collect();
    let headings: Vec<Heading> = header.iter().map(Heading::of).collect();
    let places = |is: fn(&Heading) -> bool| -> Vec<usize> {
        let all = headings.iter().enumerate();
        all.filter(|(_, heading)| is(heading)).map(|(column, _)| column).collect()
    };
    let unknown = places(|heading| !heading.is_known());
    let holding = |columns: &[usize], is: fn(&str) -> bool| -> Vec<usize> {
        columns.iter().copied().filter(|column| holds(&rows, *column, is)).collect()
    };
    let called = |columns: &[usize]| -> String {
        let names: Vec<String> = columns
            .iter()
            .filter_map(|column| header.get(*column))
            .map(|name| format!("\"{}\"", name.escape_debug()))
            .collect();
        names.join(" and ")
    };
    let mut notes = Vec::new();
    if !columns.has_times() {
        match holding(&unknown, is_time).as_slice() {
            [] => {}
            [only] => {
                columns.take_times(*only);
                notes.push(format!("its times are taken from the column {}", called(&[*only])));
            }
            several => notes.push(format!(
                "its columns {} hold times, and none of them was used; call that of the alerts `time`",
                called(several)
            )),
        }
    }
    if are_named(columns, &rows) {
        return notes;
    }
    let key = |column: usize| headings.get(column).map_or("", Heading::key);
    // Some may be of one's own, by a word for either end or by their heading: these are never taken.
    let (own, names): (Vec<usize>, Vec<usize>) = holding(&unknown, is_public_name)
        .into_iter()
        .partition(|column| has_stem(key(*column), OWN));
    let eithers = [holding(&places(Heading::is_of_either), is_public_name), own].concat();
    match names.as_slice() {
        [] if eithers.is_empty() => {}
        [] => notes.push(not_used(&called(&eithers))),
        [only] if has_stem(key(*only), ASKED) || are_servers(columns, &rows) => {
            columns.take_names(*only);
            notes.push(format!("its destinations are taken from the column {}", called(&[*only])));
        }
        several => notes.push(not_used(&called(several))),
    }
    notes
}

fn not_used(columns: &str) -> String {
    format!(
        "its column {columns} holds names, which were not used; if the alerts are about these, call it `destination`"
    )
}

/// Whether most rows name their destination.
fn are_named(columns: &Columns, rows: &[StringRecord]) -> bool {
    2 * rows.iter().filter(|row| columns.is_named(row)).count() > rows.len()
}

/// Whether the rows tell of no address, or of that of a DNS server each.
fn are_servers(columns: &Columns, rows: &[StringRecord]) -> bool {
    rows.iter().all(|row| {
        let row = columns.row(row);
        let ports = [row.address_port, row.host_port];
        let is_dns = ports.into_iter().flatten().any(|port| said(port) == Some("53"));
        is_dns || row.far_address().or(row.name).is_none_or(|address| !is_outside(address))
    })
}

/// Whether a column says something in half of the rows, and that nearly always of a kind.
fn holds(rows: &[StringRecord], column: usize, is: fn(&str) -> bool) -> bool {
    let values: Vec<&str> = rows.iter().filter_map(|row| said(row.get(column)?)).collect();
    let alike = values.iter().filter(|value| is(value)).count();
    2 * values.len() >= rows.len() && alike > 0 && 100 * alike >= ALIKE * values.len()
}

/// A time with its clock: a mere number may be anything.
fn is_time(text: &str) -> bool {
    text.contains(':') && !matches!(Written::parse(text, &UTC, None), Err(NoTime::Unknown))
}

fn is_public_name(text: &str) -> bool {
    let is_mail = text.contains('@') && !text.contains("://");
    !is_mail && is_destination(text) && !is_address(text) && is_outside(text)
}

fn has_stem(key: &str, stems: &[&str]) -> bool {
    stems.iter().any(|stem| key.contains(stem))
}
