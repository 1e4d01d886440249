//! What is listed and was not seen.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::page::Page;
use crate::indicator::{IndicatorId, Indicators};
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::words::{count, few, number};

/// How many are named.
const NAMED_MAX: usize = 10;

/// Writes the section, if there is anything that was not seen.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    indicators: &Indicators,
    context: &BTreeSet<IndicatorId>,
) -> io::Result<()> {
    let unseen = indicators.len().saturating_sub(context.len());
    if unseen == 0 {
        return Ok(());
    }
    let first = indicators.iter().filter(|(id, _)| !context.contains(id)).take(NAMED_MAX);
    let named = few(first.map(|(_, indicator)| indicator.value), unseen);
    page.title("Not seen")?;
    page.gap()?;
    let are = match (unseen, indicators.len()) {
        (1, 1) => "The only indicator was not seen: ".to_owned(),
        (unseen, all) if unseen == all => {
            format!("None of the {} was seen: ", count(all as u64, "indicator", "indicators"))
        }
        (unseen, all) => format!(
            "Of the {}, {} {} not seen: ",
            count(all as u64, "indicator", "indicators"),
            number(unseen as u64),
            if unseen == 1 { "was" } else { "were" },
        ),
    };
    page.say(0, &Words::plain(&are).and(Ink::Plain, &named).and(Ink::Plain, "."))
}
