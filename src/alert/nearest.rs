//! What is near to an alert's destination, yet not it: names of the same registered domain, addresses of
//! the same network. It answers nothing, and tells only where to look on.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::sightings::Seen;
use crate::attribution::Coverage;
use crate::flow::Address;
use crate::indicator::{IndicatorId, Indicators};
use crate::message::{Fact, Message, Messages};
use crate::name::NameHasher;
use crate::time::Timestamp;

/// How many names or addresses are kept near one destination.
const NEAR_MAX: usize = 64;
/// How many DNS servers are named.
const SERVERS_MAX: usize = 4;

/// What was seen near one destination.
#[derive(Debug, Default)]
struct Near {
    /// By name or address: how often, and when first.
    seen: BTreeMap<String, (u64, Timestamp)>,
}

/// Watches for what is near.
#[derive(Debug)]
pub(super) struct Nearby {
    around: Indicators,
    near: BTreeMap<IndicatorId, Near>,
    /// For each destination: what is around it.
    around_of: BTreeMap<String, (String, IndicatorId)>,
    found: Vec<IndicatorId>,
}

impl Nearby {
    /// Watches around destinations, in the form that indicators have.
    pub(super) fn new<'a>(destinations: impl Iterator<Item = &'a str>) -> Nearby {
        let around: Vec<(String, String)> = destinations
            .filter_map(|destination| Some((destination.to_owned(), around(destination)?)))
            .collect();
        let words = around.iter().map(|(_, around)| (1, around.as_str()));
        let (indicators, ids) = Indicators::from_entries("near", words, NameHasher::random());
        let around_of = around
            .into_iter()
            .zip(ids)
            .filter_map(|((destination, around), id)| Some((destination, (around, id.ok()?))))
            .collect();
        Nearby { around: indicators, near: BTreeMap::new(), around_of, found: Vec::new() }
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
                self.note(&name.to_string().to_ascii_lowercase(), message.time);
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
                self.note(&address.to_string(), message.time);
            }
        }
    }

    fn note(&mut self, text: &str, time: Timestamp) {
        for id in &self.found {
            let near = self.near.entry(*id).or_default();
            if let Some((count, _)) = near.seen.get_mut(text) {
                *count += 1;
            } else if near.seen.len() < NEAR_MAX {
                near.seen.insert(text.to_owned(), (1, time));
            }
        }
    }

    /// The nearest to a destination, in words.
    pub(super) fn words(&self, destination: &str) -> Option<String> {
        let (around, id) = self.around_of.get(destination)?;
        let near = self.near.get(id)?;
        let shared = |text: &str| common_end(text, destination);
        let (text, (count, first)) = near
            .seen
            .iter()
            .filter(|(text, _)| text.as_str() != destination)
            .max_by_key(|(text, (count, _))| (shared(text), *count))?;
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        Some(match destination.parse::<IpAddr>() {
            Ok(_) => format!(
                "{text}, in the same network {around}, was asked or answered {times}, first at {}",
                moment(*first)
            ),
            Err(_) => format!(
                "{text}, under the same registered domain {around}, was asked for {times}, first at {}",
                moment(*first)
            ),
        })
    }
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
            let domain = psl::domain_str(destination)?;
            (domain != destination).then(|| domain.to_owned())
        }
    }
}

/// How many labels two names share at their end.
fn common_end(one: &str, other: &str) -> usize {
    one.rsplit('.').zip(other.rsplit('.')).take_while(|(one, other)| one == other).count()
}

/// The DNS servers at which a destination was seen, though not at the one that the alert blames.
pub(super) fn elsewhere(seen: &Seen, host: &str) -> Option<String> {
    let mut servers: BTreeMap<Address, (u64, Timestamp)> = BTreeMap::new();
    for kept in &seen.sightings {
        let (count, first) = servers.entry(kept.resolver).or_insert((0, kept.time));
        *count += 1;
        *first = kept.time.min(*first);
    }
    let told: Vec<String> = servers
        .iter()
        .take(SERVERS_MAX)
        .map(|(server, (count, first))| format!("{server} ({count}, first at {})", moment(*first)))
        .collect();
    let queries = if told.is_empty() { return None } else { told.join(", ") };
    Some(format!("not at {host}, but flagged queries were seen at {queries}"))
}

/// How far an alert is from the capture, or from the nearest sighting of its destination.
pub(super) fn in_time(
    time: Timestamp,
    coverage: &Coverage,
    sightings: impl Iterator<Item = Timestamp>,
) -> Option<String> {
    let (first, last) = coverage.span?;
    let nearest = sightings.min_by_key(|sighting| (*sighting - time).abs());
    let mut parts = Vec::new();
    if time < first || time > last {
        parts.push(format!(
            "the capture covers {} to {}, the alert is of {} by the capture's clock",
            moment(first),
            moment(last),
            moment(time)
        ));
    }
    if let Some(nearest) = nearest {
        parts.push(format!(
            "it was asked for at {}, but not at {}; if the firewall's clock or time zone is off, say the \
             zone with --tz",
            moment(nearest),
            moment(time)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `2026-03-02 09:17:42`.
pub(super) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(clock)) if text.ends_with('Z') => format!("{day} {clock}"),
        _ => text,
    }
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
