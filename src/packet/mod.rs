//! From link-layer frames to the payloads that may be DNS messages.
//!
//! [`slice()`] is stateless, so decoder workers run it in parallel: it peels off whatever a mirror port, a
//! monitor or a tunnel has put around a packet, and hands on UDP payloads to or from a DNS port. What
//! needs its neighbours, an IP fragment or a TCP segment, it only recognises. [`Reassembly`] takes
//! those frames again, where their order is known.
//!
//! The innermost IP header counts: a mirrored packet is the client's, not the mirror's. A DNS message
//! quoted in an ICMP error is not traffic. Bytes come from an attacker: nothing here panics, nests
//! without end or grows without a limit.

mod aside;
mod fast;
mod fragments;
mod framing;
mod half_stream;
mod ip;
mod link;
mod reassembly;
mod streams;
mod table;
mod tunnel;
mod walk;
mod wireless;

pub use aside::{Aside, AsideKind, Asides, Elsewhere};
pub use reassembly::{Reassembly, ReassemblyCounters, ReassemblyLimits};

use crate::flow::{Address, Flow, Mac};
use crate::frame::{Frame, FrameId, LinkType};
use crate::time::Timestamp;
use walk::{Walk, WalkEnd};

/// Who sent a payload to whom, by what, and what is worth knowing of the headers around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The frame that held it, or that completed it.
    pub frame: FrameId,
    /// When that frame was captured.
    pub time: Timestamp,
    /// The innermost addresses and ports.
    pub flow: Flow,
    /// Who sent the innermost link-layer frame that names a sender.
    pub source_mac: Mac,
    /// The identification of the innermost IPv4 header; 0 for IPv6.
    pub ip_id: u16,
    /// The identifier of the outermost VLAN tag.
    pub vlan: Option<u16>,
}

#[cfg(test)]
impl Envelope {
    /// Of a packet of which only this matters.
    pub fn of(frame: FrameId, time: Timestamp, flow: Flow) -> Envelope {
        Envelope { frame, time, flow, source_mac: Mac::default(), ip_id: 0, vlan: None }
    }
}

/// Which ports count as DNS: 53, and those that the user adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// One bit a port.
    set: Box<[u64; 1024]>,
}

impl Ports {
    /// Port 53 and the `extra` ones.
    pub fn new(extra: &[u16]) -> Ports {
        let mut set = Box::new([0; 1024]);
        for &port in extra.iter().chain(&[53]) {
            if let Some(word) = set.get_mut(usize::from(port >> 6)) {
                *word |= 1 << (port & 63);
            }
        }
        Ports { set }
    }

    /// Whether `port` is one of them.
    #[inline]
    pub fn contains(&self, port: u16) -> bool {
        self.set.get(usize::from(port >> 6)).is_some_and(|word| word >> (port & 63) & 1 == 1)
    }
}

impl Default for Ports {
    fn default() -> Ports {
        Ports::new(&[])
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sliced<'a> {
    /// A UDP payload to or from a DNS port.
    Datagram {
        /// Who sent it to whom.
        envelope: Envelope,
        /// What was captured of it; never empty.
        payload: &'a [u8],
        /// False when its headers promise more than was captured.
        whole: bool,
    },
    /// A TCP segment or an IP fragment that may carry DNS: goes to [`Reassembly`], in capture order.
    Held,
    /// UDP or TCP between other ports.
    Elsewhere {
        /// Who sent it to whom.
        envelope: Envelope,
        /// What may be worth knowing of it.
        elsewhere: Elsewhere<'a>,
    },
    /// Nothing that is DNS.
    Other(Other),
}

/// Why a frame is not DNS, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// A datagram or fragment for other ports, of which nothing more can be said.
    NotDnsPort,
    /// A link-layer payload that is neither IP nor a tunnel that is known here, such as ARP.
    NotIp,
    /// IP, but neither UDP, TCP nor a tunnel that is known here.
    NotUdpTcp,
    /// An ICMP error, which may quote a DNS message that was sent at another time.
    IcmpError,
    /// UDP or TCP on a DNS port with nothing in it, such as a bare acknowledgement.
    NoPayload,
    /// The frame ends inside a header.
    Truncated,
    /// A header that contradicts itself.
    Malformed,
    /// More headers inside each other than an honest packet has.
    TooDeep,
    /// A link type that is not decoded.
    UnknownLink(LinkType),
}

/// The UDP payload that `frame` holds, if it is what nearly every frame is. [`slice()`] gives the same, and the rest.
#[inline(always)]
pub fn datagram<'a>(frame: &Frame<'a>, ports: &Ports) -> Option<(Envelope, &'a [u8])> {
    fast::datagram(frame, ports)
}

/// What `frame` holds, seen by itself.
pub fn slice<'a>(frame: &Frame<'a>, ports: &Ports) -> Sliced<'a> {
    fast::slice(frame, ports).unwrap_or_else(|| slice_any(frame, ports))
}

/// The same for any frame, header by header.
fn slice_any<'a>(frame: &Frame<'a>, ports: &Ports) -> Sliced<'a> {
    match Walk::of(frame, ports).frame(frame) {
        WalkEnd::Datagram { envelope, payload, whole } => {
            Sliced::Datagram { envelope, payload, whole }
        }
        WalkEnd::Segment { .. } | WalkEnd::Fragment { .. } => Sliced::Held,
        WalkEnd::Elsewhere { envelope, elsewhere } => Sliced::Elsewhere { envelope, elsewhere },
        WalkEnd::Other(other) => Sliced::Other(other),
    }
}

/// What a frame is a part of, if its message may stand in several frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A packet in IP fragments.
    Fragment {
        /// Who sent it.
        source: Address,
        /// To whom.
        destination: Address,
        /// What the fragments of a packet share (RFC 791, RFC 8200 section 4.5).
        id: u32,
        /// The protocol that the packet carries.
        protocol: u8,
    },
    /// One direction of a TCP connection.
    Segment(Flow),
}

/// What `frame` is a part of; none if its message stands in it alone.
pub fn piece(frame: &Frame<'_>, ports: &Ports) -> Option<Piece> {
    match Walk::of(frame, ports).frame(frame) {
        WalkEnd::Segment { envelope, .. } => Some(Piece::Segment(envelope.flow)),
        WalkEnd::Fragment { envelope, fragment, .. } => Some(Piece::Fragment {
            source: envelope.flow.source.address,
            destination: envelope.flow.destination.address,
            id: fragment.id,
            protocol: fragment.protocol,
        }),
        WalkEnd::Datagram { .. } | WalkEnd::Elsewhere { .. } | WalkEnd::Other(_) => None,
    }
}

#[cfg(test)]
mod tests;
