//! One direction of a TCP connection: octets in order, cut into messages.
//!
//! A message stands behind its length in two octets (RFC 1035 section 4.2.2, RFC 7766 section 8), and
//! nothing marks where one begins. From the SYN on, the lengths lead from one to the next. Where the
//! capture begins in the middle, or lacks a segment, the start of a message has to be guessed: a
//! segment that looks like one is believed, and doubted again if its first message is no DNS.

use super::reassembly::{Each, ReassemblyCounters};
use super::walk::Segment;
use super::{Envelope, framing};
use crate::time::Timestamp;

/// A segment this far behind what is awaited is of another connection, whose SYN was not captured.
const BEHIND_MAX: usize = 1 << 20;

/// The most segments that wait behind a gap.
const AHEAD_MAX: usize = 128;

/// What comes with a segment: whose it is, and where messages go.
pub(super) struct Arrival<'c, 'e, 'f> {
    pub envelope: Envelope,
    pub counters: &'c mut ReassemblyCounters,
    pub each: &'e mut Each<'f>,
}

/// One direction of a connection.
pub(super) struct HalfStream {
    /// The first sequence number that was seen, behind the SYN if there was one.
    start: u32,
    /// The sequence number that is awaited.
    next: u32,
    framing: Framing,
    /// The beginning of a message, with its length, up to `next`.
    pending: Vec<u8>,
    /// The frame that brought the last of `pending`.
    last: Envelope,
    /// Segments behind a gap, in sequence.
    ahead: Vec<Ahead>,
    /// The sum of their octets.
    ahead_octets: usize,
    /// Whether a FIN or a reset has been seen.
    closed: bool,
    /// Since when it waits, and for which sequence number.
    waiting: Option<(Timestamp, u32)>,
}

/// Whether it is known where messages begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// No: the next segment may begin with one.
    Lost,
    /// A segment looked like it.
    Guessed,
    /// Yes.
    Known,
}

/// A segment that came early.
struct Ahead {
    sequence: u32,
    /// Its octets on the wire.
    len: u32,
    bytes: Vec<u8>,
    envelope: Envelope,
}

impl HalfStream {
    /// A half-stream that begins with `segment`, which is still to be pushed.
    pub fn new(segment: &Segment<'_>, envelope: Envelope) -> HalfStream {
        let start = first_of(segment);
        HalfStream {
            start,
            next: start,
            framing: if segment.syn { Framing::Known } else { Framing::Lost },
            pending: Vec::new(),
            last: envelope,
            ahead: Vec::new(),
            ahead_octets: 0,
            closed: false,
            waiting: None,
        }
    }

    /// Whether `segment`, a SYN, is the one that this half-stream began with, or would have.
    pub fn began_with(&self, segment: &Segment<'_>) -> bool {
        self.start == first_of(segment)
    }

    /// Takes a segment; up to `ahead_octets_max` wait behind a gap.
    pub fn push(
        &mut self,
        segment: Segment<'_>,
        ahead_octets_max: usize,
        mut arrival: Arrival<'_, '_, '_>,
    ) {
        self.closed |= segment.fin || segment.rst;
        if segment.len == 0 {
            return;
        }
        let sequence = first_of(&segment);
        let distance = sequence.wrapping_sub(self.next).cast_signed();
        let far = if distance < 0 { BEHIND_MAX } else { ahead_octets_max };
        // Without framing, waiting would not tell where a message begins.
        let is_waiting_vain = distance > 0 && self.framing == Framing::Lost && !self.has_gap();
        if distance.unsigned_abs() as usize > far || is_waiting_vain {
            while self.has_gap() {
                self.give_up_gap(arrival.counters, arrival.each);
            }
            self.restart(sequence, &mut arrival);
            self.accept(sequence, segment.payload, segment.len, &mut arrival);
            return;
        }
        if distance <= 0 {
            self.accept(sequence, segment.payload, segment.len, &mut arrival);
            self.catch_up(&mut arrival);
            return;
        }
        self.keep(sequence, &segment, arrival.envelope, arrival.counters);
        while self.ahead_octets > ahead_octets_max || self.ahead.len() > AHEAD_MAX {
            self.give_up_gap(arrival.counters, arrival.each);
        }
    }

    /// The connection has ended, as seen from the other direction.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Since when it waits for a segment that may never come; `None` if it does not.
    pub fn waiting_since(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.has_gap() && (!self.closed || self.pending.is_empty()) {
            self.waiting = None;
            return None;
        }
        match self.waiting {
            // The stamp of the frame that it waits since may have been wrong, or the clock set back.
            Some((since, next)) if next == self.next => Some(since.min(now)),
            _ => {
                self.waiting = Some((now, self.next));
                Some(now)
            }
        }
    }

    /// Whether a FIN or a reset has been seen.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether segments wait behind a gap.
    pub fn has_gap(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// The octets that wait in it, with what it costs to keep them.
    pub fn octets(&self) -> usize {
        self.pending.len() + self.ahead_octets
    }

    /// Gives up the gap: the message that it cuts is handed on in part, and reading goes on behind it,
    /// where a segment looks like the start of a message.
    pub fn give_up_gap(&mut self, counters: &mut ReassemblyCounters, each: &mut Each<'_>) {
        self.give_up_message(counters, each);
        counters.gaps += 1;
        self.framing = Framing::Lost;
        while let Some(first) = self.ahead.first() {
            let is_behind = first.sequence.wrapping_sub(self.next).cast_signed() <= 0;
            if !is_behind && self.framing != Framing::Lost {
                break;
            }
            if !is_behind {
                self.next = first.sequence;
            }
            let piece = self.ahead.remove(0);
            self.ahead_octets -= piece.cost();
            let mut arrival = Arrival { envelope: piece.envelope, counters, each };
            self.accept(piece.sequence, &piece.bytes, piece.len, &mut arrival);
        }
    }

    /// Hands on what there is of the message that has begun.
    pub fn give_up_message(&mut self, counters: &mut ReassemblyCounters, each: &mut Each<'_>) {
        let pending = std::mem::take(&mut self.pending);
        let is_doubtful = self.framing == Framing::Guessed && !framing::looks_like_start(&pending);
        match pending.get(2..) {
            // Without a header it tells nothing.
            Some(message) if message.len() >= framing::HEADER_LEN && !is_doubtful => {
                counters.count_message(false);
                each(self.last, message, false);
            }
            _ => counters.octets_dropped += pending.len() as u64,
        }
    }

    /// Begins anew in the middle, at `sequence`.
    fn restart(&mut self, sequence: u32, arrival: &mut Arrival<'_, '_, '_>) {
        if self.framing != Framing::Lost {
            arrival.counters.gaps += 1;
        }
        self.give_up_message(arrival.counters, arrival.each);
        self.framing = Framing::Lost;
        self.next = sequence;
        self.start = sequence;
    }

    /// Takes a segment that begins at `next` or before, of which `bytes` of `len` octets were captured.
    fn accept(&mut self, sequence: u32, bytes: &[u8], len: u32, arrival: &mut Arrival<'_, '_, '_>) {
        let skip = self.next.wrapping_sub(sequence);
        let Some(new) = len.checked_sub(skip).filter(|&new| new > 0) else {
            arrival.counters.segments_repeated += 1;
            return;
        };
        let bytes = bytes.get(skip as usize..).unwrap_or_default();
        self.feed(bytes, arrival);
        self.next = self.next.wrapping_add(new);
        if bytes.len() < new as usize {
            // The snaplen cut it: a gap that nothing will fill.
            arrival.counters.gaps += 1;
            self.give_up_message(arrival.counters, arrival.each);
            self.framing = Framing::Lost;
        }
    }

    /// Takes from `ahead` what is due now that the gap before it has been filled.
    fn catch_up(&mut self, arrival: &mut Arrival<'_, '_, '_>) {
        while let Some(first) = self.ahead.first() {
            if first.sequence.wrapping_sub(self.next).cast_signed() > 0 {
                break;
            }
            let piece = self.ahead.remove(0);
            self.ahead_octets -= piece.cost();
            self.accept(piece.sequence, &piece.bytes, piece.len, arrival);
        }
    }

    /// Keeps a segment that came early.
    fn keep(
        &mut self,
        sequence: u32,
        segment: &Segment<'_>,
        envelope: Envelope,
        counters: &mut ReassemblyCounters,
    ) {
        let distance = |at: u32| at.wrapping_sub(self.next);
        let end = distance(sequence) + segment.len;
        let at = self.ahead.partition_point(|piece| distance(piece.sequence) <= distance(sequence));
        let before = at.checked_sub(1).and_then(|before| self.ahead.get(before));
        if before.is_some_and(|piece| distance(piece.sequence) + piece.len >= end) {
            counters.segments_repeated += 1;
            return;
        }
        let bytes = segment.payload.to_vec();
        let piece = Ahead { sequence, len: segment.len, bytes, envelope };
        self.ahead_octets += piece.cost();
        self.ahead.insert(at, piece);
    }

    /// Cuts octets that are in order into messages.
    fn feed(&mut self, bytes: &[u8], arrival: &mut Arrival<'_, '_, '_>) {
        if self.framing == Framing::Lost {
            if !framing::looks_like_start(bytes) {
                arrival.counters.octets_dropped += bytes.len() as u64;
                return;
            }
            self.framing = Framing::Guessed;
        }
        let mut rest = bytes;
        if !self.pending.is_empty() {
            // Two steps, as the length itself may have been cut: first its two octets, then the rest.
            for _ in 0..2 {
                let wanted = framing::wanted(&self.pending).saturating_sub(self.pending.len());
                let (more, behind) = rest.split_at(wanted.min(rest.len()));
                self.pending.extend_from_slice(more);
                rest = behind;
            }
            if self.pending.len() < 2 || self.pending.len() < framing::wanted(&self.pending) {
                self.last = arrival.envelope;
                return;
            }
            let pending = std::mem::take(&mut self.pending);
            self.hand_on(&pending, arrival);
        }
        while rest.len() >= 2
            && self.framing != Framing::Lost
            && let Some((framed, behind)) = rest.split_at_checked(framing::wanted(rest))
        {
            rest = behind;
            self.hand_on(framed, arrival);
        }
        if self.framing == Framing::Lost {
            arrival.counters.octets_dropped += rest.len() as u64;
        } else if !rest.is_empty() {
            self.pending.extend_from_slice(rest);
            self.last = arrival.envelope;
        }
    }

    /// Hands on a message that stands behind its length in `framed`.
    fn hand_on(&mut self, framed: &[u8], arrival: &mut Arrival<'_, '_, '_>) {
        if self.framing == Framing::Guessed {
            if !framing::looks_like_start(framed) {
                self.framing = Framing::Lost;
                arrival.counters.octets_dropped += framed.len() as u64;
                return;
            }
            self.framing = Framing::Known;
        }
        match framed.get(2..) {
            Some(message) if message.len() >= framing::HEADER_LEN => {
                arrival.counters.count_message(true);
                (arrival.each)(arrival.envelope, message, true);
            }
            _ => arrival.counters.octets_dropped += framed.len() as u64,
        }
    }
}

impl Ahead {
    fn cost(&self) -> usize {
        size_of::<Ahead>() + self.bytes.len()
    }
}

/// The sequence number of a segment's first octet of payload: a SYN takes one (RFC 9293 section 3.4).
fn first_of(segment: &Segment<'_>) -> u32 {
    segment.sequence.wrapping_add(u32::from(segment.syn))
}
