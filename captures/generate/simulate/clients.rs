//! The clients: who asks whom what, when, and what they do with a cut answer.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType};

use super::messages::query_message;
use super::{Event, Origin, Simulation};
use crate::scenario::{self, Leg};
use crate::wire::About;
use crate::world;

impl Simulation<'_> {
    pub(super) fn plan(&mut self) -> Result<()> {
        for (ask, planned) in self.scenario.ask.iter().enumerate() {
            let at_ns = self.scenario.instant_ns(&planned.at)?;
            for kind in 0..planned.types.len() {
                self.schedule(at_ns + 40_000 * kind as i64, Event::Plan { ask, kind });
            }
        }
        for background in &self.scenario.background {
            self.strew(background)?;
        }
        Ok(())
    }

    fn strew(&mut self, background: &scenario::Background) -> Result<()> {
        let from_ns = self.scenario.instant_ns(&background.from)?;
        let until_ns = self.scenario.instant_ns(&background.until)?;
        let names: Vec<Name> = match background.names.is_empty() {
            true => {
                let flagged = self.scenario.flagged.iter().map(|line| line.trim_start_matches('='));
                self.world.harmless(&flagged.flat_map(world::name).collect::<Vec<_>>())
            }
            false => {
                background.names.iter().map(|name| world::name(name)).collect::<Result<_>>()?
            }
        };
        let clients: Vec<usize> = match background.clients.is_empty() {
            true => (0..self.scenario.client.len()).collect(),
            false => {
                background.clients.iter().map(|who| self.client(who)).collect::<Result<_>>()?
            }
        };
        for _ in 0..background.count {
            let at_ns = self.random.between(from_ns, until_ns);
            let client = clients[self.random.index(clients.len())];
            let resolver = match background.resolvers.len() {
                0 => self.random.index(self.boxes.len()),
                some => {
                    let place = self.random.index(some);
                    self.resolver(Some(&background.resolvers[place]))?
                }
            };
            // Few names are asked often and most seldom: the square favours the first.
            let place = self.random.share().powi(2) * names.len() as f64;
            let name = names[place as usize].clone();
            let to = background.to.unwrap_or(self.scenario.resolver[resolver].addresses[0]);
            self.schedule(at_ns, Event::Background { client, resolver, to, name });
        }
        Ok(())
    }

    pub(super) fn plan_ask(&mut self, now_ns: i64, planned: usize, kind: usize) -> Result<()> {
        let scenario = self.scenario;
        let planned_ask = &scenario.ask[planned];
        let resolver = self.resolver(planned_ask.resolver.as_deref())?;
        let (name, kind_text) = (world::name(&planned_ask.name)?, &planned_ask.types[kind]);
        let qtype = RecordType::from_str(kind_text).with_context(|| kind_text.clone())?;
        let to = planned_ask.to.unwrap_or(scenario.resolver[resolver].addresses[0]);
        let Some(who) = &planned_ask.client else {
            let source = SocketAddr::new(to, 0);
            let ask = self.new_ask(now_ns, Origin::Own, resolver, (source, to), name, qtype, 0);
            return self.question(now_ns, ask);
        };
        let client = self.client(who)?;
        let mut source = self.source(client, to)?;
        // The types of one lookup leave from one port.
        if kind > 0
            && let Some(last) = self.asks.iter().rev().find(|ask| ask.source.ip() == source.ip())
        {
            source = last.source;
        }
        let edns = scenario.client[client].edns;
        let ask = self.new_ask(now_ns, Origin::Client, resolver, (source, to), name, qtype, edns);
        for again_s in &planned_ask.again {
            self.schedule(now_ns + (again_s * 1e9) as i64, Event::Again { ask });
        }
        if let Some(word) = &planned_ask.tcp {
            let key = (who.clone(), word.clone());
            let known = self.connections.get(&key).copied();
            let connection = match known.filter(|number| self.network.is_open(*number)) {
                Some(number) => number,
                None => self.connect(now_ns, ask),
            };
            self.connections.insert(key, connection);
            self.asks[ask].connection = Some(connection);
            self.asks[ask].source.set_port(self.network.client_port(connection));
        }
        self.send_ask(now_ns, ask)
    }

    pub(super) fn connect(&mut self, now_ns: i64, ask: usize) -> usize {
        let about = self.about_ask(ask);
        let (source, server) = (self.asks[ask].source, self.asks[ask].server);
        self.network.connect(now_ns, source, server, about, &mut self.random)
    }

    pub(super) fn send_ask(&mut self, now_ns: i64, number: usize) -> Result<()> {
        let ask = self.asks[number].clone();
        let message = query_message(ask.id, &ask.qname, ask.qtype, true, ask.edns, false);
        let about = About { ask: Some(number), ..self.about_ask(number) };
        let arrival_ns = match ask.connection {
            Some(connection) => {
                self.network.send_tcp(connection, now_ns, false, &message, about)?
            }
            None => {
                let ends = (ask.source, ask.server);
                self.network.send_udp(now_ns, ends, &message, about, &mut self.random)?
            }
        };
        self.schedule(arrival_ns, Event::Question { ask: number });
        Ok(())
    }

    pub(super) fn about_ask(&self, ask: usize) -> About {
        let ask = &self.asks[ask];
        About::new(Leg::Client, &ask.qname, ask.source.ip())
    }

    /// A client hears the answer; a cut one it asks for again over TCP.
    pub(super) fn hear(&mut self, now_ns: i64, number: usize, message: Message) -> Result<()> {
        if let Origin::Hop(query) = self.asks[number].origin {
            return self.reply(now_ns, query, message);
        }
        if !message.metadata.truncation {
            return Ok(());
        }
        let ask = self.asks[number].clone();
        let (mut source, at_ns) = (ask.source, now_ns + 150_000);
        source.set_port(self.random.port());
        let ends = (source, ask.server.ip());
        let again =
            self.new_ask(at_ns, ask.origin, ask.resolver, ends, ask.qname, ask.qtype, ask.edns);
        let connection = self.connect(at_ns, again);
        self.asks[again].connection = Some(connection);
        self.send_ask(at_ns, again)
    }

    fn client(&self, name: &str) -> Result<usize> {
        let found = self.scenario.client.iter().position(|client| client.name == name);
        found.with_context(|| format!("no client is called {name:?}"))
    }

    /// The resolver of a name; the first when none is given.
    pub(super) fn resolver(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else { return Ok(0) };
        let found = self.scenario.resolver.iter().position(|resolver| resolver.name == name);
        found.with_context(|| format!("no resolver is called {name:?}"))
    }

    pub(super) fn source(&mut self, client: usize, to: IpAddr) -> Result<SocketAddr> {
        let client = &self.scenario.client[client];
        let fits = client.addresses.iter().find(|at| at.is_ipv4() == to.is_ipv4());
        let Some(at) = fits else { bail!("{} has no address to ask {to} from", client.name) };
        Ok(SocketAddr::new(*at, self.random.port()))
    }
}
