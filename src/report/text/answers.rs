//! The answers to the firewall's alerts: first what was asked, alike alerts together.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::page::Page;
use super::{Ending, LABELS, TextContext};
use crate::alert::{Alert, Answer, Suspect};
use crate::attribution::Verdict;
use crate::report::wording::alerts::{Above, clocks, connected};
use crate::report::wording::alike::{Alike, Kind, alike, asked};
use crate::report::wording::caveats::{in_gaps, of_another_day, timeless, times_unread};
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::timed::zone_that_fits;
use crate::report::wording::words::{self, count, list, number, runs};
use crate::resolution::Role;

/// How many groups of alike alerts are shown, and how many clients of each.
const GROUPS_MAX: usize = 200;
const CLIENTS_MAX: usize = 8;
/// From more groups on, what repeats itself is said once, and then in short.
const GROUPS_FULL: usize = 10;
/// How many names and notes are shown of one.
const NAMES_MAX: usize = 4;

/// Whether there is a section: there were alerts, and something to answer them by.
pub(super) fn are_told(ending: &Ending<'_>) -> bool {
    !ending.answers.is_empty() && ending.lacked.decoded.messages > 0
}

/// The answers to alerts, alike ones together: of many, those that lead to somebody come first.
pub(super) struct Answered<'a> {
    groups: Vec<Alike<'a>>,
    style: Style,
}

impl<'a> Answered<'a> {
    /// None if nothing was to be answered.
    pub(super) fn of(context: &TextContext<'a>) -> Option<Answered<'a>> {
        if !are_told(context.ending) {
            return None;
        }
        let answers = context.ending.answers;
        let mut groups = alike(context.subject, context.ending);
        let is_long = groups.len() > GROUPS_FULL;
        if is_long {
            groups.sort_by_key(rank);
        }
        let several_files = are_of_several_files(answers);
        let zone_is_said = zone_that_fits(answers).is_some();
        Some(Answered { groups, style: Style { several_files, zone_is_said, is_long } })
    }

    /// Whether they are so many that who is behind them must stand before them.
    pub(super) fn is_long(&self) -> bool {
        self.style.is_long
    }

    /// Writes them one by one.
    pub(super) fn write<W: Write>(
        &self,
        page: &mut Page<'_, W>,
        context: &TextContext<'_>,
    ) -> io::Result<()> {
        let mut told = EarlierMention::default();
        for group in self.groups.iter().take(GROUPS_MAX) {
            write_group(page, context, group, &mut told, self.style)?;
        }
        if self.groups.len() > GROUPS_MAX {
            let more = number((self.groups.len() - GROUPS_MAX) as u64);
            let text = format!("{more} more answers omitted here; --format jsonl has all of them.");
            page.gap()?;
            page.say(0, &Words::of(Ink::Caution, &text))?;
        }
        Ok(())
    }
}

/// Writes what must be known before the rest is read.
pub(super) fn write_head<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
) -> io::Result<()> {
    let answers = context.ending.answers;
    if let Some(text) = times_unread(context.ending, &context.times) {
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    if let Some(text) = timeless(context.ending, &context.times) {
        page.say(0, &Words::plain(&text))?;
    }
    let of_others = [of_another_day, in_gaps].map(|say| say(context.ending, &context.times));
    for text in of_others.iter().flatten() {
        page.say(0, &Words::of(Ink::Caution, text))?;
    }
    if let Some(words) = zone_that_fits(answers) {
        page.say(0, &Words::of(Ink::Caution, &words))?;
    }
    let several_files = are_of_several_files(answers);
    for words in clocks(answers, |file| several_files.then(|| file.to_owned())) {
        page.say(0, &words)?;
    }
    Ok(())
}

/// Whether the alerts stand in several files, so that a number alone does not say which it is.
pub(super) fn are_of_several_files(answers: &[Answer]) -> bool {
    answers
        .iter()
        .any(|answer| answers.first().is_some_and(|first| first.alert.file != answer.alert.file))
}

/// Where it stands among many: who raised alerts first, then who only was answered from the cache, then what nobody is
/// named for.
fn rank(group: &Alike<'_>) -> usize {
    let is_behind = |client: &Suspect| client.role != Role::Cached;
    let verdict = group.answers.first().and_then(|answer| answer.verdict);
    match verdict {
        _ if group.clients.iter().any(is_behind) => 0,
        _ if !group.clients.is_empty() => 1,
        Some(Verdict::Undetermined) => 2,
        Some(_) => 3,
        None => 4,
    }
}

/// When its alerts were by the firewall's clock, if they say it.
fn when(group: &Alike<'_>, context: &TextContext<'_>) -> Option<String> {
    let (first, last) = group.times()?;
    let [from, to] = context.times.both(first, last);
    Some(if from == to { format!("at {from}") } else { format!("from {from} to {to}") })
}

/// `Alerts 5, 6 and 8`, with their file if there are several.
fn name(group: &Alike<'_>, several_files: bool) -> String {
    let told: Vec<String> = runs(&group.numbers())
        .iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first} to {last}")],
        })
        .collect();
    let first = group.answers.first().filter(|_| several_files);
    group.name(&list(&told), first.map(|answer| answer.alert.file.as_str()))
}

/// What stands further up, and with which alert.
#[derive(Debug, Default)]
struct EarlierMention {
    above: Above<String>,
    kinds: BTreeSet<Kind>,
}

impl EarlierMention {
    /// Whether the like of it was said before; from now on it was.
    fn was_told(&mut self, kind: Kind) -> bool {
        !self.kinds.insert(kind)
    }

    /// What to say with an alert: the text, or where it stands.
    fn once(&mut self, text: &str, alert: &Alert, several_files: bool) -> String {
        let file = if several_files { format!(" of {}", alert.file) } else { String::new() };
        match self.above.of(text, || format!("alert {}{file}", alert.number)) {
            Some(first) => format!("as with {first}"),
            None => text.to_owned(),
        }
    }
}

fn write_group<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    group: &Alike<'_>,
    told: &mut EarlierMention,
    style: Style,
) -> io::Result<()> {
    let Some(first) = group.answers.first() else { return Ok(()) };
    let mut once = |text: &str| told.once(text, &first.alert, style.several_files);
    page.gap()?;
    let mut heading =
        Words::of(Ink::Strong, &name(group, style.several_files)).and(Ink::Plain, ": ");
    if let Some(threat) = &first.alert.threat {
        heading.push(Ink::Plain, &format!("{threat}, "));
    }
    heading.push(Ink::Flagged, &first.alert.destination);
    if let Some(host) = &first.alert.host {
        heading.push(Ink::Plain, &format!(", blamed on {host}"));
    }
    if let Some(when) = when(group, context) {
        heading.push(Ink::Plain, &format!(", {when}"));
    }
    let events = group.events();
    if events > 0 {
        heading.push(Ink::Aside, &format!(", {}", count(events, "event", "events")));
    }
    page.say(0, &heading)?;
    for client in group.clients.iter().take(CLIENTS_MAX) {
        page.entry(2, 2, "→", &client_words(context, client, first, group.differ))?;
    }
    if group.clients.len() > CLIENTS_MAX {
        let more = number((group.clients.len() - CLIENTS_MAX) as u64);
        page.entry(2, 2, "→", &Words::plain(&format!("and {more} more, see below")))?;
    }
    // What is said of all of these stands at the top.
    if first.basis.is_of_another_day && context.ending.answers.len() > 1 {
        return page.entry(2, 2, "→", &Words::of(Ink::Strong, "outside the capture's time"));
    }
    if group.clients.is_empty() {
        let text = once(first.reason.as_deref().unwrap_or("nobody can be named"));
        let text = match first.verdict {
            Some(Verdict::NoClient) if !text.starts_with("no client") => {
                format!("no client: {text}")
            }
            Some(Verdict::NoClient) => text,
            Some(_) => format!("cannot be decided: {text}"),
            None => text,
        };
        page.entry(2, 2, "→", &Words::of(Ink::Strong, &text))?;
    }
    let nearest = group.nearest(style.zone_is_said);
    for nearest in nearest.iter().take(NAMES_MAX) {
        page.entry(4, LABELS, "nearest", &Words::plain(&once(nearest)))?;
    }
    let notes = group.notes();
    // Of many, what was said of one need not be said of each.
    let is_new = |note: &&&str| !style.is_long || !told.above.has(note);
    let notes: Vec<&str> = notes.iter().filter(is_new).copied().collect();
    let mut once = |text: &str| told.once(text, &first.alert, style.several_files);
    for note in notes.iter().take(NAMES_MAX) {
        page.entry(4, LABELS, "note", &Words::of(Ink::Caution, &once(note)))?;
    }
    let more = nearest.len().saturating_sub(NAMES_MAX) + notes.len().saturating_sub(NAMES_MAX);
    if more > 0 {
        let text =
            format!("{}: --format jsonl has them", count(more as u64, "more note", "more notes"));
        page.entry(4, LABELS, "note", &Words::of(Ink::Aside, &text))?;
    }
    let Some(next) = group.next(context.subject, context.ending) else { return Ok(()) };
    let words = match style.is_long && told.was_told(next.kind) {
        true => next.short,
        false => Some(told.once(&next.words, &first.alert, style.several_files)),
    };
    match words {
        Some(words) => page.entry(4, LABELS, "next", &Words::plain(&words)),
        None => Ok(()),
    }
}

/// How alerts are told.
#[derive(Clone, Copy)]
struct Style {
    several_files: bool,
    zone_is_said: bool,
    /// There are so many that what repeats itself is cut short.
    is_long: bool,
}

/// Who, how sure, what and when.
fn client_words(
    context: &TextContext<'_>,
    client: &Suspect,
    answer: &Answer,
    differ: bool,
) -> Words {
    let mut words = Words::of(Ink::Strong, &client.address.to_string());
    if let Some(hostname) = &client.hostname {
        words.push(Ink::Plain, &format!(" ({})", hostname.name));
    }
    let sure = words::sureness(client.asked_permille);
    let raised = words::raised(client);
    let what = if raised.is_some() { " that it asked for" } else { ": asked for" };
    words.push(Ink::Plain, &format!(", {sure}{what} {}", asked(client)));
    if !context.subject.asked_itself(client, answer) && client.chain.len() > 1 {
        words.push(Ink::Plain, ", which led there,");
    }
    let when = match differ && client.first != client.last {
        true => {
            format!("from {} to {}", context.times.at(client.first), context.times.at(client.last))
        }
        false => context.times.often(&words::times(client.asks), client.first, client.last),
    };
    words.push(Ink::Plain, &format!(" {when}"));
    match client.role {
        Role::Initiator => {}
        Role::Refresh => words.push(Ink::Aside, ", and set off a refresh"),
        Role::Joiner => words.push(Ink::Aside, ", and waited for the same answer"),
        Role::Cached => {}
    }
    if let Some(raised) = raised {
        words.push(Ink::Aside, &format!("; {raised}"));
    }
    if let Some(connected) = connected(context.ending, client, answer, |at| context.times.at(at)) {
        words.push(Ink::Strong, &format!("; it {connected}"));
    }
    words
}
