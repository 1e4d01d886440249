//! The overview: a table of who, what, how often, how sure and how grave, a line each.

use std::io::{self, Write};

use textwrap::core::display_width;

use super::clients::BLOCKS_MAX;
use super::page::Page;
use super::{Dealing, Groups, Suspected, TextContext};
use crate::attribution::Verdict;
use crate::report::weighed::{Urgency, Weight};
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::words::{number, percent};

/// How many lines the table has where all clients stand below in full,
const ROWS_FEW: usize = 24;
/// and where there are too many of them for that.
const ROWS_MAX: usize = 400;
/// What stands between two columns.
const GAP: usize = 2;
/// The widest that addresses and host names are shown; an address that is longer has a line of its own.
const WHO_MAX: usize = 15;
/// The least room for what was flagged.
const WHAT_MIN: usize = 16;
/// The room for how often.
const ASKED: usize = 6;
/// The room for how sure.
const SURE: usize = 6;
/// What is said of who asked, though not at the alerts' times.
const OTHER_TIMES: &str = "other times";
/// What stands there of whom only the cache answered.
const CACHED: &str = "cached";
/// The room for the verdict.
const VERDICT: usize = 12;

/// A line of the table.
struct Row {
    who: String,
    host: String,
    what: String,
    asked: u64,
    sure: String,
    verdict: (&'static str, Ink),
}

/// How the room is shared out; columns for which there is none are left out.
#[derive(Clone, Copy)]
struct Columns {
    who: usize,
    host: usize,
    what: usize,
    sure: usize,
}

/// Writes the table, if there is anything to put into it.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    clients: &[Suspected<'_>],
    groups: &Groups,
) -> io::Result<()> {
    let dealings = clients.iter().flat_map(|client| &client.dealings);
    let all = clients.iter().map(|client| client.dealings.len()).sum::<usize>();
    let rows_max = if clients.len() > BLOCKS_MAX { ROWS_MAX } else { ROWS_FEW };
    let mut rows: Vec<Row> =
        dealings.take(rows_max).filter_map(|dealing| of_client(context, dealing)).collect();
    let unnamed = of_nobody(context, groups);
    let left_out = (all + unnamed.len()).saturating_sub(rows_max);
    let room = rows_max.saturating_sub(rows.len());
    rows.extend(unnamed.into_iter().take(room));
    if rows.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let columns = Columns::of(&rows, page.room(0));
    write_row(page, columns, Ink::Aside, &Row::head())?;
    for row in &rows {
        write_row(page, columns, Ink::Plain, row)?;
    }
    if left_out > 0 {
        let place = if clients.len() > BLOCKS_MAX { "in --format csv" } else { "below" };
        let more = format!("and {} more, {place}", number(left_out as u64));
        page.say(0, &Words::of(Ink::Aside, &more))?;
    }
    Ok(())
}

fn of_client(context: &TextContext<'_>, dealing: &Dealing) -> Option<Row> {
    let weight = dealing.weight();
    let is_other = dealing.urgency(context.timed.as_ref()) == Urgency::Other;
    let verdict = match weight {
        _ if is_other => (OTHER_TIMES, Ink::Aside),
        Weight::Connected | Weight::Serious => (weight.as_str(), Ink::Flagged),
        Weight::Open => (weight.as_str(), Ink::Strong),
        Weight::Doubtful => (weight.as_str(), Ink::Caution),
    };
    Some(Row {
        who: dealing.client.to_string(),
        host: dealing.called().map_or(String::new(), |called| called.short()),
        what: context.subject.indicators.get(dealing.indicator)?.value.to_owned(),
        asked: dealing.asks,
        // That it asked is certain then, but what a firewall sees was not asked for it.
        sure: match dealing.is_cached() {
            true => CACHED.to_owned(),
            false => percent(dealing.most_permille),
        },
        verdict,
    })
}

/// What no client is named for: a line for each indicator, reasons together.
fn of_nobody(context: &TextContext<'_>, groups: &Groups) -> Vec<Row> {
    let mut rows = Vec::new();
    for (verdict, who, words) in
        [(Verdict::NoClient, "-", "no client"), (Verdict::Undetermined, "?", "undecided")]
    {
        for (indicator, queries) in groups.by_indicator(verdict) {
            let Some(indicator) = context.subject.indicators.get(indicator) else { continue };
            rows.push(Row {
                who: who.to_owned(),
                host: String::new(),
                what: indicator.value.to_owned(),
                asked: queries,
                sure: String::new(),
                verdict: (words, Ink::Plain),
            });
        }
    }
    rows
}

impl Row {
    fn head() -> Row {
        Row {
            who: "client".to_owned(),
            host: "host name".to_owned(),
            what: "what".to_owned(),
            asked: 0,
            sure: "sure".to_owned(),
            verdict: ("verdict", Ink::Aside),
        }
    }
}

impl Columns {
    fn of(rows: &[Row], width: usize) -> Columns {
        let widest = |of: fn(&Row) -> &str, at_least: usize| {
            let widths = rows.iter().map(|row| display_width(of(row))).filter(|w| *w <= WHO_MAX);
            widths.max().unwrap_or(0).max(at_least)
        };
        let who = widest(|row| &row.who, 7);
        let has_hosts = rows.iter().any(|row| !row.host.is_empty());
        let host = if has_hosts {
            let widest = rows.iter().map(|row| display_width(&row.host)).max();
            widest.unwrap_or(0).clamp(9, WHO_MAX)
        } else {
            0
        };
        let mut columns = Columns { who, host, what: 0, sure: SURE };
        for drop in
            [|_: &mut Columns| {}, |c: &mut Columns| c.sure = 0, |c: &mut Columns| c.host = 0]
        {
            drop(&mut columns);
            let taken = columns.who + columns.host + columns.sure + ASKED + VERDICT;
            let gaps = GAP * (3 + usize::from(columns.host > 0) + usize::from(columns.sure > 0));
            columns.what = width.saturating_sub(taken + gaps);
            if columns.what >= WHAT_MIN {
                break;
            }
        }
        let widest = rows.iter().map(|row| display_width(&row.what)).max().unwrap_or(0);
        columns.what = columns.what.min(widest.max(4));
        columns
    }
}

fn write_row<W: Write>(
    page: &mut Page<'_, W>,
    columns: Columns,
    ink: Ink,
    row: &Row,
) -> io::Result<()> {
    let is_head = ink == Ink::Aside;
    let strong = if is_head { Ink::Aside } else { Ink::Strong };
    let mut who = Words::of(strong, &row.who);
    if who.width() > columns.who {
        page.line(&who)?;
        who = Words::default();
    }
    let asked = if is_head { "asked".to_owned() } else { number(row.asked) + "x" };
    let mut line = who.padded(columns.who + GAP);
    if columns.host > 0 {
        line.append(Words::of(ink, &row.host).elided(columns.host).padded(columns.host + GAP));
    }
    line.append(Words::of(ink, &row.what).elided(columns.what).padded(columns.what + GAP));
    let asked = Words::of(ink, &asked);
    line.append(asked.clone().indented(ASKED.saturating_sub(asked.width())).padded(ASKED + GAP));
    if columns.sure > 0 {
        let sure = Words::of(ink, &row.sure);
        line.append(sure.clone().indented(SURE.saturating_sub(sure.width())).padded(SURE + GAP));
    }
    line.append(Words::of(row.verdict.1, row.verdict.0));
    page.line(&line)
}
