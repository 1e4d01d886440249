//! What hosts send beside DNS: what they call themselves, and whom they turn to afterwards.
//!
//! It has a chance of its own, so that it changes nothing in the DNS of a scenario.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use dhcproto::Encodable;
use dhcproto::v4::{DhcpOption, Message as Dhcp, MessageType, Opcode};
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record};

use crate::random::Random;
use crate::scenario::{Beside, Leg, Scenario, Sent};
use crate::simulate::network::Network;
use crate::wire::{About, Body, Macs, Packet, Segment};
use crate::world;

const EVERYBODY: [u8; 6] = [0xff; 6];

/// All packets of the scenario's `beside` list.
pub fn packets(scenario: &Scenario, network: &Network) -> Result<Vec<Packet>> {
    let mut random = Random::new(scenario.seed, &format!("{} beside", scenario.name));
    let mut maker = Maker { scenario, network, packets: Vec::new(), identification: random.id() };
    for event in &scenario.beside {
        let what = || format!("beside: {:?} of {} at {:?}", event.what, event.client, event.at);
        maker.event(event, &mut random).with_context(what)?;
    }
    Ok(maker.packets)
}

struct Maker<'s> {
    scenario: &'s Scenario,
    network: &'s Network,
    packets: Vec<Packet>,
    identification: u16,
}

/// The host that an event is about.
struct Host {
    at: Ipv4Addr,
    /// Of its frames: its own, or its router's.
    frame_mac: [u8; 6],
    /// Its own.
    mac: [u8; 6],
    name: String,
}

impl Maker<'_> {
    fn event(&mut self, event: &Beside, random: &mut Random) -> Result<()> {
        let place = self.scenario.client.iter().position(|client| client.name == event.client);
        let place = place.context("no such client")?;
        let v4 = self.scenario.client[place].addresses.iter().find_map(|at| match at {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        });
        let at = v4.context("the client has no IPv4 address")?;
        let own = self.network.macs_between(at.into(), at.into()).source;
        let is_routed = self.scenario.routed.values().any(|group| group.contains(&event.client));
        let host = Host {
            at,
            frame_mac: event.mac.unwrap_or(own),
            mac: event.mac.unwrap_or(if is_routed {
                [0x00, 0x1b, 0x21, 0x3d, 0, place as u8 + 0x10]
            } else {
                own
            }),
            name: event.hostname.clone().unwrap_or_else(|| event.client.to_uppercase()),
        };
        let now = self.scenario.instant_ns(&event.at)?;
        let neighbours = SocketAddr::from(([192, 168, 2, 255], 137));
        match event.what {
            Sent::Lease | Sent::Renew | Sent::Release => self.dhcp(now, event, &host, random)?,
            Sent::Nbns => {
                let from = SocketAddr::from((host.at, 137));
                self.datagram(now, &host, from, neighbours, registration(&host), random);
            }
            Sent::Mdns => {
                let (from, to) = ((host.at, 5353).into(), ([224, 0, 0, 251], 5353).into());
                self.datagram(now, &host, from, to, answer(&host, ".local")?, random);
            }
            Sent::Kerberos => {
                let (from, to) = ((host.at, random.port()).into(), (self.server()?, 88).into());
                self.datagram(now, &host, from, to, as_req(&host.name), random);
            }
            Sent::Tcp | Sent::Quic => self.connect(now, event, &host, random)?,
        }
        Ok(())
    }

    /// The first resolver, which leases addresses and gives out tickets too, as a domain controller does.
    fn server(&self) -> Result<Ipv4Addr> {
        let first = self.scenario.resolver.first().and_then(|box_| box_.addresses.first());
        match first {
            Some(IpAddr::V4(v4)) => Ok(*v4),
            _ => bail!("the first resolver has no IPv4 address"),
        }
    }

    fn dhcp(&mut self, now: i64, event: &Beside, host: &Host, random: &mut Random) -> Result<()> {
        let (server, nobody) = (self.server()?, Ipv4Addr::UNSPECIFIED);
        let xid = random.next() as u32;
        let message = |op, kind, ciaddr, yiaddr, options: Vec<DhcpOption>| -> Result<Vec<u8>> {
            let mut message = Dhcp::new_with_id(xid, ciaddr, yiaddr, nobody, nobody, &host.mac);
            message.set_opcode(op);
            message.opts_mut().insert(DhcpOption::MessageType(kind));
            for option in options {
                message.opts_mut().insert(option);
            }
            Ok(message.to_vec()?)
        };
        let (ask, tell) = (Opcode::BootRequest, Opcode::BootReply);
        let name = || DhcpOption::Hostname(host.name.clone());
        let leased = || {
            let lease = DhcpOption::AddressLeaseTime(event.lease_s);
            vec![lease, DhcpOption::ServerIdentifier(server)]
        };
        let (everywhere, from_nowhere) =
            (SocketAddr::from(([255; 4], 67)), SocketAddr::from(([0; 4], 68)));
        let (client, at_server) = ((host.at, 68).into(), (server, 67).into());
        let millis = 1_000_000;
        match event.what {
            Sent::Lease => {
                let discover = message(ask, MessageType::Discover, nobody, nobody, vec![name()])?;
                self.datagram(now, host, from_nowhere, everywhere, discover, random);
                let offer = message(tell, MessageType::Offer, nobody, host.at, leased())?;
                self.datagram(now + 2 * millis, host, at_server, client, offer, random);
                let wanted = DhcpOption::RequestedIpAddress(host.at);
                let chosen = vec![name(), wanted, DhcpOption::ServerIdentifier(server)];
                let request = message(ask, MessageType::Request, nobody, nobody, chosen)?;
                self.datagram(now + 5 * millis, host, from_nowhere, everywhere, request, random);
                let ack = message(tell, MessageType::Ack, nobody, host.at, leased())?;
                self.datagram(now + 7 * millis, host, at_server, client, ack, random);
            }
            Sent::Renew => {
                let request = message(ask, MessageType::Request, host.at, nobody, vec![name()])?;
                self.datagram(now, host, client, at_server, request, random);
                let ack = message(tell, MessageType::Ack, host.at, host.at, leased())?;
                self.datagram(now + millis, host, at_server, client, ack, random);
            }
            _ => {
                let chosen = vec![DhcpOption::ServerIdentifier(server)];
                let release = message(ask, MessageType::Release, host.at, nobody, chosen)?;
                self.datagram(now, host, client, at_server, release, random);
            }
        }
        Ok(())
    }

    fn connect(
        &mut self,
        now: i64,
        event: &Beside,
        host: &Host,
        random: &mut Random,
    ) -> Result<()> {
        let server = SocketAddr::new(event.to.context("`to` is missing")?, event.port);
        let client = SocketAddr::from((host.at, random.port()));
        let back = 20_000_000;
        if event.what == Sent::Quic {
            let mut initial = vec![0xc3, 0, 0, 0, 1, 8];
            initial.resize(1200, 0x5a);
            self.datagram(now, host, client, server, initial.clone(), random);
            if event.answered {
                self.datagram(now + back, host, server, client, initial, random);
            }
            return Ok(());
        }
        let (seq, peer) = (random.next() as u32, random.next() as u32);
        let syn = Segment { seq, syn: true, ..Segment::default() };
        self.segment(now, host, (client, server), syn);
        if !event.answered {
            return Ok(());
        }
        let next = seq.wrapping_add(1);
        let accepted = Segment { seq: peer, ack: next, syn: true, ..Segment::default() };
        self.segment(now + back, host, (server, client), accepted);
        let ack = Segment { seq: next, ack: peer.wrapping_add(1), ..Segment::default() };
        self.segment(now + back + 40_000, host, (client, server), ack.clone());
        if let Some(name) = &event.server_name {
            let hello = Segment { data: client_hello(name, random), ..ack };
            self.segment(now + back + 300_000, host, (client, server), hello);
        }
        Ok(())
    }

    fn datagram(
        &mut self,
        at_ns: i64,
        host: &Host,
        source: SocketAddr,
        destination: SocketAddr,
        data: Vec<u8>,
        random: &mut Random,
    ) {
        let at_ns = at_ns + random.between(0, 90_000);
        self.push(at_ns, host, (source, destination), Body::Udp(data));
    }

    fn segment(&mut self, at_ns: i64, host: &Host, ends: (SocketAddr, SocketAddr), what: Segment) {
        self.push(at_ns, host, ends, Body::Tcp(what));
    }

    fn push(
        &mut self,
        time_ns: i64,
        host: &Host,
        (source, destination): (SocketAddr, SocketAddr),
        body: Body,
    ) {
        let own = |at: IpAddr| at == IpAddr::V4(host.at) || at.is_unspecified();
        let mut macs = self.network.macs_between(source.ip(), destination.ip());
        if own(source.ip()) {
            macs.source = host.frame_mac;
        }
        if own(destination.ip()) {
            macs.destination = host.frame_mac;
        }
        match destination.ip() {
            IpAddr::V4(to) if to.is_broadcast() || to.octets()[3] == 255 => {
                macs.destination = EVERYBODY;
            }
            IpAddr::V4(to) if to.is_multicast() => {
                let [_, b, c, d] = to.octets();
                macs.destination = [0x01, 0x00, 0x5e, b & 0x7f, c, d];
            }
            _ => {}
        }
        self.identification = self.identification.wrapping_add(1);
        let mut about = About::new(Leg::Client, &Name::root(), host.at.into());
        about.inbound = own(source.ip());
        let identification = self.identification;
        let macs: Option<Macs> = Some(macs);
        self.packets.push(Packet {
            time_ns,
            source,
            destination,
            identification,
            body,
            about,
            macs,
        });
    }
}

/// A NetBIOS name registration (RFC 1002 section 4.2.2), as a host broadcasts it when it starts.
fn registration(host: &Host) -> Vec<u8> {
    let mut name = [b' '; 16];
    for (slot, octet) in name.iter_mut().take(15).zip(host.name.bytes()) {
        *slot = octet.to_ascii_uppercase();
    }
    name[15] = 0;
    let halves: Vec<u8> =
        name.iter().flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]).collect();
    [
        &[0x80, host.at.octets()[3], 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1, 32][..],
        &halves,
        &[0, 0, 0x20, 0, 1, 0xc0, 0x0c, 0, 0x20, 0, 1, 0, 4, 0x93, 0xe0, 0, 6, 0, 0],
        &host.at.octets(),
    ]
    .concat()
}

/// A multicast DNS announcement (RFC 6762 section 8.3).
fn answer(host: &Host, zone: &str) -> Result<Vec<u8>> {
    let mut message: Message = world::empty();
    message.metadata.authoritative = true;
    let owner = world::name(&format!("{}{zone}", host.name))?;
    message.answers.push(Record::from_rdata(owner, 120, RData::A(A(host.at))));
    Ok(message.to_vec()?)
}

/// A value of DER (X.690): a tag, a length, the content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let head = if len < 128 { vec![tag, len as u8] } else { vec![tag, 0x81, len as u8] };
    [head, content.to_vec()].concat()
}

/// A computer's request for a ticket by its machine account (RFC 4120 section 5.4.1).
fn as_req(host: &str) -> Vec<u8> {
    let name = |kind: u8, parts: &[&str]| {
        let parts: Vec<u8> = parts.iter().flat_map(|part| der(0x1b, part.as_bytes())).collect();
        der(0x30, &[der(0xa0, &[2, 1, kind]), der(0xa1, &der(0x30, &parts))].concat())
    };
    let body = [
        der(0xa0, &der(3, &[0, 0x40, 0x81, 0, 0x10])),
        der(0xa1, &name(1, &[&format!("{host}$")])),
        der(0xa2, &der(0x1b, b"BUERO")),
        der(0xa3, &name(2, &["krbtgt", "BUERO"])),
        der(0xa5, &der(0x18, b"20370913024805Z")),
        der(0xa7, &[2, 1, 7]),
        der(0xa8, &der(0x30, &[2, 1, 18])),
    ]
    .concat();
    let request = [der(0xa1, &[2, 1, 5]), der(0xa2, &[2, 1, 10]), der(0xa4, &der(0x30, &body))];
    der(0x6a, &der(0x30, &request.concat()))
}

/// A TLS ClientHello (RFC 8446 section 4.1.2) with a server name (RFC 6066 section 3).
fn client_hello(name: &str, random: &mut Random) -> Vec<u8> {
    let len = |len: usize| (len as u16).to_be_bytes();
    let entry = [&[0][..], &len(name.len()), name.as_bytes()].concat();
    let list = [&len(entry.len())[..], &entry].concat();
    let versions: &[u8] = &[0, 0x2b, 0, 3, 2, 3, 4];
    let extensions = [&[0, 0][..], &len(list.len()), &list, versions].concat();
    let nonce: Vec<u8> = (0..4).flat_map(|_| random.next().to_be_bytes()).collect();
    let hello = [
        &[3, 3][..],
        &nonce,
        &[0],
        &[0, 4, 0x13, 0x01, 0x13, 0x02],
        &[1, 0],
        &len(extensions.len()),
        &extensions,
    ]
    .concat();
    let handshake = [&[1, 0][..], &len(hello.len()), &hello].concat();
    [&[22, 3, 1][..], &len(handshake.len()), &handshake].concat()
}
