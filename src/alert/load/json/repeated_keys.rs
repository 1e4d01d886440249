//! Objects of JSON in which a key stands more than once.
//!
//! Readers of JSON keep the last of them and say nothing, so that of two destinations one is lost. Here what a key says
//! more than once is kept as an array would have it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// An object.
#[derive(Debug, Default)]
pub(crate) struct ParsedObject {
    pub fields: Map<String, Value>,
    /// The first key that says several things.
    pub repeated: Option<String>,
}

/// Reads an object.
///
/// # Errors
/// Where it is none, why.
pub(crate) fn read(text: &str) -> Result<ParsedObject, serde_json::Error> {
    let fields = serde_json::from_str::<Map<String, Value>>(text)?;
    // Each key of a text has one colon.
    if colons(text) == keys(&fields) {
        return Ok(ParsedObject { fields, repeated: None });
    }
    let mut repeated = None;
    let fields = object(text, &mut repeated)?;
    Ok(ParsedObject { fields, repeated })
}

/// How many colons stand outside of texts.
fn colons(text: &str) -> usize {
    let (mut is_quoted, mut is_escaped, mut count) = (false, false, 0);
    for octet in text.bytes() {
        match octet {
            b'"' if !is_escaped => is_quoted = !is_quoted,
            b':' if !is_quoted => count += 1,
            _ => {}
        }
        is_escaped = is_quoted && octet == b'\\' && !is_escaped;
    }
    count
}

fn keys(fields: &Map<String, Value>) -> usize {
    fields.len() + fields.values().map(keys_within).sum::<usize>()
}

fn keys_within(value: &Value) -> usize {
    match value {
        Value::Object(fields) => keys(fields),
        Value::Array(items) => items.iter().map(keys_within).sum(),
        _ => 0,
    }
}

/// The fields of an object in their order, each as it is written.
struct RawMembers<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = RawMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMembers<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(RawMembers(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// An object that was read before: so it is no deeper than that allows.
fn object(
    text: &str,
    repeated: &mut Option<String>,
) -> Result<Map<String, Value>, serde_json::Error> {
    let RawMembers(pairs) = serde_json::from_str(text)?;
    let mut fields = Map::new();
    for (key, raw) in pairs {
        let value = value(raw.get(), repeated)?;
        match fields.get_mut(&key) {
            None => {
                fields.insert(key, value);
            }
            Some(known) if *known == value => {}
            Some(known) => {
                repeated.get_or_insert(key);
                match known {
                    Value::Array(items) => items.push(value),
                    only => *only = Value::Array(vec![only.take(), value]),
                }
            }
        }
    }
    Ok(fields)
}

fn value(text: &str, repeated: &mut Option<String>) -> Result<Value, serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'{') => object(text, repeated).map(Value::Object),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            let items = items.into_iter().map(|item| value(item.get(), repeated));
            items.collect::<Result<_, _>>().map(Value::Array)
        }
        _ => serde_json::from_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_says_more_than_once_is_kept_and_meaning_of() {
        for (text, read_as, key) in [
            (r#"{"a":1,"b":":"}"#, r#"{"a":1,"b":":"}"#, None),
            (r#"{"a":1,"a":2}"#, r#"{"a":[1,2]}"#, Some("a")),
            (r#"{"a":"x","a":"x"}"#, r#"{"a":"x"}"#, None),
            (
                r#"{"q":{"d":"a\"}:","d":"b"},"t":1.50}"#,
                r#"{"q":{"d":["a\"}:","b"]},"t":1.50}"#,
                Some("d"),
            ),
            (r#"{"l":[{"d":1,"d":2,"d":3}]}"#, r#"{"l":[{"d":[1,2,3]}]}"#, Some("d")),
        ] {
            let object = read(text).unwrap();
            assert_eq!(object.repeated.as_deref(), key, "{text}");
            assert_eq!(Value::Object(object.fields).to_string(), read_as, "{text}");
        }
        for text in ["", "{", "[1]", "{\"a\":1,}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
