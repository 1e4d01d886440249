//! What all sections speak of: the subject, the folded sightings, and where on the page things stand.

use std::collections::BTreeMap;

use super::path::shortest;
use super::visible_text::VisibleText;
use super::{Dealing, Fold, Frames, Suspected};
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::report::weighed::Urgency;
use crate::report::wording::fold::machines;
use crate::report::wording::headline::Found;
use crate::report::wording::machines::Machines;
use crate::report::wording::timed::Timed;
use crate::report::wording::words::{self, Grade, Times, number};
use crate::report::{Ending, Subject};
use crate::time::Timestamp;

/// So many clients are called by name where others are counted, and need no table.
pub(super) const FEW: usize = 3;

impl Suspected<'_> {
    /// `192.168.2.42 (KEVIN-PC)`.
    pub fn called(&self) -> String {
        let name = self.person.hostnames.first();
        let name = name.map_or(String::new(), |name| format!(" ({})", name.name));
        format!("{}{name}", self.address)
    }

    /// It, as the heading needs it.
    pub fn found(&self) -> Found {
        let macs = self.person.senders.own().collect();
        Found { address: self.address, called: self.called(), urgency: self.urgency, macs }
    }
}

/// What decides where a dealing stands: the most pressing first, then the surest, then the earliest.
fn rank(timed: Option<&Timed>, dealing: &Dealing) -> (Urgency, Urgency, Grade, Timestamp) {
    let grade = Grade::of(dealing.most_permille);
    (dealing.urgency(timed), Urgency::of(dealing.weight()), grade, dealing.first)
}

/// What all sections speak of.
pub(super) struct PageContext<'a> {
    pub subject: Subject<'a>,
    pub ending: &'a Ending<'a>,
    pub fold: &'a Fold,
    pub times: Times,
    /// All clients, in the order of the page.
    pub clients: Vec<Suspected<'a>>,
    /// Who is named for alerts, where these have times.
    pub timed: Option<Timed>,
    /// Which of them are one machine.
    pub machines: Machines,
    /// All indicators that somebody is named for, with their dealings, in the order of the page.
    pub flagged: Vec<(IndicatorId, Vec<&'a Dealing>)>,
    cards: BTreeMap<Address, usize>,
    sections: BTreeMap<IndicatorId, usize>,
}

impl<'a> PageContext<'a> {
    /// Puts in order what was folded. Only the first `cards` clients and `sections` indicators have a
    /// place of their own.
    pub fn new(
        subject: Subject<'a>,
        ending: &'a Ending<'a>,
        fold: &'a Fold,
        cards: usize,
        sections: usize,
    ) -> PageContext<'a> {
        let timed = Timed::of(ending.answers);
        let mut clients = fold.clients(timed.as_ref());
        let mut by_indicator: BTreeMap<IndicatorId, Vec<&Dealing>> = BTreeMap::new();
        for dealing in clients.iter().flat_map(|client| &client.dealings) {
            by_indicator.entry(dealing.indicator).or_default().push(dealing);
        }
        let rank = |dealing: &Dealing| rank(timed.as_ref(), dealing);
        for client in &mut clients {
            client.dealings.sort_by_key(|dealing| (rank(dealing), dealing.indicator));
        }
        clients.sort_by_key(|client| {
            let is_other = timed.as_ref().is_some_and(|timed| !timed.names(client.address));
            (is_other, client.dealings.first().map(|dealing| rank(dealing)), client.address)
        });
        let mut flagged: Vec<(IndicatorId, Vec<&Dealing>)> = by_indicator.into_iter().collect();
        for (_, dealings) in &mut flagged {
            dealings.sort_by_key(|dealing| (rank(dealing), dealing.client));
        }
        let first =
            |dealings: &[&Dealing]| dealings.first().map(|dealing| dealing.urgency(timed.as_ref()));
        flagged.sort_by_key(|(indicator, dealings)| (first(dealings), *indicator));
        let places = clients.iter().take(cards).enumerate();
        let cards = places.map(|(place, client)| (client.address, place + 1)).collect();
        let places = flagged.iter().take(sections).enumerate();
        let sections = places.map(|(place, (indicator, _))| (*indicator, place + 1)).collect();
        let times = Times::of(ending.coverage, subject.zone);
        let machines = machines(&clients);
        PageContext {
            subject,
            ending,
            fold,
            times,
            clients,
            timed,
            machines,
            flagged,
            cards,
            sections,
        }
    }

    /// Whether there are so few clients that their cards say it all.
    pub fn is_few(&self) -> bool {
        self.clients.len() <= FEW
    }

    /// An urgency for people.
    pub fn label(&self, urgency: Urgency) -> &'static str {
        match urgency {
            Urgency::Act => "Asked and connected: act on this",
            Urgency::Look => "Look at this machine",
            Urgency::Weigh => "Perhaps a false alarm",
            Urgency::Other if self.ending.answers.len() == 1 => "Not at the alert's time",
            Urgency::Other => "Not at the alerts' times",
        }
    }

    /// How pressing a dealing is.
    pub fn urgency(&self, dealing: &Dealing) -> Urgency {
        dealing.urgency(self.timed.as_ref())
    }

    /// A file by its name, with as much of its path as tells it from the others.
    pub fn file(&self, path: &str) -> String {
        let files = self.subject.files.0.iter().map(String::as_str);
        shortest(path, files).to_owned()
    }

    /// A list by its name, as [`PageContext::file`].
    pub fn list(&self, path: &str) -> String {
        let lists = self.subject.indicators.lists().iter().map(|list| list.name.as_str());
        shortest(path, lists).to_owned()
    }

    /// The number of a client's card, from 1; 0 if it has none.
    pub fn card(&self, client: Address) -> usize {
        self.cards.get(&client).copied().unwrap_or_default()
    }

    /// The number of an indicator's section, from 1; 0 if it has none.
    pub fn section(&self, indicator: IndicatorId) -> usize {
        self.sections.get(&indicator).copied().unwrap_or_default()
    }

    /// What is listed.
    pub fn value(&self, indicator: IndicatorId) -> &'a str {
        self.subject.indicators.get(indicator).map_or("", |indicator| indicator.value)
    }

    /// Where it is listed and what is said of it there: `flagged.txt, line 4`.
    pub fn listed(&self, indicator: IndicatorId) -> VisibleText {
        let indicators = self.subject.indicators;
        let Some(found) = indicators.get(indicator) else { return VisibleText::default() };
        let listing = indicators.listing(&found);
        let mut lists = indicators.lists().iter().map(|list| list.name.as_str());
        let path = lists.find(|path| {
            listing.strip_prefix(path).is_some_and(|rest| rest.starts_with(", line "))
        });
        let path = path.unwrap_or_default();
        VisibleText::new(&format!(
            "{}{}",
            self.list(path),
            listing.get(path.len()..).unwrap_or_default()
        ))
    }

    /// The zone of the page.
    pub fn zone(&self) -> VisibleText {
        let first = self.ending.coverage.span.map(|(first, _)| first).unwrap_or_default();
        VisibleText::new(&self.times.zone_at(first))
    }

    /// A time with its zone, and with the date where it is not plain from the start of the page.
    pub fn at(&self, time: Timestamp) -> String {
        self.times.with_zone(time)
    }

    /// How often and when, with the zone.
    pub fn often(&self, count: u64, first: Timestamp, last: Timestamp) -> String {
        self.times.often_with_zone(&words::times(count), first, last)
    }

    /// A time to the millisecond, without the zone: the one place where more than a second's precision is
    /// written.
    pub fn moment(&self, time: Timestamp) -> String {
        format!("{}.{:03}", self.times.at(time), time.subsec_nanos() / 1_000_000)
    }

    /// Wireshark display filters that show frames, one for each file.
    pub fn filters(&self, frames: &Frames) -> Evidence {
        let filters = frames.filters().into_iter().map(|(first, text)| Filter {
            file: VisibleText::new(&self.file(self.subject.files.of(first).unwrap_or_default())),
            text,
        });
        let note = if frames.of < frames.all {
            format!("the first {} of {} lookups", number(frames.of), number(frames.all))
        } else {
            String::new()
        };
        Evidence { filters: filters.collect(), note }
    }
}

/// The frames that show something.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub filters: Vec<Filter>,
    /// If they are not all: which.
    pub note: String,
}

/// A display filter, and the file it is for if there are several.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub file: VisibleText,
    pub text: String,
}
