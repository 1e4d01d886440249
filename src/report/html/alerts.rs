//! The firewall's alerts and the answers to them, alike alerts together.

use std::collections::BTreeSet;

use super::left_out;
use super::overview::runs;
use super::path::shortest;
use super::view::PageContext;
use super::visible_text::VisibleText;
use crate::alert::{Alert, Answer, Suspect};
use crate::attribution::Verdict;
use crate::report::wording::alerts::{Above, clocks as clocks_of, connected};
use crate::report::wording::alike::{Alike, alike};
use crate::report::wording::caveats::{in_gaps, of_another_day, timeless, times_unread, unread};
use crate::report::wording::headline::counted;
use crate::report::wording::ink::Ink;
use crate::report::wording::timed::zone_that_fits;
use crate::report::wording::words::{count, list, raised, sureness};

/// How many groups of alike alerts are shown.
const GROUPS_MAX: usize = 200;
/// How many alerts are shown as they are written, in all and of one group.
const QUOTES_MAX: usize = 400;
/// See [`QUOTES_MAX`].
const QUOTES_OF_GROUP_MAX: usize = 40;
/// In more groups than these, alerts as they are written are closed from the start, and not printed.
const OPEN_MAX: usize = 10;
/// How many clients are named with one.
const SUSPECTS_MAX: usize = 12;
/// How many names are shown that a client asked, and how many notes.
const NAMES_MAX: usize = 4;
/// How much of an alert's own text is shown, in characters.
const TEXT_MAX: usize = 400;

/// The section.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    pub sentence: VisibleText,
    /// That they have no times, if so.
    pub timeless: VisibleText,
    /// How the firewalls' clocks stand to the capture's, where that need not be minded.
    pub clocks: Vec<VisibleText>,
    pub answered: Vec<Answered>,
    pub are_quotes_open: bool,
    pub more: String,
}

/// Alike alerts and their answer.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// Of the group, from 1.
    pub number: usize,
    pub class: &'static str,
    pub label: &'static str,
    /// Whether all its clients only came there by an alias or a name server.
    pub is_doubtful: bool,
    /// `Alerts 1–3, 7`.
    pub name: VisibleText,
    pub destination: VisibleText,
    /// What else the alerts say, in words.
    pub said: Vec<VisibleText>,
    pub quotes: Vec<Quote>,
    pub quotes_more: String,
    pub section: usize,
    pub suspects: Vec<Named>,
    pub more: String,
    pub reason: Sentence,
    pub nearest: Vec<Sentence>,
    pub notes: Vec<Sentence>,
    pub next: Sentence,
}

/// An alert as it is written.
#[derive(Clone, Debug)]
pub(super) struct Quote {
    pub text: VisibleText,
    pub place: VisibleText,
}

/// A client named for it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub card: usize,
    pub address: VisibleText,
    pub words: VisibleText,
}

/// A sentence, or the group further up that it stands with.
#[derive(Clone, Debug, Default)]
pub(super) struct Sentence {
    pub text: VisibleText,
    /// The number of that group; 0 where it stands here.
    pub above: usize,
}

impl Sentence {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// What bears on all that is said of the alerts: that their times could not be read, or are not of the capture's, or of
/// another zone, or that clocks are off.
pub(super) fn cautions(context: &PageContext<'_>) -> Vec<VisibleText> {
    let answers = context.ending.answers;
    let times = [
        times_unread(context.ending, &context.times),
        of_another_day(context.ending, &context.times),
        in_gaps(context.ending, &context.times),
        zone_that_fits(answers),
    ];
    let times = times.into_iter().flatten().map(|text| VisibleText::new(&text));
    let off = clocks(answers).into_iter().filter(|(is_caution, _)| *is_caution);
    times.chain(off.map(|(_, text)| text)).collect()
}

/// The section, empty where no alerts were given.
pub(super) fn answers(context: &PageContext<'_>) -> Alerts {
    let answers = context.ending.answers;
    if answers.is_empty() {
        return Alerts::default();
    }
    let groups = alike(context.subject, context.ending);
    let left = groups.len().saturating_sub(GROUPS_MAX);
    let mut writer = Writer {
        context,
        files: answers.iter().map(|answer| answer.alert.file.as_str()).collect(),
        zone_is_said: zone_that_fits(answers).is_some(),
        above: Above::default(),
        quotes_left: QUOTES_MAX,
    };
    Alerts {
        sentence: VisibleText::new(&match unread(context.ending) {
            Some(unread) => format!("{} {unread}", counted(answers)),
            None => counted(answers),
        }),
        timeless: VisibleText::new(&timeless(context.ending, &context.times).unwrap_or_default()),
        clocks: clocks(answers)
            .into_iter()
            .filter(|(is_caution, _)| !is_caution)
            .map(|(_, text)| text)
            .collect(),
        are_quotes_open: groups.len() <= OPEN_MAX,
        answered: groups
            .iter()
            .take(GROUPS_MAX)
            .enumerate()
            .filter_map(|(place, group)| writer.answered(place + 1, group))
            .collect(),
        more: left_out(left as u64, "further answer is", "further answers are"),
    }
}

/// How the clock of each firewall stands to the capture's.
fn clocks(answers: &[Answer]) -> Vec<(bool, VisibleText)> {
    let files: BTreeSet<&str> = answers.iter().map(|answer| answer.alert.file.as_str()).collect();
    let name =
        |file: &str| (files.len() > 1).then(|| shortest(file, files.iter().copied()).to_owned());
    let said = clocks_of(answers, name).into_iter().map(|words| {
        let is_caution = words.pieces().any(|(ink, _)| ink == Ink::Caution);
        (is_caution, VisibleText::new(&words.plain_text()))
    });
    said.collect()
}

/// The badge of an answer, in the words of the text report.
fn badge(answer: &Answer) -> (&'static str, &'static str) {
    match answer.verdict {
        Some(Verdict::Attributed) => ("named", "Leads to a client"),
        Some(Verdict::NoClient) => ("nobody", "No client"),
        Some(Verdict::Undetermined) => ("open", "Cannot be decided"),
        None if answer.basis.is_of_another_day => ("open", "Outside the capture's time"),
        None if answer.basis.is_of_other_times => ("open", "Asked for only at other times"),
        None => ("open", "Matches nothing in this capture"),
    }
}

/// Writes group by group.
struct Writer<'s, 'a> {
    context: &'s PageContext<'a>,
    files: BTreeSet<&'a str>,
    /// Whether it is said of all which zone would fit.
    zone_is_said: bool,
    /// What stands with which group.
    above: Above<(usize, VisibleText)>,
    quotes_left: usize,
}

impl Writer<'_, '_> {
    fn answered(&mut self, number: usize, group: &Alike<'_>) -> Option<Answered> {
        let first = *group.answers.first()?;
        let (class, label) = badge(first);
        let name = VisibleText::new(&self.name(group));
        let left = group.clients.len().saturating_sub(SUSPECTS_MAX);
        let mut once = |text: &str| match self.above.of(text, || (number, name.clone())) {
            Some((above, name)) => Sentence { text: name.clone(), above: *above },
            None => Sentence { text: VisibleText::new(text), above: 0 },
        };
        // What is said of all of these stands at the top.
        let is_told = first.basis.is_of_another_day && self.context.ending.answers.len() > 1;
        let reason = first.reason.as_deref().filter(|_| !is_told);
        let reason = once(reason.unwrap_or_default());
        let nearest = group.nearest(self.zone_is_said).into_iter().filter(|_| !is_told);
        let nearest = nearest.take(NAMES_MAX).map(&mut once).collect();
        let notes = group.notes().into_iter().filter(|_| !is_told);
        let notes = notes.take(NAMES_MAX).map(&mut once).collect();
        let next = group.next(self.context.subject, self.context.ending);
        let next = once(next.as_ref().map_or("", |next| &next.words));
        let quotes = self.quotes(&group.answers);
        let is_doubtful = !group.clients.is_empty()
            && group.clients.iter().all(|client| self.is_doubtful(client, first));
        Some(Answered {
            number,
            class,
            label,
            is_doubtful,
            destination: VisibleText::new(&first.alert.destination),
            said: self.said(group).iter().map(|text| VisibleText::new(text)).collect(),
            quotes_more: left_out(
                group.answers.len().saturating_sub(quotes.len()) as u64,
                "more alert",
                "more alerts",
            ),
            quotes,
            section: first.indicator.map_or(0, |indicator| self.context.section(indicator)),
            suspects: group
                .clients
                .iter()
                .take(SUSPECTS_MAX)
                .map(|client| {
                    // What is so of all of them, the badge says.
                    let doubt = !is_doubtful && self.is_doubtful(client, first);
                    self.named(client, first, group.differ, doubt)
                })
                .collect(),
            more: left_out(left as u64, "more client", "more clients"),
            name,
            reason,
            nearest,
            notes,
            next,
        })
    }

    /// `Alerts 1–3, 7`, with their file if there are several.
    fn name(&self, group: &Alike<'_>) -> String {
        let first = group.answers.first().filter(|_| self.files.len() > 1);
        group.name(&runs(&group.numbers()), first.map(|answer| self.file(&answer.alert)))
    }

    fn file<'f>(&self, alert: &'f Alert) -> &'f str {
        shortest(&alert.file, self.files.iter().copied())
    }

    fn said(&self, group: &Alike<'_>) -> Vec<String> {
        let Some(alert) = group.answers.first().map(|answer| &answer.alert) else {
            return Vec::new();
        };
        let mut said = Vec::new();
        if let Some(threat) = &alert.threat {
            said.push(format!("threat {threat}"));
        }
        if let Some(host) = &alert.host {
            said.push(format!("blamed on {host}"));
        }
        if let Some((first, last)) = group.times() {
            let [from, to] = self.context.times.both(first, last);
            let zone = self.context.times.distance_at(last);
            said.push(match from == to {
                true => format!("at {to} {zone} by the firewall's clock"),
                false => format!("from {from} to {to} {zone} by the firewall's clock"),
            });
        }
        let events = group.events();
        if events > 0 {
            said.push(count(events, "event", "events"));
        }
        said
    }

    /// The alerts as they are written, while there is room.
    fn quotes(&mut self, answers: &[&Answer]) -> Vec<Quote> {
        let room = self.quotes_left.min(QUOTES_OF_GROUP_MAX);
        let quotes: Vec<Quote> = answers
            .iter()
            .take(room)
            .map(|answer| Quote {
                text: VisibleText::short(&answer.alert.text, TEXT_MAX),
                place: VisibleText::new(&format!(
                    "{}, line {}",
                    self.file(&answer.alert),
                    answer.alert.line
                )),
            })
            .collect();
        self.quotes_left -= quotes.len();
        quotes
    }

    /// Whether a client only came there by an alias or a name server, as its card says.
    fn is_doubtful(&self, client: &Suspect, answer: &Answer) -> bool {
        let dealing = answer.indicator.and_then(|id| self.context.fold.dealing(client.address, id));
        dealing.is_some_and(super::Dealing::is_doubtful)
    }

    fn named(&self, client: &Suspect, answer: &Answer, differ: bool, doubt: bool) -> Named {
        let context = self.context;
        let names: Vec<&str> = client.asked.iter().take(NAMES_MAX).map(String::as_str).collect();
        let names = match client.asked.len().saturating_sub(NAMES_MAX) {
            0 => list(&names),
            more => {
                format!(
                    "{} and {}",
                    names.join(", "),
                    count(more as u64, "other name", "other names")
                )
            }
        };
        let when = match differ && client.first != client.last {
            true => {
                format!("from {} to {}", context.times.at(client.first), context.at(client.last))
            }
            false => context.often(client.asks, client.first, client.last),
        };
        let connected = connected(context.ending, client, answer, |at| context.at(at));
        let connected = connected.map_or(String::new(), |connected| format!(", and {connected}"));
        let doubt = match doubt {
            true => "; perhaps a false alarm: it asked for another name, which led there",
            false => "",
        };
        let called =
            client.hostname.as_ref().map_or(String::new(), |name| format!("({}) ", name.name));
        let sure = sureness(client.asked_permille);
        let sure = match raised(client) {
            Some(raised) => format!("{sure} that it asked; {raised}"),
            None => sure,
        };
        Named {
            card: context.card(client.address),
            address: VisibleText::new(&client.address.to_string()),
            words: VisibleText::new(&format!(
                "{called}asked for {names} {when}{connected}; {sure}{doubt}"
            )),
        }
    }
}
