//! Real captures read by us and by libpcap: the same frames, times, lengths and octets.
//!
//! The captures are not part of the project: without them the test says that it was skipped.

use std::path::Path;

use crate::support::{files_below, frames_and_damage, shared};

/// A frame: nanoseconds, original length, octets.
type Seen = (i64, u32, Vec<u8>);

/// What libpcap reads, and the error it ends with.
fn theirs(path: &Path) -> Result<(Vec<Seen>, Option<String>), pcap::Error> {
    let mut capture = pcap::Capture::from_file_with_precision(path, pcap::Precision::Nano)?;
    let mut seen = Vec::new();
    loop {
        match capture.next_packet() {
            Ok(packet) => {
                // At nanosecond precision the second field holds nanoseconds.
                let time = packet.header.ts.tv_sec * 1_000_000_000 + packet.header.ts.tv_usec;
                seen.push((time, packet.header.len, packet.data.to_vec()));
            }
            Err(pcap::Error::NoMorePackets) => return Ok((seen, None)),
            Err(error) => return Ok((seen, Some(error.to_string()))),
        }
    }
}

#[test]
fn libpcap_reads_the_same_from_real_captures() {
    let Some(directory) = shared("wire-corpus/files") else { return };
    let paths = files_below(&directory);
    let mut frames = 0;
    for path in &paths {
        let name = path.display();
        let (taken, damage) = frames_and_damage(path);
        let seen = taken.into_iter().map(|frame| (frame.time, frame.original_len, frame.bytes));
        let seen: Vec<Seen> = seen.collect();
        let (expected, error) = match theirs(path) {
            Ok(read) => read,
            Err(error) => {
                println!(
                    "{name}: libpcap does not open it: {error}; we read {} frames",
                    seen.len()
                );
                continue;
            }
        };
        for (number, (one, other)) in (1..).zip(seen.iter().zip(&expected)) {
            // A simple packet block has no time: we take that of the frame before, libpcap takes 0.
            let same_time = one.0 == other.0 || other.0 == 0;
            let same = same_time && one.1 == other.1 && one.2 == other.2;
            assert!(same, "{name}: frame {number}: {one:?}, libpcap: {other:?}");
        }
        match &error {
            None => assert_eq!(seen.len(), expected.len(), "{name}: {damage:?}"),
            // libpcap cannot read interfaces of different link types or snaplens; we can.
            Some(error) => {
                println!("{name}: libpcap: {error}; we: {} frames, {damage:?}", seen.len());
                assert!(
                    seen.len() >= expected.len()
                        && (error.contains("interface") || damage.len() == 1)
                );
            }
        }
        frames += seen.len();
    }
    println!("{} files, {frames} frames", paths.len());
}
