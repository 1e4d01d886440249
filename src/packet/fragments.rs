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
use crate::time::Timestamp;

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

    /// Takes a fragment and returns the packet if it is the last that was missing.
    pub fn push(
        &mut self,
        envelope: Envelope,
        fragment: Fragment,
        bytes: &[u8],
        due: Timestamp,
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
        let before = packet.cost();
        packet.add(start, bytes, fragment.more, counters);
        if start == 0 {
            packet.first.get_or_insert(envelope);
        }
        let after = packet.cost();
        let is_complete = packet.len == Some(packet.covered);
        self.octets = self.octets + after - before;
        if !is_complete {
            return None;
        }
        let packet = self.packets.remove(&key)?;
        self.octets -= packet.cost();
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
        counters.packets_timed_out += 1;
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
        counters.packets_evicted += 1;
        Some(self.give_up(key, packet))
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
