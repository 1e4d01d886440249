//! pcapng files (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>): sections of blocks.
//!
//! ```text
//! block    0 type   4 total length   8 body ...   total length again, last 4 octets
//! ```
//!
//! A section header says the byte order and begins a new list of interfaces. An interface says the
//! link type, and the unit and origin of its timestamps. Frames come in enhanced packet blocks, in
//! simple ones (of the first interface, without a time), and in old files in packet blocks.
//!
//! Where no block can stand, the next is searched for: some in a row, of types that captures hold, each with its length
//! behind it, too. Interfaces that were known before are known there.

use super::block::{Block, ByteOrder, Halt, Ledger, Mark, Walk};
use super::fault::Fault;
use super::search::{RECORD_OCTETS_MAX, SEARCHED_IN, search};
use super::{BATCH_FRAMES_MAX, FRAME_OCTETS_MAX};
use crate::frame::LinkType;
use crate::time::Timestamp;

/// Octets of the shortest section header.
pub(super) const HEADER_OCTETS: usize = 28;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Blocks that hold no frame but have a number where Wireshark shows them: systemd journal entries and
/// custom blocks, to be copied or not. Frame numbers must be those of Wireshark.
const NUMBERED: [u32; 3] = [9, 0x0bad, 0x4000_0bad];
/// Further blocks that captures hold: names, statistics, secrets.
const COMMON: [u32; 3] = [4, 5, 10];

/// The longest block, as Wireshark has it.
const BLOCK_OCTETS_MAX: u32 = 16 << 20;
/// The longest block that is looked into: the longest frame, and as much again for its options.
/// It bounds what a block makes the arena grow to.
const KNOWN_BLOCK_OCTETS_MAX: u32 = 2 * FRAME_OCTETS_MAX;
/// The most interfaces of a section that are kept. A frame of a later one is a frame of an unknown one.
const INTERFACES_MAX: usize = 65_536;

/// The state of a walk over the blocks of a file.
#[derive(Debug)]
pub(super) struct Blocks {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Whether what follows is no block, so that the next is to be searched for.
    is_lost: bool,
    /// Of the last frame: a simple packet has no time of its own and takes this one.
    last_time: Timestamp,
}

/// What an interface description block says of its frames.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    /// 0 for none.
    snaplen: u32,
    clock: Clock,
}

impl Blocks {
    /// A walk that has seen nothing yet; the first block must be a section header.
    pub fn new() -> Blocks {
        Blocks {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            is_lost: false,
            last_time: Timestamp(0),
        }
    }

    /// Marks the frames of the first `filled` octets of the block's arena, behind which there are no more if `is_end`.
    pub fn walk(
        &mut self,
        block: &mut Block,
        (filled, is_end): (usize, bool),
        ledger: &mut Ledger,
    ) -> Walk {
        let Block { arena, marks, .. } = block;
        let bytes = arena.get(..filled).unwrap_or_default();
        let mut used = 0;
        let halt = loop {
            if marks.len() >= BATCH_FRAMES_MAX {
                break Halt::Full;
            }
            let rest = bytes.get(used..).unwrap_or_default();
            if self.is_lost {
                let found = search(rest, is_end, 12, |rest| self.likely(rest));
                self.is_lost = ledger.go_on(found, &mut used);
                if self.is_lost {
                    break Halt::Need(SEARCHED_IN);
                }
                continue;
            }
            if rest.len() < 12 {
                break Halt::Need(12);
            }
            let (kind, len) = match self.enter(rest) {
                Ok(entered) => entered,
                Err(fault) => {
                    ledger.note(fault, ledger.frames + 1, used);
                    self.is_lost = true;
                    continue;
                }
            };
            if NUMBERED.contains(&kind) {
                ledger.frame();
            }
            let Some(whole) = rest.get(..len as usize) else {
                break if is_known(kind) {
                    Halt::Need(len as usize)
                } else {
                    Halt::Skip(u64::from(len))
                };
            };
            let outcome = match kind {
                SECTION_HEADER => self.section(whole),
                INTERFACE => self.interface(whole),
                PACKET | SIMPLE_PACKET | ENHANCED_PACKET => {
                    if let Some(mark) = self.packet(kind, whole, used, ledger) {
                        marks.push(mark);
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(fault) = outcome {
                break Halt::Broken(fault);
            }
            used += len as usize;
        };
        Walk { used, halt }
    }

    /// Reads the type and length of the block that `rest` begins with, 12 octets at least, and checks what is
    /// there of its frame: the length in front, and the one behind if the block is whole.
    fn enter(&mut self, rest: &[u8]) -> Result<(u32, u32), Fault> {
        if let Some(order) = section_order(rest) {
            // Whatever its order is, what the section before it said of interfaces holds no longer.
            self.interfaces.clear();
            self.order = order.map_err(Fault::SectionOrder)?;
        }
        let (kind, len) = (self.order.u32(rest, 0), self.order.u32(rest, 4));
        let longest = if is_known(kind) { KNOWN_BLOCK_OCTETS_MAX } else { BLOCK_OCTETS_MAX };
        let why = match len {
            _ if len < shortest(kind) => Some("too short for its content"),
            _ if len > longest => Some("too long"),
            _ if len % 4 != 0 => Some("not a multiple of 4"),
            _ => None,
        };
        if let Some(why) = why {
            return Err(Fault::BlockLength { kind, len, why });
        }
        match trailing_length(rest, len, self.order) {
            Some(trailing) if trailing != len => {
                Err(Fault::BlockTrailer { leading: len, trailing })
            }
            _ => Ok((kind, len)),
        }
    }

    /// How long a block is that is of a type that captures hold, and has its length behind it, too, if that is there.
    fn likely(&self, rest: &[u8]) -> Option<usize> {
        let order = match section_order(rest) {
            Some(order) => order.ok()?,
            None => self.order,
        };
        let (kind, len) = (order.u32(rest, 0), order.u32(rest, 4));
        let is_common = is_known(kind) || NUMBERED.contains(&kind) || COMMON.contains(&kind);
        let is_long = (shortest(kind)..=RECORD_OCTETS_MAX as u32).contains(&len) && len % 4 == 0;
        let is_whole = is_common
            && is_long
            && trailing_length(rest, len, order).is_none_or(|trailing| trailing == len);
        is_whole.then_some(len as usize)
    }

    fn section(&self, block: &[u8]) -> Result<(), Fault> {
        let (major, minor) = (self.order.u16(block, 12), self.order.u16(block, 14));
        if major != 1 {
            return Err(Fault::SectionVersion(major, minor));
        }
        Ok(())
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), Fault> {
        if self.interfaces.len() < INTERFACES_MAX {
            let options = block.get(16..block.len() - 4).unwrap_or_default();
            self.interfaces.push(Interface {
                link: LinkType(self.order.u16(block, 8)),
                snaplen: self.order.u32(block, 12),
                clock: Clock::from_options(options, self.order),
            });
        }
        Ok(())
    }

    /// Reads a block with a frame. The frame has a number even when it is left out.
    fn packet(
        &mut self,
        kind: u32,
        block: &[u8],
        used: usize,
        ledger: &mut Ledger,
    ) -> Option<Mark> {
        let number = ledger.frame();
        let order = self.order;
        let id = match kind {
            ENHANCED_PACKET => order.u32(block, 8),
            PACKET => u32::from(order.u16(block, 8)),
            _ => 0,
        };
        let Some(interface) = self.interfaces.get(id as usize) else {
            ledger.note(Fault::UnknownInterface(id), number, used);
            return None;
        };
        let body: u32 = if kind == SIMPLE_PACKET { 12 } else { 28 };
        let room = (block.len() as u32).saturating_sub(body + 4);
        let (time, len, original_len) = if kind == SIMPLE_PACKET {
            let original_len = order.u32(block, 8);
            let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
            (self.last_time, original_len.min(snaplen).min(room), original_len)
        } else {
            let units = (u64::from(order.u32(block, 12)) << 32) | u64::from(order.u32(block, 16));
            (interface.clock.time(units), order.u32(block, 20), order.u32(block, 24))
        };
        if len > room || len > FRAME_OCTETS_MAX {
            let room = room.min(FRAME_OCTETS_MAX);
            ledger.note(Fault::FrameLength { claimed: len, room }, number, used);
            return None;
        }
        self.last_time = time;
        let start = used as u32 + body;
        Some(Mark { number, time, start, len, original_len, link: interface.link })
    }
}

/// The byte order of a section header, or what stands in its place; `None` for other blocks.
fn section_order(block: &[u8]) -> Option<Result<ByteOrder, u32>> {
    // The magic reads the same in both byte orders.
    (ByteOrder::Big.u32(block, 0) == SECTION_HEADER)
        .then(|| byte_order(block).ok_or(ByteOrder::Big.u32(block, 8)))
}

/// The length behind a block of `len` octets, if that much is there.
fn trailing_length(rest: &[u8], len: u32, order: ByteOrder) -> Option<u32> {
    let last = rest.get(..len as usize)?.last_chunk::<4>()?;
    Some(order.u32(last, 0))
}

/// The length of the shortest block of a type.
fn shortest(kind: u32) -> u32 {
    match kind {
        SECTION_HEADER => HEADER_OCTETS as u32,
        INTERFACE => 20,
        PACKET | ENHANCED_PACKET => 32,
        SIMPLE_PACKET => 16,
        _ => 12,
    }
}

/// The byte order of the section header that `bytes` begin with.
pub(super) fn byte_order(bytes: &[u8]) -> Option<ByteOrder> {
    match ByteOrder::Big.u32(bytes, 8) {
        0x1a2b_3c4d => Some(ByteOrder::Big),
        0x4d3c_2b1a => Some(ByteOrder::Little),
        _ => None,
    }
}

fn is_known(kind: u32) -> bool {
    matches!(kind, SECTION_HEADER | INTERFACE | PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// How an interface counts time: `if_tsresol` and `if_tsoffset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    unit: Unit,
    /// Seconds to add.
    offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Nanoseconds in a unit.
    Multiple(i64),
    /// Units in a nanosecond.
    Fraction(u64),
    /// Units in a second, as a power of 2.
    Binary(u32),
}

impl Clock {
    /// Reads the options of an interface: code, length and value each, padded to 4 octets.
    fn from_options(mut options: &[u8], order: ByteOrder) -> Clock {
        let mut clock = Clock { unit: Unit::Multiple(1_000), offset: 0 };
        while let Some((head, rest)) = options.split_first_chunk::<4>() {
            let (code, len) = (order.u16(head, 0), order.u16(head, 2) as usize);
            match (code, rest.get(..len)) {
                (0, _) | (_, None) => break,
                (9, Some(&[resolution])) => clock.unit = Unit::from_resolution(resolution),
                (14, Some(seconds)) if len == 8 => clock.offset = order.i64(seconds, 0),
                _ => {}
            }
            options = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        clock
    }

    #[inline]
    fn time(&self, units: u64) -> Timestamp {
        let nanos = match self.unit {
            Unit::Multiple(nanos) => i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(nanos),
            Unit::Fraction(units_a_nano) => saturate(u128::from(units / units_a_nano)),
            Unit::Binary(power) => saturate((u128::from(units) * 1_000_000_000) >> power),
        };
        Timestamp(nanos.saturating_add(self.offset.saturating_mul(1_000_000_000)))
    }
}

impl Unit {
    /// From the value of `if_tsresol`: a negative power of 10, or of 2 when its highest bit is set.
    fn from_resolution(resolution: u8) -> Unit {
        let power = u32::from(resolution & 0x7f);
        match (resolution & 0x80 != 0, power) {
            (true, _) => Unit::Binary(power),
            (false, 0..=9) => Unit::Multiple(10_i64.pow(9 - power)),
            // Beyond 10^19 a nanosecond has more units than the counter can count: all times are 0.
            (false, _) => Unit::Fraction(10_u64.checked_pow(power - 9).unwrap_or(u64::MAX)),
        }
    }
}

fn saturate(nanos: u128) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_powers_of_ten_or_two() {
        let time = |resolution, units| {
            Clock { unit: Unit::from_resolution(resolution), offset: 0 }.time(units).0
        };
        assert_eq!(time(6, 1_500_000), 1_500_000_000);
        assert_eq!(time(9, 1_500_000_000), 1_500_000_000);
        assert_eq!(time(0, 3), 3_000_000_000);
        assert_eq!(time(12, 1_500_000_000_999), 1_500_000_000);
        assert_eq!(time(0x80 | 10, 1_536), 1_500_000_000);
        assert_eq!(time(0x80 | 32, (5 << 32) | (1 << 31)), 5_500_000_000);
        assert_eq!(time(0x80, 7), 7_000_000_000);
    }

    #[test]
    fn no_resolution_or_offset_overflows() {
        for resolution in 0..=u8::MAX {
            for offset in [i64::MIN, -1, 0, i64::MAX] {
                let clock = Clock { unit: Unit::from_resolution(resolution), offset };
                for units in [0, 1, u64::MAX / 2, u64::MAX] {
                    clock.time(units);
                }
            }
        }
    }

    #[test]
    fn options_are_read_up_to_their_end_or_the_first_broken_one() {
        let options = [0, 2, 0, 2, b'i', b'f', 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 14, 0, 8];
        let with_offset = [&options[..], &60_i64.to_be_bytes()].concat();
        let clock = Clock::from_options(&with_offset, ByteOrder::Big);
        assert_eq!(clock, Clock { unit: Unit::Multiple(1), offset: 60 });
        // The offset is cut off: what stood before it holds.
        let clock = Clock::from_options(&options, ByteOrder::Big);
        assert_eq!(clock, Clock { unit: Unit::Multiple(1), offset: 0 });
    }
}
