//! Files of Zeek's intelligence framework: a `#fields` line names the columns, which tabs divide.
//! <https://docs.zeek.org/en/master/frameworks/intel.html>

use super::lines::Lines;
use super::loader::{Loader, Stop};
use crate::indicator::building::Remark;

/// How the line that names the columns begins.
pub(super) const FIELDS: &str = "#fields\t";

/// Where the columns that count stand.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    indicator: usize,
    kind: Option<usize>,
    source: Option<usize>,
    description: Option<usize>,
}

impl Columns {
    fn of(fields: &str) -> Option<Columns> {
        let place = |wanted: &str| fields.split('\t').position(|field| field.trim() == wanted);
        Some(Columns {
            indicator: place("indicator")?,
            kind: place("indicator_type"),
            source: place("meta.source"),
            description: place("meta.desc"),
        })
    }
}

/// Reads a Zeek intelligence file.
pub(super) fn load(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    let mut columns: Option<Columns> = None;
    loader.each_line(lines, |loader, line| {
        if let Some(fields) = line.strip_prefix(FIELDS) {
            columns = Columns::of(fields);
            if columns.is_none() {
                return Err(Stop::Broken("its #fields line has no column `indicator`".into()));
            }
            return Ok(());
        }
        if line.starts_with('#') {
            return Ok(());
        }
        let Some(columns) = columns else {
            loader.skip(line, "it comes before the #fields line");
            return Ok(());
        };
        row(loader, columns, line)
    })
}

fn row(loader: &mut Loader, columns: Columns, line: &str) -> Result<(), Stop> {
    // Unset fields are a hyphen.
    let cell = |place: Option<usize>| {
        line.split('\t').nth(place?).map(str::trim).filter(|cell| !matches!(*cell, "" | "-"))
    };
    let Some(indicator) = cell(Some(columns.indicator)) else {
        loader.skip(line, "it names no indicator");
        return Ok(());
    };
    match cell(columns.kind) {
        None => {
            loader.skip(line, "it names no indicator_type; columns must be separated by tabs");
            return Ok(());
        }
        Some("Intel::DOMAIN" | "Intel::ADDR" | "Intel::SUBNET" | "Intel::URL") => {}
        Some(other) => {
            let why = format!("{} is not a name or address", shortened(other));
            loader.skip(indicator, &why);
            return Ok(());
        }
    }
    let description = cell(columns.description).or(cell(columns.source)).unwrap_or_default();
    loader.value(indicator, Remark { description, confidence: None })
}

/// A word that the list's author chose, short enough to be a part of a reason.
fn shortened(word: &str) -> String {
    word.chars().take(32).collect()
}
