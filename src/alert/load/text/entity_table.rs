//! A table of Microsoft's alerts, as the portals of Sentinel and Defender export it, made objects of: what an alert is about stands
//! in its column `Entities` as JSON.
//!
//! ```text
//! "TimeGenerated [UTC]",AlertName,CompromisedEntity,Entities
//! "3/2/2026, 9:17:42.123 AM","Suspicious DNS query",DC01,"[{""DomainName"":""mi.kenal-cn.com"",""Type"":""dns""}]"
//! ```

use serde_json::{Map, Value};

use crate::alert::load::csv::header::fields;
use crate::alert::load::row::value::normalized_key;
use crate::alert::load::text::numbered_lines;
use crate::alert::load::text::numbered_text::NumberedText;
use crate::rows as csv_rows;

/// So many columns it has at least.
const COLUMNS_MIN: usize = 3;
/// What the column is called.
const ENTITIES: &str = "entities";

/// The objects, a line each; none of what is no such table.
pub(crate) fn objects(text: &str) -> Option<NumberedText> {
    let (header_line, header) = numbered_lines(text).next()?;
    let is_table = |delimiter: &u8| {
        let header = fields(header, *delimiter);
        header.is_some_and(|header| {
            header.len() >= COLUMNS_MIN
                && header.iter().any(|cell| normalized_key(cell) == ENTITIES)
        })
    };
    let delimiter = [b',', b';', b'\t'].into_iter().find(is_table)?;
    let header = fields(header, delimiter)?;
    let place = header.iter().position(|cell| normalized_key(cell) == ENTITIES)?;
    let (mut made, mut has_entities) = (NumberedText::default(), false);
    for row in csv_rows::Rows::new(text, delimiter, Some(header.len())) {
        if row.line <= header_line {
            continue;
        }
        let Some(cells) = row.fields.ok().filter(|cells| cells.len() == header.len()) else {
            // It is complained about where it stands.
            made.push(&row.text.replace('\n', " "), row.line);
            continue;
        };
        has_entities |= cells.get(place).is_some_and(|cell| cell.trim_start().starts_with('['));
        let object: Map<String, Value> = header
            .iter()
            .zip(&cells)
            .enumerate()
            .map(|(at, (heading, cell))| {
                let key = if at == place { "Entities" } else { heading };
                (key.to_owned(), Value::String(cell.to_owned()))
            })
            .collect();
        made.push(&Value::Object(object).to_string(), row.line);
    }
    has_entities.then_some(made)
}
