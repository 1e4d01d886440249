//! Columns that are not called by any word known, found by what they hold.
//!
//! To pass over the name that was asked for, and to look for the address of the server that was asked instead, gives an
//! answer that looks right and is about something else. So what is not used is said. To take one's own domain for the
//! destination is worse: all who work there asked for it.

use csv::StringRecord;

use super::csv_columns::Columns;
use super::csv_words::{DOMAINS, Heading};
use super::row::{is_address, is_destination, is_outside, said};
use crate::time::{NoTime, UTC, Written};

/// So many rows are looked at.
const ROWS_MAX: usize = 200;
/// What so many rows say alike is no chance.
const ROWS_ALIKE: usize = 3;
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

/// In headings of what belongs to a name that was asked for, and is not asked for itself.
const OF_OTHERS: &[&str] = &[
    "cname",
    "alias",
    "registered",
    "root",
    "parent",
    "tld",
    "apex",
    "certificate",
    "subject",
    "issuer",
    "matched",
];
/// In headings of addresses that are one's own as the world sees them.
const OWN_ADDRESSES: &[&str] =
    &["external", "nat", "public", "wan", "translated", "xff", "forwarded", "proxy", "egress"];

/// Takes columns by what the rows hold where words tell of no time, or of no name; and what is to be said of that.
///
/// 1. Of times: the only column that holds them.
/// 2. Of names: the only column that holds public ones and is not called as something of one's own. Beside addresses it is
///    taken if its heading tells of names, or the addresses are of DNS servers; else it may be anything, and is said.
/// 3. Of addresses, where no column names a destination: likewise.
///
/// A column called domain that says one thing in all rows, while another holds what is outside, is one's own domain, and
/// not used.
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
    notes.extend(without_own(columns, &headings, &rows, &called));
    if are_named(columns, &rows) {
        return notes;
    }
    // Beside users it is theirs, unless it tells of one domain here and of another there.
    let theirs = places(|heading| heading.is_of(DOMAINS));
    for column in holding(&theirs, is_public_name).into_iter().filter(|c| !columns.has_names(*c)) {
        if are_of_several(&values(&rows, column)) {
            columns.take_names(column);
            notes.push(format!("its destinations are taken from the column {}", called(&[column])));
            return notes;
        }
        notes.push(not_used(&called(&[column])));
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
        _ if columns.has_no_guesses() => {}
        [only] if has_stem(key(*only), ASKED) || are_servers(columns, &rows) => {
            columns.take_names(*only);
            notes.push(format!("its destinations are taken from the column {}", called(&[*only])));
        }
        several => notes.push(not_used(&called(several))),
    }
    if !columns.has_no_guesses() && columns.names_none(&rows) {
        let is_own =
            |column: &usize| has_stem(key(*column), OWN) || has_stem(key(*column), OWN_ADDRESSES);
        let mut addresses = holding(&unknown, is_public_address);
        addresses.retain(|column| !is_own(column));
        match addresses.as_slice() {
            [] => {}
            [only] => {
                columns.take_address(*only);
                notes.push(format!("its destinations are taken from the column {}", called(&[*only])));
            }
            several => notes.push(format!(
                "its columns {} hold addresses, and none of them was used; call that of the alerts' destinations \
                 `destination`",
                called(several)
            )),
        }
    }
    notes
}

/// Drops columns of a domain or a host that say one name in all rows and are one's own, or may be; and what is to be said
/// of that.
fn without_own(
    columns: &mut Columns,
    headings: &[Heading],
    rows: &[StringRecord],
    called: &dyn Fn(&[usize]) -> String,
) -> Vec<String> {
    let mut notes = Vec::new();
    let others: Vec<(usize, Vec<&str>)> = headings
        .iter()
        .enumerate()
        .filter(|(_, heading)| {
            !heading.is_known()
                && ![OWN, OF_OTHERS].iter().any(|stems| has_stem(heading.key(), stems))
        })
        .map(|(column, _)| (column, values(rows, column)))
        .collect();
    let unknown = |is: fn(&str) -> bool| -> Vec<usize> {
        let are = |values: &[&str]| differ(values) && values.iter().all(|value| is(value));
        others.iter().filter(|(_, values)| are(values)).map(|(column, _)| *column).collect()
    };
    let (names, addresses) = (unknown(is_public_name), unknown(is_public_address));
    let far: Vec<&str> = columns.address().map_or_else(Vec::new, |column| values(rows, column));
    let is_far_known = differ(&far) && far.iter().all(|value| is_public_address(value));
    let domains = headings.iter().enumerate().filter(|(column, heading)| {
        heading.is_of(DOMAINS) && columns.has_names(*column) || columns.is_eithers(*column)
    });
    for column in domains.map(|(column, _)| column).collect::<Vec<_>>() {
        let said = values(rows, column);
        let Some(only) = said.first().filter(|_| !differ(&said)) else { continue };
        let is_short = said.len() < ROWS_ALIKE;
        let domain = called(&[column]);
        let name = only.escape_debug();
        // A host's name comes after all others anyway.
        let is_own = !is_outside(only) || !is_short && columns.is_eithers(column);
        if is_own {
            if is_far_known || !names.is_empty() || !addresses.is_empty() {
                columns.drop_names(column);
                let text = format!(
                    "its column {domain} says {name} in every row and is taken for your own: it is not used"
                );
                notes.push(text);
            }
        } else if !is_short && !names.is_empty() {
            columns.drop_names(column);
            let other = called(&names);
            columns.drop_guesses();
            notes.push(format!(
                "its column {domain} says {name} in every row, and {other} differs: which of them is the destination cannot \
                 be told, so neither is used; call it `destination`"
            ));
        } else if !is_short && (is_far_known || !addresses.is_empty()) {
            notes.push(format!(
                "its column {domain} says {name} in every row, and is taken for what was asked for; if that is your own domain, \
                 leave the column out"
            ));
        }
    }
    notes
}

/// What a column says.
fn values(rows: &[StringRecord], column: usize) -> Vec<&str> {
    rows.iter().filter_map(|row| said(row.get(column)?)).collect()
}

/// Whether they are not all one.
fn differ(values: &[&str]) -> bool {
    let first = values.first();
    values.iter().any(|value| first.is_some_and(|first| !first.eq_ignore_ascii_case(value)))
}

/// Whether names are not all of one registered domain, by their last two labels.
fn are_of_several(names: &[&str]) -> bool {
    let ends = names.iter().map(|name| name.trim_end_matches('.').rsplitn(3, '.').take(2));
    let mut ends = ends.map(|labels| labels.map(str::to_ascii_lowercase).collect::<Vec<_>>());
    let first = ends.next();
    ends.any(|end| Some(&end) != first.as_ref())
}

fn is_public_address(text: &str) -> bool {
    is_address(text) && is_outside(text)
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
