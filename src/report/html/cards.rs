//! The verdict: a card for each client.

use super::advice;
use super::shown::Shown;
use super::view::Seen;
use super::{Dealing, Suspected, left_out};
use crate::attribution::Step;
use crate::contact::Contact;
use crate::flow::Address;
use crate::identity::{Hostname, Source};
use crate::report::said::fold::{Person, Way};
use crate::report::said::machines::Sharing;
use crate::report::said::senders::Sender;
use crate::report::said::words;
use crate::report::weighed::Urgency;

/// How many dealings stand on a card.
const DEALINGS_MAX: usize = 6;
/// How many names stand with a dealing on a card; its section has more.
const NAMES_MAX: usize = 3;
/// How many things that came back are named.
const OUTCOMES_MAX: usize = 6;
/// What is to be known of a client at a glance.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub number: usize,
    pub class: &'static str,
    pub label: &'static str,
    pub address: Shown,
    pub hostnames: Vec<Called>,
    /// How it stands to the alerts, if it is not named for any.
    pub not_then: &'static str,
    /// Link-layer addresses and VLANs, in words.
    pub machine: Vec<Shown>,
    pub dealings: Vec<OnCard>,
    pub more: String,
    /// Where it stands what to do about all of its kind; nothing if all of it stands here.
    pub to_do: &'static str,
    pub advice: Vec<Shown>,
}

/// A host name, and what says so.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub name: Shown,
    pub source: Shown,
}

/// A dealing as it stands on a card.
#[derive(Clone, Debug)]
pub(super) struct OnCard {
    /// The number of the indicator's section, 0 without one.
    pub section: usize,
    pub flagged: Shown,
    pub asked: Vec<Shown>,
    /// What else it asked, or how what it asked led to what is flagged.
    pub remark: Shown,
    pub when: Shown,
    pub got: Shown,
    pub sure: Shown,
    pub connected: Shown,
    /// Whether that it connected is why it is to be acted on.
    pub is_pressing: bool,
}

/// The cards of the first clients.
pub(super) fn cards(seen: &Seen<'_>, cards_max: usize) -> Vec<Card> {
    let clients = seen.clients.iter().take(cards_max).enumerate();
    clients.map(|(place, client)| card(seen, place + 1, client)).collect()
}

fn card(seen: &Seen<'_>, number: usize, client: &Suspected<'_>) -> Card {
    let left = client.dealings.len().saturating_sub(DEALINGS_MAX);
    let more = left_out(left as u64, "more flagged name", "more flagged names");
    Card {
        number,
        class: client.urgency.class(),
        label: seen.label(client.urgency),
        address: Shown::new(&client.address.to_string()),
        hostnames: client.person.hostnames.iter().map(|name| called(seen, name)).collect(),
        not_then: not_then(seen, client),
        machine: machine(seen, client.address, client.person),
        dealings: client.dealings.iter().take(DEALINGS_MAX).map(|d| on_card(seen, d)).collect(),
        more,
        to_do: if seen.is_few() { "" } else { advice::id(client.urgency) },
        advice: advice::about(seen, client),
    }
}

/// That it is not named though it asked about then; at other times, its badge says so.
fn not_then(seen: &Seen<'_>, client: &Suspected<'_>) -> &'static str {
    let is_named = seen.timed.as_ref().is_none_or(|timed| timed.names(client.address));
    if is_named || client.urgency == Urgency::Other { "" } else { "also asked at about that time" }
}

fn called(seen: &Seen<'_>, hostname: &Hostname) -> Called {
    let source = match hostname.source {
        Source::Inventory => "from your list of names",
        Source::Dhcp => "from DHCP",
        Source::DnsUpdate => "from its DNS update",
        Source::DnsAddress => "from an address record",
        Source::DnsPointer => "from a PTR record",
        Source::Nbns => "from NetBIOS",
        Source::Llmnr => "from LLMNR",
        Source::Mdns => "from multicast DNS",
        Source::Kerberos => "from Kerberos",
    };
    let at = hostname.time.map_or(String::new(), |time| format!(" at {}", seen.at(time)));
    let frame = match hostname.frame.is_some() {
        true => format!(", frame {}", hostname.frame.number()),
        false => String::new(),
    };
    Called { name: Shown::new(&hostname.name), source: Shown::new(&format!("{source}{at}{frame}")) }
}

fn machine(seen: &Seen<'_>, client: Address, person: &Person) -> Vec<Shown> {
    let are_several = person.senders.are_several();
    let macs = person.senders.iter().map(|Sender { mac, is_router, first, last }| {
        let own = match are_several {
            true => format!("MAC {}", seen.times.often_with_zone(&mac.to_string(), *first, *last)),
            false => format!("MAC {mac}"),
        };
        match seen.machines.sharing(client, *mac) {
            _ if *is_router => format!("behind a router, {mac}"),
            Sharing::Itself(others) => format!("{own}, the same machine as {others}"),
            Sharing::Few(others) => format!("{own}, as {others}"),
            Sharing::Router => format!("behind a router, {mac}"),
            Sharing::Alone => own,
        }
    });
    let vlans = person.vlans.iter().map(|vlan| format!("VLAN {vlan}"));
    macs.chain(vlans).map(|text| Shown::new(&text)).collect()
}

fn on_card(seen: &Seen<'_>, dealing: &Dealing) -> OnCard {
    let value = seen.value(dealing.indicator);
    let names = dealing.ways.iter().take(NAMES_MAX);
    let asked = names.map(|way| Shown::new(&format!("{} ({})", way.asked, way.types.join(", "))));
    let connected = contact(seen, dealing);
    OnCard {
        section: seen.section(dealing.indicator),
        flagged: Shown::new(value),
        asked: asked.collect(),
        remark: remark(dealing),
        when: when(seen, dealing),
        got: Shown::new(&got(dealing)),
        sure: Shown::new(&sureness(dealing)),
        connected: Shown::new(&connected),
        is_pressing: seen.urgency(dealing) == Urgency::Act,
    }
}

/// What else it asked, and how what it asked is connected with what is flagged.
fn remark(dealing: &Dealing) -> Shown {
    let mut parts = Vec::new();
    match (dealing.ways.len().saturating_sub(NAMES_MAX), dealing.further) {
        (0, 0) => {}
        (more, 0) => parts.push(format!("and {more} more")),
        _ => parts.push("and further names".to_owned()),
    }
    let how = match dealing.only_server {
        true => Some("the flagged address is a server that was asked about it"),
        false => dealing.ways.first().and_then(last_step),
    };
    parts.extend(how.map(str::to_owned));
    Shown::new(&parts.join("; "))
}

/// How a name that was asked for itself is connected with what is flagged, if it is not the same.
fn last_step(way: &Way) -> Option<&'static str> {
    match way.chain.get(1..)?.last()?.step {
        Step::Address => Some("the flagged address is in its answer"),
        Step::Alias => Some("the flagged name is an alias it leads to"),
        Step::Service => Some("the flagged name is its HTTPS or SVCB target"),
        Step::Nameserver | Step::Server => Some("the flagged name is a name server of its zone"),
        Step::Ancestor => Some("the flagged name is a zone above it"),
        Step::Asked | Step::LeftOut => None,
    }
}

/// How often and when, with the zone.
pub(super) fn when(seen: &Seen<'_>, dealing: &Dealing) -> Shown {
    Shown::new(&seen.often(dealing.asks, dealing.first, dealing.last))
}

/// What came back.
pub(super) fn got(dealing: &Dealing) -> String {
    let mut outcomes = outcomes(dealing);
    outcomes.truncate(OUTCOMES_MAX);
    words::outcomes(&outcomes)
}

/// What came back and how often, no answer first.
pub(super) fn outcomes(dealing: &Dealing) -> Vec<(Option<&'static str>, u64)> {
    let mut outcomes = dealing.outcomes.clone();
    outcomes.sort_unstable();
    outcomes
}

/// How sure; also of the least sure sighting, if it is another figure.
pub(super) fn sureness(dealing: &Dealing) -> String {
    let parts = dealing.parts.iter().map(|part| (part.role, part.leg));
    let most = words::sure_of(dealing.most_permille, parts);
    if dealing.least_permille / 50 == dealing.most_permille / 50 {
        return most;
    }
    format!("{most}; some lookups only {}", words::sureness(dealing.least_permille))
}

/// Whether it connected, in words.
pub(super) fn contact(seen: &Seen<'_>, dealing: &Dealing) -> String {
    match &dealing.contact {
        Contact::Yes(connection) => {
            let told = advice::told(seen, connection);
            format!("yes, {}", told.strip_prefix("connected ").unwrap_or(&told))
        }
        Contact::Elsewhere(connection) => {
            format!("to another site at the same address: it {}", advice::told(seen, connection))
        }
        Contact::No => "no, as far as this capture shows".to_owned(),
        Contact::NotVisible if dealing.only_server => {
            "not checked: what is flagged is a name server".to_owned()
        }
        Contact::NotVisible => "not visible in this capture".to_owned(),
    }
}
