//! What is near to an alert's destination, yet not it: names of the same registered domain, addresses of
//! the same network. It answers nothing, and tells only where to look on.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::Zones;
use super::matcher::FITS_MAX;
use super::sightings::{DestinationSightings, SightingStore};
use super::zones::ZoneFit;
use crate::attribution::Coverage;
use crate::flow::Address;
use crate::indicator::{IndicatorId, Indicators};
use crate::message::{Fact, Message, Messages};
use crate::name::NameHasher;
use crate::number::{list, times};
use crate::time::Timestamp;

/// How many names or addresses are kept near one destination.
const NEAR_MAX: usize = 64;
/// How many DNS servers are named.
const SERVERS_MAX: usize = 4;

/// How many hosts are kept that asked for one name, and how many of these are named.
const HOSTS_MAX: usize = 16;
const CLIENTS_MAX: usize = 3;
/// How many of a host's latest questions are told apart: a type or two of a name, and their copies.
const LATEST_MAX: usize = 8;

/// What was seen near one destination, by name or address.
#[derive(Debug, Default)]
struct Neighbours {
    seen: BTreeMap<String, Appearances>,
}

/// In how many messages, when first, and who asked.
#[derive(Clone, Debug)]
struct Appearances {
    messages: u64,
    first: Timestamp,
    askers: Vec<Asker>,
}

/// Who asked for a name.
#[derive(Clone, Debug)]
struct Asker {
    address: Address,
    count: u64,
    first: Timestamp,
    /// Port and id of its latest questions: who sends one again, or is seen twice, does not ask anew.
    latest: VecDeque<(u16, u16)>,
}

impl Appearances {
    fn note_asker(&mut self, question: &Message) {
        let source = question.flow.source;
        let one = (source.port, question.id);
        let known = self.askers.iter_mut().find(|asker| asker.address == source.address);
        if let Some(asker) = known {
            if !asker.latest.contains(&one) {
                asker.count += 1;
                asker.latest.push_back(one);
                if asker.latest.len() > LATEST_MAX {
                    asker.latest.pop_front();
                }
            }
        } else if self.askers.len() < HOSTS_MAX {
            let (address, first) = (source.address, question.time);
            self.askers.push(Asker { address, count: 1, first, latest: [one].into() });
        }
    }

    /// How often, by whom, and when first: by clients if there were any, for what they asked a DNS server asked on.
    fn asked(&self, coverage: &Coverage, store: &SightingStore, zones: &Zones) -> String {
        let is_server = |asker: &&Asker| {
            coverage.resolvers.iter().any(|server| server.addresses.contains(&asker.address))
        };
        let (servers, clients): (Vec<&Asker>, Vec<&Asker>) =
            self.askers.iter().partition(is_server);
        let (askers, by) = match clients.is_empty() {
            true => (servers, "DNS servers".to_owned()),
            false => {
                let by = named(&clients, store);
                (clients, by)
            }
        };
        let count = askers.iter().map(|asker| asker.count).sum();
        let first = askers.iter().map(|asker| asker.first).min().unwrap_or(self.first);
        format!("{} by {by}, first at {}", times(count), zones.moment(first))
    }
}

/// Watches for what is near.
#[derive(Debug)]
pub(super) struct NeighbourWatch {
    around: Indicators,
    near: BTreeMap<IndicatorId, Neighbours>,
    /// For each destination: what is around it.
    around_of: BTreeMap<String, (String, IndicatorId)>,
    found: Vec<IndicatorId>,
}

impl NeighbourWatch {
    /// Watches around destinations, in the form that indicators have.
    pub(super) fn new<'a>(destinations: impl Iterator<Item = &'a str>) -> NeighbourWatch {
        let around: Vec<(String, String)> = destinations
            .filter_map(|destination| Some((destination.to_owned(), around(destination)?)))
            .collect();
        let words = around.iter().map(|(_, around)| ("near", 1, around.as_str()));
        let (indicators, ids) = Indicators::from_entries(words, NameHasher::random());
        let around_of = around
            .into_iter()
            .zip(ids)
            .filter_map(|((destination, around), id)| Some((destination, (around, id.ok()?))))
            .collect();
        NeighbourWatch { around: indicators, near: BTreeMap::new(), around_of, found: Vec::new() }
    }

    /// Whether there is anything to watch for.
    pub(super) fn watches(&self) -> bool {
        !self.around_of.is_empty()
    }

    /// Looks at a message.
    pub(super) fn see(&mut self, messages: &Messages, message: &Message) {
        if let (Some(question), false) = (message.question, message.flags.is_response()) {
            let name = messages.name(question.name);
            self.found.clear();
            self.around.match_name(name, &mut self.found);
            if !self.found.is_empty() {
                self.note(&name.to_string().to_ascii_lowercase(), message.time, Some(message));
            }
        }
        if self.around.are_names_only() {
            return;
        }
        let server = (!message.flags.is_response()).then_some(message.flow.destination.address);
        let answered = messages.facts(message).iter().filter_map(|fact| match fact {
            Fact::Address { address, .. } => Some(*address),
            _ => None,
        });
        for address in server.into_iter().chain(answered) {
            self.found.clear();
            self.around.match_address(address, &mut self.found);
            if !self.found.is_empty() {
                self.note(&address.to_string(), message.time, None);
            }
        }
    }

    fn note(&mut self, text: &str, time: Timestamp, question: Option<&Message>) {
        for id in &self.found {
            let near = self.near.entry(*id).or_default();
            if near.seen.len() >= NEAR_MAX && !near.seen.contains_key(text) {
                continue;
            }
            let appearances = near.seen.entry(text.to_owned()).or_insert_with(|| Appearances {
                messages: 0,
                first: time,
                askers: Vec::new(),
            });
            appearances.messages += 1;
            if let Some(question) = question {
                appearances.note_asker(question);
            }
        }
    }

    /// The nearest to a destination, in words.
    pub(super) fn words(
        &self,
        destination: &str,
        coverage: &Coverage,
        store: &SightingStore,
        zones: &Zones,
    ) -> Option<String> {
        let (around, id) = self.around_of.get(destination)?;
        let near = self.near.get(id)?;
        let shared = |text: &str| common_end(text, destination);
        let (text, appearances) = near
            .seen
            .iter()
            .filter(|(text, _)| text.as_str() != destination)
            .max_by_key(|(text, appearances)| (shared(text), appearances.messages))?;
        Some(match destination.parse::<IpAddr>() {
            // How often would tell of the DNS server's questions and of copies, and not of clients.
            Ok(_) => format!(
                "{text}, in the same network {around}, was queried or appears in an answer, first at {}",
                zones.moment(appearances.first)
            ),
            Err(_) => format!(
                "{text}, under the same registered domain {around}, was asked for {}",
                appearances.asked(coverage, store, zones)
            ),
        })
    }
}

/// `192.168.2.42 (KEVIN-PC)`: the first of the clients that asked.
fn named(clients: &[&Asker], store: &SightingStore) -> String {
    let named = clients.iter().map(|Asker { address, .. }| match store.hostname_of(*address) {
        Some(hostname) => format!("{address} ({})", hostname.name),
        None => address.to_string(),
    });
    let mut few: Vec<String> = named.take(CLIENTS_MAX).collect();
    if few.len() < clients.len() {
        few.push("others".to_owned());
    }
    list(&few)
}

/// The registered domain of a name, if that is not itself; the network around an address.
fn around(destination: &str) -> Option<String> {
    match destination.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            Some(format!("{a:x}:{b:x}:{c:x}::/48"))
        }
        Err(_) => {
            let domain = addr::parse_dns_name(destination).ok()?.root()?;
            (domain != destination).then(|| domain.to_owned())
        }
    }
}

/// How many labels two names share at their end.
fn common_end(one: &str, other: &str) -> usize {
    one.rsplit('.').zip(other.rsplit('.')).take_while(|(one, other)| one == other).count()
}

/// The DNS servers at which a destination was seen, though not at the one that the alert blames.
pub(super) fn elsewhere(seen: &DestinationSightings, host: &str, zones: &Zones) -> Option<String> {
    let mut servers: BTreeMap<Address, (u64, Timestamp)> = BTreeMap::new();
    for record in &seen.sightings {
        let (count, first) = servers.entry(record.resolver).or_insert((0, record.time));
        *count += 1;
        *first = record.time.min(*first);
    }
    let told: Vec<String> = servers
        .iter()
        .take(SERVERS_MAX)
        .map(|(server, (count, first))| {
            format!("{server} ({count}, first at {})", zones.moment(*first))
        })
        .collect();
    let queries = if told.is_empty() { return None } else { told.join(", ") };
    Some(format!("not at {host}, but flagged queries were seen at {queries}"))
}

/// That others asked for the destination, and not the client that is blamed for it.
pub(super) fn by_others(
    seen: &DestinationSightings,
    clients: &[Address],
    zones: &Zones,
) -> Option<String> {
    let client = clients.first()?;
    let others = seen.sightings.iter().filter(|record| record.is_of_somebody());
    let first = others.map(|record| record.time).min().map(|first| zones.moment(first));
    let others = first.map_or(String::new(), |first| format!("; others did, first at {first}"));
    Some(format!("{client} was not seen to ask for it{others}"))
}

/// That the capture has nothing from the alert's time, and when the destination was asked for else.
pub(super) fn in_gap(
    (from, to): (Timestamp, Timestamp),
    closest: Option<Timestamp>,
    zones: &Zones,
) -> String {
    let (from, to) = (zones.moment(from), zones.moment(to));
    let else_asked = closest.map_or(String::new(), |closest| {
        format!("; it was asked for at {}", zones.moment(closest))
    });
    format!(
        "the capture has no DNS packet from {from} to {to}: who asked for what then is unknown{else_asked}"
    )
}

/// How far an alert is from the capture, or from the closest sighting of its destination; from when until when it was.
pub(super) fn in_time(
    (from, until): (Timestamp, Timestamp),
    coverage: &Coverage,
    closest: Option<Timestamp>,
    zones: &Zones,
) -> Option<String> {
    let (first, last) = coverage.span?;
    let time = moments(from, until, zones);
    let mut parts = Vec::new();
    if until < first || from > last {
        parts.push(format!(
            "the capture covers {} to {}; the alert's time is {time} by the capture's clock",
            zones.moment(first),
            zones.moment(last),
        ));
    }
    if let Some(closest) = closest {
        let closest = zones.moment(closest);
        let at = if from == until { "at" } else { "from" };
        parts.push(format!("it was asked for at {closest}, but not {at} {time}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A moment, or from when until when.
pub(super) fn moments(from: Timestamp, until: Timestamp, zones: &Zones) -> String {
    match from == until {
        true => zones.moment(from),
        false => format!("{} to {}", zones.moment(from), zones.moment(until)),
    }
}

/// In which zones the time of an alert would fit that fits nothing in its own: what to say then.
pub(super) fn in_zones(fits: &[ZoneFit], zones: &Zones) -> String {
    match told(fits, zones) {
        few if few.is_empty() => few,
        few => format!(
            "; the alert has no time zone, and it would match with {few}: if the firewall's log is in that zone, \
             use the option"
        ),
    }
}

/// That others would be named for an alert if its time, whose zone was assumed, is of another.
pub(super) fn others_in_zones(fits: &[ZoneFit], zones: &Zones) -> Option<String> {
    match told(fits, zones) {
        few if few.is_empty() => None,
        few => Some(format!(
            "the alert's time has no zone and was taken as local; it would lead to others with {few}"
        )),
    }
}

/// `--tz UTC (2026-03-02 08:17:43 UTC-5)`: the zones, and when that was.
fn told(fits: &[ZoneFit], zones: &Zones) -> String {
    let few = fits.iter().take(FITS_MAX);
    let few = few.map(|fit| format!("{} ({})", fit.flag(), zones.moment(fit.sighting)));
    few.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_destination() {
        for (destination, expected) in [
            ("mi.kenal-cn.com", Some("kenal-cn.com")),
            ("kenal-cn.com", None),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("com", None),
            ("104.31.83.243", Some("104.31.83.0/24")),
            ("2001:db8:1:2::3", Some("2001:db8:1::/48")),
        ] {
            assert_eq!(around(destination).as_deref(), expected, "{destination}");
        }
        assert_eq!(common_end("x.kenal-cn.com", "mi.kenal-cn.com"), 2);
    }
}
