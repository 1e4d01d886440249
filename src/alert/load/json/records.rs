//! The records of a JSON text, in their order: which of its objects are events, and which only hold events.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use crate::alert::load::json::objects::{Objects, Piece};
use crate::alert::load::json::wrappers::{ObjectKind, WrapperDetector};
use crate::alert::load::json::{DEPTH_MAX, NO_DESTINATION, entities, repeated_keys};

/// What has more text is no record, but may hold some.
const RECORD_LEN_MAX: usize = 4 << 20;
const NO_OBJECT: &str = "it is not a JSON object";

/// A record: its place, its text, and its fields.
pub(crate) struct JsonRecord<'t> {
    pub line: u32,
    pub text: &'t str,
    pub fields: Map<String, Value>,
    /// A key that stands in it more than once, and says different things.
    pub repeated: Option<String>,
    /// Whether it holds others, which are records of their own, or are not read.
    pub nested: Option<NestedRecords>,
}

/// What others a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NestedRecords {
    /// Alerts: each is read.
    Alerts,
    /// What went before it, or after: it is not.
    Context,
}

/// What was found of records: one, or the line, the text and what is wrong with it.
pub(crate) type RecordResult<'t> = Result<JsonRecord<'t>, (u32, &'t str, String)>;

/// The objects at one depth.
struct NestingLevel<'t> {
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

impl<'t> NestingLevel<'t> {
    fn of(text: &'t str, line: u32, wrapper: Option<Wrapper<'t>>) -> NestingLevel<'t> {
        let (objects, has_event) = (Objects::of(text, line), wrapper.is_none());
        NestingLevel {
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
pub(crate) struct JsonRecords<'t> {
    levels: Vec<NestingLevel<'t>>,
    wrappers: WrapperDetector,
    /// Records that are to come next.
    ready: VecDeque<(u32, &'t str, Option<NestedRecords>)>,
}

impl<'t> JsonRecords<'t> {
    pub(crate) fn of(text: &'t str) -> JsonRecords<'t> {
        let levels = vec![NestingLevel::of(text, 1, None)];
        JsonRecords { levels, wrappers: WrapperDetector::default(), ready: VecDeque::new() }
    }

    /// What is found of an object: nothing if it is put aside, or looked into.
    fn object(&mut self, line: u32, text: &'t str, is_first: bool) -> Option<RecordResult<'t>> {
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
        let kind = fields.as_ref().map_or(ObjectKind::Other, |fields| self.wrappers.kind(fields));
        let may_hold = || fields.as_ref().is_none_or(|fields| holds_objects(fields, 0));
        let is_event = kind != ObjectKind::Other;
        let is_wrapper = kind == ObjectKind::EventWithAlerts || !is_event && may_hold();
        if !is_wrapper && !is_event && !level.has_event {
            level.held.push((line, text));
            return None;
        }
        let is_missed = !is_event && (level.wrapper.is_none() || !is_first);
        if is_event || !is_wrapper {
            (level.has_event, level.has_any) = (true, true);
            self.ready.extend(level.held.drain(..).map(|(line, text)| (line, text, None)));
            let nested = match kind {
                ObjectKind::EventWithAlerts => Some(NestedRecords::Alerts),
                ObjectKind::EventWithContext => Some(NestedRecords::Context),
                ObjectKind::Event | ObjectKind::Other => None,
            };
            self.ready.push_back((line, text, nested));
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
        self.levels.push(NestingLevel::of(inside, line, Some(wrapper)));
        None
    }

    /// Goes on where one depth is at its end.
    fn leave(&mut self) -> Option<RecordResult<'t>> {
        let NestingLevel { wrapper, has_any, .. } = self.levels.pop()?;
        if let Some(above) = self.levels.last_mut() {
            above.has_any |= has_any;
        }
        let missed = wrapper.filter(|wrapper| wrapper.is_missed && !has_any)?;
        Some(Err((missed.line, missed.text, NO_DESTINATION.to_owned())))
    }
}

impl<'t> Iterator for JsonRecords<'t> {
    type Item = RecordResult<'t>;

    fn next(&mut self) -> Option<RecordResult<'t>> {
        loop {
            if let Some((line, text, nested)) = self.ready.pop_front() {
                let repeated_keys::ParsedObject { mut fields, repeated } =
                    read_object(text).ok().flatten().unwrap_or_default();
                if nested.is_some() {
                    leave_objects_out(&mut fields, 0);
                }
                let fields = self.wrappers.unwrapped(fields);
                return Some(Ok(JsonRecord { line, text, fields, repeated, nested }));
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
fn read_object(text: &str) -> Result<Option<repeated_keys::ParsedObject>, String> {
    if text.len() > RECORD_LEN_MAX {
        return Ok(None);
    }
    let read = repeated_keys::read(text).map(|mut object| {
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
