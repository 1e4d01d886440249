//! Text for a ticket: what is to be known of one client, fit to be pasted as it is.
//!
//! Plain text of 72 columns, so that neither a mail nor a ticket system wraps it anew. One ticket a client,
//! with a line between, the most pressing first; what has no client stands in none, and of those who only asked at other
//! times than the alerts' there is one only if it is asked for.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::called::Called;
use super::fold::{Clients, Entry};
use super::page::{Look, Page};
use super::{LABELS, Seen, alerted, clients, write_filters};
use crate::attribution::{Attribution, Client, Leaning, State, Verdict};
use crate::contact::{Connection, Contact};
use crate::flow::Address;
use crate::indicator::{IndicatorId, IndicatorKind};
use crate::report::said::ink::Words;
use crate::report::said::senders::{Sender, Senders};
use crate::report::said::timed::Timed;
use crate::report::said::words::{Times, connected, count, times};
use crate::report::weighed::{Weighed, is_harmless};
use crate::report::{Ending, Report, Subject};

/// What mails and tickets are wide.
const COLUMNS: usize = 72;
/// How many entries a ticket lists; the rest is counted.
const ENTRIES_MAX: usize = 20;
/// How many clients are kept apart.
const CLIENTS_MAX: usize = 4_096;
/// How many connections of a client are listed.
const CONNECTIONS_MAX: usize = 4;

/// Who a client is, as far as its sightings say.
#[derive(Debug, Default)]
struct Known {
    vlan: Option<u16>,
    connections: Vec<(IndicatorId, Connection)>,
    /// Whether the capture would have shown connections, and shows none.
    is_without_connection: bool,
}

/// The tickets, of one client or of each.
#[derive(Debug)]
pub struct Ticket<'a, W> {
    out: W,
    wanted: Option<Address>,
    subject: Subject<'a>,
    clients: Clients,
    known: BTreeMap<Address, Known>,
}

impl<'a, W: Write> Ticket<'a, W> {
    /// Writes to `out` at the end: the ticket of `wanted`, or one of each client.
    pub fn new(out: W, wanted: Option<Address>, subject: Subject<'a>) -> Ticket<'a, W> {
        Ticket { out, wanted, subject, clients: Clients::default(), known: BTreeMap::new() }
    }
}

impl<W: Write> Report for Ticket<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        if (attribution.state, attribution.verdict) != (State::Final, Verdict::Attributed) {
            return Ok(());
        }
        self.clients.add(attribution);
        for client in &attribution.clients {
            let has_room = self.known.len() < CLIENTS_MAX;
            if has_room || self.known.contains_key(&client.address) {
                let known = self.known.entry(client.address).or_default();
                known.add(client, attribution.indicator);
            }
        }
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let seen = Seen {
            subject: self.subject,
            ending,
            times: Times::of(ending.coverage, self.subject.zone),
            timed: Timed::of(ending.answers),
        };
        self.clients.weigh(&Weighed::of(ending));
        let nothing = Known::default();
        let mut by_client: BTreeMap<Address, Vec<&Entry>> = BTreeMap::new();
        for entry in self.clients.entries() {
            if self.wanted.is_none_or(|wanted| wanted == entry.client) {
                by_client.entry(entry.client).or_default().push(entry);
            }
        }
        let all = by_client.len();
        let mut tickets: Vec<Facts<'_>> = by_client
            .into_iter()
            .filter(|(client, _)| self.wanted.is_some() || seen.asked_then(*client))
            .map(|(client, mut entries)| {
                let known = self.known.get(&client).unwrap_or(&nothing);
                let senders = Senders::of(entries.iter().map(|entry| &entry.senders));
                let mut facts = Facts { client, known, senders, entries: Vec::new() };
                // The title names the first.
                entries.sort_by_key(|entry| {
                    let is_held = facts.is_held_against(entry);
                    (!is_held, entry.is_doubtful(), entry.first, entry.indicator)
                });
                facts.entries = entries;
                facts
            })
            .collect();
        tickets.sort_by_key(|facts| (facts.gravity(), facts.client));
        let mut page = Page::new(&mut self.out, Look::new(COLUMNS, false));
        if all == 0 {
            page.say(0, &Words::plain(&nobody(&seen, self.wanted)))?;
        }
        if tickets.is_empty()
            && let Some(rows) = rows_unread(ending)
        {
            page.say(0, &Words::plain(&format!("{rows} not read (--format text says why).")))?;
        }
        for (place, facts) in tickets.iter().enumerate() {
            if place > 0 {
                page.gap()?;
                page.say(0, &Words::plain(&"=".repeat(COLUMNS)))?;
                page.gap()?;
            }
            write(&mut page, &seen, facts)?;
        }
        if let Some(others @ 1..) = all.checked_sub(tickets.len()) {
            if !tickets.is_empty() {
                page.gap()?;
            }
            let none = if tickets.is_empty() { "No ticket: " } else { "No ticket of " };
            let who = count(others as u64, "client", "clients");
            let text = format!(
                "{none}{who} that asked for what is flagged, but not at the alerts' times. --ticket=ADDRESS writes that of \
                 one."
            );
            page.say(0, &Words::plain(&text))?;
        }
        self.out.flush()
    }
}

impl Seen<'_> {
    /// Whether a client asked at the time of one of the alerts, where these have times.
    fn asked_then(&self, client: Address) -> bool {
        self.timed.as_ref().is_none_or(|timed| timed.not_then(client).is_none())
    }
}

/// What a ticket is about.
struct Facts<'a> {
    client: Address,
    known: &'a Known,
    senders: Senders,
    entries: Vec<&'a Entry>,
}

/// How pressing a ticket is; the most pressing first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gravity {
    /// It asked for what is flagged, and connected.
    Connected,
    /// It asked for what is flagged.
    Asked,
    /// It asked for something else that led there.
    Led,
}

impl Facts<'_> {
    fn gravity(&self) -> Gravity {
        if self.entries.iter().all(|entry| entry.is_doubtful()) {
            Gravity::Led
        } else if self.entries.iter().any(|entry| self.is_held_against(entry)) {
            Gravity::Connected
        } else {
            Gravity::Asked
        }
    }

    /// Whether it asked for what is flagged here, and connected to that.
    fn is_held_against(&self, entry: &Entry) -> bool {
        let connected = |(flagged, _): &(IndicatorId, _)| *flagged == entry.indicator;
        !entry.is_doubtful() && self.known.connections.iter().any(connected)
    }
}

impl Known {
    fn add(&mut self, client: &Client, flagged: IndicatorId) {
        self.vlan = self.vlan.or(client.vlan);
        match &client.contact {
            Contact::Yes(connection) => {
                let one = (flagged, connection.clone());
                let is_new = !self.connections.contains(&one);
                if is_new && self.connections.len() < CONNECTIONS_MAX {
                    self.connections.push(one);
                }
            }
            Contact::No => self.is_without_connection = true,
            Contact::NotVisible => {}
        }
    }
}

/// `3 further rows of the alerts were`, if any were not read.
fn rows_unread(ending: &Ending<'_>) -> Option<String> {
    let rows = ending.lacked.rows_unread_count();
    (rows > 0)
        .then(|| count(rows, "further row of the alerts was", "further rows of the alerts were"))
}

/// What is said where there is no ticket to write.
fn nobody(seen: &Seen<'_>, wanted: Option<Address>) -> String {
    let others = seen.ending.verdicts.attributed;
    match wanted {
        Some(client) => format!(
            "No ticket: nothing that is listed leads to {client} in this capture ({} of other clients).",
            count(others, "lookup", "lookups")
        ),
        None => match seen.ending.verdicts.total() {
            0 => "No ticket: nothing that is listed was asked for.".to_owned(),
            all => format!(
                "No ticket: no client can be named for {} (--format text says why).",
                count(all, "flagged query", "flagged queries")
            ),
        },
    }
}

fn write<W: Write>(page: &mut Page<'_, W>, seen: &Seen<'_>, facts: &Facts<'_>) -> io::Result<()> {
    let Facts { client, known, ref senders, ref entries } = *facts;
    let called = entries.iter().find_map(|entry| seen.called(entry));
    page.say(0, &Words::plain(&title(seen, facts, called.as_ref())))?;
    page.gap()?;
    write_who(page, facts, called.as_ref())?;
    page.gap()?;
    write_alerts(page, seen, client)?;
    let first = entries.iter().map(|entry| entry.first).min().unwrap_or_default();
    let zone = seen.times.zone_at(first);
    page.say(0, &Words::plain(&format!("What it looked up (times are {zone})")))?;
    for entry in entries.iter().take(ENTRIES_MAX) {
        write_entry(page, seen, entry, senders.are_several())?;
    }
    if entries.len() > ENTRIES_MAX {
        let more = (entries.len() - ENTRIES_MAX) as u64;
        let text = format!("and {}", count(more, "further indicator", "further indicators"));
        page.say(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("Whether it then connected"))?;
    for text in afterwards(&seen.times, known) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("What this does not say"))?;
    for text in unsaid(seen, facts) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("Next steps"))?;
    for text in next_steps(facts) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    let files: Vec<&str> = seen.subject.files.0.iter().map(String::as_str).collect();
    let span = match seen.ending.coverage.span {
        Some((first, last)) => format!(", {}", seen.times.span(first, last)),
        None => String::new(),
    };
    let by =
        format!("whoasked {} on {}{span}", env!("CARGO_PKG_VERSION"), super::some(&files, "files"));
    page.say(0, &Words::plain(&by))
}

/// What it comes to, in a line: many ticket systems show no more.
fn title(seen: &Seen<'_>, facts: &Facts<'_>, called: Option<&Called<'_>>) -> String {
    let values: Vec<&str> = facts
        .entries
        .iter()
        .filter_map(|entry| seen.subject.indicators.get(entry.indicator))
        .map(|indicator| indicator.value)
        .collect();
    let what = match values.as_slice() {
        [one] => (*one).to_owned(),
        [first, ..] => format!("{first} and {} more", values.len() - 1),
        [] => String::new(),
    };
    let name = called.map_or(String::new(), |called| format!(" ({})", called.short()));
    let who = format!("Client {}{name}", facts.client);
    let first = facts.entries.first();
    let flagged = first.and_then(|entry| seen.subject.indicators.get(entry.indicator));
    let is_address = flagged.is_some_and(|flagged| {
        matches!(flagged.kind, IndicatorKind::Address | IndicatorKind::Network)
    });
    // Nobody asks for an address.
    if let (Some(entry), Some(flagged), true) = (first, flagged, is_address) {
        return of_address(facts, entry, flagged.value, &who, &what);
    }
    match facts.gravity() {
        Gravity::Connected => format!("{who} asked for {what} and connected"),
        Gravity::Asked => format!("{who} asked for {what}"),
        Gravity::Led => {
            format!("Perhaps a false alarm: {who} asked for what leads to {what}")
        }
    }
}

/// What a client asked for that led to a flagged address, and whether it went there.
fn of_address(facts: &Facts<'_>, entry: &Entry, value: &str, who: &str, what: &str) -> String {
    let asked = entry.ways.first().map_or("a name", |way| way.asked.as_str());
    let (others, lead) = match entry.ways.len() > 1 || entry.more_ways {
        true => (" and other names", "lead"),
        false => ("", "leads"),
    };
    let asked = format!("{who} asked for {asked}{others}");
    // It may have gone to another address of the same answer.
    let went_there = facts.known.connections.iter().any(|(flagged, connection)| {
        *flagged == entry.indicator && connection.address.to_string() == value
    });
    match facts.gravity() {
        Gravity::Connected if went_there => {
            format!("{asked}, and connected to the flagged address {what}")
        }
        Gravity::Connected => {
            format!("{asked}, which {lead} to the flagged address {what}, and connected")
        }
        Gravity::Asked => format!("{asked}, which {lead} to the flagged address {what}"),
        Gravity::Led if entry.only_server => format!(
            "Perhaps a false alarm: {asked}, about which the flagged name server {what} was asked"
        ),
        Gravity::Led => {
            format!("Perhaps a false alarm: {asked}, which {lead} to the flagged address {what}")
        }
    }
}

/// The alerts that it is named for, where there were any.
fn write_alerts<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    client: Address,
) -> io::Result<()> {
    let answers = seen.ending.answers;
    if answers.is_empty() {
        return Ok(());
    }
    page.say(0, &Words::plain("The firewall's alerts that it is named for"))?;
    let alerts = alerted::alerts(seen, client);
    for alert in &alerts {
        page.item(2, &Words::plain(alert))?;
    }
    if alerts.is_empty() {
        let timed = seen.timed.as_ref().and_then(|timed| timed.not_then(client));
        let is_another_day = answers.iter().all(|answer| answer.basis.is_of_another_day);
        let why = match timed.is_some() {
            _ if is_another_day => "None: the alerts are not of the capture's time.",
            true => "None: it asked at other times.",
            false => "None. But it asked about then, too: see what is said of the alerts.",
        };
        page.item(2, &Words::plain(why))?;
    }
    if let Some(rows) = rows_unread(seen.ending) {
        let text = format!("{rows} not read: whether it is behind these is not known.");
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()
}

fn write_who<W: Write>(
    page: &mut Page<'_, W>,
    facts: &Facts<'_>,
    called: Option<&Called<'_>>,
) -> io::Result<()> {
    page.say(0, &Words::plain("Who"))?;
    let mut say = |label, text: &str| page.entry(2, LABELS + 2, label, &Words::plain(text));
    say("address", &facts.client.to_string())?;
    if let Some(called) = called {
        say("name", &name(called))?;
    }
    for (place, Sender { mac, is_router, .. }) in facts.senders.iter().enumerate() {
        let of = if *is_router { " (a router's: the client is behind it)" } else { "" };
        say(if place == 0 { "MAC" } else { "" }, &format!("{mac}{of}"))?;
    }
    if let Some(vlan) = facts.known.vlan {
        say("VLAN", &vlan.to_string())?;
    }
    Ok(())
}

/// A client's name, and what says so.
fn name(called: &Called<'_>) -> String {
    format!("{} (from {}){}", called.name, called.source.as_str(), called.at_other_times())
}

fn write_entry<W: Write>(
    page: &mut Page<'_, W>,
    seen: &Seen<'_>,
    entry: &Entry,
    shows_senders: bool,
) -> io::Result<()> {
    let Some(indicator) = seen.subject.indicators.get(entry.indicator) else { return Ok(()) };
    let listing = seen.subject.indicators.listing(&indicator);
    let heading = format!("{} (flagged by {listing})", indicator.value);
    page.say(2, &Words::plain(&heading))?;
    for way in &entry.ways {
        clients::write_way(page, way, None)?;
    }
    if entry.more_ways {
        page.entry(4, LABELS, "", &Words::plain("and further names"))?;
    }
    let when = when(seen, entry);
    let mut say = |label, text: &str| page.entry(4, LABELS, label, &Words::plain(text));
    say("when", &when)?;
    if shows_senders {
        say("MAC", &entry.senders.when(&seen.times))?;
    }
    say("got", &clients::outcomes(entry))?;
    for (place, sentence) in clients::parts(seen, entry).iter().enumerate() {
        say(if place == 0 { "how" } else { "" }, sentence)?;
    }
    page.entry(4, LABELS, "sure", &clients::sureness(entry))?;
    write_filters(page, 4, seen.subject.files, &entry.frames)?;
    let assessed = seen.ending.assessment(entry.indicator);
    let hints = assessed.map_or(&[][..], |assessed| assessed.of(entry.client));
    // A hint says the same with its grounds.
    let is_excused = hints.iter().any(|hint| is_harmless(&hint));
    if let Some(note) = clients::note(entry).filter(|_| !is_excused) {
        page.entry(4, LABELS, "note", &Words::plain(&note))?;
    }
    for hint in hints {
        let text = format!("{} ({})", hint.words, leaning(hint.leaning));
        page.entry(4, LABELS, "hint", &Words::plain(&text))?;
    }
    Ok(())
}

/// What a hint speaks for. That is not what it proves.
fn leaning(leaning: Leaning) -> &'static str {
    match leaning {
        Leaning::Harmless => "speaks for a false alarm",
        Leaning::Serious => "speaks for an infection",
    }
}

/// When it asked, always with the date: a ticket is read without the rest.
fn when(seen: &Seen<'_>, entry: &Entry) -> String {
    let often = seen.times.often(&times(entry.asks), entry.first, entry.last);
    match seen.times.only_date() {
        Some(date) => format!("{date}, {often}"),
        None => often,
    }
}

/// What the client did with the addresses that it was given.
fn afterwards(times: &Times, known: &Known) -> Vec<String> {
    if !known.connections.is_empty() {
        let told = known.connections.iter().map(|(_, connection)| {
            let frame = connection.frame.number();
            format!("Yes: {}, frame {frame}.", connected(connection, times))
        });
        return told.collect();
    }
    vec![if known.is_without_connection {
        "No: it was not seen connecting to an address that it was given, in a capture that shows its \
         other traffic."
            .to_owned()
    } else {
        "Not visible in this capture. The firewall's log knows.".to_owned()
    }]
}

fn unsaid(seen: &Seen<'_>, facts: &Facts<'_>) -> Vec<String> {
    let Facts { ref senders, ref entries, .. } = *facts;
    let mut out = vec![if facts.gravity() == Gravity::Connected {
        "Which program on the client asked and connected.".to_owned()
    } else {
        "A lookup is not yet an infection: it says that something on this client wanted the name, not \
         what. A link in a mail, an advertisement or a scanner asks the same."
            .to_owned()
    }];
    if senders.are_several() {
        out.push(
            "That it was one machine: its questions came from several MACs, so the address may have changed hands. Above \
             stands which asked when."
                .to_owned(),
        );
    } else if senders.own().next().is_none() || senders.is_behind_router() {
        out.push(
            "Which machine had this address at the time, if it is given by DHCP, shared, or behind NAT."
                .to_owned(),
        );
    }
    let of_alerts = alerted::least(seen, facts.client);
    let of_lookups = entries.iter().map(|entry| entry.confidence_least_permille);
    let least = of_lookups.chain(of_alerts).min().unwrap_or(1000);
    if least < 950 {
        out.push("That it was this client for certain: see how sure it is, above.".to_owned());
    }
    let lacked = seen.ending.lacked;
    if lacked.interrupted || !lacked.damage.is_empty() {
        out.push("What stood in the part of the capture that could not be read.".to_owned());
    }
    out
}

fn next_steps(facts: &Facts<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if facts.gravity() == Gravity::Connected {
        out.push(
            "Treat it as compromised until you know better: it asked for what is flagged and connected. \
             Take it off the network, and leave it switched on."
                .to_owned(),
        );
    }
    if facts.senders.is_behind_router() {
        out.push(
            "Find the machine behind the router that had this address at these times.".to_owned(),
        );
    }
    if facts.gravity() == Gravity::Led {
        out.push(
            "It never asked for what is flagged itself. First see whether what it did ask for is \
             legitimate; if so, tell whoever maintains the list."
                .to_owned(),
        );
    } else {
        out.push(
            "Find the process that asked, at these times: Sysmon event 22, the EDR's DNS events, the \
             browser's history."
                .to_owned(),
        );
    }
    out.push(
        "Search the firewall's and proxy's logs for connections of this client right after these times."
            .to_owned(),
    );
    out.push(
        "Keep the packets: --evidence DIR of whoasked cuts them out of the capture.".to_owned(),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::{Coverage, QuestionId};
    use crate::contact::Connection;
    use crate::flow::{Mac, Transport};
    use crate::frame::FrameId;
    use crate::identity::{Hostname, Source};
    use crate::indicator::Indicators;
    use crate::resolution::Role;
    use crate::time::Timestamp;
    use crate::time::UTC;

    fn address(text: &str) -> Address {
        Address::from(text.parse::<std::net::IpAddr>().unwrap())
    }

    fn flagged() -> IndicatorId {
        let hasher = crate::name::NameHasher::new([1, 2]);
        let (list, _) = Indicators::read("list.txt", b"evil.com\n".to_vec(), hasher).unwrap();
        list.iter().next().unwrap().0
    }

    fn client(contact: Contact) -> Client {
        Client {
            question: QuestionId::new(FrameId::new(0, 7), 0),
            address: address("192.168.2.42"),
            port: 53_211,
            role: Role::Initiator,
            confidence_permille: 995,
            asked: "evil.com".to_owned(),
            asked_type: "A".to_owned(),
            asked_frame: FrameId::new(0, 7),
            asked_time: Timestamp(0),
            answer_frame: FrameId::new(0, 8),
            rcode: None,
            chain: Vec::new(),
            hops: Vec::new(),
            mac: Some(Mac([0, 0x1b, 0x21, 0x3c, 0, 0x1c])),
            is_router_mac: true,
            vlan: Some(20),
            hostname: Some(Hostname {
                name: "pc42".to_owned(),
                source: Source::Dhcp,
                time: None,
                frame: FrameId::NONE,
            }),
            contact,
        }
    }

    #[test]
    fn who_it_is_and_whether_it_connected_is_said_as_far_as_it_is_known() {
        let mut known = Known::default();
        let times = Times::of(&Coverage::default(), &UTC);
        assert_eq!(
            afterwards(&times, &known),
            ["Not visible in this capture. The firewall's log knows."]
        );
        known.add(&client(Contact::NotVisible), flagged());
        let hostname = client(Contact::NotVisible).hostname.unwrap();
        let named = name(&Called::of(&hostname, &[]));
        assert_eq!((named.as_str(), known.vlan), ("pc42 (from dhcp)", Some(20)));
        let mut senders = Senders::default();
        senders.add(&client(Contact::NotVisible));
        let entries = Vec::new();
        let facts = Facts { client: address("192.168.2.42"), known: &known, senders, entries };
        assert!(next_steps(&facts)[0].contains("behind the router"));
        known.add(&client(Contact::No), flagged());
        assert!(afterwards(&times, &known)[0].starts_with("No: "));
        for _ in 0..2 {
            known.add(
                &client(Contact::Yes(Connection {
                    address: address("198.51.100.9"),
                    port: 443,
                    transport: Transport::Tcp,
                    frame: FrameId::new(0, 11),
                    time: Timestamp(1_575_015_901_000_000_000),
                    answered: true,
                    server_name: Some("evil.com".to_owned()),
                })),
                flagged(),
            );
        }
        assert_eq!(
            afterwards(&times, &known),
            [
                "Yes: it connected to 198.51.100.9, TCP port 443 as evil.com (TLS), at 2019-11-29 08:25:01, \
              and was answered, frame 11."
            ]
        );
    }
}
