//! An open-addressing table from 64-bit keyed hashes to small numbers, eight octets a slot.
//!
//! The hash, as a fraction of 2^64, says at which of the slots probing begins; the slot keeps its lower
//! 64 - b bits, and in the b bits left the number. So nearly the whole hash is compared although it is
//! not stored, a look-up costs one cache line, and a million entries take 10 MB:
//!
//! ```text
//!  63                       b b-1         0
//! +--------------------------+-------------+
//! |  lower bits of the hash  |   number    |
//! +--------------------------+-------------+
//! ```
//!
//! It is made once, when it is known how much goes into it. The hashes are keyed, so linear
//! probing cannot be attacked.
//!
//! What is looked up is nearly always absent, so a filter stands before the slots: for each eight of
//! them 64 bits, three of which every entry sets. At a million entries it takes 1.3 MB, which mostly stays
//! in the cache where the slots do not, and lets about one absent hash in fifty pass.

use crate::bounded::ask_for;

/// A slot that holds nothing. No entry looks like it: its number would be 2^b - 1, which is kept free.
const EMPTY: u64 = u64::MAX;

/// How many slots share a word of the filter.
const SLOTS_A_WORD: usize = 8;

/// The table. It holds numbers below the count it was made for, each once.
#[derive(Clone, Debug)]
pub(super) struct Table {
    slots: Vec<u64>,
    filter: Vec<u64>,
    /// How many bits of a slot are the number.
    bits: u32,
    count: u32,
}

impl Table {
    /// An empty table in which the numbers below `count` have room.
    pub(super) fn new(count: u32) -> Table {
        // At most four slots in five are taken: a find takes three looks, on average.
        let slots = count as usize + count as usize / 4 + 16;
        Table {
            slots: vec![EMPTY; slots],
            filter: vec![0; slots / SLOTS_A_WORD + 1],
            bits: u32::BITS - count.leading_zeros() + 1,
            count,
        }
    }

    /// Adds a number under a hash. One without room for it is not added.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if number >= self.count {
            return;
        }
        let mut at = self.home(hash);
        if let Some(word) = self.filter.get_mut(at / SLOTS_A_WORD) {
            *word |= filter_bits(hash);
        }
        for _ in 0..self.slots.len() {
            match self.slots.get_mut(at) {
                Some(slot) if *slot == EMPTY => {
                    *slot = (hash << self.bits) | u64::from(number);
                    return;
                }
                Some(_) => at += 1,
                None => at = 0,
            }
        }
    }

    /// Asks for the memory that a number is inserted in, to be there when it is wanted.
    #[inline]
    pub(super) fn ask_for_room(&self, hash: u64) {
        ask_for(&self.slots, self.home(hash));
        self.ask_for(hash);
    }

    /// Asks for the memory that [`Table::may_hold`] reads, to be there when it is wanted.
    #[inline]
    pub(super) fn ask_for(&self, hash: u64) {
        ask_for(&self.filter, self.home(hash) / SLOTS_A_WORD);
    }

    /// Whether there may be a number under the hash. Nearly always there is none, and this says so.
    #[inline]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let wanted = filter_bits(hash);
        let word = self.filter.get(self.home(hash) / SLOTS_A_WORD);
        word.is_some_and(|word| word & wanted == wanted)
    }

    /// The first number under the hash that `is_it` accepts.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        if !self.may_hold(hash) {
            return None;
        }
        let mut at = self.home(hash);
        let kept = hash << self.bits;
        // It ends: a fifth of the slots is empty.
        loop {
            let Some(&slot) = self.slots.get(at) else {
                at = 0;
                continue;
            };
            if slot == EMPTY {
                return None;
            }
            if (slot ^ kept) >> self.bits == 0 {
                let number = (slot & ((1 << self.bits) - 1)) as u32;
                if is_it(number) {
                    return Some(number);
                }
            }
            at += 1;
        }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }
}

/// The three bits of its filter word that an entry sets; fewer where they fall together.
#[inline]
fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << ((hash >> 6) & 63) | 1 << ((hash >> 12) & 63)
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
    fn nearly_all_that_is_absent_is_told_at_once() {
        let hasher = foldhash::quality::RandomState::default();
        let hash = |number: u32| std::hash::BuildHasher::hash_one(&hasher, number);
        let mut table = Table::new(50_000);
        for number in 0..50_000 {
            table.insert(hash(number), number);
        }
        assert!((0..50_000).all(|number| table.may_hold(hash(number))));
        let passed = (50_000..100_000).filter(|&absent| table.may_hold(hash(absent))).count();
        assert!(passed < 2_000, "{passed} of 50,000");
    }

    #[test]
    fn without_room_nothing_is_added() {
        for count in [0, 1, 4, 255, 256] {
            let mut table = Table::new(count);
            table.insert(7, count);
            assert_eq!(table.find(7, |_| true), None);
        }
    }

    proptest! {
        #[test]
        fn everything_put_in_is_found_and_nothing_else(hashes: Vec<u64>, other: u64) {
            let mut table = Table::new(hashes.len() as u32);
            for (number, &hash) in (0..).zip(&hashes) {
                table.insert(hash, number);
            }
            for (number, &hash) in (0..).zip(&hashes) {
                prop_assert_eq!(table.find(hash, |found| found == number), Some(number));
            }
            prop_assert_eq!(table.find(other, |_| true).is_some(), hashes.contains(&other));
        }
    }
}
