//! The answers to the firewall's alerts: first what was asked, alike alerts together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::page::Page;
use super::{Ending, LABELS, Seen, Subject};
use crate::alert::{Alert, Answer, Suspect, address_in};
use crate::attribution::Verdict;
use crate::flow::Address;
use crate::report::said::alerts::clocks;
use crate::report::said::caveats::{in_gaps, of_another_day, timeless, times_unread};
use crate::report::said::ink::{Ink, Words};
use crate::report::said::timed::zone_that_fits;
use crate::report::said::words::{self, Times, count, list, number, runs};
use crate::resolution::Role;

/// How many groups of alike alerts are shown, and how many clients of each.
const GROUPS_MAX: usize = 200;
const CLIENTS_MAX: usize = 8;
/// From more groups on, what repeats itself is said once, and then in short.
const GROUPS_FULL: usize = 10;
/// How many names and notes are shown of one.
const NAMES_MAX: usize = 4;
/// A confidence below this is a lead and no proof, in thousandths.
const PROOF_MIN: u16 = 950;
/// What is shorter is said again, in octets.
const SHORT: usize = 60;

/// Alerts that have the same answer.
struct Group<'a> {
    answers: Vec<&'a Answer>,
    /// The clients of all of them: those that then connected first, then in the order of the first.
    clients: Vec<Suspect>,
    /// Whether they are of several times, so that a client's questions cannot be added up.
    differ: bool,
}

/// Whether there is a section: there were alerts, and something to answer them by.
pub(super) fn are_told(ending: &Ending<'_>) -> bool {
    !ending.answers.is_empty() && ending.lacked.decoded.messages > 0
}

/// The answers to alerts, alike ones together: of many, those that lead to somebody come first.
pub(super) struct Answered<'a> {
    groups: Vec<Group<'a>>,
    style: Style,
}

impl<'a> Answered<'a> {
    /// None if nothing was to be answered.
    pub(super) fn of(seen: &Seen<'a>) -> Option<Answered<'a>> {
        if !are_told(seen.ending) {
            return None;
        }
        let answers = seen.ending.answers;
        let mut groups = groups(seen);
        let is_long = groups.len() > GROUPS_FULL;
        if is_long {
            groups.sort_by_key(Group::rank);
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
        seen: &Seen<'_>,
    ) -> io::Result<()> {
        let mut above = Above::default();
        for group in self.groups.iter().take(GROUPS_MAX) {
            write_group(page, seen, group, &mut above, self.style)?;
        }
        if self.groups.len() > GROUPS_MAX {
            let more = number((self.groups.len() - GROUPS_MAX) as u64);
            let text =
                format!("{more} further answers had no room here; --format jsonl has all of them.");
            page.gap()?;
            page.say(0, &Words::of(Ink::Caution, &text))?;
        }
        Ok(())
    }
}

/// Writes what must be known before the rest is read.
pub(super) fn write_head<W: Write>(page: &mut Page<'_, W>, seen: &Seen<'_>) -> io::Result<()> {
    let answers = seen.ending.answers;
    if let Some(text) = times_unread(seen.ending, &seen.times) {
        page.say(0, &Words::of(Ink::Caution, &text))?;
    }
    if let Some(text) = timeless(seen.ending, &seen.times) {
        page.say(0, &Words::plain(&text))?;
    }
    let of_others = [of_another_day, in_gaps].map(|say| say(seen.ending, &seen.times));
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

/// What makes answers alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    file: &'a str,
    host: Option<&'a str>,
    destination: String,
    threat: Option<&'a str>,
    verdict: Option<Verdict>,
    /// Who, called what, with which part, and whether it asked for the destination itself.
    clients: Vec<(Address, Option<&'a str>, Role, bool)>,
    reason: Option<&'a str>,
    is_of_another_day: bool,
}

fn groups<'a>(seen: &Seen<'a>) -> Vec<Group<'a>> {
    let answers = seen.ending.answers;
    let mut place_of: BTreeMap<Likeness<'_>, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for answer in answers {
        let alert = &answer.alert;
        let key = Likeness {
            file: &alert.file,
            host: alert.host.as_deref(),
            destination: alert.destination.to_ascii_lowercase(),
            threat: alert.threat.as_deref(),
            verdict: answer.verdict,
            clients: answer
                .clients
                .iter()
                .map(|client| {
                    let called = client.hostname.as_ref().map(|hostname| hostname.name.as_str());
                    (client.address, called, client.role, seen.subject.asked_itself(client, answer))
                })
                .collect(),
            reason: answer.reason.as_deref(),
            is_of_another_day: answer.basis.is_of_another_day,
        };
        let place = *place_of.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.add(answer),
            None => groups.push(Group {
                answers: vec![answer],
                clients: answer.clients.clone(),
                differ: false,
            }),
        }
    }
    for group in &mut groups {
        let Some(first) = group.answers.first() else { continue };
        group.clients.sort_by_key(|client| !seen.ending.has_connected(client.address, first));
    }
    groups
}

impl<'a> Group<'a> {
    /// Where it stands among many: who raised alerts first, then who only was answered from the cache, then what nobody is
    /// named for.
    fn rank(&self) -> usize {
        let is_behind = |client: &Suspect| client.role != Role::Cached;
        let verdict = self.answers.first().and_then(|answer| answer.verdict);
        match verdict {
            _ if self.clients.iter().any(is_behind) => 0,
            _ if !self.clients.is_empty() => 1,
            Some(Verdict::Undetermined) => 2,
            Some(_) => 3,
            None => 4,
        }
    }

    /// Adds an answer with the same clients.
    fn add(&mut self, answer: &'a Answer) {
        self.answers.push(answer);
        for (own, other) in self.clients.iter_mut().zip(&answer.clients) {
            self.differ |= (own.first, own.last) != (other.first, other.last);
            own.first = own.first.min(other.first);
            own.last = own.last.max(other.last);
            own.confidence_permille = own.confidence_permille.min(other.confidence_permille);
            own.asked_permille = own.asked_permille.min(other.asked_permille);
            own.is_upstream &= other.is_upstream;
        }
    }

    /// What is said of its alerts, each once.
    fn each<'g>(&'g self, said: impl Fn(&'g Answer) -> &'g [String]) -> Vec<&'g str> {
        let mut all = Vec::new();
        let mut known = BTreeSet::new();
        for text in self.answers.iter().flat_map(|answer| said(answer)) {
            if known.insert(text.as_str()) {
                all.push(text.as_str());
            }
        }
        all
    }

    /// When its alerts were by the firewall's clock, if they say it.
    fn when(&self, seen: &Seen<'_>) -> Option<String> {
        let times = self.answers.iter().filter_map(|answer| answer.alert.time);
        let (first, last) = (times.clone().min()?, times.max()?);
        let of = |time| seen.times.at(time);
        Some(match of(first) == of(last) {
            true => format!("at {}", of(first)),
            false => format!("from {} to {}", of(first), of(last)),
        })
    }

    /// `Alerts 5, 6 and 8`, with their file if there are several.
    fn name(&self, several_files: bool) -> String {
        let numbers = self.answers.iter().map(|answer| answer.alert.number).collect();
        let told: Vec<String> = runs(&numbers)
            .iter()
            .flat_map(|(first, last)| match last - first {
                0 => vec![first.to_string()],
                1 => vec![first.to_string(), last.to_string()],
                _ => vec![format!("{first} to {last}")],
            })
            .collect();
        let word = if self.answers.len() == 1 { "Alert" } else { "Alerts" };
        let file = self.answers.first().filter(|_| several_files);
        let file = file.map_or(String::new(), |answer| format!(" of {}", answer.alert.file));
        format!("{word} {}{file}", list(&told))
    }
}

/// What stands further up, and with which alert, so that no paragraph is said twice.
#[derive(Debug, Default)]
struct Above {
    texts: BTreeMap<String, String>,
    kinds: BTreeSet<Kind>,
}

impl Above {
    /// Whether it stands further up.
    fn has(&self, text: &str) -> bool {
        self.texts.contains_key(text)
    }

    /// Whether the like of it was said before; from now on it was.
    fn was_told(&mut self, kind: Kind) -> bool {
        !self.kinds.insert(kind)
    }

    /// What to say with an alert: the text, or where it stands.
    fn once(&mut self, text: &str, alert: &Alert, several_files: bool) -> String {
        if text.len() <= SHORT {
            return text.to_owned();
        }
        if let Some(first) = self.texts.get(text) {
            return format!("as with {first}");
        }
        let file = if several_files { format!(" of {}", alert.file) } else { String::new() };
        self.texts.insert(text.to_owned(), format!("alert {}{file}", alert.number));
        text.to_owned()
    }
}

fn write_group<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    group: &Group<'_>,
    above: &mut Above,
    style: Style,
) -> io::Result<()> {
    let Some(first) = group.answers.first() else { return Ok(()) };
    let mut once = |text: &str| above.once(text, &first.alert, style.several_files);
    page.gap()?;
    let mut heading =
        Words::of(Ink::Strong, &group.name(style.several_files)).and(Ink::Plain, ": ");
    if let Some(threat) = &first.alert.threat {
        heading.push(Ink::Plain, &format!("{threat}, "));
    }
    heading.push(Ink::Flagged, &first.alert.destination);
    if let Some(host) = &first.alert.host {
        heading.push(Ink::Plain, &format!(", blamed on {host}"));
    }
    if let Some(when) = group.when(seen) {
        heading.push(Ink::Plain, &format!(", {when}"));
    }
    let events: u64 = group.answers.iter().filter_map(|answer| answer.alert.events).sum();
    if events > 0 {
        heading.push(Ink::Aside, &format!(", {}", count(events, "event", "events")));
    }
    page.say(0, &heading)?;
    for client in group.clients.iter().take(CLIENTS_MAX) {
        page.entry(2, 2, "→", &client_words(seen, client, first, group.differ))?;
    }
    if group.clients.len() > CLIENTS_MAX {
        let more = number((group.clients.len() - CLIENTS_MAX) as u64);
        page.entry(2, 2, "→", &Words::plain(&format!("and {more} more, see below")))?;
    }
    // What is said of all of these stands at the top.
    if first.basis.is_of_another_day && seen.ending.answers.len() > 1 {
        return page.entry(2, 2, "→", &Words::of(Ink::Strong, "not of the capture's time"));
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
    // What is said of all at the top need not be said of each.
    let nearest = group.each(|answer| match (style.zone_is_said, answer.basis.zones.is_empty()) {
        (true, false) => &[],
        _ => answer.nearest.as_slice(),
    });
    for nearest in nearest.iter().take(NAMES_MAX) {
        page.entry(4, LABELS, "nearest", &Words::plain(&once(nearest)))?;
    }
    let notes = group.each(|answer| &answer.basis.notes);
    // Of many, what was said of one need not be said of each.
    let is_new = |note: &&&str| !style.is_long || !above.has(note);
    let notes: Vec<&str> = notes.iter().filter(is_new).copied().collect();
    let mut once = |text: &str| above.once(text, &first.alert, style.several_files);
    for note in notes.iter().take(NAMES_MAX) {
        page.entry(4, LABELS, "note", &Words::of(Ink::Caution, &once(note)))?;
    }
    let more = nearest.len().saturating_sub(NAMES_MAX) + notes.len().saturating_sub(NAMES_MAX);
    if more > 0 {
        let text =
            format!("{}: --format jsonl has them", count(more as u64, "more note", "more notes"));
        page.entry(4, LABELS, "note", &Words::of(Ink::Aside, &text))?;
    }
    let Some(next) = next(seen, group, first) else { return Ok(()) };
    let words = match style.is_long && above.was_told(next.kind) {
        true => next.short,
        false => Some(above.once(&next.words, &first.alert, style.several_files)),
    };
    match words {
        Some(words) => page.entry(4, LABELS, "next", &Words::plain(&words)),
        None => Ok(()),
    }
}

/// What to do about an alert.
struct Next {
    kind: Kind,
    words: String,
    /// In few words, where the like was told before; none if the clients alone say it.
    short: Option<String>,
}

/// Of what kind that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nothing,
    Server,
    Lead,
    Look,
    FalseAlarm,
    Address,
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
fn client_words(seen: &Seen<'_>, client: &Suspect, answer: &Answer, differ: bool) -> Words {
    let mut words = Words::of(Ink::Strong, &client.address.to_string());
    if let Some(hostname) = &client.hostname {
        words.push(Ink::Plain, &format!(" ({})", hostname.name));
    }
    let sure = words::sureness(client.asked_permille);
    let raised = words::raised(client);
    let what = if raised.is_some() { " that it asked" } else { ": asked" };
    words.push(Ink::Plain, &format!(", {sure}{what} {}", asked(client)));
    if !seen.subject.asked_itself(client, answer) && client.chain.len() > 1 {
        words.push(Ink::Plain, ", which led there,");
    }
    let when = match differ && client.first != client.last {
        true => format!("from {} to {}", seen.times.at(client.first), seen.times.at(client.last)),
        false => seen.times.often(&words::times(client.asks), client.first, client.last),
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
    if let Some((at, is_before)) = seen.ending.connected(client, answer) {
        let connected =
            if is_before { "had connected there before, at" } else { "connected there at" };
        words.push(Ink::Strong, &format!("; it {connected} {}", seen.times.at(at)));
    }
    words
}

fn asked(client: &Suspect) -> String {
    let few = client.asked.get(..NAMES_MAX).unwrap_or(&client.asked);
    match client.asked.len() - few.len() {
        0 => list(few),
        more => format!("{} and {} more names", few.join(", "), number(more as u64)),
    }
}

/// What to do about it.
fn next(seen: &Seen<'_>, group: &Group<'_>, answer: &Answer) -> Option<Next> {
    let host = answer.alert.host.as_deref();
    let server = host.filter(|host| is_server(seen, host)).unwrap_or("the DNS server");
    let next = |kind, words, short| Some(Next { kind, words, short });
    if answer.verdict == Some(Verdict::NoClient) {
        let words = format!(
            "Nobody in this capture asked for it: check what runs on {server} itself, and whether all that its clients \
             ask is in the capture."
        );
        return next(Kind::Server, words.clone(), Some(words));
    }
    let basis = &answer.basis;
    if answer.verdict.is_none()
        && answer.nearest.is_none()
        && !(basis.is_of_other_times || basis.is_of_another_day || basis.is_misdirected)
    {
        let words = "Capture on until the alert comes again (whoasked live --alerts ALERTS -i IFACE does), and check \
                     that the mirror shows all that the DNS server is asked. Who asks by DNS over HTTPS is not seen.";
        return next(Kind::Nothing, words.to_owned(), None);
    }
    let first = group.clients.first()?;
    let direct: Vec<&Suspect> = group
        .clients
        .iter()
        .filter(|client| client.confidence_permille >= PROOF_MIN)
        .filter(|client| seen.subject.asked_itself(client, answer))
        .take(CLIENTS_MAX)
        .collect();
    // How sure it is that somebody was answered from the cache says nothing of who raised the alert.
    let is_proved = |client: &Suspect| client.confidence_permille >= PROOF_MIN;
    let raised = || group.clients.iter().filter(|client| client.role != Role::Cached);
    let are_leads = match raised().next() {
        Some(_) => !raised().any(is_proved),
        None => !group.clients.iter().any(is_proved),
    };
    let asked_itself = group.clients.iter().any(|client| seen.subject.asked_itself(client, answer));
    if are_leads && asked_itself {
        let words = format!(
            "That {} raised it is a lead and no proof: look at the packets first.",
            addresses(group.clients.iter().take(CLIENTS_MAX))
        );
        // That it went there is a reason by itself.
        let went = |client: &&Suspect| seen.ending.has_connected(client.address, answer);
        let went: Vec<&Suspect> = group.clients.iter().filter(went).take(CLIENTS_MAX).collect();
        return match went.as_slice() {
            [] => next(Kind::Lead, words, Some("A lead and no proof.".to_owned())),
            went => {
                let who = addresses(went.iter().copied());
                let words = format!(
                    "Look first at {who}, which connected there: whether this alert is of it is likely and not proved."
                );
                next(Kind::Look, words.clone(), Some(words))
            }
        };
    }
    if !direct.is_empty() {
        let others = raised().filter(|client| {
            let is_of_direct = direct.iter().any(|known| known.address == client.address);
            !is_of_direct && seen.subject.asked_itself(client, answer)
        });
        let others = addresses(others.take(CLIENTS_MAX));
        let also = if others.is_empty() { others } else { format!(" Less sure: {others}.") };
        return next(Kind::Look, look_at(seen, &direct, answer, server) + &also, None);
    }
    let asked = asked(first);
    let judge = Some(format!("Perhaps a false alarm: judge {asked} first."));
    match first.chain.last().map_or("", |step| step.step) {
        "server" => next(
            Kind::FalseAlarm,
            format!(
                "Perhaps a false alarm: the address is a name server that {server} asked about {asked} on the \
                 way. Judge {asked}, not the address."
            ),
            judge,
        ),
        "address" => {
            let words = format!(
                "Find out what {} wanted from {asked}: the flagged address is where that name leads.",
                first.address
            );
            next(Kind::Address, words.clone(), Some(words))
        }
        _ => next(
            Kind::FalseAlarm,
            format!(
                "Perhaps a false alarm: nobody asked for the flagged name itself, it is only where {asked} \
                 leads. Judge {asked} before you look at a machine."
            ),
            judge,
        ),
    }
}

fn addresses<'s>(clients: impl Iterator<Item = &'s Suspect>) -> String {
    list(&clients.map(|client| client.address.to_string()).collect::<Vec<_>>())
}

/// At whom to look, who asked for what is flagged: those first who connected.
fn look_at(seen: &Seen<'_>, direct: &[&Suspect], answer: &Answer, server: &str) -> String {
    let addresses = |clients: &[&Suspect]| addresses(clients.iter().copied());
    let (went, others): (Vec<&Suspect>, Vec<&Suspect>) =
        direct.iter().partition(|client| seen.ending.has_connected(client.address, answer));
    let they = if direct.len() == 1 { ("it", "it") } else { ("they", "them") };
    let look = match (went.is_empty(), others.is_empty()) {
        (false, false) => {
            format!("Look first at {}, then at {}", addresses(&went), addresses(&others))
        }
        _ => format!("Look at {}", addresses(direct)),
    };
    let flagged = seen.subject.flagged(answer).map_or("", |flagged| flagged.bare());
    let is_exact =
        |client: &&&Suspect| client.asked.iter().any(|asked| asked.eq_ignore_ascii_case(flagged));
    let what = match direct.iter().filter(is_exact).count() {
        0 => "a name below the flagged one",
        all if all == direct.len() => "the flagged name itself",
        _ => "the flagged name itself, or one below it",
    };
    let blamed = answer.alert.host.as_deref().and_then(address_in);
    if direct.iter().all(|client| client.role == Role::Cached) {
        return format!("{look}, too: {} asked for {what}.", they.0);
    }
    let is_own = direct.iter().any(|client| blamed == Some(client.address))
        || !direct.iter().any(|client| client.is_upstream);
    match is_own {
        true => format!("{look}: {} asked for {what}.", they.0),
        false => format!(
            "{look}: {} asked for {what}; {server} only asked on behalf of {}.",
            they.0, they.1
        ),
    }
}

/// Whether a host that an alert blames has the address of a DNS server.
fn is_server(seen: &Seen<'_>, host: &str) -> bool {
    let servers = &seen.ending.coverage.resolvers;
    let is_of = |host: Address| servers.iter().any(|server| server.addresses.contains(&host));
    address_in(host).is_some_and(is_of)
}

/// Alerts that have the same answer, as the HTML report shows them.
pub(in crate::report) struct Alike<'a> {
    pub answers: Vec<&'a Answer>,
    pub clients: Vec<Suspect>,
    /// See [`Group::differ`].
    pub differ: bool,
    /// What to do about them.
    pub next: Option<String>,
}

/// Alike alerts together, as this report has them: the two must not tell them apart otherwise.
pub(in crate::report) fn alike<'a>(
    subject: Subject<'a>,
    ending: &'a Ending<'a>,
    times: Times,
) -> Vec<Alike<'a>> {
    let seen = Seen { subject, ending, times, timed: None };
    let groups = groups(&seen).into_iter().filter_map(|group| {
        let next = next(&seen, &group, group.answers.first()?).map(|next| next.words);
        Some(Alike { answers: group.answers, clients: group.clients, differ: group.differ, next })
    });
    groups.collect()
}
