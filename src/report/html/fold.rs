//! Many sightings folded into few dealings: one for each client and indicator, with an example to draw,
//! and one group for each reason for which no client is named. What has no room is counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};

use foldhash::HashMap;

use super::moments::Moments;
use crate::attribution::{Attribution, ChainStep, Client, Place, Sighting, Verdict};
use crate::contact::Contact;
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, Role, Unexplained};
use crate::time::Timestamp;

/// How many dealings, and how many of what is unnamed, are kept; what would need more is counted.
const ENTRIES_MAX: usize = 4_096;
/// How many names asked for are kept with a dealing.
const WAYS_MAX: usize = 8;
/// How many types, parts, host names, link-layer addresses and VLANs are kept.
const VARIANTS_MAX: usize = 4;
/// How many steps of a chain are kept: its beginning, and its end.
const STEPS_MAX: usize = 16;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 24;
/// How many frames of one sighting are named.
const FRAMES_OF_ONE_MAX: usize = 40;
/// How many questions of a client are remembered, so that none is counted twice.
const RECENT_MAX: usize = 256;

/// A name that was asked for, and where it led.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub asked: String,
    pub types: Vec<String>,
    /// The shortest chain seen.
    pub chain: Vec<ChainStep>,
}

/// A part a client had: in which role, at which resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub role: Role,
    pub leg: Leg,
    pub hops: Vec<Address>,
    pub resolver: Address,
}

/// Frames of the first sightings, and of how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    pub frames: BTreeSet<FrameId>,
    pub of: u64,
    pub all: u64,
}

impl Frames {
    /// Adds those of a sighting, until one comes for which there is no room.
    fn add(&mut self, frames: impl Iterator<Item = FrameId>) {
        let is_full = self.of < self.all;
        self.all += 1;
        if is_full {
            return;
        }
        let mut more = self.frames.clone();
        more.extend(frames.filter(|frame| frame.is_some()).take(FRAMES_OF_ONE_MAX));
        if self.of == 0 || more.len() <= FRAMES_MAX {
            self.frames = more;
            self.of += 1;
        }
    }
}

/// The sighting that shows best how a client's question led to an indicator.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub client: Client,
    pub sighting: Sighting,
}

/// What makes one example better than another: the way upstream is seen, the client set it off, what was
/// flagged is asked for by name (so that it is what the firewall saw), it is the last of several DNS
/// servers, it is sure.
fn rank(client: &Client, sighting: &Sighting) -> (bool, Role, Place, Reverse<usize>, u16) {
    let unsure = 1000 - client.confidence_permille.min(1000);
    let hops = Reverse(client.hops.len());
    (sighting.leg == Leg::Client, client.role, sighting.place, hops, unsure)
}

/// What one client had to do with one indicator.
#[derive(Clone, Debug)]
pub(super) struct Dealing {
    pub client: Address,
    pub indicator: IndicatorId,
    pub ways: Vec<Way>,
    /// Sightings by way of further names.
    pub further: u64,
    pub parts: Vec<Part>,
    /// What came back, and how often.
    pub outcomes: BTreeMap<Option<&'static str>, u64>,
    /// How many of its questions.
    pub asks: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    pub moments: Moments,
    /// The highest confidence of its sightings, in thousandths.
    pub most_permille: u16,
    /// The lowest.
    pub least_permille: u16,
    pub frames: Frames,
    /// It was never more than the end of an alias chain.
    pub only_tail: bool,
    /// It was never more than the address of a server that the resolver asked on the way.
    pub only_server: bool,
    pub contact: Contact,
    pub example: Example,
    recent: BTreeSet<FrameId>,
}

impl Dealing {
    fn new(client: &Client, attribution: &Attribution) -> Dealing {
        Dealing {
            client: client.address,
            indicator: attribution.indicator,
            ways: Vec::new(),
            further: 0,
            parts: Vec::new(),
            outcomes: BTreeMap::new(),
            asks: 0,
            first: client.asked_time,
            last: client.asked_time,
            moments: Moments::default(),
            most_permille: client.confidence_permille,
            least_permille: client.confidence_permille,
            frames: Frames::default(),
            only_tail: true,
            only_server: true,
            contact: Contact::NotVisible,
            example: example(client, &attribution.sighting),
            recent: BTreeSet::new(),
        }
    }

    /// Whether it may be a false alarm: it asked for something else.
    pub fn is_doubtful(&self) -> bool {
        self.only_tail || self.only_server
    }

    fn add(&mut self, client: &Client, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        let ask =
            if client.asked_frame.is_some() { client.asked_frame } else { client.answer_frame };
        if self.recent.insert(ask) {
            self.asks += 1;
            *self.outcomes.entry(client.rcode).or_default() += 1;
            self.moments.add(client.asked_time);
        }
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_first();
        }
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.most_permille = self.most_permille.max(client.confidence_permille);
        self.least_permille = self.least_permille.min(client.confidence_permille);
        self.only_tail &= attribution.hints.contains(&"alias-tail");
        self.only_server &= sighting.place == Place::Server && sighting.leg == Leg::Upstream;
        self.contact = surer(&self.contact, &client.contact).clone();
        if rank(client, sighting) < rank(&self.example.client, &self.example.sighting) {
            self.example = example(client, sighting);
        }
        self.add_way(client);
        let hops = client.hops.iter().copied().take(VARIANTS_MAX).collect();
        let part = Part { role: client.role, leg: sighting.leg, hops, resolver: sighting.resolver };
        if !self.parts.contains(&part) && self.parts.len() < VARIANTS_MAX {
            self.parts.push(part);
            self.parts.sort_by(|one, other| {
                let key = |part: &Part| (part.role, part.leg == Leg::Client, part.resolver);
                key(one).cmp(&key(other)).then_with(|| one.hops.cmp(&other.hops))
            });
        }
        let own =
            [client.asked_frame, client.answer_frame, sighting.frame, sighting.response_frame];
        self.frames.add(own.into_iter().chain(client.chain.iter().map(|step| step.frame)));
    }

    fn add_way(&mut self, client: &Client) {
        let known = self.ways.iter_mut().find(|way| way.asked.eq_ignore_ascii_case(&client.asked));
        if let Some(way) = known {
            if !way.types.contains(&client.asked_type) && way.types.len() < VARIANTS_MAX {
                way.types.push(client.asked_type.clone());
            }
            if client.chain.len() < way.chain.len() {
                way.chain = bounded(&client.chain);
            }
        } else if self.ways.len() < WAYS_MAX {
            self.ways.push(Way {
                asked: client.asked.clone(),
                types: vec![client.asked_type.clone()],
                chain: bounded(&client.chain),
            });
        } else {
            self.further += 1;
        }
    }
}

fn example(client: &Client, sighting: &Sighting) -> Example {
    let client = Client { chain: bounded(&client.chain), ..client.clone() };
    Example { client, sighting: sighting.clone() }
}

/// A chain with its middle left out if it is very long.
fn bounded(chain: &[ChainStep]) -> Vec<ChainStep> {
    if chain.len() <= STEPS_MAX {
        return chain.to_vec();
    }
    let begin = chain.iter().take(STEPS_MAX / 2 - 1).cloned();
    let left_out = chain.len() - (STEPS_MAX - 1);
    let gap =
        ChainStep { name: format!("({left_out} more steps)"), step: "more", frame: FrameId::NONE };
    let end = chain.iter().skip(chain.len() - STEPS_MAX / 2).cloned();
    begin.chain([gap]).chain(end).collect()
}

/// The contact that says more; of two, the earlier.
fn surer<'a>(one: &'a Contact, other: &'a Contact) -> &'a Contact {
    match (one, other) {
        (Contact::Yes(first), Contact::Yes(second)) if second.time < first.time => other,
        (Contact::Yes(_), _) => one,
        (_, Contact::Yes(_)) => other,
        (Contact::No, _) => one,
        _ => other,
    }
}

/// What is known of a client, whatever it asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// Link-layer addresses, and whether each is a router's.
    pub macs: Vec<(Mac, bool)>,
    pub vlans: Vec<u16>,
    pub hostnames: Vec<Hostname>,
}

impl Person {
    fn add(&mut self, client: &Client) {
        if let Some(mac) = client.mac {
            match self.macs.iter_mut().find(|(known, _)| *known == mac) {
                Some((_, is_router)) => *is_router |= client.is_router_mac,
                None => push(&mut self.macs, (mac, client.is_router_mac)),
            }
        }
        if let Some(vlan) = client.vlan
            && !self.vlans.contains(&vlan)
        {
            push(&mut self.vlans, vlan);
        }
        if let Some(hostname) = &client.hostname {
            let same = |known: &Hostname| {
                known.name.eq_ignore_ascii_case(&hostname.name) && known.source == hostname.source
            };
            if !self.hostnames.iter().any(same) {
                push(&mut self.hostnames, hostname.clone());
            }
        }
    }
}

fn push<T>(to: &mut Vec<T>, item: T) {
    if to.len() < VARIANTS_MAX {
        to.push(item);
    }
}

/// Queries for one indicator that no client is named for.
#[derive(Clone, Debug)]
pub(super) struct Unnamed {
    pub indicator: IndicatorId,
    pub queries: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Names and types asked for.
    pub names: Vec<String>,
    /// Queries for further names.
    pub further: u64,
    pub frames: Frames,
}

/// What is unnamed for one reason, at one resolver.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub verdict: Verdict,
    pub resolver: Address,
    /// The reason in words, as given first.
    pub reason: String,
    /// Whether the words were others later: they name numbers and times.
    pub reasons_differ: bool,
    pub unnamed: Vec<Unnamed>,
    pub queries: u64,
}

type GroupKey = (Verdict, Option<Discriminant<Unexplained>>, Address);

/// All that was folded.
#[derive(Debug, Default)]
pub(super) struct Fold {
    dealings: HashMap<(Address, IndicatorId), Dealing>,
    people: HashMap<Address, Person>,
    groups: HashMap<GroupKey, Group>,
    places: HashMap<(GroupKey, IndicatorId), usize>,
    /// How many sightings of further clients had no room.
    pub clients_left_out: u64,
    /// How many queries without a client had no room.
    pub unnamed_left_out: u64,
}

impl Fold {
    /// Adds a settled attribution.
    pub fn add(&mut self, attribution: &Attribution) {
        if attribution.verdict == Verdict::Attributed {
            for client in &attribution.clients {
                self.add_client(client, attribution);
            }
        } else {
            self.add_unnamed(attribution);
        }
    }

    fn add_client(&mut self, client: &Client, attribution: &Attribution) {
        let key = (client.address, attribution.indicator);
        if self.dealings.len() >= ENTRIES_MAX && !self.dealings.contains_key(&key) {
            self.clients_left_out += 1;
            return;
        }
        self.people.entry(client.address).or_default().add(client);
        self.dealings
            .entry(key)
            .or_insert_with(|| Dealing::new(client, attribution))
            .add(client, attribution);
    }

    fn add_unnamed(&mut self, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        let why = attribution.unexplained.as_ref().map(discriminant);
        let key = (attribution.verdict, why, sighting.resolver);
        let place = self.places.get(&(key, attribution.indicator)).copied();
        if place.is_none() && self.places.len() >= ENTRIES_MAX {
            self.unnamed_left_out += 1;
            return;
        }
        let reason = attribution.reason.as_deref().unwrap_or("no reason is known");
        let group = self.groups.entry(key).or_insert_with(|| Group {
            verdict: attribution.verdict,
            resolver: sighting.resolver,
            reason: reason.to_owned(),
            reasons_differ: false,
            unnamed: Vec::new(),
            queries: 0,
        });
        group.reasons_differ |= group.reason != reason;
        group.queries += 1;
        let place = place.unwrap_or_else(|| {
            self.places.insert((key, attribution.indicator), group.unnamed.len());
            group.unnamed.push(Unnamed::new(attribution.indicator, sighting));
            group.unnamed.len() - 1
        });
        if let Some(unnamed) = group.unnamed.get_mut(place) {
            unnamed.add(sighting);
        }
    }

    /// The dealings, by client, then by indicator.
    pub fn dealings(&self) -> Vec<&Dealing> {
        let mut dealings: Vec<&Dealing> = self.dealings.values().collect();
        dealings.sort_by_key(|dealing| (dealing.client, dealing.indicator));
        dealings
    }

    /// What is known of a client.
    pub fn person(&self, client: Address) -> Option<&Person> {
        self.people.get(&client)
    }

    /// The groups of a verdict, the one with most queries first.
    pub fn groups(&self, verdict: Verdict) -> Vec<&Group> {
        let mut groups: Vec<&Group> =
            self.groups.values().filter(|group| group.verdict == verdict).collect();
        groups.sort_by(|one, other| {
            let key = |group: &Group| (u64::MAX - group.queries, group.resolver);
            key(one).cmp(&key(other)).then_with(|| one.reason.cmp(&other.reason))
        });
        groups
    }
}

impl Unnamed {
    fn new(indicator: IndicatorId, sighting: &Sighting) -> Unnamed {
        Unnamed {
            indicator,
            queries: 0,
            first: sighting.time,
            last: sighting.time,
            names: Vec::new(),
            further: 0,
            frames: Frames::default(),
        }
    }

    fn add(&mut self, sighting: &Sighting) {
        self.queries += 1;
        self.first = self.first.min(sighting.time);
        self.last = self.last.max(sighting.time);
        self.frames.add([sighting.frame, sighting.response_frame].into_iter());
        let name = format!("{} ({})", sighting.name, sighting.rtype);
        if !self.names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            if self.names.len() < WAYS_MAX {
                self.names.push(name);
            } else {
                self.further += 1;
            }
        }
    }
}
