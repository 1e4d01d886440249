//! A run that does not end takes its memory at the start, and hardly more while the analysis is behind.

// A program of its own, for what it counts is the heap of all threads.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dhat::HeapStats;
use etherparse::PacketBuilder;
use whoasked::capture::BATCH_FRAMES_MAX;
use whoasked::capture::live::{Drops, Filled, Source};
use whoasked::frame::{Batch, Frame, FrameId, LinkType};
use whoasked::indicator::Indicators;
use whoasked::message::{Message, Messages};
use whoasked::name::NameHasher;
use whoasked::packet::Ports;
use whoasked::pipeline::live::{Health, Listener, LiveSink, Lookout, Lost, listen, now};
use whoasked::pipeline::{Decoder, MessageSink, Sequencer, Stop};
use whoasked::time::Timestamp;

#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// So many batches come before the analysis falls behind, after it caught up, and while it is behind.
const CALM: usize = 8;
const FLOOD: usize = 150;

/// An answer with two addresses for `www.example.com`, in Ethernet, IPv4 and UDP.
fn answer() -> Vec<u8> {
    let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
    message.extend(b"\x03www\x07example\x03com\0\0\x01\0\x01");
    for host in [1, 2] {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, host]);
    }
    let packet = PacketBuilder::ethernet2([2; 6], [2; 6]).ipv4([10, 0, 0, 53], [10, 0, 0, 1], 64);
    let mut frame = Vec::new();
    packet.udp(53, 40_000).write(&mut frame, &message).unwrap();
    frame
}

/// Full batches: some at leisure, then, twice, a flood and some at leisure.
struct Full {
    frame: Vec<u8>,
    asked: Arc<AtomicUsize>,
}

impl Source for Full {
    fn fill(&mut self, batch: &mut Batch, _: Duration) -> Filled {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        if asked >= 2 * (CALM + FLOOD) + CALM {
            return Filled::Ended;
        }
        if asked % (CALM + FLOOD) < CALM {
            std::thread::sleep(Duration::from_millis(50));
        }
        for _ in 0..BATCH_FRAMES_MAX {
            let (id, time, link) = (FrameId::NONE, now(), LinkType(1));
            let bytes = self.frame.as_slice();
            let original_len = bytes.len() as u32;
            batch.push(Frame { id, time, link, original_len, bytes });
        }
        Filled::Frames
    }

    fn drops(&mut self) -> Drops {
        Drops::default()
    }
}

/// Falls behind for as long as a flood lasts, and notes what the heap holds before and at its end.
struct Slow {
    asked: Arc<AtomicUsize>,
    heap: Vec<usize>,
    frames_lost: u64,
}

impl MessageSink for Slow {
    fn take(&mut self, _: &Messages, _: &Message) {
        let ends = |flood: usize| flood * (CALM + FLOOD);
        let flood = self.heap.len() / 2 + 1;
        if flood <= 2 && self.asked.load(Ordering::SeqCst) >= ends(flood - 1) + CALM {
            self.heap.push(HeapStats::get().curr_bytes);
            while self.asked.load(Ordering::SeqCst) < ends(flood) {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.heap.push(HeapStats::get().curr_bytes);
        }
    }
}

impl LiveSink for Slow {
    fn advance(&mut self, _: Timestamp) {}
    fn lost(&mut self, _: Lost) {}
    fn pulse(&mut self, _: Timestamp, _: &Health) -> bool {
        false
    }
    fn ended(&mut self, _: Timestamp, health: &Health) {
        self.frames_lost = health.frames_lost;
    }
}

#[test]
fn memory_is_taken_at_the_start_and_not_when_the_analysis_is_behind() {
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "evil.com\n").unwrap();
    let hasher = NameHasher::new([1, 2]);
    let indicators = Arc::new(Indicators::load(&[list.path().to_path_buf()], hasher).unwrap().0);
    let decoder = Decoder::new(Ports::default(), hasher, Some(Arc::clone(&indicators)));
    let lookout = Lookout::new(indicators);
    for workers in [1, 2] {
        let _counting = dhat::Profiler::builder().testing().build();
        let asked = Arc::new(AtomicUsize::new(0));
        let source = Full { frame: answer(), asked: Arc::clone(&asked) };
        let listener = Listener { interface: 0, source: Box::new(source) };
        let mut keeper =
            Sequencer::new(decoder.clone(), Slow { asked, heap: Vec::new(), frames_lost: 0 });
        let stop = Stop::default();
        listen((vec![listener], || ()), None, &decoder, &mut keeper, workers, &lookout, &stop);
        let Slow { heap, frames_lost, .. } = keeper.sink;
        assert!(frames_lost > 0, "it was never behind by all batches");
        let [before, behind, again, twice] = heap[..] else { panic!("{heap:?}") };
        let grown = |from: usize, to: usize| to.saturating_sub(from) >> 20;
        assert!(grown(before, behind) < 12, "the first time behind: {heap:?}");
        assert!(grown(again, twice) < 3, "behind again: {heap:?}");
    }
}
