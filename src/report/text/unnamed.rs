//! What no client is named for, reason by reason.

use std::io::{self, Write};

use super::page::Page;
use super::{Group, Groups, LABELS, TextContext, Unnamed, write_filters};
use crate::attribution::Verdict;
use crate::report::weighed::Weighed;
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::words::{count, list};

/// Writes both sections, as far as there is anything in them.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    groups: &Groups,
    weighed: &Weighed<'_>,
) -> io::Result<()> {
    for (verdict, title) in
        [(Verdict::NoClient, "No client"), (Verdict::Undetermined, "Cannot be decided")]
    {
        let groups = groups.of(verdict);
        if !groups.is_empty() {
            page.title(title)?;
        }
        for group in groups {
            write_group(page, context, group, weighed)?;
        }
    }
    if groups.left_out > 0 {
        let queries = count(groups.left_out, "further query", "further queries");
        let text = format!("{queries} omitted here; --format jsonl has all of them.");
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    Ok(())
}

fn write_group<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    group: &Group,
    weighed: &Weighed<'_>,
) -> io::Result<()> {
    page.gap()?;
    let queries = count(group.queries, "query", "queries");
    let text = format!(" at {}: {}", group.resolver, group.why());
    page.say(0, &Words::of(Ink::Strong, &queries).and(Ink::Plain, &text))?;
    for unnamed in group.in_order() {
        write_unnamed(page, context, unnamed)?;
        if group.verdict == Verdict::NoClient {
            for words in weighed.of_indicator(unnamed.indicator) {
                page.entry(4, LABELS, "note", &Words::plain(words).and(Ink::Plain, "."))?;
            }
        }
    }
    Ok(())
}

fn write_unnamed<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    unnamed: &Unnamed,
) -> io::Result<()> {
    let Some(indicator) = context.subject.indicators.get(unnamed.indicator) else { return Ok(()) };
    let listing = context.subject.indicators.listing(&indicator);
    let heading = Words::of(Ink::Flagged, indicator.value).and(Ink::Aside, &format!("  {listing}"));
    page.say(2, &heading)?;
    let more = if unnamed.further > 0 { " and others" } else { "" };
    let asked = if more.is_empty() { list(&unnamed.names) } else { unnamed.names.join(", ") };
    page.entry(4, LABELS, "asked", &Words::plain(&(asked + more)))?;
    let queries = count(unnamed.queries, "query", "queries");
    let when = context.times.often(&queries, unnamed.first, unnamed.last);
    page.entry(4, LABELS, "when", &Words::plain(&when))?;
    write_filters(page, 4, context.subject.files, &unnamed.frames)
}
