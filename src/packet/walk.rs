//! The walk through a frame, one header a step, from the link layer to what carries DNS.
//!
//! Every header says what stands behind it, and that is all the walk knows: so a tunnel is nothing
//! special, and what stands in it is read as if it stood alone.

use super::ip::{self, Fragment, protocol};
use super::{Elsewhere, Envelope, Other, Ports, link, tunnel, wireless};
use crate::flow::{Address, Endpoint, Flow, Mac, Transport};
use crate::frame::{Frame, LinkType};
use etherparse::err::tcp::HeaderSliceError;
use etherparse::{TcpSlice, UdpHeaderSlice};
use std::ops::ControlFlow;

/// The most headers that are passed. Eight levels of the deepest common nesting (Ethernet, IP, UDP,
/// VXLAN) fit, or one with a long stack of tags.
const HEADERS_MAX: usize = 40;

/// What the bytes at hand begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// A captured frame of this link type.
    Link(LinkType),
    /// An Ethernet header.
    Ethernet,
    /// The payload of this EtherType; 1500 and below is the length of an LLC header and its payload.
    EtherType(u16),
    /// An IEEE 802.2 LLC header.
    Llc,
    /// A PPP protocol number, perhaps behind address and control.
    Ppp,
    /// An IEEE 802.11 header.
    Ieee80211,
    /// The same, padded to four octets before its payload.
    Ieee80211Padded,
    /// IPv4 or IPv6, whichever the first four bits say.
    Ip,
    /// The payload of this IP protocol number, IPv6 extension headers included.
    Protocol(u8),
    /// A part of the payload of an IP packet.
    Fragment(Fragment),
}

/// The next header and the bytes from there on.
pub(super) type Step<'a> = Result<(Layer, &'a [u8]), Other>;

/// Where a walk ended.
#[derive(Debug)]
pub(super) enum WalkEnd<'a> {
    /// A UDP payload to or from a DNS port.
    Datagram { envelope: Envelope, payload: &'a [u8], whole: bool },
    /// A TCP segment to or from a DNS port that matters to its stream.
    Segment { envelope: Envelope, segment: Segment<'a> },
    /// A fragment of a packet that may lead to DNS. The envelope has no ports.
    Fragment { envelope: Envelope, fragment: Fragment, bytes: &'a [u8] },
    /// UDP or TCP between other ports.
    Elsewhere { envelope: Envelope, elsewhere: Elsewhere<'a> },
    /// Nothing that is DNS.
    Other(Other),
}

/// What a TCP stream needs to know of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// The sequence number of its first octet, or of the SYN.
    pub sequence: u32,
    pub syn: bool,
    pub fin: bool,
    pub rst: bool,
    /// What was captured of its payload.
    pub payload: &'a [u8],
    /// The octets of payload that it had on the wire.
    pub len: u32,
}

/// A walk under way: what the headers passed have said.
pub(super) struct Walk<'p> {
    ports: &'p Ports,
    envelope: Envelope,
    /// How many octets of the IP payload at hand were not captured.
    missing: usize,
}

impl<'p> Walk<'p> {
    /// A walk that begins at the link layer of `frame`.
    pub fn of(frame: &Frame<'_>, ports: &'p Ports) -> Walk<'p> {
        let nobody = Endpoint { address: Address::UNSPECIFIED, port: 0 };
        let flow = Flow { source: nobody, destination: nobody, transport: Transport::Udp };
        let envelope = Envelope {
            frame: frame.id,
            time: frame.time,
            flow,
            source_mac: Mac::default(),
            ip_id: 0,
            vlan: None,
        };
        Walk { ports, envelope, missing: 0 }
    }

    /// Walks through a captured frame.
    pub fn frame<'a>(self, frame: &Frame<'a>) -> WalkEnd<'a> {
        self.run(Layer::Link(frame.link), frame.bytes)
    }

    /// Walks on through a reassembled IP payload, whose IP header `envelope` tells of.
    pub fn resume<'a>(
        envelope: Envelope,
        ports: &'p Ports,
        protocol: u8,
        bytes: &'a [u8],
        whole: bool,
    ) -> WalkEnd<'a> {
        let missing = usize::from(!whole);
        Walk { ports, envelope, missing }.run(Layer::Protocol(protocol), bytes)
    }

    fn run<'a>(mut self, mut layer: Layer, mut bytes: &'a [u8]) -> WalkEnd<'a> {
        for _ in 0..HEADERS_MAX {
            let step = match layer {
                Layer::Link(link) => link::begin(link, bytes, &mut self.envelope),
                Layer::Ethernet => link::ethernet(bytes, &mut self.envelope),
                Layer::EtherType(kind) => link::ether_type(kind, bytes, &mut self.envelope),
                Layer::Llc => link::llc(bytes),
                Layer::Ppp => link::ppp(bytes),
                Layer::Ieee80211 => wireless::ieee80211(bytes, false, &mut self.envelope),
                Layer::Ieee80211Padded => wireless::ieee80211(bytes, true, &mut self.envelope),
                Layer::Ip => ip::header(bytes, &mut self.envelope, &mut self.missing),
                Layer::Protocol(protocol::UDP) => match self.udp(bytes) {
                    ControlFlow::Continue(step) => step,
                    ControlFlow::Break(found) => return found,
                },
                Layer::Protocol(protocol::TCP) => return self.tcp(bytes),
                Layer::Protocol(number) => ip::behind(number, bytes),
                Layer::Fragment(fragment) => match self.fragment(fragment, bytes) {
                    ControlFlow::Continue(step) => step,
                    ControlFlow::Break(found) => return found,
                },
            };
            match step {
                Ok(next) => (layer, bytes) = next,
                Err(other) => return WalkEnd::Other(other),
            }
        }
        WalkEnd::Other(Other::TooDeep)
    }

    /// A UDP datagram: DNS, or a tunnel, which goes on.
    fn udp<'a>(&mut self, bytes: &'a [u8]) -> ControlFlow<WalkEnd<'a>, Step<'a>> {
        let Ok(header) = UdpHeaderSlice::from_slice(bytes) else {
            return ControlFlow::Break(WalkEnd::Other(Other::Truncated));
        };
        let rest = bytes.get(header.slice().len()..).unwrap_or_default();
        let (source, destination) = (header.source_port(), header.destination_port());
        if !self.ports.contains(source) && !self.ports.contains(destination) {
            if tunnel::is_tunnel(source, destination) {
                return ControlFlow::Continue(tunnel::over_udp(source, destination, rest));
            }
            let Some(wanted) = usize::from(header.length()).checked_sub(8) else {
                return ControlFlow::Break(WalkEnd::Other(Other::NotDnsPort));
            };
            self.set_ports(source, destination, Transport::Udp);
            let payload = rest.get(..wanted).unwrap_or(rest);
            let elsewhere = Elsewhere { payload, tcp_flags: 0 };
            return ControlFlow::Break(WalkEnd::Elsewhere { envelope: self.envelope, elsewhere });
        }
        // A length of zero is left by segmentation offload (and by jumbograms): the IP length holds.
        let wanted = match usize::from(header.length()) {
            0 => rest.len() + self.missing,
            length => match length.checked_sub(8) {
                Some(wanted) => wanted,
                None => return ControlFlow::Break(WalkEnd::Other(Other::Malformed)),
            },
        };
        let payload = rest.get(..wanted).unwrap_or(rest);
        if payload.is_empty() {
            let why = if wanted == 0 { Other::NoPayload } else { Other::Truncated };
            return ControlFlow::Break(WalkEnd::Other(why));
        }
        self.set_ports(source, destination, Transport::Udp);
        let whole = payload.len() == wanted;
        ControlFlow::Break(WalkEnd::Datagram { envelope: self.envelope, payload, whole })
    }

    fn tcp<'a>(&mut self, bytes: &'a [u8]) -> WalkEnd<'a> {
        let Some(&[s0, s1, d0, d1, ..]) = bytes.first_chunk::<20>() else {
            return WalkEnd::Other(Other::Truncated);
        };
        let (source, destination) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        if !self.ports.contains(source) && !self.ports.contains(destination) {
            let Some(elsewhere) = Elsewhere::tcp(bytes) else {
                return WalkEnd::Other(Other::Truncated);
            };
            self.set_ports(source, destination, Transport::Tcp);
            return WalkEnd::Elsewhere { envelope: self.envelope, elsewhere };
        }
        let tcp = match TcpSlice::from_slice(bytes) {
            Ok(tcp) => tcp,
            Err(HeaderSliceError::Len(_)) => return WalkEnd::Other(Other::Truncated),
            Err(HeaderSliceError::Content(_)) => return WalkEnd::Other(Other::Malformed),
        };
        // No IP payload is longer than 65,535 octets, so this fits, whatever the headers say.
        let len = (tcp.payload().len() + self.missing) as u32;
        if len == 0 && !tcp.syn() && !tcp.fin() && !tcp.rst() {
            return WalkEnd::Other(Other::NoPayload);
        }
        self.set_ports(source, destination, Transport::Tcp);
        let segment = Segment {
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
            len,
        };
        WalkEnd::Segment { envelope: self.envelope, segment }
    }

    /// A fragment is kept if what it is part of may lead to DNS. The first one may tell that it does not.
    fn fragment<'a>(
        &self,
        fragment: Fragment,
        bytes: &'a [u8],
    ) -> ControlFlow<WalkEnd<'a>, Step<'a>> {
        let other = |other| ControlFlow::Break(WalkEnd::Other(other));
        if !ip::leads_on(fragment.protocol) {
            return other(Other::NotUdpTcp);
        }
        if fragment.offset == 0
            && fragment.protocol == protocol::UDP
            && let &[s0, s1, d0, d1, ..] = bytes
        {
            let (source, destination) =
                (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
            let dns = self.ports.contains(source) || self.ports.contains(destination);
            if !dns && !tunnel::is_tunnel(source, destination) {
                return other(Other::NotDnsPort);
            }
        }
        match (self.missing, fragment.offset) {
            (0, _) => {
                ControlFlow::Break(WalkEnd::Fragment { envelope: self.envelope, fragment, bytes })
            }
            // The snaplen cut it, so its packet cannot be put together. The first one is worth reading
            // all the same: it has the ports and the question.
            (_, 0) => ControlFlow::Continue(Ok((Layer::Protocol(fragment.protocol), bytes))),
            (_, _) => other(Other::Truncated),
        }
    }

    fn set_ports(&mut self, source: u16, destination: u16, transport: Transport) {
        self.envelope.flow.source.port = source;
        self.envelope.flow.destination.port = destination;
        self.envelope.flow.transport = transport;
    }
}
