//! The watch over clients that were given a flagged answer: whom they turn to afterwards.

use std::collections::{BTreeMap, VecDeque};

use foldhash::{HashSet, HashSetExt};

use super::{Connection, Contact, tls};
use crate::flow::{Address, Endpoint, Transport};
use crate::frame::FrameId;
use crate::message::{Fact, Message, Messages, NameRef};
use crate::packet::{Aside, AsideKind};
use crate::time::{Span, Timestamp};

/// How many flagged answers are watched; beyond it the oldest are given up.
const ANSWERS_MAX: usize = 1 << 16;
/// How many sites of an answer are kept: of its question, and of what aliases lead to.
const SITES_MAX: usize = 8;
/// What stands in place of the server name where that is encrypted (the public name of TLS Encrypted Client Hello), as far
/// as others share it.
const IN_PLACE: [&str; 1] = ["cloudflare-ech.com"];
/// How many addresses of an answer are watched.
const ADDRESSES_MAX: usize = 16;
/// How many of a client's latest answers with one address are watched.
const SAME_ADDRESS_MAX: usize = 16;
/// How many clients are remembered whose other traffic is in the capture.
const VISIBLE_MAX: usize = 1 << 17;
/// Times to live below this are not kept to: programs ask once and connect a little later.
const LEAST: Span = Span::from_secs(60);
/// No time to live is longer (RFC 8767 section 4 caps at a week; a day's watch is enough).
const MOST: Span = Span::from_secs(24 * 3600);

/// A flagged answer, and what came of it.
#[derive(Debug)]
struct Answer {
    client: Address,
    addresses: Vec<Address>,
    /// What it is about: the last two labels of names, in lower case.
    sites: Vec<String>,
    from: Timestamp,
    until: Timestamp,
    connection: Option<Connected>,
}

/// A connection, and the client's port, by which its packets are told from others'.
#[derive(Debug)]
struct Connected {
    port: u16,
    connection: Connection,
}

/// Watches whether clients connect to the addresses that flagged answers gave them.
///
/// Only these are watched, each from its answer on for as long as that may be used, and at most a given
/// number of them; [`Watch::given_up`] counts the others.
#[derive(Debug)]
pub struct Watch {
    /// Flagged answers by their frame. Trees, for a hash table that is full while entries come and go takes four times what
    /// they need.
    answers: BTreeMap<FrameId, Answer>,
    order: VecDeque<FrameId>,
    /// The answers that gave a client an address, the latest.
    by_address: BTreeMap<(Address, Address), VecDeque<FrameId>>,
    /// Clients that were seen sending something else than DNS to the outside.
    visible: HashSet<Address>,
    /// Clients that were given addresses of the other family, which they connect to from elsewhere.
    both_families: HashSet<Address>,
    limit: usize,
    given_up: u64,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new(ANSWERS_MAX)
    }
}

impl Watch {
    /// Room for `limit` flagged answers.
    pub fn new(limit: usize) -> Watch {
        Watch {
            answers: BTreeMap::new(),
            order: VecDeque::new(),
            by_address: BTreeMap::new(),
            visible: HashSet::new(),
            both_families: HashSet::new(),
            limit: limit.max(1),
            given_up: 0,
        }
    }

    /// Takes a flagged message: if it is a response with addresses, who got it is watched.
    pub fn message(&mut self, messages: &Messages, message: &Message) {
        if !message.flags.is_response() || self.answers.contains_key(&message.frame) {
            return;
        }
        let client = message.flow.destination.address;
        let (mut addresses, mut least_ttl) = (Vec::new(), u32::MAX);
        let mut sites: Vec<String> = Vec::new();
        let mut add_site = |name: NameRef| {
            let site = site_of(&messages.name(name).to_string());
            if sites.len() < SITES_MAX && !sites.contains(&site) {
                sites.push(site);
            }
        };
        message.question.iter().for_each(|question| add_site(question.name));
        for fact in messages.facts(message) {
            match fact {
                Fact::Alias { target, .. } | Fact::Service { target, .. } => add_site(*target),
                Fact::Address { address, ttl, .. } if address.is_v4() == client.is_v4() => {
                    least_ttl = least_ttl.min(*ttl);
                    if addresses.len() < ADDRESSES_MAX && !addresses.contains(address) {
                        addresses.push(*address);
                    }
                }
                Fact::Address { .. } if self.both_families.len() < self.limit => {
                    self.both_families.insert(client);
                }
                _ => {}
            }
        }
        if addresses.is_empty() {
            return;
        }
        if self.answers.len() >= self.limit {
            self.give_up_oldest();
        }
        let stands = Span::from_secs(i64::from(least_ttl)).clamp(LEAST, MOST);
        for address in &addresses {
            let frames = self.by_address.entry((client, *address)).or_default();
            if frames.len() >= SAME_ADDRESS_MAX {
                frames.pop_front();
            }
            frames.push_back(message.frame);
        }
        let (from, until) = (message.time, message.time + stands);
        let answer = Answer { client, addresses, sites, from, until, connection: None };
        self.answers.insert(message.frame, answer);
        self.order.push_back(message.frame);
    }

    fn give_up_oldest(&mut self) {
        let Some(frame) = self.order.pop_front() else { return };
        let Some(answer) = self.answers.remove(&frame) else { return };
        self.given_up += 1;
        for address in answer.addresses {
            let key = (answer.client, address);
            if let Some(frames) = self.by_address.get_mut(&key) {
                frames.retain(|other| *other != frame);
                if frames.is_empty() {
                    self.by_address.remove(&key);
                }
            }
        }
    }

    /// Takes a packet that is not DNS.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        let (source, destination) = (aside.flow.source, aside.flow.destination);
        match aside.kind {
            AsideKind::Syn | AsideKind::Datagram => {
                self.sent(aside, source, destination, None);
                if aside.kind == AsideKind::Datagram {
                    self.answered(destination, source, aside.flow.transport);
                }
            }
            AsideKind::ClientHello => {
                self.sent(aside, source, destination, Some(payload));
            }
            AsideKind::SynAck => self.answered(destination, source, aside.flow.transport),
            _ => {}
        }
    }

    /// A client sent something that begins a connection. A ClientHello without its SYN counts too: that
    /// was lost.
    fn sent(
        &mut self,
        aside: &Aside,
        client: Endpoint,
        server: Endpoint,
        client_hello: Option<&[u8]>,
    ) {
        let frames = self.by_address.get(&(client.address, server.address));
        if !server.address.is_internal() || frames.is_some() {
            let known = self.visible.contains(&client.address);
            if !known && self.visible.len() < VISIBLE_MAX {
                self.visible.insert(client.address);
            }
        }
        let Some(frames) = frames else { return };
        let mut name = None;
        for frame in frames {
            let Some(answer) = self.answers.get_mut(frame) else { continue };
            let is_in_time = answer.from <= aside.time && aside.time <= answer.until;
            let is_other = |connected: &Connected| {
                !connected.is(client, server, aside.flow.transport)
                    && answer.is_elsewhere(&connected.connection)
            };
            // What went to another site gives way to what may not have.
            if is_in_time && answer.connection.as_ref().is_none_or(is_other) {
                let connection = Connection {
                    address: server.address,
                    port: server.port,
                    transport: aside.flow.transport,
                    frame: aside.frame,
                    time: aside.time,
                    answered: client_hello.is_some(),
                    server_name: None,
                };
                answer.connection = Some(Connected { port: client.port, connection });
            }
            if let (Some(payload), Some(connected)) = (client_hello, &mut answer.connection)
                && connected.is(client, server, aside.flow.transport)
            {
                // Nobody says hello on a connection that was not accepted.
                connected.connection.answered = true;
                if connected.connection.server_name.is_none() {
                    let name = name.get_or_insert_with(|| tls::server_name(payload));
                    connected.connection.server_name.clone_from(name);
                }
            }
        }
    }

    /// A server sent something back.
    fn answered(&mut self, client: Endpoint, server: Endpoint, transport: Transport) {
        let Some(frames) = self.by_address.get(&(client.address, server.address)) else { return };
        for frame in frames {
            if let Some(answer) = self.answers.get_mut(frame)
                && let Some(connected) = &mut answer.connection
                && connected.is(client, server, transport)
            {
                connected.connection.answered = true;
            }
        }
    }

    /// What came of the answer in this frame, as far as is known by now.
    ///
    /// No is said only of a client whose other traffic to the outside is in the capture, and that was given
    /// no address of the other IP family, which it would connect to from an address of its own there.
    pub fn contact(&self, client: Address, answer: FrameId) -> Contact {
        match self.answers.get(&answer).filter(|answer| answer.client == client) {
            Some(answer @ Answer { connection: Some(Connected { connection, .. }), .. }) => {
                match answer.is_elsewhere(connection) {
                    true => Contact::Elsewhere(connection.clone()),
                    false => Contact::Yes(connection.clone()),
                }
            }
            Some(_) if self.visible.contains(&client) && !self.both_families.contains(&client) => {
                Contact::No
            }
            _ => Contact::NotVisible,
        }
    }

    /// How many flagged answers were given up for lack of room.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }
}

impl Answer {
    /// Whether a connection gave the server name of another site. One that names none, for it is encrypted, may be to any.
    fn is_elsewhere(&self, connection: &Connection) -> bool {
        let name = connection.server_name.as_deref();
        let site = name.map(site_of).filter(|site| !IN_PLACE.contains(&site.as_str()));
        site.is_some_and(|site| !self.sites.contains(&site))
    }
}

/// The last two labels of a name, in lower case: of one site, or, where that is below a longer public suffix, of many.
fn site_of(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let start = name.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
    name.get(start..).unwrap_or_default().to_owned()
}

impl Connected {
    fn is(&self, client: Endpoint, server: Endpoint, transport: Transport) -> bool {
        self.port == client.port
            && self.connection.port == server.port
            && self.connection.address == server.address
            && self.connection.transport == transport
    }
}

#[cfg(test)]
mod tests;
