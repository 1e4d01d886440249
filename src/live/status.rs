//! How a live run is doing, at a moment.

use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;

use crate::attribution::{Complaint, Coverage, Verdicts};
use crate::packet::ReassemblyCounters;
use crate::pipeline::DecodeCounters;
use crate::time::{Span, Timestamp};

/// What does not go on for so long hangs.
const PATIENCE: Span = Span::from_secs(10);

/// How a live run is doing. Counts are since it began.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// When it began.
    pub began: Timestamp,
    /// When this was written, by the machine's clock.
    pub at: Timestamp,
    /// For how long packets have waited and none was analysed, or an interface was not looked at.
    pub still: Span,
    /// The interfaces listened on, in argument order.
    pub interfaces: Vec<Interface>,
    /// What the frames were.
    pub decoded: DecodeCounters,
    /// What was made of fragments and streams.
    pub reassembled: ReassemblyCounters,
    /// What was lost between the interface and the answer.
    pub losses: Losses,
    /// Sightings reported for the first time, before their client's interval had closed.
    pub provisional: Verdicts,
    /// Sightings of which the last word was said.
    pub settled: Verdicts,
    /// What the traffic showed: resolvers, latencies, tables. `None` before the first message.
    pub coverage: Option<Coverage>,
    /// From the flagged message's time to its report, in microseconds.
    pub to_report: Option<Histogram<u64>>,
    /// Where answers are written.
    pub outputs: Vec<OutputState>,
    /// The ring of packets, if there is one: its lines are packets.
    pub ring: Option<OutputState>,
    /// The time of the oldest packet in it.
    pub ring_oldest: Option<Timestamp>,
    /// The lists looked for.
    pub lists: Lists,
    /// What is wrong with what the mirror port shows, worst first.
    pub complaints: Vec<Complaint>,
}

/// An interface that is listened on.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it is there and up.
    pub is_up: bool,
    /// Why it is not, in words.
    pub fault: Option<String>,
    /// Frames that came through the filter.
    pub received: u64,
    /// Their captured octets.
    pub octets: u64,
    /// Frames that the kernel dropped since the ring was full.
    pub dropped_by_kernel: u64,
    /// Frames that the interface dropped before the kernel saw them.
    pub dropped_by_interface: u64,
}

/// What was lost after capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Batches left out since the analysis could not keep up.
    pub batches: u64,
    /// The frames in them.
    pub frames: u64,
    /// Batches at which the analysis panicked.
    pub panics: u64,
}

/// An output and what became of what was to be written to it.
#[derive(Clone, Debug, Default)]
pub struct OutputState {
    /// What it is, as the user named it: `stdout`, `jsonl=answers.jsonl`.
    pub name: String,
    /// Lines written.
    pub written: u64,
    /// Lines that wait.
    pub queued: u64,
    /// Lines lost since it was slow or full.
    pub lost: u64,
    /// Why it does not take any now, in words.
    pub fault: Option<String>,
}

/// The lists that are looked for.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// How many indicators.
    pub indicators: u64,
    /// When they were read.
    pub read: Timestamp,
    /// Why reading them anew failed, the last time it was tried, in words: the old ones are still in use.
    pub fault: Option<String>,
}

/// Where the analysis pins up its [`Status`], and others read it.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Arc<Status>>>);

impl Status {
    /// Whether it hangs, and how that is seen, in words. The analysis writes this four times a second.
    pub fn hang(&self, now: Timestamp) -> Option<&'static str> {
        if now - self.at > PATIENCE {
            Some("the analysis does not respond")
        } else if self.still > PATIENCE {
            Some("packets are waiting and none is analysed")
        } else {
            None
        }
    }

    /// Packets lost before they were analysed: by the kernel, by the interface, and left out.
    pub fn packets_lost(&self) -> u64 {
        let before = self.interfaces.iter().map(|i| i.dropped_by_kernel + i.dropped_by_interface);
        before.sum::<u64>() + self.losses.frames
    }

    /// Frames and batches that whoasked failed on.
    pub fn defects(&self) -> u64 {
        self.losses.panics + self.decoded.failed
    }

    /// Lines of answers that wait at outputs, and that were lost there.
    pub fn lines_behind(&self) -> (u64, u64) {
        let sum = |of: fn(&OutputState) -> u64| self.outputs.iter().map(of).sum();
        (sum(|output| output.queued), sum(|output| output.lost))
    }
}

impl Board {
    /// Replaces what is pinned up.
    pub fn publish(&self, status: Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(status);
    }

    /// The newest.
    pub fn latest(&self) -> Arc<Status> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
