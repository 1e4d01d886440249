//! What is kept of the attributions of one indicator until the end: counts, and a little of each client.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{is_at_or_below, registered_domain};
use crate::attribution::{Asks, Attribution, Client, Place, Step, Verdicts};
use crate::contact::{Connection, Contact};
use crate::flow::Address;
use crate::indicator::shared::cdn_of;
use crate::resolution::{Leg, NoClientReason};
use crate::time::{Timestamp, Zone};

/// How many moments are kept of one client, those that are nearer to each other than [`SAME_MOMENT`]
/// being one.
const MOMENTS_MAX: usize = 128;
/// See [`MOMENTS_MAX`], in nanoseconds. Retries and further types come within it.
const SAME_MOMENT: i64 = 2_000_000_000;
/// How many names asked for are kept of one client, and of those that led here as aliases.
const NAMES_MAX: usize = 32;
/// How many servers are kept that were asked at a listed address.
const SERVERS_MAX: usize = 64;

/// How a client's question came to an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It asked for the listed name, or one below it; or asked the listed server itself.
    Direct,
    /// Its answer held the listed address.
    Address,
    /// The same, but by a name of a network whose addresses are those of many owners' sites.
    SharedAddress,
    /// Its name is an alias that leads there, in the same registered domain; or its HTTPS or SVCB record does.
    OwnAlias,
    /// The same, of somebody else's.
    Alias,
    /// The resolver asked a listed server about its name, or looked such a server up.
    Server,
}

impl Way {
    /// How many there are.
    const ALL: usize = Way::Server as usize + 1;

    /// Whether what it asked for may be harmless: it only led there, as names of others do.
    pub fn is_led(self) -> bool {
        matches!(self, Way::SharedAddress | Way::Alias | Way::Server)
    }

    /// How `client` came to what `listed` names, or, with none, to a listed address.
    pub(super) fn of(attribution: &Attribution, client: &Client, listed: Option<&str>) -> Way {
        let sighting = &attribution.sighting;
        if listed.is_some_and(|listed| is_at_or_below(&client.asked, listed)) {
            return Way::Direct;
        }
        match (sighting.place, sighting.leg) {
            (Place::Server, Leg::Upstream) | (Place::Nameserver, _) => return Way::Server,
            (Place::Server, Leg::Client) => return Way::Direct,
            (Place::Address, _)
                if owner_of_address(client).is_some_and(|o| cdn_of(o).is_some()) =>
            {
                return Way::SharedAddress;
            }
            (Place::Address, _) => return Way::Address,
            (Place::Qname | Place::Alias | Place::Target, _) => {}
        }
        let mut steps = client.chain.iter().skip(1);
        let Some(last) = client.chain.last() else { return Way::Direct };
        if steps.clone().any(|step| step.step == Step::Nameserver) {
            Way::Server
        } else if !steps.any(|step| step.step.is_pointed_at()) {
            Way::Direct
        } else if registered_domain(&client.asked) == registered_domain(&last.name) {
            Way::OwnAlias
        } else {
            Way::Alias
        }
    }
}

/// The name whose address a client was led to.
fn owner_of_address(client: &Client) -> Option<&str> {
    let mut names = client.chain.iter().rev().skip_while(|step| step.step == Step::Address);
    names.next().map(|step| step.name.as_str())
}

/// One client's dealings with an indicator.
#[derive(Clone, Debug, Default)]
pub(super) struct Dealings {
    /// Its questions that led there, by the way they took, in the order of [`Way`].
    ways: [u32; Way::ALL],
    /// Times of its questions, in order.
    pub moments: Vec<Timestamp>,
    /// Its questions, by hour of the day.
    pub by_hour: [u32; 24],
    /// The names it asked for, in lower case, in order. No tree: of most clients it is one.
    pub names: Vec<Box<str>>,
    /// Whether there were more.
    pub more_names: bool,
    /// How it connected to an address it got.
    pub connected: Option<Connection>,
    last_asks: Asks,
}

impl Dealings {
    /// Its questions.
    pub fn asks(&self) -> u64 {
        self.ways.iter().copied().map(u64::from).sum()
    }

    /// How many of them came some way.
    pub fn by(&self, way: Way) -> u64 {
        self.ways.get(way as usize).copied().map_or(0, u64::from)
    }

    /// Whether all of them came in one of these ways.
    pub fn only(&self, ways: &[Way]) -> bool {
        let all = self.asks();
        all > 0 && ways.iter().map(|way| self.by(*way)).sum::<u64>() == all
    }

    /// Whether any of them was for what is listed, or got a listed address.
    pub fn is_meant(&self) -> bool {
        self.by(Way::Direct) + self.by(Way::Address) + self.by(Way::OwnAlias) > 0
    }

    fn add(&mut self, client: &Client, way: Way, zone: &Zone) {
        if let Contact::Yes(connection) = &client.contact {
            let earlier = self.connected.as_ref().is_none_or(|known| connection.time < known.time);
            if earlier {
                self.connected = Some(connection.clone());
            }
        }
        if !self.last_asks.is_new(client.question) {
            return;
        }
        if let Some(count) = self.ways.get_mut(way as usize) {
            *count = count.saturating_add(1);
        }
        if let Some(count) = self.by_hour.get_mut(usize::from(zone.hour(client.asked_time))) {
            *count = count.saturating_add(1);
        }
        let name = client.asked.to_ascii_lowercase().into_boxed_str();
        if let Err(place) = self.names.binary_search(&name) {
            match self.names.len() < NAMES_MAX {
                true => self.names.insert(place, name),
                false => self.more_names = true,
            }
        }
        self.add_moment(client.asked_time);
    }

    fn add_moment(&mut self, time: Timestamp) {
        let place = self.moments.partition_point(|known| *known < time);
        let near = |place: Option<usize>| {
            let known = place.and_then(|place| self.moments.get(place));
            known.is_some_and(|known| (*known - time).abs().0 < SAME_MOMENT)
        };
        if !near(Some(place)) && !near(place.checked_sub(1)) && self.moments.len() < MOMENTS_MAX {
            self.moments.insert(place, time);
        }
    }
}

/// What is kept of an indicator.
#[derive(Clone, Debug, Default)]
pub(super) struct IndicatorTally {
    pub verdicts: Verdicts,
    /// Of those without a client, how many are priming.
    pub priming: u64,
    /// Servers that were asked at a listed address.
    pub servers: BTreeSet<Address>,
    /// Names that led here as aliases of somebody else's, in lower case.
    pub aliases: BTreeSet<String>,
    /// Whether there were more.
    pub more_aliases: bool,
    /// The names that aliases led to, and those of networks that have a listed address.
    pub tails: BTreeSet<String>,
    /// Names that were asked for at a listed server, in lower case.
    pub asked_there: BTreeSet<String>,
    /// Whether there were more.
    pub more_asked_there: bool,
    /// The clients, and what they had to do with it.
    pub clients: BTreeMap<Address, Dealings>,
    /// Whether there were clients for which there was no room.
    pub more_clients: bool,
}

impl IndicatorTally {
    /// Whether all questions of clients came in one of these ways.
    pub fn only(&self, ways: &[Way]) -> bool {
        !self.clients.is_empty()
            && !self.more_clients
            && self.clients.values().all(|dealings| dealings.only(ways))
    }

    /// Counts an attribution of what `listed` names, or, with none, of a listed address. `room` is how
    /// many clients may still be added; returns how many were.
    pub fn add(
        &mut self,
        attribution: &Attribution,
        listed: Option<&str>,
        room: usize,
        zone: &Zone,
    ) -> usize {
        self.verdicts.add(attribution.verdict);
        self.priming += u64::from(attribution.unexplained == Some(NoClientReason::Priming));
        let sighting = &attribution.sighting;
        if sighting.place == Place::Server && sighting.leg == Leg::Upstream {
            insert(&mut self.servers, SERVERS_MAX, sighting.server);
            let name = sighting.name.to_ascii_lowercase();
            self.more_asked_there |= !insert(&mut self.asked_there, NAMES_MAX, name);
        }
        let mut added = 0;
        for client in &attribution.clients {
            let is_new = !self.clients.contains_key(&client.address);
            if is_new && added >= room {
                self.more_clients = true;
                continue;
            }
            added += usize::from(is_new);
            let way = Way::of(attribution, client, listed);
            if way == Way::Alias {
                let name = client.asked.to_ascii_lowercase();
                self.more_aliases |= !insert(&mut self.aliases, NAMES_MAX, name);
                if let Some(step) = client.chain.last() {
                    insert(&mut self.tails, NAMES_MAX, step.name.to_ascii_lowercase());
                }
            } else if way == Way::SharedAddress
                && let Some(owner) = owner_of_address(client)
            {
                insert(&mut self.tails, NAMES_MAX, owner.to_ascii_lowercase());
            }
            self.clients.entry(client.address).or_default().add(client, way, zone);
        }
        added
    }
}

/// Adds to a set that is bounded; whether the value is in it now.
fn insert<T: Ord>(set: &mut BTreeSet<T>, limit: usize, value: T) -> bool {
    if set.len() < limit {
        set.insert(value);
        return true;
    }
    set.contains(&value)
}
