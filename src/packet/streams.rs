//! TCP half-streams, and when each is given up.

use super::Envelope;
use super::half_stream::{Arrival, HalfStream};
use super::reassembly::{Each, ReassemblyCounters, ReassemblyLimits};
use super::table::Table;
use super::walk::Segment;
use crate::flow::Endpoint;
use crate::time::Timestamp;

/// From where to where. The other direction has the two swapped.
type Key = (Endpoint, Endpoint);

/// The half-streams that are remembered.
///
/// Directions are apart, because a mirror port may show one only. They meet when a reset ends both.
pub(super) struct Streams {
    limits: ReassemblyLimits,
    halves: Table<Key, HalfStream>,
    /// The octets that wait in all of them.
    octets: usize,
}

impl Streams {
    pub fn new(limits: ReassemblyLimits) -> Streams {
        Streams { limits, halves: Table::new(), octets: 0 }
    }

    /// Takes a segment and hands on the messages that it completes.
    ///
    /// 1. A SYN begins a half-stream. One that is there under its ports is over, unless this SYN is the
    ///    one that it began with.
    /// 2. Data of an unknown half-stream begins one too, in the middle.
    /// 3. A reset ends both directions: their gaps will not be filled for long.
    pub fn push(
        &mut self,
        envelope: Envelope,
        segment: Segment<'_>,
        counters: &mut ReassemblyCounters,
        each: &mut Each<'_>,
    ) {
        let key = (envelope.flow.source, envelope.flow.destination);
        let known = self.halves.get_mut(&key).map(|half| half.began_with(&segment));
        let begins = segment.syn && known != Some(true);
        if begins && known.is_some() {
            self.give_up(&key, counters, each);
        }
        if begins || (known.is_none() && segment.len > 0) {
            if segment.syn {
                counters.streams_opened += 1;
            } else {
                counters.streams_midway += 1;
            }
            let half = HalfStream::new(&segment, envelope);
            self.halves.insert(key, half, envelope.time + self.limits.stream_idle);
        }
        if let Some(half) = self.halves.get_mut(&key) {
            let before = half.octets();
            let arrival = Arrival { envelope, counters, each };
            half.push(segment, self.limits.stream_ahead_octets, arrival);
            self.octets = self.octets + half.octets() - before;
            self.settle(&key, envelope.time);
        }
        if segment.rst {
            let back = (key.1, key.0);
            if let Some(half) = self.halves.get_mut(&back) {
                half.close();
                self.settle(&back, envelope.time);
            }
        }
        while self.halves.len() > self.limits.streams || self.octets > self.limits.stream_octets {
            let Some((_, half)) = self.halves.pop_first() else { break };
            counters.streams_evicted += 1;
            self.drain(half, counters, each);
        }
    }

    /// Gives up gaps and half-streams whose time is up by `now`.
    pub fn advance(
        &mut self,
        now: Timestamp,
        counters: &mut ReassemblyCounters,
        each: &mut Each<'_>,
    ) {
        while let Some((key, mut half)) = self.halves.pop_due(now) {
            if !half.has_gap() {
                self.drain(half, counters, each);
                continue;
            }
            let before = half.octets();
            half.give_up_gap(counters, each);
            self.octets = self.octets + half.octets() - before;
            self.halves.insert(key, half, now);
            self.settle(&key, now);
        }
    }

    /// Sets when a half-stream is due: soon if it waits for something that may never come.
    fn settle(&mut self, key: &Key, now: Timestamp) {
        if let Some(half) = self.halves.get_mut(key) {
            let due = match half.waiting_since(now) {
                Some(since) => since + self.limits.gap_wait,
                None => now + self.limits.stream_idle,
            };
            self.halves.set_due(key, due);
        }
    }

    fn give_up(&mut self, key: &Key, counters: &mut ReassemblyCounters, each: &mut Each<'_>) {
        if let Some(half) = self.halves.remove(key) {
            self.drain(half, counters, each);
        }
    }

    /// Hands on what can still be read of a half-stream that has left the table.
    fn drain(
        &mut self,
        mut half: HalfStream,
        counters: &mut ReassemblyCounters,
        each: &mut Each<'_>,
    ) {
        self.octets -= half.octets();
        while half.has_gap() {
            half.give_up_gap(counters, each);
        }
        half.give_up_message(counters, each);
    }
}
