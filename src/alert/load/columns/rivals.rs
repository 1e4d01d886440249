//! Columns that tell of the destination as others do: whose a host's name is, and which of two names was asked for.
//!
//! Products call the name that was asked for `hostname`, and the sensor, and who asked. To take one's own host for what
//! is flagged blames whoever asked for it, so it must be told from the rows, or is said.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;

use crate::alert::load::columns::Columns;
use crate::alert::load::columns::by_content::{
    ENOUGH_ROWS, TableSample, have_several_domains, have_several_values, is_public_name,
    taken_note, unused_note,
};
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::words::{FALLBACK_NAMES, HOST};
use crate::alert::load::row::value::{
    host_of, is_address, is_destination, is_public, present_value,
};

/// How many pairs of columns are told of that differ.
const RIVALS_MAX: usize = 2;

/// Takes a column of host names as the destination's where who asked is said, too, and no other column names what was
/// asked for; leaves out one that is of those who asked. What is to be said of that.
///
/// It is of who asked if each of these has one name and each name is of one, and all are of one domain: where there are
/// several who asked, or where the column stands right behind theirs and before that of destinations.
pub(crate) fn decide_host_names(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if columns.is_ambiguous() {
        return notes;
    }
    let source = columns.source();
    let is_of_host = |(column, heading): &(usize, &Heading)| {
        // What says who asked, where nothing else does, is no name of anything else.
        columns.is_either_end_name(*column)
            || heading.is(HOST) && columns.is_host(*column) && source != Some(*column)
    };
    let found: Vec<usize> =
        sample.headings.iter().enumerate().filter(is_of_host).map(|(column, _)| column).collect();
    for column in found {
        // A sensor says the same in every row.
        let is_sensor =
            !columns.is_either_end_name(column) && !have_several_values(&sample.values(column));
        if is_sensor || !sample.holds_destinations(column) {
            continue;
        }
        let Some(source) = source else {
            if !sample.are_named(columns) {
                notes.push(unused_note(&sample.called(&[column])));
            }
            continue;
        };
        if is_of_source(columns, sample.rows, (source, column)) {
            columns.drop_names(column);
            notes.push(format!(
                "its column {} holds the names of the hosts that asked: it is not used; if they are the \
                 destinations, rename it to `destination`",
                sample.called(&[column])
            ));
        } else if !sample.are_named(columns) {
            // One's own hosts have names, too: these are taken only where nothing else tells of destinations, and they are of
            // several domains.
            if names_something_else(columns, sample) {
                columns.drop_names(column);
                notes.push(unused_note(&sample.called(&[column])));
            } else if have_several_domains(&sample.values(column)) {
                columns.use_as_names(column);
                notes.push(taken_note(&sample.called(&[column])));
            }
        } else if first_conflict(
            &[columns.names(), &[column]].concat(),
            sample.rows,
            &BTreeSet::new(),
        )
        .is_some_and(|(_, other, _)| other == column)
        {
            columns.drop_names(column);
            notes.push(unused_note(&sample.called(&[column])));
        }
    }
    notes
}

/// Whether another column tells of destinations: by names, or by addresses that are not that of one server that is asked
/// about all.
fn names_something_else(columns: &Columns, sample: TableSample<'_>) -> bool {
    let far: Vec<&str> = columns.address().map_or_else(Vec::new, |column| sample.values(column));
    let is_server = far.len() > 1 && !have_several_values(&far);
    let is_far = |text: &&str| is_destination(text) && is_public(text);
    far.iter().any(is_far) && !(is_server && far.iter().all(|text| is_address(text)))
        || sample
            .places(|heading| heading.is_of(FALLBACK_NAMES))
            .into_iter()
            .any(|c| sample.holds_destinations(c))
}

/// Whether a column of names is of those who stand in another.
fn is_of_source(columns: &Columns, rows: &[StringRecord], (source, names): (usize, usize)) -> bool {
    let (mut of_host, mut of_name) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let Some((host, name)) =
            row.get(source).and_then(present_value).zip(row.get(names).and_then(present_value))
        else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if *of_host.entry(host).or_insert_with(|| name.clone()) != name
            || *of_name.entry(name).or_insert(host) != host
        {
            return false;
        }
    }
    let all: Vec<&str> = of_name.keys().map(String::as_str).collect();
    if have_several_domains(&all) || !all.iter().any(|name| is_public_name(name)) {
        return false;
    }
    let is_behind = names == source + 1;
    let is_between = is_behind && columns.address().is_some_and(|far| far > names);
    // An address that nobody says whose it is, and a name: most likely one host.
    let is_beside =
        columns.either_end_address() == Some(source) && (is_behind || source == names + 1);
    all.len() > 1 || is_between || is_beside && of_host.keys().all(|host| !is_public(host))
}

/// Where columns name destinations that have nothing to do with one another: which was taken. One that says the same in
/// every row is left out, if another names several domains: alerts of one thing would not.
pub(crate) fn decide_rivals(columns: &mut Columns, sample: TableSample<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut settled = BTreeSet::new();
    while notes.len() < RIVALS_MAX {
        let names: Vec<usize> = columns.names().to_vec();
        let Some((one, other, example)) = first_conflict(&names, sample.rows, &settled) else {
            break;
        };
        let hosts = |column| -> Vec<String> {
            let public = sample.values(column).into_iter().filter(|text| is_public_name(text));
            public.map(host_of).collect()
        };
        let of_one = hosts(one);
        let is_same =
            of_one.len() >= ENOUGH_ROWS && of_one.iter().all(|name| Some(name) == of_one.first());
        let of_other = hosts(other);
        let others: Vec<&str> = of_other.iter().map(String::as_str).collect();
        let [first, second] = [one, other].map(|column| sample.called(&[column]));
        let is_of_several = 2 * others.len() > sample.rows.len() && have_several_domains(&others);
        if is_same && is_of_several {
            columns.drop_names(one);
            let name = of_one.first().map(String::as_str).unwrap_or_default().escape_debug();
            notes.push(format!(
                "its column {first} says {name} in every row, and {second} differs: the destinations are taken \
                 from {second}; if they are in the other, remove {second}"
            ));
            continue;
        }
        settled.insert((one, other));
        let (a, b) = example;
        notes.push(format!(
            "its columns {first} and {second} name different destinations, such as {} and {}: the former is used; \
             if the latter is right, remove the former",
            a.escape_debug(),
            b.escape_debug()
        ));
    }
    notes
}

/// Two columns with what they say in the first row where they name different things, the one first that counts.
type Conflict<'r> = (usize, usize, (&'r str, &'r str));

fn first_conflict<'r>(
    names: &[usize],
    rows: &'r [StringRecord],
    settled: &BTreeSet<(usize, usize)>,
) -> Option<Conflict<'r>> {
    rows.iter().find_map(|row| {
        let said =
            names.iter().filter_map(|column| Some((*column, present_value(row.get(*column)?)?)));
        let mut named =
            said.filter(|(_, text)| is_destination(text) && !is_address(text) && is_public(text));
        let (one, name) = named.next()?;
        let other = named.find(|(other, text)| {
            !settled.contains(&(one, *other)) && !are_related(&host_of(name), &host_of(text))
        });
        other.map(|(other, text)| (one, other, (name, text)))
    })
}

/// Whether one name is the other, or below it.
fn are_related(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|name| name.trim_end_matches('.'));
    let is_below = |name: &str, above: &str| {
        name.strip_suffix(above).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_below(one, other) || is_below(other, one)
}

#[cfg(test)]
mod tests {
    use super::are_related;

    #[test]
    fn a_name_is_related_to_what_is_above_it() {
        for (one, other) in [("evil.com", "evil.com."), ("x.evil.com", "evil.com")] {
            assert!(are_related(one, other) && are_related(other, one), "{one} {other}");
        }
        assert!(!are_related("xevil.com", "evil.com"));
    }
}
