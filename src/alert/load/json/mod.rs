//! JSON in whatever way it is exported.
//!
//! In: objects one a line, an array of them, the answer of a search engine with the events deep inside, or one of these
//! behind a syslog header. Out: a row for each record. Elastic, Splunk, Microsoft Sentinel and Defender, Pi-hole, AdGuard
//! Home and most cloud firewalls write this.
//!
//! ```text
//! [{"time":"2026-03-02T09:17:42Z","src_ip":"192.168.2.194","query":"mi.kenal-cn.com"}, ...]
//! {"preview":false,"result":{"_time":"2026-03-02 09:17:42","src":"192.168.2.194","query":"mi.kenal-cn.com"}}
//! {"hits":{"hits":[{"_source":{"@timestamp":"...","source":{"ip":"..."},"dns":{"question":{"name":"..."}}}}]}}
//! ```
//!
//! Decided here: which objects are records and which only wrap them ([`objects`], [`mod@records`], [`wrappers`], [`arrays`]), and
//! what each record says ([`flat`], [`repeated_keys`], [`entities`]). Its fields are read as the cells of a table whose header
//! is their paths (`dns.question.name`), so [`Columns`] knows their names as it knows those of CSV. If no field holds a
//! destination but the records keep the log line that they were made from (`_raw`), those lines are read instead. [`eve`] reads
//! the events of Suricata, whose fields are fixed.

mod arrays;
mod entities;
pub(crate) mod eve;
mod flat;
mod objects;
mod records;
mod repeated_keys;
mod wrappers;

use csv::StringRecord;
use foldhash::HashMap;
use serde_json::{Map, Value};

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::{Columns, by_content};
use crate::alert::load::json::flat::{FlatFields, original_line};
use crate::alert::load::json::records::{JsonRecord, JsonRecords, NestedRecords, RecordResult};
use crate::alert::load::notice::Notice;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_address, is_destination, is_public};

/// So deep what is packed into something else is looked for, and so deep fields lie within a record.
pub(crate) const DEPTH_MAX: usize = 8;
/// How many fields are told apart in all records, and how many one has.
pub(crate) const FIELDS_MAX: usize = 512;
/// How many destinations are told of a record that names several.
const SHOWN_MAX: usize = 3;
/// So many rows show what a column holds.
const SAMPLE: usize = 200;
/// What others put around an event, which is no part of what its fields are called.
const NO_DESTINATION: &str = "no known field names a destination together with a host, a time or a threat; \
                              expected fields such as time, src_ip, query, dest_ip and threat";
/// What only lists of indicators have.
const INDICATOR_LIST_KEYS: &[&str] = &["to_ids", "pattern_type", "spec_version"];

/// Whether a text is of JSON, and of nothing else.
pub(crate) fn is_text(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let within = start.strip_prefix('[').map(str::trim_start);
    let within = within.unwrap_or(start);
    within.starts_with('{') || within.starts_with('[') && arrays::is_table(text)
}

/// Whether a line has an object behind what syslog puts before it.
pub(crate) fn is_line(line: &str) -> bool {
    line.contains("{\"") && line.trim_end().ends_with('}')
}

/// Whether its records are events of Suricata.
pub(crate) fn is_of_suricata(text: &str) -> bool {
    let records = JsonRecords::of(text).take(SAMPLE).flatten();
    records.into_iter().any(|record| record.fields.contains_key("event_type"))
}

/// The columns of all records.
#[derive(Default)]
struct RecordTable {
    headings: Vec<String>,
    /// Where each heading stands: what is called alike stands in one column.
    places: HashMap<String, usize>,
    /// The columns by their keys, and which of them tell of a destination, or when.
    keys: HashMap<String, usize>,
    of_destinations: Vec<bool>,
    of_times: Vec<bool>,
}

impl RecordTable {
    fn learn(&mut self, flat: &FlatFields) {
        for (heading, _) in &flat.0 {
            if self.places.contains_key(heading) || self.places.len() >= FIELDS_MAX {
                continue;
            }
            let read = Heading::of(heading);
            let new = self.headings.len();
            let place = *self.keys.entry(read.key().to_owned()).or_insert(new);
            if place == new {
                self.headings.push(heading.clone());
                self.of_destinations.push(read.is_of_destination());
                self.of_times.push(read.is_of_time());
            }
            self.places.insert(heading.clone(), place);
        }
    }

    /// A record as a row; or, where it names more than one destination by one word, these.
    fn row(&self, flat: &FlatFields) -> Result<StringRecord, String> {
        let mut cells: Vec<Vec<&str>> = vec![Vec::new(); self.headings.len()];
        for (heading, values) in &flat.0 {
            let Some(cell) = self.places.get(heading).and_then(|place| cells.get_mut(*place))
            else {
                continue;
            };
            for value in values.iter().map(String::as_str) {
                if !cell.contains(&value) {
                    cell.push(value);
                }
            }
        }
        let cells = cells.iter().zip(&self.of_destinations).zip(&self.of_times);
        cells
            .map(|((cell, is_of_destination), is_of_times)| match cell.as_slice() {
                [] | [_] => Ok(cell.concat()),
                several if *is_of_destination => one_destination(several),
                [first, ..] if *is_of_times => Ok((*first).to_owned()),
                // A name of the firewall's own says less.
                several => {
                    let address = several.iter().find(|value| is_address(value));
                    Ok(address.map_or_else(|| several.join(", "), |address| (*address).to_owned()))
                }
            })
            .collect()
    }
}

/// The one destination of several values: what is outside comes before one's own, and a name before its addresses. Where
/// there are more, these.
fn one_destination(values: &[&str]) -> Result<String, String> {
    let destinations = || values.iter().copied().filter(|value| is_destination(value));
    let kinds: [fn(&str) -> bool; 3] =
        [|value| is_public(value) && !is_address(value), |value| is_public(value), |_| true];
    for is in kinds {
        let mut of_kind = destinations().filter(|value| is(value));
        match (of_kind.next(), of_kind.next()) {
            (Some(only), None) => return Ok(only.to_owned()),
            (Some(_), Some(_)) => {
                let few: Vec<&str> =
                    destinations().filter(|value| is(value)).take(SHOWN_MAX).collect();
                return Err(few.join(", "));
            }
            (None, _) => {}
        }
    }
    Ok(values.join(", "))
}

/// The records of a text, be they objects or arrays.
fn records(text: &str) -> Box<dyn Iterator<Item = RecordResult<'_>> + '_> {
    match arrays::records(text) {
        Some(rows) => Box::new(rows),
        None => Box::new(JsonRecords::of(text)),
    }
}

/// Reads all records.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let mut table = RecordTable::default();
    let mut sample = Vec::new();
    let (mut is_list, mut is_any) = (false, false);
    for record in records(text).flatten() {
        is_any = true;
        is_list |= INDICATOR_LIST_KEYS.iter().any(|key| record.fields.contains_key(*key));
        let flat = FlatFields::of(&record.fields);
        table.learn(&flat);
        if sample.len() < SAMPLE {
            sample.push(flat);
        }
    }
    let first = text.trim_start().lines().next().unwrap_or_default();
    if !is_any {
        is_list = INDICATOR_LIST_KEYS.iter().any(|key| text.contains(&format!("\"{key}\"")));
    }
    if is_list {
        let why = "it is a list of indicators (MISP or STIX): give it to `read` or `live` with --indicators";
        return collector.skip(1, first, why);
    }
    let header: StringRecord = table.headings.iter().map(String::as_str).collect();
    let mut columns = Columns::by_words(&header);
    let sampled = sample.iter().filter_map(|flat| table.row(flat).ok());
    let said = by_content::complete_by_content(&mut columns, &header, sampled);
    if !columns.is_sufficient() {
        return read_originals(text, collector);
    }
    for words in said {
        collector.notices.push(Notice::file(&collector.file, &words));
    }
    let (mut repeated, mut around, mut with) = (RepeatedKeys::default(), None, None);
    for record in records(text) {
        match record {
            Ok(_) if collector.is_full() => collector.left_out += 1,
            Ok(record) if is_of_bulk(&record.fields) => {
                collector.ignore("what is done with a record")
            }
            Ok(record) => {
                repeated.see(&record);
                match record.nested {
                    None => {}
                    Some(NestedRecords::Alerts) => _ = around.get_or_insert(record.line),
                    Some(NestedRecords::Context) => _ = with.get_or_insert(record.line),
                }
                read_record(&record, (&table, &columns), collector);
            }
            Err((line, text, why)) => collector.skip(line, text, &why),
        }
    }
    let around = around.map(|line| {
        format!("the record in line {line} contains others that are alerts themselves: it was read as an alert, \
                 and so was each of them")
    });
    let with = with.map(|line| {
        format!(
            "the record in line {line} contains others that could be alerts or only its history: they were not \
             read; if they are alerts, give them separately"
        )
    });
    let around = around.into_iter().chain(with);
    let said = repeated.words().into_iter().chain(around);
    collector.notices.extend(said.map(|words| Notice::file(&collector.file, &words)));
}

fn read_record(
    record: &JsonRecord<'_>,
    (table, columns): (&RecordTable, &Columns),
    collector: &mut AlertCollector<'_>,
) {
    match table.row(&FlatFields::of(&record.fields)) {
        Ok(cells) => {
            let time = columns.time(&cells, record.line, collector);
            collector.add(record.line, record.text, AlertRow { time, ..columns.row(&cells) });
        }
        Err(several) => {
            let why = format!("it names several destinations ({several}); use one record for each");
            collector.skip(record.line, record.text, &why);
        }
    }
}

/// Whether an object only says what Elasticsearch is to do with the next one.
fn is_of_bulk(fields: &Map<String, Value>) -> bool {
    const ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];
    let mut all = fields.iter();
    let only = all.next().filter(|_| fields.len() == 1);
    only.is_some_and(|(key, value)| {
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        ACTIONS.contains(&key.as_str())
            && (is_empty || value.get("_index").is_some() || value.get("_id").is_some())
    })
}

/// Records in which a key stands more than once.
#[derive(Default)]
struct RepeatedKeys {
    count: u64,
    first: Option<(u32, String)>,
}

impl RepeatedKeys {
    fn see(&mut self, record: &JsonRecord<'_>) {
        let Some(key) = &record.repeated else { return };
        self.count += 1;
        self.first.get_or_insert_with(|| (record.line, key.clone()));
    }

    fn words(self) -> Option<String> {
        let (line, key) = self.first?;
        let records = if self.count == 1 { "record" } else { "records" };
        Some(format!(
            "in {} {records} of it a key is repeated with different values, the first in line {line}: \"{}\"",
            self.count,
            key.escape_debug()
        ))
    }
}

/// Reads the lines that the records were made of, in the form that these have.
fn read_originals(text: &str, collector: &mut AlertCollector<'_>) {
    let mut lines: Vec<u32> = Vec::new();
    let mut whole = String::new();
    for record in records(text) {
        match record {
            Ok(record) => match original_line(&record.fields) {
                Some(line) => {
                    lines.push(record.line);
                    whole.extend(line.trim().chars().map(|c| if c == '\n' { ' ' } else { c }));
                    whole.push('\n');
                }
                None => collector.skip(record.line, record.text, NO_DESTINATION),
            },
            Err((line, text, why)) => collector.skip(line, text, &why),
        }
    }
    collector.read_originals(&whole, &lines);
}
