//! Exports of MISP: events with their attributes and objects, or attributes alone.
//! <https://www.misp-standard.org/rfc/misp-standard-core.html>
//!
//! An attribute counts when it is meant for detection (`to_ids`), and not deleted.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Places;
use super::loader::{Loader, Stop};
use crate::indicator::building::Remark;

/// How deep what holds attributes is nested: response, event, object.
const DEPTH_MAX: u32 = 8;

/// What can hold attributes, at any level of an export.
#[derive(Deserialize)]
struct Holder<'a> {
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow, rename = "Event")]
    event: Option<&'a RawValue>,
    #[serde(borrow, rename = "Attribute")]
    attributes: Option<&'a RawValue>,
    #[serde(borrow, rename = "Object")]
    objects: Option<&'a RawValue>,
    info: Option<serde_json::Value>,
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type")]
    kind: String,
    value: String,
    /// Left out by exports that hold nothing else.
    #[serde(default)]
    to_ids: Option<Flag>,
    #[serde(default)]
    deleted: Option<Flag>,
    #[serde(default)]
    comment: Option<String>,
}

/// MISP writes truth as `true`, `1` or `"1"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(i64),
    Text(String),
    Nothing(()),
}

impl Flag {
    fn holds(&self) -> bool {
        match self {
            Flag::Bool(flag) => *flag,
            Flag::Number(number) => *number != 0,
            Flag::Text(text) => !matches!(text.as_str(), "" | "0" | "false"),
            Flag::Nothing(()) => false,
        }
    }
}

/// Reads an export.
pub(super) fn document(
    loader: &mut Loader,
    places: &mut Places<'_>,
    document: &RawValue,
) -> Result<(), Stop> {
    holder(loader, places, document, "", DEPTH_MAX)
}

fn holder(
    loader: &mut Loader,
    places: &mut Places<'_>,
    piece: &RawValue,
    info: &str,
    depth: u32,
) -> Result<(), Stop> {
    loader.line = places.line_of(piece);
    if depth == 0 {
        loader.skip(piece.get(), "it is nested too deeply");
        return Ok(());
    }
    if piece.get().starts_with('[') {
        for piece in elements(loader, piece) {
            holder(loader, places, piece, info, depth - 1)?;
        }
        return Ok(());
    }
    let holder_of = match serde_json::from_str::<Holder<'_>>(piece.get()) {
        Ok(holder) => holder,
        Err(error) => {
            loader
                .skip(piece.get(), &format!("it is not part of a MISP export: {}", reason(&error)));
            return Ok(());
        }
    };
    let own = holder_of.info.as_ref().and_then(serde_json::Value::as_str).unwrap_or(info);
    if holder_of.kind.is_some() && holder_of.attributes.is_none() && holder_of.event.is_none() {
        return attribute(loader, piece, own);
    }
    let mut inner: Vec<&RawValue> =
        [holder_of.response, holder_of.event, holder_of.objects].into_iter().flatten().collect();
    inner.extend(holder_of.attributes);
    // In the order of the text, in which lines are counted.
    inner.sort_by_key(|piece| piece.get().as_ptr() as usize);
    for piece in inner.into_iter().filter(|piece| piece.get() != "null") {
        holder(loader, places, piece, own, depth - 1)?;
    }
    Ok(())
}

fn elements<'a>(loader: &mut Loader, piece: &'a RawValue) -> Vec<&'a RawValue> {
    serde_json::from_str(piece.get()).unwrap_or_else(|error| {
        loader.skip(piece.get(), &format!("it is not a list: {}", reason(&error)));
        Vec::new()
    })
}

fn attribute(loader: &mut Loader, piece: &RawValue, info: &str) -> Result<(), Stop> {
    let attribute: Attribute = match serde_json::from_str(piece.get()) {
        Ok(attribute) => attribute,
        Err(error) => {
            loader.skip(piece.get(), &format!("it is not an attribute: {}", reason(&error)));
            return Ok(());
        }
    };
    let Attribute { kind, value, to_ids, deleted, comment } = attribute;
    if deleted.is_some_and(|flag| flag.holds()) {
        loader.skip(&value, "it is deleted");
        return Ok(());
    }
    let parts: Vec<&str> = match kind.as_str() {
        "domain" | "hostname" | "url" | "uri" | "ip-dst" | "ip-src" => vec![&value],
        "domain|ip" => value.splitn(2, '|').collect(),
        "ip-dst|port" | "ip-src|port" | "hostname|port" => value.split('|').take(1).collect(),
        other => {
            let shown: String = other.chars().take(32).collect();
            loader.skip(&value, &format!("its type, {shown}, is not a name or address"));
            return Ok(());
        }
    };
    if to_ids.is_some_and(|flag| !flag.holds()) {
        loader.skip(&value, "it is not meant for detection (to_ids is false)");
        return Ok(());
    }
    let description = comment.filter(|comment| !comment.trim().is_empty());
    let description = description.as_deref().unwrap_or(info);
    for part in parts {
        loader.value(part, Remark { description, confidence: None })?;
    }
    Ok(())
}

/// What is wrong, without the place, which would be one within the piece.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.find(" at line ").unwrap_or(text.len());
    text.chars().take(end.min(120)).collect()
}
