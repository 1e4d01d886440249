//! Who is behind it: one block a client, one entry an indicator.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::fold::{Clients, Entry, Way};
use super::page::{Ink, Page, Words};
use super::words::{self, Grade, count};
use super::{LABELS, Seen, identity, write_filters};
use crate::attribution::{ChainStep, SummaryRow};
use crate::flow::{Address, Mac};
use crate::resolution::Role;
use crate::time::Timestamp;

/// A link-layer address that more clients have than this is a router's.
const OF_ONE_MACHINE_MAX: usize = 4;

/// What decides where an entry stands: the most certain and most direct first.
type Rank = (Grade, bool, bool, Option<Role>, usize, Timestamp);

fn rank(entry: &Entry) -> Rank {
    let role = entry.parts.first().map(|part| part.role);
    let steps = entry.ways.iter().map(|way| way.chain.len()).min().unwrap_or_default();
    let grade = Grade::of(entry.confidence_permille);
    (grade, entry.only_tail, entry.only_server, role, steps, entry.first)
}

/// Writes the section, if there is anybody.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    clients: &Clients,
) -> io::Result<()> {
    let mut by_client: BTreeMap<Address, Vec<&Entry>> = BTreeMap::new();
    let mut users: BTreeMap<Mac, BTreeSet<Address>> = BTreeMap::new();
    for entry in clients.entries() {
        by_client.entry(entry.client).or_default().push(entry);
        if let Some(mac) = entry.mac {
            users.entry(mac).or_default().insert(entry.client);
        }
    }
    if by_client.is_empty() {
        return Ok(());
    }
    let mut blocks: Vec<(Address, Vec<&Entry>)> = by_client.into_iter().collect();
    for (_, entries) in &mut blocks {
        entries.sort_by_key(|entry| (rank(entry), entry.indicator));
    }
    blocks.sort_by_key(|(client, entries)| (entries.first().map(|entry| rank(entry)), *client));
    let mut drawn = Drawn::new();
    page.title("Who is behind it")?;
    for (client, entries) in &blocks {
        page.gap()?;
        let mut heading = Words::of(Ink::Strong, &client.to_string());
        let rows: Vec<&SummaryRow> = entries.iter().filter_map(|entry| row(seen, entry)).collect();
        if let Some(name) = rows.iter().find_map(|row| identity::name(row)) {
            heading.push(Ink::Strong, &format!("  {name}"));
        }
        let mac = rows.iter().find_map(|row| row.mac);
        if let Some(mac) = mac.or_else(|| entries.iter().find_map(|entry| entry.mac)) {
            let is_router = rows.iter().any(|row| row.is_router_mac);
            let text = match users.get(&mac).map_or(0, BTreeSet::len) {
                _ if is_router => format!("  behind a router, {mac}"),
                0 | 1 => format!("  {mac}"),
                users if users <= OF_ONE_MACHINE_MAX => {
                    format!("  {mac}, as {}", count(users as u64 - 1, "other", "others"))
                }
                _ => format!("  behind a router, {mac}"),
            };
            heading.push(Ink::Aside, &text);
        }
        if let Some(vlan) = rows.iter().find_map(|row| identity::vlan(row)) {
            heading.push(Ink::Aside, &format!("  {vlan}"));
        }
        page.say(0, &heading)?;
        for entry in entries {
            write_entry(page, seen, entry, &mut drawn)?;
        }
    }
    if clients.left_out > 0 {
        let sightings = count(clients.left_out, "sighting", "sightings");
        let text = format!(
            "{sightings} of further clients had no room here; --format jsonl has all of them."
        );
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    Ok(())
}

/// The ways that stand further up, and with which client, so that a chain that many share is drawn once.
type Drawn = BTreeMap<(String, String), Address>;

/// What came of an entry in the end.
fn row<'s>(seen: &Seen<'s>, entry: &Entry) -> Option<&'s SummaryRow> {
    seen.ending.summary.row(entry.indicator, entry.client)
}

fn write_entry<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    entry: &Entry,
    drawn: &mut Drawn,
) -> io::Result<()> {
    let Some(indicator) = seen.subject.indicators.get(entry.indicator) else { return Ok(()) };
    let list = seen.subject.indicators.list_name(indicator.list);
    let heading = Words::of(Ink::Flagged, indicator.value)
        .and(Ink::Aside, &format!("  {list}, line {}", indicator.line));
    page.say(2, &heading)?;
    let mut all_drawn = !entry.ways.is_empty();
    for way in &entry.ways {
        let last = way.chain.last().map_or("", |step| step.name.as_str());
        let key = (way.asked.to_ascii_lowercase(), last.to_ascii_lowercase());
        let first = *drawn.entry(key).or_insert(entry.client);
        let above = (first != entry.client).then_some(first);
        all_drawn &= above.is_some();
        write_way(page, way, above)?;
    }
    if entry.more_ways {
        page.entry(4, LABELS, "", &Words::of(Ink::Aside, "and further names"))?;
    }
    let mut say = |label, words: &Words| page.entry(4, LABELS, label, words);
    say("when", &Words::plain(&seen.times.often(entry.asks, entry.first, entry.last)))?;
    say("got", &Words::plain(&outcomes(entry)))?;
    for (place, sentence) in parts(seen, entry).iter().enumerate() {
        say(if place == 0 { "how" } else { "" }, &Words::plain(sentence))?;
    }
    let contact = row(seen, entry).map(|row| &row.contact);
    let contact = contact.and_then(|contact| identity::contact(contact, |t| seen.times.at(t)));
    if let Some(contact) = contact {
        say("then", &Words::plain(&contact))?;
    }
    say("sure", &sureness(entry))?;
    write_filters(page, 4, seen.subject.files, &entry.frames)?;
    match note(entry, all_drawn) {
        Some(note) => page.entry(4, LABELS, "note", &Words::of(Ink::Caution, &note)),
        None => Ok(()),
    }
}

/// How sure it is; also of the least certain sighting, if that is of another grade.
pub(super) fn sureness(entry: &Entry) -> Words {
    let (most, least) = (entry.confidence_permille, entry.confidence_least_permille);
    let words = Words::of(Ink::Strong, &words::sureness(most));
    if Grade::of(most) == Grade::of(least) {
        return words;
    }
    words.and(Ink::Plain, &format!(", of some sightings only {}", words::sureness(least)))
}

pub(super) fn outcomes(entry: &Entry) -> String {
    match entry.outcomes.as_slice() {
        [(rcode, _)] => words::outcome(*rcode),
        outcomes => {
            let said: Vec<String> = outcomes
                .iter()
                .map(|(rcode, count)| {
                    format!("{} {}", words::outcome(*rcode), words::times(*count))
                })
                .collect();
            words::list(&said)
        }
    }
}

/// What it had to do with it, without saying one thing twice for two addresses of one resolver.
pub(super) fn parts(seen: &Seen<'_>, entry: &Entry) -> Vec<String> {
    let mut sentences = Vec::new();
    for part in &entry.parts {
        let name = |address: &Address| seen.resolver(*address).to_string();
        let hops: Vec<String> = part.hops.iter().map(name).collect();
        let sentence = words::part(part.role, part.leg(), &hops, &name(&part.resolver));
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// What was asked and where it led: on one line if that is long enough, else a step a line. Of a way
/// that is drawn with another client, `above`, only the end.
pub(super) fn write_way<W: Write>(
    page: &mut Page<'_, W>,
    way: &Way,
    above: Option<Address>,
) -> io::Result<()> {
    let asked = Words::plain(&format!("{} ({})", way.asked, way.types.join(", ")));
    let steps = way.chain.get(1..).unwrap_or_default();
    let mut shown: Vec<Words> = steps
        .iter()
        .enumerate()
        .map(|(place, step)| shown_step(step, place + 1 == steps.len()))
        .collect();
    if let (Some(other), 2..) = (above, shown.len()) {
        let as_above = Words::of(Ink::Aside, &format!("(as with {other} above)"));
        shown.splice(..shown.len() - 1, [as_above]);
    }
    let width = asked.width() + shown.iter().map(|step| step.width() + 3).sum::<usize>();
    if width <= page.room(4 + LABELS) {
        let mut line = asked;
        for step in shown {
            line.push(Ink::Aside, " → ");
            line.append(step);
        }
        return page.entry(4, LABELS, "asked", &line);
    }
    page.entry(4, LABELS, "asked", &asked)?;
    for step in &shown {
        page.entry(4 + LABELS, 2, "→", step)?;
    }
    Ok(())
}

fn shown_step(step: &ChainStep, flagged: bool) -> Words {
    let how = match step.step {
        "ancestor" => Some("a zone above it"),
        "ns" => Some("its name server"),
        "address" => Some("its address"),
        "server" => Some("the server asked about it"),
        _ => None,
    };
    let remark = match (how, flagged) {
        (Some(how), true) => format!(" ({how}, flagged)"),
        (Some(how), false) => format!(" ({how})"),
        (None, true) => " (flagged)".to_owned(),
        (None, false) => String::new(),
    };
    let ink = if flagged { Ink::Flagged } else { Ink::Plain };
    Words::of(ink, &step.name).and(Ink::Plain, &remark)
}

/// What may make it a false alarm; in short where it was said `above`.
pub(super) fn note(entry: &Entry, above: bool) -> Option<String> {
    if !entry.is_doubtful() {
        return None;
    }
    if above {
        return Some("Perhaps a false alarm, as above.".to_owned());
    }
    let asked = entry.ways.first().map_or("", |way| way.asked.as_str());
    let others = if entry.ways.len() > 1 { " and of others" } else { "" };
    Some(if entry.only_tail {
        format!(
            "Perhaps a false alarm: it never asked for the flagged name itself, which is only the end \
             of the alias chain of {asked}{others}."
        )
    } else {
        format!(
            "Perhaps a false alarm: the flagged address is a name server that was asked about {asked} \
             on the way; it may serve many other names."
        )
    })
}
