//! Building: entries added one by one, duplicates found, the table kept large enough.

use std::hash::BuildHasher;
use std::mem;

use super::network::{Network, SINGLE};
use super::table::Table;
use super::{END, ENTRIES_MAX, Entry, Full, IndicatorKind, Indicators, labels_of};
use crate::name::{HASH_SLACK, NAME_LEN_MAX, NameHasher};

impl Indicators {
    /// Nothing yet.
    pub(super) fn new(hasher: NameHasher) -> Indicators {
        Indicators {
            hasher,
            network_hasher: foldhash::quality::RandomState::default(),
            lists: Vec::new(),
            first_of_list: 0,
            hashes: Vec::new(),
            entries: Vec::new(),
            texts: String::new(),
            table: Table::new(0),
            label_counts: 0,
            root_flags_below: false,
            prefixes: Vec::new(),
        }
    }

    /// Begins another list with the entry added next.
    pub(super) fn begin_list(&mut self) {
        self.first_of_list = self.entries.len() as u32;
    }

    /// Adds a name to the last list, in lower case without a trailing dot, the root as `.`. Returns
    /// false when that list has it already.
    pub(super) fn add_name(
        &mut self,
        kind: IndicatorKind,
        name: &str,
        line: u32,
    ) -> Result<bool, Full> {
        let added = self.add(kind, name, self.hash_text(name), line)?;
        let labels = labels_of(name).count();
        self.label_counts |= 1 << labels;
        if labels == 0 && kind.flags(false) {
            self.root_flags_below = true;
            self.label_counts = u128::MAX;
        }
        Ok(added)
    }

    /// Adds an address or a network to the last list. Returns false when that list has it already.
    pub(super) fn add_network(&mut self, network: Network, line: u32) -> Result<bool, Full> {
        let kind = match network.prefix {
            SINGLE => IndicatorKind::Address,
            _ => IndicatorKind::Network,
        };
        let hash = self.network_hasher.hash_one(network);
        let added = self.add(kind, &network.to_string(), hash, line)?;
        if let Err(place) = self.prefixes.binary_search_by(|prefix| network.prefix.cmp(prefix)) {
            self.prefixes.insert(place, network.prefix);
        }
        Ok(added)
    }

    fn add(&mut self, kind: IndicatorKind, bare: &str, hash: u64, line: u32) -> Result<bool, Full> {
        let id = self.entries.len() as u32;
        let head = self
            .table
            .find(hash, |id| self.entry(id).is_some_and(|entry| self.bare(entry) == bare));
        let mut tail = None;
        if let Some(head) = head {
            for (id, entry) in self.chain(head) {
                if id >= self.first_of_list && entry.kind == kind {
                    return Ok(false);
                }
                tail = Some(id);
            }
        }
        let len = kind.mark().len() + bare.len();
        let start = u32::try_from(self.texts.len()).map_err(|_| Full)?;
        let len = u16::try_from(len).map_err(|_| Full)?;
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Full);
        }
        self.texts.push_str(kind.mark());
        self.texts.push_str(bare);
        self.hashes.push(hash);
        self.entries.push(Entry { start, line, next: END, len, kind });
        if !self.table.room_for(id) {
            self.grow();
        }
        match tail.and_then(|tail| self.entries.get_mut(tail as usize)) {
            Some(tail) => tail.next = id,
            None => self.table.insert(hash, id),
        }
        Ok(true)
    }

    /// Makes the table twice as large.
    fn grow(&mut self) {
        let small = mem::replace(&mut self.table, Table::new(self.hashes.len() * 3 / 2));
        for id in small.numbers() {
            if let Some(&hash) = self.hashes.get(id as usize) {
                self.table.insert(hash, id);
            }
        }
    }

    /// Ends building, and gives back the room that it took.
    pub(super) fn finish(&mut self) {
        self.hashes = Vec::new();
        self.texts.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    fn hash_text(&self, name: &str) -> u64 {
        let mut octets = [0; NAME_LEN_MAX + HASH_SLACK];
        let mut end = 0;
        for label in labels_of(name) {
            let after = end + 1 + label.len();
            if let Some([len, rest @ ..]) = octets.get_mut(end..after) {
                *len = label.len() as u8;
                rest.copy_from_slice(label.as_bytes());
                end = after;
            }
        }
        self.hasher.hash_labels(&octets, 0, end).0
    }
}
