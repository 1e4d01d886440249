//! Lines for people who watch: each client with what it asked for, and at the end what it came to.
//!
//! A page that somebody opens asks for a name several times within a moment, and each lookup is told twice. So
//! what a client did is said once, and again only when there is something new to say: see [`AnnouncementLog`].

use std::collections::BTreeMap;
use std::io::{self, Write};

use textwrap::{Options, WordSeparator, WordSplitter};

use super::weighed::Weight;
use super::wording::unnamed::Groups;
use super::wording::words::{Grade, count, list, number, percent, times};
use super::{Ending, Report, Subject};
use crate::attribution::{
    Attribution, Client, Place, State, SummaryRow, Verdict, Way, is_listed_itself, way,
};
use crate::contact::Contact;
use crate::flow::Address;
use crate::indicator::Indicator;
use crate::resolution::{Leg, Role};
use crate::time::{Span, Timestamp, Zone};

/// What is still going on after so long is said again.
const AGAIN_AFTER: Span = Span::from_secs(3_600);
/// How much of what was said is remembered, and how many sightings of which the last word is still to come.
/// At either limit all is forgotten, and said again.
const SAID_MAX: usize = 1 << 16;
/// For so many names that a client asked for there is a line each, as far as they led to the same indicator: a tunnel
/// through DNS, or a bot that makes names up, asks for another with each question. The others have one line together.
const ASKED_MAX: u32 = 16;
/// For how many reasons it is said at the end why no client is named, and of how many indicators each.
const REASONS_MAX: usize = 8;
const NAMES_MAX: usize = 4;

/// Writes in which zone times are, and what it all came to. What happens meanwhile is for [`AnnouncementLog`] to say.
#[derive(Debug)]
pub struct Lines<'a, W> {
    out: W,
    subject: Subject<'a>,
    spoken: &'a AnnouncementLog,
    /// The width at which lines are wrapped, if they are.
    columns: Option<usize>,
}

impl<'a, W: Write> Lines<'a, W> {
    /// Writes to `out` what it came to; `spoken` knows what has no client.
    pub fn new(out: W, subject: Subject<'a>, spoken: &'a AnnouncementLog) -> Lines<'a, W> {
        Lines { out, subject, spoken, columns: None }
    }

    /// Wraps lines at so many columns.
    pub fn within(self, columns: usize) -> Lines<'a, W> {
        Lines { columns: Some(columns), ..self }
    }

    /// Says once in which zone the times are of what it came to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn zone(mut out: W, zone: &Zone, now: Timestamp) -> io::Result<()> {
        writeln!(out, "Times are in {}.", zone.name_at(now))
    }

    /// Says once what a line begins with: of when it is, in which zone, and whether that is the last word.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn heading(mut out: W, zone: &Zone, now: Timestamp) -> io::Result<()> {
        writeln!(
            out,
            "Each line starts with the time of the question, in {}, so results settled late appear below newer \
             lines. \"so far\" may still be corrected by a later line.",
            zone.name_at(now)
        )
    }
}

/// Who was said to have done what: a client (or the resolver, where none is named), what is listed, and what
/// was asked for (or the verdict; or nothing, for all names beyond [`ASKED_MAX`]).
type Key = (Address, String, String);

/// What is less sure than this is worth a line when it becomes surer, or in the end is so.
const SURE_ENOUGH: Grade = Grade::VeryLikely;

/// What was said of one client and question.
#[derive(Clone, Debug)]
struct Announcement {
    first: Timestamp,
    last_said: Timestamp,
    times: u64,
    /// Of how many sightings it was said that are not taken back.
    backed: u64,
    grade: Grade,
    way: Option<Way>,
    has_name: bool,
    is_connected: bool,
}

/// What was said of a sighting before it was settled, client by client.
#[derive(Debug)]
struct ProvisionalLine {
    key: Key,
    grade: Grade,
    sentence: String,
}

/// Remembers what was said, so as to say only what is new:
///
/// 1. a client asked for something that led to what is listed for the first time;
/// 2. it is now known to have connected, or what it is called, or that the name led there of which only a name server
///    was known to; or it was doubtful that it was this client and is less so;
/// 3. the last word on a sighting is doubtful where the first was not, or takes the first back;
/// 4. it is settled that no client can be named for a lookup, the first time for what is listed;
/// 5. what was last said an hour ago still goes on, and how many times it was.
#[derive(Debug, Default)]
pub struct AnnouncementLog {
    said: BTreeMap<Key, Announcement>,
    /// For how many names there was a line each, by client and indicator.
    asked: BTreeMap<(Address, String), u32>,
    /// By the sighting's id.
    open: BTreeMap<String, Vec<ProvisionalLine>>,
    /// What no client is named for in the end.
    unnamed: Groups<NAMES_MAX, 0>,
}

impl AnnouncementLog {
    /// Keeps for the end what no client is named for.
    pub fn note(&mut self, attribution: &Attribution) {
        if (attribution.state, attribution.clients.len()) == (State::Final, 0) {
            self.unnamed.add(attribution);
        }
    }

    /// The lines about an attribution that say something new.
    pub fn lines(&mut self, attribution: &Attribution, subject: Subject<'_>) -> Vec<String> {
        let Some(indicator) = subject.indicators.get(attribution.indicator) else {
            return Vec::new();
        };
        let before = self.open.remove(&attribution.id).unwrap_or_default();
        if attribution.state == State::Superseded {
            return Vec::new();
        }
        if self.said.len() >= SAID_MAX || self.open.len() >= SAID_MAX {
            (self.said, self.asked, self.open) = Default::default();
        }
        let at = |time| civil(subject.zone, time);
        let (mut lines, mut told) = (Vec::new(), Vec::new());
        let clients = attribution.clients.iter().map(Some);
        // That nobody can be named is no news before it is settled: a resolver that iterates asks for each name
        // server of what a client asked for, and most of these lookups have a client in the end.
        let is_settled = attribution.state == State::Final;
        let nobody = (attribution.clients.is_empty() && is_settled).then_some(None);
        for client in clients.chain(nobody) {
            let key = self.key(attribution, client, indicator);
            let mut sentence = sentence(attribution, client, indicator);
            if key.2.is_empty() {
                sentence.push_str(FURTHER_NAMES);
            }
            let grade = Grade::of(client.map_or(1_000, |client| client.confidence_permille));
            let earlier = before.iter().find(|told| told.key == key);
            let how = client.map(|client| way(attribution, client, indicator));
            let since = self.news(attribution, client, &key, (grade, how), earlier);
            if let Some(since) = since {
                let time = client.map_or(attribution.sighting.time, |client| client.asked_time);
                let since = since.map_or(String::new(), |(count, first)| {
                    format!("; {} since {}", times(count), at(first))
                });
                let state = match (attribution.state, earlier) {
                    (State::Provisional, _) => SO_FAR,
                    (_, Some(told)) if grade <= told.grade => CONFIRMED,
                    _ => SETTLED,
                };
                lines.push(format!("{} {state} {sentence}{since}", at(time)));
            }
            told.push(ProvisionalLine { key, grade, sentence });
        }
        for gone in before.iter().filter(|gone| told.iter().all(|told| told.key != gone.key)) {
            if let Some(said) = self.said.get_mut(&gone.key) {
                said.backed = said.backed.saturating_sub(1);
                if said.backed == 0 {
                    let time = at(attribution.sighting.time);
                    lines.push(format!("{time} {TAKEN_BACK} {}", gone.sentence));
                    self.said.remove(&gone.key);
                }
            }
        }
        if attribution.state == State::Provisional {
            self.open.insert(attribution.id.clone(), told);
        }
        lines
    }

    /// What the line about a client is about; of names beyond [`ASKED_MAX`] all together.
    fn key(
        &mut self,
        attribution: &Attribution,
        client: Option<&Client>,
        indicator: Indicator<'_>,
    ) -> Key {
        let key = key(attribution, client, indicator);
        if client.is_none() || self.said.contains_key(&key) {
            return key;
        }
        let (client, indicator, _) = &key;
        let asked = self.asked.entry((*client, indicator.clone())).or_default();
        if *asked >= ASKED_MAX {
            let (client, indicator, _) = key;
            return (client, indicator, String::new());
        }
        *asked += 1;
        key
    }

    /// Whether there is something new to say; if it is that it goes on, how many times and since when.
    fn news(
        &mut self,
        attribution: &Attribution,
        client: Option<&Client>,
        key: &Key,
        (grade, way): (Grade, Option<Way>),
        earlier: Option<&ProvisionalLine>,
    ) -> Option<Option<(u64, Timestamp)>> {
        let time = client.map_or(attribution.sighting.time, |client| client.asked_time);
        let is_connected = client.is_some_and(Client::is_connected);
        let has_name = client.is_some_and(|client| client.hostname.is_some());
        let Some(said) = self.said.get_mut(key) else {
            let (first, last_said) = (time, time);
            let (times, backed) = (1, 1);
            let said = Announcement {
                first,
                last_said,
                times,
                backed,
                grade,
                way,
                has_name,
                is_connected,
            };
            self.said.insert(key.clone(), said);
            return Some(None);
        };
        said.times += u64::from(earlier.is_none());
        said.backed += u64::from(earlier.is_none());
        let is_surer = grade < said.grade && said.grade > SURE_ENOUGH;
        let is_less_sure = grade > SURE_ENOUGH
            && earlier.is_some_and(|told| told.grade < grade && said.grade < grade);
        let leads_there = way < said.way;
        let is_new =
            is_connected && !said.is_connected || has_name && !said.has_name || leads_there;
        let goes_on = time - said.last_said >= AGAIN_AFTER;
        if !(is_surer || is_less_sure || is_new || goes_on) {
            return None;
        }
        said.grade = grade;
        said.way = way.min(said.way);
        said.last_said = time.max(said.last_said);
        said.is_connected |= is_connected;
        said.has_name |= has_name;
        Some((goes_on && !is_new).then_some((said.times, said.first)))
    }
}

/// Stands behind the first of the names that have no line of their own.
const FURTHER_NAMES: &str = "; its further questions that led there are not listed one by one";

/// Whether a line is the last word on its lookup; all of one width, for they are a column.
const SO_FAR: &str = "so far   ";
/// It is, and what was said so far is right.
const CONFIRMED: &str = "confirmed";
/// It is the first word as well, or less sure than the first was.
const SETTLED: &str = "settled  ";
/// What was said so far is wrong.
const TAKEN_BACK: &str = "retracted";

/// `2026-11-28 03:05:23`.
fn civil(zone: &Zone, time: Timestamp) -> String {
    zone.civil(time).map_or_else(|| time.to_string(), |civil| civil.date + " " + &civil.clock)
}

fn key(attribution: &Attribution, client: Option<&Client>, indicator: Indicator<'_>) -> Key {
    match client {
        Some(client) => {
            (client.address, indicator.value.to_owned(), client.asked.to_ascii_lowercase())
        }
        None => {
            let verdict = attribution.verdict.as_str().to_owned();
            (attribution.sighting.resolver, indicator.value.to_owned(), verdict)
        }
    }
}

/// What the client's question led to: nothing but itself where it is listed, whatever was looked up for it.
fn flagged<'a>(client: &'a Client, indicator: Indicator<'a>) -> &'a str {
    match is_listed_itself(&client.asked, indicator) {
        true => &client.asked,
        false => client.chain.last().map_or(indicator.value, |step| step.name.as_str()),
    }
}

/// Who did what, and how sure that is.
fn sentence(
    attribution: &Attribution,
    client: Option<&Client>,
    indicator: Indicator<'_>,
) -> String {
    let sighting = &attribution.sighting;
    let Some(client) = client else {
        let why = attribution.reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
        let whose = match attribution.verdict {
            Verdict::NoClient => "no client is behind it",
            _ => "for which client cannot be told",
        };
        let asked = if sighting.leg == Leg::Client { "was asked" } else { "asked" };
        return format!(
            "DNS server {} {asked} for {} ({whose}{why})",
            sighting.resolver, sighting.name
        );
    };
    let called = client.hostname.as_ref().map_or(String::new(), |host| format!(" ({})", host.name));
    let (asked, flagged) = (&client.asked, flagged(client, indicator));
    let what = match way(attribution, client, indicator) {
        Way::Direct if flagged.eq_ignore_ascii_case(asked) => format!("{asked} itself"),
        Way::Direct => format!("{asked} itself; {flagged} is flagged"),
        Way::Address | Way::SharedAddress => {
            format!("{asked}, which has the flagged address {flagged}")
        }
        Way::OwnAlias | Way::Alias => format!("{asked}, which leads to {flagged}"),
        Way::Server if matches!(sighting.place, Place::Server) => {
            format!("{asked}, about which the flagged server {flagged} was asked")
        }
        Way::Server => format!("{asked}, whose name server is {flagged}"),
    };
    let connected = match &client.contact {
        Contact::Yes(connection) => format!(", and connected to {}", connection.address),
        Contact::Elsewhere(_) | Contact::No | Contact::NotVisible => String::new(),
    };
    let part = match client.role {
        Role::Initiator => "",
        Role::Joiner => ", waited for the same answer",
        Role::Cached => " that it asked; the cache answered",
        Role::Refresh => ", set off a refresh",
    };
    let sure = percent(client.confidence_permille);
    format!("{}{called} asked for {what}{connected} ({sure}{part})", client.address)
}

impl<W: Write> Report for Lines<'_, W> {
    /// Says nothing: [`AnnouncementLog`] does.
    fn attribution(&mut self, _: &Attribution) -> io::Result<()> {
        Ok(())
    }

    /// A line for each indicator and client, the most pressing first.
    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let mut rows = Vec::new();
        let listed = ending.summary.rows().filter_map(|(id, client, row)| {
            Some((self.subject.indicators.get(id)?, client, row, ""))
        });
        let unlisted = ending.summary.unlisted();
        let unlisted = unlisted
            .map(|(entry, client, row)| (entry.indicator(), client, row, ", no longer listed"));
        for (indicator, client, row, remark) in listed.chain(unlisted) {
            if !ending.internal.names(client) {
                continue;
            }
            let is_itself = row.names.iter().any(|name| is_listed_itself(name, indicator));
            let is_connected = matches!(row.contact, Contact::Yes(_));
            let weight = Weight::by_itself(row.way.is_led(), is_connected);
            let text = self.row(client, indicator, row, is_itself);
            rows.push((weight, format!("{} {text}{remark}", weight.lead())));
        }
        rows.sort_by_key(|(weight, _)| *weight);
        for (_, row) in rows {
            self.say(&row)?;
        }
        if ending.coverage.span.is_none() {
            self.say("No DNS packet was seen, so nothing can be concluded.")?;
        }
        self.unnamed()?;
        if let Some(loss) = ending.lacked.dropped.packets.loss() {
            self.say(&format!("Packets were lost. {loss}"))?;
        }
        self.in_all(ending)?;
        self.out.flush()
    }
}

impl<W: Write> Lines<'_, W> {
    /// Why lookups have no client.
    fn unnamed(&mut self) -> io::Result<()> {
        for (verdict, what) in
            [(Verdict::NoClient, "no client"), (Verdict::Undetermined, "undecided")]
        {
            let groups = self.spoken.unnamed.of(verdict);
            for group in groups.iter().take(REASONS_MAX) {
                let lookups = count(group.queries, "lookup", "lookups");
                // Not by what is listed: the lists may have been read anew since.
                let all: Vec<&str> =
                    group.unnamed.iter().flat_map(|of| &of.names).map(String::as_str).collect();
                let names = all.get(..NAMES_MAX).unwrap_or(&all).join(", ");
                let more = if all.len() > NAMES_MAX { " and others" } else { "" };
                let why = group.why();
                let resolver = group.resolver;
                self.say(&format!(
                    "{what}: {lookups} of {names}{more} by DNS server {resolver}: {why}"
                ))?;
            }
            if let more @ 1.. = groups.len().saturating_sub(REASONS_MAX) {
                let more = count(more as u64, "further reason", "further reasons");
                self.say(&format!("{what}: {more}; see --format jsonl"))?;
            }
        }
        Ok(())
    }

    /// How many lookups there were of each sort.
    fn in_all(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let verdicts = ending.verdicts;
        let unsettled = match ending.coverage.unsettled {
            0 => String::new(),
            many => format!("; {} more not settled, because the run was ended", number(many)),
        };
        self.say(&format!(
            "In total: {} with a client, {} without one, {} undecided{unsettled}.",
            count(verdicts.attributed, "lookup", "lookups"),
            number(verdicts.no_client),
            number(verdicts.undetermined)
        ))
    }

    /// Writes a line, of which what does not fit stands below, indented.
    fn say(&mut self, line: &str) -> io::Result<()> {
        let Some(columns) = self.columns else { return writeln!(self.out, "{line}") };
        let options = Options::new(columns)
            .subsequent_indent("    ")
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::wrap(line, options).iter().try_for_each(|line| writeln!(self.out, "{line}"))
    }
}

impl<W> Lines<'_, W> {
    fn row(
        &self,
        client: Address,
        indicator: Indicator<'_>,
        row: &SummaryRow,
        is_itself: bool,
    ) -> String {
        let called =
            row.hostname.as_ref().map_or(String::new(), |host| format!(" ({})", host.name));
        let how = match is_itself {
            true => "it".to_owned(),
            false => format!("{}, which led there,", list(&row.names)),
        };
        let connected = match &row.contact {
            Contact::Yes(connection) => format!(", connected to {}", connection.address),
            Contact::Elsewhere(_) | Contact::No | Contact::NotVisible => String::new(),
        };
        let (first, last) =
            (civil(self.subject.zone, row.first), civil(self.subject.zone, row.last));
        let when =
            if first == last { format!("at {first}") } else { format!("from {first} to {last}") };
        let (often, sure) = (times(row.asks), percent(row.confidence_permille));
        let cached = match row.roles.as_slice() {
            [Role::Cached] => " that it asked; the cache answered",
            _ => "",
        };
        format!(
            "{client}{called}: {}, asked for {how} {often}{connected}, {when} ({sure}{cached})",
            indicator.value
        )
    }
}

#[cfg(test)]
mod tests;
