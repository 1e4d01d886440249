//! What a message is matched with: the transactions under way, found by ports, addresses and id.
//!
//! They are few, and the history is long. A chain of the history's ring visits every entry whose key
//! falls on its slot, each in memory last touched long ago, and most of the time that matching took went
//! there. Here a look-up reads one cache line of a table that is as large as what is under way asks for.

use crate::bounded::Sequence;

/// How many transactions share a bucket of one cache line.
const WAYS: usize = 8;
/// How many buckets there are at first: 16 KiB of them.
const BUCKETS_MIN: usize = 1 << 8;
/// The bit of a slot that says: answered, and nothing more is to come.
const DONE: u64 = 1 << 32;

/// Since when transactions are not to be forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    /// Those under way.
    pub open: Sequence,
    /// Those that are done: a mirror port may yet deliver their messages a second time.
    pub done: Sequence,
}

/// Slots from the newest to the oldest: 31 bits of hash, [`DONE`], the number's lower 32 bits. 0 is none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([u64; WAYS]);

impl Bucket {
    const EMPTY: Bucket = Bucket([0; WAYS]);
}

/// The transactions under way, and as many of the others as there is room for.
///
/// When one that is needed would have to make room, the table is made twice as large, up to its limit;
/// beyond that the oldest in its bucket is forgotten, and its response will count as one whose query was
/// not captured.
#[derive(Debug)]
pub(super) struct Recent {
    buckets: Vec<Bucket>,
    buckets_max: usize,
}

impl Recent {
    /// Room for at most about `limit` transactions.
    pub fn new(limit: usize) -> Recent {
        let buckets_max = (limit.clamp(WAYS, 1 << 30) / WAYS).next_power_of_two();
        Recent { buckets: vec![Bucket::EMPTY; BUCKETS_MIN.min(buckets_max)], buckets_max }
    }

    /// Adds the transaction with the greatest number so far. `key_of` knows the keys of the others.
    #[inline]
    pub fn insert(
        &mut self,
        key: u64,
        sequence: Sequence,
        done: bool,
        needed: Needed,
        key_of: impl Fn(Sequence) -> Option<u64>,
    ) {
        let slot = slot(key, sequence, done);
        while !self.make_room(key, slot, sequence, needed) {
            if self.buckets.len() < self.buckets_max {
                self.grow(sequence, &key_of);
                continue;
            }
            // Full of what is needed: the oldest goes.
            if let Some(bucket) = self.bucket_mut(key) {
                push(bucket, WAYS - 1, slot);
            }
            return;
        }
    }

    /// Puts a slot in the place of one that is not needed, if there is one.
    #[inline]
    fn make_room(&mut self, key: u64, slot: u64, next: Sequence, needed: Needed) -> bool {
        let Some(bucket) = self.bucket_mut(key) else { return false };
        let idle = bucket.iter().rposition(|&old| {
            let since = if old & DONE != 0 { needed.done } else { needed.open };
            old == 0 || number(old, next).is_none_or(|number| number < since)
        });
        idle.is_some_and(|place| {
            push(bucket, place, slot);
            true
        })
    }

    /// The numbers of the transactions with a key, newest first, and now and then one of another key:
    /// the caller compares. `next` is the number that the next transaction will have.
    #[inline]
    pub fn find(&self, key: u64, next: Sequence) -> impl Iterator<Item = Sequence> + use<'_> {
        let tag = tag(mix(key));
        let bucket = self.buckets.get(mix(key) as usize & (self.buckets.len() - 1));
        let slots = bucket.map(|bucket| bucket.0.as_slice()).unwrap_or_default().iter();
        let alike = slots.filter(move |slot| **slot >> 33 == tag >> 33 && **slot != 0);
        alike.filter_map(move |slot| number(*slot, next))
    }

    /// Notes that a transaction is answered and nothing more is to come.
    #[inline]
    pub fn close(&mut self, key: u64, sequence: Sequence) {
        let open = slot(key, sequence, false);
        if let Some(slot) = self.bucket_mut(key).and_then(|b| b.iter_mut().find(|s| **s == open)) {
            *slot |= DONE;
        }
    }

    fn grow(&mut self, next: Sequence, key_of: &impl Fn(Sequence) -> Option<u64>) {
        let mut kept: Vec<(Sequence, bool)> = self
            .buckets
            .iter()
            .flat_map(|bucket| &bucket.0)
            .filter(|slot| **slot != 0)
            .filter_map(|slot| Some((number(*slot, next)?, slot & DONE != 0)))
            .collect();
        kept.sort_unstable();
        self.buckets = vec![Bucket::EMPTY; self.buckets.len() * 2];
        for (sequence, done) in kept {
            let Some(key) = key_of(sequence) else { continue };
            if let Some(bucket) = self.bucket_mut(key) {
                push(bucket, WAYS - 1, slot(key, sequence, done));
            }
        }
    }

    #[inline]
    fn bucket_mut(&mut self, key: u64) -> Option<&mut [u64; WAYS]> {
        let place = mix(key) as usize & (self.buckets.len() - 1);
        self.buckets.get_mut(place).map(|bucket| &mut bucket.0)
    }
}

/// Puts a slot first, in the place of the one at `place`.
#[inline]
fn push(bucket: &mut [u64; WAYS], place: usize, slot: u64) {
    bucket.copy_within(..place, 1);
    let [first, ..] = bucket;
    *first = slot;
}

#[inline]
fn slot(key: u64, sequence: Sequence, done: bool) -> u64 {
    let done = if done { DONE } else { 0 };
    // Numbers count from one here, so that no slot in use is 0.
    tag(mix(key)) | done | u64::from((sequence.0 + 1) as u32)
}

/// The full number of a slot: the newest one below `next` that ends so.
#[inline]
fn number(slot: u64, next: Sequence) -> Option<Sequence> {
    let distance = ((next.0 + 1) as u32).wrapping_sub(slot as u32);
    next.0.checked_sub(u64::from(distance)).map(Sequence)
}

#[inline]
fn tag(mixed: u64) -> u64 {
    mixed & !0x1_ffff_ffff
}

#[inline]
fn mix(key: u64) -> u64 {
    let product = u128::from(key ^ 0xf39c_c060_5ced_c835) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u64) -> u64 {
        n.wrapping_mul(0x1234_5677)
    }

    proptest! {
        #[test]
        fn what_is_under_way_is_found_whatever_comes_between(
            answered in prop::collection::vec(any::<bool>(), 1..6_000),
        ) {
            let mut recent = Recent::new(1 << 16);
            let needed = |n: usize| Needed { open: Sequence(0), done: Sequence(n as u64) };
            for (n, answered) in answered.iter().enumerate() {
                let sequence = Sequence(n as u64);
                recent.insert(key(sequence.0), sequence, false, needed(n), |s| Some(key(s.0)));
                if *answered {
                    recent.close(key(sequence.0), sequence);
                }
            }
            let next = Sequence(answered.len() as u64);
            for (n, _) in answered.iter().enumerate().filter(|(_, answered)| !**answered) {
                let mut found = recent.find(key(n as u64), next);
                prop_assert!(found.any(|sequence| sequence.0 == n as u64), "{n}");
            }
            prop_assert_eq!(recent.find(key(1 << 40), next).count(), 0);
        }
    }

    #[test]
    fn the_newest_of_a_key_comes_first_and_what_is_done_makes_room() {
        let mut recent = Recent::new(WAYS);
        let needed = Needed { open: Sequence(0), done: Sequence(u64::MAX) };
        for n in 0..8 {
            recent.insert(7, Sequence(n), false, needed, |_| Some(7));
        }
        recent.close(7, Sequence(3));
        recent.insert(7, Sequence(8), false, needed, |_| Some(7));
        let found: Vec<u64> = recent.find(7, Sequence(9)).map(|s| s.0).collect();
        assert_eq!(found, [8, 7, 6, 5, 4, 2, 1, 0]);
        recent.insert(7, Sequence(9), false, needed, |_| Some(7));
        let oldest = recent.find(7, Sequence(10)).last();
        assert_eq!(oldest, Some(Sequence(1)), "at the limit the oldest is forgotten");
    }

    #[test]
    fn numbers_go_on_beyond_32_bits() {
        let mut recent = Recent::new(64);
        let needed = Needed { open: Sequence(0), done: Sequence(0) };
        let sequence = Sequence((7 << 32) + 5);
        recent.insert(9, sequence, false, needed, |_| Some(9));
        assert_eq!(recent.find(9, Sequence(sequence.0 + 3)).next(), Some(sequence));
    }
}
