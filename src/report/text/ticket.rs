//! Text for a ticket: what is to be known of one client, fit to be pasted as it is.
//!
//! Plain text of 72 columns, so that neither a mail nor a ticket system wraps it anew. One ticket a client,
//! with a line between, the most pressing first; what has no client stands in none, and of those who only asked at other
//! times than the alerts' there is one only if it is asked for.

use std::io::{self, Write};

use super::called::HostNames;
use super::page::{Look, Page};
use super::{Dealing, Fold, LABELS, Suspected, TextContext, alerted, clients, write_filters};
use crate::attribution::{Attribution, Leaning};
use crate::contact::Contact;
use crate::flow::Address;
use crate::indicator::IndicatorKind;
use crate::report::weighed::{Weighed, Weight, is_harmless};
use crate::report::wording::caveats::caveats_alone;
use crate::report::wording::connections::Connections;
use crate::report::wording::ink::Words;
use crate::report::wording::senders::Sender;
use crate::report::wording::timed::Timed;
use crate::report::wording::words::{Times, connected, contact, count, outcomes, times};
use crate::report::{Ending, Report, Subject};

/// What mails and tickets are wide.
const COLUMNS: usize = 72;
/// How many dealings a ticket lists; the rest is counted.
const ENTRIES_MAX: usize = 20;

/// The tickets, of one client or of each.
#[derive(Debug)]
pub struct Ticket<'a, W> {
    out: W,
    wanted: Option<Address>,
    subject: Subject<'a>,
    fold: Fold,
}

impl<'a, W: Write> Ticket<'a, W> {
    /// Writes to `out` at the end: the ticket of `wanted`, or one of each client.
    pub fn new(out: W, wanted: Option<Address>, subject: Subject<'a>) -> Ticket<'a, W> {
        Ticket { out, wanted, subject, fold: Fold::default() }
    }
}

impl<W: Write> Report for Ticket<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.fold.add(attribution);
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let context = TextContext {
            subject: self.subject,
            ending,
            times: Times::of(ending.coverage, self.subject.zone),
            timed: Timed::of(ending.answers),
        };
        self.fold.complete(ending, &Weighed::of(ending));
        let mut tickets = self.fold.clients(context.timed.as_ref());
        tickets.retain(|client| self.wanted.is_none_or(|wanted| wanted == client.address));
        let all = tickets.len();
        tickets.retain(|client| self.wanted.is_some() || context.asked_then(client.address));
        for client in &mut tickets {
            // The title names the first.
            client.dealings.sort_by_key(|dealing| {
                let is_held = is_held_against(dealing);
                (!is_held, dealing.is_doubtful(), dealing.first, dealing.indicator)
            });
        }
        tickets.sort_by_key(|client| (Gravity::of(client), client.address));
        let mut page = Page::new(&mut self.out, Look::new(COLUMNS, false));
        if all == 0 {
            page.say(0, &Words::plain(&nobody(&context, self.wanted)))?;
        }
        if tickets.is_empty()
            && let Some(rows) = rows_unread(ending)
        {
            page.say(0, &Words::plain(&format!("{rows} not read (--format text says why).")))?;
        }
        for (place, client) in tickets.iter().enumerate() {
            if place > 0 {
                page.gap()?;
                page.say(0, &Words::plain(&"=".repeat(COLUMNS)))?;
                page.gap()?;
            }
            write(&mut page, &context, client)?;
        }
        if let Some(others @ 1..) = all.checked_sub(tickets.len()) {
            if !tickets.is_empty() {
                page.gap()?;
            }
            let none = if tickets.is_empty() { "No ticket: " } else { "No ticket of " };
            let who = count(others as u64, "client", "clients");
            let text = format!(
                "{none}{who} that asked for what is flagged, but not at the alerts' times. --ticket=ADDRESS writes \
                 the ticket for one of them."
            );
            page.say(0, &Words::plain(&text))?;
        }
        self.out.flush()
    }
}

impl TextContext<'_> {
    /// Whether a client asked at the time of one of the alerts, where these have times.
    fn asked_then(&self, client: Address) -> bool {
        self.timed.as_ref().is_none_or(|timed| timed.not_then(client).is_none())
    }
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

impl Gravity {
    fn of(client: &Suspected<'_>) -> Gravity {
        if client.dealings.iter().all(|dealing| dealing.is_doubtful()) {
            Gravity::Led
        } else if client.dealings.iter().any(|dealing| is_held_against(dealing)) {
            Gravity::Connected
        } else {
            Gravity::Asked
        }
    }
}

/// Whether a client asked for what is flagged here, and connected to that.
fn is_held_against(dealing: &Dealing) -> bool {
    dealing.weight() == Weight::Connected
}

/// `3 further rows of the alerts were`, if any were not read.
fn rows_unread(ending: &Ending<'_>) -> Option<String> {
    let rows = ending.lacked.rows_unread_count();
    (rows > 0).then(|| count(rows, "more alert row was", "more alert rows were"))
}

/// What is said where there is no ticket to write.
fn nobody(context: &TextContext<'_>, wanted: Option<Address>) -> String {
    let others = context.ending.verdicts.attributed;
    match wanted {
        Some(client) => format!(
            "No ticket: nothing on the lists leads to {client} in this capture ({} of other clients).",
            count(others, "lookup", "lookups")
        ),
        None => match context.ending.verdicts.total() {
            0 => "No ticket: nothing on the lists was asked for.".to_owned(),
            all => format!(
                "No ticket: no client can be named for {} (--format text says why).",
                count(all, "flagged query", "flagged queries")
            ),
        },
    }
}

fn write<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    client: &Suspected<'_>,
) -> io::Result<()> {
    let dealings = &client.dealings;
    let called = dealings.iter().find_map(|dealing| dealing.called());
    page.say(0, &Words::plain(&title(context, client, called.as_ref())))?;
    page.gap()?;
    write_who(page, client, called.as_ref())?;
    page.gap()?;
    write_alerts(page, context, client.address)?;
    let first = dealings.iter().map(|dealing| dealing.first).min().unwrap_or_default();
    let zone = context.times.zone_at(first);
    page.say(0, &Words::plain(&format!("What it looked up (times are {zone})")))?;
    for dealing in dealings.iter().take(ENTRIES_MAX) {
        write_dealing(page, context, dealing, client.person.senders.are_several())?;
    }
    if dealings.len() > ENTRIES_MAX {
        let more = (dealings.len() - ENTRIES_MAX) as u64;
        let text = format!("and {}", count(more, "further indicator", "further indicators"));
        page.say(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("Whether it then connected"))?;
    for text in afterwards(&context.times, dealings) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("What this does not show"))?;
    for text in unsaid(context, client) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    page.say(0, &Words::plain("Next steps"))?;
    for text in next_steps(client) {
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()?;
    let files: Vec<&str> = context.subject.files.0.iter().map(String::as_str).collect();
    let span = match context.ending.coverage.span {
        Some((first, last)) => format!(", {}", context.times.span(first, last)),
        None => String::new(),
    };
    let by =
        format!("whoasked {} on {}{span}", env!("CARGO_PKG_VERSION"), super::some(&files, "files"));
    page.say(0, &Words::plain(&by))
}

/// What it comes to, in a line: many ticket systems show no more.
fn title(
    context: &TextContext<'_>,
    client: &Suspected<'_>,
    called: Option<&HostNames<'_>>,
) -> String {
    let values: Vec<&str> = client
        .dealings
        .iter()
        .filter_map(|dealing| context.subject.indicators.get(dealing.indicator))
        .map(|indicator| indicator.value)
        .collect();
    let what = match values.as_slice() {
        [one] => (*one).to_owned(),
        [first, ..] => format!("{first} and {} more", values.len() - 1),
        [] => String::new(),
    };
    let name = called.map_or(String::new(), |called| format!(" ({})", called.short()));
    let who = format!("Client {}{name}", client.address);
    let first = client.dealings.first();
    let flagged = first.and_then(|dealing| context.subject.indicators.get(dealing.indicator));
    let is_address = flagged.is_some_and(|flagged| {
        matches!(flagged.kind, IndicatorKind::Address | IndicatorKind::Network)
    });
    // Nobody asks for an address.
    if let (Some(dealing), Some(flagged), true) = (first, flagged, is_address) {
        return of_address(client, dealing, flagged.value, &who, &what);
    }
    match Gravity::of(client) {
        Gravity::Connected => format!("{who} asked for {what} and connected"),
        Gravity::Asked => format!("{who} asked for {what}"),
        Gravity::Led => {
            format!("Perhaps a false alarm: {who} asked for what leads to {what}")
        }
    }
}

/// What a client asked for that led to a flagged address, and whether it went there.
fn of_address(
    client: &Suspected<'_>,
    dealing: &Dealing,
    value: &str,
    who: &str,
    what: &str,
) -> String {
    let asked = dealing.ways.first().map_or("a name", |way| way.asked.as_str());
    let (others, lead) = match dealing.ways.len() > 1 || dealing.further > 0 {
        true => (" and other names", "lead"),
        false => ("", "leads"),
    };
    let asked = format!("{who} asked for {asked}{others}");
    // It may have gone to another address of the same answer.
    let went_there =
        dealing.connections.iter().any(|connection| connection.address.to_string() == value);
    match Gravity::of(client) {
        Gravity::Connected if went_there => {
            format!("{asked}, and connected to the flagged address {what}")
        }
        Gravity::Connected => {
            format!("{asked}, which {lead} to the flagged address {what}, and connected")
        }
        Gravity::Asked => format!("{asked}, which {lead} to the flagged address {what}"),
        Gravity::Led if dealing.only_server => format!(
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
    context: &TextContext<'_>,
    client: Address,
) -> io::Result<()> {
    let answers = context.ending.answers;
    if answers.is_empty() {
        return Ok(());
    }
    page.say(0, &Words::plain("The firewall alerts it is named for"))?;
    let alerts = alerted::alerts(context, client);
    for alert in &alerts {
        page.item(2, &Words::plain(alert))?;
    }
    if alerts.is_empty() {
        let timed = context.timed.as_ref().and_then(|timed| timed.not_then(client));
        let is_another_day = answers.iter().all(|answer| answer.basis.is_of_another_day);
        let why = match timed.is_some() {
            _ if is_another_day => "None: the alerts are outside the capture's time.",
            true => "None: it asked at other times.",
            false => "None. But it also asked at about that time: see the notes on the alerts.",
        };
        page.item(2, &Words::plain(why))?;
    }
    if let Some(rows) = rows_unread(context.ending) {
        let text = format!("{rows} not read: whether it is behind these is unknown.");
        page.item(2, &Words::plain(&text))?;
    }
    page.gap()
}

fn write_who<W: Write>(
    page: &mut Page<'_, W>,
    client: &Suspected<'_>,
    called: Option<&HostNames<'_>>,
) -> io::Result<()> {
    page.say(0, &Words::plain("Who"))?;
    let mut say = |label, text: &str| page.entry(2, LABELS + 2, label, &Words::plain(text));
    say("address", &client.address.to_string())?;
    if let Some(called) = called {
        say("name", &name(called))?;
    }
    for (place, Sender { mac, is_router, .. }) in client.person.senders.iter().enumerate() {
        let of = if *is_router { " (a router's: the client is behind it)" } else { "" };
        say(if place == 0 { "MAC" } else { "" }, &format!("{mac}{of}"))?;
    }
    if let Some(vlan) = client.person.vlans.first() {
        say("VLAN", &vlan.to_string())?;
    }
    Ok(())
}

/// A client's name, and what says so.
fn name(called: &HostNames<'_>) -> String {
    format!("{} (from {}){}", called.name, called.source.as_str(), called.at_other_times())
}

fn write_dealing<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
    dealing: &Dealing,
    shows_senders: bool,
) -> io::Result<()> {
    let Some(indicator) = context.subject.indicators.get(dealing.indicator) else { return Ok(()) };
    let listing = context.subject.indicators.listing(&indicator);
    let heading = format!("{} (flagged by {listing})", indicator.value);
    page.say(2, &Words::plain(&heading))?;
    for way in &dealing.ways {
        clients::write_way(page, way, None)?;
    }
    if dealing.further > 0 {
        page.entry(4, LABELS, "", &Words::plain("and further names"))?;
    }
    let when = when(context, dealing);
    let mut say = |label, text: &str| page.entry(4, LABELS, label, &Words::plain(text));
    say("when", &when)?;
    if shows_senders {
        say("MAC", &dealing.senders.when(&context.times))?;
    }
    say("got", &outcomes(&dealing.outcomes))?;
    for (place, sentence) in dealing.parts_in_words(context.ending).iter().enumerate() {
        say(if place == 0 { "how" } else { "" }, sentence)?;
    }
    page.entry(4, LABELS, "sure", &clients::sureness(dealing))?;
    write_filters(page, 4, context.subject.files, &dealing.frames)?;
    let assessed = context.ending.assessment(dealing.indicator);
    let hints = assessed.map_or(&[][..], |assessed| assessed.of(dealing.client));
    // A hint says the same with its grounds.
    let is_excused = hints.iter().any(|hint| is_harmless(&hint));
    if let Some(note) = clients::note(dealing).filter(|_| !is_excused) {
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
fn when(context: &TextContext<'_>, dealing: &Dealing) -> String {
    let often = context.times.often(&times(dealing.asks), dealing.first, dealing.last);
    match context.times.only_date() {
        Some(date) => format!("{date}, {often}"),
        None => often,
    }
}

/// What the client did with the addresses that it was given.
fn afterwards(times: &Times, dealings: &[&Dealing]) -> Vec<String> {
    // One may be to what several indicators led to.
    let mut connections = Connections::default();
    dealings
        .iter()
        .flat_map(|dealing| dealing.connections.iter())
        .for_each(|one| connections.add(one));
    if connections.first().is_some() {
        let told = connections.iter().map(|connection| {
            let frame = connection.frame.number();
            format!("Yes: {}, frame {frame}.", connected(connection, times))
        });
        return told.collect();
    }
    let elsewhere = dealings.iter().find(|d| matches!(d.contact, Contact::Elsewhere(_)));
    if let Some(told) = elsewhere.and_then(|dealing| contact(&dealing.contact, times)) {
        return vec![format!("Perhaps: {told}.")];
    }
    vec![if dealings.iter().all(|dealing| dealing.only_server) {
        "Not checked: what is flagged is a name server. To see whether it connected to where the name leads, run \
         `whoasked explain NAME CAPTURE` with the name that was asked there."
            .to_owned()
    } else if dealings.iter().any(|dealing| dealing.contact == Contact::No) {
        "No: it was not seen connecting to an address that it was given, in a capture that shows its \
         other traffic."
            .to_owned()
    } else {
        "Not visible in this capture. Check the firewall's log.".to_owned()
    }]
}

fn unsaid(context: &TextContext<'_>, client: &Suspected<'_>) -> Vec<String> {
    let senders = &client.person.senders;
    let mut out = vec![if Gravity::of(client) == Gravity::Connected {
        "Which program on the client asked and connected.".to_owned()
    } else {
        "A lookup alone is not an infection: it shows that something on this client wanted the name, not what. A \
         link in a mail, an advertisement or a scanner causes the same lookup."
            .to_owned()
    }];
    if senders.are_several() {
        out.push(
            "That it was one machine: its questions came from several MACs, so the address may have changed hands. \
             See above which asked when."
                .to_owned(),
        );
    } else if senders.own().next().is_none() || senders.is_behind_router() {
        out.push(
            "Which machine had this address at the time, if it is assigned by DHCP, shared, or behind NAT."
                .to_owned(),
        );
    }
    let of_alerts = alerted::least(context, client.address);
    let of_lookups = client.dealings.iter().map(|dealing| dealing.least_permille);
    let least = of_lookups.chain(of_alerts).min().unwrap_or(1000);
    if least < 950 {
        out.push("That it was certainly this client: see the confidence above.".to_owned());
    }
    // Whoever reads it sees no page.
    out.extend(caveats_alone(context.ending));
    out
}

fn next_steps(client: &Suspected<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if Gravity::of(client) == Gravity::Connected {
        out.push(
            "Treat it as compromised until you know better: it asked for what is flagged and connected. Take it \
             off the network, but leave it switched on."
                .to_owned(),
        );
    }
    if client.person.senders.is_behind_router() {
        out.push(
            "Find the machine behind the router that had this address at these times.".to_owned(),
        );
    }
    if Gravity::of(client) == Gravity::Led {
        out.push(
            "It never asked for what is flagged itself. First check whether the name it did ask for is legitimate. \
             If so, tell whoever maintains the list; if not, that name is the real indicator."
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
        "Keep the packets: `whoasked ... --evidence DIR` extracts them from the capture."
            .to_owned(),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::{Client, Coverage, made};
    use crate::contact::Connection;
    use crate::flow::{Mac, Transport};
    use crate::frame::FrameId;
    use crate::identity::{Hostname, Source};
    use crate::indicator::{IndicatorId, Indicators};
    use crate::time::Timestamp;
    use crate::time::UTC;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn flagged() -> IndicatorId {
        let hasher = crate::name::NameHasher::new([1, 2]);
        let (list, _) = Indicators::read("list.txt", b"evil.com\n".to_vec(), hasher).unwrap();
        list.iter().next().unwrap().0
    }

    fn client(contact: Contact) -> Client {
        Client {
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
            ..made::client("192.168.2.42", &["evil.com"], FrameId::new(0, 7), Timestamp(0))
        }
    }

    /// What is known of a client after its question led to `flagged`.
    fn seen(fold: &mut Fold, contact: Contact) -> Suspected<'_> {
        let clients = vec![client(contact)];
        let frame = FrameId::new(0, 7);
        fold.add(&made::attribution(flagged(), "evil.com", frame, Timestamp(0), clients));
        fold.clients(None).remove(0)
    }

    #[test]
    fn who_it_is_and_whether_it_connected_is_said_as_far_as_it_is_known() {
        let mut fold = Fold::default();
        let times = Times::of(&Coverage::default(), &UTC);
        let told = |client: &Suspected<'_>| afterwards(&times, &client.dealings);
        let known = seen(&mut fold, Contact::NotVisible);
        assert_eq!(told(&known), ["Not visible in this capture. Check the firewall's log."]);
        let named = name(&known.dealings[0].called().unwrap());
        let vlans = known.person.vlans.as_slice();
        assert_eq!((named.as_str(), vlans), ("pc42 (from dhcp)", &[20][..]));
        assert!(next_steps(&known)[0].contains("behind the router"));
        assert!(told(&seen(&mut fold, Contact::No))[0].starts_with("No: "));
        // Of the same connection more is seen later.
        for server_name in [None, Some("evil.com".to_owned())] {
            let connection = Connection {
                address: address("198.51.100.9"),
                port: 443,
                transport: Transport::Tcp,
                frame: FrameId::new(0, 11),
                time: Timestamp(1_575_015_901_000_000_000),
                answered: server_name.is_some(),
                server_name,
            };
            seen(&mut fold, Contact::Yes(connection));
        }
        assert_eq!(
            told(&seen(&mut fold, Contact::No)),
            [
                "Yes: it connected to 198.51.100.9, TCP port 443 as evil.com (TLS), at 2019-11-29 08:25:01, \
              and was answered, frame 11."
            ]
        );
    }
}
