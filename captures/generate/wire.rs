//! From packets to frames to a pcap file: headers with right checksums, IPv4 fragments, VLAN tags.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};
use etherparse::{Ipv4Header, PacketBuilder, TcpHeader};
use hickory_proto::rr::Name;

use crate::scenario::{Capture, Kind, Leg, Link};

/// What a host sent, as the mirror port saw it.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When the mirror port saw it, in nanoseconds since the epoch.
    pub time_ns: i64,
    /// From.
    pub source: SocketAddr,
    /// To.
    pub destination: SocketAddr,
    /// The IPv4 identification.
    pub identification: u16,
    /// What the transport carries.
    pub body: Body,
    /// What it is about.
    pub about: About,
    /// The link-layer addresses, if not those of the hosts at its ends.
    pub macs: Option<Macs>,
}

/// A transport and its octets.
#[derive(Clone, Debug)]
pub enum Body {
    /// One datagram.
    Udp(Vec<u8>),
    /// One segment.
    Tcp(Segment),
}

/// A TCP segment (RFC 9293).
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Number of its first octet.
    pub seq: u32,
    /// Number of the octet expected next.
    pub ack: u32,
    /// Opens the stream.
    pub syn: bool,
    /// Ends it.
    pub fin: bool,
    /// A piece of the stream.
    pub data: Vec<u8>,
}

/// Which message a packet carries or helps to carry.
#[derive(Clone, Debug)]
pub struct About {
    /// On which side of the resolver.
    pub leg: Leg,
    /// Towards the server or back.
    pub kind: Kind,
    /// The question's name.
    pub name: Name,
    /// Whether it goes to a mirrored resolver from elsewhere.
    pub inbound: bool,
    /// The address at the asking end.
    pub client: IpAddr,
    /// The ask whose question or answer is complete with this packet.
    pub ask: Option<usize>,
    /// The upstream query that, or whose response, is complete with this packet.
    pub query: Option<usize>,
}

/// The link-layer addresses at both ends of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Macs {
    /// From.
    pub source: [u8; 6],
    /// To.
    pub destination: [u8; 6],
}

/// What an Ethernet frame carries at most.
const MTU: usize = 1500;

/// The frames of a packet: one, or one a fragment.
pub fn frames(packet: &Packet, macs: Macs, capture: &Capture) -> Result<Vec<Vec<u8>>> {
    let ip = ip_packet(packet)?;
    let vlan = if packet.about.inbound { capture.vlan_in } else { capture.vlan_out };
    let fragments = if ip.len() <= MTU { vec![ip] } else { fragment(&ip)? };
    Ok(fragments.iter().map(|ip| link(capture.link, packet, macs, vlan, ip)).collect())
}

fn ip_packet(packet: &Packet) -> Result<Vec<u8>> {
    // What comes from outside has passed routers.
    let hops_left = if is_private(packet.source.ip()) { 64 } else { 53 };
    let builder = match (packet.source.ip(), packet.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                source: source.octets(),
                destination: destination.octets(),
                time_to_live: hops_left,
                ..Ipv4Header::default()
            };
            header.identification = packet.identification;
            header.dont_fragment = matches!(packet.body, Body::Tcp(_));
            PacketBuilder::ip(etherparse::IpHeaders::Ipv4(header, Default::default()))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            PacketBuilder::ipv6(source.octets(), destination.octets(), hops_left)
        }
        (source, destination) => bail!("{source} cannot send to {destination}"),
    };
    let mut octets = Vec::new();
    let (from, to) = (packet.source.port(), packet.destination.port());
    match &packet.body {
        Body::Udp(data) => builder.udp(from, to).write_to_vec(&mut octets, data)?,
        Body::Tcp(segment) => {
            let mut header = TcpHeader::new(from, to, segment.seq, 64240);
            header.syn = segment.syn;
            header.fin = segment.fin;
            header.psh = !segment.data.is_empty();
            header.ack = !(segment.syn && segment.ack == 0);
            header.acknowledgment_number = segment.ack;
            builder.tcp_header(header).write_to_vec(&mut octets, &segment.data)?;
        }
    }
    Ok(octets)
}

/// Cuts an IPv4 packet to the MTU (RFC 791 section 3.2).
fn fragment(ip: &[u8]) -> Result<Vec<Vec<u8>>> {
    let (header, payload) = Ipv4Header::from_slice(ip)?;
    let step = (MTU - Ipv4Header::MIN_LEN) / 8 * 8;
    let count = payload.len().div_ceil(step);
    let pieces = payload.chunks(step).enumerate().map(|(place, piece)| {
        let mut header = header.clone();
        header.more_fragments = place + 1 < count;
        header.fragment_offset = u16::try_from(place * step / 8)?.try_into()?;
        header.set_payload_len(piece.len())?;
        header.header_checksum = header.calc_header_checksum();
        Ok([&header.to_bytes(), piece].concat())
    });
    pieces.collect()
}

fn link(link: Link, packet: &Packet, macs: Macs, vlan: Option<u16>, ip: &[u8]) -> Vec<u8> {
    let ether_type: u16 = if packet.source.is_ipv4() { 0x0800 } else { 0x86dd };
    let mut frame = Vec::with_capacity(ip.len() + 18);
    match link {
        Link::Ethernet => {
            frame.extend(macs.destination);
            frame.extend(macs.source);
            if let Some(id) = vlan {
                frame.extend(0x8100_u16.to_be_bytes());
                frame.extend(id.to_be_bytes());
            }
        }
        // LINKTYPE_LINUX_SLL: packet type, ARPHRD, address length, address.
        Link::Cooked => {
            let loopback = packet.source.ip().is_loopback();
            let sent = !packet.about.inbound && !loopback;
            frame.extend(if sent { [0, 4] } else { [0, 0] });
            frame.extend(if loopback { [0x03, 0x04] } else { [0, 1] });
            frame.extend([0, 6]);
            frame.extend(macs.source);
            frame.extend([0, 0]);
        }
    }
    frame.extend(ether_type.to_be_bytes());
    frame.extend(ip);
    if link == Link::Ethernet && frame.len() < 60 {
        // Mirror ports show short frames padded to the least length of IEEE 802.3.
        frame.resize(60, 0);
    }
    frame
}

/// Writes a nanosecond pcap file, little-endian (draft-ietf-opsawg-pcap).
pub fn pcap<'a>(
    capture: &Capture,
    frames: impl Iterator<Item = (i64, &'a [u8])>,
) -> Result<Vec<u8>> {
    let snaplen = if capture.snaplen == 0 { 262_144 } else { capture.snaplen };
    let link_type: u32 = match capture.link {
        Link::Ethernet => 1,
        Link::Cooked => 113,
    };
    let mut file = Vec::new();
    file.extend(0xa1b2_3c4d_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(snaplen.to_le_bytes());
    file.extend(link_type.to_le_bytes());
    for (time_ns, frame) in frames {
        let kept = frame.get(..snaplen as usize).unwrap_or(frame);
        file.extend(u32::try_from(time_ns.div_euclid(1_000_000_000))?.to_le_bytes());
        file.extend(u32::try_from(time_ns.rem_euclid(1_000_000_000))?.to_le_bytes());
        file.extend(u32::try_from(kept.len())?.to_le_bytes());
        file.extend(u32::try_from(frame.len())?.to_le_bytes());
        file.extend(kept);
    }
    Ok(file)
}

/// Whether an address is of a site's own network.
pub fn is_private(at: IpAddr) -> bool {
    whoasked::flow::Address::from(at).is_internal()
}
