//! Building: entries gathered one behind the other, and, once all are there, put into the table.
//!
//! While lists are read, nothing is looked up: each look-up is a miss of the cache, and done all
//! together at the end what they read can be asked for ahead. Then, too, it is known how large the table must be.

use std::hash::BuildHasher;

use super::network::{Network, SINGLE};
use super::table::Table;
use super::{
    ENTRIES_MAX, Entries, Entry, Full, IndicatorKind, Indicators, Note, NoteText, labels_of,
};
use crate::name::{HASH_SLACK, NAME_LEN_MAX, NameHash, NameHasher};

/// How long a description is kept, in octets.
const DESCRIPTION_LEN_MAX: usize = 200;
/// How many of the latest descriptions are looked at for the same one. Lists are mostly ordered by
/// time or by threat, so that this finds nearly all.
const DESCRIPTIONS_REMEMBERED: usize = 16;

/// So many entries ahead of the one that is put into the table, memory is asked for.
const AHEAD: usize = 16;

/// What a list says of an entry beside its name or address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Remark<'a> {
    /// The malware, the campaign; empty when it says nothing.
    pub description: &'a str,
    /// In per cent.
    pub confidence: Option<u8>,
}

/// What a list came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Built {
    /// The id of its first entry, or the one it would have.
    pub first: u32,
    pub entries: u32,
    pub duplicates: u32,
}

impl Indicators {
    /// Nothing yet.
    pub(super) fn new(hasher: NameHasher) -> Indicators {
        Indicators {
            hasher,
            network_hasher: foldhash::quality::RandomState::default(),
            lists: Vec::new(),
            hashes: Vec::new(),
            entries: Entries::default(),
            texts: Vec::new(),
            links: std::collections::BTreeMap::new(),
            notes: Vec::new(),
            note_texts: Vec::new(),
            descriptions: String::new(),
            table: Table::new(0),
            label_counts: 0,
            root_flags_below: false,
            prefixes: Vec::new(),
            allowed: None,
            too_broad: Vec::new(),
        }
    }

    /// Adds a name, in lower case without a trailing dot, the root as `.`.
    pub(super) fn add_name(
        &mut self,
        kind: IndicatorKind,
        name: &str,
        line: u32,
        remark: Remark<'_>,
    ) -> Result<(), Full> {
        let labels = labels_of(name.as_bytes()).count() as u32;
        let hash = self.hash_of_text(name.as_bytes());
        self.add_hashed_name(kind, name.as_bytes(), (hash, labels), line)?;
        self.remark(remark);
        Ok(())
    }

    /// As [`Indicators::add_name`], of a name whose hash and number of labels are known.
    #[inline]
    pub(super) fn add_hashed_name(
        &mut self,
        kind: IndicatorKind,
        name: &[u8],
        (hash, labels): (NameHash, u32),
        line: u32,
    ) -> Result<(), Full> {
        self.add(kind, name, hash.0, line)?;
        self.label_counts |= 1 << (labels & 127);
        if labels == 0 && kind.flags(false) {
            self.root_flags_below = true;
            self.label_counts = u128::MAX;
        }
        Ok(())
    }

    /// Adds an address or a network.
    pub(super) fn add_network(
        &mut self,
        network: Network,
        line: u32,
        remark: Remark<'_>,
    ) -> Result<(), Full> {
        let kind = match network.prefix {
            SINGLE => IndicatorKind::Address,
            _ => IndicatorKind::Network,
        };
        let hash = self.network_hasher.hash_one(network);
        self.add(kind, network.to_string().as_bytes(), hash, line)?;
        if let Err(place) = self.prefixes.binary_search_by(|prefix| network.prefix.cmp(prefix)) {
            self.prefixes.insert(place, network.prefix);
        }
        self.remark(remark);
        Ok(())
    }

    #[inline]
    fn add(&mut self, kind: IndicatorKind, bare: &[u8], hash: u64, line: u32) -> Result<(), Full> {
        let start = u32::try_from(self.texts.len()).map_err(|_| Full)?;
        let mark = kind.mark().as_bytes();
        let len = u8::try_from(mark.len() + bare.len()).map_err(|_| Full)?;
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Full);
        }
        self.texts.extend_from_slice(mark);
        self.texts.extend_from_slice(bare);
        self.hashes.push(hash);
        self.entries.push(Entry { start, line, len, kind, has_next: false });
        Ok(())
    }

    /// Keeps what is said of the entry added last.
    fn remark(&mut self, Remark { description, confidence }: Remark<'_>) {
        let description = description.trim();
        if description.is_empty() && confidence.is_none() {
            return;
        }
        let entry = self.entries.len().saturating_sub(1) as u32;
        let text = (!description.is_empty()).then(|| self.describe(description)).flatten();
        self.notes.push(Note { entry, text, confidence });
    }

    /// Keeps a description, and returns which it is; `None` when there is no room left.
    fn describe(&mut self, description: &str) -> Option<u32> {
        let end = description.floor_char_boundary(DESCRIPTION_LEN_MAX);
        let description = description.get(..end).unwrap_or_default();
        let latest = self.note_texts.len().saturating_sub(DESCRIPTIONS_REMEMBERED);
        let known = (latest..self.note_texts.len())
            .rev()
            .find(|&place| self.description(place as u32) == Some(description));
        if let Some(known) = known {
            return Some(known as u32);
        }
        let start = u32::try_from(self.descriptions.len()).ok()?;
        self.descriptions.push_str(description);
        self.note_texts.push(NoteText { start, len: end as u32 });
        Some(self.note_texts.len() as u32 - 1)
    }

    /// Where the next list begins, for [`Indicators::finish`].
    pub(super) fn next_place(&self) -> usize {
        self.entries.len()
    }

    /// Ends building: given where each list begins, makes the table, leaves out what a list holds
    /// twice, and says what each list came to.
    pub(super) fn finish(&mut self, begins: &[usize]) -> Vec<Built> {
        let all = self.entries.len();
        self.table = Table::new(all as u32);
        let mut built = Vec::with_capacity(begins.len());
        let (mut kept, mut text_end, mut notes_kept) = (0, 0, 0);
        let mut notes_read = 0;
        for (place, &begin) in begins.iter().enumerate() {
            let end = begins.get(place + 1).copied().unwrap_or(all);
            let first = kept;
            for at in begin..end {
                let is_kept = self.place(at, kept, first, &mut text_end);
                while let Some(note) = self.notes.get(notes_read).copied()
                    && note.entry as usize <= at
                {
                    notes_read += 1;
                    if is_kept && let Some(slot) = self.notes.get_mut(notes_kept) {
                        *slot = Note { entry: kept as u32, ..note };
                        notes_kept += 1;
                    }
                }
                kept += usize::from(is_kept);
            }
            built.push(Built {
                first: first as u32,
                entries: (kept - first) as u32,
                duplicates: (end.saturating_sub(begin) - (kept - first)) as u32,
            });
        }
        self.entries.pack(kept);
        self.texts.truncate(text_end);
        self.notes.truncate(notes_kept);
        self.hashes = Vec::new();
        self.texts.shrink_to_fit();
        self.notes.shrink_to_fit();
        built
    }

    /// Moves the entry at `at` to the place `kept`, its text to `text_end`, and puts it into the table.
    /// Returns false when one that is the same came since `first`.
    fn place(&mut self, at: usize, kept: usize, first: usize, text_end: &mut usize) -> bool {
        let (Some(entry), Some(&hash)) = (self.entry(at as u32), self.hashes.get(at)) else {
            return false;
        };
        if let Some(ahead) = self.hashes.get(at + AHEAD) {
            self.table.ask_for_room(*ahead);
        }
        let bare = self.bare(&entry);
        let head = self
            .table
            .find(hash, |id| self.entry(id).is_some_and(|known| self.bare(&known) == bare));
        let mut tail = None;
        if let Some(head) = head {
            for (id, known) in self.chain(head) {
                if id as usize >= first && known.kind == entry.kind {
                    return false;
                }
                tail = Some(id);
            }
        }
        let (start, len) = (entry.start as usize, usize::from(entry.len));
        if start != *text_end {
            self.texts.copy_within(start..start + len, *text_end);
        }
        if let Some(slot) = self.entries.get_mut(kept) {
            *slot = Entry { start: *text_end as u32, ..entry };
        }
        *text_end += len;
        match tail.and_then(|tail| Some((tail, self.entries.get_mut(tail as usize)?))) {
            Some((tail, last)) => {
                last.has_next = true;
                self.links.insert(tail, kept as u32);
            }
            None => self.table.insert(hash, kept as u32),
        }
        true
    }

    /// The hash of a name in its kept form.
    pub(super) fn hash_of_text(&self, name: &[u8]) -> NameHash {
        let mut octets = [0; NAME_LEN_MAX + HASH_SLACK];
        let (mut end, mut last, mut last_two) = (0, 0, 0);
        for label in labels_of(name) {
            let after = end + 1 + label.len();
            if let Some([len, rest @ ..]) = octets.get_mut(end..after) {
                *len = label.len() as u8;
                rest.copy_from_slice(label);
                (last_two, last, end) = (last, end, after);
            }
        }
        self.hasher.hash_labels(&octets, last_two, end).0
    }
}
