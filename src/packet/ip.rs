//! IPv4 and IPv6 headers, IPv6 extension headers, and the protocols that carry IP again.
//!
//! Lengths are believed only as far as there are bytes: a total length of zero, or one too short for
//! its own header, is what segmentation offload leaves in a capture, and stands for "the rest".

use super::walk::{Layer, Step};
use super::{Envelope, Other, link, tunnel};
use crate::flow::Address;
use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, err,
};

/// IP protocol numbers (<https://www.iana.org/assignments/protocol-numbers>).
pub(super) mod protocol {
    pub const HOP_BY_HOP: u8 = 0;
    pub const ICMP: u8 = 1;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const AUTHENTICATION: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const ETHER_IP: u8 = 97;
    pub const MOBILITY: u8 = 135;
    pub const HOST_IDENTITY: u8 = 139;
    pub const SHIM6: u8 = 140;
    pub const MPLS: u8 = 137;
}

/// Which part of which packet a fragment is (RFC 791 section 3.2, RFC 8200 section 4.5). With the
/// addresses this identifies the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// The identification, 16 bits of it in IPv4.
    pub id: u32,
    /// The protocol of what is put together, or the next IPv6 header.
    pub protocol: u8,
    /// Where its payload belongs, in octets.
    pub offset: u16,
    /// Whether others belong behind it.
    pub more: bool,
}

/// Reads an IPv4 or IPv6 header, notes it in `envelope`, and tells in `missing` how many octets of its
/// payload were not captured.
pub(super) fn header<'a>(
    bytes: &'a [u8],
    envelope: &mut Envelope,
    missing: &mut usize,
) -> Step<'a> {
    match bytes.first().map(|octet| octet >> 4) {
        Some(4) => ipv4(bytes, envelope, missing),
        Some(6) => ipv6(bytes, envelope, missing),
        Some(_) => Err(Other::Malformed),
        None => Err(Other::Truncated),
    }
}

fn ipv4<'a>(bytes: &'a [u8], envelope: &mut Envelope, missing: &mut usize) -> Step<'a> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| match error {
        err::ipv4::HeaderSliceError::Len(_) => Other::Truncated,
        err::ipv4::HeaderSliceError::Content(_) => Other::Malformed,
    })?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    let wanted = usize::from(header.total_len()).checked_sub(header.slice().len());
    let payload = bound(rest, wanted, missing);
    envelope.flow.source.address = Address::v4(header.source());
    envelope.flow.destination.address = Address::v4(header.destination());
    envelope.ip_id = header.identification();
    let number = header.protocol().0;
    if !header.is_fragmenting_payload() {
        return Ok((Layer::Protocol(number), payload));
    }
    let fragment = Fragment {
        id: u32::from(header.identification()),
        protocol: number,
        offset: header.fragments_offset().byte_offset(),
        more: header.more_fragments(),
    };
    Ok((Layer::Fragment(fragment), payload))
}

fn ipv6<'a>(bytes: &'a [u8], envelope: &mut Envelope, missing: &mut usize) -> Step<'a> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| Other::Truncated)?;
    let rest = bytes.get(header.slice().len()..).unwrap_or_default();
    let wanted = Some(usize::from(header.payload_length())).filter(|&length| length > 0);
    let payload = bound(rest, wanted, missing);
    envelope.flow.source.address = Address::v6(header.source());
    envelope.flow.destination.address = Address::v6(header.destination());
    envelope.ip_id = 0;
    Ok((Layer::Protocol(header.next_header().0), payload))
}

/// The `wanted` octets of `rest`, which leaves out the padding of short Ethernet frames; all of it if
/// the length is unknown or more than there is.
fn bound<'a>(rest: &'a [u8], wanted: Option<usize>, missing: &mut usize) -> &'a [u8] {
    let wanted = wanted.unwrap_or(rest.len());
    *missing = wanted.saturating_sub(rest.len());
    rest.get(..wanted).unwrap_or(rest)
}

/// What stands behind an IP header, or behind an extension header, that is neither UDP nor TCP.
pub(super) fn behind(number: u8, bytes: &[u8]) -> Step<'_> {
    match number {
        protocol::IPV4 | protocol::IPV6 => Ok((Layer::Ip, bytes)),
        protocol::GRE => tunnel::gre(bytes),
        protocol::ETHER_IP => Ok((Layer::Ethernet, bytes.get(2..).ok_or(Other::Truncated)?)),
        protocol::MPLS => link::mpls(bytes),
        protocol::HOP_BY_HOP
        | protocol::ROUTING
        | protocol::DESTINATION_OPTIONS
        | protocol::MOBILITY
        | protocol::HOST_IDENTITY
        | protocol::SHIM6 => {
            let header = Ipv6RawExtHeaderSlice::from_slice(bytes).map_err(|_| Other::Truncated)?;
            skip(bytes, header.slice().len(), header.next_header().0)
        }
        protocol::AUTHENTICATION => {
            let header = IpAuthHeaderSlice::from_slice(bytes).map_err(|_| Other::Truncated)?;
            skip(bytes, header.slice().len(), header.next_header().0)
        }
        protocol::FRAGMENT => ipv6_fragment(bytes),
        protocol::ICMP => match bytes.first() {
            Some(3 | 4 | 5 | 11 | 12) => Err(Other::IcmpError),
            _ => Err(Other::NotUdpTcp),
        },
        protocol::ICMPV6 => match bytes.first() {
            Some(1..=4) => Err(Other::IcmpError),
            _ => Err(Other::NotUdpTcp),
        },
        _ => Err(Other::NotUdpTcp),
    }
}

fn skip(bytes: &[u8], len: usize, next: u8) -> Step<'_> {
    Ok((Layer::Protocol(next), bytes.get(len..).ok_or(Other::Truncated)?))
}

fn ipv6_fragment(bytes: &[u8]) -> Step<'_> {
    let header = Ipv6FragmentHeaderSlice::from_slice(bytes).map_err(|_| Other::Truncated)?;
    let next = header.next_header().0;
    if !header.is_fragmenting_payload() {
        // An "atomic fragment" (RFC 6946): the header is there, yet the packet is whole.
        return skip(bytes, header.slice().len(), next);
    }
    let fragment = Fragment {
        id: header.identification(),
        protocol: next,
        offset: header.fragment_offset().byte_offset(),
        more: header.more_fragments(),
    };
    Ok((Layer::Fragment(fragment), bytes.get(header.slice().len()..).unwrap_or_default()))
}

/// Whether DNS may be found behind this protocol number.
pub(super) fn leads_on(number: u8) -> bool {
    matches!(
        number,
        protocol::UDP
            | protocol::TCP
            | protocol::IPV4
            | protocol::IPV6
            | protocol::GRE
            | protocol::ETHER_IP
            | protocol::MPLS
            | protocol::DESTINATION_OPTIONS
            | protocol::AUTHENTICATION
    )
}
