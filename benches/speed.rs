//! How long each stage takes, and the whole job: `cargo bench --bench speed`.
//!
//! Times waver on a shared machine. What is held in CI are instruction counts: `benches/instructions.sh`.

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(missing_docs, clippy::indexing_slicing, clippy::expect_used)]

mod stages;
mod traffic;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use stages::{Prepared, STAGES};

/// Enough that the tables outgrow the processor's caches, as in earnest.
const PACKETS: u64 = 200_000;

fn stages(criterion: &mut Criterion) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
    let prepared = Prepared::new(&directory, PACKETS).expect("the capture can be made");
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(3));
    for (name, stage) in STAGES {
        group.throughput(Throughput::ElementsAndBytes {
            elements: prepared.packets,
            bytes: prepared.octets,
        });
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| stage(black_box(&prepared)))
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
