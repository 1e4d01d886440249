//! The fields of a record as a flat list: the path of each field, and its values.

use serde_json::{Map, Value};

use crate::alert::load::json::{DEPTH_MAX, FIELDS_MAX};
use crate::alert::load::row::value::present_value;

/// What is packed into a text is no longer.
const PACKED_LEN_MAX: usize = 64 << 10;
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

/// The line that a record was made of.
pub(crate) fn original_line(fields: &Map<String, Value>) -> Option<&str> {
    let at = |path: &&str| {
        let mut parts = path.split('.');
        let first = fields.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))?.as_str()
    };
    // A word is no line.
    ORIGINALS.iter().filter_map(at).find(|text| text.len() > 40)
}

/// The fields of a record: what each is called, and what it says, each thing once.
pub(crate) struct FlatFields(pub Vec<(String, Vec<String>)>);

impl FlatFields {
    pub(crate) fn of(fields: &Map<String, Value>) -> FlatFields {
        FlatFields::with(fields, true)
    }

    /// But for the objects in arrays.
    pub(crate) fn without_lists(fields: &Map<String, Value>) -> FlatFields {
        FlatFields::with(fields, false)
    }

    fn with(fields: &Map<String, Value>, has_lists: bool) -> FlatFields {
        let mut flat = FlatFields(Vec::new());
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
        let (Some(value), Some((heading, is_inner))) = (present_value(value), heading(path)) else {
            return;
        };
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

pub(crate) fn comma_separated(values: &[String]) -> String {
    match values {
        [only] => only.clone(),
        several => several.join(", "),
    }
}
