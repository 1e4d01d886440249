//! The verdict: a card for each client.

use super::advice;
use super::fold::{Dealing, Person, Way};
use super::shown::Shown;
use super::view::{Seen, Suspected, Urgency};
use crate::contact::Contact;
use crate::flow::Address;
use crate::identity::{Hostname, Source};
use crate::report::machines::Sharing;
use crate::report::text::words;

/// How many dealings stand on a card.
const DEALINGS_MAX: usize = 6;
/// How many names stand with a dealing on a card; its section has more.
const NAMES_MAX: usize = 3;
/// How many clients without a card are listed.
const ROWS_MAX: usize = 2_000;

/// What is to be known of a client at a glance.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub number: usize,
    pub class: &'static str,
    pub label: &'static str,
    pub address: Shown,
    pub hostnames: Vec<Called>,
    /// That it asked at other times than the alerts are of.
    pub not_then: Shown,
    /// Link-layer addresses and VLANs, in words.
    pub machine: Vec<Shown>,
    pub dealings: Vec<OnCard>,
    pub more: String,
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
    pub has_connected: bool,
}

/// A client that has no card.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub address: Shown,
    pub hostname: Shown,
    pub flagged: Shown,
    pub section: usize,
    pub when: Shown,
    pub not_then: Shown,
    pub sure: Shown,
    pub class: &'static str,
}

/// The cards of the first clients.
pub(super) fn cards(seen: &Seen<'_>, cards_max: usize) -> Vec<Card> {
    let clients = seen.clients.iter().take(cards_max).enumerate();
    clients.map(|(place, client)| card(seen, place + 1, client)).collect()
}

/// The clients after those, in short; and how many stand nowhere.
pub(super) fn rows(seen: &Seen<'_>, cards_max: usize) -> (Vec<Row>, String) {
    let rest = seen.clients.get(cards_max..).unwrap_or_default();
    let row = |client: &Suspected<'_>| {
        let first = client.dealings.first()?;
        let names = client.person.map_or(&[][..], |person| &person.hostnames);
        let hostname = match names {
            [] => String::new(),
            [name] => name.name.clone(),
            [name, others @ ..] => format!("{} +{}", name.name, others.len()),
        };
        let more = match client.dealings.len() {
            0 | 1 => String::new(),
            all => format!(" and {}", words::count(all as u64 - 1, "other", "others")),
        };
        Some(Row {
            address: Shown::new(&client.address.to_string()),
            hostname: Shown::new(&hostname),
            flagged: Shown::new(&format!("{}{more}", seen.value(first.indicator))),
            section: seen.section(first.indicator),
            when: when(seen, first),
            sure: Shown::new(&words::sureness(first.most_permille)),
            not_then: not_then(seen, client.address),
            class: client.urgency().class(),
        })
    };
    let left = rest.len().saturating_sub(ROWS_MAX);
    let more = if left == 0 { String::new() } else { words::number(left as u64) };
    (rest.iter().take(ROWS_MAX).filter_map(row).collect(), more)
}

fn card(seen: &Seen<'_>, number: usize, client: &Suspected<'_>) -> Card {
    let person = client.person.cloned().unwrap_or_default();
    let left = client.dealings.len().saturating_sub(DEALINGS_MAX);
    let more = match left {
        0 => String::new(),
        left => words::count(left as u64, "more flagged name", "more flagged names"),
    };
    Card {
        number,
        class: client.urgency().class(),
        label: client.urgency().label(),
        address: Shown::new(&client.address.to_string()),
        hostnames: person.hostnames.iter().map(|name| called(seen, name)).collect(),
        not_then: not_then(seen, client.address),
        machine: machine(seen, client.address, &person),
        dealings: client.dealings.iter().take(DEALINGS_MAX).map(|d| on_card(seen, d)).collect(),
        more,
        advice: advice::about(seen, client),
    }
}

fn not_then(seen: &Seen<'_>, client: Address) -> Shown {
    let text = seen.timed.as_ref().and_then(|timed| timed.not_then(client));
    text.map_or_else(Shown::default, |text| Shown::new(&text))
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
    let macs =
        person.macs.iter().map(|(mac, is_router)| match seen.machines.sharing(client, *mac) {
            _ if *is_router => format!("behind a router, {mac}"),
            Sharing::Itself(others) => {
                format!("MAC {mac}, the same machine as {others}")
            }
            Sharing::Few(others) => format!("MAC {mac}, as {others}"),
            Sharing::Router => format!("behind a router, {mac}"),
            Sharing::Alone => format!("MAC {mac}"),
        });
    let vlans = person.vlans.iter().map(|vlan| format!("VLAN {vlan}"));
    macs.chain(vlans).map(|text| Shown::new(&text)).collect()
}

fn on_card(seen: &Seen<'_>, dealing: &Dealing) -> OnCard {
    let value = seen.value(dealing.indicator);
    let names = dealing.ways.iter().take(NAMES_MAX);
    let asked = names.map(|way| Shown::new(&format!("{} ({})", way.asked, way.types.join(", "))));
    let (connected, has_connected) = contact(seen, dealing);
    OnCard {
        section: seen.section(dealing.indicator),
        flagged: Shown::new(value),
        asked: asked.collect(),
        remark: remark(dealing),
        when: when(seen, dealing),
        got: Shown::new(&got(dealing)),
        sure: Shown::new(&sureness(dealing)),
        connected: Shown::new(&connected),
        has_connected,
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
    let how = match (dealing.only_server, dealing.only_tail) {
        (true, _) => Some("the flagged address is a server that was asked about it"),
        (_, true) => Some("the flagged name is an alias it leads to"),
        _ => dealing.ways.first().and_then(last_step),
    };
    parts.extend(how.map(str::to_owned));
    Shown::new(&parts.join("; "))
}

/// How a name that was asked for itself is connected with what is flagged, if it is not the same.
fn last_step(way: &Way) -> Option<&'static str> {
    match way.chain.get(1..)?.last()?.step {
        "address" => Some("the flagged address is in its answer"),
        "cname" => Some("the flagged name is an alias it leads to"),
        "ns" | "server" => Some("the flagged name is a name server of its zone"),
        "ancestor" => Some("the flagged name is a zone above it"),
        _ => None,
    }
}

/// How often and when, with the zone.
pub(super) fn when(seen: &Seen<'_>, dealing: &Dealing) -> Shown {
    Shown::new(&seen.often(dealing.asks, dealing.first, dealing.last))
}

/// What came back.
pub(super) fn got(dealing: &Dealing) -> String {
    let mut outcomes = dealing.outcomes.iter();
    match (outcomes.next(), outcomes.next()) {
        (Some((rcode, _)), None) => words::outcome(*rcode),
        _ => {
            let said = dealing.outcomes.iter().take(6).map(|(rcode, count)| {
                format!("{} {}", words::outcome(*rcode), words::times(*count))
            });
            words::list(&said.collect::<Vec<_>>())
        }
    }
}

/// How sure; also of the least sure sighting, if it is another figure.
pub(super) fn sureness(dealing: &Dealing) -> String {
    let roles = dealing.parts.iter().map(|part| part.role);
    let most = words::sure_of(dealing.most_permille, roles);
    if dealing.least_permille / 50 == dealing.most_permille / 50 {
        return most;
    }
    format!("{most}; some lookups only {}", words::sureness(dealing.least_permille))
}

/// Whether it connected: in words, and if it did.
pub(super) fn contact(seen: &Seen<'_>, dealing: &Dealing) -> (String, bool) {
    match &dealing.contact {
        Contact::Yes(connection) => {
            let told = advice::told(seen, connection);
            let told = told.strip_prefix("connected ").unwrap_or(&told).to_owned();
            (format!("yes, {told}"), true)
        }
        Contact::No => ("no, as far as this capture shows".to_owned(), false),
        Contact::NotVisible => ("not visible in this capture".to_owned(), false),
    }
}

/// Who is behind it, in words, for the top of the page: at the times of the alerts and at others, or else how many
/// clients are of each urgency.
pub(super) fn behind(seen: &Seen<'_>) -> String {
    let who = |client: &Suspected<'_>| {
        let names = client.person.map_or(&[][..], |person| &person.hostnames);
        let name = names.first().map_or(String::new(), |name| format!(" ({})", name.name));
        (client.address, format!("{}{name}", client.address))
    };
    let timed = seen.timed.as_ref().and_then(|timed| timed.words(seen.clients.iter().map(who)));
    if let Some(words) = timed {
        return words.trim_end_matches('.').to_owned();
    }
    let of = |urgency| seen.clients.iter().filter(|client| client.urgency() == urgency).count();
    let all = seen.clients.len();
    if all == 0 {
        return "No client can be named".to_owned();
    }
    let more = if seen.fold.clients_left_out > 0 { "More than " } else { "" };
    let are = words::clients_are(all, seen.machines.count(all));
    let mut parts = Vec::new();
    let (act, weigh) = (of(Urgency::Act), of(Urgency::Weigh));
    if act > 0 {
        parts.push(format!("{} connected to it", words::number(act as u64)));
    }
    if weigh == all {
        parts.push("only through an alias or a name server".to_owned());
    } else if weigh > 0 {
        let number = words::number(weigh as u64);
        parts.push(format!("{number} only through an alias or a name server"));
    }
    let detail = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{more}{are} behind what was flagged{detail}")
}
