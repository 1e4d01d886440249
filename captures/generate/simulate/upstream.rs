//! What a resolver asks upstream: forwarders, or the servers on the way down from the deepest known
//! zone; its retries, and what it learns from answers.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::messages::{complete, cut, query_message};
use super::{Event, Fetch, IDLE_NS, Job, Origin, Purpose, Query, Simulation, Waiter};
use crate::scenario::{Kind, Leg, Minimise};
use crate::wire::About;
use crate::world::{self, addresses};

/// No fetch waits for a name server's address deeper than this.
const DEPTH_MAX: u32 = 5;
/// How long a denial is remembered.
const DENIED_NS: i64 = 300_000_000_000;

impl Simulation<'_> {
    /// Joins a fetch of this name and type, or begins one; tells whether it began.
    pub(super) fn fetch(
        &mut self,
        now_ns: i64,
        resolver: usize,
        qname: Name,
        qtype: RecordType,
        waiter: Waiter,
        depth: u32,
    ) -> Result<bool> {
        let key = (qname.clone(), u16::from(qtype));
        let under_way = self.boxes[resolver].in_flight.get(&key).copied();
        if let Some(number) = under_way.filter(|_| self.scenario.resolver[resolver].coalesce) {
            self.fetches[number].waiters.push((waiter, now_ns));
            return Ok(false);
        }
        let offset = self.random.index(64);
        let iterates = self.scenario.resolver[resolver].forwarders.is_empty();
        let (tries, labels_shown, done) = (0, 0, false);
        let waiters = vec![(waiter, now_ns)];
        self.fetches.push(Fetch {
            resolver,
            qname,
            qtype,
            waiters,
            iterates,
            tries,
            offset,
            labels_shown,
            depth,
            done,
        });
        let number = self.fetches.len() - 1;
        self.boxes[resolver].in_flight.insert(key, number);
        self.step(now_ns, number)?;
        Ok(true)
    }

    /// A fetch sends its next query, or first finds out whom to ask.
    fn step(&mut self, now_ns: i64, number: usize) -> Result<()> {
        let fetch = self.fetches[number].clone();
        if fetch.done {
            return Ok(());
        }
        let behaviour = &self.scenario.resolver[fetch.resolver];
        let (servers, qname, qtype) = match fetch.iterates {
            false => (behaviour.forwarders.clone(), fetch.qname.clone(), fetch.qtype),
            true => {
                let cache = &self.boxes[fetch.resolver].cache;
                let zone = cache.zone_above(&fetch.qname, fetch.qtype == RecordType::DS, now_ns);
                let servers = self.servers(now_ns, fetch.resolver, &zone);
                if servers.is_empty() {
                    let hosts = self.boxes[fetch.resolver].cache.name_servers(&zone, now_ns);
                    let Some(host) = hosts.first().filter(|_| fetch.depth < DEPTH_MAX) else {
                        return self.end(now_ns, number, false);
                    };
                    let waiter = Waiter::Fetch(number);
                    let host = host.clone();
                    return self
                        .fetch(now_ns, fetch.resolver, host, RecordType::A, waiter, fetch.depth + 1)
                        .map(|_| ());
                }
                let (qname, qtype) = shown(&fetch, &zone, behaviour.minimise);
                (servers, qname, qtype)
            }
        };
        let offset = if behaviour.any_server { fetch.offset } else { 0 };
        let server = servers[(fetch.tries + offset) % servers.len()];
        let at_ns = now_ns + self.random.between(90_000, 260_000);
        self.send_query(at_ns, number, server, qname, qtype, false)
    }

    /// The addresses of a zone's servers that this resolver knows and can reach.
    fn servers(&self, now_ns: i64, resolver: usize, zone: &Name) -> Vec<IpAddr> {
        let cache = &self.boxes[resolver].cache;
        let hosts = cache.name_servers(zone, now_ns);
        let mut servers = Vec::new();
        if zone.is_root() && hosts.is_empty() {
            servers = self.world.root_servers();
        }
        for host in hosts {
            for kind in [RecordType::A, RecordType::AAAA] {
                let found = cache.lookup(&host, kind, now_ns, 0);
                servers.extend(
                    found.iter().flat_map(|found| found.records.iter().flat_map(addresses)),
                );
            }
        }
        servers.retain(|server| self.asks_from(resolver, *server).is_some());
        servers
    }

    fn asks_from(&self, resolver: usize, server: IpAddr) -> Option<IpAddr> {
        let behaviour = &self.scenario.resolver[resolver];
        let own = match behaviour.asks_from.is_empty() {
            true => &behaviour.addresses,
            false => &behaviour.asks_from,
        };
        own.iter().find(|at| at.is_ipv4() == server.is_ipv4()).copied()
    }

    fn send_query(
        &mut self,
        at_ns: i64,
        number: usize,
        server: IpAddr,
        mut qname: Name,
        qtype: RecordType,
        tcp: bool,
    ) -> Result<()> {
        let fetch = self.fetches[number].clone();
        let behaviour = &self.scenario.resolver[fetch.resolver];
        let Some(from) = self.asks_from(fetch.resolver, server) else {
            return self.end(at_ns, number, false);
        };
        if behaviour.mix_case {
            qname = self.mix_case(&qname);
        }
        let source = SocketAddr::new(from, self.random.port());
        let server = SocketAddr::new(server, 53);
        let id = self.random.id();
        let recurse = !fetch.iterates;
        let message = query_message(id, &qname, qtype, recurse, behaviour.edns, behaviour.validate);
        let query = self.queries.len();
        let mut about = About::new(Leg::Upstream, &qname, from);
        about.query = Some(query);
        let (mut sent_ns, mut connection) = (at_ns, None);
        let hop =
            self.scenario.resolver.iter().position(|box_| box_.addresses.contains(&server.ip()));
        let mut ask = None;
        if let Some(resolver) = hop {
            let origin = Origin::Hop(query);
            let ends = (source, server.ip());
            let edns = behaviour.edns;
            ask = Some(self.new_ask(at_ns, origin, resolver, ends, qname.clone(), qtype, edns));
            about.ask = ask;
        }
        let arrival_ns = if tcp {
            let number =
                self.network.connect(at_ns, source, server, about.clone(), &mut self.random);
            connection = Some(number);
            sent_ns = self.network.ready_ns(number);
            self.network.send_tcp(number, sent_ns, false, &message, about)?
        } else {
            self.network.send_udp(at_ns, (source, server), &message, about, &mut self.random)?
        };
        if let Some(ask) = ask {
            self.asks[ask].id = id;
            self.asks[ask].connection = connection;
            self.schedule(arrival_ns, Event::Question { ask });
        }
        let wait_ms = behaviour.retries_ms.get(fetch.tries).copied().unwrap_or(1_000);
        self.schedule(sent_ns + wait_ms * 1_000_000, Event::Timeout { query });
        let (answer, over) = (None, false);
        self.queries.push(Query {
            fetch: number,
            source,
            server,
            id,
            qname,
            qtype,
            tcp,
            sent_ns,
            answer,
            connection,
            over,
        });
        if hop.is_none() { self.serve(arrival_ns, query) } else { Ok(()) }
    }

    /// A server outside answers, unless the firewall swallows the exchange.
    fn serve(&mut self, arrival_ns: i64, number: usize) -> Result<()> {
        let query = self.queries[number].clone();
        if self.is_dropped(&query, None) {
            return Ok(());
        }
        let Some(reply) = self.world.answer(query.server.ip(), &query.qname, query.qtype) else {
            return Ok(());
        };
        if self.is_dropped(&query, Some(&reply.message)) {
            return Ok(());
        }
        let behaviour = &self.scenario.resolver[self.fetches[query.fetch].resolver];
        let mut message = reply.message;
        complete(&mut message, query.id, &query.qname, query.qtype, behaviour.edns);
        let mut about = About::new(Leg::Upstream, &query.qname, query.source.ip());
        about.kind = Kind::Response;
        about.query = Some(number);
        let at_ns = arrival_ns + reply.thinking_ns + self.random.between(30_000, 90_000);
        let heard_ns = match query.connection {
            Some(connection) => {
                let heard_ns = self.network.send_tcp(connection, at_ns, true, &message, about)?;
                self.schedule(heard_ns + IDLE_NS / 20, Event::Close { connection });
                heard_ns
            }
            None => {
                message = cut(&message, behaviour.edns)?;
                let ends = (query.server, query.source);
                self.network.send_udp(at_ns, ends, &message, about, &mut self.random)?
            }
        };
        self.schedule(heard_ns, Event::Reply { query: number, message });
        Ok(())
    }

    /// Whether the firewall swallows a query, or (given it) the answer.
    fn is_dropped(&self, query: &Query, answer: Option<&Message>) -> bool {
        self.scenario.drop.iter().any(|rule| {
            let named =
                |name: &String| world::name(name).is_ok_and(|name| name.zone_of(&query.qname));
            let holds = |what: &String| {
                answer.is_some_and(|answer| {
                    answer.answers.iter().any(|record| {
                        addresses(record).iter().any(|at| at.to_string() == *what)
                            || world::text(&record.name).eq_ignore_ascii_case(what)
                    })
                })
            };
            (rule.what == Kind::Response) == answer.is_some()
                && rule.name.as_ref().is_none_or(named)
                && rule.server.is_none_or(|server| server == query.server.ip())
                && rule.answer.as_ref().is_none_or(holds)
        })
    }

    /// A response reaches the resolver.
    pub(super) fn reply(&mut self, now_ns: i64, number: usize, message: Message) -> Result<()> {
        if self.queries[number].over {
            return Ok(());
        }
        self.queries[number].over = true;
        self.queries[number].answer = Some((now_ns, message.clone()));
        let query = self.queries[number].clone();
        let fetch = self.fetches[query.fetch].clone();
        if fetch.done {
            return Ok(());
        }
        if message.metadata.truncation {
            let at_ns = now_ns + self.random.between(150_000, 900_000);
            return self.send_query(
                at_ns,
                query.fetch,
                query.server.ip(),
                query.qname,
                query.qtype,
                true,
            );
        }
        if message.metadata.response_code == ResponseCode::ServFail {
            return self.end(now_ns, query.fetch, false);
        }
        let behaviour = &self.scenario.resolver[fetch.resolver];
        let forwards = !fetch.iterates;
        let minimised = query.qname != fetch.qname || query.qtype != fetch.qtype;
        let whole_chain = !(forwards && behaviour.requery_targets);
        let mut learned = message.answers.clone();
        learned.retain(|record| whole_chain || record.name == query.qname);
        self.boxes[fetch.resolver].cache.store(&learned, now_ns);
        let mut referral = message.authorities.clone();
        referral.retain(|record| record.record_type() == RecordType::NS);
        if !referral.is_empty() {
            self.refer(now_ns, query.fetch, &referral, &message.additionals);
            self.fetches[query.fetch].tries = 0;
            return self.step(now_ns, query.fetch);
        }
        if minimised {
            self.fetches[query.fetch].tries = 0;
            let hidden = usize::from(behaviour.minimise == Minimise::Underscore);
            self.fetches[query.fetch].labels_shown = query.qname.iter().len() - hidden;
            return self.step(now_ns, query.fetch);
        }
        if message.answers.is_empty() {
            let rcode = message.metadata.response_code;
            let until_ns = now_ns + DENIED_NS;
            self.boxes[fetch.resolver].cache.deny(&fetch.qname, fetch.qtype, rcode, until_ns);
        }
        self.end(now_ns, query.fetch, true)
    }

    /// Learns a delegation; may look up what addresses are missing, answered or not.
    fn refer(&mut self, now_ns: i64, fetch: usize, ns: &[Record], glue: &[Record]) {
        let resolver = self.fetches[fetch].resolver;
        self.boxes[resolver].cache.store(ns, now_ns);
        self.boxes[resolver].cache.store(glue, now_ns);
        if !self.scenario.resolver[resolver].ns_address_lookups || self.fetches[fetch].depth > 0 {
            return;
        }
        let Some((ask, _)) = self.roots(fetch).first().map(|root| (root.ask, root.since_ns)) else {
            return;
        };
        for host in ns.iter().filter_map(|record| match &record.data {
            RData::NS(host) => Some(host.0.clone()),
            _ => None,
        }) {
            for qtype in [RecordType::A, RecordType::AAAA] {
                if self.boxes[resolver].cache.lookup(&host, qtype, now_ns, 0).is_none() {
                    let (purpose, qname) = (Purpose::Servers, host.clone());
                    let job = Job { ask, purpose, qname, qtype, fetches: 0, done: false };
                    let at_ns = now_ns + self.random.between(300_000, 40_000_000);
                    self.schedule(at_ns, Event::Start { job });
                }
            }
        }
    }

    /// No answer came in time: the next try, or the end.
    pub(super) fn timeout(&mut self, now_ns: i64, number: usize) -> Result<()> {
        if self.queries[number].over {
            return Ok(());
        }
        let number = self.queries[number].fetch;
        let fetch = &mut self.fetches[number];
        fetch.tries += 1;
        let behaviour = &self.scenario.resolver[fetch.resolver];
        let is_wanted = |waiter: &(Waiter, i64)| match waiter.0 {
            Waiter::Job(job) => !self.jobs[job].done,
            Waiter::Fetch(_) => true,
        };
        if behaviour.gives_up_s.is_some() && !fetch.waiters.iter().any(is_wanted) {
            return self.end(now_ns, number, false);
        }
        if fetch.tries < behaviour.retries_ms.len() {
            return self.step(now_ns, number);
        }
        if behaviour.root_hints && !fetch.iterates {
            (fetch.iterates, fetch.tries) = (true, 0);
            return self.step(now_ns, number);
        }
        self.end(now_ns, number, false)
    }

    /// A fetch ends, and those who wait go on.
    fn end(&mut self, now_ns: i64, number: usize, found: bool) -> Result<()> {
        let fetch = &mut self.fetches[number];
        if fetch.done {
            return Ok(());
        }
        fetch.done = true;
        let fetch = fetch.clone();
        let key = (fetch.qname, u16::from(fetch.qtype));
        self.boxes[fetch.resolver].in_flight.remove(&key);
        for (waiter, _) in fetch.waiters {
            match (waiter, found) {
                (Waiter::Job(job), true) => self.advance(now_ns, job)?,
                (Waiter::Job(job), false) => self.fail(now_ns, job)?,
                (Waiter::Fetch(fetch), true) => self.step(now_ns, fetch)?,
                (Waiter::Fetch(fetch), false) => self.end(now_ns, fetch, false)?,
            }
        }
        Ok(())
    }

    fn mix_case(&mut self, qname: &Name) -> Name {
        let text: String = qname
            .to_ascii()
            .chars()
            .map(|letter| match self.random.next() % 2 {
                0 => letter.to_ascii_uppercase(),
                _ => letter.to_ascii_lowercase(),
            })
            .collect();
        Name::from_ascii(text).unwrap_or_else(|_| qname.clone())
    }
}

/// How much of a name a zone's server is shown (RFC 9156).
fn shown(fetch: &Fetch, zone: &Name, minimise: Minimise) -> (Name, RecordType) {
    let labels = fetch.labels_shown.max(zone.iter().len()) + 1;
    if minimise == Minimise::None || labels >= fetch.qname.iter().len() {
        return (fetch.qname.clone(), fetch.qtype);
    }
    let next = fetch.qname.trim_to(labels);
    match minimise {
        Minimise::Ns => (next, RecordType::NS),
        Minimise::Underscore => {
            let hidden = Name::from_ascii("_").and_then(|label| label.append_domain(&next));
            (hidden.unwrap_or(next), RecordType::A)
        }
        Minimise::A | Minimise::None => (next, RecordType::A),
    }
}
