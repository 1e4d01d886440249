//! How much CPU time each stage takes, and the whole job: `cargo bench --bench speed`.
//!
//! Of all threads, the kernel's work for them included. That wavers on a shared machine, though less than time by the
//! clock. What is held in CI are instruction counts: `benches/instructions.sh`.

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(missing_docs, clippy::indexing_slicing, clippy::expect_used)]

mod stages;
mod traffic;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nix::time::{ClockId, clock_gettime};

use stages::{Prepared, STAGES};

/// Enough that the tables outgrow the processor's caches, as in earnest.
const PACKETS: u64 = 200_000;

/// CPU time of the process.
struct CpuTime;

impl CpuTime {
    fn now() -> Duration {
        clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock").into()
    }
}

impl Measurement for CpuTime {
    /// When it began.
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        CpuTime::now()
    }

    fn end(&self, begun: Duration) -> Duration {
        CpuTime::now() - begun
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        time.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn stages(criterion: &mut Criterion<CpuTime>) {
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

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = stages
}
criterion_main!(benches);
