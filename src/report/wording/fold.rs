//! Many attributions folded into few dealings: one for each client and indicator, and one group for each reason for
//! which no client is named. All pages for people go by this; how many names and frames are kept is theirs to say.
//! What has no room is counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::connections::Connections;
use super::machines::Machines;
use super::moments::Moments;
use super::senders::Senders;
use super::timed::Timed;
use super::unnamed::Groups;
use super::words;
use crate::attribution::{
    Asks, Attribution, ChainStep, Client, Doubt, Place, Sighting, State, Step, Verdict,
};
use crate::contact::Contact;
use crate::flow::Address;
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::report::Ending;
use crate::report::weighed::{Urgency, Weighed, Weight};
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// How many entries of each sort are kept; sightings that would need a further one are only counted.
pub(in crate::report) const ENTRIES_MAX: usize = 4_096;
/// How many types, parts and the like are kept with an entry.
pub(in crate::report) const VARIANTS_MAX: usize = 4;
/// How many steps of a chain are kept: its beginning, and its end. No resolver follows so many aliases.
const STEPS_MAX: usize = 16;
/// How many frames of one sighting are named.
const FRAMES_OF_ONE_MAX: usize = 40;

/// All that was folded, with at most `NAMES` names and `FRAMES` frames of each.
#[derive(Debug, Default)]
pub(in crate::report) struct Fold<const NAMES: usize, const FRAMES: usize> {
    dealings: HashMap<(Address, IndicatorId), Dealing<NAMES, FRAMES>>,
    people: HashMap<Address, Person>,
    /// What no client is named for.
    pub groups: Groups<NAMES, FRAMES>,
    /// How many sightings of further clients had no room.
    pub clients_left_out: u64,
}

impl<const NAMES: usize, const FRAMES: usize> Fold<NAMES, FRAMES> {
    /// Folds in an attribution. What is provisional comes again when it is settled.
    pub fn add(&mut self, attribution: &Attribution) {
        match (attribution.state, attribution.verdict) {
            (State::Provisional | State::Superseded, _) => {}
            (State::Final, Verdict::Attributed) => {
                attribution.clients.iter().for_each(|client| self.add_client(client, attribution));
            }
            (State::Final, _) => self.groups.add(attribution),
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

    /// Takes in what is known now that the capture is at its end. Attributions were handed out before: of a connection
    /// that came later only the summary knows. Leaves out what turned out to be no indicator.
    pub fn complete(&mut self, ending: &Ending<'_>, weighed: &Weighed<'_>) {
        let misdirected: BTreeSet<IndicatorId> = ending.misdirected().collect();
        self.dealings.retain(|(_, indicator), _| !misdirected.contains(indicator));
        for dealing in self.dealings.values_mut() {
            dealing.weight = weighed.weight(dealing.indicator, dealing.client);
            let Some(row) = ending.summary.row(dealing.indicator, dealing.client) else { continue };
            dealing.learn(&row.contact);
            // It tells hosts apart that had one address.
            dealing.hostname.clone_from(&row.hostname);
            dealing.other_hostnames.clone_from(&row.other_hostnames);
            let person = self.people.entry(dealing.client).or_default();
            row.hostname.iter().for_each(|hostname| person.call(hostname));
        }
        for person in self.people.values_mut() {
            // In the order of time, whatever order the dealings stood in.
            person.hostnames.sort_by(|one, other| {
                (one.time, one.frame, &one.name).cmp(&(other.time, other.frame, &other.name))
            });
        }
    }

    /// The clients, in the order of their addresses, each with its dealings in list order.
    pub fn clients(&self, timed: Option<&Timed>) -> Vec<Suspected<'_, NAMES, FRAMES>> {
        let mut dealings: BTreeMap<Address, Vec<&Dealing<NAMES, FRAMES>>> = BTreeMap::new();
        for dealing in self.dealings.values() {
            dealings.entry(dealing.client).or_default().push(dealing);
        }
        let clients = dealings.into_iter().filter_map(|(address, mut dealings)| {
            dealings.sort_by_key(|dealing| dealing.indicator);
            let urgency = dealings.iter().map(|dealing| dealing.urgency(timed)).min()?;
            Some(Suspected { address, person: self.people.get(&address)?, dealings, urgency })
        });
        clients.collect()
    }

    /// What a client had to do with an indicator.
    pub fn dealing(
        &self,
        client: Address,
        indicator: IndicatorId,
    ) -> Option<&Dealing<NAMES, FRAMES>> {
        self.dealings.get(&(client, indicator))
    }
}

/// A client with its dealings.
#[derive(Clone, Debug)]
pub(in crate::report) struct Suspected<'f, const NAMES: usize, const FRAMES: usize> {
    pub address: Address,
    pub person: &'f Person,
    pub dealings: Vec<&'f Dealing<NAMES, FRAMES>>,
    /// That of its most pressing dealing.
    pub urgency: Urgency,
}

/// Which of some clients are one machine.
pub(in crate::report) fn machines<const NAMES: usize, const FRAMES: usize>(
    clients: &[Suspected<'_, NAMES, FRAMES>],
) -> Machines {
    Machines::of(
        clients
            .iter()
            .flat_map(|client| client.person.senders.own().map(|mac| (client.address, mac))),
    )
}

/// What is known of a client, whatever it asked.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Person {
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
        client.hostname.iter().for_each(|hostname| self.call(hostname));
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

/// A part a client had: in which role, at which resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) struct Part {
    pub role: Role,
    /// Where it was seen.
    pub leg: Leg,
    pub hops: Vec<Address>,
    pub resolver: Address,
}

impl Part {
    /// What decides where it stands: the most direct first.
    fn rank(&self) -> (Role, bool, &[Address], Address) {
        (self.role, self.leg == Leg::Client, &self.hops, self.resolver)
    }
}

/// The sighting that shows best how a client's question led to an indicator.
#[derive(Clone, Debug)]
pub(in crate::report) struct Example {
    pub client: Client,
    pub sighting: Sighting,
}

impl Example {
    fn new(client: &Client, sighting: &Sighting) -> Example {
        let client = Client { chain: bounded(&client.chain), ..client.clone() };
        Example { client, sighting: sighting.clone() }
    }

    /// What makes one better than another: the way upstream is seen, the client set it off, what was
    /// flagged is asked for by name (so that it is what the firewall saw), it is the last of several DNS
    /// servers, it is sure.
    fn rank(client: &Client, sighting: &Sighting) -> (bool, Role, Place, Reverse<usize>, u16) {
        let unsure = 1000 - client.confidence_permille.min(1000);
        let hops = Reverse(client.hops.len());
        (sighting.leg == Leg::Client, client.role, sighting.place, hops, unsure)
    }
}

/// What one client had to do with one indicator.
#[derive(Clone, Debug)]
pub(in crate::report) struct Dealing<const NAMES: usize, const FRAMES: usize> {
    pub client: Address,
    pub indicator: IndicatorId,
    /// Where its questions for this came from.
    pub senders: Senders,
    /// What it was called at the last of them,
    pub hostname: Option<Hostname>,
    /// and at others, if its address changed hands.
    pub other_hostnames: Vec<String>,
    pub ways: Vec<Way>,
    /// Sightings by way of further names.
    pub further: u64,
    pub parts: Vec<Part>,
    /// What came back, and how often, in the order in which it first did.
    pub outcomes: Vec<(Option<&'static str>, u64)>,
    /// How many of its questions.
    pub asks: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    pub moments: Moments,
    /// The highest confidence of its sightings, in thousandths.
    pub most_permille: u16,
    /// The lowest.
    pub least_permille: u16,
    pub frames: Frames<FRAMES>,
    /// It was never more than the end of an alias chain.
    pub only_tail: bool,
    /// It was never more than the address of a server that the resolver asked on the way.
    pub only_server: bool,
    /// Whether it then connected: the most that is known, the first of its connections.
    pub contact: Contact,
    pub connections: Connections,
    pub example: Example,
    /// How grave it is by its assessment, once that is known.
    weight: Option<Weight>,
    counted: Asks,
}

impl<const NAMES: usize, const FRAMES: usize> Dealing<NAMES, FRAMES> {
    fn new(client: &Client, attribution: &Attribution) -> Self {
        Dealing {
            client: client.address,
            indicator: attribution.indicator,
            senders: Senders::default(),
            hostname: None,
            other_hostnames: Vec::new(),
            ways: Vec::new(),
            further: 0,
            parts: Vec::new(),
            outcomes: Vec::new(),
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
            connections: Connections::default(),
            example: Example::new(client, &attribution.sighting),
            weight: None,
            counted: Asks::default(),
        }
    }

    /// How grave it is.
    pub fn weight(&self) -> Weight {
        self.weight.unwrap_or(Weight::by_itself(self.is_led(), self.has_connected()))
    }

    /// How pressing it is. Who did not ask when the alerts were raised is not behind them, whatever it did at other
    /// times.
    pub fn urgency(&self, timed: Option<&Timed>) -> Urgency {
        let is_other = timed.is_some_and(|timed| timed.not_then(self.client).is_some());
        if is_other { Urgency::Other } else { Urgency::of(self.weight()) }
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
    fn is_led(&self) -> bool {
        self.only_tail || self.only_server
    }

    /// What parts it had in words, without saying one thing twice for two addresses of one resolver.
    pub fn parts_in_words(&self, ending: &Ending<'_>) -> Vec<String> {
        let mut sentences = Vec::new();
        for part in &self.parts {
            let name = |address: &Address| ending.resolver(*address).to_string();
            let hops: Vec<String> = part.hops.iter().map(name).collect();
            let sentence = words::part(part.role, part.leg, &hops, &name(&part.resolver));
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences
    }

    /// Whether it is known to have connected.
    pub fn has_connected(&self) -> bool {
        matches!(self.contact, Contact::Yes(_))
    }

    fn add(&mut self, client: &Client, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        if self.counted.is_new(client.question) {
            self.asks += 1;
            self.add_outcome(client.rcode);
            self.moments.add(client.asked_time);
        }
        self.senders.add(client);
        if self.hostname.is_none() {
            self.hostname.clone_from(&client.hostname);
        }
        self.learn(&client.contact);
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.most_permille = self.most_permille.max(client.confidence_permille);
        self.least_permille = self.least_permille.min(client.confidence_permille);
        self.only_tail &= attribution.doubts.contains(&Doubt::AliasTail);
        self.only_server &= sighting.place == Place::Server && sighting.leg == Leg::Upstream;
        let example = &self.example;
        if Example::rank(client, sighting) < Example::rank(&example.client, &example.sighting) {
            self.example = Example::new(client, sighting);
        }
        self.further += u64::from(!self.add_way(client));
        self.add_part(Part {
            role: client.role,
            leg: sighting.leg,
            hops: client.hops.clone(),
            resolver: sighting.resolver,
        });
        let own =
            [client.asked_frame, client.answer_frame, sighting.frame, sighting.response_frame];
        self.frames.add(own.into_iter().chain(client.chain.iter().map(|step| step.frame)));
    }

    /// Takes in what is known of whether it connected.
    fn learn(&mut self, contact: &Contact) {
        match contact {
            Contact::Yes(connection) => {
                self.connections.add(connection);
                let first = self.connections.first().unwrap_or(connection);
                self.contact = Contact::Yes(first.clone());
            }
            Contact::Elsewhere(_) | Contact::No | Contact::NotVisible => {
                self.contact.learn(contact)
            }
        }
    }

    fn add_outcome(&mut self, rcode: Option<&'static str>) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == rcode) {
            Some((_, count)) => *count += 1,
            None => self.outcomes.push((rcode, 1)),
        }
    }

    fn add_part(&mut self, part: Part) {
        if !self.parts.contains(&part) {
            push(&mut self.parts, part);
            self.parts.sort_by(|one, other| one.rank().cmp(&other.rank()));
        }
    }

    /// Adds the way of a client's question. False if there is no room for a further name.
    fn add_way(&mut self, client: &Client) -> bool {
        let known = self.ways.iter_mut().find(|way| way.asked.eq_ignore_ascii_case(&client.asked));
        if let Some(way) = known {
            if !way.types.contains(&client.asked_type) {
                push(&mut way.types, client.asked_type.clone());
            }
            if client.chain.len() < way.chain.len() {
                way.chain = bounded(&client.chain);
            }
            return true;
        }
        let has_room = self.ways.len() < NAMES;
        if has_room {
            self.ways.push(Way {
                asked: client.asked.clone(),
                types: vec![client.asked_type.clone()],
                chain: bounded(&client.chain),
            });
        }
        has_room
    }
}

/// A name that was asked for, and where it led.
#[derive(Clone, Debug)]
pub(in crate::report) struct Way {
    pub asked: String,
    pub types: Vec<String>,
    /// The shortest chain seen.
    pub chain: Vec<ChainStep>,
}

/// A chain with its middle left out if it is very long.
fn bounded(chain: &[ChainStep]) -> Vec<ChainStep> {
    if chain.len() <= STEPS_MAX {
        return chain.to_vec();
    }
    let begin = chain.iter().take(STEPS_MAX / 2 - 1).cloned();
    let left_out = chain.len() - (STEPS_MAX - 1);
    let gap = ChainStep {
        name: format!("({left_out} more steps)"),
        step: Step::LeftOut,
        frame: FrameId::NONE,
    };
    let end = chain.iter().skip(chain.len() - STEPS_MAX / 2).cloned();
    begin.chain([gap]).chain(end).collect()
}

/// Frames of the first sightings, at most `MAX` but for those of one sighting alone, and of how many.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Frames<const MAX: usize> {
    pub frames: BTreeSet<FrameId>,
    pub of: u64,
    pub all: u64,
    /// Whether one sighting had more frames than are named.
    pub cut: bool,
}

impl<const MAX: usize> Frames<MAX> {
    /// The display filters that show them in Wireshark, one for each file, with the first frame of each. Set elements stand
    /// apart, so that a filter that was wrapped can be pasted all the same.
    pub fn filters(&self) -> Vec<(FrameId, String)> {
        let frames: Vec<FrameId> = self.frames.iter().copied().collect();
        let of_files = frames.chunk_by(|one, next| one.file() == next.file());
        let filters = of_files.filter_map(|frames| {
            let numbers: Vec<String> =
                frames.iter().map(|frame| frame.number().to_string()).collect();
            Some((*frames.first()?, format!("frame.number in {{{}}}", numbers.join(", "))))
        });
        filters.collect()
    }

    /// Adds those of a sighting, until one comes for which there is no room.
    pub fn add(&mut self, frames: impl Iterator<Item = FrameId>) {
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
        if self.of == 0 || own.len() <= MAX {
            self.frames = own;
            self.of += 1;
            self.cut |= cut;
        }
    }
}
