//! How often each stage allocates, and the whole job: `cargo bench --bench allocations`.
//!
//! Setting up counts too, so a stage is run over a capture and over its double: the difference is what
//! the packets cost. In a steady state nothing is allocated; growing tables are all that is left.

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(clippy::print_stdout, clippy::indexing_slicing)]

mod stages;
mod traffic;

use std::hint::black_box;
use std::path::Path;

use anyhow::Result;
use dhat::HeapStats;

use stages::{Prepared, STAGES};

#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Counting is slow: a backtrace is taken with each allocation.
const PACKETS: u64 = 20_000;

fn main() -> Result<()> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("allocations");
    let once = Prepared::new(&directory, PACKETS)?;
    let _counting = dhat::Profiler::builder().testing().build();
    let counts = |prepared: &Prepared| {
        STAGES.map(|(_, stage)| {
            let before = HeapStats::get();
            black_box(stage(prepared));
            let after = HeapStats::get();
            (after.total_blocks - before.total_blocks, after.total_bytes - before.total_bytes)
        })
    };
    let for_once = counts(&once);
    let twice = Prepared::new(&directory, 2 * PACKETS)?;
    let for_twice = counts(&twice);
    let added = (twice.packets - once.packets) as f64;
    println!("{} octets a packet in the file", twice.octets / twice.packets);
    println!("{:<16} {:>28} {:>18}", "stage", "allocations/1,000 packets", "octets/packet");
    for (((name, _), once), twice) in STAGES.iter().zip(for_once).zip(for_twice) {
        let each = |once: u64, twice: u64| twice.saturating_sub(once) as f64 / added;
        println!(
            "{name:<16} {:>28.2} {:>18.1}",
            1e3 * each(once.0, twice.0),
            each(once.1, twice.1)
        );
    }
    Ok(())
}
