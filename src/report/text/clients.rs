//! Who is behind it: one block a client, one entry an indicator.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::page::Page;
use super::{Dealing, Fold, LABELS, Suspected, TextContext, write_filters};
use crate::attribution::ChainStep;
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::report::weighed::{Weighed, Weight};
use crate::report::wording::fold::{Way, machines};
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::machines::{Machines, Sharing};
use crate::report::wording::senders::Sender;
use crate::report::wording::timed::Timed;
use crate::report::wording::words::{self, Grade, count};
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many clients are described; of more, only the first: nobody reads on.
pub(super) const BLOCKS_MAX: usize = 20;

/// What decides where a dealing stands: the gravest first, of these who connected, the most certain and most direct.
type Rank = (Weight, Grade, bool, bool, Option<Role>, usize, Timestamp);

fn rank(dealing: &Dealing) -> Rank {
    let role = dealing.parts.first().map(|part| part.role);
    let steps = dealing.ways.iter().map(|way| way.chain.len()).min().unwrap_or_default();
    let grade = Grade::of(dealing.most_permille);
    (dealing.weight(), grade, dealing.only_tail, dealing.only_server, role, steps, dealing.first)
}

/// The clients and the dealings of each, in the order in which they are shown: where alerts have times, those first who
/// are named for them, and then those who asked about then, too.
pub(super) fn in_order<'a>(fold: &'a Fold, timed: Option<&Timed>) -> Vec<Suspected<'a>> {
    let mut clients = fold.clients(timed);
    for client in &mut clients {
        client.dealings.sort_by_cached_key(|dealing| (rank(dealing), dealing.indicator));
    }
    clients.sort_by_cached_key(|client| {
        let is_other = timed.is_some_and(|timed| !timed.names(client.address));
        let is_not_then = timed.is_some_and(|timed| timed.not_then(client.address).is_some());
        let first = client.dealings.first().map(|dealing| rank(dealing));
        (is_other, is_not_then, first, client.address)
    });
    clients
}

/// Writes the section, if there is anybody.
pub(super) fn write<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    clients: &[Suspected<'_>],
    left_out: u64,
    weighed: &Weighed<'_>,
) -> io::Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let machines = machines(clients);
    let mut above = MentionedAbove::default();
    page.title("Who is behind it")?;
    for client in clients.iter().take(BLOCKS_MAX) {
        page.gap()?;
        page.say(0, &heading(context, client, &machines))?;
        let are_several = client.person.senders.are_several();
        for dealing in &client.dealings {
            write_dealing(page, context, dealing, weighed, are_several, &mut above)?;
        }
    }
    if let Some(more @ 1..) = clients.len().checked_sub(BLOCKS_MAX) {
        let clients = count(more as u64, "more client is", "more clients are");
        let text = format!(
            "{clients} only in the table. For all details, use --ticket=ADDRESS for one client, --report FILE.html \
             for every client."
        );
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    if left_out > 0 {
        let sightings = count(left_out, "lookup", "lookups");
        let text =
            format!("{sightings} of more clients omitted here; --format jsonl has all of them.");
        page.gap()?;
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    Ok(())
}

/// Who a client is: address, host name, link-layer address, VLAN.
fn heading(context: &TextContext<'_>, client: &Suspected<'_>, machines: &Machines) -> Words {
    let (address, senders) = (client.address, &client.person.senders);
    let mut heading = Words::of(Ink::Strong, &address.to_string());
    if let Some(called) = client.dealings.iter().find_map(|dealing| dealing.called()) {
        heading.push(Ink::Plain, "  ");
        heading.push(Ink::Strong, called.name);
        heading.push(Ink::Aside, &format!(" ({})", called.origin()));
        heading.push(Ink::Caution, &called.at_other_times());
    }
    for Sender { mac, is_router, .. } in senders.iter() {
        let text = match machines.sharing(address, *mac) {
            _ if *is_router => format!("  behind a router, {mac}"),
            Sharing::Alone => format!("  {mac}"),
            Sharing::Itself(others) => format!("  {mac}, the same machine as {others}"),
            Sharing::Few(others) => format!("  {mac}, as {others}"),
            Sharing::Router => format!("  behind a router, {mac}"),
        };
        heading.push(Ink::Aside, &text);
    }
    if let Some(vlan) = client.person.vlans.first() {
        heading.push(Ink::Aside, &format!("  VLAN {vlan}"));
    }
    if senders.are_several() {
        heading.push(Ink::Caution, "  perhaps not one machine: see which MAC asked when");
    }
    if let Some(text) = context.timed.as_ref().and_then(|timed| timed.not_then(address)) {
        heading.push(Ink::Caution, &format!("  {text}"));
    }
    heading
}

/// What stands further up, so that nothing that many share is said twice.
#[derive(Debug, Default)]
struct MentionedAbove {
    /// The ways, and with which client.
    drawn: BTreeMap<(String, String), Address>,
    /// What was said to speak for a false alarm: of all clients of an indicator, or of one client, by its code;
    /// and with which client.
    excused: BTreeMap<Result<IndicatorId, &'static str>, Address>,
    /// The clients of which it was said that they may have asked for somebody else.
    for_others: BTreeSet<Address>,
}

fn write_dealing<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    dealing: &Dealing,
    weighed: &Weighed<'_>,
    shows_senders: bool,
    above: &mut MentionedAbove,
) -> io::Result<()> {
    let Some(indicator) = context.subject.indicators.get(dealing.indicator) else { return Ok(()) };
    let listing = context.subject.indicators.listing(&indicator);
    let heading = Words::of(Ink::Flagged, indicator.value).and(Ink::Aside, &format!("  {listing}"));
    page.say(2, &heading)?;
    for way in &dealing.ways {
        let last = way.chain.last().map_or("", |step| step.name.as_str());
        let key = (way.asked.to_ascii_lowercase(), last.to_ascii_lowercase());
        let first = *above.drawn.entry(key).or_insert(dealing.client);
        write_way(page, way, (first != dealing.client).then_some(first))?;
    }
    if dealing.further > 0 {
        page.entry(4, LABELS, "", &Words::of(Ink::Aside, "and further names"))?;
    }
    let mut say = |label, words: &Words| page.entry(4, LABELS, label, words);
    let questions = count(dealing.asks, "question", "questions");
    say("when", &Words::plain(&context.times.often(&questions, dealing.first, dealing.last)))?;
    if shows_senders {
        say("MAC", &Words::plain(&dealing.senders.when(&context.times)))?;
    }
    say("got", &Words::plain(&words::outcomes(&dealing.outcomes)))?;
    if let Some(contact) = words::contact(&dealing.contact, &context.times) {
        let ink = if dealing.has_connected() { Ink::Strong } else { Ink::Plain };
        say("then", &Words::of(ink, &contact))?;
    }
    for (place, sentence) in dealing.parts_in_words(context.ending).iter().enumerate() {
        say(if place == 0 { "how" } else { "" }, &Words::plain(sentence))?;
    }
    say("sure", &sureness(dealing))?;
    write_filters(page, 4, context.subject.files, &dealing.frames)?;
    if let Some(words) = weighed.for_others(dealing.indicator, dealing.client)
        && above.for_others.insert(dealing.client)
    {
        page.entry(4, LABELS, "who", &Words::of(Ink::Caution, words))?;
    }
    write_weighed(page, dealing, weighed, above)
}

/// What speaks for a compromised client, and what for a false alarm; in short where it was said above.
fn write_weighed<W: Write>(
    page: &mut Page<'_, W>,
    dealing: &Dealing,
    weighed: &Weighed<'_>,
    above: &mut MentionedAbove,
) -> io::Result<()> {
    for (place, words) in weighed.serious(dealing.indicator, dealing.client).into_iter().enumerate()
    {
        let label = if place == 0 { "serious" } else { "" };
        page.entry(4, LABELS, label, &Words::of(Ink::Flagged, "- ").and(Ink::Plain, words))?;
    }
    let is_doubtful = dealing.is_doubtful();
    let perhaps = if is_doubtful { "Perhaps a false alarm: " } else { "But: " };
    let shared = weighed.of_indicator(dealing.indicator);
    let (excuse, said) = match (shared.is_empty(), weighed.own(dealing.indicator, dealing.client)) {
        (false, _) => (Ok(dealing.indicator), shared),
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
    above.excused.insert(excuse, dealing.client);
    for (place, words) in said.iter().enumerate() {
        let (label, before) = if place == 0 { ("note", perhaps) } else { ("", "Also: ") };
        let words = Words::of(Ink::Caution, before).and(Ink::Plain, words).and(Ink::Plain, ".");
        page.entry(4, LABELS, label, &words)?;
    }
    Ok(())
}

/// How sure it is; also of the least certain sighting, if that is of another grade.
pub(super) fn sureness(dealing: &Dealing) -> Words {
    let (most, least) = (dealing.most_permille, dealing.least_permille);
    let parts = dealing.parts.iter().map(|part| (part.role, part.leg));
    let words = Words::of(Ink::Strong, &words::sure_of(most, parts));
    if Grade::of(most) == Grade::of(least) {
        return words;
    }
    words.and(Ink::Plain, &format!(", of some lookups only {}", words::sureness(least)))
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
    let remark = match (words::step(step.step), flagged) {
        (Some(how), true) => format!(" ({how}, flagged)"),
        (Some(how), false) => format!(" ({how})"),
        (None, true) => " (flagged)".to_owned(),
        (None, false) => String::new(),
    };
    let ink = if flagged { Ink::Flagged } else { Ink::Plain };
    Words::of(ink, &step.name).and(Ink::Plain, &remark)
}

/// What may make it a false alarm.
pub(super) fn note(dealing: &Dealing) -> Option<String> {
    let asked = dealing.ways.first().map_or("", |way| way.asked.as_str());
    let others = if dealing.ways.len() > 1 { " and of others" } else { "" };
    if dealing.only_tail {
        Some(format!(
            "Perhaps a false alarm: it never asked for the flagged name itself, which is only the end \
             of the alias chain of {asked}{others}."
        ))
    } else if dealing.only_server {
        Some(format!(
            "Perhaps a false alarm: the flagged address is a name server that was asked about \
             {asked}{others} on the way; it may serve many other names."
        ))
    } else {
        None
    }
}
