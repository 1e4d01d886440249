//! What a message is matched with: the transactions under way, found by ports, addresses and id.
//!
//! They are few, and the history is long. A chain of the history's ring visits every entry whose key
//! falls on its slot, each in memory last touched long ago, and most of the time that matching took went
//! there. Here a look-up reads one cache line of a table that is as large as what is under way asks for. For that it
//! must be well filled, which by chance some buckets are beyond their room: these have another.

use crate::bounded::Sequence;

/// How many transactions share a bucket of one cache line.
const WAYS: usize = 8;
/// How many buckets there are at first: 16 KiB of them.
const BUCKETS_MIN: usize = 1 << 8;
/// One in so many buckets can have a second one.
const SECOND_SHARE: usize = 8;
/// The bit of a slot that is in use.
const USED: u64 = 1 << 33;
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

impl Needed {
    /// Whether what a slot holds may be forgotten.
    #[inline]
    fn spares(self, slot: u64, next: Sequence) -> bool {
        let since = if slot & DONE != 0 { self.done } else { self.open };
        slot == 0 || number(slot, next).is_none_or(|number| number < since)
    }
}

/// Slots from the newest to the oldest: 30 bits of hash, [`USED`], [`DONE`], the number's lower 32 bits. 0 is none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([u64; WAYS]);

impl Bucket {
    const EMPTY: Bucket = Bucket([0; WAYS]);

    /// Puts a slot first, in the place of the last one that may be forgotten, if there is one.
    #[inline]
    fn put(&mut self, slot: u64, next: Sequence, needed: Needed) -> bool {
        let idle = self.0.iter().rposition(|old| needed.spares(*old, next));
        idle.is_some_and(|place| {
            self.push(place, slot);
            true
        })
    }

    /// Puts a slot first, in the place of the one at `place`.
    #[inline]
    fn push(&mut self, place: usize, slot: u64) {
        self.0.copy_within(..place, 1);
        let [first, ..] = &mut self.0;
        *first = slot;
    }
}

/// The transactions under way, and as many of the others as there is room for.
///
/// When one that is needed would have to make room, the table is made twice as large, up to its limit;
/// beyond that the oldest in its bucket is forgotten, and its response will count as one whose query was
/// not captured.
#[derive(Debug)]
pub(super) struct Recent {
    buckets: Vec<Bucket>,
    /// For each bucket which of the second ones is its own, plus one; 0 is none.
    seconds_of: Vec<u32>,
    /// What had no room in the first, older than all in that.
    seconds: Vec<Bucket>,
    free: Vec<u32>,
    /// So many more are wanted before it is looked again for some that are not needed any more.
    patience: usize,
    buckets_max: usize,
}

impl Recent {
    /// Room for at most about `limit` transactions.
    pub fn new(limit: usize) -> Recent {
        let buckets_max = (limit.clamp(WAYS, 1 << 30) / WAYS).next_power_of_two();
        Recent::with_buckets(BUCKETS_MIN.min(buckets_max), buckets_max)
    }

    fn with_buckets(buckets: usize, buckets_max: usize) -> Recent {
        let seconds = buckets / SECOND_SHARE;
        Recent {
            buckets: vec![Bucket::EMPTY; buckets],
            seconds_of: vec![0; buckets],
            seconds: vec![Bucket::EMPTY; seconds],
            free: (0..seconds as u32).collect(),
            patience: 0,
            buckets_max,
        }
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
        let place = self.place(key);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        if !bucket.put(slot, sequence, needed) {
            self.insert_crowded(key, slot, (sequence, needed), &key_of);
        }
    }

    /// Adds one to a bucket that is full of what is needed.
    #[inline(never)]
    fn insert_crowded(
        &mut self,
        key: u64,
        slot: u64,
        (next, needed): (Sequence, Needed),
        key_of: &dyn Fn(Sequence) -> Option<u64>,
    ) {
        while !self.put(key, slot, next, needed) {
            if self.buckets.len() >= self.buckets_max {
                // Full of what is needed: the oldest goes.
                let place = self.place(key);
                if let Some(bucket) = self.buckets.get_mut(place) {
                    bucket.push(WAYS - 1, slot);
                }
                return;
            }
            self.grow(next, needed, key_of);
        }
    }

    /// Puts a slot into its bucket, the oldest there into a second one if need be and if there is one.
    fn put(&mut self, key: u64, slot: u64, next: Sequence, needed: Needed) -> bool {
        let place = self.place(key);
        let Some(bucket) = self.buckets.get_mut(place) else { return false };
        if bucket.put(slot, next, needed) {
            return true;
        }
        let [.., oldest] = bucket.0;
        let has_room = self
            .second_for(place, next, needed)
            .is_some_and(|second| second.put(oldest, next, needed));
        if has_room && let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push(WAYS - 1, slot);
        }
        has_room
    }

    /// The second bucket of one; one is found for it if it has none.
    fn second_for(&mut self, place: usize, next: Sequence, needed: Needed) -> Option<&mut Bucket> {
        let known = self.seconds_of.get(place).copied().unwrap_or(0);
        let second = match known.checked_sub(1) {
            Some(second) => second,
            None => {
                if self.free.is_empty() && !self.free_seconds(next, needed) {
                    return None;
                }
                let second = self.free.pop()?;
                *self.seconds_of.get_mut(place)? = second + 1;
                second
            }
        };
        self.seconds.get_mut(second as usize)
    }

    /// Takes second buckets back of which nothing is needed. A full walk, so it is worth it only if it gives some
    /// share of as many: else the table is to be made larger or, at its limit, that many have to be wanted again.
    fn free_seconds(&mut self, next: Sequence, needed: Needed) -> bool {
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        let share = self.seconds.len() / 4;
        for of in self.seconds_of.iter_mut().filter(|of| **of > 0) {
            let second = *of - 1;
            let Some(bucket) = self.seconds.get_mut(second as usize) else { continue };
            if bucket.0.iter().all(|slot| needed.spares(*slot, next)) {
                *bucket = Bucket::EMPTY;
                *of = 0;
                self.free.push(second);
            }
        }
        if self.free.len() < share {
            self.patience = share;
        }
        self.free.len() >= share || self.buckets.len() >= self.buckets_max
    }

    /// The newest transaction with a key that `fits`, which is now and then asked of one with another key.
    /// `next` is the number that the next transaction will have.
    #[inline]
    pub fn find(
        &self,
        key: u64,
        next: Sequence,
        mut fits: impl FnMut(Sequence) -> bool,
    ) -> Option<Sequence> {
        let tag = tag(mix(key));
        let place = self.place(key);
        let mut found = |bucket: &Bucket| {
            let alike = bucket.0.iter().filter(|slot| (**slot ^ tag) >> 33 == 0);
            alike.filter_map(|slot| number(*slot, next)).find(|sequence| fits(*sequence))
        };
        let first = found(self.buckets.get(place)?);
        if first.is_some() {
            return first;
        }
        let second = self.seconds_of.get(place)?.checked_sub(1)?;
        found(self.seconds.get(second as usize)?)
    }

    /// Notes that a transaction is answered and nothing more is to come.
    #[inline]
    pub fn close(&mut self, key: u64, sequence: Sequence) {
        let open = slot(key, sequence, false);
        let place = self.place(key);
        let Recent { buckets, seconds, seconds_of, .. } = self;
        let Some(bucket) = buckets.get_mut(place) else { return };
        if let Some(slot) = bucket.0.iter_mut().find(|slot| **slot == open) {
            *slot |= DONE;
        } else if let Some(second) = seconds_of.get(place).and_then(|of| of.checked_sub(1))
            && let Some(bucket) = seconds.get_mut(second as usize)
            && let Some(slot) = bucket.0.iter_mut().find(|slot| **slot == open)
        {
            *slot |= DONE;
        }
    }

    /// Makes the table twice as large.
    fn grow(&mut self, next: Sequence, needed: Needed, key_of: &dyn Fn(Sequence) -> Option<u64>) {
        let mut kept: Vec<(Sequence, bool)> = self
            .buckets
            .iter()
            .chain(&self.seconds)
            .flat_map(|bucket| &bucket.0)
            .filter(|slot| **slot != 0)
            .filter_map(|slot| Some((number(*slot, next)?, slot & DONE != 0)))
            .collect();
        kept.sort_unstable();
        *self = Recent::with_buckets(self.buckets.len() * 2, self.buckets_max);
        for (sequence, done) in kept {
            let Some(key) = key_of(sequence) else { continue };
            let slot = slot(key, sequence, done);
            if !self.put(key, slot, next, needed) {
                let place = self.place(key);
                if let Some(bucket) = self.buckets.get_mut(place) {
                    bucket.push(WAYS - 1, slot);
                }
            }
        }
    }

    #[inline]
    fn place(&self, key: u64) -> usize {
        mix(key) as usize & (self.buckets.len() - 1)
    }
}

#[inline]
fn slot(key: u64, sequence: Sequence, done: bool) -> u64 {
    let done = if done { DONE } else { 0 };
    tag(mix(key)) | done | u64::from(sequence.0 as u32)
}

/// The full number of a slot: the newest one up to `next` that ends so.
#[inline]
fn number(slot: u64, next: Sequence) -> Option<Sequence> {
    let distance = (next.0 as u32).wrapping_sub(slot as u32);
    next.0.checked_sub(u64::from(distance)).map(Sequence)
}

#[inline]
fn tag(mixed: u64) -> u64 {
    mixed & !(USED | DONE | 0xffff_ffff) | USED
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

    /// All that are found, newest first.
    fn all(recent: &Recent, key: u64, next: u64) -> Vec<u64> {
        let mut all = Vec::new();
        recent.find(key, Sequence(next), |sequence| {
            all.push(sequence.0);
            false
        });
        all
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
                let found = recent.find(key(n as u64), next, |sequence| sequence.0 == n as u64);
                prop_assert!(found.is_some(), "{n}");
            }
            prop_assert_eq!(recent.find(key(1 << 40), next, |_| true), None);
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
        assert_eq!(all(&recent, 7, 9), [8, 7, 6, 5, 4, 2, 1, 0]);
        recent.insert(7, Sequence(9), false, needed, |_| Some(7));
        assert_eq!(all(&recent, 7, 10).last(), Some(&1), "at the limit the oldest is forgotten");
    }

    #[test]
    fn by_chance_full_buckets_do_not_make_the_table_larger() {
        let mut recent = Recent::new(1 << 20);
        let needed = |n: u64| Needed { open: Sequence(0), done: Sequence(n.saturating_sub(9_000)) };
        for n in 0..100_000 {
            recent.insert(key(n), Sequence(n), false, needed(n), |s| Some(key(s.0)));
            recent.close(key(n), Sequence(n));
        }
        for n in 91_000..100_000 {
            assert_eq!(all(&recent, key(n), 100_000), [n]);
        }
        assert!(recent.buckets.len() <= 4_096, "{} buckets", recent.buckets.len());
    }

    #[test]
    fn at_the_limit_a_bucket_that_all_fall_on_costs_no_more_than_another() {
        let mut recent = Recent::new(1 << 12);
        let needed = Needed { open: Sequence(0), done: Sequence(0) };
        for n in 0..1 << 14 {
            recent.insert(7, Sequence(n), false, needed, |_| Some(7));
        }
        let found = all(&recent, 7, 1 << 14);
        assert_eq!(found[..3], [16_383, 16_382, 16_381]);
        assert!(found.len() <= 2 * WAYS && found.is_sorted_by(|one, other| one > other));
    }

    #[test]
    fn numbers_go_on_beyond_32_bits() {
        let mut recent = Recent::new(64);
        let needed = Needed { open: Sequence(0), done: Sequence(0) };
        let sequence = Sequence((7 << 32) + 5);
        recent.insert(9, sequence, false, needed, |_| Some(9));
        assert_eq!(all(&recent, 9, sequence.0 + 3), [sequence.0]);
    }
}
