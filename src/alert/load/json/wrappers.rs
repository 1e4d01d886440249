//! What others put around an event in JSON: a search engine its hit, a collector its time, a product the word `alert`.
//!
//! Some wraps are known by what stands beside them. Of all others a record is known to be one by what it holds: it names no
//! destination itself, and one object within it does, with who asked or when.

use csv::StringRecord;
use foldhash::HashMap;
use serde_json::{Map, Value};

use crate::alert::load::columns::Columns;
use crate::alert::load::columns::heading::{AlertField, Heading};
use crate::alert::load::json::flat::{FlatFields, comma_separated, original_line};
use crate::alert::load::json::{DEPTH_MAX, FIELDS_MAX};
use crate::alert::load::row::value::is_destination;

/// What records are like that were looked at before: most of a file are alike.
#[derive(Default)]
pub(crate) struct WrapperDetector {
    /// What the last object's fields are called, and what that comes to.
    headings: Vec<String>,
    columns: Columns,
    /// What each heading tells of.
    words: HashMap<String, HeadingMeaning>,
}

/// What a heading tells of.
#[derive(Clone, Copy)]
struct HeadingMeaning {
    is_destination: bool,
    /// Whose name it is, nobody says.
    is_either: bool,
    beside: Option<AlertField>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    /// It tells of a destination and of more, or keeps an event's line, or is one of Suricata.
    Event,
    /// The same, and objects in its arrays could be events by themselves: what it tells of what went before, or after.
    EventWithContext,
    /// The same, and objects in an array of alerts are events by themselves.
    EventWithAlerts,
    /// It may hold events.
    Other,
}

/// What an object says itself, and not what is in its arrays.
#[derive(Clone, Copy, Default)]
struct ObjectContents {
    name: bool,
    link: bool,
    host: bool,
    time: bool,
    threat: bool,
}

impl ObjectContents {
    /// An alert needs no more.
    fn is_all(self) -> bool {
        self.name && self.host && self.time
    }
}

/// What an array of alerts, or of what a search found, is called where an alert's own is not: that tells by its `records` and
/// `logs` what went before.
const OF_ALERTS: &[&str] = &[
    "alerts",
    "alarms",
    "messages",
    "results",
    "hits",
    "detections",
    "incidents",
    "threats",
    "offenses",
];
/// What such an array stands in.
const AROUND_ALERTS: &[&str] = &["response", "result", "data", "body", "payload", "content"];

impl WrapperDetector {
    /// What an object is. One that holds whole events, and is none itself, is what a search was for, or when a report was
    /// written: it has a name and a time, too.
    pub(crate) fn kind(&mut self, fields: &Map<String, Value>) -> ObjectKind {
        let inner = self.innermost(fields);
        if inner.contains_key("event_type") || original_line(inner).is_some() {
            return ObjectKind::Event;
        }
        if !self.has_destination(&FlatFields::of(inner)) {
            return ObjectKind::Other;
        }
        let (mut are_of_lists, mut are_alerts, mut are_whole) = (false, false, false);
        for (key, item) in listed(inner) {
            are_of_lists |= self.tells(item);
            let is_whole = self.contents_of(item).is_all();
            are_whole |= is_whole;
            are_alerts |= is_whole && key == ArrayKind::OfAlerts;
        }
        let is_itself = !are_of_lists || self.has_destination(&FlatFields::without_lists(inner));
        let says = self.contents_of(inner);
        match (is_itself, are_alerts, are_whole) {
            (true, false, false) => ObjectKind::Event,
            (true, false, true) => ObjectKind::EventWithContext,
            // A search has no threat.
            (true, true, _) if says.threat => ObjectKind::EventWithContext,
            (true, true, _) if (says.name || says.link) && (says.time || says.host) => {
                ObjectKind::EventWithAlerts
            }
            _ => ObjectKind::Other,
        }
    }

    fn has_destination(&mut self, flat: &FlatFields) -> bool {
        if !flat.0.iter().map(|(heading, _)| heading).eq(&self.headings) {
            self.headings = flat.0.iter().map(|(heading, _)| heading.clone()).collect();
            self.columns = Columns::by_words(&self.headings.iter().collect());
        }
        let record: StringRecord =
            flat.0.iter().map(|(_, values)| comma_separated(values)).collect();
        let row = self.columns.row(&record);
        let has_destination = [row.name, row.address].into_iter().flatten().any(is_destination);
        self.columns.name_more_than_destination() && has_destination
    }

    /// What others have put around a record, taken off. What stands beside it counts where it says nothing of that itself.
    pub(crate) fn unwrapped(&mut self, mut fields: Map<String, Value>) -> Map<String, Value> {
        for _ in 0..DEPTH_MAX {
            if let Some(key) = wrap_of(&fields) {
                let Some(Value::Object(mut inner)) = fields.remove(key) else { return fields };
                // Splunk's collector has the time beside the event.
                if let Some(time) = fields.remove("time") {
                    inner.entry("time").or_insert(time);
                }
                fields = inner;
                continue;
            }
            let Some(key) = self.event_within(&fields).map(str::to_owned) else { return fields };
            let Some(Value::Object(inner)) = fields.remove(&key) else { return fields };
            fields = self.with_beside(inner, fields);
        }
        fields
    }

    fn innermost<'f>(&mut self, mut fields: &'f Map<String, Value>) -> &'f Map<String, Value> {
        for _ in 0..DEPTH_MAX {
            let key = wrap_of(fields).or_else(|| self.event_within(fields));
            match key.and_then(|key| fields.get(key)) {
                Some(Value::Object(inner)) => fields = inner,
                _ => return fields,
            }
        }
        fields
    }

    /// Under which key an event is, where the object is none itself.
    fn event_within<'f>(&mut self, fields: &'f Map<String, Value>) -> Option<&'f str> {
        if !fields.values().any(Value::is_object) || self.tells(fields) {
            return None;
        }
        let mut found = fields.iter().filter_map(|(key, value)| {
            value.as_object().filter(|inner| self.holds_event(inner, 0)).map(|_| key.as_str())
        });
        let only = found.next()?;
        let is_only = found.next().is_none();
        // A list beside it has the events.
        let mut beside = Vec::new();
        for (key, value) in fields.iter().filter(|(key, _)| *key != only) {
            list(ArrayKind::Open.within(key), value, &mut beside);
        }
        let has_list = beside.into_iter().any(|(_, item)| self.tells(item));
        (is_only && !has_list).then_some(only)
    }

    fn holds_event(&mut self, fields: &Map<String, Value>, depth: usize) -> bool {
        let mut inner = fields.values().filter_map(Value::as_object);
        self.tells(fields)
            || depth < DEPTH_MAX && inner.any(|inner| self.holds_event(inner, depth + 1))
    }

    /// Whether an object names a destination, and who asked, or else when. A link to read more has a time, too.
    fn tells(&mut self, fields: &Map<String, Value>) -> bool {
        let ObjectContents { name, link, host, time, .. } = self.contents_of(fields);
        (name || link) && host || name && time
    }

    fn contents_of(&mut self, fields: &Map<String, Value>) -> ObjectContents {
        let mut says = ObjectContents::default();
        for (heading, values) in &FlatFields::without_lists(fields).0 {
            let told = self.meaning_of(heading);
            if told.is_destination {
                let named = || values.iter().filter(|value| is_destination(value));
                says.name |= named().any(|value| !value.contains("://"));
                says.link |= named().next().is_some();
            }
            says.host |= told.beside == Some(AlertField::Host);
            says.threat |= told.beside == Some(AlertField::Threat);
            // How long a search took is no time.
            let is_time = || values.iter().any(|value| value.len() > 7);
            says.time |= told.beside == Some(AlertField::Time) && is_time();
        }
        says
    }

    fn meaning_of(&mut self, heading: &str) -> HeadingMeaning {
        if let Some(told) = self.words.get(heading) {
            return *told;
        }
        let read = Heading::of(heading);
        let told = HeadingMeaning {
            is_destination: read.is_of_destination(),
            is_either: read.is_of_either(),
            beside: read.alert_field(),
        };
        if self.words.len() < FIELDS_MAX {
            self.words.insert(heading.to_owned(), told);
        }
        told
    }

    /// An event with what stands around it, but for what it says itself, and for destinations: those may be links.
    fn with_beside(
        &mut self,
        mut event: Map<String, Value>,
        around: Map<String, Value>,
    ) -> Map<String, Value> {
        let own: Vec<AlertField> = FlatFields::of(&event)
            .0
            .iter()
            .filter_map(|(heading, _)| self.meaning_of(heading).beside)
            .collect();
        for (key, value) in around {
            let single: Map<String, Value> = [(key.clone(), value.clone())].into_iter().collect();
            let is_said = FlatFields::of(&single).0.iter().any(|(heading, _)| {
                let told = self.meaning_of(heading);
                let is_own = told.beside.is_some_and(|beside| own.contains(&beside));
                told.is_destination || told.is_either || is_own
            });
            if !is_said {
                event.entry(key).or_insert(value);
            }
        }
        event
    }
}

/// Of Elastic's hits, Splunk's results and Splunk's collector, where the event is.
fn wrap_of(fields: &Map<String, Value>) -> Option<&'static str> {
    // Others call a part of an event so.
    const WHOLE: [(&str, &[&str]); 3] =
        [("_source", &[]), ("result", &["preview", "sid"]), ("event", &["sourcetype"])];
    let is_packed = |(key, beside): &&(&str, &[&str])| {
        let is_said = beside.is_empty() || beside.iter().any(|key| fields.contains_key(*key));
        is_said && fields.get(*key).is_some_and(Value::is_object)
    };
    WHOLE.iter().find(is_packed).map(|(key, _)| *key)
}

/// What an array is called, with what it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ArrayKind {
    /// As one of alerts is.
    OfAlerts,
    /// It stands where one of alerts may.
    Open,
    Other,
}

impl ArrayKind {
    /// That of something in an object.
    fn within(self, key: &str) -> ArrayKind {
        let is_of = |words: &[&str]| words.iter().any(|word| key.eq_ignore_ascii_case(word));
        match self {
            ArrayKind::Other => ArrayKind::Other,
            ArrayKind::OfAlerts | ArrayKind::Open if is_of(OF_ALERTS) => ArrayKind::OfAlerts,
            ArrayKind::OfAlerts | ArrayKind::Open if is_of(AROUND_ALERTS) => ArrayKind::Open,
            ArrayKind::OfAlerts | ArrayKind::Open => ArrayKind::Other,
        }
    }
}

/// The objects that stand in arrays, at whatever depth, each with what its array is called.
fn listed(fields: &Map<String, Value>) -> Vec<(ArrayKind, &Map<String, Value>)> {
    let mut found = Vec::new();
    for (key, value) in fields {
        list(ArrayKind::Open.within(key), value, &mut found);
    }
    found
}

fn list<'v>(
    key: ArrayKind,
    value: &'v Value,
    found: &mut Vec<(ArrayKind, &'v Map<String, Value>)>,
) {
    let mut open: Vec<(ArrayKind, &Value, usize, bool)> = vec![(key, value, 0, false)];
    while let Some((of, value, depth, is_item)) = open.pop() {
        match value {
            Value::Object(inner) if is_item => found.push((of, inner)),
            Value::Object(inner) if depth < DEPTH_MAX => {
                let inner = inner.iter();
                open.extend(inner.map(|(key, value)| (of.within(key), value, depth + 1, false)));
            }
            Value::Array(items) if depth < DEPTH_MAX => {
                open.extend(items.iter().map(|value| (of, value, depth + 1, true)));
            }
            _ => {}
        }
    }
}
