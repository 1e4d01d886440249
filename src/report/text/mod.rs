//! The answer for people: the firewall's alerts, if there were any; the verdict in one sentence, then who, why, how sure, and what to open in
//! Wireshark; then what has no client, what cannot be decided, and what the capture shows and lacks.
//!
//! It is written at the end, so that what was seen many times is said once.

mod alerted;
mod answers;
mod called;
mod capture;
mod clients;
mod overview;
mod page;
mod ticket;
mod unnamed;
mod unseen;

use std::collections::BTreeSet;
use std::io::{self, Write};

use self::answers::Answered;
use self::page::Page;
use super::weighed::Weighed;
use super::wording::alerts::misdirected;
use super::wording::caveats::{caveats, unread};
use super::wording::headline::{self, Found, Heading};
use super::wording::ink::{Ink, Words};
use super::wording::timed::Timed;
use super::wording::{fold, unnamed as groups};
use super::{Ending, Files, Report, Subject};
use crate::attribution::Attribution;
use crate::indicator::IndicatorId;
use crate::report::wording::words::{Times, count, list, number};

#[cfg(feature = "tui")]
pub(crate) use self::called::HostNames;
pub use self::page::Look;
pub use self::ticket::Ticket;

/// The width of the column in which an entry's labels stand.
const LABELS: usize = 8;
/// How many files, lists or resolvers are named one by one.
const NAMED_MAX: usize = 8;
/// How many names asked for are kept with a dealing.
const WAYS_MAX: usize = 4;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 12;

type Fold = fold::Fold<WAYS_MAX, FRAMES_MAX>;
type Dealing = fold::Dealing<WAYS_MAX, FRAMES_MAX>;
type Suspected<'f> = fold::Suspected<'f, WAYS_MAX, FRAMES_MAX>;
type Frames = fold::Frames<FRAMES_MAX>;
type Groups = groups::Groups<WAYS_MAX, FRAMES_MAX>;
type Group = groups::Group<WAYS_MAX, FRAMES_MAX>;
type Unnamed = groups::Unnamed<WAYS_MAX, FRAMES_MAX>;

/// The report for people.
#[derive(Debug)]
pub struct Text<'a, W> {
    out: W,
    look: Look,
    subject: Subject<'a>,
    fold: Fold,
    /// What was seen at all.
    listed: BTreeSet<IndicatorId>,
}

impl<'a, W: Write> Text<'a, W> {
    /// Writes to `out` at the end.
    pub fn new(out: W, look: Look, subject: Subject<'a>) -> Text<'a, W> {
        Text { out, look, subject, fold: Fold::default(), listed: BTreeSet::new() }
    }
}

impl<W: Write> Report for Text<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.listed.insert(attribution.indicator);
        self.fold.add(attribution);
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let times = Times::of(ending.coverage, self.subject.zone);
        let timed = Timed::of(ending.answers);
        let context = TextContext { subject: self.subject, ending, times, timed };
        let weighed = Weighed::of(ending);
        self.fold.complete(ending, &weighed);
        let (groups, left_out) = (&self.fold.groups, self.fold.clients_left_out);
        let suspected = clients::in_order(&self.fold, context.timed.as_ref());
        let mut page = Page::new(&mut self.out, self.look);
        if let Some(why) = misdirected(ending.answers) {
            page.say(0, &Words::of(Ink::Strong, why))?;
            capture::write(&mut page, &context)?;
            return self.out.flush();
        }
        let found: Vec<Found> = suspected.iter().map(Suspected::found).collect();
        let heading = headline::heading(ending, context.timed.as_ref(), &found, left_out > 0);
        context.headline(&mut page, &heading)?;
        let answered = Answered::of(&context);
        let is_long = answered.as_ref().is_some_and(Answered::is_long);
        if let Some(answered) = &answered {
            answers::write_head(&mut page, &context)?;
            if !is_long {
                answered.write(&mut page, &context)?;
            }
            page.title(if is_long { "At a glance" } else { "What was seen" })?;
            page.gap()?;
        }
        context.looked(&mut page)?;
        overview::write(&mut page, &context, &suspected, groups)?;
        if let Some(answered) = answered.filter(|_| is_long) {
            page.title("Alert by alert")?;
            answered.write(&mut page, &context)?;
        }
        clients::write(&mut page, &context, &suspected, left_out, &weighed)?;
        unnamed::write(&mut page, &context, groups, &weighed)?;
        unseen::write(&mut page, self.subject.indicators, &self.listed)?;
        capture::write(&mut page, &context)?;
        // Terminals show the end.
        page.gap()?;
        context.comes_to(&mut page, &heading)?;
        self.out.flush()
    }
}

impl Suspected<'_> {
    /// It, as the heading needs it.
    fn found(&self) -> Found {
        let name = self.dealings.first().and_then(|dealing| dealing.called());
        let name = name.map_or(String::new(), |name| format!(" ({})", name.short()));
        let called = format!("{}{name}", self.address);
        let macs = self.person.senders.own().collect();
        Found { address: self.address, called, urgency: self.urgency, macs }
    }
}

/// What all sections speak of.
struct TextContext<'a> {
    subject: Subject<'a>,
    ending: &'a Ending<'a>,
    times: Times,
    /// Who is named for alerts, where these have times.
    timed: Option<Timed>,
}

impl TextContext<'_> {
    /// What it comes to.
    fn comes_to<W: Write>(&self, page: &mut Page<'_, W>, heading: &Heading) -> io::Result<()> {
        let mut words = Words::of(Ink::Strong, &heading.verdict);
        if !heading.beside.is_empty() {
            words.push(Ink::Plain, &format!(" {}", heading.beside));
        }
        if let Some(text) = unread(self.ending) {
            words.push(Ink::Caution, &format!(" {text}"));
        }
        page.say(0, &words)
    }

    /// What it comes to, and what must be known before the rest is read.
    fn headline<W: Write>(&self, page: &mut Page<'_, W>, heading: &Heading) -> io::Result<()> {
        self.comes_to(page, heading)?;
        caveats(self.ending).iter().try_for_each(|text| page.say(0, &Words::of(Ink::Caution, text)))
    }

    /// What was looked at.
    fn looked<W: Write>(&self, page: &mut Page<'_, W>) -> io::Result<()> {
        page.say(0, &Words::plain(&self.looked_at()))?;
        if self.ending.verdicts.total() > 0 {
            let text =
                "To look at the packets, paste a \"frames\" line into Wireshark's filter bar.";
            page.say(0, &Words::of(Ink::Aside, text))?;
        }
        Ok(())
    }

    fn looked_at(&self) -> String {
        let indicators = self.subject.indicators;
        let mut parts = Vec::new();
        if let Some((first, last)) = self.ending.coverage.span {
            parts.push(self.times.span(first, last));
        }
        let messages = count(self.ending.lacked.decoded.messages, "DNS message", "DNS messages");
        let lists: Vec<&str> = indicators.list_names().collect();
        let entries = count(indicators.len() as u64, "indicator", "indicators");
        parts.push(format!("{messages} searched for {entries} of {}", some(&lists, "lists")));
        parts.join("; ") + "."
    }
}

/// The first few of many, and how many more there are.
fn some(names: &[&str], what: &str) -> String {
    match names.get(..NAMED_MAX) {
        Some(few) if few.len() < names.len() => {
            format!(
                "{} and {} more {what}",
                few.join(", "),
                number((names.len() - few.len()) as u64)
            )
        }
        _ => list(names),
    }
}

/// The display filters that show frames in Wireshark, one for each file.
fn write_filters<W: Write>(
    page: &mut Page<'_, W>,
    indent: usize,
    files: &Files,
    frames: &Frames,
) -> io::Result<()> {
    let filters = frames.filters();
    let mut label = "frames";
    for (place, (first, filter)) in filters.iter().enumerate() {
        let is_last = place + 1 == filters.len();
        if let Some(file) = files.of(*first) {
            // Unbroken, so that it can be copied.
            let file = Words::of(Ink::Aside, label)
                .padded(LABELS)
                .and(Ink::Aside, file)
                .and(Ink::Aside, ":");
            page.line(&file.indented(indent))?;
            label = "";
        }
        let mut words = Words::of(Ink::Plain, filter);
        if is_last && frames.cut {
            words.push(Ink::Aside, " (and more of one lookup)");
        }
        if is_last && frames.of < frames.all {
            let text =
                format!(" (the first {} of {} lookups)", number(frames.of), number(frames.all));
            words.push(Ink::Aside, &text);
        }
        page.entry(indent, LABELS, label, &words)?;
        label = "";
    }
    Ok(())
}
