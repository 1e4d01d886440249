//! Entries as they are kept: there are millions of them, and of nearly all nothing is ever asked.
//!
//! While lists are read, each says where its text begins and which line it stands in. Afterwards that is told for
//! sixteen together, and of each only what it adds: their texts stand one behind the other, their lines near each other.

use std::collections::BTreeMap;

use super::IndicatorKind;

/// How many entries share a [`Block`]: what is gone through to find one of them is one line of the cache.
const BLOCK: usize = 16;
/// A line that is too far from that of the block's first to be told by how far.
const FAR: u16 = (1 << 15) - 1;
/// The bit of a line that says: there is a next entry for the same.
const HAS_NEXT: u16 = 1 << 15;

/// An entry, its text apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where its text begins.
    pub start: u32,
    pub line: u32,
    pub len: u8,
    pub kind: IndicatorKind,
    /// Whether there is another entry for the same name or network, of another kind or in another list.
    pub has_next: bool,
}

/// The first of some entries that follow each other.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: u32,
    line: u32,
}

/// What an entry adds to that: four octets.
#[derive(Clone, Copy, Debug)]
struct Packed {
    /// How many lines behind the block's first it stands, or [`FAR`]; and [`HAS_NEXT`].
    line: u16,
    len: u8,
    kind: IndicatorKind,
}

/// All entries, by their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    /// While lists are read, all of them.
    loose: Vec<Entry>,
    blocks: Vec<Block>,
    packed: Vec<Packed>,
    /// The lines that are far.
    far: BTreeMap<u32, u32>,
}

impl Entries {
    pub fn len(&self) -> usize {
        self.loose.len() + self.packed.len()
    }

    /// The entry of an id.
    #[inline]
    pub fn get(&self, id: u32) -> Option<Entry> {
        match self.loose.get(id as usize) {
            Some(entry) => Some(*entry),
            None => self.unpack(id),
        }
    }

    fn unpack(&self, id: u32) -> Option<Entry> {
        let (place, first) = (id as usize, id as usize / BLOCK * BLOCK);
        let block = self.blocks.get(place / BLOCK)?;
        let before = self.packed.get(first..place)?;
        let start = block.start + before.iter().map(|other| u32::from(other.len)).sum::<u32>();
        Some(self.unpacked(id, *self.packed.get(place)?, start, block.line))
    }

    /// An entry whose text begins at `start`, of a block whose first stands in `line`.
    #[inline]
    fn unpacked(
        &self,
        id: u32,
        Packed { line: behind, len, kind }: Packed,
        start: u32,
        line: u32,
    ) -> Entry {
        let has_next = behind & HAS_NEXT != 0;
        let line = match behind & FAR {
            FAR => self.far.get(&id).copied().unwrap_or_default(),
            behind => line + u32::from(behind),
        };
        Entry { start, line, len, kind, has_next }
    }

    /// All that are packed, with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Entry)> {
        let mut start = 0;
        (0..).zip(&self.packed).map(move |(id, packed)| {
            let line = self.blocks.get(id as usize / BLOCK).map_or(0, |block| block.line);
            let entry = self.unpacked(id, *packed, start, line);
            start += u32::from(packed.len);
            (id, entry)
        })
    }

    /// What those from an id on stand for, once they are packed.
    pub fn kinds(&self, id: u32) -> impl Iterator<Item = IndicatorKind> {
        self.packed.get(id as usize..).unwrap_or_default().iter().map(|packed| packed.kind)
    }

    /// Adds one, while none is packed.
    #[inline]
    pub fn push(&mut self, entry: Entry) {
        self.loose.push(entry);
    }

    /// One that is not packed, to be changed.
    #[inline]
    pub fn get_mut(&mut self, place: usize) -> Option<&mut Entry> {
        self.loose.get_mut(place)
    }

    /// Packs the first so many, of which each text begins where the one before it ends, and forgets the others.
    pub fn pack(&mut self, kept: usize) {
        let loose = std::mem::take(&mut self.loose);
        let loose = loose.get(..kept).unwrap_or(&loose);
        self.blocks.reserve_exact(loose.len().div_ceil(BLOCK));
        self.packed.reserve_exact(loose.len());
        for block in loose.chunks(BLOCK) {
            let Some(&Entry { start, line: first, .. }) = block.first() else { continue };
            self.blocks.push(Block { start, line: first });
            for &Entry { line, len, kind, has_next, .. } in block {
                let behind = line.checked_sub(first).and_then(|behind| u16::try_from(behind).ok());
                let behind = behind.filter(|behind| *behind < FAR).unwrap_or(FAR);
                if behind == FAR {
                    self.far.insert(self.packed.len() as u32, line);
                }
                let line = behind | if has_next { HAS_NEXT } else { 0 };
                self.packed.push(Packed { line, len, kind });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_takes_four_octets_and_a_half() {
        assert_eq!((size_of::<Packed>(), size_of::<Block>()), (4, 8));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_as_it_was(
            given in prop::collection::vec((prop_oneof![0..100u32, any::<u32>()], any::<u8>(), 0..5usize, any::<bool>()), 0..60),
            more in 0..3usize,
        ) {
            let mut entries = Entries::default();
            let mut start = 0;
            for (line, len, kind, has_next) in given {
                entries.push(Entry { start, line, len, kind: IndicatorKind::ALL[kind], has_next });
                start += u32::from(len);
            }
            let kept = entries.len().saturating_sub(more);
            let all = |entries: &Entries| -> Vec<Entry> {
                (0..kept as u32).map(|id| entries.get(id).unwrap()).collect()
            };
            let before = all(&entries);
            entries.pack(kept);
            prop_assert_eq!(entries.len(), kept);
            prop_assert_eq!(entries.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), before.clone());
            prop_assert_eq!(entries.kinds(0).count(), kept);
            prop_assert_eq!(all(&entries), before);
            prop_assert_eq!(entries.get(kept as u32), None);
        }
    }
}
