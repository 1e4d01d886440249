//! JSON however it is exported: an object a line, an array, what a search engine answers with the events deep within it,
//! or one of these behind what syslog puts before it.
//!
//! ```text
//! [{"time":"2026-03-02T09:17:42Z","src_ip":"192.168.2.194","query":"mi.kenal-cn.com"}, ...]
//! {"preview":false,"result":{"_time":"2026-03-02 09:17:42","src":"192.168.2.194","query":"mi.kenal-cn.com"}}
//! {"hits":{"hits":[{"_source":{"@timestamp":"...","source":{"ip":"..."},"dns":{"question":{"name":"..."}}}}]}}
//! ```
//!
//! An object's fields are read as the columns of a table whose header they are, nested ones by their whole path
//! (`dns.question.name`): so what each thing is called stands in one place for all forms. Where no field tells of a
//! destination, and records keep the line that they were made of (`_raw`), that line is read.

use std::collections::VecDeque;

use csv::StringRecord;
use foldhash::HashMap;
use serde_json::{Map, Value};

use super::csv_columns::Columns;
use super::csv_guess;
use super::csv_words::Heading;
use super::json_wraps::{Nature, Shape};
use super::objects::{Objects, Piece};
use super::row::{Row, is_address, is_destination, is_outside, said};
use super::{Notice, Rows, entities, json_keys, json_rows};

/// What has more text is no record, but may hold some.
const RECORD_LEN_MAX: usize = 4 << 20;
/// What is packed into a text is no longer.
const PACKED_LEN_MAX: usize = 64 << 10;
/// So deep what is packed into something else is looked for, and so deep fields lie within a record.
pub(super) const DEPTH_MAX: usize = 8;
/// How many fields are told apart in all records, and how many one has.
pub(super) const FIELDS_MAX: usize = 512;
/// How many destinations are told of a record that names several.
const SHOWN_MAX: usize = 3;
/// So many rows show what a column holds.
const SAMPLE: usize = 200;
/// What others put around an event, which is no part of what its fields are called.
const WRAPS: &[&str] = &[
    "_source",
    "result",
    "fields",
    "data",
    "properties",
    "record",
    "payload",
    "body",
    "message",
    "additionalfields",
    "suricata",
    "eve",
    "zeek",
    "_raw",
    "raw",
];
/// Where a record keeps the line that it was made of.
const ORIGINALS: &[&str] = &[
    "_raw",
    "event.original",
    "original",
    "full_message",
    "message",
    "message.message",
    "msg",
    "raw",
    "log",
];
const NO_DESTINATION: &str = "no known field names a destination together with a host, a time or a threat; \
                              expected fields such as time, src_ip, query, dest_ip and threat";
const NO_OBJECT: &str = "it is not a JSON object";
/// What only lists of indicators have.
const OF_LISTS: &[&str] = &["to_ids", "pattern_type", "spec_version"];

/// A record: its place, its text, and its fields.
pub(super) struct Record<'t> {
    pub line: u32,
    pub text: &'t str,
    pub fields: Map<String, Value>,
    /// A key that stands in it more than once, and says different things.
    pub repeated: Option<String>,
    /// Whether it holds others, which are records of their own, or are not read.
    pub holds: Option<Others>,
}

/// What others a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// Alerts: each is read.
    Alerts,
    /// What went before it, or after: it is not.
    Context,
}

/// Whether a text is of JSON, and of nothing else.
pub(super) fn is_text(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let within = start.strip_prefix('[').map(str::trim_start);
    let within = within.unwrap_or(start);
    within.starts_with('{') || within.starts_with('[') && json_rows::is_table(text)
}

/// Whether a line has an object behind what syslog puts before it.
pub(super) fn is_line(line: &str) -> bool {
    line.contains("{\"") && line.trim_end().ends_with('}')
}

/// Whether its records are events of Suricata.
pub(super) fn is_of_suricata(text: &str) -> bool {
    let records = Records::of(text).take(SAMPLE).flatten();
    records.into_iter().any(|record| record.fields.contains_key("event_type"))
}

/// What was found of records: one, or the line, the text and what is wrong with it.
pub(super) type Found<'t> = Result<Record<'t>, (u32, &'t str, String)>;

/// The objects at one depth.
struct Level<'t> {
    objects: Objects<'t>,
    /// What holds them; nothing at the top.
    wrapper: Option<Wrapper<'t>>,
    /// Of those that stand together: whether one is an event, and those before it. What stands beside the events, as what
    /// the fields are called and how many there are, is none.
    has_event: bool,
    held: Vec<(u32, &'t str)>,
    /// What stands beside the objects of an array and is none, while it is not known whether they are events.
    items: VecDeque<(u32, &'t str)>,
    /// Whether there was any.
    has_any: bool,
}

/// An object that only holds others.
struct Wrapper<'t> {
    line: u32,
    text: &'t str,
    /// Whether it stands for itself, so that it is missed where no event is in it.
    is_missed: bool,
}

impl<'t> Level<'t> {
    fn of(text: &'t str, line: u32, wrapper: Option<Wrapper<'t>>) -> Level<'t> {
        let (objects, has_event) = (Objects::of(text, line), wrapper.is_none());
        Level {
            objects,
            wrapper,
            has_event,
            held: Vec::new(),
            items: VecDeque::new(),
            has_any: false,
        }
    }
}

/// The records of a text, in their order.
pub(super) struct Records<'t> {
    levels: Vec<Level<'t>>,
    shape: Shape,
    /// Records that are to come next.
    ready: VecDeque<(u32, &'t str, Option<Others>)>,
}

impl<'t> Records<'t> {
    pub(super) fn of(text: &'t str) -> Records<'t> {
        let levels = vec![Level::of(text, 1, None)];
        Records { levels, shape: Shape::default(), ready: VecDeque::new() }
    }

    /// What is found of an object: nothing if it is put aside, or looked into.
    fn object(&mut self, line: u32, text: &'t str, is_first: bool) -> Option<Found<'t>> {
        let depth = self.levels.len();
        let level = self.levels.last_mut()?;
        if is_first && level.wrapper.is_some() {
            (level.has_event, level.held) = (false, Vec::new());
        }
        let fields = match read_object(text) {
            Ok(fields) => fields,
            Err(why) => return Some(Err((line, text, why))),
        };
        let fields = fields.map(|object| object.fields);
        let nature = fields.as_ref().map_or(Nature::Other, |fields| self.shape.nature(fields));
        let may_hold = || fields.as_ref().is_none_or(|fields| holds_objects(fields, 0));
        let is_event = nature != Nature::Other;
        let is_wrapper = nature == Nature::EventAround || !is_event && may_hold();
        if !is_wrapper && !is_event && !level.has_event {
            level.held.push((line, text));
            return None;
        }
        let is_missed = !is_event && (level.wrapper.is_none() || !is_first);
        if is_event || !is_wrapper {
            (level.has_event, level.has_any) = (true, true);
            self.ready.extend(level.held.drain(..).map(|(line, text)| (line, text, None)));
            let holds = match nature {
                Nature::EventAround => Some(Others::Alerts),
                Nature::EventWith => Some(Others::Context),
                Nature::Event | Nature::Other => None,
            };
            self.ready.push_back((line, text, holds));
        }
        if !is_wrapper {
            return None;
        }
        if depth > DEPTH_MAX {
            let why = format!("it is nested more than {DEPTH_MAX} objects deep");
            return Some(Err((line, text, why)));
        }
        let inside = text.get(1..text.len() - 1).unwrap_or_default();
        let wrapper = Wrapper { line, text, is_missed };
        self.levels.push(Level::of(inside, line, Some(wrapper)));
        None
    }

    /// Goes on where one depth is at its end.
    fn leave(&mut self) -> Option<Found<'t>> {
        let Level { wrapper, has_any, .. } = self.levels.pop()?;
        if let Some(above) = self.levels.last_mut() {
            above.has_any |= has_any;
        }
        let missed = wrapper.filter(|wrapper| wrapper.is_missed && !has_any)?;
        Some(Err((missed.line, missed.text, NO_DESTINATION.to_owned())))
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Found<'t>;

    fn next(&mut self) -> Option<Found<'t>> {
        loop {
            if let Some((line, text, holds)) = self.ready.pop_front() {
                let json_keys::Object { mut fields, repeated } =
                    read_object(text).ok().flatten().unwrap_or_default();
                if holds.is_some() {
                    leave_objects_out(&mut fields, 0);
                }
                let fields = self.shape.unwrapped(fields);
                return Some(Ok(Record { line, text, fields, repeated, holds }));
            }
            let level = self.levels.last_mut()?;
            if level.has_event
                && let Some((line, text)) = level.items.pop_front()
            {
                return Some(Err((line, text, NO_OBJECT.to_owned())));
            }
            let is_top = level.wrapper.is_none();
            let found = match level.objects.next() {
                None => self.leave(),
                Some(Piece::Object { line, text, is_first }) => self.object(line, text, is_first),
                Some(Piece::Other { line, text }) if is_top => {
                    Some(Err((line, text, NO_OBJECT.to_owned())))
                }
                Some(Piece::Item { line, text }) => {
                    level.items.push_back((line, text));
                    None
                }
                Some(Piece::Other { .. }) => None,
                Some(Piece::Cut { line, text, why }) => Some(Err((line, text, why.to_owned()))),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

/// The fields of an object; none of one that is too long for a record.
fn read_object(text: &str) -> Result<Option<json_keys::Object>, String> {
    if text.len() > RECORD_LEN_MAX {
        return Ok(None);
    }
    let read = json_keys::read(text).map(|mut object| {
        entities::tell(&mut object.fields);
        object
    });
    read.map(Some).map_err(|error| format!("it is not a JSON object ({error})"))
}

/// Whether an object has an array of objects, at whatever depth: if it is no event itself, these may be.
fn holds_objects(fields: &Map<String, Value>, depth: usize) -> bool {
    fields.values().any(|value| match value {
        Value::Array(items) => items.iter().any(Value::is_object),
        Value::Object(inner) => depth < DEPTH_MAX && holds_objects(inner, depth + 1),
        _ => false,
    })
}

/// Takes the objects out of all arrays.
fn leave_objects_out(fields: &mut Map<String, Value>, depth: usize) {
    for value in fields.values_mut() {
        match value {
            Value::Array(items) => items.retain(|item| !item.is_object()),
            Value::Object(inner) if depth < DEPTH_MAX => leave_objects_out(inner, depth + 1),
            _ => {}
        }
    }
}

/// The line that a record was made of.
pub(super) fn original(fields: &Map<String, Value>) -> Option<&str> {
    let at = |path: &&str| {
        let mut parts = path.split('.');
        let first = fields.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))?.as_str()
    };
    // A word is no line.
    ORIGINALS.iter().filter_map(at).find(|text| text.len() > 40)
}

/// The fields of a record: what each is called, and what it says, each thing once.
pub(super) struct Flat(pub Vec<(String, Vec<String>)>);

impl Flat {
    pub(super) fn of(fields: &Map<String, Value>) -> Flat {
        Flat::with(fields, true)
    }

    /// But for the objects in arrays.
    pub(super) fn without_lists(fields: &Map<String, Value>) -> Flat {
        Flat::with(fields, false)
    }

    fn with(fields: &Map<String, Value>, has_lists: bool) -> Flat {
        let mut flat = Flat(Vec::new());
        for (key, value) in fields {
            flat.add(key, value, 0, has_lists);
        }
        flat
    }

    fn add(&mut self, path: &str, value: &Value, depth: usize, has_lists: bool) {
        match value {
            Value::Object(inner) if depth < DEPTH_MAX => {
                for (key, value) in inner {
                    self.add(&format!("{path}.{key}"), value, depth + 1, has_lists);
                }
            }
            Value::Array(items) if depth < DEPTH_MAX => {
                let items = items.iter().take(FIELDS_MAX);
                for item in items.filter(|item| has_lists || !item.is_object()) {
                    self.add(path, item, depth + 1, has_lists);
                }
            }
            Value::String(text) => {
                // Some pack an object into a text.
                let is_object =
                    text.starts_with('{') && text.len() <= PACKED_LEN_MAX && depth < DEPTH_MAX;
                let packed =
                    if is_object { serde_json::from_str::<Value>(text).ok() } else { None };
                match packed {
                    Some(packed @ Value::Object(_)) => {
                        self.add(path, &packed, depth + 1, has_lists)
                    }
                    _ => self.say(path, text),
                }
            }
            Value::Number(number) => self.say(path, &number.to_string()),
            _ => {}
        }
    }

    fn say(&mut self, path: &str, value: &str) {
        let (Some(value), Some((heading, is_inner))) = (said(value), heading(path)) else { return };
        let has_room = self.0.len() < FIELDS_MAX;
        if let Some((_, values)) = self.0.iter_mut().find(|(known, _)| *known == heading) {
            if values.len() < FIELDS_MAX && !values.iter().any(|known| known == value) {
                // What an event says itself counts before what is said around it.
                let place = if is_inner { 0 } else { values.len() };
                values.insert(place, value.to_owned());
            }
        } else if has_room {
            self.0.push((heading, vec![value.to_owned()]));
        }
    }
}

/// What a field is called as a heading, and whether it lies in a wrap; none of one that tells of who wrote the record
/// down.
fn heading(path: &str) -> Option<(String, bool)> {
    let mut parts: Vec<&str> = path.split('.').collect();
    let all = parts.len();
    while let [first, _, ..] = parts.as_slice()
        && WRAPS.contains(&first.to_ascii_lowercase().as_str())
    {
        parts.remove(0);
    }
    match parts.as_slice() {
        // Of Elastic's agents: at best who the record is about, never what was talked to.
        ["host", "name" | "hostname"] => Some(("computer name".to_owned(), false)),
        ["host", _, ..] | ["agent", ..] => None,
        parts => Some((parts.join("."), parts.len() < all)),
    }
}

pub(super) fn joined(values: &[String]) -> String {
    match values {
        [only] => only.clone(),
        several => several.join(", "),
    }
}

/// The columns of all records.
#[derive(Default)]
struct Table {
    headings: Vec<String>,
    /// Where each heading stands: what is called alike stands in one column.
    places: HashMap<String, usize>,
    /// The columns by their keys, and which of them tell of a destination, or when.
    keys: HashMap<String, usize>,
    of_destinations: Vec<bool>,
    of_times: Vec<bool>,
}

impl Table {
    fn learn(&mut self, flat: &Flat) {
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
    fn row(&self, flat: &Flat) -> Result<StringRecord, String> {
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
    let told = || values.iter().copied().filter(|value| is_destination(value));
    let kinds: [fn(&str) -> bool; 3] =
        [|value| is_outside(value) && !is_address(value), |value| is_outside(value), |_| true];
    for is in kinds {
        let mut of_kind = told().filter(|value| is(value));
        match (of_kind.next(), of_kind.next()) {
            (Some(only), None) => return Ok(only.to_owned()),
            (Some(_), Some(_)) => {
                let few: Vec<&str> = told().filter(|value| is(value)).take(SHOWN_MAX).collect();
                return Err(few.join(", "));
            }
            (None, _) => {}
        }
    }
    Ok(values.join(", "))
}

/// The records of a text, be they objects or arrays.
fn records(text: &str) -> Box<dyn Iterator<Item = Found<'_>> + '_> {
    match json_rows::records(text) {
        Some(rows) => Box::new(rows),
        None => Box::new(Records::of(text)),
    }
}

/// Reads all records.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    let mut table = Table::default();
    let mut sample = Vec::new();
    let (mut is_list, mut is_any) = (false, false);
    for record in records(text).flatten() {
        is_any = true;
        is_list |= OF_LISTS.iter().any(|key| record.fields.contains_key(*key));
        let flat = Flat::of(&record.fields);
        table.learn(&flat);
        if sample.len() < SAMPLE {
            sample.push(flat);
        }
    }
    let first = text.trim_start().lines().next().unwrap_or_default();
    if !is_any {
        is_list = OF_LISTS.iter().any(|key| text.contains(&format!("\"{key}\"")));
    }
    if is_list {
        let why = "it is a list of indicators (MISP or STIX): give it to `read` or `live` with --indicators";
        return rows.skip(1, first, why);
    }
    let header: StringRecord = table.headings.iter().map(String::as_str).collect();
    let mut columns = Columns::by_words(&header);
    let sampled = sample.iter().filter_map(|flat| table.row(flat).ok());
    let said = csv_guess::complete(&mut columns, &header, sampled);
    if !columns.is_whole() {
        return read_originals(text, rows);
    }
    for words in said {
        rows.notices.push(Notice::file(&rows.file, &words));
    }
    let (mut repeated, mut around, mut with) = (Repeated::default(), None, None);
    for record in records(text) {
        match record {
            Ok(_) if rows.is_full() => rows.left_out += 1,
            Ok(record) if is_of_bulk(&record.fields) => rows.pass("what is done with a record"),
            Ok(record) => {
                repeated.see(&record);
                match record.holds {
                    None => {}
                    Some(Others::Alerts) => _ = around.get_or_insert(record.line),
                    Some(Others::Context) => _ = with.get_or_insert(record.line),
                }
                read_record(&record, (&table, &columns), rows);
            }
            Err((line, text, why)) => rows.skip(line, text, &why),
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
    rows.notices.extend(said.map(|words| Notice::file(&rows.file, &words)));
}

fn read_record(record: &Record<'_>, (table, columns): (&Table, &Columns), rows: &mut Rows<'_>) {
    match table.row(&Flat::of(&record.fields)) {
        Ok(cells) => {
            let time = columns.time(&cells, record.line, rows);
            rows.add(record.line, record.text, Row { time, ..columns.row(&cells) });
        }
        Err(several) => {
            let why = format!("it names several destinations ({several}); use one record for each");
            rows.skip(record.line, record.text, &why);
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
struct Repeated {
    count: u64,
    first: Option<(u32, String)>,
}

impl Repeated {
    fn see(&mut self, record: &Record<'_>) {
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
fn read_originals(text: &str, rows: &mut Rows<'_>) {
    let mut lines: Vec<u32> = Vec::new();
    let mut whole = String::new();
    for record in records(text) {
        match record {
            Ok(record) => match original(&record.fields) {
                Some(line) => {
                    lines.push(record.line);
                    whole.extend(line.trim().chars().map(|c| if c == '\n' { ' ' } else { c }));
                    whole.push('\n');
                }
                None => rows.skip(record.line, record.text, NO_DESTINATION),
            },
            Err((line, text, why)) => rows.skip(line, text, &why),
        }
    }
    rows.read_originals(&whole, &lines);
}
