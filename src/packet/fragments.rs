//! IP fragments, put together.
//!
//! What arrives first is kept where fragments overlap, as most hosts do in one way or another and no
//! passive observer can know; every overlap is counted. Pieces are kept as they arrived, so memory
//! follows what was captured, not what an offset promises.

use super::Envelope;
use super::ip::Fragment;
use super::reassembly::{ReassemblyCounters, ReassemblyLimits};
use super::table::Table;
use crate::flow::Address;
use crate::time::{Span, Timestamp};

/// How long a packet that was put together is remembered, so that fragments which a mirror port shows
/// twice do not begin it anew. Longer would catch other packets, once identifications come round.
const REMEMBERED: Span = Span::from_secs(1);

/// The most pieces of one packet. A packet of 65,535 octets in the smallest MTU that hosts must accept
/// (68, RFC 791) has 1,365; links in use give 120 or less.
const PIECES_MAX: usize = 1_400;

/// What identifies the packet that a fragment is of.
type Key = (Address, Address, u32, u8);

/// The packets of which fragments have been seen, but not all.
pub(super) struct Fragments {
    packets: Table<Key, Packet>,
    /// The octets of all pieces, with what it costs to keep them.
    octets: usize,
}

/// A packet put together, or what there is of its beginning.
pub(super) struct Assembled {
    /// The envelope of the frame that completed it; of its first fragment if it is not whole.
    pub envelope: Envelope,
    pub protocol: u8,
    pub bytes: Vec<u8>,
    pub whole: bool,
}

#[derive(Default)]
struct Packet {
    /// In the order of their places, not overlapping.
    pieces: Vec<Piece>,
    /// The sum of the pieces' lengths.
    covered: usize,
    /// Its length, once the last fragment is known.
    len: Option<usize>,
    /// Of the fragment with offset 0.
    first: Option<Envelope>,
    /// Whether it has been put together and handed on.
    is_done: bool,
}

struct Piece {
    start: usize,
    bytes: Vec<u8>,
}

impl Piece {
    fn end(&self) -> usize {
        self.start + self.bytes.len()
    }
}

impl Fragments {
    pub fn new() -> Fragments {
        Fragments { packets: Table::new(), octets: 0 }
    }

    /// What is due later than this is due then.
    pub fn bring_forward(&mut self, latest: Timestamp) {
        self.packets.bring_forward(latest);
    }

    /// Takes a fragment, which came at a time and waits until another, and returns the packet if it is the last that was
    /// missing.
    pub fn push(
        &mut self,
        envelope: Envelope,
        fragment: Fragment,
        bytes: &[u8],
        (came, due): (Timestamp, Timestamp),
        counters: &mut ReassemblyCounters,
    ) -> Option<Assembled> {
        counters.fragments += 1;
        let start = usize::from(fragment.offset);
        let end = start + bytes.len();
        // Only the last fragment may have a length that is not a multiple of eight.
        let is_misfit = fragment.more && !bytes.len().is_multiple_of(8);
        if bytes.is_empty() || is_misfit || end > usize::from(u16::MAX) {
            counters.fragments_refused += 1;
            return None;
        }
        let flow = envelope.flow;
        let key = (flow.source.address, flow.destination.address, fragment.id, fragment.protocol);
        if self.packets.get_mut(&key).is_none() {
            self.octets += Packet::default().cost();
            self.packets.insert(key, Packet::default(), due);
        }
        let packet = self.packets.get_mut(&key)?;
        if packet.is_done {
            counters.fragments_repeated += 1;
            return None;
        }
        let before = packet.cost();
        packet.add(start, bytes, fragment.more, counters);
        if start == 0 {
            packet.first.get_or_insert(envelope);
        }
        self.octets = self.octets + packet.cost() - before;
        if packet.len != Some(packet.covered) {
            return None;
        }
        self.octets -= packet.cost();
        let packet = std::mem::replace(packet, Packet { is_done: true, ..Packet::default() });
        self.octets += Packet::default().cost();
        self.packets.set_due(&key, came + REMEMBERED);
        counters.packets_reassembled += 1;
        Some(Assembled {
            envelope,
            protocol: fragment.protocol,
            bytes: packet.bytes(),
            whole: true,
        })
    }

    /// Gives up a packet whose time is up, and returns what there is of its beginning.
    pub fn pop_due(
        &mut self,
        now: Timestamp,
        counters: &mut ReassemblyCounters,
    ) -> Option<Option<Assembled>> {
        let (key, packet) = self.packets.pop_due(now)?;
        counters.packets_timed_out += u64::from(!packet.is_done);
        Some(self.give_up(key, packet))
    }

    /// Gives up the oldest packet if there are too many.
    pub fn pop_excess(
        &mut self,
        limits: &ReassemblyLimits,
        counters: &mut ReassemblyCounters,
    ) -> Option<Option<Assembled>> {
        if self.packets.len() <= limits.packets && self.octets <= limits.packet_octets {
            return None;
        }
        let (key, packet) = self.packets.pop_first()?;
        counters.packets_evicted += u64::from(!packet.is_done);
        Some(self.give_up(key, packet))
    }

    /// The octets of all pieces, with what it costs to keep them.
    #[cfg(test)]
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// `None` when the fragment with offset 0 was not seen: then nothing can be read.
    fn give_up(&mut self, key: Key, packet: Packet) -> Option<Assembled> {
        self.octets -= packet.cost();
        let envelope = packet.first?;
        Some(Assembled { envelope, protocol: key.3, bytes: packet.bytes(), whole: false })
    }
}

impl Packet {
    /// Adds what is new in `bytes`.
    fn add(&mut self, start: usize, bytes: &[u8], more: bool, counters: &mut ReassemblyCounters) {
        let end = start + bytes.len();
        let contradicts = match self.len {
            Some(len) => end > len || (!more && end != len),
            None => !more && self.pieces.last().is_some_and(|piece| piece.end() > end),
        };
        if contradicts || self.pieces.len() >= PIECES_MAX {
            counters.fragments_refused += 1;
            return;
        }
        if !more {
            self.len = Some(end);
        }
        let mut at = self.pieces.partition_point(|piece| piece.end() <= start);
        if self.pieces.get(at).is_some_and(|piece| piece.start <= start && end <= piece.end()) {
            counters.fragments_repeated += 1;
            return;
        }
        let mut from = start;
        let mut overlaps = false;
        while from < end {
            // The hole from here to the next piece, or to the end.
            let (until, resume) = match self.pieces.get(at) {
                Some(piece) if piece.start < end => (piece.start.max(from), piece.end()),
                _ => (end, end),
            };
            overlaps |= until < end;
            if from < until
                && let Some(new) = bytes.get(from - start..until - start)
            {
                self.pieces.insert(at, Piece { start: from, bytes: new.to_vec() });
                self.covered += new.len();
                at += 1;
            }
            at += 1;
            from = resume;
        }
        counters.fragments_overlapping += u64::from(overlaps);
    }

    /// Its octets from the beginning, as far as they are known without a gap.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.covered);
        for piece in self.pieces {
            if piece.start != bytes.len() {
                break;
            }
            bytes.extend_from_slice(&piece.bytes);
        }
        bytes
    }

    fn cost(&self) -> usize {
        size_of::<(Key, Packet)>() + self.covered + self.pieces.len() * size_of::<Piece>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{QUERY, frame, ipv4, ipv4_query, ipv4_udp, ipv6_query};
    use super::super::{Ports, Reassembly, Sliced, slice};
    use super::*;
    use proptest::prelude::*;

    /// A fragment of an IPv4 packet.
    fn part(packet: &[u8], id: u16, from: usize, to: usize) -> Vec<u8> {
        let payload = &packet[20..];
        let to = to.min(payload.len());
        let more = u16::from(to < payload.len()) << 13;
        let mut out = [&packet[..20], &payload[from..to]].concat();
        let len = out.len() as u16;
        out[2..4].copy_from_slice(&len.to_be_bytes());
        out[4..6].copy_from_slice(&id.to_be_bytes());
        out[6..8].copy_from_slice(&(more | (from / 8) as u16).to_be_bytes());
        out
    }

    /// What comes of these frames, pushed in order a millisecond apart: frame, payload, whole.
    fn run(
        limits: ReassemblyLimits,
        frames: &[Vec<u8>],
    ) -> (Vec<(u64, Vec<u8>, bool)>, ReassemblyCounters) {
        let mut reassembly = Reassembly::new(limits, Ports::default());
        let mut out = Vec::new();
        let mut each = |envelope: Envelope, payload: &[u8], whole: bool| {
            assert_eq!(envelope.flow.destination.port, 53);
            out.push((envelope.frame.number(), payload.to_vec(), whole));
        };
        for (at, bytes) in frames.iter().enumerate() {
            reassembly.push(&frame(101, at as u64 + 1, bytes), &mut each);
        }
        reassembly.finish(&mut each);
        assert_eq!(reassembly.waiting_octets(), 0, "nothing is left behind");
        (out, reassembly.counters())
    }

    fn long() -> Vec<u8> {
        let payload: Vec<u8> = (0..100).collect();
        ipv4_udp(50_123, 53, &payload)
    }

    #[test]
    fn the_last_fragment_completes_it_in_any_order() {
        let packet = long();
        let parts = [part(&packet, 7, 0, 40), part(&packet, 7, 40, 80), part(&packet, 7, 80, 200)];
        let whole = packet[28..].to_vec();
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let frames = order.map(|at: usize| parts[at].clone());
            let (out, counters) = run(ReassemblyLimits::default(), &frames);
            assert_eq!(out, [(3, whole.clone(), true)]);
            assert_eq!((counters.fragments, counters.packets_reassembled), (3, 1));
        }
    }

    #[test]
    fn fragments_are_held_unless_their_ports_tell_otherwise() {
        let sliced = |bytes: &[u8]| slice(&frame(101, 1, bytes), &Ports::default()) == Sliced::Held;
        assert!(sliced(&part(&long(), 7, 0, 40)));
        assert!(sliced(&part(&long(), 7, 40, 80)));
        assert!(!sliced(&part(&ipv4_udp(1, 2, &[0; 90]), 7, 0, 40)));
    }

    #[test]
    fn without_the_rest_the_beginning_is_handed_on_when_its_time_is_up() {
        let packet = long();
        let (out, counters) = run(ReassemblyLimits::default(), &[part(&packet, 7, 0, 40)]);
        assert_eq!(out, [(1, packet[28..60].to_vec(), false)]);
        assert_eq!((counters.packets_timed_out, counters.messages_cut), (1, 1));
        let (out, _) = run(ReassemblyLimits::default(), &[part(&packet, 7, 40, 80)]);
        assert_eq!(out, [], "no ports, no question");
        let limits = ReassemblyLimits { packet_wait: Span(1_500_000), ..Default::default() };
        let frames = [part(&packet, 7, 0, 40), ipv4_query(), ipv4_query()];
        let (out, _) = run(limits, &frames);
        assert_eq!(out[1], (1, packet[28..60].to_vec(), false), "before frame 3, after frame 2");
    }

    #[test]
    fn at_the_limit_the_oldest_goes() {
        let packet = long();
        let limits = ReassemblyLimits { packets: 2, ..Default::default() };
        let firsts: Vec<_> = (1..=4).map(|id| part(&packet, id, 0, 40)).collect();
        let (out, counters) = run(limits, &firsts);
        assert_eq!(out.iter().map(|(frame, ..)| *frame).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((counters.packets_evicted, counters.packets_timed_out), (2, 2));
        let limits = ReassemblyLimits { packet_octets: 400, ..Default::default() };
        let (_, counters) = run(limits, &firsts);
        assert!(counters.packets_evicted > 0);
    }

    #[test]
    fn what_came_first_is_kept_and_overlaps_are_counted() {
        let packet = long();
        let mut evil = part(&packet, 7, 32, 80);
        evil[20..].fill(0xee);
        let frames =
            [part(&packet, 7, 0, 40), evil, part(&packet, 7, 0, 40), part(&packet, 7, 80, 200)];
        let (out, counters) = run(ReassemblyLimits::default(), &frames);
        let mut expected = packet[28..].to_vec();
        expected[32..72].fill(0xee);
        assert_eq!(out, [(4, expected, true)]);
        assert_eq!((counters.fragments_overlapping, counters.fragments_repeated), (1, 1));
    }

    #[test]
    fn contradictions_are_refused() {
        let packet = long();
        let mut early_end = part(&packet, 7, 40, 80);
        early_end[6] &= 0x1f;
        let frames = [
            part(&packet, 7, 0, 40),
            part(&packet, 7, 80, 200),
            early_end,
            part(&packet, 7, 40, 80),
        ];
        let (out, counters) = run(ReassemblyLimits::default(), &frames);
        assert_eq!((out.len(), counters.fragments_refused), (1, 1));
        assert_eq!(out[0], (4, packet[28..].to_vec(), true));
        let odd = part(&packet, 8, 0, 41);
        assert_eq!(run(ReassemblyLimits::default(), &[odd]).1.fragments_refused, 1);
    }

    #[test]
    fn ipv6_fragments_and_fragmented_tunnels() {
        let inner = ipv6_query();
        let (header, udp) = inner.split_at(40);
        let v6 = |offset: u8, more: u8, bytes: &[u8]| {
            let mut out = [header, &[17, 0, 0, offset | more, 0, 1, 2, 3], bytes].concat();
            out[6] = 44;
            let len = (out.len() - 40) as u16;
            out[4..6].copy_from_slice(&len.to_be_bytes());
            out
        };
        let parts = [v6(0, 1, &udp[..16]), v6(16, 0, &udp[16..])];
        assert_eq!(run(ReassemblyLimits::default(), &parts).0, [(2, QUERY.to_vec(), true)]);
        // Each fragment again in fragments, inside an IPv4 tunnel.
        let tunnelled: Vec<_> = parts
            .iter()
            .zip(1..)
            .flat_map(|(inner, id)| {
                let outer = ipv4(41, inner);
                [part(&outer, id, 0, 24), part(&outer, id, 24, 500)]
            })
            .collect();
        assert_eq!(run(ReassemblyLimits::default(), &tunnelled).0, [(4, QUERY.to_vec(), true)]);
    }

    #[test]
    fn a_first_fragment_cut_by_the_snaplen_is_read_at_once() {
        let first = part(&long(), 7, 0, 80);
        let Sliced::Datagram { payload, whole, .. } =
            slice(&frame(101, 1, &first[..60]), &Ports::default())
        else {
            panic!("it has the ports and the question");
        };
        assert_eq!((payload.len(), whole), (32, false));
    }

    proptest! {
        #[test]
        fn any_cuts_in_any_order_with_repeats_give_the_packet(
            len in 30usize..600,
            mut cuts in proptest::collection::vec(1usize..75, 0..12),
            order in any::<prop::sample::Index>(),
            repeats in proptest::collection::vec(any::<bool>(), 14),
        ) {
            let payload: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let packet = ipv4_udp(50_123, 53, &payload);
            cuts.extend([0, 1]);
            let mut cuts: Vec<usize> =
                cuts.iter().map(|cut| cut * 8).filter(|&cut| cut < packet.len() - 20).collect();
            cuts.push(packet.len() - 20);
            cuts.sort_unstable();
            cuts.dedup();
            let mut frames = Vec::new();
            for (pair, repeat) in cuts.windows(2).zip(&repeats) {
                frames.push(part(&packet, 7, pair[0], pair[1]));
                if *repeat {
                    frames.push(part(&packet, 7, pair[0], pair[1]));
                }
            }
            let by = order.index(frames.len());
            frames.rotate_left(by);
            let (out, _) = run(ReassemblyLimits::default(), &frames);
            prop_assert_eq!(out.len(), 1);
            prop_assert_eq!((&out[0].1, out[0].2), (&payload, true));
        }
    }
}
