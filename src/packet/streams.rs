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

    /// The octets that wait in all of them.
    #[cfg(test)]
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.halves.len()
    }

    /// What is due later than if a segment of it came now, is due then.
    pub fn bring_forward(&mut self, now: Timestamp) {
        self.halves.bring_forward(now + self.limits.stream_idle);
    }

    /// Takes a segment, which came at a time, and hands on the messages that it completes.
    ///
    /// 1. A SYN begins a half-stream. One that is there under its ports is over, unless this SYN is the
    ///    one that it began with.
    /// 2. Data of an unknown half-stream begins one too, in the middle.
    /// 3. A reset ends both directions: their gaps will not be filled for long.
    pub fn push(
        &mut self,
        (envelope, came): (Envelope, Timestamp),
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
            self.halves.insert(key, half, came + self.limits.stream_idle);
        }
        if let Some(half) = self.halves.get_mut(&key) {
            let before = half.octets();
            let arrival = Arrival { envelope, counters, each };
            half.push(segment, self.limits.stream_ahead_octets, arrival);
            self.octets = self.octets + half.octets() - before;
            self.settle(&key, came);
        }
        if segment.rst {
            let back = (key.1, key.0);
            if let Some(half) = self.halves.get_mut(&back) {
                half.close();
                self.settle(&back, came);
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
                None if half.is_closed() => now + self.limits.stream_closed,
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

#[cfg(test)]
mod tests {
    use super::super::tests::{QUERY, frame, ipv4};
    use super::super::{Ports, Reassembly};
    use super::*;
    use crate::frame::Frame;
    use proptest::prelude::*;

    const SYN: u8 = 2;
    const FIN: u8 = 1;
    const RST: u8 = 4;
    const ACK: u8 = 16;
    const ISN: u32 = 0xffff_fff0;

    /// A segment from client to server whose first octet has the place `at` in the stream.
    fn segment(flags: u8, at: u32, payload: &[u8]) -> Vec<u8> {
        let sequence = if flags & SYN == 0 { ISN.wrapping_add(1 + at) } else { ISN };
        let tcp = [
            &[0xc3, 0xcb, 0, 53][..],
            &sequence.to_be_bytes(),
            &[0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0],
            payload,
        ];
        ipv4(6, &tcp.concat())
    }

    /// A query with its length, told apart by its identifier.
    fn message(id: u16) -> Vec<u8> {
        let query = [&id.to_be_bytes()[..], &QUERY[2..]].concat();
        [&(query.len() as u16).to_be_bytes()[..], &query].concat()
    }

    /// The messages that come of these frames: frame, identifier, whole.
    struct Run {
        reassembly: Reassembly,
        out: Vec<(u64, u16, bool)>,
        number: u64,
    }

    impl Run {
        fn new(limits: ReassemblyLimits) -> Run {
            let reassembly = Reassembly::new(limits, Ports::default());
            Run { reassembly, out: Vec::new(), number: 0 }
        }

        fn push_at(&mut self, milliseconds: i64, bytes: &[u8]) {
            self.number += 1;
            let time = Timestamp(milliseconds * 1_000_000);
            let out = &mut self.out;
            self.reassembly.push(
                &Frame { time, ..frame(101, self.number, bytes) },
                &mut |e, p, w| {
                    out.push((e.frame.number(), u16::from_be_bytes([p[0], p[1]]), w));
                },
            );
        }

        fn finish(mut self) -> (Vec<(u64, u16, bool)>, ReassemblyCounters) {
            let out = &mut self.out;
            self.reassembly.finish(&mut |e, p, w| {
                out.push((e.frame.number(), u16::from_be_bytes([p[0], p[1]]), w));
            });
            assert_eq!(self.reassembly.waiting_octets(), 0, "nothing is left behind");
            (self.out, self.reassembly.counters())
        }
    }

    fn run(frames: &[Vec<u8>]) -> (Vec<(u64, u16, bool)>, ReassemblyCounters) {
        let mut run = Run::new(ReassemblyLimits::default());
        for bytes in frames {
            run.push_at(0, bytes);
        }
        run.finish()
    }

    #[test]
    fn several_messages_in_a_segment_and_one_over_several() {
        let stream = [message(1), message(2), message(3)].concat();
        let (out, _) = run(&[segment(SYN, 0, b""), segment(ACK, 0, &stream)]);
        assert_eq!(out, [(2, 1, true), (2, 2, true), (2, 3, true)]);
        let octets: Vec<_> =
            stream.iter().zip(0..).map(|(octet, at)| segment(ACK, at, &[*octet])).collect();
        let (out, counters) = run(&[&[segment(SYN, 0, b"")], &octets[..]].concat());
        let len = message(1).len() as u64;
        assert_eq!(out, [(1 + len, 1, true), (1 + 2 * len, 2, true), (1 + 3 * len, 3, true)]);
        assert_eq!((counters.streams_opened, counters.messages), (1, 3));
    }

    #[test]
    fn a_syn_may_bring_data_and_may_be_repeated() {
        let open = segment(SYN, 0, &message(1));
        let again = segment(ACK, 0, &message(1));
        let (out, counters) = run(&[open.clone(), open, again]);
        assert_eq!(out, [(1, 1, true)]);
        assert_eq!((counters.segments_repeated, counters.streams_opened), (2, 1));
    }

    #[test]
    fn retransmissions_overlaps_and_keep_alives_bring_nothing_twice() {
        let stream = [message(1), message(2)].concat();
        let (out, _) = run(&[
            segment(SYN, 0, b""),
            segment(ACK, 0, &stream[..30]),
            segment(ACK, 0, &stream[..30]),
            segment(ACK, 29, b"\0"),
            segment(ACK, 10, &stream[10..]),
            segment(ACK | FIN, 0, &stream),
        ]);
        assert_eq!(out, [(2, 1, true), (5, 2, true)]);
    }

    #[test]
    fn early_segments_wait_for_the_gap_to_be_filled() {
        let len = message(1).len() as u32;
        let (out, counters) = run(&[
            segment(SYN, 0, b""),
            segment(ACK, 2 * len, &message(3)),
            segment(ACK, len, &message(2)),
            segment(ACK | FIN, 3 * len, &message(4)),
            segment(ACK, 0, &message(1)),
        ]);
        assert_eq!(out, [(5, 1, true), (5, 2, true), (5, 3, true), (5, 4, true)]);
        assert_eq!(counters.gaps, 0);
    }

    #[test]
    fn a_gap_is_given_up_after_its_wait_and_reading_goes_on_at_a_message() {
        let len = message(1).len() as u32;
        let mut run = Run::new(ReassemblyLimits::default());
        run.push_at(0, &segment(SYN, 0, b""));
        run.push_at(1, &segment(ACK, 0, &[message(1), message(2)].concat()[..len as usize + 20]));
        run.push_at(2, &segment(ACK, 2 * len, &message(3)));
        run.push_at(900, &segment(ACK, 3 * len, &message(4)));
        assert_eq!(run.out, [(2, 1, true)]);
        run.push_at(1100, &segment(ACK, 4 * len, &message(5)));
        let (out, counters) = run.finish();
        assert_eq!(
            out,
            [(2, 1, true), (2, 2, false), (3, 3, true), (4, 4, true), (5, 5, true)],
            "what there is of the second message, and all behind the gap"
        );
        assert_eq!(counters.gaps, 1);
    }

    #[test]
    fn one_wrong_stamp_gives_nothing_up_and_does_not_keep_what_it_brings_for_ever() {
        const DAY: i64 = 86_400_000;
        let whole = message(1);
        let (first, rest) = whole.split_at(10);
        let elsewhere = ipv4(17, &[0; 8]);
        for wrong in [DAY, -DAY, 11_000, -11_000] {
            // Of another frame, of the beginning, and of the rest.
            for (between, begins, ends) in [(Some(wrong), 0, 0), (None, wrong, 0), (None, 0, wrong)]
            {
                let mut run = Run::new(ReassemblyLimits::default());
                run.push_at(0, &elsewhere);
                run.push_at(0, &segment(SYN, 0, b""));
                run.push_at(1 + begins, &segment(ACK, 0, first));
                if let Some(wrong) = between {
                    run.push_at(2 + wrong, &elsewhere);
                }
                run.push_at(3 + ends, &segment(ACK, 10, rest));
                run.push_at(4, &elsewhere);
                let whole: Vec<_> = run.out.iter().map(|(_, id, whole)| (*id, *whole)).collect();
                assert_eq!(whole, [(1, true)], "{wrong} {between:?} {begins} {ends}");
                // It is forgotten when others are.
                run.push_at(130_000, &elsewhere);
                run.push_at(130_001, &elsewhere);
                assert_eq!(run.reassembly.streams(), 0, "{wrong} {between:?} {begins} {ends}");
            }
        }
    }

    #[test]
    fn time_goes_on_after_silence_and_after_a_clock_was_set_back() {
        let len = message(1).len() as u32;
        for later in [40_000, -3_600_000] {
            let mut run = Run::new(ReassemblyLimits::default());
            run.push_at(0, &segment(SYN, 0, b""));
            run.push_at(1, &segment(ACK, len, &message(2)));
            // It is clear with the second frame, and nothing that comes then is lost.
            run.push_at(later, &segment(ACK, 2 * len, &message(3)));
            run.push_at(later + 1, &segment(ACK, 3 * len, &message(4)));
            run.push_at(later + 2_000, &segment(ACK, 4 * len, &message(5)));
            run.push_at(later + 2_001, &segment(ACK, 5 * len, &message(6)));
            let ids: Vec<u16> = run.out.iter().map(|(_, id, _)| *id).collect();
            assert_eq!(ids, [2, 3, 4, 5, 6], "{later}");
        }
    }

    #[test]
    fn frames_far_apart_from_each_other_still_tell_the_time() {
        let mut run = Run::new(ReassemblyLimits::default());
        for minutes in 0..10 {
            let mut begun = segment(ACK, 0, &message(1)[..20]);
            begun[20] = minutes as u8;
            run.push_at(minutes * 60_000, &begun);
            assert!(run.reassembly.streams() <= 4, "{minutes}");
        }
    }

    #[test]
    fn begun_in_the_middle_it_starts_where_a_message_does() {
        let (out, counters) = run(&[
            segment(ACK, 0, &message(1)[9..]),
            segment(ACK, 100, b"GET / HTTP/1.1"),
            segment(ACK, 114, &message(2)),
            segment(ACK, 114 + message(2).len() as u32, &message(3)),
        ]);
        assert_eq!(out, [(3, 2, true), (4, 3, true)]);
        assert_eq!((counters.streams_midway, counters.streams_opened), (1, 0));
        assert!(counters.octets_dropped > 14);
        // Some stacks send the length by itself.
        let (out, _) = run(&[segment(ACK, 0, &message(7)[..2]), segment(ACK, 2, &message(7)[2..])]);
        assert_eq!(out, [(2, 7, true)]);
    }

    #[test]
    fn a_reset_ends_the_wait_of_both_directions() {
        let mut run = Run::new(ReassemblyLimits::default());
        run.push_at(0, &segment(SYN, 0, b""));
        run.push_at(0, &segment(ACK, 0, &message(1)[..25]));
        let mut reset = segment(ACK | RST, 0, b"");
        reset[12..20].rotate_left(4);
        reset[20..24].rotate_left(2);
        run.push_at(0, &reset);
        assert_eq!(run.out, []);
        run.push_at(1001, &segment(ACK, 5_000, b"elsewhere"));
        assert_eq!(run.out, [(2, 1, false)]);
    }

    #[test]
    fn what_has_ended_is_remembered_for_what_was_sent_again_and_no_longer() {
        let mut run = Run::new(ReassemblyLimits::default());
        let all = segment(ACK | FIN, 0, &message(1));
        run.push_at(0, &segment(SYN, 0, b""));
        run.push_at(1, &all);
        run.push_at(9_000, &all);
        assert_eq!((run.out.as_slice(), run.reassembly.streams()), (&[(2, 1, true)][..], 1));
        run.push_at(20_000, &ipv4(17, &[0; 8]));
        run.push_at(20_000, &ipv4(17, &[0; 8]));
        assert_eq!(run.reassembly.streams(), 0);
        // One that lacks its end is waited for.
        run.push_at(30_000, &segment(SYN, 0, b""));
        run.push_at(100_000, &ipv4(17, &[0; 8]));
        assert_eq!(run.reassembly.streams(), 1);
    }

    #[test]
    fn ports_used_again_begin_a_new_stream() {
        let mut later = segment(SYN, 0, b"");
        later[24..28].copy_from_slice(&77u32.to_be_bytes());
        let mut data = segment(ACK, 0, &message(2));
        data[24..28].copy_from_slice(&78u32.to_be_bytes());
        let (out, counters) =
            run(&[segment(SYN, 0, b""), segment(ACK, 0, &message(1)[..20]), later, data]);
        assert_eq!(out, [(2, 1, false), (4, 2, true)]);
        assert_eq!(counters.streams_opened, 2);
    }

    #[test]
    fn a_connection_whose_syn_was_lost_does_not_wait_for_the_one_before() {
        let far = |at: u32, id: u16| segment(ACK, at, &message(id));
        let (out, _) = run(&[
            segment(SYN, 0, b""),
            far(0, 1),
            far(90_000, 2),
            far(2_000_000_000, 3),
            far(28, 4),
            far(28 + 56, 6),
            far(28 + 28, 5),
        ]);
        let ids: Vec<_> = out.iter().map(|(_, id, _)| *id).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_segment_cut_by_the_snaplen_gives_the_beginning_of_its_message() {
        let cut = segment(ACK, 0, &message(1));
        let len = message(1).len() as u32;
        let (out, counters) =
            run(&[segment(SYN, 0, b""), cut[..40 + 20].to_vec(), segment(ACK, len, &message(2))]);
        assert_eq!(out, [(2, 1, false), (3, 2, true)]);
        assert_eq!(counters.gaps, 1);
    }

    #[test]
    fn at_the_limits_the_oldest_goes_with_what_it_has() {
        let from = |port: u16, bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[20..22].copy_from_slice(&port.to_be_bytes());
            bytes
        };
        for limits in [
            ReassemblyLimits { streams: 2, ..Default::default() },
            ReassemblyLimits { stream_octets: 60, ..Default::default() },
        ] {
            let mut run = Run::new(limits);
            for port in 1..=4 {
                run.push_at(0, &from(1000 + port, &segment(SYN, 0, &message(port)[..25])));
            }
            assert_eq!(run.out, [(1, 1, false), (2, 2, false)]);
            assert_eq!(run.reassembly.counters().streams_evicted, 2);
        }
        let limits = ReassemblyLimits { stream_ahead_octets: 200, ..Default::default() };
        let mut run = Run::new(limits);
        run.push_at(0, &segment(SYN, 0, b""));
        for at in 1..=4 {
            run.push_at(0, &segment(ACK, at * 30 + 1, &message(at as u16)));
        }
        assert_eq!(run.out.first(), Some(&(2, 1, true)), "too much waited: the gap was given up");
    }

    proptest! {
        #[test]
        fn any_cuts_repeated_and_out_of_order_give_each_message_once(
            count in 1u16..12,
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
            swaps in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
            repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let stream: Vec<u8> = (0..count).flat_map(message).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut frames: Vec<_> = cuts
                .windows(2)
                .map(|pair| segment(ACK, pair[0] as u32, &stream[pair[0]..pair[1]]))
                .collect();
            for repeat in repeats {
                let at = repeat.index(frames.len());
                frames.insert(at, frames[at].clone());
            }
            for swap in swaps {
                let at = swap.index(frames.len());
                let other = (at + 3).min(frames.len() - 1);
                frames.swap(at, other);
            }
            frames.insert(0, segment(SYN, 0, b""));
            let (out, counters) = run(&frames);
            let ids: Vec<_> = out.iter().map(|(_, id, whole)| (*id, *whole)).collect();
            prop_assert_eq!(ids, (0..count).map(|id| (id, true)).collect::<Vec<_>>());
            prop_assert_eq!((counters.gaps, counters.octets_dropped), (0, 0));
        }
    }
}
