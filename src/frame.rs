//! A frame: captured link-layer bytes with a timestamp, its position in the file, and its length on the wire.

use crate::time::Timestamp;

/// Where a frame stands in the input: which file, and its number in it, counted from 1 as Wireshark does.
///
/// The two share 64 bits because millions of them are kept: the file's place among the inputs in the
/// upper 16, the number in the lower 48. The order of `FrameId`s is the order of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(u64);

impl FrameId {
    /// No frame: nothing was captured.
    pub const NONE: FrameId = FrameId(0);

    /// The frame `number` (from 1) of the input `file` (from 0).
    pub fn new(file: u16, number: u64) -> FrameId {
        FrameId((u64::from(file) << 48) | (number & 0xffff_ffff_ffff))
    }

    /// The place of its file among the inputs, from 0.
    pub fn file(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Its number in that file, from 1; 0 for [`FrameId::NONE`].
    pub fn number(self) -> u64 {
        self.0 & 0xffff_ffff_ffff
    }

    /// The same in 48 bits; `None` of one so far on in its file that they do not hold it: in the first of the inputs
    /// beyond 2^47, in the others, of which they hold 32,768, beyond 2^32.
    #[inline]
    pub fn in_48_bits(self) -> Option<u64> {
        let (file, number) = (u64::from(self.file()), self.number());
        let (number_bits, file_bits) = if file == 0 { (47, 0) } else { (32, 15) };
        let fits = number >> number_bits == 0 && file >> file_bits == 0;
        fits.then_some(if file == 0 { number } else { 1 << 47 | file << 32 | number })
    }

    /// From [`FrameId::in_48_bits`].
    #[inline]
    pub fn from_48_bits(bits: u64) -> FrameId {
        match bits >> 47 {
            0 => FrameId(bits),
            _ => FrameId::new((bits >> 32) as u16 & 0x7fff, bits & 0xffff_ffff),
        }
    }

    /// Whether there is a frame at all.
    pub fn is_some(self) -> bool {
        self.number() != 0
    }
}

/// A link type as pcap files name it (LINKTYPE_ETHERNET is 1; <https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

/// One captured frame, borrowed from the batch that holds its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Where it stands in the input.
    pub id: FrameId,
    /// When it was captured.
    pub time: Timestamp,
    /// How its first bytes are to be read.
    pub link: LinkType,
    /// Its length on the wire, in octets; more than `bytes` holds when the capture was cut at a snaplen.
    pub original_len: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

/// Where a frame lies in the arena of a [`Batch`]: `len` octets from `start`. The rest is as in [`Frame`].
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are those of a frame")]
pub struct Entry {
    pub id: FrameId,
    pub time: Timestamp,
    pub start: u32,
    pub len: u32,
    pub original_len: u32,
    pub link: LinkType,
}

/// Up to some thousand frames in one reusable arena: what a channel carries.
///
/// A reader either appends frames with [`Batch::push`], or fills [`Batch::arena`] with a block of the
/// file and marks the frames in it with [`Batch::mark_all`], which copies nothing.
#[derive(Debug, Default)]
pub struct Batch {
    /// Its place in the stream of batches, from 0: what puts decoded batches back in order.
    pub sequence: u64,
    /// The bytes of all its frames, and whatever of the file stands between them.
    pub arena: Vec<u8>,
    entries: Vec<Entry>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// An empty batch that has the memory for so many frames of so many octets together. It is written to, so that
    /// the kernel has given it as well.
    pub fn with_room(frames: usize, octets: usize) -> Batch {
        let entry = Entry {
            id: FrameId::NONE,
            time: Timestamp(i64::MIN),
            start: 0,
            len: 0,
            original_len: 0,
            link: LinkType(1),
        };
        // What is all zeros would only be promised.
        let mut batch = Batch { sequence: 0, arena: vec![1; octets], entries: vec![entry; frames] };
        batch.clear();
        batch
    }

    /// Forgets the frames and keeps the memory.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.entries.clear();
    }

    /// How many frames it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends a frame, copying its bytes.
    pub fn push(&mut self, frame: Frame<'_>) {
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(frame.bytes);
        let Frame { id, time, link, original_len, bytes } = frame;
        self.entries.push(Entry { id, time, start, len: bytes.len() as u32, original_len, link });
    }

    /// Marks octets of the arena as frames. Octets beyond the arena's end are left out.
    pub fn mark_all(&mut self, entries: impl Iterator<Item = Entry>) {
        self.entries.extend(entries);
    }

    /// Gives its frames their places in the input: those of `file`, from `first` on.
    pub fn number(&mut self, file: u16, first: u64) {
        for (entry, number) in self.entries.iter_mut().zip(first..) {
            entry.id = FrameId::new(file, number);
        }
    }

    /// Its frames, in the order they were added.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.entries.iter().map(|entry| self.frame(entry))
    }

    /// The frame at a place, from 0.
    #[inline]
    pub fn get(&self, place: usize) -> Option<Frame<'_>> {
        self.entries.get(place).map(|entry| self.frame(entry))
    }

    /// When its last frame was captured.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.entries.last().map(|entry| entry.time)
    }

    #[inline]
    fn frame(&self, entry: &Entry) -> Frame<'_> {
        let start = entry.start as usize;
        let end = start.saturating_add(entry.len as usize);
        Frame {
            id: entry.id,
            time: entry.time,
            link: entry.link,
            original_len: entry.original_len,
            bytes: self.arena.get(start..end).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, start: u32, len: u32) -> Entry {
        let (id, time) = (FrameId::new(0, number), Timestamp(number as i64));
        Entry { id, time, start, len, original_len: 9, link: LinkType(1) }
    }

    #[test]
    fn an_id_keeps_file_and_number_and_orders_by_them() {
        let id = FrameId::new(3, 1_782);
        assert_eq!((id.file(), id.number()), (3, 1_782));
        assert!(FrameId::new(0, 9) < FrameId::new(1, 1));
        assert!(!FrameId::NONE.is_some());
    }

    #[test]
    fn pushed_and_marked_frames_come_back_in_order() {
        let mut batch = Batch::new();
        let frame = |number, bytes| Frame {
            id: FrameId::new(0, number),
            time: Timestamp(number as i64),
            link: LinkType(1),
            original_len: 99,
            bytes,
        };
        batch.push(frame(1, b"abc"));
        batch.push(frame(2, b"de"));
        batch.mark_all([entry(3, 1, 1)].into_iter());
        let seen: Vec<_> = batch.frames().map(|f| (f.id.number(), f.bytes.to_vec())).collect();
        assert_eq!(seen, [(1, b"abc".to_vec()), (2, b"de".to_vec()), (3, b"b".to_vec())]);
    }

    #[test]
    fn a_mark_beyond_the_arena_is_an_empty_frame_not_a_panic() {
        let mut batch = Batch::new();
        batch.mark_all([entry(1, 5, u32::MAX)].into_iter());
        assert_eq!(batch.frames().next().map(|f| f.bytes.len()), Some(0));
    }
}
