//! Packets to test with, and what holds for all of them: the short way, the walk and etherparse agree,
//! and nothing panics.

use super::*;
use crate::flow::{Address, Endpoint, Transport};
use etherparse::{LaxNetSlice, LaxSlicedPacket, PacketBuilder, TransportSlice};
use proptest::prelude::*;

/// An Ethernet header for IPv4.
pub(super) const ETHERNET: &[u8] = &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
/// What the queries made here say.
pub(super) const QUERY: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04evil\x03com\0\0\x01\0\x01";
/// Who asks in the packets made here, by IPv4.
pub(super) const CLIENT: [u8; 4] = [192, 0, 2, 57];
const SERVER: [u8; 4] = [192, 0, 2, 10];
const PORT: u16 = 50_123;

/// A raw IPv4 packet.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(CLIENT, SERVER, 64);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, etherparse::IpNumber(protocol), payload).unwrap();
    bytes
}

/// A raw IPv4 packet with UDP.
pub(super) fn ipv4_udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(CLIENT, SERVER, 64).udp(source, destination);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

/// The query in a raw IPv4 packet.
pub(super) fn ipv4_query() -> Vec<u8> {
    ipv4_udp(PORT, 53, QUERY)
}

/// The query in a raw IPv6 packet.
pub(super) fn ipv6_query() -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], 64).udp(PORT, 53);
    builder.write(&mut bytes, QUERY).unwrap();
    bytes
}

/// A frame of this link type, captured whole.
pub(super) fn frame(link: u16, number: u64, bytes: &[u8]) -> Frame<'_> {
    Frame {
        id: FrameId::new(0, number),
        time: Timestamp(number as i64 * 1_000_000),
        link: LinkType(link),
        original_len: bytes.len() as u32,
        bytes,
    }
}

/// The datagram that a frame holds, or what it holds instead.
pub(super) fn datagram(link: u16, bytes: &[u8]) -> Result<(Envelope, Vec<u8>, bool), String> {
    match slice(&frame(link, 1, bytes), &Ports::default()) {
        Sliced::Datagram { envelope, payload, whole } => Ok((envelope, payload.to_vec(), whole)),
        other => Err(format!("{other:?} of {link}: {bytes:02x?}")),
    }
}

/// Asserts that a frame holds the query of this module, whole, and returns its envelope.
pub(super) fn assert_query(link: u16, bytes: &[u8]) -> Envelope {
    let (envelope, payload, whole) = datagram(link, bytes).unwrap();
    assert_eq!((&payload[..], whole), (QUERY, true));
    assert_eq!((envelope.flow.source.port, envelope.flow.destination.port), (PORT, 53));
    envelope
}

/// What a frame without DNS is.
pub(super) fn other(link: u16, bytes: &[u8]) -> Other {
    match slice(&frame(link, 1, bytes), &Ports::default()) {
        Sliced::Other(other) => other,
        sliced => panic!("{sliced:?}"),
    }
}

#[test]
fn ports_are_53_and_the_extra_ones() {
    let ports = Ports::new(&[5300, 65_535, 0]);
    let those: Vec<u16> = (0..=u16::MAX).filter(|&port| ports.contains(port)).collect();
    assert_eq!(those, [0, 53, 5300, 65_535]);
    assert!(!Ports::default().contains(5353), "mDNS is not DNS");
}

#[test]
fn the_envelope_tells_what_stood_around() {
    let (envelope, ..) = datagram(1, &[ETHERNET, &ipv4_query()].concat()).unwrap();
    let server = Endpoint { address: Address::v4(SERVER), port: 53 };
    let source = Endpoint { address: Address::v4(CLIENT), port: PORT };
    let flow = Flow { source, destination: server, transport: Transport::Udp };
    assert_eq!(envelope.flow, flow);
    assert_eq!(envelope.source_mac, Mac([2, 0, 0, 0, 0, 1]));
    assert_eq!((envelope.frame, envelope.time), (FrameId::new(0, 1), Timestamp(1_000_000)));
}

#[test]
fn lengths_are_believed_only_as_far_as_there_are_bytes() {
    let query = ipv4_query();
    let with = |at: usize, octets: [u8; 2]| {
        let mut bytes = query.clone();
        bytes[at..at + 2].copy_from_slice(&octets);
        let (_, payload, whole) = datagram(101, &bytes).unwrap();
        (payload, whole)
    };
    assert_eq!(with(2, [0, 0]), (QUERY.to_vec(), true), "total length 0: segmentation offload");
    assert_eq!(with(2, [0, 9]), (QUERY.to_vec(), true), "total length below the header's");
    assert_eq!(with(2, [9, 9]), (QUERY.to_vec(), true), "total length beyond the frame");
    assert_eq!(with(24, [0, 0]), (QUERY.to_vec(), true), "UDP length 0");
    assert_eq!(with(24, [9, 9]), (QUERY.to_vec(), false), "UDP length beyond IP's");
    assert_eq!(with(24, [0, 20]), (QUERY[..12].to_vec(), true), "UDP length short of IP's");
    let padded = [&query[..], &[0xaa; 18]].concat();
    assert_eq!(datagram(101, &padded).unwrap().1, QUERY, "Ethernet padding");
    let cut = &query[..query.len() - 9];
    let (_, payload, whole) = datagram(101, cut).unwrap();
    assert_eq!((&payload[..], whole), (&QUERY[..QUERY.len() - 9], false), "the snaplen's cut");
    let mut bytes = query.clone();
    bytes[24..26].copy_from_slice(&[0, 7]);
    assert_eq!(other(101, &bytes), Other::Malformed, "UDP length below the header's");
    assert_eq!(other(101, &query[..27]), Other::Truncated);
    assert_eq!(other(101, &query[..28]), Other::Truncated);
    assert_eq!(other(101, &ipv4_udp(PORT, 53, &[])), Other::NoPayload);
}

#[test]
fn extension_headers_are_passed() {
    let query = ipv6_query();
    let (header, udp) = query.split_at(40);
    let extended = |first: u8, extensions: &[u8]| {
        let mut bytes = [header, extensions, udp].concat();
        bytes[6] = first;
        let length = (bytes.len() - 40) as u16;
        bytes[4..6].copy_from_slice(&length.to_be_bytes());
        bytes
    };
    for (first, extensions) in [
        (0, &[17, 0, 1, 4, 0, 0, 0, 0][..]),
        (60, &[43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0]),
        (44, &[17, 0, 0, 0, 0, 0, 0, 9]),
        (51, &[17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]),
    ] {
        assert_query(101, &extended(first, extensions));
    }
    assert_eq!(other(101, &extended(59, &[])), Other::NotUdpTcp);
}

#[test]
fn a_query_quoted_in_an_icmp_error_is_not_traffic() {
    let quoted = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &ipv4_query()].concat();
    assert_eq!(other(101, &ipv4(1, &quoted)), Other::IcmpError);
    assert_eq!(other(101, &ipv4(1, &[8, 0, 0, 0])), Other::NotUdpTcp);
    assert_eq!(other(101, &ipv4(58, &[1, 4, 0, 0])), Other::IcmpError);
}

#[test]
fn tcp_is_held_when_it_brings_something() {
    let segment = |flags: u8, payload: &[u8], port: u16| {
        let tcp = [&port.to_be_bytes()[..], &[0, 53, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags]].concat();
        [&tcp[..], &[1, 0, 0, 0, 0, 0], payload].concat()
    };
    let sliced = |tcp: &[u8]| {
        let bytes = ipv4(6, tcp);
        match slice(&frame(101, 1, &bytes), &Ports::default()) {
            Sliced::Held => None,
            Sliced::Other(other) => Some(other),
            Sliced::Elsewhere { .. } => Some(Other::NotDnsPort),
            Sliced::Datagram { .. } => panic!("not UDP"),
        }
    };
    assert_eq!(sliced(&segment(0x10, b"x", PORT)), None);
    assert_eq!(sliced(&segment(0x02, b"", PORT)), None);
    assert_eq!(sliced(&segment(0x10, b"", PORT)), Some(Other::NoPayload));
    let mut elsewhere = segment(0x18, b"x", PORT);
    elsewhere[3] = 80;
    assert_eq!(sliced(&elsewhere), Some(Other::NotDnsPort));
    assert_eq!(sliced(&elsewhere[..19]), Some(Other::Truncated));
}

/// A packet that the short way should take, and its link type.
fn common_packet() -> impl Strategy<Value = Vec<u8>> {
    let port = || prop_oneof![Just(53u16), Just(4789), Just(6081), Just(2152), any::<u16>()];
    let payload = proptest::collection::vec(any::<u8>(), 0..80);
    let how = (any::<bool>(), any::<bool>(), proptest::option::of(0u16..4096));
    (port(), port(), payload, how, any::<[u8; 16]>(), any::<u8>(), 0usize..20).prop_map(
        |(source, destination, payload, (is_v6, is_tcp, vlan), ip, ttl, padding)| {
            let [a, b, c, d, ..] = ip;
            let link = PacketBuilder::ethernet2([1; 6], [2; 6]);
            let mut out = Vec::new();
            macro_rules! finish {
                ($link:expr) => {{
                    let ip = match is_v6 {
                        true => $link.ipv6(ip, [7; 16], ttl),
                        false => $link.ipv4([a, b, c, d], [9; 4], ttl),
                    };
                    match is_tcp {
                        true => ip.tcp(source, destination, 7, 9).write(&mut out, &payload),
                        false => ip.udp(source, destination).write(&mut out, &payload),
                    }
                    .unwrap();
                }};
            }
            match vlan {
                Some(id) => finish!(link.single_vlan(id.try_into().unwrap())),
                None => finish!(link),
            }
            out.extend(std::iter::repeat_n(0, padding));
            out
        },
    )
}

/// What etherparse makes of an Ethernet frame: addresses, ports, VLAN, UDP payload.
fn oracle(bytes: &[u8]) -> Option<(Flow, Option<u16>, Vec<u8>)> {
    let packet = LaxSlicedPacket::from_ethernet(bytes).ok()?;
    let (source, destination) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into())
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            (Address::v6(header.source()), Address::v6(header.destination()))
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Udp(udp)) = packet.transport.as_ref() else { return None };
    let flow = Flow {
        source: Endpoint { address: source, port: udp.source_port() },
        destination: Endpoint { address: destination, port: udp.destination_port() },
        transport: Transport::Udp,
    };
    let vlan = packet.vlan_ids().first().map(|id| id.value());
    Some((flow, vlan, udp.payload().to_vec()))
}

proptest! {
    #[test]
    fn the_short_way_the_walk_and_etherparse_agree(bytes in common_packet()) {
        let ports = Ports::default();
        let frame = frame(1, 1, &bytes);
        let walked = slice_any(&frame, &ports);
        if let Some(sliced) = fast::slice(&frame, &ports) {
            prop_assert_eq!(sliced, walked);
        }
        let parsed = oracle(&bytes);
        let dns = parsed.as_ref().filter(|(flow, _, payload)| {
            !payload.is_empty()
                && (ports.contains(flow.source.port) || ports.contains(flow.destination.port))
        });
        match (walked, dns) {
            (Sliced::Datagram { envelope, payload, whole }, Some((flow, vlan, other))) => {
                prop_assert!(whole);
                prop_assert_eq!(payload, &other[..]);
                prop_assert_eq!(envelope.flow, *flow);
                prop_assert_eq!(envelope.vlan, *vlan);
                prop_assert!(fast::slice(&frame, &ports).is_some(), "the short way is for these");
            }
            (Sliced::Datagram { .. }, None) | (_, Some(_)) => prop_assert!(false, "{:?}", walked),
            _ => {}
        }
    }

    #[test]
    fn the_short_way_and_the_walk_agree_on_damaged_frames(
        bytes in common_packet(),
        flips in proptest::collection::vec((0usize..80, any::<u8>()), 0..4),
        len in 0usize..120,
    ) {
        let ports = Ports::new(&[5300]);
        let mut bytes = bytes;
        for (at, octet) in flips {
            if let Some(slot) = bytes.get_mut(at) {
                *slot ^= octet;
            }
        }
        bytes.truncate(len);
        let frame = frame(1, 1, &bytes);
        if let Some(sliced) = fast::slice(&frame, &ports) {
            prop_assert_eq!(sliced, slice_any(&frame, &ports));
        }
    }

    #[test]
    fn no_frame_of_any_link_type_panics(
        link in prop_oneof![
            proptest::sample::select(vec![
                0u16, 1, 9, 10, 12, 50, 51, 101, 104, 105, 108, 113, 127, 192, 219, 228, 229, 239, 276,
            ]),
            any::<u16>(),
        ],
        packets in proptest::collection::vec((damaged(), any::<i64>()), 1..6),
    ) {
        let ports = Ports::default();
        let mut reassembly = Reassembly::new(ReassemblyLimits::default(), ports.clone());
        let mut seen = 0;
        for (bytes, time) in &packets {
            let frame = Frame { time: Timestamp(*time), ..frame(link, 1, bytes) };
            let _ = slice(&frame, &ports);
            reassembly.push(&frame, &mut |_, payload, _| seen += payload.len());
        }
        reassembly.finish(&mut |_, payload, _| seen += payload.len());
    }
}

/// Random octets, or headers that lead somewhere with some octets changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let heads = vec![
        vec![],
        ETHERNET.to_vec(),
        ipv4_query(),
        ipv6_query(),
        [ETHERNET, &ipv4(47, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0])]
            .concat(),
        [ETHERNET, &ipv4(6, &[0xc0, 1, 0, 53, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18])].concat(),
        [ETHERNET, &ipv4_udp(1, 4789, &[8, 0, 0, 0, 0, 0, 1, 0])].concat(),
        [ETHERNET, &ipv4_udp(1, 2152, &[0x34, 0xff, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0x85])].concat(),
        vec![0, 0, 26, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![0x88, 2, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0],
    ];
    let flips = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6);
    let tail = proptest::collection::vec(any::<u8>(), 0..120);
    (proptest::sample::select(heads), tail, flips).prop_map(|(mut bytes, tail, flips)| {
        bytes.extend(tail);
        for (at, octet) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = octet;
            }
        }
        bytes
    })
}
