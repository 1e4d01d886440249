//! Who is behind it: one block a client, one entry an indicator.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::fold::{Clients, Entry};
use super::page::Page;
use super::{LABELS, Seen, write_filters};
use crate::attribution::ChainStep;
use crate::contact::Contact;
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::report::said::fold::Way;
use crate::report::said::ink::{Ink, Words};
use crate::report::said::machines::{Machines, Sharing};
use crate::report::said::senders::{Sender, Senders};
use crate::report::said::timed::Timed;
use crate::report::said::words::{self, Grade, count};
use crate::report::weighed::{Weighed, Weight};
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many clients are described; of more, only the first: nobody reads on.
pub(super) const BLOCKS_MAX: usize = 20;

/// What decides where an entry stands: the gravest first, of these who connected, the most certain and most direct.
type Rank = (Weight, Grade, bool, bool, Option<Role>, usize, Timestamp);

fn rank(entry: &Entry) -> Rank {
    let role = entry.parts.first().map(|part| part.role);
    let steps = entry.ways.iter().map(|way| way.chain.len()).min().unwrap_or_default();
    let grade = Grade::of(entry.confidence_permille);
    (entry.weight(), grade, entry.only_tail, entry.only_server, role, steps, entry.first)
}

/// A client, and the entries it has.
pub(super) type Block<'a> = (Address, Vec<&'a Entry>);

/// The entries of each client, in the order in which they are shown: where alerts have times, those first who are
/// named for them, and then those who asked about then, too.
pub(super) fn blocks<'a>(clients: &'a Clients, timed: Option<&Timed>) -> Vec<Block<'a>> {
    let mut by_client: BTreeMap<Address, Vec<&Entry>> = BTreeMap::new();
    for entry in clients.entries() {
        by_client.entry(entry.client).or_default().push(entry);
    }
    let mut blocks: Vec<Block<'_>> = by_client.into_iter().collect();
    for (_, entries) in &mut blocks {
        entries.sort_by_cached_key(|entry| (rank(entry), entry.indicator));
    }
    blocks.sort_by_cached_key(|(client, entries)| {
        let is_other = timed.is_some_and(|timed| !timed.names(*client));
        let is_not_then = timed.is_some_and(|timed| timed.not_then(*client).is_some());
        (is_other, is_not_then, entries.first().map(|entry| rank(entry)), *client)
    });
    blocks
}

/// Writes the section, if there is anybody.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    clients: &Clients,
    blocks: &[Block<'_>],
    weighed: &Weighed<'_>,
) -> io::Result<()> {
    if blocks.is_empty() {
        return Ok(());
    }
    let machines = clients.machines();
    let mut above = Above::default();
    page.title("Who is behind it")?;
    for (client, entries) in blocks.iter().take(BLOCKS_MAX) {
        page.gap()?;
        let senders = Senders::of(entries.iter().map(|entry| &entry.senders));
        page.say(0, &heading(seen, *client, entries, &senders, &machines))?;
        for entry in entries {
            write_entry(page, seen, entry, weighed, senders.are_several(), &mut above)?;
        }
    }
    if let Some(more @ 1..) = blocks.len().checked_sub(BLOCKS_MAX) {
        let clients = count(more as u64, "further client stands", "further clients stand");
        let text = format!(
            "{clients} in the table alone. --ticket=ADDRESS has all of one, --report FILE.html all of each."
        );
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    if clients.left_out > 0 {
        let sightings = count(clients.left_out, "lookup", "lookups");
        let text = format!(
            "{sightings} of further clients had no room here; --format jsonl has all of them."
        );
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    Ok(())
}

/// Who a client is: address, host name, link-layer address, VLAN.
fn heading(
    seen: &Seen<'_>,
    client: Address,
    entries: &[&Entry],
    senders: &Senders,
    machines: &Machines,
) -> Words {
    let mut heading = Words::of(Ink::Strong, &client.to_string());
    if let Some(called) = entries.iter().find_map(|entry| seen.called(entry)) {
        heading.push(Ink::Plain, "  ");
        heading.push(Ink::Strong, called.name);
        heading.push(Ink::Aside, &format!(" ({})", called.origin()));
        heading.push(Ink::Caution, &called.at_other_times());
    }
    for Sender { mac, is_router, .. } in senders.iter() {
        let text = match machines.sharing(client, *mac) {
            _ if *is_router => format!("  behind a router, {mac}"),
            Sharing::Alone => format!("  {mac}"),
            Sharing::Itself(others) => format!("  {mac}, the same machine as {others}"),
            Sharing::Few(others) => format!("  {mac}, as {others}"),
            Sharing::Router => format!("  behind a router, {mac}"),
        };
        heading.push(Ink::Aside, &text);
    }
    if let Some(vlan) = entries.iter().find_map(|entry| entry.vlan) {
        heading.push(Ink::Aside, &format!("  VLAN {vlan}"));
    }
    if senders.are_several() {
        heading.push(Ink::Caution, "  perhaps not one machine: see which MAC asked when");
    }
    if let Some(text) = seen.timed.as_ref().and_then(|timed| timed.not_then(client)) {
        heading.push(Ink::Caution, &format!("  {text}"));
    }
    heading
}

/// What stands further up, so that nothing that many share is said twice.
#[derive(Debug, Default)]
struct Above {
    /// The ways, and with which client.
    drawn: BTreeMap<(String, String), Address>,
    /// What was said to speak for a false alarm: of all clients of an indicator, or of one client, by its code;
    /// and with which client.
    excused: BTreeMap<Result<IndicatorId, &'static str>, Address>,
    /// The clients of which it was said that they may have asked for somebody else.
    for_others: BTreeSet<Address>,
}

fn write_entry<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    entry: &Entry,
    weighed: &Weighed<'_>,
    shows_senders: bool,
    above: &mut Above,
) -> io::Result<()> {
    let Some(indicator) = seen.subject.indicators.get(entry.indicator) else { return Ok(()) };
    let listing = seen.subject.indicators.listing(&indicator);
    let heading = Words::of(Ink::Flagged, indicator.value).and(Ink::Aside, &format!("  {listing}"));
    page.say(2, &heading)?;
    for way in &entry.ways {
        let last = way.chain.last().map_or("", |step| step.name.as_str());
        let key = (way.asked.to_ascii_lowercase(), last.to_ascii_lowercase());
        let first = *above.drawn.entry(key).or_insert(entry.client);
        write_way(page, way, (first != entry.client).then_some(first))?;
    }
    if entry.more_ways {
        page.entry(4, LABELS, "", &Words::of(Ink::Aside, "and further names"))?;
    }
    let mut say = |label, words: &Words| page.entry(4, LABELS, label, words);
    let questions = count(entry.asks, "question", "questions");
    say("when", &Words::plain(&seen.times.often(&questions, entry.first, entry.last)))?;
    if shows_senders {
        say("MAC", &Words::plain(&entry.senders.when(&seen.times)))?;
    }
    say("got", &Words::plain(&outcomes(entry)))?;
    // The summary knows of connections up to the end of the capture.
    let row = seen.ending.summary.row(entry.indicator, entry.client);
    let seen_contact = row.map_or(&entry.contact, |row| &row.contact);
    if let Some(contact) = words::contact(seen_contact, &seen.times) {
        let ink = if matches!(seen_contact, Contact::Yes(_)) { Ink::Strong } else { Ink::Plain };
        say("then", &Words::of(ink, &contact))?;
    }
    for (place, sentence) in parts(seen, entry).iter().enumerate() {
        say(if place == 0 { "how" } else { "" }, &Words::plain(sentence))?;
    }
    say("sure", &sureness(entry))?;
    write_filters(page, 4, seen.subject.files, &entry.frames)?;
    if let Some(words) = weighed.for_others(entry.indicator, entry.client)
        && above.for_others.insert(entry.client)
    {
        page.entry(4, LABELS, "who", &Words::of(Ink::Caution, words))?;
    }
    write_weighed(page, entry, weighed, above)
}

/// What speaks for a compromised client, and what for a false alarm; in short where it was said above.
fn write_weighed<W: Write>(
    page: &mut Page<'_, W>,
    entry: &Entry,
    weighed: &Weighed<'_>,
    above: &mut Above,
) -> io::Result<()> {
    for (place, words) in weighed.serious(entry.indicator, entry.client).into_iter().enumerate() {
        let label = if place == 0 { "serious" } else { "" };
        page.entry(4, LABELS, label, &Words::of(Ink::Flagged, "- ").and(Ink::Plain, words))?;
    }
    let is_doubtful = entry.is_doubtful();
    let perhaps = if is_doubtful { "Perhaps a false alarm: " } else { "But: " };
    let shared = weighed.of_indicator(entry.indicator);
    let (excuse, said) = match (shared.is_empty(), weighed.own(entry.indicator, entry.client)) {
        (false, _) => (Ok(entry.indicator), shared),
        (true, Some(own)) => (Err(own.code), vec![own.words.as_str()]),
        (true, None) if is_doubtful => {
            (Err(""), vec!["it asked for something else, which led there"])
        }
        (true, None) => return Ok(()),
    };
    if let Some(first) = above.excused.get(&excuse) {
        let note = format!("Perhaps a false alarm, as with {first} above.");
        return match is_doubtful {
            true => page.entry(4, LABELS, "note", &Words::of(Ink::Caution, &note)),
            false => Ok(()),
        };
    }
    above.excused.insert(excuse, entry.client);
    for (place, words) in said.iter().enumerate() {
        let (label, before) = if place == 0 { ("note", perhaps) } else { ("", "Also: ") };
        let words = Words::of(Ink::Caution, before).and(Ink::Plain, words).and(Ink::Plain, ".");
        page.entry(4, LABELS, label, &words)?;
    }
    Ok(())
}

/// How sure it is; also of the least certain sighting, if that is of another grade.
pub(super) fn sureness(entry: &Entry) -> Words {
    let (most, least) = (entry.confidence_permille, entry.confidence_least_permille);
    let parts = entry.parts.iter().map(|part| (part.role, part.leg()));
    let words = Words::of(Ink::Strong, &words::sure_of(most, parts));
    if Grade::of(most) == Grade::of(least) {
        return words;
    }
    words.and(Ink::Plain, &format!(", of some lookups only {}", words::sureness(least)))
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
        "svcb" => Some("its HTTPS or SVCB target"),
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

/// What may make it a false alarm.
pub(super) fn note(entry: &Entry) -> Option<String> {
    let asked = entry.ways.first().map_or("", |way| way.asked.as_str());
    let others = if entry.ways.len() > 1 { " and of others" } else { "" };
    if entry.only_tail {
        Some(format!(
            "Perhaps a false alarm: it never asked for the flagged name itself, which is only the end \
             of the alias chain of {asked}{others}."
        ))
    } else if entry.only_server {
        Some(format!(
            "Perhaps a false alarm: the flagged address is a name server that was asked about \
             {asked}{others} on the way; it may serve many other names."
        ))
    } else {
        None
    }
}
