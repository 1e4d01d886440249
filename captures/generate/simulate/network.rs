//! The wires: who sits where, how long a packet takes, and what the mirror port sees of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use hickory_proto::op::Message;

use crate::random::Random;
use crate::scenario::{Kind, Leg, Scenario};
use crate::wire::{About, Body, Macs, Packet, Segment};
use crate::world::World;

/// The wires and what went over them.
pub struct Network {
    /// What the mirror port saw, in no order.
    pub packets: Vec<Packet>,
    macs: BTreeMap<IpAddr, [u8; 6]>,
    resolvers: Vec<IpAddr>,
    rtt_ms: BTreeMap<IpAddr, f64>,
    connections: Vec<Connection>,
    identification: u16,
    mss: usize,
}

/// A TCP connection.
struct Connection {
    client: SocketAddr,
    server: SocketAddr,
    one_way_ns: i64,
    /// Both directions, that of the client first.
    streams: [Stream; 2],
    waiting: usize,
    open: bool,
    about: About,
}

/// One direction of a connection.
struct Stream {
    next: u32,
    free_ns: i64,
    /// When the peer had got which octets: time, and number of the next octet.
    arrived: Vec<(i64, u32)>,
}

/// The router towards the world outside.
const ROUTER_MAC: [u8; 6] = [0x00, 0x1a, 0x8c, 0x10, 0x00, 0x01];

impl Network {
    /// Places every host.
    pub fn new(scenario: &Scenario, world: &World, random: &mut Random) -> Network {
        let mut macs = BTreeMap::new();
        for (place, client) in scenario.client.iter().enumerate() {
            let mut routers = scenario.routed.values();
            let mac = match routers.position(|behind| behind.contains(&client.name)) {
                Some(number) => [0x00, 0x1a, 0x8c, 0x20, 0, number as u8 + 1],
                None => [0x00, 0x1b, 0x21, 0x3c, (place >> 8) as u8, place as u8 + 0x10],
            };
            macs.extend(client.addresses.iter().map(|at| (*at, mac)));
        }
        let mut resolvers = Vec::new();
        for (place, resolver) in scenario.resolver.iter().enumerate() {
            let own = resolver.addresses.iter().chain(&resolver.asks_from);
            for at in own {
                macs.insert(*at, [0x00, 0x50, 0x56, 0x9a, 0x10, place as u8 + 1]);
                resolvers.push(*at);
            }
        }
        macs.retain(|at, _| !at.is_loopback());
        let outside = scenario.zone.iter().flat_map(|zone| zone.ns.values().flatten());
        let outside = outside.chain(scenario.forwarder.iter().flat_map(|to| &to.addresses));
        let rtt_ms = outside.filter_map(|at| Some((*at, world.rtt_ms(*at)?))).collect();
        Network {
            packets: Vec::new(),
            macs,
            resolvers,
            rtt_ms,
            connections: Vec::new(),
            identification: random.id(),
            mss: if scenario.capture.mss == 0 { 1460 } else { scenario.capture.mss },
        }
    }

    /// The link-layer addresses of a packet: of the next hop for what lies outside, none on loopback.
    pub fn macs(&self, packet: &Packet) -> Macs {
        packet
            .macs
            .unwrap_or_else(|| self.macs_between(packet.source.ip(), packet.destination.ip()))
    }

    /// The same of a packet between two hosts.
    pub fn macs_between(&self, source: IpAddr, destination: IpAddr) -> Macs {
        let of = |at: IpAddr| {
            let own = self.macs.get(&at).copied();
            own.unwrap_or(if at.is_loopback() { [0; 6] } else { ROUTER_MAC })
        };
        Macs { source: of(source), destination: of(destination) }
    }

    /// How long a packet takes from one host to another, in nanoseconds.
    pub fn one_way_ns(&self, from: IpAddr, to: IpAddr, random: &mut Random) -> i64 {
        if from.is_loopback() || to.is_loopback() {
            return random.between(8_000, 20_000);
        }
        match self.rtt_ms.get(&from).or(self.rtt_ms.get(&to)) {
            Some(rtt_ms) => (rtt_ms * 5e5 * (0.95 + 0.15 * random.share())) as i64,
            None => random.between(30_000, 90_000),
        }
    }

    /// Sends a message in a datagram; tells when it arrives.
    pub fn send_udp(
        &mut self,
        at_ns: i64,
        ends: (SocketAddr, SocketAddr),
        message: &Message,
        about: About,
        random: &mut Random,
    ) -> Result<i64> {
        let arrival_ns = at_ns + self.one_way_ns(ends.0.ip(), ends.1.ip(), random);
        self.emit(at_ns, arrival_ns, ends, Body::Udp(message.to_vec()?), about);
        Ok(arrival_ns)
    }

    /// Opens a connection: SYN, SYN-ACK, ACK.
    pub fn connect(
        &mut self,
        at_ns: i64,
        client: SocketAddr,
        server: SocketAddr,
        about: About,
        random: &mut Random,
    ) -> usize {
        let one_way_ns = self.one_way_ns(client.ip(), server.ip(), random);
        let mut stream =
            || Stream { next: random.next() as u32, free_ns: at_ns, arrived: Vec::new() };
        let streams = [stream(), stream()];
        let about = About { ask: None, query: None, ..about };
        let (waiting, open) = (0, true);
        let connection = Connection { client, server, one_way_ns, streams, waiting, open, about };
        self.connections.push(connection);
        let number = self.connections.len() - 1;
        let syn = Segment { syn: true, ..Segment::default() };
        let reached_ns = self.segment(number, 0, at_ns, syn.clone(), None);
        let back_ns = self.segment(number, 1, reached_ns + 12_000, syn, None);
        self.segment(number, 0, back_ns + 9_000, Segment::default(), None);
        number
    }

    /// When the client of a connection can send.
    pub fn ready_ns(&self, number: usize) -> i64 {
        self.connections[number].streams[0].free_ns + 20_000
    }

    /// The port at a connection's client end.
    pub fn client_port(&self, number: usize) -> u16 {
        self.connections[number].client.port()
    }

    /// Whether a connection can still be asked over.
    pub fn is_open(&self, number: usize) -> bool {
        self.connections.get(number).is_some_and(|connection| connection.open)
    }

    /// Sends a message behind its length (RFC 7766 section 8); tells when it arrives.
    pub fn send_tcp(
        &mut self,
        number: usize,
        at_ns: i64,
        from_server: bool,
        message: &Message,
        about: About,
    ) -> Result<i64> {
        let message = message.to_vec()?;
        let octets = [&u16::try_from(message.len())?.to_be_bytes(), &message[..]].concat();
        let from = usize::from(from_server);
        let pieces = octets.chunks(self.mss).count();
        let mut arrival_ns = at_ns;
        for (place, piece) in octets.chunks(self.mss).enumerate() {
            let segment = Segment { data: piece.to_vec(), ..Segment::default() };
            let last = (place + 1 == pieces).then_some(&about);
            let free_ns = self.connections[number].streams[from].free_ns;
            arrival_ns = self.segment(number, from, at_ns.max(free_ns + 3_000), segment, last);
        }
        self.segment(number, 1 - from, arrival_ns + 15_000, Segment::default(), None);
        let connection = &mut self.connections[number];
        match from_server {
            false => connection.waiting += 1,
            true => connection.waiting = connection.waiting.saturating_sub(1),
        }
        Ok(arrival_ns)
    }

    /// Ends a connection on which nothing is waited for: FIN, FIN, ACK.
    pub fn close(&mut self, number: usize, at_ns: i64) {
        let Some(connection) = self.connections.get_mut(number) else { return };
        if connection.waiting > 0 || !connection.open {
            return;
        }
        connection.open = false;
        let fin = Segment { fin: true, ..Segment::default() };
        let reached_ns = self.segment(number, 0, at_ns, fin.clone(), None);
        let back_ns = self.segment(number, 1, reached_ns + 20_000, fin, None);
        self.segment(number, 0, back_ns + 8_000, Segment::default(), None);
    }

    /// Sends one segment in a direction (0: from the client); tells when it arrives.
    fn segment(
        &mut self,
        number: usize,
        from: usize,
        at_ns: i64,
        mut segment: Segment,
        about: Option<&About>,
    ) -> i64 {
        let connection = &mut self.connections[number];
        let arrival_ns = at_ns + connection.one_way_ns;
        let [own, peer] = match from {
            0 => [0, 1],
            _ => [1, 0],
        };
        let got = connection.streams[peer].arrived.iter().rev();
        segment.ack = got.clone().find(|(at, _)| *at <= at_ns).map_or(0, |(_, next)| *next);
        let stream = &mut connection.streams[own];
        segment.seq = stream.next;
        let length = segment.data.len() as u32 + u32::from(segment.syn || segment.fin);
        stream.next = stream.next.wrapping_add(length);
        stream.free_ns = at_ns;
        if length > 0 {
            stream.arrived.push((arrival_ns, stream.next));
        }
        let ends = match from {
            0 => (connection.client, connection.server),
            _ => (connection.server, connection.client),
        };
        let mut about = about.unwrap_or(&connection.about).clone();
        about.kind = if from == 0 { Kind::Query } else { Kind::Response };
        self.emit(at_ns, arrival_ns, ends, Body::Tcp(segment), about);
        arrival_ns
    }

    /// The mirror port is the resolver's: it sees what the resolver sends when it is sent, and the rest when it arrives.
    fn emit(
        &mut self,
        at_ns: i64,
        arrival_ns: i64,
        (source, destination): (SocketAddr, SocketAddr),
        body: Body,
        mut about: About,
    ) {
        let own = self.resolvers.contains(&source.ip());
        about.inbound = !own;
        self.identification = self.identification.wrapping_add(1);
        self.packets.push(Packet {
            time_ns: if own { at_ns } else { arrival_ns },
            source,
            destination,
            identification: self.identification,
            body,
            about,
            macs: None,
        });
    }
}

impl About {
    /// Of a message between two ends.
    pub fn new(leg: Leg, name: &hickory_proto::rr::Name, client: IpAddr) -> About {
        let kind = Kind::Query;
        About { leg, kind, name: name.clone(), inbound: false, client, ask: None, query: None }
    }
}
