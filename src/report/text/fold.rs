//! Many sightings folded into few entries: one for each client and indicator, and one for each reason
//! for which no client is named.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};

use foldhash::HashMap;

use crate::attribution::{Attribution, ChainStep, Client, Place, Sighting, Verdict};
use crate::contact::Contact;
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, Role, Unexplained};
use crate::time::Timestamp;

/// How many entries of each sort are kept; sightings that would need a further one are only counted.
const ENTRIES_MAX: usize = 4_096;
/// How many names asked for are kept with an entry.
const NAMES_MAX: usize = 4;
/// How many types, and how many parts, are kept.
const VARIANTS_MAX: usize = 4;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 12;
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub role: Role,
    pub on_client_leg: bool,
    pub hops: Vec<Address>,
    pub resolver: Address,
}

impl Part {
    /// Where it was seen.
    pub fn leg(&self) -> Leg {
        if self.on_client_leg { Leg::Client } else { Leg::Upstream }
    }
}

/// Frames of the first sightings, and of how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    pub frames: BTreeSet<FrameId>,
    pub of: u64,
    pub all: u64,
    /// Whether one sighting had more frames than are named.
    pub cut: bool,
}

impl Frames {
    /// Adds those of a sighting, until one comes for which there is no room.
    fn add(&mut self, frames: impl Iterator<Item = FrameId>) {
        let is_full = self.of < self.all;
        self.all += 1;
        if is_full {
            return;
        }
        let mut own: BTreeSet<FrameId> = frames.filter(|frame| frame.is_some()).collect();
        let cut = own.len() > FRAMES_OF_ONE_MAX;
        while own.len() > FRAMES_OF_ONE_MAX {
            own.pop_last();
        }
        own.extend(&self.frames);
        if self.of == 0 || own.len() <= FRAMES_MAX {
            self.frames = own;
            self.of += 1;
            self.cut |= cut;
        }
    }
}

/// What one client had to do with one indicator.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub client: Address,
    pub indicator: IndicatorId,
    pub mac: Option<Mac>,
    /// Whether that is known to be a router's.
    pub is_router_mac: bool,
    pub vlan: Option<u16>,
    pub hostname: Option<Hostname>,
    /// Whether it then connected: the most that is known.
    pub contact: Contact,
    pub ways: Vec<Way>,
    pub more_ways: bool,
    pub parts: Vec<Part>,
    /// What came back, and how often.
    pub outcomes: Vec<(Option<&'static str>, u64)>,
    /// How many of its questions.
    pub asks: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The highest confidence of its sightings, in thousandths.
    pub confidence_permille: u16,
    /// The lowest.
    pub confidence_least_permille: u16,
    pub frames: Frames,
    /// It was never more than the end of an alias chain.
    pub only_tail: bool,
    /// It was never more than the address of a server that the resolver asked on the way.
    pub only_server: bool,
    recent: BTreeSet<FrameId>,
}

impl Entry {
    fn new(client: &Client, indicator: IndicatorId) -> Entry {
        Entry {
            client: client.address,
            indicator,
            mac: client.mac,
            is_router_mac: false,
            vlan: client.vlan,
            hostname: None,
            contact: Contact::NotVisible,
            ways: Vec::new(),
            more_ways: false,
            parts: Vec::new(),
            outcomes: Vec::new(),
            asks: 0,
            first: client.asked_time,
            last: client.asked_time,
            confidence_permille: client.confidence_permille,
            confidence_least_permille: client.confidence_permille,
            frames: Frames::default(),
            only_tail: true,
            only_server: true,
            recent: BTreeSet::new(),
        }
    }

    /// Whether it may be a false alarm.
    pub fn is_doubtful(&self) -> bool {
        self.only_tail || self.only_server
    }

    fn add(&mut self, client: &Client, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        let ask =
            if client.asked_frame.is_some() { client.asked_frame } else { client.answer_frame };
        if self.recent.insert(ask) {
            self.asks += 1;
            self.add_outcome(client.rcode);
        }
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_first();
        }
        self.mac = self.mac.or(client.mac);
        self.is_router_mac |= client.is_router_mac;
        self.vlan = self.vlan.or(client.vlan);
        if self.hostname.is_none() {
            self.hostname.clone_from(&client.hostname);
        }
        match (&self.contact, &client.contact) {
            (Contact::Yes(known), Contact::Yes(new)) if known.time <= new.time => {}
            (_, Contact::Yes(_)) | (Contact::NotVisible, Contact::No) => {
                self.contact.clone_from(&client.contact);
            }
            _ => {}
        }
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.confidence_permille = self.confidence_permille.max(client.confidence_permille);
        self.confidence_least_permille =
            self.confidence_least_permille.min(client.confidence_permille);
        self.only_tail &= attribution.hints.contains(&"alias-tail");
        self.only_server &= sighting.place == Place::Server && sighting.leg == Leg::Upstream;
        self.add_way(client);
        let part = Part {
            role: client.role,
            on_client_leg: sighting.leg == Leg::Client,
            hops: client.hops.clone(),
            resolver: sighting.resolver,
        };
        if !self.parts.contains(&part) && self.parts.len() < VARIANTS_MAX {
            self.parts.push(part);
            self.parts.sort_unstable();
        }
        let own =
            [client.asked_frame, client.answer_frame, sighting.frame, sighting.response_frame];
        self.frames.add(own.into_iter().chain(client.chain.iter().map(|step| step.frame)));
    }

    fn add_outcome(&mut self, rcode: Option<&'static str>) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == rcode) {
            Some((_, count)) => *count += 1,
            None => self.outcomes.push((rcode, 1)),
        }
    }

    fn add_way(&mut self, client: &Client) {
        let known = self.ways.iter_mut().find(|way| way.asked.eq_ignore_ascii_case(&client.asked));
        if let Some(way) = known {
            if !way.types.contains(&client.asked_type) && way.types.len() < VARIANTS_MAX {
                way.types.push(client.asked_type.clone());
            }
            if client.chain.len() < way.chain.len() {
                way.chain.clone_from(&client.chain);
            }
        } else if self.ways.len() < NAMES_MAX {
            self.ways.push(Way {
                asked: client.asked.clone(),
                types: vec![client.asked_type.clone()],
                chain: client.chain.clone(),
            });
        } else {
            self.more_ways = true;
        }
    }
}

/// The clients.
#[derive(Debug, Default)]
pub(super) struct Clients {
    entries: HashMap<(Address, IndicatorId), Entry>,
    /// How many sightings of further clients had no room.
    pub left_out: u64,
}

impl Clients {
    /// Adds each client of an attribution.
    pub fn add(&mut self, attribution: &Attribution) {
        for client in &attribution.clients {
            let key = (client.address, attribution.indicator);
            if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&key) {
                self.left_out += 1;
                continue;
            }
            self.entries
                .entry(key)
                .or_insert_with(|| Entry::new(client, attribution.indicator))
                .add(client, attribution);
        }
    }

    /// The entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
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
    pub more_names: bool,
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

/// What no client is named for.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<GroupKey, Group>,
    places: HashMap<(GroupKey, IndicatorId), usize>,
    /// How many queries had no room.
    pub left_out: u64,
}

impl Groups {
    /// Adds an attribution without clients.
    pub fn add(&mut self, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        let why = attribution.unexplained.as_ref().map(discriminant);
        let key = (attribution.verdict, why, sighting.resolver);
        let place = self.places.get(&(key, attribution.indicator)).copied();
        if place.is_none() && self.places.len() >= ENTRIES_MAX {
            self.left_out += 1;
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

    /// How many queries for each indicator have a verdict without a client.
    pub fn by_indicator(&self, verdict: Verdict) -> BTreeMap<IndicatorId, u64> {
        let mut queries = BTreeMap::new();
        for group in self.groups.values().filter(|group| group.verdict == verdict) {
            for unnamed in &group.unnamed {
                *queries.entry(unnamed.indicator).or_default() += unnamed.queries;
            }
        }
        queries
    }

    /// The groups of a verdict, the one with most queries first.
    pub fn of(&self, verdict: Verdict) -> Vec<&Group> {
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
            more_names: false,
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
            if self.names.len() < NAMES_MAX {
                self.names.push(name);
            } else {
                self.more_names = true;
            }
        }
    }
}
