//! Classic pcap files (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>): a file header,
//! then one record after the other.
//!
//! ```text
//! file header, 24 octets                     record header, 16 octets (24 in Kuznetzov's variant)
//!   0 magic   4 major, minor   8 zone          0 seconds   4 micro- or nanoseconds
//!  12 figures   16 snaplen   20 link type      8 captured length   12 original length
//! ```
//!
//! Where another file header stands in place of a record, another file was put behind this one (`cat`), and goes on.
//! Where no record can stand (a bad disk, a copy with a hole in it), the next is searched for: some in a row whose
//! headers are as those before, each where the one before it ends.

use super::block::{Block, ByteOrder, Halt, Ledger, Mark, Walk};
use super::fault::Fault;
use super::search::{RECORD_OCTETS_MAX, SEARCHED_IN, search};
use super::{BATCH_FRAMES_MAX, FRAME_OCTETS_MAX};
use crate::frame::LinkType;
use crate::time::Timestamp;

/// Octets of the file header.
pub(super) const HEADER_OCTETS: usize = 24;

/// What is searched for was captured within that many seconds of the first or the last record: a month.
const SEARCHED_WITHIN: i64 = 31 * 24 * 3600;

/// Records of one file, as its header describes them.
#[derive(Debug)]
pub(super) struct Records {
    order: ByteOrder,
    link: LinkType,
    /// Nanoseconds in a unit of the second time field.
    unit_ns: i64,
    record_header_octets: usize,
    lengths: Lengths,
    /// Whether what follows is no record, so that the next is to be searched for.
    is_lost: bool,
    /// The seconds of the first record and of the last, once there was one.
    seconds: Option<[i64; 2]>,
}

/// In which order the two lengths of a record stand: format versions before 2.4 had it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// Written either way: the captured length is the smaller one.
    SmallerIsCaptured,
}

impl Records {
    /// Reads a file header; `None` when it does not begin with a magic of ours.
    pub fn from_header(header: &[u8; HEADER_OCTETS]) -> Option<Records> {
        let (order, unit_ns, record_header_octets) = match magic(header)? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (ByteOrder::Big, 1_000, 16),
            [0xd4, 0xc3, 0xb2, 0xa1] => (ByteOrder::Little, 1_000, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (ByteOrder::Big, 1, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (ByteOrder::Little, 1, 16),
            [0xa1, 0xb2, 0xcd, 0x34] => (ByteOrder::Big, 1_000, 24),
            _ => (ByteOrder::Little, 1_000, 24),
        };
        // The upper 16 bits say whether and how long a frame check sequence is.
        let link = LinkType((order.u32(header, 20) & 0xffff) as u16);
        let lengths = match (order.u16(header, 4), order.u16(header, 6)) {
            (2, 0..=2) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        let (is_lost, seconds) = (false, None);
        Some(Records { order, link, unit_ns, record_header_octets, lengths, is_lost, seconds })
    }

    /// Marks the frames of the first `filled` octets of the block's arena, behind which there are no more if `is_end`.
    pub fn walk(
        &mut self,
        block: &mut Block,
        (filled, is_end): (usize, bool),
        ledger: &mut Ledger,
    ) -> Walk {
        let bytes = block.arena.get(..filled).unwrap_or_default();
        let mut header_len = self.record_header_octets;
        let mut used = 0;
        let halt = loop {
            if block.marks.len() >= BATCH_FRAMES_MAX {
                break Halt::Full;
            }
            let rest = bytes.get(used..).unwrap_or_default();
            if self.is_lost {
                let found = search(rest, is_end, header_len, |rest| self.likely(rest));
                self.is_lost = ledger.go_on(found, &mut used);
                if self.is_lost {
                    break Halt::Need(SEARCHED_IN);
                }
                continue;
            }
            let Some(header) = rest.first_chunk::<16>() else {
                break Halt::Need(header_len);
            };
            let (len, original_len) = self.lengths(header);
            if len > FRAME_OCTETS_MAX || (len == 0 && *header == [0; 16]) {
                let claimed = (len > 0).then_some(len);
                ledger.note(Fault::NoRecord(claimed), ledger.frames + 1, used);
                self.is_lost = true;
                continue;
            }
            // In place of the lengths a file header has its zone and figures, which nobody uses.
            if len == 0 && original_len == 0 && magic(header).is_some() {
                let Some(header) = rest.first_chunk() else { break Halt::Need(HEADER_OCTETS) };
                if let Some(next) = Records::from_header(header).filter(|_| is_version(header)) {
                    *self = next;
                    header_len = self.record_header_octets;
                    used += HEADER_OCTETS;
                    continue;
                }
            }
            let record_len = header_len + len as usize;
            if rest.len() < record_len {
                break Halt::Need(record_len);
            }
            let seconds = i64::from(self.order.u32(header, 0));
            self.seconds = Some(self.seconds.map_or([seconds; 2], |[first, _]| [first, seconds]));
            let fraction = i64::from(self.order.u32(header, 4));
            block.marks.push(Mark {
                number: ledger.frame(),
                time: Timestamp(seconds * 1_000_000_000 + fraction * self.unit_ns),
                start: (used + header_len) as u32,
                len,
                original_len,
                link: self.link,
            });
            used += record_len;
        };
        Walk { used, halt }
    }

    /// How long a record is that begins like those before, with its header.
    fn likely(&self, rest: &[u8]) -> Option<usize> {
        let header = rest.first_chunk()?;
        let (len, original_len) = self.lengths(header);
        let seconds = i64::from(self.order.u32(header, 0));
        let fraction = i64::from(self.order.u32(header, 4));
        let octets = self.record_header_octets + len as usize;
        let is_long = len > 0
            && octets <= RECORD_OCTETS_MAX
            && (len..=FRAME_OCTETS_MAX).contains(&original_len);
        // Of the last one alone, what is broken may have been taken for its time.
        let is_then = self.seconds.is_none_or(|known| {
            known.iter().any(|known| (seconds - known).abs() <= SEARCHED_WITHIN)
        });
        let is_part_of_second = fraction * self.unit_ns < 1_000_000_000;
        (is_long && is_then && is_part_of_second).then_some(octets)
    }

    /// The captured and the original length of a record.
    #[inline]
    fn lengths(&self, header: &[u8; 16]) -> (u32, u32) {
        let (one, two) = (self.order.u32(header, 8), self.order.u32(header, 12));
        match self.lengths {
            Lengths::CapturedFirst => (one, two),
            Lengths::OriginalFirst => (two, one),
            Lengths::SmallerIsCaptured => (one.min(two), one.max(two)),
        }
    }
}

/// Whether a header is of a version that there was: 2.0 to 2.4, in either byte order.
fn is_version(header: &[u8; HEADER_OCTETS]) -> bool {
    matches!(header, [_, _, _, _, 2, 0, 0..=4, 0, ..] | [_, _, _, _, 0, 2, 0, 0..=4, ..])
}

/// The magic that `bytes` begin with, when it is one of pcap.
pub(super) fn magic(bytes: &[u8]) -> Option<[u8; 4]> {
    let found = *bytes.first_chunk::<4>()?;
    let mut big = found;
    if big.first() != Some(&0xa1) {
        big.reverse();
    }
    matches!(big, [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] | [0xa1, 0xb2, 0xcd, 0x34])
        .then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_check_bits_are_no_part_of_the_link_type() {
        let mut header = [0; HEADER_OCTETS];
        header[..4].copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
        header[20..].copy_from_slice(&[0x44, 0, 0, 113]);
        assert_eq!(Records::from_header(&header).map(|r| r.link), Some(LinkType(113)));
    }

    #[test]
    fn the_latest_time_and_the_largest_fraction_do_not_overflow() {
        let mut header = [0; HEADER_OCTETS];
        header[..4].copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
        let mut records = Records::from_header(&header).unwrap();
        let mut block = Block { arena: [[0xff; 8], [0; 8]].concat(), ..Block::default() };
        let walk = records.walk(&mut block, (16, false), &mut Ledger::default());
        assert!(matches!(walk, Walk { used: 16, halt: Halt::Need(16) }));
        assert_eq!(block.marks[0].time, Timestamp(4_294_967_295 * 1_000_001_000));
    }

    #[test]
    fn versions_before_2_4_have_the_lengths_otherwise() {
        let mut header = [0; HEADER_OCTETS];
        header[..4].copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
        header[5] = 2;
        let mut record = [0; 16];
        (record[11], record[15]) = (90, 60);
        for (minor, lengths) in [(2, (60, 90)), (3, (60, 90)), (4, (90, 60))] {
            header[7] = minor;
            let records = Records::from_header(&header).unwrap();
            assert_eq!(records.lengths(&record), lengths, "2.{minor}");
        }
    }

    #[test]
    fn other_magics_are_refused() {
        for bytes in [&b"\x0a\x0d\x0d\x0a"[..], b"\xa1\xb2\xc3\xd5", b"\xd4\xc3\xb2", b""] {
            assert_eq!(magic(bytes), None, "{bytes:x?}");
        }
    }
}
