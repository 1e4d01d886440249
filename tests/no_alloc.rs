//! In a steady state nothing is allocated for a packet: counted over the whole job, from the file to the
//! judge, with tables so small that they are full from early on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../benches/traffic/mod.rs"]
#[allow(dead_code, unused_imports, reason = "written for the benchmarks")]
mod traffic;

use std::path::Path;
use std::sync::Arc;

use dhat::HeapStats;
use whoasked::attribution::Attributor;
use whoasked::capture::Reader;
use whoasked::indicator::Indicators;
use whoasked::message::{Message, Messages};
use whoasked::name::NameHasher;
use whoasked::packet::Ports;
use whoasked::pipeline::{Decoded, Decoder, MessageSink, Sequencer};
use whoasked::resolution::{Limits, Resolution, Roles};
use whoasked::transaction::{Limits as TransactionLimits, Transactions};

#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Until then tables fill and buffers grow.
const SETTLED_AFTER: u64 = 60_000;
const PACKETS: u64 = 100_000;
/// One packet in a hundred is of DNS over TCP, whose streams are put together in buffers of their own: at most so
/// many allocations for each of those packets. It was 1.5 when this was written.
const EACH_OF_TCP_MAX: u64 = 2;

struct Judge(Attributor);

impl MessageSink for Judge {
    fn take(&mut self, messages: &Messages, message: &Message) {
        self.0.take(messages, message, &mut |_| ());
    }
}

#[test]
fn nothing_is_allocated_for_a_packet() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-alloc.pcap");
    let parameters = traffic::Parameters {
        packets: PACKETS,
        clients: 500,
        domains: 5_000,
        flagged: 0.0,
        ..traffic::Parameters::default()
    };
    let mut octets = Vec::new();
    traffic::write_capture(parameters, &mut octets).unwrap();
    std::fs::write(&path, octets).unwrap();
    let mut list = Vec::new();
    traffic::write_indicators(10_000, &mut list).unwrap();

    let hasher = NameHasher::new([3, 5]);
    let indicators = Arc::new(Indicators::read("list", list, hasher).unwrap().0);
    let kept = TransactionLimits { transactions: 1 << 13, names: 1 << 18, hosts: 1 << 12 };
    let limits =
        Limits { transactions: kept, edges: 1 << 12, edge_names: 1 << 18, answer_aliases: 1 << 13 };
    let transactions = Transactions::new(kept, Ports::default());
    let resolution = Resolution::new(limits, transactions, Roles::new(Vec::new()), hasher);
    let attributor = Attributor::new(resolution, Arc::clone(&indicators));
    let mut reader = Reader::open(&[path]).unwrap();
    let mut decoder = Decoder::new(Ports::default(), hasher, Some(indicators));
    let mut keeper = Sequencer::new(decoder.clone(), Judge(attributor));
    let mut decoded = Decoded::default();

    let _counting = dhat::Profiler::builder().testing().build();
    let (mut packets, mut settled) = (0, 0);
    loop {
        decoded.clear();
        if !reader.fill(&mut decoded.batch) {
            break;
        }
        packets += decoded.batch.len() as u64;
        decoder.decode(&mut decoded);
        keeper.take(&decoded);
        if packets < SETTLED_AFTER {
            settled = HeapStats::get().total_blocks;
        }
    }
    let allocated = HeapStats::get().total_blocks - settled;
    println!("{allocated} allocations for {} packets", PACKETS - SETTLED_AFTER);
    assert_eq!(packets, PACKETS);
    let of_tcp = (PACKETS - SETTLED_AFTER) / 100;
    assert!(allocated <= of_tcp * EACH_OF_TCP_MAX, "{allocated} allocations");
}
