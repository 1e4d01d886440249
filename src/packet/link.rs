//! Link layers: Ethernet and its tags, Linux cooked captures, loopback, PPP, FDDI, MPLS, NFLOG.
//!
//! Link types are numbered as in <https://www.tcpdump.org/linktypes.html>.

use super::walk::{Layer, Step};
use super::{Envelope, Other, wireless};
use crate::flow::Mac;
use crate::frame::LinkType;

/// The greatest value of the EtherType field that is a length (IEEE 802.3 section 3.2.6).
const LENGTH_MAX: u16 = 1500;

/// Opens a frame of link type `link`.
pub(super) fn begin<'a>(link: LinkType, bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    match link.0 {
        1 => Ok((Layer::Ethernet, bytes)),
        0 | 108 => loopback(bytes),
        // DLT_RAW is 12, or 14 on OpenBSD, in files whose writer did not map it to LINKTYPE_RAW.
        12 | 14 | 101 | 228 | 229 => Ok((Layer::Ip, bytes)),
        9 | 50 => ppp_or_cisco_hdlc(bytes),
        51 => ether_type(0x8864, bytes, envelope),
        104 => cisco_hdlc(bytes),
        10 => fddi(bytes, envelope),
        105 => Ok((Layer::Ieee80211, bytes)),
        127 => wireless::radiotap(bytes),
        192 => wireless::ppi(bytes),
        113 => linux_cooked_v1(bytes, envelope),
        276 => linux_cooked_v2(bytes, envelope),
        219 => mpls(bytes),
        239 => nflog(bytes),
        _ => Err(Other::UnknownLink(link)),
    }
}

/// Ethernet II and IEEE 802.3: destination, source, type or length.
pub(super) fn ethernet<'a>(bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    let ([_, _, _, _, _, _, s0, s1, s2, s3, s4, s5, t0, t1], rest) = split(bytes)?;
    envelope.source_mac = Mac([*s0, *s1, *s2, *s3, *s4, *s5]);
    Ok((Layer::EtherType(u16::from_be_bytes([*t0, *t1])), rest))
}

/// What stands behind an EtherType.
pub(super) fn ether_type<'a>(kind: u16, bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    match kind {
        0x0800 | 0x86dd => Ok((Layer::Ip, bytes)),
        // 802.1Q, 802.1ad, and what switches wrote before 802.1ad settled it.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            let ([i0, i1, t0, t1], rest) = split(bytes)?;
            let identifier = u16::from_be_bytes([*i0, *i1]) & 0x0fff;
            envelope.vlan.get_or_insert(identifier);
            Ok((Layer::EtherType(u16::from_be_bytes([*t0, *t1])), rest))
        }
        // PPPoE session (RFC 2516): version and type, code, session, length, then PPP.
        0x8864 => {
            let ([version, code, ..], rest) = split::<6>(bytes)?;
            match (version, code) {
                (0x11, 0) => Ok((Layer::Ppp, rest)),
                _ => Err(Other::NotIp),
            }
        }
        0x8847 | 0x8848 => mpls(bytes),
        0x6558 => Ok((Layer::Ethernet, bytes)),
        0x880b => Ok((Layer::Ppp, bytes)),
        0..=LENGTH_MAX => Ok((Layer::Llc, bytes)),
        _ => Err(Other::NotIp),
    }
}

/// IEEE 802.2 LLC: IP by its own access point, or SNAP with an EtherType (RFC 1042).
pub(super) fn llc(bytes: &[u8]) -> Step<'_> {
    match bytes {
        // The organisation is zero in RFC 1042, 00-00-F8 in bridge tunnels (802.1H).
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, t0, t1, rest @ ..] => {
            Ok((Layer::EtherType(u16::from_be_bytes([*t0, *t1])), rest))
        }
        [0x06, 0x06, 0x03, rest @ ..] => Ok((Layer::Ip, rest)),
        [_, _, _, ..] => Err(Other::NotIp),
        _ => Err(Other::Truncated),
    }
}

/// PPP (RFC 1661, RFC 1662): address and control may be left out, and so may the first octet of the
/// protocol number if it is zero.
pub(super) fn ppp(bytes: &[u8]) -> Step<'_> {
    let bytes = match bytes {
        [0xff, 0x03, rest @ ..] => rest,
        other => other,
    };
    match bytes {
        [0x21 | 0x57, rest @ ..] | [0, 0x21 | 0x57, rest @ ..] => Ok((Layer::Ip, rest)),
        [0x02, 0x81 | 0x83, rest @ ..] => mpls(rest),
        [_, _, ..] => Err(Other::NotIp),
        _ => Err(Other::Truncated),
    }
}

fn ppp_or_cisco_hdlc(bytes: &[u8]) -> Step<'_> {
    match bytes {
        [0x0f | 0x8f, 0x00, ..] => cisco_hdlc(bytes),
        _ => Ok((Layer::Ppp, bytes)),
    }
}

fn cisco_hdlc(bytes: &[u8]) -> Step<'_> {
    let ([_address, _control, t0, t1], rest) = split(bytes)?;
    Ok((Layer::EtherType(u16::from_be_bytes([*t0, *t1])), rest))
}

/// BSD loopback: the address family in four octets, in the byte order of the machine that captured.
fn loopback(bytes: &[u8]) -> Step<'_> {
    let (family, rest) = split::<4>(bytes)?;
    let family = u32::from_be_bytes(*family);
    match family.min(family.swap_bytes()) {
        // AF_INET is 2 everywhere, AF_INET6 is 10 (Linux), 23 (Windows), 24, 28 or 30 (the BSDs).
        2 | 10 | 23 | 24 | 28 | 30 => Ok((Layer::Ip, rest)),
        _ => Err(Other::NotIp),
    }
}

/// FDDI: frame control, destination, source, LLC.
fn fddi<'a>(bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    let ([control, _, _, _, _, _, _, s0, s1, s2, s3, s4, s5], rest) = split(bytes)?;
    if control & 0xf0 != 0x50 {
        return Err(Other::NotIp);
    }
    envelope.source_mac = Mac([*s0, *s1, *s2, *s3, *s4, *s5]);
    Ok((Layer::Llc, rest))
}

/// LINKTYPE_LINUX_SLL: packet type, device type, address length, address, protocol.
fn linux_cooked_v1<'a>(bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    let (header, rest) = split::<16>(bytes)?;
    let [_, _, _, _, _, length, a0, a1, a2, a3, a4, a5, _, _, p0, p1] = *header;
    if length == 6 {
        envelope.source_mac = Mac([a0, a1, a2, a3, a4, a5]);
    }
    linux_protocol(u16::from_be_bytes([p0, p1]), rest)
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface, device type, packet type, address length, address.
fn linux_cooked_v2<'a>(bytes: &'a [u8], envelope: &mut Envelope) -> Step<'a> {
    let (header, rest) = split::<20>(bytes)?;
    let [p0, p1, _, _, _, _, _, _, _, _, _, length, a0, a1, a2, a3, a4, a5, _, _] = *header;
    if length == 6 {
        envelope.source_mac = Mac([a0, a1, a2, a3, a4, a5]);
    }
    linux_protocol(u16::from_be_bytes([p0, p1]), rest)
}

/// The protocol field of a Linux cooked header: an EtherType, or one of Linux's own small numbers.
fn linux_protocol(protocol: u16, rest: &[u8]) -> Step<'_> {
    match protocol {
        4 => Ok((Layer::Llc, rest)),
        0..=LENGTH_MAX => Err(Other::NotIp),
        _ => Ok((Layer::EtherType(protocol), rest)),
    }
}

/// LINKTYPE_NFLOG: family, version, resource, then attributes, of which one is the packet. Each begins
/// with its length and its type, in the byte order of the machine that captured.
fn nflog(bytes: &[u8]) -> Step<'_> {
    const PAYLOAD: u16 = 9;
    let (_, mut rest) = split::<4>(bytes)?;
    loop {
        let (&[l0, l1, t0, t1], _) = split(rest)?;
        // Types are small: the octet that is not zero tells the order.
        let (length, kind) = match t1 {
            0 => (u16::from_le_bytes([l0, l1]), u16::from_le_bytes([t0, t1])),
            _ => (u16::from_be_bytes([l0, l1]), u16::from_be_bytes([t0, t1])),
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(Other::Malformed);
        }
        if kind == PAYLOAD {
            let payload = rest.get(4..length).or_else(|| rest.get(4..));
            return Ok((Layer::Ip, payload.ok_or(Other::Truncated)?));
        }
        rest = rest.get(length.next_multiple_of(4)..).ok_or(Other::Truncated)?;
    }
}

/// MPLS (RFC 3032): labels to the bottom of the stack, which does not say what stands under it. So the
/// first four bits decide: IP, or the control word of an Ethernet pseudowire (RFC 4385).
pub(super) fn mpls(mut bytes: &[u8]) -> Step<'_> {
    loop {
        let ([_, _, bottom, _], rest) = split(bytes)?;
        bytes = rest;
        if bottom & 1 == 1 {
            break;
        }
    }
    match bytes.first().map(|octet| octet >> 4) {
        Some(4 | 6) => Ok((Layer::Ip, bytes)),
        Some(0) => Ok((Layer::Ethernet, bytes.get(4..).ok_or(Other::Truncated)?)),
        Some(_) => Err(Other::NotIp),
        None => Err(Other::Truncated),
    }
}

/// The first `N` octets and the rest.
pub(super) fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), Other> {
    bytes.split_first_chunk().ok_or(Other::Truncated)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ETHERNET, assert_query, ipv4_query, ipv6_query, other};
    use super::*;

    /// `header` and then an IPv4 query.
    fn with(header: &[u8]) -> Vec<u8> {
        [header, &ipv4_query()].concat()
    }

    fn with6(header: &[u8]) -> Vec<u8> {
        [header, &ipv6_query()].concat()
    }

    #[test]
    fn every_link_type_leads_to_the_query() {
        let cooked1 = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
        let cooked2 = [8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        let fddi = [&[0x57][..], &[2, 0, 0, 0, 0, 2], &[2, 0, 0, 0, 0, 1], SNAP].concat();
        let cases: [(u16, Vec<u8>); 19] = [
            (1, with(ETHERNET)),
            (0, with(&[2, 0, 0, 0])),
            (0, with(&[0, 0, 0, 2])),
            (0, with6(&[30, 0, 0, 0])),
            (108, with6(&[0, 0, 0, 24])),
            (12, with(&[])),
            (101, with6(&[])),
            (228, with(&[])),
            (229, with6(&[])),
            (9, with(&[0xff, 0x03, 0x00, 0x21])),
            (9, with6(&[0x57])),
            (50, with(&[0x0f, 0, 8, 0])),
            (50, with(&[0xff, 0x03, 0x00, 0x21])),
            (51, with(&[0x11, 0, 0, 7, 0, 99, 0, 0x21])),
            (104, with6(&[0x0f, 0, 0x86, 0xdd])),
            (113, with(&cooked1)),
            (276, with(&cooked2)),
            (10, with(&fddi)),
            (239, with(&[2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0, 0, 1, 9, 0])),
        ];
        for (link, bytes) in cases {
            assert_query(link, &bytes);
        }
    }

    const SNAP: &[u8] = &[0xaa, 0xaa, 0x03, 0, 0, 0, 8, 0];

    #[test]
    fn tags_and_llc_and_labels_are_peeled() {
        let macs = ETHERNET.get(..12).unwrap();
        for behind in [
            &[0x81, 0, 0x20, 11, 8, 0][..],
            &[0x88, 0xa8, 0, 11, 0x81, 0, 0, 12, 8, 0],
            &[0x91, 0, 0, 11, 0x81, 0, 0, 12, 0x81, 0, 0, 13, 8, 0],
            &[0x81, 0, 0, 11, 0x88, 0x64, 0x11, 0, 0, 1, 0, 99, 0, 0x21],
        ] {
            let envelope = assert_query(1, &with(&[macs, behind].concat()));
            assert_eq!(envelope.vlan, Some(11), "the outermost tag counts");
            assert_eq!(envelope.source_mac, Mac([2, 0, 0, 0, 0, 1]));
        }
        for behind in [
            &[&[0, 99][..], SNAP].concat()[..],
            &[0, 99, 6, 6, 3],
            &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64],
            &[&[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0][..], ETHERNET].concat(),
        ] {
            assert_eq!(assert_query(1, &with(&[macs, behind].concat())).vlan, None);
        }
    }

    #[test]
    fn what_is_not_ip_is_told_apart() {
        assert_eq!(other(1, &[&ETHERNET[..12], &[8, 6, 0, 1]].concat()), Other::NotIp);
        assert_eq!(other(1, &ETHERNET[..13]), Other::Truncated);
        assert_eq!(other(9999, &[]), Other::UnknownLink(LinkType(9999)));
        assert_eq!(other(0, &with(&[7, 0, 0, 0])), Other::NotIp);
        assert_eq!(
            other(1, &with(&[&ETHERNET[..12], &[0x81, 0, 0, 1].repeat(50)].concat())),
            Other::TooDeep
        );
    }
}
