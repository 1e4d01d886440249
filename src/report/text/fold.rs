//! Many sightings folded into few entries: one for each client and indicator, and one for each reason
//! for which no client is named.

use foldhash::HashMap;

use crate::attribution::{Asks, Attribution, ChainStep, Client, Place};
use crate::contact::Contact;
use crate::flow::Address;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::report::said::fold::{self, ENTRIES_MAX, VARIANTS_MAX, Way, add_way};
use crate::report::said::machines::Machines;
use crate::report::said::senders::Senders;
use crate::report::weighed::{Weighed, Weight};
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// How many names asked for are kept with an entry.
const NAMES_MAX: usize = 4;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 12;

pub(super) type Frames = fold::Frames<FRAMES_MAX>;
pub(super) type Unnamed = fold::Unnamed<NAMES_MAX, FRAMES_MAX>;
pub(super) type Group = fold::Group<NAMES_MAX, FRAMES_MAX>;
pub(super) type Groups = fold::Groups<NAMES_MAX, FRAMES_MAX>;

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

/// What one client had to do with one indicator.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub client: Address,
    pub indicator: IndicatorId,
    pub senders: Senders,
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
    /// How grave it is by its assessment, once that is known.
    weight: Option<Weight>,
    counted: Asks,
}

impl Entry {
    fn new(client: &Client, indicator: IndicatorId) -> Entry {
        Entry {
            client: client.address,
            indicator,
            senders: Senders::default(),
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
            weight: None,
            counted: Asks::default(),
        }
    }

    /// How grave it is.
    pub fn weight(&self) -> Weight {
        let has_connected = matches!(self.contact, Contact::Yes(_));
        self.weight.unwrap_or(Weight::by_itself(self.is_led(), has_connected))
    }

    /// Whether it may be a false alarm.
    pub fn is_doubtful(&self) -> bool {
        self.weight() == Weight::Doubtful
    }

    /// Whether only the cache answered it.
    pub fn is_cached(&self) -> bool {
        self.parts.iter().all(|part| part.role == Role::Cached)
    }

    /// Whether it asked only for something else that led there.
    pub fn is_led(&self) -> bool {
        self.only_tail || self.only_server
    }

    fn add(&mut self, client: &Client, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        if self.counted.is_new(client.question) {
            self.asks += 1;
            self.add_outcome(client.rcode);
        }
        self.senders.add(client);
        self.vlan = self.vlan.or(client.vlan);
        if self.hostname.is_none() {
            self.hostname.clone_from(&client.hostname);
        }
        self.contact.learn(&client.contact);
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.confidence_permille = self.confidence_permille.max(client.confidence_permille);
        self.confidence_least_permille =
            self.confidence_least_permille.min(client.confidence_permille);
        self.only_tail &= attribution.hints.contains(&"alias-tail");
        self.only_server &= sighting.place == Place::Server && sighting.leg == Leg::Upstream;
        self.more_ways |= !add_way(&mut self.ways, NAMES_MAX, client, <[ChainStep]>::to_vec);
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

    /// Which of the clients are one machine.
    pub fn machines(&self) -> Machines {
        Machines::of(
            self.entries().flat_map(|entry| entry.senders.own().map(|mac| (entry.client, mac))),
        )
    }

    /// Takes in how grave each is, now that the capture is at its end.
    pub fn weigh(&mut self, weighed: &Weighed<'_>) {
        for entry in self.entries.values_mut() {
            entry.weight = weighed.weight(entry.indicator, entry.client);
        }
    }

    /// Drops all entries of an indicator.
    pub fn forget(&mut self, indicator: IndicatorId) {
        self.entries.retain(|(_, of), _| *of != indicator);
    }

    /// The entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}
