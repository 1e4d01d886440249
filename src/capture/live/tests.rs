//! The kernel's filter against frames of each kind, by libpcap's own interpreter.

use super::{Wanted, kernel_filter};
use crate::capture::filter::Filter;
use crate::frame::LinkType;

const DNS: u16 = 53;

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len() as u16;
    let head = [source, destination, len, 0].map(u16::to_be_bytes).concat();
    [head, payload.to_vec()].concat()
}

fn tcp(source: u16, destination: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports = [source, destination].map(u16::to_be_bytes).concat();
    let rest = [&[0; 8][..], &[0x50, flags, 0, 0, 0, 0, 0, 0], payload].concat();
    [ports, rest].concat()
}

fn ipv4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let len = (20 + payload.len() as u16).to_be_bytes();
    let [f0, f1] = fragment.to_be_bytes();
    let mut packet = vec![0x45, 0, len[0], len[1], 0, 1, f0, f1, 64, protocol, 0, 0];
    packet.extend([192, 0, 2, 1, 192, 0, 2, 2]);
    [packet, payload.to_vec()].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u16).to_be_bytes();
    let head = [0x60, 0, 0, 0, len[0], len[1], next, 64];
    [&head[..], &[1; 16], &[2; 16], payload].concat()
}

fn ethernet(tags: &[u16], packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for kind in tags {
        frame.extend(kind.to_be_bytes());
        frame.extend([0, 7]);
    }
    frame.extend(if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] });
    [frame, packet.to_vec()].concat()
}

fn passes(wanted: Wanted, and: Option<&str>, frame: &[u8]) -> bool {
    let expression = kernel_filter(wanted, &[5300], and, true).unwrap();
    let mut filter = Filter::new(&expression, &[LinkType(1)]).unwrap();
    filter.passes(LinkType(1), frame).unwrap()
}

/// What stands between the addresses and an IPv4 packet, by name: all that the decoder passes.
fn framings() -> Vec<(&'static str, Vec<u8>)> {
    let tag = |kind: u16| [kind.to_be_bytes(), [0, 7]].concat();
    let ip = [8, 0];
    vec![
        ("0x9100", [&tag(0x9100)[..], &ip].concat()),
        ("0x9200", [&tag(0x9200)[..], &ip].concat()),
        ("three tags", [&tag(0x88a8)[..], &tag(0x8100), &tag(0x8100), &ip].concat()),
        ("four tags", [&tag(0x8100).repeat(4)[..], &ip].concat()),
        ("MPLS", vec![0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]),
        ("MPLS, upstream label", vec![0x88, 0x48, 0, 2, 1, 64]),
        ("PPPoE", vec![0x88, 0x64, 0x11, 0, 0, 1, 0, 99, 0, 0x21]),
        ("LLC", vec![0, 99, 6, 6, 3]),
        ("SNAP", vec![0, 99, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]),
        ("Ethernet", [&[0x65, 0x58][..], &[2; 12], &ip].concat()),
        ("PPP", vec![0x88, 0x0b, 0, 0x21]),
    ]
}

/// What can hold DNS, by name.
fn dns() -> Vec<(&'static str, Vec<u8>)> {
    let message = [7; 30];
    vec![
        ("UDP query", ipv4(17, 0, &udp(40_000, DNS, &message))),
        ("UDP answer", ipv4(17, 0, &udp(DNS, 40_000, &message))),
        ("another port", ipv4(17, 0, &udp(40_000, 5300, &message))),
        ("TCP", ipv4(6, 0, &tcp(40_000, DNS, 0x18, &message))),
        ("IPv6 UDP", ipv6(17, &udp(40_000, DNS, &message))),
        ("IPv6 TCP", ipv6(6, &tcp(DNS, 40_000, 0x18, &message))),
        ("first fragment", ipv4(17, 0x2000, &udp(DNS, 40_000, &message))),
        ("later fragment", ipv4(17, 185, &message)),
        ("IPv6 fragment", ipv6(44, &[17, 0, 5, 0xa8, 0, 0, 0, 1, 7, 7, 7, 7])),
        ("GRE", ipv4(47, 0, &[0, 0, 8, 0, 0x45])),
        ("GRE over IPv6", ipv6(47, &[0, 0, 8, 0, 0x45])),
        ("authentication", ipv4(51, 0, &[17, 4, 0, 0])),
        ("IPv6 extension", ipv6(135, &[17, 0, 0, 0])),
        ("IP in IP", ipv4(4, 0, &ipv4(17, 0, &udp(1, DNS, &message)))),
        ("VXLAN", ipv4(17, 0, &udp(40_000, 4789, &message))),
        ("Geneve", ipv4(17, 0, &udp(40_000, 6081, &message))),
        ("GTP-U", ipv4(17, 0, &udp(2152, 2152, &message))),
    ]
}

#[test]
fn all_that_can_hold_dns_passes_under_no_one_and_two_tags() {
    for (name, packet) in dns() {
        for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
            for wanted in [Wanted::Dns, Wanted::Hosts] {
                let frame = ethernet(tags, &packet);
                assert!(passes(wanted, None, &frame), "{name} under {} tags", tags.len());
            }
        }
    }
}

/// `read` decodes all of these, so the kernel must not keep them: their share would be missing, uncounted.
#[test]
fn whatever_stands_between_ethernet_and_ip_passes_as_a_whole() {
    let query = ipv4(17, 0, &udp(40_000, DNS, &[7; 30]));
    for (name, framing) in framings() {
        for tags in [&[][..], &[0x81, 0, 0, 7], &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 7]] {
            let frame = [&[2; 12], tags, &framing, &query].concat();
            for wanted in [Wanted::Dns, Wanted::Hosts] {
                assert!(passes(wanted, None, &frame), "{name}: {frame:02x?}");
            }
        }
    }
}

#[test]
fn what_names_hosts_and_begins_connections_passes_if_wanted() {
    let hello = [22, 3, 1, 0, 4, 1, 0, 0, 0];
    let frames = [
        ("DHCP", ipv4(17, 0, &udp(68, 67, &[1; 240]))),
        ("NetBIOS", ipv4(17, 0, &udp(137, 137, &[1; 50]))),
        ("mDNS", ipv6(17, &udp(5353, 5353, &[1; 50]))),
        ("Kerberos", ipv4(6, 0, &tcp(40_000, 88, 0x18, &[1; 50]))),
        ("DNS over TLS", ipv4(6, 0, &tcp(40_000, 853, 0x18, &[23, 3, 3, 0, 9]))),
        ("DNS over QUIC", ipv4(17, 0, &udp(40_000, 853, &[0x40; 50]))),
        ("DNS over TLS over IPv6", ipv6(6, &tcp(40_000, 853, 0x10, &[]))),
        ("SYN", ipv4(6, 0, &tcp(40_000, 443, 0x02, &[]))),
        ("SYN and ACK", ipv4(6, 0, &tcp(443, 40_000, 0x12, &[]))),
        ("ClientHello", ipv4(6, 0, &tcp(40_000, 443, 0x18, &hello))),
        ("SYN over IPv6", ipv6(6, &tcp(40_000, 443, 0x02, &[]))),
        ("ClientHello over IPv6", ipv6(6, &tcp(40_000, 443, 0x18, &hello))),
    ];
    for (name, packet) in frames {
        for tags in [&[][..], &[0x8100]] {
            let frame = ethernet(tags, &packet);
            assert!(passes(Wanted::Hosts, None, &frame), "{name} under {} tags", tags.len());
            assert!(!passes(Wanted::Dns, None, &frame), "{name} is no DNS");
        }
    }
}

#[test]
fn what_a_link_is_full_of_stays_in_the_kernel() {
    let bulk = [
        ipv4(6, 0, &tcp(443, 40_000, 0x10, &[0; 1400])),
        ipv4(6, 0, &tcp(443, 40_000, 0x18, &[23, 3, 3, 4, 0, 1, 0, 0])),
        ipv4(17, 0, &udp(443, 40_000, &[0x40; 1200])),
        ipv6(6, &tcp(40_000, 443, 0x10, &[0; 1400])),
        ipv6(17, &udp(443, 40_000, &[0x40; 1200])),
    ];
    for packet in bulk {
        for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
            assert!(!passes(Wanted::Hosts, None, &ethernet(tags, &packet)), "{packet:02x?}");
        }
    }
}

#[test]
fn a_filter_of_the_users_narrows_at_each_level() {
    let query = ipv4(17, 0, &udp(40_000, DNS, &[7; 30]));
    for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
        let frame = ethernet(tags, &query);
        assert!(passes(Wanted::Dns, Some("host 192.0.2.1"), &frame));
        assert!(!passes(Wanted::Dns, Some("host 192.0.2.9"), &frame));
    }
    assert_eq!(kernel_filter(Wanted::All, &[], None, true), None);
}
