//! What a message is matched with: the transactions under way, found by ports, addresses and id.
//!
//! They are few, and the history is long. A chain of the history's ring visits every entry whose key
//! falls on its slot, each in memory last touched long ago, and most of the time that matching took went
//! there. Here a look-up mostly reads one cache line of a table that is as large as what is under way asks for. For
//! that it must be well filled, which by chance some buckets are beyond their room: these have another.

use super::table::MIRROR_MAX;
use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};

/// How many transactions share a bucket of one cache line.
const WAYS: usize = 8;
/// How many buckets there are at first: 16 KiB of them.
const BUCKETS_MIN: usize = 1 << 8;
/// One in so many buckets can have a second one.
const SECOND_SHARE: usize = 8;
/// The bit of a slot that is in use.
const USED: u64 = 1 << 33;
/// The bit of a slot that says: answered, and nothing more is to come but, for a moment, the same again.
const DONE: u64 = 1 << 32;
/// Where the number stands, behind eight bits of when it was done.
const NUMBER: u32 = 8;
/// How finely that is told, and how many such moments a mirror port takes at most to deliver a message again.
const MOMENT: Span = Span::from_millis(10);
const MOMENTS: u64 = (MIRROR_MAX.0 / MOMENT.0) as u64;

/// What is needed when a transaction comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    /// None before this one is waited for any more.
    pub since: Sequence,
    /// The number that the next one has.
    pub next: Sequence,
    /// How far time has come.
    pub now: Timestamp,
}

impl Needed {
    /// Whether what a slot holds may be forgotten.
    #[inline]
    fn spares(self, slot: u64) -> bool {
        let is_long_done = || {
            // A little before now counts as well as a little after. Long after, one in 64 passes for new.
            let ago = (moment(self.now) + 1).wrapping_sub(slot) & 0xff;
            slot & DONE != 0 && ago > 1 + MOMENTS
        };
        slot == 0
            || is_long_done()
            || number(slot, self.next).is_none_or(|number| number < self.since)
    }
}

/// Slots from the newest to the oldest: 30 bits of hash, [`USED`], [`DONE`], the number's lower 24 bits, when it was
/// done. 0 is none.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([u64; WAYS]);

impl Bucket {
    const EMPTY: Bucket = Bucket([0; WAYS]);

    /// Puts a slot first, in the place of the last one that may be forgotten, if there is one.
    #[inline]
    fn put(&mut self, slot: u64, needed: Needed) -> bool {
        let idle = self.0.iter().rposition(|old| needed.spares(*old));
        idle.is_some_and(|place| {
            self.push(place, slot);
            true
        })
    }

    /// Puts another in the place of a slot; returns whether that was there.
    #[inline]
    fn replace(&mut self, old: u64, new: u64) -> bool {
        let found = self.0.iter_mut().find(|slot| **slot == old);
        found.map(|slot| *slot = new).is_some()
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

    /// Adds the next transaction. `key_of` knows the keys of the others.
    #[inline]
    pub fn insert(&mut self, key: u64, needed: Needed, key_of: impl Fn(Sequence) -> Option<u64>) {
        let slot = slot(key, needed.next);
        let place = self.place(key);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        if !bucket.put(slot, needed) {
            self.insert_crowded(key, slot, needed, &key_of);
        }
    }

    /// Adds one to a bucket that is full of what is needed.
    #[inline(never)]
    fn insert_crowded(
        &mut self,
        key: u64,
        slot: u64,
        needed: Needed,
        key_of: &dyn Fn(Sequence) -> Option<u64>,
    ) {
        while !self.put(key, slot, needed) {
            if self.buckets.len() >= self.buckets_max {
                return self.force(key, slot);
            }
            self.grow(needed, key_of);
        }
    }

    /// Puts a slot into its bucket, the oldest there into a second one if need be and if there is one.
    fn put(&mut self, key: u64, slot: u64, needed: Needed) -> bool {
        let place = self.place(key);
        let Some(bucket) = self.buckets.get_mut(place) else { return false };
        if bucket.put(slot, needed) {
            return true;
        }
        let [.., oldest] = bucket.0;
        let has_room =
            self.second_for(place, needed).is_some_and(|second| second.put(oldest, needed));
        if has_room && let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push(WAYS - 1, slot);
        }
        has_room
    }

    /// Puts a slot into its bucket, which is full of what is needed: the oldest goes.
    fn force(&mut self, key: u64, slot: u64) {
        let place = self.place(key);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        let [.., oldest] = bucket.0;
        bucket.push(WAYS - 1, slot);
        if let Some(second) = self.second_of(place)
            && let Some(bucket) = self.seconds.get_mut(second)
        {
            bucket.push(WAYS - 1, oldest);
        }
    }

    /// Which of the second buckets is one's own, if any is.
    #[inline]
    fn second_of(&self, place: usize) -> Option<usize> {
        self.seconds_of.get(place)?.checked_sub(1).map(|second| second as usize)
    }

    /// The second bucket of one; one is found for it if it has none.
    fn second_for(&mut self, place: usize, needed: Needed) -> Option<&mut Bucket> {
        if self.second_of(place).is_none() {
            if self.free.is_empty() && !self.free_seconds(needed) {
                return None;
            }
            *self.seconds_of.get_mut(place)? = self.free.pop()? + 1;
        }
        let second = self.second_of(place)?;
        self.seconds.get_mut(second)
    }

    /// Takes second buckets back of which nothing is needed. A full walk, so it is worth it only if it gives some
    /// share of as many: else the table is to be made larger or, at its limit, that many have to be wanted again.
    fn free_seconds(&mut self, needed: Needed) -> bool {
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        let share = self.seconds.len() / 4;
        for of in self.seconds_of.iter_mut().filter(|of| **of > 0) {
            let second = *of - 1;
            let Some(bucket) = self.seconds.get_mut(second as usize) else { continue };
            if bucket.0.iter().all(|slot| needed.spares(*slot)) {
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
        found(self.seconds.get(self.second_of(place)?)?)
    }

    /// Notes that a transaction was answered and nothing more is to come but, for a moment, the same again.
    #[inline]
    pub fn close(&mut self, key: u64, sequence: Sequence, now: Timestamp) {
        let open = slot(key, sequence);
        let place = self.place(key);
        let closed = open | DONE | moment(now);
        let is_in_first =
            self.buckets.get_mut(place).is_some_and(|bucket| bucket.replace(open, closed));
        if !is_in_first
            && let Some(second) = self.second_of(place)
            && let Some(bucket) = self.seconds.get_mut(second)
        {
            bucket.replace(open, closed);
        }
    }

    /// Makes the table twice as large. What is not needed is left behind.
    fn grow(&mut self, needed: Needed, key_of: &dyn Fn(Sequence) -> Option<u64>) {
        let slots = self.buckets.iter().chain(&self.seconds).flat_map(|bucket| &bucket.0);
        let slots = slots.filter(|slot| !needed.spares(**slot));
        let mut kept: Vec<(Sequence, u64)> =
            slots.filter_map(|slot| Some((number(*slot, needed.next)?, *slot))).collect();
        kept.sort_unstable();
        *self = Recent::with_buckets(self.buckets.len() * 2, self.buckets_max);
        for (sequence, slot) in kept {
            let Some(key) = key_of(sequence) else { continue };
            if !self.put(key, slot, needed) {
                self.force(key, slot);
            }
        }
    }

    #[inline]
    fn place(&self, key: u64) -> usize {
        mix(key) as usize & (self.buckets.len() - 1)
    }
}

#[inline]
fn slot(key: u64, sequence: Sequence) -> u64 {
    tag(mix(key)) | (sequence.0 << NUMBER & 0xffff_ffff)
}

/// The full number of a slot: the newest one up to `next` that ends so.
#[inline]
fn number(slot: u64, next: Sequence) -> Option<Sequence> {
    let distance = ((next.0 << NUMBER) as u32).wrapping_sub(slot as u32 & !0xff) >> NUMBER;
    next.0.checked_sub(u64::from(distance)).map(Sequence)
}

/// A time as slots have it.
#[inline]
fn moment(time: Timestamp) -> u64 {
    time.0.div_euclid(MOMENT.0) as u64 & 0xff
}

#[inline]
fn tag(mixed: u64) -> u64 {
    mixed & !(USED | DONE | 0xffff_ffff) | USED
}

/// Without a key, though whoever sends packets chooses ports and ids: there is little to gain by it. A bucket has room for so
/// many and no more, so that none takes long to look through; those that are aimed at one bucket double the table, up to
/// its limit, and then push out each other. Whose bucket a stranger's question lies in depends on the number of its host
/// here, its port and its id, which they do not see; and who fills all buckets has no need to aim.
#[inline]
fn mix(key: u64) -> u64 {
    let product = u128::from(key ^ 0xf39c_c060_5ced_c835) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn key(n: u64) -> u64 {
        n.wrapping_mul(0x1234_5677)
    }

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp(0) + Span::from_millis(milliseconds as i64)
    }

    /// What is needed when one comes and all are waited for.
    fn all_before(next: u64) -> Needed {
        Needed { since: Sequence(0), next: Sequence(next), now: at(0) }
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
        fn what_is_needed_is_found_whatever_comes_between(
            // What comes: a new one of some key, one done after so many more, what is not waited for any more.
            steps in prop::collection::vec((0u64..3_000, prop::option::of(0usize..400), 0u64..3), 1..8_000),
            alike in 1u64..1_000_000,
        ) {
            // Many of one key, or nearly none.
            let key_of = |n: u64| key(n % alike);
            let mut recent = Recent::new(1 << 16);
            let mut keys: Vec<u64> = Vec::new();
            let mut done: Vec<Option<Timestamp>> = Vec::new();
            let mut ends: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            let mut since = 0;
            for (n, (which, done_after, passed)) in steps.iter().enumerate() {
                let (key, now) = (key_of(*which), at(n as u64 / 4));
                let earlier = |s: Sequence| keys.get(s.0 as usize).copied();
                let needed = Needed { since: Sequence(since), next: Sequence(n as u64), now };
                recent.insert(key, needed, earlier);
                keys.push(key);
                done.push(None);
                if let Some(after) = done_after {
                    ends.entry(n + after).or_default().push(n);
                }
                for ended in ends.remove(&n).unwrap_or_default() {
                    recent.close(keys[ended], Sequence(ended as u64), now);
                    done[ended] = Some(now);
                }
                since = (since + passed).min(n as u64 + 1);
            }
            let (next, now) = (keys.len() as u64, at(keys.len() as u64 / 4));
            let is_needed = |n: &u64| done[*n as usize].is_none_or(|at| at + MIRROR_MAX >= now);
            let mut of_key: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            for n in (since..next).rev().filter(is_needed) {
                of_key.entry(keys[n as usize]).or_default().push(n);
            }
            for (key, needed) in of_key {
                let found = all(&recent, key, next);
                prop_assert!(found.is_sorted_by(|one, other| one > other));
                // Of very many with one key the latest are told apart.
                let needed = &needed[..needed.len().min(WAYS)];
                prop_assert!(needed.iter().all(|n| found.contains(n)), "{needed:?} in {found:?}");
            }
            prop_assert_eq!(all(&recent, key(1 << 40), next), Vec::<u64>::new());
        }
    }

    #[test]
    fn the_newest_of_a_key_comes_first_and_what_is_long_done_makes_room() {
        let mut recent = Recent::new(WAYS);
        for n in 0..8 {
            recent.insert(7, all_before(n), |_| Some(7));
        }
        recent.close(7, Sequence(3), at(100));
        recent.insert(7, Needed { now: at(200), ..all_before(8) }, |_| Some(7));
        assert_eq!(all(&recent, 7, 9), [8, 7, 6, 5, 4, 2, 1, 0]);
        recent.close(7, Sequence(4), at(200));
        recent.insert(7, Needed { now: at(215), ..all_before(9) }, |_| Some(7));
        assert_eq!(
            all(&recent, 7, 10),
            [9, 8, 7, 6, 5, 4, 2, 1],
            "at the limit the oldest is forgotten"
        );
    }

    #[test]
    fn by_chance_full_buckets_do_not_make_the_table_larger() {
        let mut recent = Recent::new(1 << 20);
        for n in 0u64..100_000 {
            // 450 a millisecond, each answered at once.
            let now = at(n / 450);
            recent.insert(key(n), Needed { now, ..all_before(n) }, |s| Some(key(s.0)));
            recent.close(key(n), Sequence(n), now);
        }
        for n in 92_000..100_000 {
            assert_eq!(all(&recent, key(n), 100_000), [n]);
        }
        assert!(recent.buckets.len() <= 4_096, "{} buckets", recent.buckets.len());
    }

    #[test]
    fn at_the_limit_the_latest_are_kept_though_all_fall_on_one_bucket() {
        let mut recent = Recent::new(1 << 12);
        for n in 0..1 << 14 {
            recent.insert(7, all_before(n), |_| Some(7));
        }
        let latest: Vec<u64> = (0..1 << 14).rev().take(2 * WAYS).collect();
        assert_eq!(all(&recent, 7, 1 << 14), latest);
    }

    #[test]
    fn numbers_go_on_beyond_24_bits() {
        let mut recent = Recent::new(64);
        let next = (7 << 32) + (1 << 24) - 2;
        (next..next + 4).for_each(|n| recent.insert(9, all_before(n), |_| Some(9)));
        assert_eq!(all(&recent, 9, next + 5), [next + 3, next + 2, next + 1, next]);
    }
}
