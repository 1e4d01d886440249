//! A stretch of one file with its frames marked, and what the walkers over it share.

use std::mem::discriminant;

use super::fault::{Fault, Place};
use super::search::Resumption;
use crate::frame::{Entry, FrameId, LinkType};
use crate::time::Timestamp;

/// Where a frame lies in the arena of its [`Block`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub number: u64,
    pub time: Timestamp,
    pub start: u32,
    pub len: u32,
    pub original_len: u32,
    pub link: LinkType,
}

impl Mark {
    /// As a batch keeps it.
    #[inline]
    pub fn entry(&self, file: u16) -> Entry {
        let Mark { number, time, start, len, original_len, link } = *self;
        Entry { id: FrameId::new(file, number), time, start, len, original_len, link }
    }
}

/// A stretch of a file and the frames that lie whole in it.
///
/// The arena is longer than what was read into it: its octets stay initialised from one use to the
/// next, so that a read need not zero it again.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub arena: Vec<u8>,
    pub marks: Vec<Mark>,
    /// The latest time of its frames.
    pub latest: Timestamp,
}

impl Block {
    /// The octets of a frame.
    pub fn bytes(&self, mark: &Mark) -> &[u8] {
        let start = mark.start as usize;
        self.arena.get(start..start.saturating_add(mark.len as usize)).unwrap_or_default()
    }
}

/// How far a walk over octets came, and why it went no further.
#[derive(Debug)]
pub(super) struct Walk {
    /// Octets that need not be seen again.
    pub used: usize,
    /// Why it stopped there.
    pub halt: Halt,
}

#[derive(Debug)]
pub(super) enum Halt {
    /// The block has as many frames as a batch takes.
    Full,
    /// What follows can be read once this many octets of it are there.
    Need(usize),
    /// This many octets are of no interest.
    Skip(u64),
    /// What follows cannot be read, nor what is behind it.
    Broken(Fault),
}

/// The count of frames of a file and the faults met in it: one entry a kind, so that a file made of
/// faults does not fill the memory.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Frames seen so far, which is the number of the last.
    pub frames: u64,
    /// Octets before those that are being walked over.
    pub offset: u64,
    /// Whether offsets are those of decompressed content.
    pub decompressed: bool,
    /// The first fault of each kind.
    pub faults: Vec<Met>,
    /// Which of them was met last.
    pub last: usize,
}

/// A kind of fault that was met in a file.
#[derive(Debug)]
pub(super) struct Met {
    /// Where the first one is.
    pub place: Place,
    /// The first one.
    pub fault: Fault,
    /// How many there were.
    pub times: u64,
    /// Octets behind them, in which the next record was searched for.
    pub passed_over: u64,
}

impl Ledger {
    /// Counts a frame and returns its number.
    #[inline]
    pub fn frame(&mut self) -> u64 {
        self.frames += 1;
        self.frames
    }

    /// Notes a fault `at` octets into what is being walked over, at the frame `number`.
    pub fn note(&mut self, fault: Fault, number: u64, at: usize) {
        let kind = discriminant(&fault);
        let known = self.faults.iter().position(|known| discriminant(&known.fault) == kind);
        self.last = known.unwrap_or(self.faults.len());
        match self.faults.get_mut(self.last) {
            Some(known) => known.times += 1,
            None => {
                let offset = self.offset + at as u64;
                let place = Place { frame: number, offset, decompressed: self.decompressed };
                self.faults.push(Met { place, fault, times: 1, passed_over: 0 });
            }
        }
    }

    /// Passes over what was searched, on top of the octets that were `used`, because of the fault that was noted last.
    /// Returns whether the search has to go on.
    pub fn go_on(&mut self, found: Resumption, used: &mut usize) -> bool {
        let (Resumption::After(octets) | Resumption::NotWithin(octets)) = found;
        *used += octets;
        if let Some(last) = self.faults.get_mut(self.last) {
            last.passed_over += octets as u64;
        }
        matches!(found, Resumption::NotWithin(_))
    }
}

/// The byte order a file was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Numbers read from octets; those that are not there count as zero, so lengths are checked before.
impl ByteOrder {
    #[inline]
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let octets = field(bytes, at);
        match self {
            ByteOrder::Little => u16::from_le_bytes(octets),
            ByteOrder::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline]
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let octets = field(bytes, at);
        match self {
            ByteOrder::Little => u32::from_le_bytes(octets),
            ByteOrder::Big => u32::from_be_bytes(octets),
        }
    }

    #[inline]
    pub fn i64(self, bytes: &[u8], at: usize) -> i64 {
        let octets = field(bytes, at);
        match self {
            ByteOrder::Little => i64::from_le_bytes(octets),
            ByteOrder::Big => i64::from_be_bytes(octets),
        }
    }
}

#[inline]
fn field<const LEN: usize>(bytes: &[u8], at: usize) -> [u8; LEN] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_either_order_and_missing_octets_are_zero() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(ByteOrder::Little.u16(&bytes, 1), 0x0302);
        assert_eq!(ByteOrder::Big.u32(&bytes, 4), 0x0506_0708);
        assert_eq!(ByteOrder::Big.i64(&bytes, 0), 0x0102_0304_0506_0708);
        assert_eq!(ByteOrder::Big.u32(&bytes, 5), 0);
        assert_eq!(ByteOrder::Little.u16(&bytes, 99), 0);
    }

    #[test]
    fn a_ledger_keeps_the_first_fault_of_a_kind_and_counts_the_rest() {
        let mut ledger = Ledger { offset: 100, ..Ledger::default() };
        ledger.note(Fault::UnknownInterface(4), 2, 20);
        ledger.note(Fault::UnknownInterface(9), 3, 60);
        ledger.note(Fault::NoRecord(None), 4, 80);
        let mut used = 1;
        assert!(ledger.go_on(Resumption::NotWithin(4), &mut used));
        assert!(!ledger.go_on(Resumption::After(3), &mut used));
        assert_eq!(used, 8);
        ledger.note(Fault::UnknownInterface(5), 5, 90);
        let [first, second] = &ledger.faults[..] else { panic!("two kinds") };
        assert_eq!((first.place.frame, first.place.offset, first.times), (2, 120, 3));
        assert_eq!(first.fault, Fault::UnknownInterface(4));
        assert_eq!((first.passed_over, second.passed_over), (0, 7));
    }
}
