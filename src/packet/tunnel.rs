//! Tunnels that carry a packet inside another: GRE with ERSPAN, and those over UDP.

use super::Other;
use super::link::split;
use super::walk::{Layer, Step};

/// Ports of tunnels over UDP: VXLAN (IANA's and Linux's), VXLAN-GPE, Geneve, GTP-U.
const VXLAN: u16 = 4789;
const VXLAN_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;

/// GRE (RFC 2784, RFC 2890), and the enhanced GRE of PPTP (RFC 2637), which is version 1.
pub(super) fn gre(bytes: &[u8]) -> Step<'_> {
    let ([flags, version, p0, p1], mut rest) = split(bytes)?;
    let has = |bit: u8| flags & bit != 0;
    let (checksum, routing, key, sequence) = (has(0x80), has(0x40), has(0x20), has(0x10));
    if routing {
        return Err(Other::Malformed);
    }
    let acknowledgement = match version & 0x07 {
        0 => false,
        1 => version & 0x80 != 0,
        _ => return Err(Other::Malformed),
    };
    for present in [checksum, key, sequence, acknowledgement] {
        if present {
            (_, rest) = split::<4>(rest)?;
        }
    }
    match u16::from_be_bytes([*p0, *p1]) {
        0x88be => erspan(rest, sequence),
        0x22eb => erspan_iii(rest),
        // A length is no protocol here.
        0..=1500 => Err(Other::NotIp),
        kind => Ok((Layer::EtherType(kind), rest)),
    }
}

/// ERSPAN I has no header of its own and no GRE sequence number; ERSPAN II has eight octets.
fn erspan(bytes: &[u8], sequence: bool) -> Step<'_> {
    let rest = if sequence { bytes.get(8..).ok_or(Other::Truncated)? } else { bytes };
    Ok((Layer::Ethernet, rest))
}

/// ERSPAN III: twelve octets, of which the last tell the frame type and whether eight more follow.
fn erspan_iii(bytes: &[u8]) -> Step<'_> {
    let ([.., kind, options], mut rest) = split::<12>(bytes)?;
    if options & 1 == 1 {
        (_, rest) = split::<8>(rest)?;
    }
    match kind >> 2 & 0x1f {
        0 => Ok((Layer::Ethernet, rest)),
        2 => Ok((Layer::Ip, rest)),
        _ => Err(Other::NotIp),
    }
}

/// Whether a datagram between these ports is read as a tunnel.
pub(super) fn is_tunnel(source: u16, destination: u16) -> bool {
    matches!(destination, VXLAN | VXLAN_LINUX) || is_two_way(source) || is_two_way(destination)
}

/// Whether answers come from this port too.
fn is_two_way(port: u16) -> bool {
    matches!(port, VXLAN_GPE | GENEVE | GTP_U)
}

/// What stands in a datagram that is not DNS by its ports.
///
/// The destination tells: the source port of VXLAN is a hash of the inner flow.
pub(super) fn over_udp(source: u16, destination: u16, bytes: &[u8]) -> Step<'_> {
    match (source, destination) {
        (_, VXLAN | VXLAN_LINUX) => vxlan(bytes),
        (_, VXLAN_GPE) | (VXLAN_GPE, _) => vxlan_gpe(bytes),
        (_, GENEVE) | (GENEVE, _) => geneve(bytes),
        (_, GTP_U) | (GTP_U, _) => gtp_u(bytes),
        _ => Err(Other::NotDnsPort),
    }
}

/// VXLAN (RFC 7348): flags, reserved, network identifier, reserved.
fn vxlan(bytes: &[u8]) -> Step<'_> {
    let ([flags, ..], rest) = split::<8>(bytes)?;
    if flags & 0x08 == 0 { Err(Other::NotDnsPort) } else { Ok((Layer::Ethernet, rest)) }
}

/// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe): as VXLAN, with the next protocol in the fourth octet. The flag
/// that says so is often forgotten, so it is not asked for.
fn vxlan_gpe(bytes: &[u8]) -> Step<'_> {
    let ([_, _, _, next, ..], rest) = split::<8>(bytes)?;
    match next {
        1 | 2 => Ok((Layer::Ip, rest)),
        0 | 3 => Ok((Layer::Ethernet, rest)),
        _ => Err(Other::NotIp),
    }
}

/// Geneve (RFC 8926): version and length of the options, flags, protocol, network identifier, options.
fn geneve(bytes: &[u8]) -> Step<'_> {
    let ([version, _, p0, p1, ..], rest) = split::<8>(bytes)?;
    if version >> 6 != 0 {
        return Err(Other::NotDnsPort);
    }
    let options = usize::from(version & 0x3f) * 4;
    let rest = rest.get(options..).ok_or(Other::Truncated)?;
    match u16::from_be_bytes([*p0, *p1]) {
        0..=1500 => Err(Other::NotIp),
        kind => Ok((Layer::EtherType(kind), rest)),
    }
}

/// GTP-U (3GPP TS 29.281 section 5): flags, message type, length, tunnel; then, if any of three flags is
/// set, sequence number, N-PDU number and a chain of extension headers.
fn gtp_u(bytes: &[u8]) -> Step<'_> {
    let ([flags, kind, ..], mut rest) = split::<8>(bytes)?;
    // Version 1, GTP (not GTP'), and a packet of the user's.
    if flags & 0xf0 != 0x30 || *kind != 0xff {
        return Err(Other::NotDnsPort);
    }
    if flags & 0x07 != 0 {
        let (&[_, _, _, mut next], behind) = split(rest)?;
        rest = behind;
        while flags & 0x04 != 0 && next != 0 {
            // A length of zero would not lead on.
            let length = rest.first().map_or(0, |&quads| usize::from(quads) * 4);
            let last = length.checked_sub(1).ok_or(Other::Malformed)?;
            next = *rest.get(last).ok_or(Other::Truncated)?;
            rest = rest.get(length..).ok_or(Other::Truncated)?;
        }
    }
    Ok((Layer::Ip, rest))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        CLIENT, ETHERNET, assert_query, datagram, ipv4, ipv4_query, ipv4_udp, ipv6_query, other,
    };
    use super::*;
    use crate::flow::Address;

    fn ethernet_query() -> Vec<u8> {
        [ETHERNET, &ipv4_query()].concat()
    }

    /// A raw IPv4 packet of protocol 47 with `header` and then `inner`.
    fn in_gre(header: &[u8], inner: &[u8]) -> Vec<u8> {
        ipv4(47, &[header, inner].concat())
    }

    #[test]
    fn gre_in_all_its_forms() {
        let (v4, v6, framed) = (ipv4_query(), ipv6_query(), ethernet_query());
        for (header, inner) in [
            (&[0, 0, 8, 0][..], &v4),
            (&[0, 0, 0x86, 0xdd], &v6),
            (&[0x80, 0, 8, 0, 1, 2, 0, 0], &v4),
            (&[0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8], &v4),
            (&[0, 0, 0x65, 0x58], &framed),
            // Enhanced GRE with key, sequence and acknowledgement, then PPP.
            (&[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21], &v4),
            // ERSPAN I, II, III, and III with the platform's subheader.
            (&[0, 0, 0x88, 0xbe], &framed),
            (&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0], &framed),
            (&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &framed),
            (
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
                    0, 0, 0, 0, 0, 0,
                ],
                &framed,
            ),
        ] {
            assert_query(101, &in_gre(header, inner));
        }
        assert_eq!(other(101, &in_gre(&[0x40, 0, 8, 0], &v4)), Other::Malformed);
        assert_eq!(other(101, &in_gre(&[0x20, 0, 8, 0, 1], &[])), Other::Truncated);
    }

    #[test]
    fn ip_in_ip() {
        assert_query(101, &ipv4(4, &ipv4_query()));
        assert_query(101, &ipv4(41, &ipv6_query()));
        assert_query(101, &ipv4(97, &[&[0x30, 0], &ethernet_query()[..]].concat()));
        assert_query(101, &ipv4(137, &[&[0, 1, 1, 64], &ipv4_query()[..]].concat()));
    }

    #[test]
    fn tunnels_over_udp() {
        let (v4, framed) = (ipv4_query(), ethernet_query());
        for (port, header, inner) in [
            (4789, &[8, 0, 0, 0, 0, 0, 1, 0][..], &framed),
            (8472, &[8, 0, 0, 0, 0, 0, 1, 0], &framed),
            (4790, &[0x0c, 0, 0, 1, 0, 0, 1, 0], &v4),
            (4790, &[0x0c, 0, 0, 3, 0, 0, 1, 0], &framed),
            (6081, &[0, 0, 0x65, 0x58, 0, 0, 1, 0], &framed),
            (6081, &[1, 0, 8, 0, 0, 0, 1, 0, 9, 9, 9, 0], &v4),
            (2152, &[0x30, 0xff, 0, 9, 0, 0, 0, 1], &v4),
            (2152, &[0x32, 0xff, 0, 9, 0, 0, 0, 1, 0, 7, 0, 0], &v4),
            (2152, &[0x34, 0xff, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0x10, 9, 0], &v4),
        ] {
            assert_query(101, &ipv4_udp(50_000, port, &[header, inner].concat()));
        }
        for (port, payload) in [
            (4789, &[0; 8][..]),
            (6081, &[0x40, 0, 8, 0, 0, 0, 0, 0]),
            (2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(other(101, &ipv4_udp(50_000, port, payload)), Other::NotDnsPort);
        }
        let endless = [0x34, 0xff, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 0, 0, 0];
        assert_eq!(other(101, &ipv4_udp(50_000, 2152, &endless)), Other::Malformed);
    }

    #[test]
    fn a_client_port_that_is_a_tunnels_does_not_hide_dns() {
        let bytes = ipv4_udp(2152, 53, b"whatever");
        let envelope = datagram(101, &bytes).unwrap().0;
        assert_eq!(envelope.flow.source.address, Address::v4(CLIENT));
    }

    #[test]
    fn nesting_ends() {
        let mut deep = ipv4_query();
        for _ in 0..60 {
            deep = ipv4(4, &deep);
        }
        assert_eq!(other(101, &deep), Other::TooDeep);
    }
}
