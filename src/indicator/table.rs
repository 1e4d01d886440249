//! An open-addressing table from 64-bit keyed hashes to small numbers, eight octets a slot.
//!
//! With 2^b slots the upper b bits of a hash choose the slot where probing begins; the slot keeps the
//! other 64 - b bits, and in the b bits that this frees, the number. So nearly the whole hash is
//! compared although it is not stored, a look-up costs one cache line, and a million entries take
//! 16 MiB:
//!
//! ```text
//!  63                       b b-1         0
//! +--------------------------+-------------+
//! |  lower bits of the hash  |   number    |
//! +--------------------------+-------------+
//! ```
//!
//! The hashes are keyed per process, so linear probing cannot be attacked.
//!
//! What is looked up is nearly always absent, so a filter stands before the slots: for each sixteen of
//! them 64 bits, two of which every entry sets. At a million entries it takes 1 MiB, which stays in
//! the cache where 16 MiB of slots do not, and lets about one absent hash in twenty pass.

/// A slot that holds nothing. No entry looks like it: its number would be 2^b - 1, and the table is
/// kept at most three quarters full of numbers.
const EMPTY: u64 = u64::MAX;

/// How many slots share a word of the filter.
const SLOTS_A_WORD: usize = 16;

/// The table. It holds numbers below three quarters of its slots; [`Table::room_for`] asks for more.
#[derive(Clone, Debug)]
pub(super) struct Table {
    slots: Vec<u64>,
    filter: Vec<u64>,
    bits: u32,
}

impl Table {
    /// An empty table in which numbers below `count` have room.
    pub(super) fn new(count: usize) -> Table {
        let slots = (count + count / 3 + 2).next_power_of_two().max(16);
        Table {
            slots: vec![EMPTY; slots],
            filter: vec![0; slots / SLOTS_A_WORD],
            bits: slots.trailing_zeros(),
        }
    }

    /// Whether the number may be put in.
    pub(super) fn room_for(&self, number: u32) -> bool {
        (number as usize) < self.slots.len() / 4 * 3
    }

    /// Adds a number under a hash. Without room for it nothing is added.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if !self.room_for(number) {
            return;
        }
        let last = self.slots.len() - 1;
        let mut at = self.home(hash);
        if let Some(word) = self.filter.get_mut(at / SLOTS_A_WORD) {
            *word |= filter_bits(hash);
        }
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == EMPTY {
                *slot = (hash << self.bits) | u64::from(number);
                return;
            }
            at = (at + 1) & last;
        }
    }

    /// The first number under the hash that `is_it` accepts.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        let wanted = filter_bits(hash);
        if self.filter.get(at / SLOTS_A_WORD).is_none_or(|word| word & wanted != wanted) {
            return None;
        }
        let last = self.slots.len() - 1;
        let kept = hash << self.bits;
        // It ends: a quarter of the slots is empty.
        while let Some(&slot) = self.slots.get(at) {
            if slot == EMPTY {
                return None;
            }
            if (slot ^ kept) >> self.bits == 0 {
                let number = (slot as usize & last) as u32;
                if is_it(number) {
                    return Some(number);
                }
            }
            at = (at + 1) & last;
        }
        None
    }

    /// Every number in the table, in the order of the slots.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let last = self.slots.len() as u64 - 1;
        self.slots.iter().filter(|&&slot| slot != EMPTY).map(move |slot| (slot & last) as u32)
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> (64 - self.bits)) as usize
    }
}

/// The two bits of its filter word that an entry sets; one where they fall together.
#[inline]
fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << ((hash >> 6) & 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_collides_in_every_slot_bit_is_told_apart_by_the_caller() {
        let mut table = Table::new(4);
        for number in 0..4 {
            table.insert(u64::MAX, number);
        }
        assert_eq!(table.find(u64::MAX, |number| number == 3), Some(3));
        assert_eq!(table.find(u64::MAX, |_| false), None);
        assert_eq!(table.find(0, |_| true), None, "probing wraps around without a false find");
    }

    #[test]
    fn without_room_nothing_is_added() {
        let mut table = Table::new(4);
        assert!(!table.room_for(12));
        table.insert(7, 12);
        assert_eq!(table.numbers().count(), 0);
    }

    proptest! {
        #[test]
        fn everything_put_in_is_found_and_nothing_else(hashes: Vec<u64>, other: u64) {
            let mut table = Table::new(hashes.len());
            for (number, &hash) in (0..).zip(&hashes) {
                prop_assert!(table.room_for(number));
                table.insert(hash, number);
            }
            for (number, &hash) in (0..).zip(&hashes) {
                prop_assert_eq!(table.find(hash, |found| found == number), Some(number));
            }
            prop_assert_eq!(table.find(other, |_| true).is_some(), hashes.contains(&other));
            prop_assert_eq!(table.numbers().count(), hashes.len());
        }
    }
}
