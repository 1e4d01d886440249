//! The verdict: a card for each client.

use super::advice;
use super::view::PageContext;
use super::visible_text::VisibleText;
use super::{Dealing, Suspected, left_out};
use crate::attribution::Step;
use crate::contact::Contact;
use crate::flow::Address;
use crate::identity::{Hostname, Source};
use crate::report::weighed::Urgency;
use crate::report::wording::fold::{Person, Way};
use crate::report::wording::machines::Sharing;
use crate::report::wording::senders::Sender;
use crate::report::wording::words;

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
    pub address: VisibleText,
    pub hostnames: Vec<Called>,
    /// How it stands to the alerts, if it is not named for any.
    pub not_then: &'static str,
    /// Link-layer addresses and VLANs, in words.
    pub machine: Vec<VisibleText>,
    pub dealings: Vec<OnCard>,
    pub more: String,
    /// Where it stands what to do about all of its kind; nothing if all of it stands here.
    pub to_do: &'static str,
    pub advice: Vec<VisibleText>,
}

/// A host name, and what says so.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub name: VisibleText,
    pub source: VisibleText,
}

/// A dealing as it stands on a card.
#[derive(Clone, Debug)]
pub(super) struct OnCard {
    /// The number of the indicator's section, 0 without one.
    pub section: usize,
    pub flagged: VisibleText,
    pub asked: Vec<VisibleText>,
    /// What else it asked, or how what it asked led to what is flagged.
    pub remark: VisibleText,
    pub when: VisibleText,
    pub got: VisibleText,
    pub sure: VisibleText,
    pub connected: VisibleText,
    /// Whether that it connected is why it is to be acted on.
    pub is_pressing: bool,
}

/// The cards of the first clients.
pub(super) fn cards(context: &PageContext<'_>, cards_max: usize) -> Vec<Card> {
    let clients = context.clients.iter().take(cards_max).enumerate();
    clients.map(|(place, client)| card(context, place + 1, client)).collect()
}

fn card(context: &PageContext<'_>, number: usize, client: &Suspected<'_>) -> Card {
    let left = client.dealings.len().saturating_sub(DEALINGS_MAX);
    let more = left_out(left as u64, "more flagged name", "more flagged names");
    Card {
        number,
        class: client.urgency.class(),
        label: context.label(client.urgency),
        address: VisibleText::new(&client.address.to_string()),
        hostnames: client.person.hostnames.iter().map(|name| called(context, name)).collect(),
        not_then: not_then(context, client),
        machine: machine(context, client.address, client.person),
        dealings: client.dealings.iter().take(DEALINGS_MAX).map(|d| on_card(context, d)).collect(),
        more,
        to_do: if context.is_few() { "" } else { advice::id(client.urgency) },
        advice: advice::about(context, client),
    }
}

/// That it is not named though it asked about then; at other times, its badge says so.
fn not_then(context: &PageContext<'_>, client: &Suspected<'_>) -> &'static str {
    let is_named = context.timed.as_ref().is_none_or(|timed| timed.names(client.address));
    if is_named || client.urgency == Urgency::Other { "" } else { "also asked at about that time" }
}

fn called(context: &PageContext<'_>, hostname: &Hostname) -> Called {
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
    let at = hostname.time.map_or(String::new(), |time| format!(" at {}", context.at(time)));
    let frame = match hostname.frame.is_some() {
        true => format!(", frame {}", hostname.frame.number()),
        false => String::new(),
    };
    Called {
        name: VisibleText::new(&hostname.name),
        source: VisibleText::new(&format!("{source}{at}{frame}")),
    }
}

fn machine(context: &PageContext<'_>, client: Address, person: &Person) -> Vec<VisibleText> {
    let are_several = person.senders.are_several();
    let macs = person.senders.iter().map(|Sender { mac, is_router, first, last }| {
        let own = match are_several {
            true => {
                format!("MAC {}", context.times.often_with_zone(&mac.to_string(), *first, *last))
            }
            false => format!("MAC {mac}"),
        };
        match context.machines.sharing(client, *mac) {
            _ if *is_router => format!("behind a router, {mac}"),
            Sharing::Itself(others) => format!("{own}, the same machine as {others}"),
            Sharing::Few(others) => format!("{own}, as {others}"),
            Sharing::Router => format!("behind a router, {mac}"),
            Sharing::Alone => own,
        }
    });
    let vlans = person.vlans.iter().map(|vlan| format!("VLAN {vlan}"));
    macs.chain(vlans).map(|text| VisibleText::new(&text)).collect()
}

fn on_card(context: &PageContext<'_>, dealing: &Dealing) -> OnCard {
    let value = context.value(dealing.indicator);
    let names = dealing.ways.iter().take(NAMES_MAX);
    let asked =
        names.map(|way| VisibleText::new(&format!("{} ({})", way.asked, way.types.join(", "))));
    let connected = contact(context, dealing);
    OnCard {
        section: context.section(dealing.indicator),
        flagged: VisibleText::new(value),
        asked: asked.collect(),
        remark: remark(dealing),
        when: when(context, dealing),
        got: VisibleText::new(&got(dealing)),
        sure: VisibleText::new(&sureness(dealing)),
        connected: VisibleText::new(&connected),
        is_pressing: context.urgency(dealing) == Urgency::Act,
    }
}

/// What else it asked, and how what it asked is connected with what is flagged.
fn remark(dealing: &Dealing) -> VisibleText {
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
    VisibleText::new(&parts.join("; "))
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
pub(super) fn when(context: &PageContext<'_>, dealing: &Dealing) -> VisibleText {
    VisibleText::new(&context.often(dealing.asks, dealing.first, dealing.last))
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
pub(super) fn contact(context: &PageContext<'_>, dealing: &Dealing) -> String {
    match &dealing.contact {
        Contact::Yes(connection) => {
            let told = advice::told(context, connection);
            format!("yes, {}", told.strip_prefix("connected ").unwrap_or(&told))
        }
        Contact::Elsewhere(connection) => {
            format!("to another site at the same address: it {}", advice::told(context, connection))
        }
        Contact::No => "no, as far as this capture shows".to_owned(),
        Contact::NotVisible if dealing.only_server => {
            "not checked: what is flagged is a name server".to_owned()
        }
        Contact::NotVisible => "not visible in this capture".to_owned(),
    }
}
