//! The simulation: clients ask, resolvers find out, servers answer, and every cause is known.
//!
//! A queue of events in time order is all the clock there is. What happened stays in tables (asks,
//! jobs, fetches, queries), from which `truth` reads who caused what.

pub mod cache;
mod causes;
mod clients;
mod messages;
pub mod network;
mod resolver;
mod upstream;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::random::Random;
use crate::scenario::{self, Leg, Scenario};
use crate::wire::About;
use crate::world::{self, World};
use cache::Cache;
use messages::{complete, cut};
use network::Network;

/// A run of a scenario.
pub struct Simulation<'s> {
    /// What was asked for.
    pub scenario: &'s Scenario,
    /// The names there are.
    pub world: World,
    /// The wires.
    pub network: Network,
    /// Every question to a resolver.
    pub asks: Vec<Ask>,
    /// What resolvers do for an ask.
    pub jobs: Vec<Job>,
    /// What they find out, for one job or for several.
    pub fetches: Vec<Fetch>,
    /// What they ask for it.
    pub queries: Vec<Query>,
    /// Chance.
    pub random: Random,
    boxes: Vec<Resolving>,
    events: BTreeMap<(i64, usize), Event>,
    scheduled: usize,
    connections: BTreeMap<(String, String), usize>,
}

/// A question to a resolver.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose it is.
    pub origin: Origin,
    /// The resolver, by its place in the scenario.
    pub resolver: usize,
    /// From where.
    pub source: SocketAddr,
    /// To where.
    pub server: SocketAddr,
    /// Message id.
    pub id: u16,
    /// The question.
    pub qname: Name,
    /// Its type.
    pub qtype: RecordType,
    /// The connection, if over TCP.
    pub connection: Option<usize>,
    /// The UDP size offered, 0 for none.
    pub edns: u16,
    /// When it was sent first.
    pub sent_ns: i64,
    /// How often it was sent again.
    pub repeats: u32,
    /// When the resolver answered.
    pub answered_ns: Option<i64>,
    /// With what.
    pub rcode: Option<ResponseCode>,
    /// Names followed, the question's first.
    pub chain: Vec<Name>,
    /// Where the service is said to be.
    pub services: Vec<Name>,
    /// Addresses found.
    pub addresses: Vec<IpAddr>,
    /// Whether the resolver had to ask for it, and whether somebody else's question was before it.
    pub served: Served,
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client's.
    Client,
    /// Another resolver's, for the upstream query of this number.
    Hop(usize),
    /// The resolver's own.
    Own,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Served {
    /// The cache.
    #[default]
    Cache,
    /// A fetch that was under way.
    Joined,
    /// A fetch of its own.
    Upstream,
}

/// What a resolver does for an ask.
#[derive(Clone, Debug)]
pub struct Job {
    /// The ask.
    pub ask: usize,
    /// Why.
    pub purpose: Purpose,
    /// What is looked for.
    pub qname: Name,
    /// Its type.
    pub qtype: RecordType,
    /// How many fetches it has started.
    pub fetches: u32,
    /// Whether it is done.
    pub done: bool,
}

/// Why a resolver works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer.
    Answer,
    /// To have it fresh for the next.
    Refresh,
    /// To know the addresses of the servers met on the way.
    Servers,
}

/// Finding out one name and type, in one or many queries.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// By this resolver.
    pub resolver: usize,
    /// The name, in the case in which it was learned.
    pub qname: Name,
    /// The type.
    pub qtype: RecordType,
    /// Who waits for it, and since when. The first is its cause.
    pub waiters: Vec<(Waiter, i64)>,
    /// Whether it asks on the way down from the root, not forwarders.
    pub iterates: bool,
    tries: usize,
    offset: usize,
    labels_shown: usize,
    depth: u32,
    done: bool,
}

/// Who waits for a fetch.
#[derive(Clone, Copy, Debug)]
pub enum Waiter {
    /// A job.
    Job(usize),
    /// Another fetch, for a name server's address.
    Fetch(usize),
}

/// An upstream query.
#[derive(Clone, Debug)]
pub struct Query {
    /// For this fetch.
    pub fetch: usize,
    /// From where.
    pub source: SocketAddr,
    /// To where.
    pub server: SocketAddr,
    /// Message id.
    pub id: u16,
    /// The name as sent.
    pub qname: Name,
    /// The type as sent.
    pub qtype: RecordType,
    /// Whether it went over TCP.
    pub tcp: bool,
    /// When it was sent.
    pub sent_ns: i64,
    /// When the answer came, and the answer.
    pub answer: Option<(i64, Message)>,
    connection: Option<usize>,
    over: bool,
}

struct Resolving {
    cache: Cache,
    in_flight: BTreeMap<(Name, u16), usize>,
}

enum Event {
    Plan { ask: usize, kind: usize },
    Background { client: usize, resolver: usize, to: IpAddr, name: Name },
    Again { ask: usize },
    Question { ask: usize },
    Answer { ask: usize, message: Message },
    Reply { query: usize, message: Message },
    Timeout { query: usize },
    Start { job: Job },
    GiveUp { job: usize },
    Close { connection: usize },
}

/// A connection is left open this long after an answer.
const IDLE_NS: i64 = 60_000_000;

impl<'s> Simulation<'s> {
    /// Runs a scenario to its end.
    pub fn run(scenario: &'s Scenario) -> Result<Simulation<'s>> {
        let mut random = Random::new(scenario.seed, &scenario.name);
        let world = World::new(scenario)?;
        let network = Network::new(scenario, &world, &mut random);
        let start_ns = scenario.start_ns()?;
        let mut boxes = Vec::new();
        for resolver in &scenario.resolver {
            let mut cache = Cache::default();
            let cached = resolver.cached.iter().map(|line| world::record(line));
            cache.store(&cached.collect::<Result<Vec<_>>>()?, start_ns);
            boxes.push(Resolving { cache, in_flight: BTreeMap::new() });
        }
        let mut simulation = Simulation {
            scenario,
            world,
            network,
            asks: Vec::new(),
            jobs: Vec::new(),
            fetches: Vec::new(),
            queries: Vec::new(),
            random,
            boxes,
            events: BTreeMap::new(),
            scheduled: 0,
            connections: BTreeMap::new(),
        };
        simulation.plan()?;
        while let Some(((now_ns, _), event)) = simulation.events.pop_first() {
            simulation.happen(now_ns, event)?;
        }
        Ok(simulation)
    }

    fn schedule(&mut self, at_ns: i64, event: Event) {
        self.scheduled += 1;
        self.events.insert((at_ns, self.scheduled), event);
    }

    fn happen(&mut self, now_ns: i64, event: Event) -> Result<()> {
        match event {
            Event::Plan { ask, kind } => self.plan_ask(now_ns, ask, kind),
            Event::Background { client, resolver, to, name } => {
                let source = self.source(client, to)?;
                let edns = self.scenario.client[client].edns;
                let ask = self.new_ask(
                    now_ns,
                    Origin::Client,
                    resolver,
                    (source, to),
                    name,
                    RecordType::A,
                    edns,
                );
                self.send_ask(now_ns, ask)
            }
            Event::Again { ask } if self.asks[ask].answered_ns.is_none() => {
                self.asks[ask].repeats += 1;
                self.send_ask(now_ns, ask)
            }
            Event::Again { .. } => Ok(()),
            Event::Question { ask } => self.question(now_ns, ask),
            Event::Answer { ask, message } => self.hear(now_ns, ask, message),
            Event::Reply { query, message } => self.reply(now_ns, query, message),
            Event::Timeout { query } => self.timeout(now_ns, query),
            Event::Start { job } => self.start(now_ns, job),
            Event::GiveUp { job } if !self.jobs[job].done => self.fail(now_ns, job),
            Event::GiveUp { .. } => Ok(()),
            Event::Close { connection } => {
                self.network.close(connection, now_ns);
                Ok(())
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn new_ask(
        &mut self,
        now_ns: i64,
        origin: Origin,
        resolver: usize,
        (source, to): (SocketAddr, IpAddr),
        qname: Name,
        qtype: RecordType,
        edns: u16,
    ) -> usize {
        self.asks.push(Ask {
            origin,
            resolver,
            source,
            server: SocketAddr::new(to, 53),
            id: self.random.id(),
            chain: vec![qname.clone()],
            qname,
            qtype,
            connection: None,
            edns,
            sent_ns: now_ns,
            repeats: 0,
            answered_ns: None,
            rcode: None,
            services: Vec::new(),
            addresses: Vec::new(),
            served: Served::Cache,
        });
        self.asks.len() - 1
    }

    /// A resolver's answer to an ask goes out.
    fn answer(&mut self, at_ns: i64, number: usize, mut message: Message) -> Result<()> {
        let ask = self.asks[number].clone();
        self.asks[number].answered_ns = Some(at_ns);
        self.asks[number].rcode = Some(message.metadata.response_code);
        if ask.origin == Origin::Own {
            return Ok(());
        }
        complete(&mut message, ask.id, &ask.qname, ask.qtype, ask.edns);
        let hop = match ask.origin {
            Origin::Hop(query) => Some(query),
            _ => None,
        };
        let leg = if hop.is_some() { Leg::Upstream } else { Leg::Client };
        let about = About {
            leg,
            kind: scenario::Kind::Response,
            ask: Some(number),
            query: hop,
            ..self.about_ask(number)
        };
        let arrival_ns = match ask.connection {
            Some(connection) => {
                let arrival_ns = self.network.send_tcp(connection, at_ns, true, &message, about)?;
                self.schedule(arrival_ns + IDLE_NS, Event::Close { connection });
                arrival_ns
            }
            None => {
                message = cut(&message, ask.edns)?;
                let ends = (ask.server, ask.source);
                self.network.send_udp(at_ns, ends, &message, about, &mut self.random)?
            }
        };
        self.schedule(arrival_ns, Event::Answer { ask: number, message });
        Ok(())
    }
}
