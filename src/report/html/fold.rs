//! Many sightings folded into few dealings: one for each client and indicator, with an example to draw,
//! and one group for each reason for which no client is named. What has no room is counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use foldhash::HashMap;

use super::moments::Moments;
use crate::attribution::{Asks, Attribution, ChainStep, Client, Place, Sighting, Summary, Verdict};
use crate::contact::Contact;
use crate::flow::Address;
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::report::said::fold::{self, ENTRIES_MAX, VARIANTS_MAX, Way, add_way};
use crate::report::said::senders::Senders;
use crate::report::weighed::{Weighed, Weight};
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// How many names asked for are kept with a dealing.
const WAYS_MAX: usize = 8;
/// How many steps of a chain are kept: its beginning, and its end.
const STEPS_MAX: usize = 16;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 24;

pub(super) type Frames = fold::Frames<FRAMES_MAX>;
pub(super) type Unnamed = fold::Unnamed<WAYS_MAX, FRAMES_MAX>;
pub(super) type Group = fold::Group<WAYS_MAX, FRAMES_MAX>;
type Groups = fold::Groups<WAYS_MAX, FRAMES_MAX>;

/// A part a client had: in which role, at which resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub role: Role,
    pub leg: Leg,
    pub hops: Vec<Address>,
    pub resolver: Address,
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
    /// How grave it is by its assessment, once that is known.
    weight: Option<Weight>,
    pub contact: Contact,
    pub example: Example,
    counted: Asks,
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
            weight: None,
            contact: Contact::NotVisible,
            example: example(client, &attribution.sighting),
            counted: Asks::default(),
        }
    }

    /// How grave it is.
    pub fn weight(&self) -> Weight {
        let has_connected = matches!(self.contact, Contact::Yes(_));
        let is_led = self.only_tail || self.only_server;
        self.weight.unwrap_or(Weight::by_itself(is_led, has_connected))
    }

    /// Whether it may be a false alarm.
    pub fn is_doubtful(&self) -> bool {
        self.weight() == Weight::Doubtful
    }

    fn add(&mut self, client: &Client, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        if self.counted.is_new(client.question) {
            self.asks += 1;
            *self.outcomes.entry(client.rcode).or_default() += 1;
            self.moments.add(client.asked_time);
        }
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.most_permille = self.most_permille.max(client.confidence_permille);
        self.least_permille = self.least_permille.min(client.confidence_permille);
        self.only_tail &= attribution.hints.contains(&"alias-tail");
        self.only_server &= sighting.place == Place::Server && sighting.leg == Leg::Upstream;
        self.contact.learn(&client.contact);
        if rank(client, sighting) < rank(&self.example.client, &self.example.sighting) {
            self.example = example(client, sighting);
        }
        self.further += u64::from(!add_way(&mut self.ways, WAYS_MAX, client, bounded));
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

/// What is known of a client, whatever it asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub senders: Senders,
    pub vlans: Vec<u16>,
    pub hostnames: Vec<Hostname>,
}

impl Person {
    fn add(&mut self, client: &Client) {
        self.senders.add(client);
        if let Some(vlan) = client.vlan
            && !self.vlans.contains(&vlan)
        {
            push(&mut self.vlans, vlan);
        }
        if let Some(hostname) = &client.hostname {
            self.call(hostname);
        }
    }

    /// Takes in a name of it.
    fn call(&mut self, hostname: &Hostname) {
        let same = |known: &Hostname| {
            known.name.eq_ignore_ascii_case(&hostname.name) && known.source == hostname.source
        };
        if !self.hostnames.iter().any(same) {
            push(&mut self.hostnames, hostname.clone());
        }
    }
}

fn push<T>(to: &mut Vec<T>, item: T) {
    if to.len() < VARIANTS_MAX {
        to.push(item);
    }
}

/// All that was folded.
#[derive(Debug, Default)]
pub(super) struct Fold {
    dealings: HashMap<(Address, IndicatorId), Dealing>,
    people: HashMap<Address, Person>,
    /// What no client is named for.
    pub groups: Groups,
    /// How many sightings of further clients had no room.
    pub clients_left_out: u64,
}

impl Fold {
    /// Adds a settled attribution.
    pub fn add(&mut self, attribution: &Attribution) {
        if attribution.verdict == Verdict::Attributed {
            for client in &attribution.clients {
                self.add_client(client, attribution);
            }
        } else {
            self.groups.add(attribution);
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

    /// Takes in what is known of hosts and their contacts now that the capture is at its end.
    pub fn complete(&mut self, summary: &Summary, weighed: &Weighed<'_>) {
        for dealing in self.dealings.values_mut() {
            dealing.weight = weighed.weight(dealing.indicator, dealing.client);
            let Some(row) = summary.row(dealing.indicator, dealing.client) else { continue };
            dealing.contact.learn(&row.contact);
            let person = self.people.entry(dealing.client).or_default();
            if let Some(hostname) = &row.hostname {
                person.call(hostname);
            }
        }
        for person in self.people.values_mut() {
            // In the order of time, whatever order the dealings stood in.
            person.hostnames.sort_by(|one, other| {
                (one.time, one.frame, &one.name).cmp(&(other.time, other.frame, &other.name))
            });
        }
    }

    /// The dealings, by client, then by indicator.
    pub fn dealings(&self) -> Vec<&Dealing> {
        let mut dealings: Vec<&Dealing> = self.dealings.values().collect();
        dealings.sort_by_key(|dealing| (dealing.client, dealing.indicator));
        dealings
    }

    /// What a client had to do with an indicator.
    pub fn dealing(&self, client: Address, indicator: IndicatorId) -> Option<&Dealing> {
        self.dealings.get(&(client, indicator))
    }

    /// Leaves out an indicator that turned out to be none.
    pub fn forget(&mut self, indicator: IndicatorId) {
        self.dealings.retain(|(_, known), _| *known != indicator);
    }

    /// What is known of a client.
    pub fn person(&self, client: Address) -> Option<&Person> {
        self.people.get(&client)
    }
}
