//! One capture file, read block by block.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::block::{Block, Halt, Ledger, Walk};
use super::fault::Fault;
use super::pcap::{self, Records};
use super::pcapng::{self, Blocks};
use super::source::{EndedEarly, Progress, Source};
use super::{BATCH_FRAMES_MAX, FRAME_OCTETS_MAX};

/// How much is read at once: about what a full batch needs, within these bounds. Reading more would
/// mean to carry, and so to copy, what the batch has no room for.
const BLOCK_OCTETS_MIN: usize = 64 << 10;
const BLOCK_OCTETS_MAX: usize = 1 << 20;
const _: () = assert!(2 * FRAME_OCTETS_MAX as usize <= BLOCK_OCTETS_MAX);

/// A file being read.
pub(super) struct FileReader {
    source: Source,
    format: Format,
    /// The start of a record whose rest is still to be read, and what a full batch left over.
    carry: Vec<u8>,
    /// Octets of a block of no interest: in all, and still to be passed over.
    skip: (u64, u64),
    /// How much to read for the next block.
    block_octets: usize,
    /// The input has given its last octet.
    drained: bool,
    /// What the input ended with, if not with its end.
    failure: Option<io::Error>,
    /// The last frame has been handed out.
    ended: bool,
    /// Frames and faults so far.
    pub ledger: Ledger,
}

#[derive(Debug)]
enum Format {
    Pcap(Records),
    Pcapng(Blocks),
}

impl FileReader {
    /// Opens a file and reads its header.
    pub fn open(path: &Path, progress: Arc<Progress>) -> Result<FileReader, Fault> {
        let opened = FileReader::new(Source::open(path, progress).map_err(failed)?);
        let is_etl = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("etl"));
        opened.map_err(|fault| match fault {
            // Its first octets do not tell.
            Fault::NotACapture(_) if is_etl => Fault::NotACapture(
                " but a Windows trace: convert it there with `pktmon etl2pcap FILE.etl --out FILE.pcapng`"
                    .to_owned(),
            ),
            other => other,
        })
    }

    /// Reads the header of an opened file.
    pub fn new(mut source: Source) -> Result<FileReader, Fault> {
        let mut carry = vec![0; pcap::HEADER_OCTETS];
        let mut there = 0;
        let mut failure = None;
        while let Some(rest) = carry.get_mut(there..).filter(|rest| !rest.is_empty()) {
            match source.read(rest) {
                Ok(0) => break,
                Ok(octets) => there += octets,
                Err(error) if there == 0 => return Err(failed(error)),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        carry.truncate(there);
        let format = Format::from_head(&carry)?;
        let mut ledger = Ledger { decompressed: source.is_compressed(), ..Ledger::default() };
        if matches!(format, Format::Pcap(_)) {
            carry.clear();
            ledger.offset = pcap::HEADER_OCTETS as u64;
        }
        Ok(FileReader {
            source,
            format,
            carry,
            skip: (0, 0),
            block_octets: 2 * BLOCK_OCTETS_MIN,
            drained: failure.is_some(),
            failure,
            ended: false,
            ledger,
        })
    }

    /// Reads that much first, or what a frame needs if that is more: for who only looks how it begins.
    pub fn reading_first(mut self, octets: usize) -> FileReader {
        self.block_octets = octets;
        self
    }

    /// Fills a block with the next frames; false when there are none left.
    pub fn fill(&mut self, block: &mut Block) -> bool {
        block.marks.clear();
        let mut filled = self.carry.len();
        let mut want = self.block_octets;
        if block.arena.len() < filled {
            block.arena.resize(filled, 0);
        }
        if let Some(start) = block.arena.get_mut(..filled) {
            start.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        while !self.ended {
            filled = self.top_up(&mut block.arena, filled, want);
            let there = (filled, self.drained);
            let Walk { used, halt } = match &mut self.format {
                Format::Pcap(records) => records.walk(block, there, &mut self.ledger),
                Format::Pcapng(blocks) => blocks.walk(block, there, &mut self.ledger),
            };
            self.ledger.offset += used as u64;
            let rest = used..filled;
            match halt {
                Halt::Broken(fault) => self.end_with(Some(fault)),
                Halt::Skip(octets) => {
                    self.skip = (octets, octets - rest.len() as u64);
                    self.ledger.offset += rest.len() as u64;
                    filled = 0;
                }
                Halt::Need(octets) if block.marks.is_empty() => {
                    if self.drained {
                        self.end_short(rest.len() as u64, octets as u64);
                    }
                    filled = rest.len();
                    want = want.max(octets);
                    block.arena.copy_within(rest, 0);
                }
                Halt::Need(_) | Halt::Full => {
                    self.carry.extend_from_slice(block.arena.get(rest).unwrap_or_default());
                }
            }
            if !block.marks.is_empty() {
                self.block_octets = estimate(used, block.marks.len());
                return true;
            }
        }
        false
    }

    /// Reads up to `want` octets into the arena, of which `filled` are there, and passes over what is
    /// to be skipped. Returns how many are there then: more than before, unless the input has ended.
    fn top_up(&mut self, arena: &mut Vec<u8>, mut filled: usize, want: usize) -> usize {
        if arena.len() < want {
            arena.resize(want, 0);
        }
        let before = filled;
        while !self.drained && filled == before {
            let Some(room) = arena.get_mut(filled..want).filter(|room| !room.is_empty()) else {
                break;
            };
            match self.source.read(room) {
                Ok(0) => self.drained = true,
                Ok(octets) => {
                    let skipped = self.skip.1.min(octets as u64) as usize;
                    self.skip.1 -= skipped as u64;
                    self.ledger.offset += skipped as u64;
                    if skipped > 0 {
                        room.copy_within(skipped..octets, 0);
                    }
                    filled += octets - skipped;
                }
                Err(error) => {
                    self.failure = Some(error);
                    self.drained = true;
                }
            }
        }
        filled
    }

    /// The input has ended and `there` octets are left, where a record needs `needed`.
    fn end_short(&mut self, there: u64, needed: u64) {
        let (skip, left) = self.skip;
        let fault = match self.failure.take() {
            Some(error) if EndedEarly::is(&error) => None,
            Some(error) => Some(Fault::Input(error.to_string())),
            None if left > 0 => {
                self.ledger.offset -= skip - left;
                Some(Fault::Cut { there: skip - left, needed: skip })
            }
            None if there > 0 => Some(Fault::Cut { there, needed }),
            None => None,
        };
        self.end_with(fault);
    }

    fn end_with(&mut self, fault: Option<Fault>) {
        self.ended = true;
        if let Some(fault) = fault {
            self.ledger.note(fault, self.ledger.frames + 1, 0);
        }
    }
}

fn failed(error: io::Error) -> Fault {
    Fault::Open(error.to_string())
}

impl Format {
    /// Recognises the format by the first octets of a file: those of a pcap header, or all there are.
    fn from_head(head: &[u8]) -> Result<Format, Fault> {
        if head.is_empty() {
            return Err(Fault::Empty);
        }
        let cut = |needed| Fault::HeaderCut { there: head.len(), needed };
        if pcap::magic(head).is_some() {
            let header = head.first_chunk().ok_or(cut(pcap::HEADER_OCTETS))?;
            return Records::from_header(header).map(Format::Pcap).ok_or(cut(pcap::HEADER_OCTETS));
        }
        if head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            if head.len() < pcapng::HEADER_OCTETS.min(pcap::HEADER_OCTETS) {
                return Err(cut(pcapng::HEADER_OCTETS));
            }
            if pcapng::byte_order(head).is_some() {
                return Ok(Format::Pcapng(Blocks::new()));
            }
        }
        Err(Fault::NotACapture(describe(head)))
    }
}

/// How many octets a full batch will need, if the frames to come are like the last ones.
fn estimate(octets: usize, frames: usize) -> usize {
    (octets * BATCH_FRAMES_MAX / frames.max(1)).clamp(BLOCK_OCTETS_MIN, BLOCK_OCTETS_MAX)
}

/// What captures are called, and how they begin.
const EXPECTED: &str = "captures are .pcap or .pcapng files, plain, .gz or .zst";
const MAGIC: &str = "a1b2c3d4, a1b23c4d or a1b2cd34 in either byte order, or 0a0d0d0a";

/// What something is that is no capture, by how it begins: its octets tell nobody anything unless all else fails.
fn describe(head: &[u8]) -> String {
    let known = match head {
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz: decompress it first"),
        [b'B', b'Z', b'h', ..] => Some("bzip2: decompress it first"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4: decompress it first"),
        [b'P', b'K', 3, 4, ..] => Some("zip: unpack it first"),
        [b's', b'n', b'o', b'o', b'p', 0, ..] => Some("snoop: convert it with `editcap -F pcap`"),
        _ => None,
    };
    match known {
        Some(known) => format!(" but {known}; {EXPECTED}"),
        None if is_text(head) => format!(" (looks like text); {EXPECTED}"),
        None => {
            let first = head.get(..8).unwrap_or(head);
            let hex: Vec<_> = first.iter().map(|octet| format!("{octet:02x}")).collect();
            format!(
                "; {EXPECTED}, which begin with {MAGIC}; this file begins with {}",
                hex.join(" ")
            )
        }
    }
}

/// Whether a file that begins so is text: UTF-8, of which the last character may be cut, or marked as UTF-16.
fn is_text(head: &[u8]) -> bool {
    let is_utf16 = [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| head.starts_with(mark));
    let whole = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            head.get(..error.valid_up_to()).and_then(|whole| std::str::from_utf8(whole).ok())
        }
        Err(_) => None,
    };
    let prints = |c: char| !c.is_control() || c.is_whitespace();
    is_utf16 || whole.is_some_and(|text| text.chars().all(prints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_capture_is_described_for_people_first() {
        for text in
            [&b"Hi\n"[..], "M\u{fc}ller,evil.com\n".as_bytes(), b"caf\xc3", b"\xff\xfeH\0i\0"]
        {
            let said = describe(text);
            assert!(said.starts_with(" (looks like text); captures are .pcap"), "{said}");
            assert!(!said.contains("a1b2"), "{said}");
        }
        assert!(
            describe(b"BZh91AY&SY").starts_with(" but bzip2: decompress it first; captures are")
        );
        let binary = describe(b"\x7fELF\x02\x01\x01\0\0");
        assert!(binary.starts_with("; captures are .pcap or .pcapng files"), "{binary}");
        assert!(binary.ends_with("this file begins with 7f 45 4c 46 02 01 01 00"), "{binary}");
    }

    #[test]
    fn a_block_is_as_large_as_a_batch_needs() {
        assert_eq!(estimate(100_000, 1_000), 102_400);
        assert_eq!(estimate(1_000, 1_000), BLOCK_OCTETS_MIN);
        assert_eq!(estimate(262_144, 1), BLOCK_OCTETS_MAX);
    }
}
