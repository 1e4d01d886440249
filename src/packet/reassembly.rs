//! What needs more than one frame: IP fragments and TCP streams, in the order they were captured.

use super::fragments::{Assembled, Fragments};
use super::streams::Streams;
use super::walk::{Walk, WalkEnd};
use super::{Envelope, Ports};
use crate::frame::Frame;
use crate::time::{Span, Timestamp};

/// How often a reassembled packet may turn out to be a fragment of another, inside a tunnel.
const DEPTH_MAX: usize = 8;

/// Stamps that are so far from time are not merely out of order.
const FAR: Span = Span::from_secs(10);

/// Takes each DNS payload: who sent it, its octets, and whether it is whole.
pub(super) type Each<'e> = dyn FnMut(Envelope, &[u8], bool) + 'e;

/// How much is kept, and how long. At a limit the oldest goes, and a counter moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReassemblyLimits {
    /// The most packets of which fragments wait for others.
    pub packets: usize,
    /// The most octets that these fragments may occupy.
    pub packet_octets: usize,
    /// How long fragments wait, from the first one that was seen.
    pub packet_wait: Span,
    /// The most half-streams: two for each TCP connection.
    pub streams: usize,
    /// The most octets that wait in all of them.
    pub stream_octets: usize,
    /// The most octets of one half-stream that wait behind a gap.
    pub stream_ahead_octets: usize,
    /// How long a half-stream waits for a segment that is missing.
    pub gap_wait: Span,
    /// How long a half-stream is remembered after its last segment.
    pub stream_idle: Span,
    /// How long if it has ended and lacks nothing: so long a segment may come again that was sent before the end.
    pub stream_closed: Span,
}

/// What a busy mirror port needs: at most some 120 MB.
impl Default for ReassemblyLimits {
    fn default() -> ReassemblyLimits {
        ReassemblyLimits {
            packets: 8_192,
            packet_octets: 16 << 20,
            packet_wait: Span::from_secs(30),
            streams: 65_536,
            stream_octets: 64 << 20,
            stream_ahead_octets: 128 << 10,
            gap_wait: Span::from_secs(1),
            stream_idle: Span::from_secs(120),
            stream_closed: Span::from_secs(10),
        }
    }
}

/// What came and went. All count from the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReassemblyCounters {
    /// IP fragments that may have led to DNS.
    pub fragments: u64,
    /// Fragments that were there already: retransmitted, or mirrored twice.
    pub fragments_repeated: u64,
    /// Fragments that partly covered others; what came first was kept.
    pub fragments_overlapping: u64,
    /// Fragments that contradicted themselves or others.
    pub fragments_refused: u64,
    /// Packets put together.
    pub packets_reassembled: u64,
    /// Packets given up because their other fragments did not come in time, or before the end.
    pub packets_timed_out: u64,
    /// Packets given up at the limit.
    pub packets_evicted: u64,
    /// Half-streams seen from their SYN.
    pub streams_opened: u64,
    /// Half-streams seen from somewhere in the middle.
    pub streams_midway: u64,
    /// Half-streams forgotten at the limit.
    pub streams_evicted: u64,
    /// TCP segments that brought nothing new.
    pub segments_repeated: u64,
    /// Gaps in a stream that were given up, cuts at the snaplen included.
    pub gaps: u64,
    /// Octets of streams in which no message was recognised.
    pub octets_dropped: u64,
    /// DNS messages handed on whole.
    pub messages: u64,
    /// DNS messages handed on in part, because the rest was not captured.
    pub messages_cut: u64,
}

impl ReassemblyCounters {
    /// Packets of which fragments never came.
    pub fn packets_given_up(&self) -> u64 {
        self.packets_timed_out + self.packets_evicted
    }

    /// Gaps in TCP streams, and streams that were forgotten.
    pub fn stream_gaps(&self) -> u64 {
        self.gaps + self.streams_evicted
    }
}

impl ReassemblyCounters {
    pub(super) fn count_message(&mut self, whole: bool) {
        if whole {
            self.messages += 1;
        } else {
            self.messages_cut += 1;
        }
    }
}

/// Fragments and streams, where order is known.
///
/// Time is that of the frames: what has waited too long is given up when a later frame comes, or at
/// [`Reassembly::finish`]. One wrong stamp does not move it (`Pace`). The messages and their order follow from the
/// frames pushed, and the stamps of those before them, and nothing else.
pub struct Reassembly {
    ports: Ports,
    waiting: Waiting,
    pace: Pace,
}

/// How far time has come for what waits. It is told by two frames: a message whose parts are there would else be given up
/// for a single frame, of whatever, whose stamp is a day ahead.
///
/// 1. The stamp of the frame before is so if this one's is not far behind it.
/// 2. A stamp near that, or out of order by some seconds, is taken as it is.
/// 3. One that is far ahead moves nothing before the next has come (1). What it brings waits from its stamp on.
/// 4. One that is far behind came now; if the one before is there too, the clock was set back, and time with it.
///
/// What waits past all measure after that, because a stamp was wrong or the clock was set back, waits no longer than what
/// comes now ([`Waiting::bring_forward`]).
#[derive(Debug, Default)]
struct Pace {
    now: Option<Timestamp>,
    /// The stamp of the frame before.
    before: Option<Timestamp>,
    /// Whether something may wait past all measure.
    is_doubtful: bool,
}

impl Pace {
    /// Reads the stamp of the next frame: when it came, as far as that is known.
    fn read(&mut self, stamp: Timestamp) -> Timestamp {
        let now = self.now.unwrap_or(stamp);
        let before = self.before.replace(stamp).unwrap_or(stamp);
        let now = if before - stamp <= FAR { now.max(before) } else { now };
        let off = stamp - now;
        let (now, came) = if off > FAR {
            (now, stamp)
        } else if now - stamp <= FAR {
            (now.max(stamp), now.max(stamp))
        } else if (before - stamp).abs() <= FAR {
            (stamp, stamp)
        } else {
            (now, now)
        };
        self.is_doubtful |= came != now || self.now.is_some_and(|known| now < known);
        self.now = Some(now);
        came
    }
}

impl Reassembly {
    /// An empty one. `ports` are those that [`slice`](super::slice()) is given.
    pub fn new(limits: ReassemblyLimits, ports: Ports) -> Reassembly {
        let waiting = Waiting {
            limits,
            fragments: Fragments::new(),
            streams: Streams::new(limits),
            counters: ReassemblyCounters::default(),
            came: Timestamp::default(),
        };
        Reassembly { ports, waiting, pace: Pace::default() }
    }

    /// Takes a frame that [`slice`](super::slice()) held and calls `each` for every DNS payload that it
    /// completes: a UDP payload, or each message of a TCP stream, in stream order and without its
    /// length. The envelope is that of this frame.
    ///
    /// What has waited too long by the time of this frame is given up first, if that is so (`Pace`). What there is of it goes
    /// to `each` as not whole, with the envelope of the frame that brought it: the question is mostly
    /// there.
    pub fn push(&mut self, frame: &Frame<'_>, each: &mut dyn FnMut(Envelope, &[u8], bool)) {
        let was_doubtful = std::mem::take(&mut self.pace.is_doubtful);
        self.waiting.came = self.pace.read(frame.time);
        let now = self.pace.now.unwrap_or(frame.time);
        if was_doubtful {
            self.waiting.bring_forward(now);
        }
        self.waiting.advance(now, &self.ports, each);
        let found = Walk::of(frame, &self.ports).frame(frame);
        self.waiting.take(found, &self.ports, 0, each);
    }

    /// Notes the stamp of the frame before the one that is pushed next, where that was not pushed.
    pub fn passes(&mut self, before: Timestamp) {
        self.pace.before = Some(before);
    }

    /// The capture has ended: gives up whatever waits.
    pub fn finish(&mut self, each: &mut dyn FnMut(Envelope, &[u8], bool)) {
        self.waiting.advance(Timestamp(i64::MAX), &self.ports, each);
    }

    /// The octets that wait, in fragments and in streams.
    #[cfg(test)]
    pub(super) fn waiting_octets(&self) -> usize {
        self.waiting.fragments.octets() + self.waiting.streams.octets()
    }

    /// How many half-streams are remembered.
    #[cfg(test)]
    pub(super) fn streams(&self) -> usize {
        self.waiting.streams.len()
    }

    /// What came and went so far.
    pub fn counters(&self) -> ReassemblyCounters {
        self.waiting.counters
    }
}

/// All that changes, apart from the ports, which a walk borrows meanwhile.
struct Waiting {
    limits: ReassemblyLimits,
    fragments: Fragments,
    streams: Streams,
    counters: ReassemblyCounters,
    /// When the frame at hand came.
    came: Timestamp,
}

impl Waiting {
    /// What is due later than anything that comes now can be, is due then.
    fn bring_forward(&mut self, now: Timestamp) {
        self.fragments.bring_forward(now + self.limits.packet_wait);
        self.streams.bring_forward(now);
    }

    fn advance(&mut self, now: Timestamp, ports: &Ports, each: &mut Each<'_>) {
        while let Some(packet) = self.fragments.pop_due(now, &mut self.counters) {
            self.resume(packet, ports, 0, each);
        }
        self.streams.advance(now, &mut self.counters, each);
    }

    fn take(&mut self, found: WalkEnd<'_>, ports: &Ports, depth: usize, each: &mut Each<'_>) {
        match found {
            WalkEnd::Datagram { envelope, payload, whole } => {
                self.counters.count_message(whole);
                each(envelope, payload, whole);
            }
            WalkEnd::Segment { envelope, segment } => {
                self.streams.push((envelope, self.came), segment, &mut self.counters, each);
            }
            WalkEnd::Fragment { envelope, fragment, bytes } => {
                let times = (self.came, self.came + self.limits.packet_wait);
                let packet =
                    self.fragments.push(envelope, fragment, bytes, times, &mut self.counters);
                self.resume(packet, ports, depth, each);
                while let Some(packet) = self.fragments.pop_excess(&self.limits, &mut self.counters)
                {
                    self.resume(packet, ports, depth, each);
                }
            }
            WalkEnd::Elsewhere { .. } | WalkEnd::Other(_) => {}
        }
    }

    /// Walks on through what was put together.
    fn resume(
        &mut self,
        packet: Option<Assembled>,
        ports: &Ports,
        depth: usize,
        each: &mut Each<'_>,
    ) {
        if let Some(packet) = packet
            && depth < DEPTH_MAX
        {
            let Assembled { envelope, protocol, bytes, whole } = packet;
            let found = Walk::resume(envelope, ports, protocol, &bytes, whole);
            self.take(found, ports, depth + 1, each);
        }
    }
}
