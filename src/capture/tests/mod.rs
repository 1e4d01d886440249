//! Files written by hand, octet by octet, and read back.

mod damage;
mod formats;
mod order;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::block::ByteOrder;
use super::{CaptureError, Reader};
use crate::frame::Batch;

/// A frame as it came out of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    file: u16,
    number: u64,
    time: i64,
    link: u16,
    original_len: u32,
    bytes: Vec<u8>,
}

/// A directory with capture files, gone at its end.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Reads one file.
    fn read(&self, content: &[u8]) -> Result<(Vec<Seen>, Reader), CaptureError> {
        let path = self.write("capture", content);
        Reader::open(&[path]).map(drain)
    }
}

/// Everything a reader gives.
fn drain(mut reader: Reader) -> (Vec<Seen>, Reader) {
    let mut batch = Batch::new();
    let mut seen = Vec::new();
    let mut sequence = 0;
    while reader.fill(&mut batch) {
        assert_eq!(batch.sequence, sequence);
        assert!((1..=super::BATCH_FRAMES_MAX).contains(&batch.len()));
        sequence += 1;
        seen.extend(batch.frames().map(|frame| Seen {
            file: frame.id.file(),
            number: frame.id.number(),
            time: frame.time.0,
            link: frame.link.0,
            original_len: frame.original_len,
            bytes: frame.bytes.to_vec(),
        }));
    }
    assert!(batch.is_empty() && !reader.fill(&mut batch));
    (seen, reader)
}

/// Numbers in one byte order.
#[derive(Clone)]
struct Octets {
    order: ByteOrder,
    out: Vec<u8>,
}

impl Octets {
    fn new(order: ByteOrder) -> Octets {
        Octets { order, out: Vec::new() }
    }

    fn u16(&mut self, number: u16) -> &mut Octets {
        self.out.extend(match self.order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        });
        self
    }

    fn u32(&mut self, number: u32) -> &mut Octets {
        self.out.extend(match self.order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        });
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Octets {
        self.out.extend(bytes);
        self
    }

    // Classic pcap.

    fn pcap(order: ByteOrder, magic: u32, link: u32) -> Octets {
        let mut file = Octets::new(order);
        file.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(262_144).u32(link);
        file
    }

    fn record(&mut self, seconds: u32, fraction: u32, bytes: &[u8]) -> &mut Octets {
        let len = bytes.len() as u32;
        self.u32(seconds).u32(fraction).u32(len).u32(len).bytes(bytes)
    }

    // pcapng.

    fn block(&mut self, kind: u32, body: &Octets) -> &mut Octets {
        let mut body = body.out.clone();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = body.len() as u32 + 12;
        self.u32(kind).u32(len).bytes(&body).u32(len)
    }

    fn section(&mut self) -> &mut Octets {
        let mut body = Octets::new(self.order);
        body.u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX);
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(&mut self, link: u16, snaplen: u32, options: &[u8]) -> &mut Octets {
        let mut body = Octets::new(self.order);
        body.u16(link).u16(0).u32(snaplen).bytes(options);
        self.block(1, &body)
    }

    fn enhanced(&mut self, interface: u32, units: u64, bytes: &[u8]) -> &mut Octets {
        let mut body = Octets::new(self.order);
        let len = bytes.len() as u32;
        body.u32(interface).u32((units >> 32) as u32).u32(units as u32);
        body.u32(len).u32(len).bytes(bytes);
        self.block(6, &body)
    }

    fn simple(&mut self, original_len: u32, bytes: &[u8]) -> &mut Octets {
        let mut body = Octets::new(self.order);
        body.u32(original_len).bytes(bytes);
        self.block(3, &body)
    }

    fn option(order: ByteOrder, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = Octets::new(order);
        option.u16(code).u16(value.len() as u16).bytes(value);
        option.out.resize(option.out.len().next_multiple_of(4), 0);
        option.out
    }
}

/// Three frames in a microsecond pcap file, and where each of its records ends.
fn small_pcap() -> (Vec<u8>, Vec<usize>) {
    let mut file = Octets::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    let mut ends = Vec::new();
    for (number, len) in [(1, 5), (2, 0), (3, 30)] {
        file.record(1_000, number, &vec![number as u8; len]);
        ends.push(file.out.len());
    }
    (file.out, ends)
}

/// Three frames in a pcapng file with other blocks between them, and where each of theirs ends.
fn small_pcapng() -> (Vec<u8>, Vec<usize>) {
    let mut file = Octets::new(ByteOrder::Big);
    file.section().interface(1, 0, &[]);
    let mut ends = Vec::new();
    file.enhanced(0, 1_000_000_001, b"one");
    ends.push(file.out.len());
    let mut resolution = Octets::new(ByteOrder::Big);
    file.block(4, resolution.bytes(&[7; 40])).simple(3, b"two");
    ends.push(file.out.len());
    file.interface(101, 0, &[]).enhanced(1, 1_000_000_003, b"three!");
    ends.push(file.out.len());
    (file.out, ends)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}
