//! Packets that are not DNS and yet tell of the hosts that ask: what they call themselves, and whom they
//! turn to afterwards.
//!
//! [`Elsewhere`] is any UDP or TCP packet between other ports; [`Asides`] keeps of them what says
//! something, as records so small that a decoder can hand them on in capture order: names (DHCP,
//! NetBIOS, LLMNR, mDNS, Kerberos) with their payload, and the first packets between two hosts, the
//! payload only of a TLS ClientHello.

use super::Envelope;
use crate::flow::{Address, Flow, Mac, Transport};
use crate::frame::FrameId;
use crate::time::Timestamp;

/// The most that is kept of a payload: what names a host fits into one Ethernet frame.
const PAYLOAD_MAX: usize = 2048;
/// How many pairs of endpoints are remembered between two DNS messages, to leave out repetitions.
const RECENT: usize = 256;

/// A UDP or TCP packet between ports that are not DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere<'a> {
    /// What was captured of its payload.
    pub payload: &'a [u8],
    /// The flags of the TCP header; 0 for UDP.
    pub tcp_flags: u8,
}

impl<'a> Elsewhere<'a> {
    /// Reads flags and payload of a TCP segment (RFC 9293 section 3.1) of which at least the fixed header
    /// is there.
    #[inline]
    pub(super) fn tcp(segment: &'a [u8]) -> Option<Elsewhere<'a>> {
        let &[_, _, _, _, _, _, _, _, _, _, _, _, offset, tcp_flags, ..] =
            segment.first_chunk::<20>()?;
        let payload = segment.get(usize::from(offset >> 4) * 4..).unwrap_or_default();
        Some(Elsewhere { payload, tcp_flags })
    }
}

/// What an aside tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsideKind {
    /// A TCP connection is asked for.
    Syn,
    /// And accepted.
    SynAck,
    /// The first octets of a TLS connection: a ClientHello.
    ClientHello,
    /// Octets of a TCP connection to the port of DNS over TLS, which stays open for long (RFC 7858).
    Segment,
    /// A datagram to one host.
    Datagram,
    /// DHCP (RFC 2131).
    Dhcp,
    /// The NetBIOS name service (RFC 1002 section 4.2).
    NetbiosName,
    /// The NetBIOS datagram service (RFC 1002 section 4.4).
    NetbiosDatagram,
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// A message to a Kerberos server (RFC 4120).
    Kerberos,
    /// A DNS message that names a host: an update, or the answer to a PTR question.
    Dns,
}

/// One such packet.
#[derive(Clone, Copy, Debug)]
pub struct Aside {
    /// Its frame.
    pub frame: FrameId,
    /// When it was captured.
    pub time: Timestamp,
    /// From where to where.
    pub flow: Flow,
    /// The link-layer source of the frame.
    pub source_mac: Mac,
    /// What it tells.
    pub kind: AsideKind,
    /// How many messages stand before it in its batch.
    pub before: u32,
    /// Its frame's place in the batch.
    pub place: u32,
    start: u32,
    len: u16,
}

impl Aside {
    /// The same at another time.
    pub fn at(&self, time: Timestamp) -> Aside {
        Aside { time, ..*self }
    }
}

/// A pair of endpoints, and which of them spoke since the last DNS message.
#[derive(Clone, Copy)]
struct Recent {
    flow: Flow,
    epoch: u64,
    turns: u8,
}

/// The asides of a batch, with their payloads.
#[derive(Default)]
pub struct Asides {
    records: Vec<Aside>,
    octets: Vec<u8>,
    recent: Vec<Option<Recent>>,
    batches: u64,
}

impl std::fmt::Debug for Asides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.records).finish()
    }
}

impl Asides {
    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.octets.clear();
        self.batches += 1;
    }

    /// Takes a packet between other ports, if it tells anything. `before` is how many messages stand
    /// before it, `held` how many frames that may hold messages.
    pub fn take(
        &mut self,
        envelope: &Envelope,
        elsewhere: &Elsewhere<'_>,
        (before, held): (usize, usize),
        place: usize,
    ) {
        let Some(kind) = kind_of(&envelope.flow, elsewhere) else { return };
        let payload = match kind {
            AsideKind::Syn | AsideKind::SynAck => &[],
            AsideKind::Datagram | AsideKind::Segment
                if self.is_repetition(envelope.flow, before + held) =>
            {
                return;
            }
            AsideKind::Datagram | AsideKind::Segment => &[],
            _ => elsewhere.payload,
        };
        self.push(envelope, kind, payload, before, place);
    }

    /// Adds an aside with what it carries.
    pub fn push(
        &mut self,
        envelope: &Envelope,
        kind: AsideKind,
        payload: &[u8],
        before: usize,
        place: usize,
    ) {
        let payload = payload.get(..PAYLOAD_MAX).unwrap_or(payload);
        self.records.push(Aside {
            frame: envelope.frame,
            time: envelope.time,
            flow: envelope.flow,
            source_mac: envelope.source_mac,
            kind,
            before: before as u32,
            place: place as u32,
            start: self.octets.len() as u32,
            len: payload.len() as u16,
        });
        self.octets.extend_from_slice(payload);
    }

    /// Whether a datagram says nothing that one between the same endpoints has not said.
    ///
    /// It is judged against the time since the last DNS message, as only such a message changes what is
    /// looked out for. Within that time three datagrams of alternating direction say all there is: that
    /// the one side spoke, that the other did, and that the first did again. So what is left out does not
    /// depend on where a batch ends.
    fn is_repetition(&mut self, flow: Flow, messages: usize) -> bool {
        let epoch = self.batches << 32 | messages as u64;
        if self.recent.is_empty() {
            self.recent = vec![None; RECENT];
        }
        let key = key_of(flow.source.address, flow.source.port)
            ^ key_of(flow.destination.address, flow.destination.port);
        let Some(slot) = self.recent.get_mut(key as usize % RECENT) else { return false };
        let back = Flow { source: flow.destination, destination: flow.source, ..flow };
        match slot {
            Some(recent) if recent.epoch == epoch && recent.flow == flow => true,
            Some(recent) if recent.epoch == epoch && recent.flow == back => {
                recent.turns = recent.turns.saturating_add(1);
                if recent.turns < 3 {
                    recent.flow = flow;
                }
                recent.turns >= 3
            }
            _ => {
                *slot = Some(Recent { flow, epoch, turns: 0 });
                false
            }
        }
    }

    /// The asides in capture order.
    pub fn iter(&self) -> impl Iterator<Item = &Aside> {
        self.records.iter()
    }

    /// What an aside carried; empty where only the packet counts.
    pub fn payload(&self, aside: &Aside) -> &[u8] {
        let start = aside.start as usize;
        self.octets.get(start..start + usize::from(aside.len)).unwrap_or_default()
    }
}

/// A number for an endpoint: equal for equal ones, whatever it is for others.
#[inline]
fn key_of(address: Address, port: u16) -> u64 {
    let [.., a, b, c, d] = address.octets();
    let low = u64::from(u32::from_be_bytes([a, b, c, d])) << 16 | u64::from(port);
    low.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
}

/// What a packet tells, if anything.
fn kind_of(flow: &Flow, elsewhere: &Elsewhere<'_>) -> Option<AsideKind> {
    let (source, destination) = (flow.source.port, flow.destination.port);
    match flow.transport {
        Transport::Tcp => match elsewhere.tcp_flags & 0x17 {
            0x02 => Some(AsideKind::Syn),
            0x12 => Some(AsideKind::SynAck),
            _ => match elsewhere.payload {
                // A handshake record, TLS 1.x, that begins with a ClientHello (RFC 8446 section 5.1).
                [22, 3, _, _, _, 1, ..] => Some(AsideKind::ClientHello),
                [_, ..] if destination == 88 => Some(AsideKind::Kerberos),
                [_, ..] if destination == 853 => Some(AsideKind::Segment),
                _ => None,
            },
        },
        Transport::Udp => match (source, destination) {
            (67 | 68, 67 | 68) => Some(AsideKind::Dhcp),
            (137, _) | (_, 137) => Some(AsideKind::NetbiosName),
            (_, 138) => Some(AsideKind::NetbiosDatagram),
            (5355, _) => Some(AsideKind::Llmnr),
            (5353, _) => Some(AsideKind::Mdns),
            (_, 88) => Some(AsideKind::Kerberos),
            _ if is_for_many(flow.destination.address) => None,
            _ => Some(AsideKind::Datagram),
        },
    }
}

/// Whether it is a multicast address or the broadcast address of all networks.
fn is_for_many(address: Address) -> bool {
    match address.octets() {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, first, ..] => first >= 224,
        [first, ..] => first == 0xff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Endpoint;

    fn envelope(source: (u8, u16), destination: (u8, u16), transport: Transport) -> Envelope {
        let at = |(host, port)| Endpoint { address: Address::v4([10, 0, 0, host]), port };
        Envelope::of(
            FrameId::new(0, 1),
            Timestamp(1),
            Flow { source: at(source), destination: at(destination), transport },
        )
    }

    fn kinds(asides: &Asides) -> Vec<AsideKind> {
        asides.iter().map(|aside| aside.kind).collect()
    }

    #[test]
    fn of_a_connection_only_its_beginning_is_kept() {
        let mut asides = Asides::default();
        let (there, back) = (
            envelope((1, 40_000), (2, 443), Transport::Tcp),
            envelope((2, 443), (1, 40_000), Transport::Tcp),
        );
        let packets: [(&Envelope, &[u8], u8); 6] = [
            (&there, b"", 0x02),
            (&back, b"", 0x12),
            (&there, b"", 0x10),
            (&there, &[22, 3, 1, 0, 4, 1, 0, 0, 0], 0x18),
            (&back, &[22, 3, 3, 0, 4, 2, 0, 0, 0], 0x18),
            (&there, &[23, 3, 3, 0, 4, 1, 0, 0, 0], 0x18),
        ];
        for (envelope, payload, tcp_flags) in packets {
            asides.take(envelope, &Elsewhere { payload, tcp_flags }, (0, 0), 0);
        }
        assert_eq!(kinds(&asides), [AsideKind::Syn, AsideKind::SynAck, AsideKind::ClientHello]);
        let hello = asides.iter().last().unwrap();
        assert_eq!(asides.payload(hello).len(), 9);
    }

    #[test]
    fn of_a_stream_of_datagrams_three_turns_are_kept_between_two_messages() {
        let mut asides = Asides::default();
        let (there, back) = (
            envelope((1, 40_000), (2, 443), Transport::Udp),
            envelope((2, 443), (1, 40_000), Transport::Udp),
        );
        let nothing = Elsewhere { payload: b"", tcp_flags: 0 };
        for messages in [0, 0, 1] {
            for envelope in [&there, &there, &back, &there, &back, &there] {
                asides.take(envelope, &nothing, (messages, 0), 0);
            }
        }
        assert_eq!(asides.iter().count(), 6, "three for each message");
        asides.clear();
        asides.take(&there, &nothing, (1, 0), 0);
        assert_eq!(asides.iter().count(), 1, "another batch begins anew");
    }

    #[test]
    fn what_goes_to_many_is_no_contact_but_may_name_its_sender() {
        let mut asides = Asides::default();
        let mut many = envelope((1, 50_000), (2, 1900), Transport::Udp);
        many.flow.destination.address = Address::v4([239, 255, 255, 250]);
        asides.take(&many, &Elsewhere { payload: b"M-SEARCH", tcp_flags: 0 }, (0, 0), 0);
        assert_eq!(kinds(&asides), []);
        many.flow.source.port = 5353;
        many.flow.destination.port = 5353;
        asides.take(&many, &Elsewhere { payload: &[0; 5000], tcp_flags: 0 }, (0, 0), 0);
        assert_eq!(kinds(&asides), [AsideKind::Mdns]);
        assert_eq!(asides.payload(asides.iter().next().unwrap()).len(), PAYLOAD_MAX);
    }
}
