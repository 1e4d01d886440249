//! Columns that are not called by any word known, found by what they hold.
//!
//! To pass over the name that was asked for, and to look for the address of the server that was asked instead, gives an
//! answer that looks right and is about something else. So what is not used is said. To take one's own domain for the
//! destination is worse: all who work there asked for it.

use csv::StringRecord;

use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::stems::{
    DESTINATION_STEMS, OWN_ADDRESS_STEMS, OWN_SIDE_STEMS, RELATED_NAME_STEMS,
};
use crate::alert::load::columns::words::{DOMAINS, FALLBACK_NAMES};
use crate::alert::load::columns::{Columns, rivals};
use crate::alert::load::row::value::{is_address, is_destination, is_public, present_value};
use crate::time::{NoTime, UTC, Written};

/// So many rows are looked at.
const ROWS_MAX: usize = 200;
/// What so many rows say alike is no chance.
pub(crate) const ENOUGH_ROWS: usize = 3;
/// So many of a column's values, in percent, are alike.
const ALIKE: usize = 90;

/// Takes columns by what the rows hold where words tell of no time, or of no name; and what is to be said of that.
///
/// 1. Of times: the only column that holds them.
/// 2. Of names: the only column that holds public ones and is not called as something of one's own, unless the words of a row
///    name something else. It is taken if its heading tells of names; or if it does not say one name in all of many rows,
///    and the addresses beside it are of DNS servers. Else it may be anything, and is said.
/// 3. Of addresses, where no column names a destination: likewise.
///
/// A column called domain that says one thing in all rows, while another holds what is outside, is one's own domain, and
/// not used. Whose a host's name is, and which of two columns counts that name different things, is told by [`rivals`].
pub(crate) fn complete_by_content(
    columns: &mut Columns,
    header: &StringRecord,
    rows: impl Iterator<Item = StringRecord>,
) -> Vec<String> {
    let rows: Vec<StringRecord> = rows.take(ROWS_MAX).collect();
    let headings: Vec<Heading> = header.iter().map(Heading::of).collect();
    let sample = TableSample { header, headings: &headings, rows: &rows };
    let mut notes = find_times(columns, sample);
    notes.extend(drop_own_domains(columns, sample));
    notes.extend(find_names(columns, sample));
    notes.extend(rivals::decide_host_names(columns, sample));
    notes.extend(rivals::decide_rivals(columns, sample));
    if !sample.are_named(columns) && !columns.is_ambiguous() {
        notes.extend(find_addresses(columns, sample));
    }
    notes
}

/// What there is to see of a table.
#[derive(Clone, Copy)]
pub(crate) struct TableSample<'s> {
    header: &'s StringRecord,
    pub headings: &'s [Heading],
    pub rows: &'s [StringRecord],
}

impl<'s> TableSample<'s> {
    /// The columns whose headings are of a kind.
    pub(crate) fn places(self, is: impl Fn(&Heading) -> bool) -> Vec<usize> {
        let all = self.headings.iter().enumerate();
        all.filter(|(_, heading)| is(heading)).map(|(column, _)| column).collect()
    }

    fn unknown(self) -> Vec<usize> {
        self.places(|heading| !heading.is_known())
    }

    /// What columns are called.
    pub(crate) fn called(self, columns: &[usize]) -> String {
        let names: Vec<String> = columns
            .iter()
            .filter_map(|column| self.header.get(*column))
            .map(|name| format!("\"{}\"", name.escape_debug()))
            .collect();
        names.join(" and ")
    }

    /// What a column says.
    pub(crate) fn values(self, column: usize) -> Vec<&'s str> {
        self.rows.iter().filter_map(|row| present_value(row.get(column)?)).collect()
    }

    /// Whether most rows name their destination.
    pub(crate) fn are_named(self, columns: &Columns) -> bool {
        2 * self.rows.iter().filter(|row| columns.is_named(row)).count() > self.rows.len()
    }

    /// Whether a column says something in half of the rows, and that nearly always of a kind.
    fn holds(self, column: usize, is: impl Fn(&str) -> bool) -> bool {
        let values = self.values(column);
        let alike = values.iter().filter(|value| is(value)).count();
        2 * values.len() >= self.rows.len() && alike > 0 && 100 * alike >= ALIKE * values.len()
    }

    /// Whether a column holds what alerts are about, be it names alone or addresses in some rows.
    pub(crate) fn holds_destinations(self, column: usize) -> bool {
        let values = self.values(column);
        let names = values.iter().filter(|value| is_public_name(value)).count();
        2 * names > values.len()
            && self.holds(column, |text| is_public_name(text) || is_public_address(text))
    }

    /// Those of some columns that do.
    fn of_destinations(self, columns: &[usize]) -> Vec<usize> {
        columns.iter().copied().filter(|column| self.holds_destinations(*column)).collect()
    }

    /// Whether the words of a row name something else than a column does.
    fn names_something_else(self, column: usize) -> bool {
        let is_other = |row: &StringRecord, word: &str| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            let own = row.get(column).and_then(present_value).unwrap_or_default();
            is_public_name(word) && !own.eq_ignore_ascii_case(word)
        };
        self.rows.iter().any(|row| {
            let texts = row.iter().filter(|text| text.trim().contains(char::is_whitespace));
            texts.flat_map(str::split_whitespace).any(|word| is_other(row, word))
        })
    }

    /// Whether a column does not say the same in all of many rows, as it does of who reports them.
    fn may_be_asked(self, column: usize) -> bool {
        let values = self.values(column);
        values.len() < ENOUGH_ROWS || have_several_values(&values)
    }

    fn key(self, column: usize) -> &'s str {
        self.headings.get(column).map_or("", Heading::key)
    }
}

/// Takes the only column of times, where no word tells of one.
fn find_times(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    if columns.has_times() {
        return Vec::new();
    }
    let mut found = sample.unknown();
    found.retain(|column| sample.holds(*column, is_time));
    match found.as_slice() {
        [] => Vec::new(),
        [only] => {
            columns.use_as_time(*only);
            vec![format!("times are taken from its column {}", sample.called(&[*only]))]
        }
        several => vec![format!(
            "its columns {} hold times, and none of them is used; rename the one with the alert's time to `time`",
            sample.called(several)
        )],
    }
}

/// Takes a column of names, where no word tells of one.
fn find_names(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if sample.are_named(columns) {
        return notes;
    }
    // Beside users it is theirs, unless it tells of one domain here and of another there.
    let theirs = sample.places(|heading| heading.is_of(DOMAINS));
    for column in sample.of_destinations(&theirs).into_iter().filter(|c| !columns.has_names(*c)) {
        if have_several_domains(&sample.values(column)) {
            columns.use_as_names(column);
            notes.push(taken_note(&sample.called(&[column])));
            return notes;
        }
        notes.push(unused_note(&sample.called(&[column])));
    }
    // Some may be of one's own by their heading, or be paths: these are never taken.
    let (own, names): (Vec<usize>, Vec<usize>) = sample
        .of_destinations(&sample.unknown())
        .into_iter()
        .partition(|column| has_stem(sample.key(*column), OWN_SIDE_STEMS));
    let loose = sample.of_destinations(&sample.places(|heading| heading.is_of(FALLBACK_NAMES)));
    let others = [loose, own].concat();
    match names.as_slice() {
        [] if others.is_empty() => {}
        [] => notes.push(unused_note(&sample.called(&others))),
        _ if columns.is_ambiguous() => {}
        [only]
            if !sample.names_something_else(*only)
                && (has_stem(sample.key(*only), DESTINATION_STEMS)
                    || sample.may_be_asked(*only) && are_servers(columns, sample.rows)) =>
        {
            columns.use_as_names(*only);
            notes.push(taken_note(&sample.called(&[*only])));
        }
        several => notes.push(unused_note(&sample.called(several))),
    }
    notes
}

/// Takes a column of addresses, where no other tells of the destination.
fn find_addresses(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    let far = columns.either_end_address().filter(|_| !columns.has_destination());
    if let Some(column) =
        far.filter(|column| sample.values(*column).into_iter().any(is_public_address))
    {
        columns.use_either_end_address();
        return vec![taken_note(&sample.called(&[column]))];
    }
    if !columns.names_none(sample.rows) {
        return Vec::new();
    }
    let is_own = |column: &usize| {
        [OWN_SIDE_STEMS, OWN_ADDRESS_STEMS].iter().any(|stems| has_stem(sample.key(*column), stems))
    };
    let mut found = sample.unknown();
    found.retain(|column| !is_own(column) && sample.holds(*column, is_public_address));
    match found.as_slice() {
        [] => Vec::new(),
        [only] => {
            columns.use_as_address(*only);
            vec![taken_note(&sample.called(&[*only]))]
        }
        several => vec![format!(
            "its columns {} hold addresses, and none of them is used; rename the one with the destinations to \
             `destination`",
            sample.called(several)
        )],
    }
}

/// Drops columns of a domain or a host that say one name in all rows and are one's own, or may be; and what is to be said
/// of that.
fn drop_own_domains(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let others: Vec<(usize, Vec<&str>)> = sample
        .headings
        .iter()
        .enumerate()
        .filter(|(_, heading)| {
            !heading.is_known()
                && ![OWN_SIDE_STEMS, RELATED_NAME_STEMS]
                    .iter()
                    .any(|stems| has_stem(heading.key(), stems))
        })
        .map(|(column, _)| (column, sample.values(column)))
        .collect();
    let unknown = |is: fn(&str) -> bool| -> Vec<usize> {
        let are =
            |values: &[&str]| have_several_values(values) && values.iter().all(|value| is(value));
        others.iter().filter(|(_, values)| are(values)).map(|(column, _)| *column).collect()
    };
    let (names, addresses) = (unknown(is_public_name), unknown(is_public_address));
    let known: Vec<usize> =
        columns.names().iter().copied().chain(columns.possible_names()).collect();
    let is_of_addresses = |(column, values): &(usize, Vec<&str>)| {
        let is_own = has_stem(sample.key(*column), OWN_ADDRESS_STEMS);
        !is_own && !values.is_empty() && values.iter().all(|value| is_public_address(value))
    };
    let is_told_beside = |column: usize| {
        known.iter().any(|other| *other != column && sample.holds_destinations(*other))
            || others.iter().any(is_of_addresses)
    };
    let far: Vec<&str> = columns.address().map_or_else(Vec::new, |column| sample.values(column));
    let is_far_known =
        have_several_values(&far) && far.iter().all(|value| is_public_address(value));
    let domains = sample.headings.iter().enumerate().filter(|(column, heading)| {
        heading.is_of(DOMAINS) && columns.has_names(*column) || columns.is_either_end_name(*column)
    });
    for column in domains.map(|(column, _)| column).collect::<Vec<_>>() {
        let said = sample.values(column);
        let Some(only) = said.first().filter(|_| !have_several_values(&said)) else { continue };
        let is_short = said.len() < ENOUGH_ROWS;
        let domain = sample.called(&[column]);
        let name = only.escape_debug();
        // A host's name comes after all others anyway.
        let is_own = !is_public(only) || !is_short && columns.is_either_end_name(column);
        if is_own {
            let is_far = is_far_known || !names.is_empty() || !addresses.is_empty();
            let is_told = !is_public(only) && is_told_beside(column);
            if is_far || is_told {
                // What is no name, and a host's name where others are said, would not be taken anyway.
                let is_worth =
                    is_far || is_destination(only) && !columns.is_either_end_name(column);
                columns.drop_names(column);
                notes.extend(is_worth.then(|| {
                    format!("its column {domain} says {name} in every row and is taken for your own domain: it is \
                             not used")
                }));
            }
        } else if !is_short && !names.is_empty() {
            columns.drop_names(column);
            let other = sample.called(&names);
            columns.mark_ambiguous();
            notes.push(format!(
                "its column {domain} says {name} in every row, and {other} differs: it is unclear which is the \
                 destination, so neither is used; rename it to `destination`"
            ));
        } else if !is_short && (is_far_known || !addresses.is_empty()) {
            notes.push(format!(
                "its column {domain} says {name} in every row and is taken for the destination; if it is your own \
                 domain, remove the column"
            ));
        }
    }
    notes
}

/// Whether they are not all one.
pub(crate) fn have_several_values(values: &[&str]) -> bool {
    let first = values.first();
    values.iter().any(|value| first.is_some_and(|first| !first.eq_ignore_ascii_case(value)))
}

/// Whether names are not all of one registered domain, by their last two labels.
pub(crate) fn have_several_domains(names: &[&str]) -> bool {
    let ends = names.iter().map(|name| name.trim_end_matches('.').rsplitn(3, '.').take(2));
    let mut ends = ends.map(|labels| labels.map(str::to_ascii_lowercase).collect::<Vec<_>>());
    let first = ends.next();
    ends.any(|end| Some(&end) != first.as_ref())
}

fn is_public_address(text: &str) -> bool {
    is_address(text) && is_public(text)
}

pub(crate) fn taken_note(columns: &str) -> String {
    format!("destinations are taken from its column {columns}")
}

pub(crate) fn unused_note(columns: &str) -> String {
    format!(
        "its column {columns} holds names, which are not used; if they are the destinations, rename it to \
         `destination`"
    )
}

/// Whether the rows tell of no address, or of that of a DNS server each.
fn are_servers(columns: &Columns, rows: &[StringRecord]) -> bool {
    rows.iter().all(|row| {
        let row = columns.row(row);
        let ports = [row.address_port, row.host_port];
        let is_dns = ports.into_iter().flatten().any(|port| present_value(port) == Some("53"));
        is_dns || row.remote_address().or(row.name).is_none_or(|address| !is_public(address))
    })
}

/// A time with its clock: a mere number may be anything.
fn is_time(text: &str) -> bool {
    text.contains(':')
        && !matches!(Written::parse(text, &UTC, None), Err(NoTime::Unknown | NoTime::NoDay))
}

pub(crate) fn is_public_name(text: &str) -> bool {
    let is_mail = text.contains('@') && !text.contains("://");
    !is_mail && is_destination(text) && !is_address(text) && is_public(text)
}

fn has_stem(key: &str, stems: &[&str]) -> bool {
    stems.iter().any(|stem| key.contains(stem))
}
