//! When something happened, in bounded room.

use std::collections::BTreeMap;

use crate::time::{Span, Timestamp};

/// How many moments are told apart.
const BUCKETS_MAX: usize = 120;

/// Counts by time, in as few seconds a bucket as there is room for. It does not matter in which order
/// times are added.
#[derive(Clone, Debug)]
pub(in crate::report) struct Moments {
    width: i64,
    buckets: BTreeMap<i64, u64>,
}

impl Default for Moments {
    fn default() -> Moments {
        Moments { width: Span::from_secs(1).0, buckets: BTreeMap::new() }
    }
}

impl Moments {
    /// Counts one.
    pub fn add(&mut self, time: Timestamp) {
        *self.buckets.entry(time.0.div_euclid(self.width)).or_default() += 1;
        while self.buckets.len() > BUCKETS_MAX && self.width < i64::MAX / 4 {
            self.width *= 2;
            let mut wider: BTreeMap<i64, u64> = BTreeMap::new();
            for (place, count) in &self.buckets {
                *wider.entry(place.div_euclid(2)).or_default() += count;
            }
            self.buckets = wider;
        }
    }

    /// The middle of each bucket that holds something, and how much, in order of time.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.buckets.iter().map(|(place, count)| {
            let begin = place.saturating_mul(self.width);
            (Timestamp(begin.saturating_add(self.width / 2)), *count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_takes_no_more_room_and_nothing_is_lost() {
        let mut moments = Moments::default();
        for second in 0..100_000 {
            moments.add(Timestamp(1_575_015_901_000_000_000) + Span::from_secs(second));
        }
        assert!(moments.iter().count() <= BUCKETS_MAX && moments.iter().count() > BUCKETS_MAX / 3);
        assert_eq!(moments.iter().map(|(_, count)| count).sum::<u64>(), 100_000);
    }

    #[test]
    fn the_order_of_adding_does_not_matter_nor_do_odd_times() {
        let times: Vec<i64> = (0..500).map(|n: i64| n * n * 7_000_000_000).collect();
        let [mut forth, mut back] = [Moments::default(), Moments::default()];
        times.iter().for_each(|time| forth.add(Timestamp(*time)));
        times.iter().rev().for_each(|time| back.add(Timestamp(*time)));
        assert!(forth.iter().eq(back.iter()));
        for odd in [i64::MIN, i64::MAX, 0] {
            (0..300).for_each(|n| forth.add(Timestamp(odd) + Span::from_secs(n)));
            forth.add(Timestamp(odd));
        }
        assert!(forth.iter().count() <= BUCKETS_MAX);
    }
}
